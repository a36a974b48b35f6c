//! What replies have in common.

use fuser::{Errno, Generation, ReplyEntry};

use super::attr::attributes;
use crate::errno::errno;
use crate::ops::{Entry, OpError};

/// The errno that the app gets.
pub(super) fn wire(error: &OpError) -> Errno {
    Errno::from_i32(errno(error))
}

/// Tells a reused inode number from its predecessor.
pub(super) fn generation(entry: &Entry) -> Generation {
    Generation(entry.meta.id.generation)
}

/// Answers with a name.
pub(super) fn reply_entry(reply: ReplyEntry, entry: &Entry) {
    let attr = attributes(entry.node, &entry.meta);
    reply.entry_with_ttls(&entry.attr_ttl, &entry.entry_ttl, &attr, generation(entry));
}

/// A backing file by the library's name, but not in its care: [`crate::passthrough`] closes it.
pub(super) struct Named(pub(super) Option<fuser::BackingId>);

impl Drop for Named {
    fn drop(&mut self) {
        if let Some(backing) = self.0.take() {
            backing.into_raw();
        }
    }
}
