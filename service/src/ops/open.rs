//! OPEN and RELEASE.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mediagate_policy::{Errno, Operation};
use parking_lot::Mutex;

use super::lookup::view_of;
use super::{Caller, OpError, Opened, links};
use crate::access::Subject;
use crate::lower::{Access, FileKind, Root};
use crate::node::{File, NodeId, View};
use crate::observe::Counter;
use crate::passthrough::{IoMode, RefusedBy, Ticket};
use crate::redaction::Hidden;
use crate::volume::{FileHandle, Redaction, Sight, Volume};

/// How long a writer waits for readers that may see no location and have the file open as it is.
const PATIENCE: Duration = Duration::from_secs(2);

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
    let file = volume.known(node)?;
    if file.kind != FileKind::File {
        return Err(OpError::IsDirectory);
    }
    let writes = request.access != Access::Read;
    if node.view() == View::Forced && (writes || request.truncate) {
        return Err(OpError::Denied(Errno::Eacces));
    }
    let who = volume.access.who(caller.uid);
    let place = volume.place_of(&file)?;
    let fd = volume.open(&file, place.lower_path())?;
    let subject = volume.subject_of(&file, Some(fd.as_fd()))?;
    if node.view() == View::Forced {
        links::check_read(volume, &who, &subject)?;
        let sight = redact(volume, &file, &subject, &fd, View::Forced)?;
        let ticket = volume.handles.take(caller.uid, 1)?;
        return Ok(attach(volume, caller, &file, request.access, sight, (fd, ticket)));
    }
    // O_TRUNC changes the file whatever the access mode says.
    let operation = if writes || request.truncate { Operation::OpenWrite } else { Operation::OpenRead };
    volume.access.check(&who, &subject, operation)?;

    let may_be_split = node.view() == View::Redacted || volume.may_be_split(&subject);
    let view = if may_be_split { view_of(volume, &who, &subject) } else { View::Original };
    let sight = match (view, node.view()) {
        (View::Original, View::Original) => Sight::Original,
        // The walk that led here was that of somebody who may see less.
        (View::Original, View::Redacted | View::Forced) => return Err(stale(volume)),
        (View::Redacted | View::Forced, walked) => redact(volume, &file, &subject, &fd, walked)?,
    };
    if writes && sight.view() != View::Original {
        // A page that is written back would carry its zeros into the file.
        return Err(OpError::Denied(Errno::Eacces));
    }
    // Whatever refuses the open does so before the file is touched.
    let ticket = volume.handles.take(caller.uid, 1)?;
    // Until the handle says so itself.
    let writing = (writes || request.truncate).then(|| file.write());
    if writes && may_be_split {
        wait_until_unexposed(volume, &file);
    }
    if request.truncate
        && let Err(error) = Root::truncate(fd.as_fd(), 0)
    {
        drop(writing);
        left_without_release(volume, &file, fd.as_fd());
        return Err(error.into());
    }
    let lower = Arc::clone(&fd);
    let opened = attach(volume, caller, &file, request.access, sight, (fd, ticket));
    if let Some(writing) = writing {
        drop(writing);
        if !writes {
            left_without_release(volume, &file, lower.as_fd());
        }
        // From now on attributes change without a request: what the kernel has cached must not outlive this open.
        volume.file_changes(&file);
    }
    Ok(opened)
}

fn stale(volume: &Volume) -> OpError {
    volume.observer.count(Counter::StaleOpens);
    OpError::Stale
}

/// True if the open may have to wait for others, so that a worker is not the one to do it.
pub fn open_may_wait(volume: &Volume, node: NodeId, request: OpenRequest) -> bool {
    request.access != Access::Read && volume.nodes.get(node).is_some_and(|file| file.is_exposed())
}

/// What is written from now on may tell a location, and who may not see one has the file open as it is, with the kernel serving
/// the reads. That cannot be taken back, but most readers are soon done; new ones get the redacted view, as this
/// writer is counted already.
fn wait_until_unexposed(volume: &Volume, file: &File) {
    let deadline = Instant::now() + PATIENCE;
    while file.is_exposed() {
        if Instant::now() >= deadline {
            volume.observer.count(Counter::Exposed);
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What a caller that may not see a location gets when it opens a file for reading. `walked` is the view that the walk led to.
/// A redacted view is looked into whatever its name is by now: the file may have had another one when the walk began, or be opened by a descriptor of that time.
fn redact(
    volume: &Volume,
    file: &Arc<File>,
    subject: &Subject,
    fd: &OwnedFd,
    walked: View,
) -> Result<Sight, OpError> {
    let keep = Volume::keep_of(subject);
    let resting = volume.resting(file, keep, fd.as_fd())?;
    // While it is being written, reads find out what there is to hide.
    if resting.as_ref().is_some_and(|resting| resting.hidden == Hidden::All) {
        volume.observer.count(Counter::Refused);
        return Err(OpError::Denied(Errno::Eacces));
    }
    if walked == View::Original {
        if let Some(resting) = resting.filter(|resting| resting.hidden.is_nothing()) {
            let exposed = file.expose();
            // Counted first, then looked: whoever comes to write does it the other way round, and one sees the other.
            if file.quiet() == Some(resting.quiet) {
                return Ok(Sight::Exposed(exposed));
            }
        }
        // It has become one that callers are told apart by.
        file.set_parted();
        return Err(stale(volume));
    }
    // With nothing to hide both views are the same.
    let settled = resting.filter(|resting| resting.settled);
    let token = file.pages(walked).open(settled.as_ref().map(|resting| resting.stamp));
    if token.is_none() {
        volume.observer.count(Counter::CacheKept);
    }
    Ok(Sight::Redacted(Redaction { view: walked, keep, token, last: Mutex::new(settled) }))
}

/// Joins the inode's I/O state and makes the handle, which the ticket has room for.
pub(super) fn attach(
    volume: &Volume,
    caller: Caller,
    file: &Arc<File>,
    access: Access,
    sight: Sight,
    (fd, ticket): (Arc<OwnedFd>, Ticket),
) -> Opened {
    let view = sight.view();
    let keep_cache = sight.redaction().is_some_and(|redaction| redaction.token.is_none());
    let mode = match view {
        View::Original if volume.passthrough.is_one_shot() => {
            let opened = Root::reopen(fd.as_fd(), access).ok().map(Arc::new);
            volume.passthrough.join_once(file.io(view), &fd, opened, caller.uid)
        }
        View::Original => volume.passthrough.join(file.io(view), &fd, caller.uid),
        View::Redacted | View::Forced => {
            file.io(view).lock().join_daemon(&fd);
            volume.passthrough.count_refusal(RefusedBy::RedactedView);
            IoMode::Daemon
        }
    };
    if view == View::Original && matches!(mode, IoMode::Daemon) {
        // The kernel passed it through a moment ago, perhaps; from now on it has pages, which others may write under.
        file.end_hush();
    }
    let passthrough = Arc::clone(&volume.passthrough);
    let handle =
        FileHandle::new(Arc::clone(file), caller.uid, access, mode.clone(), sight, fd, passthrough, ticket);
    Opened { handle: volume.files.insert(Arc::new(handle)), mode, keep_cache }
}

/// The last reference to an open file is gone.
pub fn release(volume: &Volume, number: u64) -> Result<(), OpError> {
    let handle = volume.files.remove(number).ok_or(OpError::BadHandle)?;
    if let Some(redaction) = handle.sight.redaction()
        && let Some(token) = redaction.token
    {
        handle.file.pages(redaction.view).arrived(token);
    }
    if !handle.is_writer() {
        return Ok(());
    }
    let file = Arc::clone(&handle.file);
    let fd = handle.lower();
    // First: who hears of a change while somebody has the file open for writing leaves it to him.
    drop(handle);
    writer_left(volume, &file, fd.as_fd());
    Ok(())
}

/// Tells the index and the kernel what came of a writer that counts no more.
fn writer_left(volume: &Volume, file: &Arc<File>, fd: BorrowedFd<'_>) {
    refresh_index(volume, file, fd);
    if let Ok(subject) = volume.place_of(file) {
        volume.reclassify(file, &subject, fd);
    }
    // Answers that were on their way when this writer left may carry older attributes, and may say that they last.
    volume.file_changes(file);
}

/// A file that is renamed that often while its index is brought up to date is brought up to date at the next look.
const MOVES: usize = 8;

/// Somebody counted as a writer from whom no RELEASE comes. What happened meanwhile was left to the last one, which he may be.
pub(super) fn left_without_release(volume: &Volume, file: &Arc<File>, fd: BorrowedFd<'_>) {
    if !file.has_writers() {
        writer_left(volume, file, fd);
    }
}

/// Brings size and modification time in the index up to date.
///
/// Nothing keeps the file from being renamed or removed meanwhile: the write changes the row of this very file only, and is
/// said again if the file has another place by then. Whoever renames records the new place before the index hears of it.
fn refresh_index(volume: &Volume, file: &File, fd: BorrowedFd<'_>) {
    for _ in 0..MOVES {
        if file.is_removed() {
            return;
        }
        let Ok(subject) = volume.place_of(file) else { return };
        if subject.is_invisible() {
            return;
        }
        volume.tell_version(&subject, fd, file.id);
        if file.path() == subject.lower_path() {
            return;
        }
    }
}
