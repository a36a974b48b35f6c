//! Replies to OPEN, and the entries of READDIRPLUS.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use fuser::{FileHandle, FopenFlags, Generation, INodeNo, ReplyDirectoryPlus, ReplyOpen};

use super::attr::attributes;
use super::reply::{Named, generation, wire};
use crate::node::{NodeId, View};
use crate::ops::{OpError, Opened, PlusEntry};
use crate::passthrough::IoMode;
use crate::volume::Volume;

/// Answers OPEN.
pub(super) fn reply_opened(reply: ReplyOpen, opened: Result<Opened, OpError>) {
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => return reply.error(wire(&error)),
    };
    let (handle, none) = (FileHandle(opened.handle), FopenFlags::empty());
    match &opened.mode {
        IoMode::Kernel(registered) => {
            #[expect(unsafe_code, reason = "the library's way to name a backing file")]
            // SAFETY: the number is registered on this connection, and `registered` keeps it so.
            let named = Named(Some(unsafe { reply.wrap_backing(registered.id()) }));
            match &named.0 {
                Some(backing) => reply.opened_passthrough(handle, none, backing),
                None => reply.opened(handle, none),
            }
        }
        IoMode::Daemon if opened.keep_cache => reply.opened(handle, FopenFlags::FOPEN_KEEP_CACHE),
        IoMode::Daemon => reply.opened(handle, none),
    }
}

/// Adds an entry; true if it did not fit.
pub(super) fn add_plus(
    volume: &Volume,
    reply: &mut ReplyDirectoryPlus,
    offset: u64,
    name: &[u8],
    entry: PlusEntry,
) -> bool {
    let name = OsStr::from_bytes(name);
    match entry {
        PlusEntry::Entered(found) => {
            // The reply has one time for the name and the attributes.
            let ttl = found.entry_ttl.min(found.attr_ttl);
            let attr = attributes(found.node, &found.meta);
            let full = reply.add(attr.ino, offset, name, &ttl, &attr, generation(&found));
            if full {
                // The kernel holds no lookup of it.
                volume.nodes.forget(found.node, 1);
            }
            full
        }
        PlusEntry::Unentered(meta) => {
            // A node id of 0 says that there is a name and no more (fs/fuse/readdir.c, fuse_direntplus_link).
            let attr = attributes(NodeId(0), &meta);
            let shown = NodeId::of(meta.id.ino, View::Original).map_or(u64::MAX, |node| node.0);
            reply.add(INodeNo(shown), offset, name, &Duration::ZERO, &attr, Generation(0))
        }
    }
}
