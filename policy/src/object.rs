//! What is touched: the facts about a file or directory that a decision may depend on.

use crate::mime::MediaType;
use crate::principal::UserId;

/// The two kinds of volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VolumeKind {
    /// The emulated primary volume: `<mount>/<user>/…`.
    Emulated,
    /// A public (portable) volume: `<mount>/…`, the same for every user.
    Public,
}

/// A file or a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// What was granted to a caller on one file, as a set of bits.
///
/// The policy knows no clock: whoever fills this in leaves out what has expired or was revoked.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct FileGrants(u8);

impl FileGrants {
    /// Nothing was granted.
    pub const NONE: FileGrants = FileGrants(0);
    /// The user selected this photo or video for the caller (`READ_MEDIA_VISUAL_USER_SELECTED`).
    pub const SELECTED: FileGrants = FileGrants(0b001);
    /// The caller may read this file.
    pub const READ: FileGrants = FileGrants(0b010);
    /// The caller may write this file, and read it: this is [`FileGrants::READ`] and one bit more.
    pub const WRITE: FileGrants = FileGrants(0b110);

    /// True when all of `other` was granted.
    pub const fn has(self, other: FileGrants) -> bool {
        self.0 & other.0 == other.0
    }

    /// The set as a number, as an index may keep it: 1 selected, 2 read, 6 write.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set that [`FileGrants::bits`] gave; bits that mean nothing are left out.
    pub const fn from_bits(bits: u8) -> FileGrants {
        let write = if bits & FileGrants::WRITE.0 == FileGrants::WRITE.0 { FileGrants::WRITE.0 } else { 0 };
        FileGrants(bits & FileGrants::SELECTED.with(FileGrants::READ).0 | write)
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: FileGrants) -> FileGrants {
        FileGrants(self.0 | other.0)
    }
}

impl std::fmt::Debug for FileGrants {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = |grant, name| if self.has(grant) { name } else { "" };
        let read = if self.has(FileGrants::WRITE) { "" } else { name(FileGrants::READ, "read ") };
        let all = [name(FileGrants::SELECTED, "selected "), read, name(FileGrants::WRITE, "write ")].concat();
        write!(f, "FileGrants({})", all.trim_end())
    }
}

/// What the index knows about a file. A file without a row is "not indexed".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The owner package; `None` for a file that belongs to nobody.
    pub owner: Option<&'a str>,
    /// Media type as indexed: [`MediaType::None`] for hidden files.
    pub media_type: MediaType,
    /// Pending (created and not published yet).
    pub pending: bool,
    /// In the trash.
    pub trashed: bool,
    /// What the caller's packages hold on this file now.
    pub grants: FileGrants,
}

/// A place on a volume, with what is known about what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<'a> {
    /// Kind of the volume.
    pub volume: VolumeKind,
    /// Whose tree it is in; `None` on public volumes and for the mount root of an emulated volume.
    pub user: Option<UserId>,
    /// Path below the volume root (emulated: below `<mount>/<user>`), bytes, components joined by single
    /// slashes, without a leading or trailing one. Empty for the volume root itself.
    pub path: &'a [u8],
    /// True for the directory above the users of an emulated volume (`/storage/emulated`); `path` is empty then.
    pub mount_root: bool,
    /// File or directory.
    pub kind: Kind,
    /// The index's row, for files; directories have none.
    pub row: Option<Row<'a>>,
}

#[cfg(test)]
mod tests {
    use super::FileGrants;

    const ALL: [FileGrants; 4] =
        [FileGrants::NONE, FileGrants::SELECTED, FileGrants::READ, FileGrants::WRITE];

    #[test]
    fn writing_implies_reading_and_nothing_else_implies_anything() {
        for a in ALL {
            for b in ALL {
                let implied =
                    a == b || b == FileGrants::NONE || (a, b) == (FileGrants::WRITE, FileGrants::READ);
                assert_eq!(a.has(b), implied, "{a:?} {b:?}");
                assert!(a.with(b).has(a) && a.with(b).has(b));
            }
        }
    }

    #[test]
    fn numbers_that_mean_nothing_grant_nothing() {
        for bits in 0..=u8::MAX {
            let grants = FileGrants::from_bits(bits);
            assert_eq!(FileGrants::from_bits(grants.bits()), grants);
            assert_eq!(grants.has(FileGrants::SELECTED), bits & 1 != 0);
            assert_eq!(grants.has(FileGrants::READ), bits & 2 != 0);
            assert_eq!(grants.has(FileGrants::WRITE), bits & 6 == 6);
        }
        assert_eq!([FileGrants::NONE.bits(), FileGrants::SELECTED.bits()], [0, 1]);
        assert_eq!([FileGrants::READ.bits(), FileGrants::WRITE.bits()], [2, 6]);
    }

    #[test]
    fn sets_print_what_is_in_them() {
        assert_eq!(format!("{:?}", FileGrants::NONE), "FileGrants()");
        assert_eq!(format!("{:?}", FileGrants::READ), "FileGrants(read)");
        let both = FileGrants::WRITE.with(FileGrants::SELECTED);
        assert_eq!(format!("{both:?}"), "FileGrants(selected write)");
    }
}
