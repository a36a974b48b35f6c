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
