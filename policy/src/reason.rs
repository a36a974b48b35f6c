//! The rules by name. Each [`Reason`] is one rule; [`crate::decide`] always says which one decided.

macro_rules! reasons {
    ($($(#[$section:meta])* $variant:ident = $rule:literal, $because:literal;)+) => {
        /// The rule that decided.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $because] $variant,)+
        }

        impl Reason {
            /// Every rule.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant),+];

            /// The rule's stable identifier, e.g. `own-file`.
            pub const fn rule(self) -> &'static str {
                match self { $(Reason::$variant => $rule,)+ }
            }

            /// The rule in a sentence.
            pub const fn because(self) -> &'static str {
                match self { $(Reason::$variant => $because,)+ }
            }
        }
    };
}

reasons! {
    InstantApp = "instant-app", "An instant app has no shared storage.";

    // The same for every caller.
    NoSymlinks = "no-symlinks", "Shared storage has no symbolic links.";
    NoHardLinks = "no-hard-links", "Shared storage has no hard links.";
    NoXattrs = "no-xattrs", "Extended attributes of shared storage are not offered to apps.";
    NothingExecutes = "nothing-executes", "Files on shared storage cannot be executed.";
    AcrossTrees = "across-trees", "A rename stays within one user's tree of one volume.";
    AndroidStays = "android-stays", "The directory Android of a volume is never renamed.";
    Root = "root", "Root may do everything.";

    // Trees: whose, and what is closed to everybody.
    WrongKind = "wrong-kind", "The operation does not fit what it is asked of: file and directory differ.";
    NotInATree = "not-in-a-tree", "The path is in no user's tree.";
    OtherUser = "other-user", "The tree belongs to another user.";
    WorkProfile = "work-profile", "A work profile and the user it belongs to share no files by path.";
    ServiceDirectory = "service-directory", "The directory .transforms belongs to the service.";
    MountRootClosed = "mount-root-closed", "The directory above the users' trees is not listed.";
    VolumeRootStays = "volume-root-stays", "Volume roots are neither made, removed nor renamed through the mount.";
    NamesAreVisible = "names-are-visible", "Whether a file exists, and its attributes, are visible to everyone.";
    OthersPrivateDirectory = "others-private-directory",
        "Android/data and Android/obb of a package are closed to other packages.";
    Shell = "shell", "The shell may do everything that keeps the index in order.";
    NoUsbTransfer = "no-usb-file-transfer", "The user's files may not be moved over USB, so the shell changes none of them.";
    NoPackage = "no-package", "No installed package has the caller's uid.";

    // Bypass: classes of callers for whom single files are not checked.
    MountModeWritable = "mount-mode-writable", "Download, document and MTP providers bypass every check.";
    InstallerObb = "installer-obb", "Installers may use every package's Android/obb.";
    OwnPackageDirectory = "own-package-directory", "The package directory is the caller's own.";
    Manager = "manager", "The caller manages all files (MANAGE_EXTERNAL_STORAGE).";
    LegacyRead = "legacy-read", "A legacy app with READ_EXTERNAL_STORAGE reads everything.";
    LegacyWrite = "legacy-write", "A legacy app with WRITE_EXTERNAL_STORAGE writes everywhere.";
    Gallery = "system-gallery", "The system gallery has every image and video, by file name.";
    RawAccess = "raw-access", "A gallery with raw access creates, deletes and renames unchecked.";
    LegacyWithoutPermission = "legacy-without-permission",
        "A legacy app without the storage permission has only its own package directories.";

    // Single files.
    OwnFile = "own-file", "The file belongs to the caller's package.";
    MediaPermission = "media-permission", "The caller may read all media of this type.";
    MediaWriteOp = "media-write-op", "The caller may write all media of this type.";
    WriteGrant = "write-grant", "The caller was granted writing this one file.";
    ReadGrant = "read-grant", "The caller was granted reading this one file.";
    SelectedByUser = "selected-by-user", "The user selected this photo or video for the caller.";
    NotIndexed = "not-indexed", "The file is not indexed, so nobody owns it and its type is not known.";
    OthersPending = "others-pending", "Another package has not published the file yet.";
    OthersTrashed = "others-trashed", "Another package's file is in the trash.";
    OthersImage = "others-image-without-permission", "Another package's image.";
    OthersVideo = "others-video-without-permission", "Another package's video.";
    OthersAudio = "others-audio-without-permission", "Another package's audio file or playlist.";
    OthersSubtitle = "others-subtitle-without-permission", "Another package's subtitles.";
    NotSelected = "not-selected-by-user", "The user has not selected this photo or video for the caller.";
    OthersFile = "others-file", "Another package's file that is not media: no media permission opens it.";
    OthersFileReadOnly = "others-file-read-only", "Another package's file: reading permissions do not let write.";

    // Creating.
    NameNotPortable = "name-not-portable", "A name on the path could not stand on a FAT volume.";
    RowExists = "row-exists", "The name is taken: it is indexed, though no file is there.";
    TypeFits = "type-fits-directory", "The directory takes files of this type.";
    TypeUnfit = "type-unfit-for-directory", "The directory does not take files of this type.";
    NoFilesHere = "no-files-here", "Apps put files into the default directories and their own package directories only.";

    // Directories.
    DirectoriesAreShared = "directories-are-shared", "Directories of shared storage are open to all apps.";
    DefaultDirectory = "default-directory", "Any app may make a default directory.";
    TopLevelDirectory = "top-level-directory", "The top level of a volume is fixed but for the default directories.";
    PackageTreesClosed = "package-trees-closed", "Android/data and Android/obb themselves are closed.";
    DirectoryAttributes = "directory-attributes", "Apps do not change attributes of directories they share.";

    // Deleting and renaming.
    NotYoursToDelete = "not-yours-to-delete", "The file is not the caller's to delete.";
    NotYoursToRename = "not-yours-to-rename", "The file is not the caller's to rename.";
    ReplacesOthersFile = "replaces-others-file", "The rename would replace a file that is not the caller's.";
    DefaultDirectoryStays = "default-directory-stays", "Default directories are not renamed.";
    NotIntoRoot = "not-into-volume-root", "Nothing is renamed to the top level of a volume.";
    PackageTreesStay = "package-trees-stay", "The directories directly below Android are not renamed.";
    NotIntoAndroid = "not-into-android", "Below Android, only the package directories in Android/media take renamed files.";
    OutOfPrivateDirectory = "out-of-private-directory",
        "A private package directory is like a volume of its own: files are copied out, not renamed.";
    ChildrenDecide = "children-decide", "The directory may be renamed if every file below may move along.";

    NoRule = "no-rule", "No rule allows it.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn identifiers_are_distinct_kebab_case() {
        let rules: BTreeSet<&str> = Reason::ALL.iter().map(|it| it.rule()).collect();
        assert_eq!(rules.len(), Reason::ALL.len());
        for rule in rules {
            assert!(rule.bytes().all(|it| it.is_ascii_lowercase() || it == b'-'), "{rule}");
        }
    }

    #[test]
    fn reasons_are_sentences() {
        for reason in Reason::ALL {
            let because = reason.because();
            assert!(because.starts_with(|it: char| it.is_uppercase()) && because.ends_with('.'), "{because}");
        }
    }
}
