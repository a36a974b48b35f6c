//! Replies to OPEN and OPENDIR, and the entries of listings.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use fuser::{FileAttr, FileHandle, FileType, FopenFlags, Generation, INodeNo, ReplyDirectoryPlus, ReplyOpen};

use super::attr::{attributes, of_nothing};
use super::reply::{Named, generation, wire};
use crate::node::{Listing, NodeId, View};
use crate::ops::{Entry, OpError, Opened};
use crate::passthrough::IoMode;
use crate::volume::{DirHandle, Listed, Volume};

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

/// Answers OPENDIR.
pub(super) fn reply_opened_dir(reply: ReplyOpen, opened: Result<(u64, Listing), OpError>) {
    match opened {
        Ok((handle, listing)) => {
            let flags = match listing {
                Listing::Asked => FopenFlags::FOPEN_KEEP_CACHE,
                Listing::Filled => FopenFlags::FOPEN_CACHE_DIR,
                Listing::Kept => FopenFlags::FOPEN_CACHE_DIR | FopenFlags::FOPEN_KEEP_CACHE,
            };
            reply.opened(FileHandle(handle), flags);
        }
        Err(error) => reply.error(wire(&error)),
    }
}

/// What a listing shows as an entry's inode number. One that is no node's is shown, and never looked up by.
pub(super) fn number_of(handle: &DirHandle, entry: &Listed) -> INodeNo {
    let node = match &*entry.name {
        b"." => Some(handle.file.node()),
        b".." => Some(handle.file.parent().as_ref().unwrap_or(&handle.file).node()),
        _ => NodeId::of(entry.ino, View::Original).ok(),
    };
    INodeNo(node.map_or(u64::MAX, |node| node.0))
}

/// Adds `.` or `..`, which the kernel does not look up by this (fs/fuse/readdir.c, `fuse_direntplus_link`); true if it did not fit.
pub(super) fn add_dot(reply: &mut ReplyDirectoryPlus, handle: &DirHandle, entry: &Listed) -> bool {
    let ino = number_of(handle, entry);
    let attr = FileAttr { ino, kind: FileType::Directory, ..of_nothing() };
    reply.add(ino, entry.next, OsStr::from_bytes(&entry.name), &Duration::ZERO, &attr, Generation(0))
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
