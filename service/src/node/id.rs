//! Node ids.

use crate::lower::LowerError;

/// Which bytes a node shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// The file as it is.
    Original,
    /// With its location data hidden.
    Redacted,
    /// The same for everybody, whatever they may see: what a link shows.
    Forced,
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
/// Set in the ids of forced views.
const FORCED: u64 = 1 << 61;
/// Together with something below them: a directory that is not on the lower file system.
const VIRTUAL: u64 = FORCED | INO_ONE;

/// A directory on the way to links, by how many names it is below its user's root. It is there whether or not the lower
/// file system has one of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VirtualDir {
    /// Whose tree it is in; 0 on public volumes.
    pub user: u32,
    /// 1 to 3.
    pub depth: u8,
}

impl VirtualDir {
    /// Its id: the same after a restart.
    pub fn node(self) -> NodeId {
        NodeId(VIRTUAL | u64::from(self.user) << 2 | u64::from(self.depth & 3))
    }
}

impl NodeId {
    /// The FUSE root.
    pub const ROOT: NodeId = NodeId(ROOT);

    /// The id of a lower inode that is not the volume's root. The three top bits are ours; a file system that
    /// uses them for inode numbers cannot be served.
    pub fn of(ino: u64, view: View) -> Result<NodeId, LowerError> {
        if ino == 0 || ino & (REDACTED | INO_ONE | FORCED) != 0 {
            return Err(LowerError::NotServed);
        }
        Ok(NodeId::of_served(ino).in_view(view))
    }

    /// The id of the same file in another view.
    pub fn in_view(self, view: View) -> NodeId {
        let original = self.0 & !(REDACTED | FORCED);
        NodeId(match view {
            View::Original => original,
            View::Redacted => original | REDACTED,
            View::Forced => original | FORCED,
        })
    }

    /// Which view it is of.
    pub fn view(self) -> View {
        match (self.0 & REDACTED, self.0 & FORCED) {
            (0, 0) => View::Original,
            (0, _) => View::Forced,
            _ => View::Redacted,
        }
    }

    /// The directory that it is of, if that is not on the lower file system.
    pub fn virtual_dir(self) -> Option<VirtualDir> {
        let rest = self.0 & !VIRTUAL;
        if self.0 & VIRTUAL != VIRTUAL || self.0 & REDACTED != 0 || rest & 3 == 0 {
            return None;
        }
        Some(VirtualDir { user: u32::try_from(rest >> 2).ok()?, depth: (rest & 3) as u8 })
    }

    /// [`NodeId::of`], in its original view, for the number of a file that has a node.
    pub(super) fn of_served(ino: u64) -> NodeId {
        NodeId(if ino == ROOT { INO_ONE } else { ino })
    }

    /// The lower inode number, which all views of a file share.
    pub(super) fn ino(self) -> u64 {
        let original = self.0 & !(REDACTED | FORCED);
        if original == INO_ONE { ROOT } else { original }
    }
}
