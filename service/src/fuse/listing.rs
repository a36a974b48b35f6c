//! Replies to OPENDIR, READDIR and READDIRPLUS.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::Duration;

use fuser::{
    FileAttr, FileHandle, FileType, FopenFlags, Generation, INodeNo, ReplyDirectory, ReplyDirectoryPlus,
    ReplyOpen,
};

use super::attr::{attributes, file_type, of_nothing};
use super::reply::{generation, wire};
use crate::node::{Listing, NodeId, View};
use crate::ops::{self, Entry, OpError};
use crate::volume::{DirHandle, Listed, Snapshot, Volume};

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

/// Answers READDIR with what comes from `offset` on.
pub(super) fn reply_names(
    mut reply: ReplyDirectory,
    offset: u64,
    found: Result<(Arc<DirHandle>, Arc<Snapshot>), OpError>,
) {
    match found {
        Ok((handle, listed)) => {
            for entry in listed.entries_from(offset).unwrap_or_default() {
                let (number, kind) = (number_of(&handle, entry), file_type(entry.kind));
                if reply.add(number, entry.next, kind, OsStr::from_bytes(&entry.name)) {
                    break;
                }
            }
            reply.ok();
        }
        Err(error) => reply.error(wire(&error)),
    }
}

/// Answers READDIRPLUS with what comes from `offset` on.
pub(super) fn reply_entries(
    volume: &Volume,
    mut reply: ReplyDirectoryPlus,
    offset: u64,
    found: Result<(Arc<DirHandle>, Arc<Snapshot>), OpError>,
) {
    match found.and_then(|(handle, listed)| add_entries(volume, &mut reply, offset, &handle, &listed)) {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(wire(&error)),
    }
}

/// Adds entries until no more fit, or one is met that cannot be told; an error if that is the first.
fn add_entries(
    volume: &Volume,
    reply: &mut ReplyDirectoryPlus,
    offset: u64,
    handle: &DirHandle,
    listed: &Snapshot,
) -> Result<(), OpError> {
    let mut is_empty = true;
    for entry in listed.entries_from(offset).unwrap_or_default() {
        if entry.is_dot() {
            if add_dot(reply, handle, entry) {
                break;
            }
            continue;
        }
        let found = match ops::plus_entry(volume, handle, entry) {
            Ok(Some(found)) => found,
            Ok(None) => {
                handle.shows_less();
                continue;
            }
            // An empty reply would be the end of the listing; `.` and `..` come again.
            Err(error) if is_empty => return Err(error),
            // The next request begins here and meets it.
            Err(_) => break,
        };
        if add_plus(volume, reply, entry.next, &entry.name, &found) {
            break;
        }
        is_empty = false;
    }
    Ok(())
}

/// What a listing shows as an entry's inode number. One that is no node's is shown, and never looked up by.
fn number_of(handle: &DirHandle, entry: &Listed) -> INodeNo {
    let node = match &*entry.name {
        b"." => Some(handle.file.node()),
        b".." => Some(handle.file.parent().as_ref().unwrap_or(&handle.file).node()),
        _ => NodeId::of(entry.ino, View::Original).ok(),
    };
    INodeNo(node.map_or(u64::MAX, |node| node.0))
}

/// Adds `.` or `..`, which the kernel does not look up by this (fs/fuse/readdir.c, `fuse_direntplus_link`); true if it did not fit.
fn add_dot(reply: &mut ReplyDirectoryPlus, handle: &DirHandle, entry: &Listed) -> bool {
    let ino = number_of(handle, entry);
    let attr = FileAttr { ino, kind: FileType::Directory, ..of_nothing() };
    reply.add(ino, entry.next, OsStr::from_bytes(&entry.name), &Duration::ZERO, &attr, Generation(0))
}

/// Adds an entry; true if it did not fit.
fn add_plus(
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
