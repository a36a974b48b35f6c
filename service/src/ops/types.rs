//! What operations take and give.

use std::time::Duration;

use crate::lower::Meta;
use crate::node::NodeId;
use crate::passthrough::IoMode;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The uid of the request.
    pub uid: u32,
}

/// A name that was resolved. The kernel holds one lookup more of the node.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The node.
    pub node: NodeId,
    /// Its attributes.
    pub meta: Meta,
    /// How long the kernel may keep the name.
    pub entry_ttl: Duration,
    /// How long the kernel may keep the attributes.
    pub attr_ttl: Duration,
}

/// The answer to a lookup that was allowed.
#[derive(Clone, Copy, Debug)]
pub enum LookupReply {
    /// There is something.
    Found(Entry),
    /// There is nothing, and the kernel may remember that for so long.
    Missing(Duration),
}

/// A handle.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its number.
    pub handle: u64,
    /// Who serves its reads and writes.
    pub mode: IoMode,
    /// The pages that the kernel has of the inode are those of the file as it is.
    pub keep_cache: bool,
}

/// A new file with a handle.
#[derive(Clone, Debug)]
pub struct Created {
    /// Its name.
    pub entry: Entry,
    /// Its handle.
    pub opened: Opened,
}
