//! Node ids.

use crate::lower::LowerError;

/// Which bytes a node shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// The file as it is.
    Original,
    /// With its location data hidden.
    Redacted,
}

/// A node id as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(pub u64);

/// The FUSE root's id (`FUSE_ROOT_ID`).
const ROOT: u64 = 1;
/// Set in the ids of redacted views.
const REDACTED: u64 = 1 << 63;
/// Stands in for the lower inode number 1, whose own id is the FUSE root's.
const INO_ONE: u64 = 1 << 62;

impl NodeId {
    /// The FUSE root.
    pub const ROOT: NodeId = NodeId(ROOT);

    /// The id of a lower inode that is not the volume's root. The two top bits are ours; a file system that uses
    /// them for inode numbers cannot be served.
    pub fn of(ino: u64, view: View) -> Result<NodeId, LowerError> {
        if ino == 0 || ino & (REDACTED | INO_ONE) != 0 {
            return Err(LowerError::NotServed);
        }
        Ok(NodeId(if ino == ROOT { INO_ONE } else { ino }).in_view(view))
    }

    /// The id of the same file in another view.
    pub fn in_view(self, view: View) -> NodeId {
        match view {
            View::Original => NodeId(self.0 & !REDACTED),
            View::Redacted => NodeId(self.0 | REDACTED),
        }
    }

    /// Which view it is of.
    pub fn view(self) -> View {
        if self.0 & REDACTED == 0 { View::Original } else { View::Redacted }
    }

    /// What both views of a file share: the table's key.
    pub(super) fn key(self) -> u64 {
        self.0 & !REDACTED
    }
}
