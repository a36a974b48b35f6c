//! What the catalog's calls take and give.

use std::borrow::Cow;
use std::sync::Arc;

/// A volume's number in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolumeKey(pub(super) i64);

impl VolumeKey {
    /// The number: never that of another volume.
    pub fn number(self) -> i64 {
        self.0
    }
}

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileKey {
    /// The volume.
    pub volume: VolumeKey,
    /// The user whose tree it is in.
    pub user: u32,
    /// The directory below the user's root, as bytes, without a slash at either end; empty for the root.
    pub dir: Vec<u8>,
    /// The name in that directory.
    pub name: Vec<u8>,
}

/// What is known about a file: all that an open or a listing asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileRow {
    /// The package that owns it.
    pub owner: Option<Arc<str>>,
    /// Its MIME type.
    pub mime: Cow<'static, str>,
    /// MediaStore's media type: 0 none, 1 image, 2 audio, 3 video, 4 playlist, 5 subtitle, 6 document.
    pub media_type: u8,
    /// Not published yet.
    pub pending: bool,
    /// In the trash.
    pub trashed: bool,
    /// When it expires, in seconds since 1970.
    pub expires: Option<i64>,
    /// The lower inode.
    pub ino: u64,
    /// The lower file's generation, which tells it from a later one with its inode number; 0 where that is not known.
    pub birth: u64,
    /// The size in bytes when last looked at.
    pub size: u64,
    /// The modification time when last looked at, in nanoseconds since 1970.
    pub mtime_ns: i64,
}

impl FileRow {
    /// Whether it is about the lower file of this inode and generation, as far as both are known.
    pub fn is_of(&self, ino: u64, birth: u64) -> bool {
        self.ino == ino && (self.birth == birth || self.birth == 0 || birth == 0)
    }
}

/// What else the file, or a backup, knows of a row that is about to be made. It says nothing to a row that is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The id that the row gets unless another file has it (then, and without one, it gets a new one).
    pub id: Option<i64>,
    /// A favourite.
    pub favorite: bool,
    /// When it was first indexed, in seconds since 1970; now, without it.
    pub added: Option<i64>,
}

/// What a file's new name says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// The MIME type.
    pub mime: Cow<'static, str>,
    /// The media type.
    pub media_type: u8,
    /// Not published yet.
    pub pending: bool,
    /// In the trash.
    pub trashed: bool,
    /// When it expires, in seconds since 1970.
    pub expires: Option<i64>,
}

impl Renamed {
    /// What a row says of it.
    pub(super) fn as_in(row: &FileRow) -> Renamed {
        Renamed {
            mime: row.mime.clone(),
            media_type: row.media_type,
            pending: row.pending,
            trashed: row.trashed,
            expires: row.expires,
        }
    }
}

/// How a file names itself in a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// By the id of its row.
    Id(i64),
    /// By its place.
    Key(FileKey),
}

impl From<FileKey> for At {
    fn from(key: FileKey) -> At {
        At::Key(key)
    }
}

impl From<i64> for At {
    fn from(id: i64) -> At {
        At::Id(id)
    }
}

/// One change to a row's state; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateChange {
    /// A favourite, or not.
    pub favorite: Option<bool>,
    /// Not published yet, or so.
    pub pending: Option<bool>,
    /// In the trash, or not.
    pub trashed: Option<bool>,
    /// When it expires, in seconds since 1970; `Some(None)` for never.
    pub expires: Option<Option<i64>>,
    /// Who owns it; `Some(None)` for nobody.
    pub owner: Option<Option<Arc<str>>>,
}

/// Which files are hidden, for the writer to apply to rows. Paths are from the user's root.
#[derive(Clone, Copy, Debug)]
pub struct HidingRules {
    /// The media type of a file of this path and MIME type that no other file hides.
    pub media_type: fn(&[u8], &str) -> u8,
    /// True if a file of this path hides all that is in its directory and below.
    pub hides: fn(&[u8]) -> bool,
}

/// Called with directory, name and row of a file.
pub type EachFile<'a> = dyn FnMut(&[u8], &[u8], &FileRow) + 'a;

/// What [`super::Catalog::for_each_owner`] calls: name, owner, inode number and birth of a file.
pub type EachOwner<'a> = dyn FnMut(&[u8], Option<&Arc<str>>, u64, u64) + 'a;
