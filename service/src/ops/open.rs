//! OPEN and RELEASE.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use mediagate_policy::{Errno, Operation};

use super::lookup::view_of;
use super::{Caller, OpError, Opened};
use crate::access::Subject;
use crate::lower::{Access, FileKind, Meta, Root};
use crate::node::{File, NodeId, View};
use crate::observe::Counter;
use crate::passthrough::{IoMode, RefusedBy, Ticket};
use crate::redaction::Ranges;
use crate::volume::{FileHandle, Volume};

/// What OPEN asks for.
#[derive(Clone, Copy, Debug)]
pub struct OpenRequest {
    /// How.
    pub access: Access,
    /// `O_TRUNC`.
    pub truncate: bool,
}

/// Opens a file: decides, makes sure that the node's view is the one that the caller may see, and hands the open to the
/// kernel if it can be.
pub fn open(volume: &Volume, caller: Caller, node: NodeId, request: OpenRequest) -> Result<Opened, OpError> {
    let file = volume.nodes.get(node).ok_or(OpError::Stale)?;
    if file.kind != FileKind::File {
        return Err(OpError::IsDirectory);
    }
    let who = volume.access.who(caller.uid);
    let place = volume.place_of(&file)?;
    let fd = volume.open(&file, place.lower_path())?;
    let subject = volume.subject_of(&file, Some(fd.as_fd()))?;
    let writes = request.access != Access::Read;
    // O_TRUNC changes the file whatever the access mode says.
    let operation = if writes || request.truncate { Operation::OpenWrite } else { Operation::OpenRead };
    volume.access.check(&who, &subject, operation)?;

    let ranges = hidden_ranges(volume, &subject, &fd)?;
    let view = if ranges.is_empty() { View::Original } else { view_of(volume, &who, &subject) };
    if view != node.view() {
        // The walk that led here was somebody else's, or the file changed its class since.
        volume.observer.count(Counter::StaleOpens);
        return Err(OpError::Stale);
    }
    if writes && view == View::Redacted {
        // A page that is written back would carry its zeros into the file.
        return Err(OpError::Denied(Errno::Eacces));
    }
    // Whatever refuses the open does so before the file is touched.
    let ticket = volume.handles.take(caller.uid, 1)?;
    if request.truncate {
        Root::truncate(fd.as_fd(), 0)?;
    }
    let opened = attach(volume, caller, &file, view, request.access, ranges, (fd, ticket));
    if writes || request.truncate {
        // From now on attributes change without a request: what the kernel has cached must not outlive this open.
        volume.file_changes(&file);
    }
    Ok(opened)
}

/// The bytes to hide from callers that may not see a location. What cannot be understood is refused.
fn hidden_ranges(volume: &Volume, subject: &Subject, fd: &OwnedFd) -> Result<Arc<Ranges>, OpError> {
    if !volume.ranges.may_have_ranges(subject.name()) {
        return Ok(Arc::default());
    }
    let meta = Meta::of(fd.as_fd())?;
    volume.ranges.ranges(fd.as_fd(), &meta).map_err(|_| OpError::Denied(Errno::Eacces))
}

/// Joins the inode's I/O state and makes the handle, which the ticket has room for.
pub(super) fn attach(
    volume: &Volume,
    caller: Caller,
    file: &Arc<File>,
    view: View,
    access: Access,
    ranges: Arc<Ranges>,
    (fd, ticket): (Arc<OwnedFd>, Ticket),
) -> Opened {
    let (mode, ranges) = match view {
        View::Original => (volume.passthrough.join(file.io(view), &fd, caller.uid), None),
        View::Redacted => {
            file.io(view).lock().join_daemon(&fd);
            volume.passthrough.count_refusal(RefusedBy::RedactedView);
            (IoMode::Daemon, Some(ranges))
        }
    };
    let passthrough = Arc::clone(&volume.passthrough);
    let handle = FileHandle::new(
        Arc::clone(file),
        view,
        caller.uid,
        access,
        mode.clone(),
        ranges,
        fd,
        passthrough,
        ticket,
    );
    Opened { handle: volume.files.insert(Arc::new(handle)), mode }
}

/// The last reference to an open file is gone.
pub fn release(volume: &Volume, number: u64) -> Result<(), OpError> {
    let handle = volume.files.remove(number).ok_or(OpError::BadHandle)?;
    if !handle.is_writer() {
        return Ok(());
    }
    let file = Arc::clone(&handle.file);
    if let Ok(meta) = Meta::of(handle.fd()) {
        refresh_index(volume, &file, &meta);
    }
    drop(handle);
    // Answers that were on their way when this writer left may carry older attributes, and may say that they last.
    volume.file_changes(&file);
    Ok(())
}

/// A file that is renamed that often while its index is brought up to date is brought up to date at the next look.
const MOVES: usize = 8;

/// Brings size and modification time in the index up to date.
///
/// Nothing keeps the file from being renamed or removed meanwhile: the write changes the row of this very file only, and is
/// said again if the file has another place by then. Whoever renames records the new place before the index hears of it.
pub(super) fn refresh_index(volume: &Volume, file: &File, meta: &Meta) {
    for _ in 0..MOVES {
        if file.is_removed() {
            return;
        }
        let Ok(subject) = volume.place_of(file) else { return };
        if subject.is_invisible() {
            return;
        }
        volume.catalog.refresh(volume.key_of(&subject), meta.id.ino, meta.size, meta.mtime_ns());
        if file.path() == subject.lower_path() {
            return;
        }
    }
}
