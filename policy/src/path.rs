//! Path classes (mediaprovider.md §2.3). All matching ignores ASCII case; names are bytes.

/// The twelve default directories of a volume root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the directory of its name")]
pub enum DefaultDir {
    Alarms,
    Audiobooks,
    Dcim,
    Documents,
    Download,
    Movies,
    Music,
    Notifications,
    Pictures,
    Podcasts,
    Recordings,
    Ringtones,
}

impl DefaultDir {
    /// All twelve.
    pub const ALL: [DefaultDir; 12] = [
        DefaultDir::Alarms,
        DefaultDir::Audiobooks,
        DefaultDir::Dcim,
        DefaultDir::Documents,
        DefaultDir::Download,
        DefaultDir::Movies,
        DefaultDir::Music,
        DefaultDir::Notifications,
        DefaultDir::Pictures,
        DefaultDir::Podcasts,
        DefaultDir::Recordings,
        DefaultDir::Ringtones,
    ];

    /// The directory's name as it is created.
    pub const fn name(self) -> &'static str {
        match self {
            DefaultDir::Alarms => "Alarms",
            DefaultDir::Audiobooks => "Audiobooks",
            DefaultDir::Dcim => "DCIM",
            DefaultDir::Documents => "Documents",
            DefaultDir::Download => "Download",
            DefaultDir::Movies => "Movies",
            DefaultDir::Music => "Music",
            DefaultDir::Notifications => "Notifications",
            DefaultDir::Pictures => "Pictures",
            DefaultDir::Podcasts => "Podcasts",
            DefaultDir::Recordings => "Recordings",
            DefaultDir::Ringtones => "Ringtones",
        }
    }

    /// The default directory of this name, ignoring ASCII case.
    pub fn from_name(name: &[u8]) -> Option<DefaultDir> {
        Self::ALL.into_iter().find(|dir| dir.name().as_bytes().eq_ignore_ascii_case(name))
    }
}

/// The directories below `Android/` that have a subdirectory for each package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the directory of its name")]
pub enum AndroidDir {
    Data,
    Media,
    Obb,
    Sandbox,
}

impl AndroidDir {
    /// `Android/data` and `Android/obb`: private to the package, invisible to others.
    pub const fn is_private(self) -> bool {
        matches!(self, AndroidDir::Data | AndroidDir::Obb)
    }
}

/// Where a path is on its volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place<'a> {
    /// The volume root itself.
    Root,
    /// A name directly in the volume root; `default` if it is one of the twelve.
    Top {
        /// Which default directory it names, if any.
        default: Option<DefaultDir>,
    },
    /// Below a top-level name.
    Below {
        /// Which default directory it is below, if any.
        default: Option<DefaultDir>,
    },
    /// `Android` itself.
    Android,
    /// `Android/data`, `Android/media`, `Android/obb` or `Android/sandbox` itself.
    AndroidTop(AndroidDir),
    /// `Android/<dir>/<package>` or below it.
    AndroidPackage {
        /// Which of the directories.
        dir: AndroidDir,
        /// The package directory's name, as spelt.
        package: &'a [u8],
        /// True for the package directory itself.
        itself: bool,
    },
    /// Anything else below `Android/`.
    AndroidOther,
}

impl<'a> Place<'a> {
    /// Classifies a path (see [`crate::Object::path`] for its form).
    pub fn of(_path: &'a [u8]) -> Place<'a> {
        Place::Root
    }
}

/// The state that a file's name itself declares (`PATTERN_EXPIRES_FILE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameState {
    /// An ordinary name.
    Plain,
    /// `.pending-<seconds>-<name>`.
    Pending,
    /// `.trashed-<seconds>-<name>`.
    Trashed,
}

/// Reads the state from the last component of a path.
pub fn name_state(_name: &[u8]) -> NameState {
    NameState::Plain
}

/// `FileUtils.isValidFatFilename`: may stand on a FAT volume.
pub fn is_valid_fat_name(_name: &[u8]) -> bool {
    true
}
