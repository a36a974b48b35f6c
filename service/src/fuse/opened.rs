//! Replies to OPEN, and the entries of READDIRPLUS.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use fuser::{FileHandle, FopenFlags, ReplyDirectoryPlus, ReplyOpen};

use super::attr::attributes;
use super::reply::{Named, generation, wire};
use crate::ops::{Entry, OpError, Opened};
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
    entry: &Entry,
) -> bool {
    let name = OsStr::from_bytes(name);
    // The reply has one time for the name and the attributes.
    let ttl = entry.entry_ttl.min(entry.attr_ttl);
    let attr = attributes(entry.node, &entry.meta);
    let full = reply.add(attr.ino, offset, name, &ttl, &attr, generation(entry));
    if full {
        // The kernel holds no lookup of it.
        volume.nodes.forget(entry.node, 1);
    }
    full
}
