//! What is asked for.

use crate::object::Object;

/// The bits of `access(2)`; none set is `F_OK`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AccessMask {
    /// `R_OK`.
    pub read: bool,
    /// `W_OK`.
    pub write: bool,
    /// `X_OK`.
    pub execute: bool,
}

/// An operation on an [`Object`]. For creating operations the object is the new name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation<'a> {
    /// Resolve a name: the object is the child. Also answers `stat`.
    Lookup,
    /// Read attributes of something already looked up.
    GetAttr,
    /// `access(2)`.
    Access(AccessMask),
    /// Open a file for reading only.
    OpenRead,
    /// Open a file for writing, or reading and writing.
    OpenWrite,
    /// Truncate or set times by path (no open handle).
    SetAttr,
    /// Create a regular file (also `mknod`).
    Create,
    /// Make a directory.
    MakeDir,
    /// Remove a directory.
    RemoveDir,
    /// Open a directory for listing.
    OpenDir,
    /// Show this object in a listing of its directory that [`crate::ListScope::Filtered`] applies to.
    ListEntry,
    /// Remove a file.
    Unlink,
    /// Rename. The object is the old name; `replaced` is what already stands at `to`, if anything.
    Rename {
        /// The new name (its `row` is `None`, its `kind` the old one's).
        to: Object<'a>,
        /// The object that would be replaced.
        replaced: Option<Object<'a>>,
    },
    /// For each file below a directory whose rename was allowed with [`crate::Grant::check_children`]: may this
    /// file move along? The object is the file at its old path.
    MoveWithParent {
        /// The file at its new path.
        to: Object<'a>,
    },
    /// Create a symbolic link.
    Symlink,
    /// Create a hard link.
    Link,
    /// Read or write an extended attribute.
    Xattr,
}
