//! Replies to OPEN.

use fuser::{FileHandle, FopenFlags, ReplyOpen};

use super::reply::{Named, wire};
use crate::ops::{OpError, Opened};
use crate::passthrough::IoMode;

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
