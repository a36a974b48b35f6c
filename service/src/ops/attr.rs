//! GETATTR and SETATTR.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use mediagate_policy::{Errno, Operation};

use super::{Caller, OpError, links};
use crate::lower::{FileKind, LowerError, Meta, Root, Time};
use crate::node::{File, NodeId, View};
use crate::volume::{FileHandle, Volume};

/// What SETATTR asks for. Mode and owner are accepted without effect (mediaprovider.md §1.6).
#[derive(Clone, Copy, Debug, Default)]
pub struct SetAttr {
    /// New size.
    pub size: Option<u64>,
    /// New access time.
    pub atime: Option<Time>,
    /// New modification time.
    pub mtime: Option<Time>,
}

/// Attributes of a node and how long they may be kept.
pub fn getattr(volume: &Volume, caller: Caller, node: NodeId) -> Result<(Meta, Duration), OpError> {
    if let Some(dir) = node.virtual_dir() {
        return links::getattr(volume, caller, dir);
    }
    let file = volume.known(node)?;
    let ttl = |meta: &Meta| {
        if node.view() == View::Forced { Duration::ZERO } else { volume.attr_ttl(&file, meta) }
    };
    // A file that is open answers for itself, whatever became of its name.
    if let Some(fd) = file.open_fd() {
        let meta = Meta::of(fd.as_fd())?;
        return Ok((meta, ttl(&meta)));
    }
    if file.is_removed() {
        let open = volume.dirs.find(|handle| Arc::ptr_eq(&handle.file, &file)).ok_or(OpError::Stale)?;
        return Ok((Meta::of(open.fd.as_fd())?, Duration::ZERO));
    }
    let place = volume.place_of(&file)?;
    let who = volume.access.who(caller.uid);
    volume.access.check(&who, &place, Operation::GetAttr)?;
    let fd = volume.open(&file, place.lower_path())?;
    let meta = Meta::of(fd.as_fd())?;
    Ok((meta, ttl(&meta)))
}

/// Sets size and times. With a handle that is all that is asked; by path the caller must be allowed to write.
pub fn setattr(
    volume: &Volume,
    caller: Caller,
    node: NodeId,
    handle: Option<u64>,
    change: SetAttr,
) -> Result<(Meta, Duration), OpError> {
    let file = volume.known(node)?;
    if node.view() == View::Forced {
        return Err(OpError::Denied(Errno::Eacces));
    }
    let handle = handle.and_then(|number| volume.files.get(number)).filter(|it| Arc::ptr_eq(&it.file, &file));
    let fd = match &handle {
        Some(handle) => handle_fd(handle, change)?,
        None => {
            let place = volume.place_of(&file)?;
            let fd = volume.open(&file, place.lower_path())?;
            let subject = volume.subject_of(&file, Some(fd.as_fd()))?;
            let who = volume.access.who(caller.uid);
            volume.access.check(&who, &subject, Operation::SetAttr)?;
            fd
        }
    };
    let applied = apply(&file, fd.as_fd(), change);
    if change.size.is_some() {
        super::open::left_without_release(volume, &file, fd.as_fd());
    }
    applied?;
    let meta = Meta::of(fd.as_fd())?;
    Ok((meta, volume.attr_ttl(&file, &meta)))
}

fn handle_fd(handle: &FileHandle, change: SetAttr) -> Result<Arc<std::os::fd::OwnedFd>, OpError> {
    if change.size.is_some() && !handle.is_writer() {
        return Err(OpError::Invalid);
    }
    handle.file.open_fd().ok_or(OpError::BadHandle)
}

fn apply(file: &Arc<File>, fd: std::os::fd::BorrowedFd<'_>, change: SetAttr) -> Result<(), LowerError> {
    if let Some(size) = change.size {
        if file.kind == FileKind::Directory {
            return Err(LowerError::Os(rustix::io::Errno::ISDIR));
        }
        let _writing = file.write();
        Root::truncate(fd, size)?;
    }
    if change.atime.is_some() || change.mtime.is_some() {
        Root::set_times(fd, change.atime, change.mtime)?;
    }
    Ok(())
}
