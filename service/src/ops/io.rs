//! What the daemon does with open files: reads and writes that are not passed through, and the rest that works on
//! handles.

use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustix::fs::{FallocateFlags, SeekFrom, copy_file_range, fallocate, fdatasync};
use rustix::io::{Errno, ReadWriteFlags, pwritev2};

use super::OpError;
use crate::observe::Counter;
use crate::volume::{FileHandle, Volume};

/// Bound of one COPY_FILE_RANGE, so that no request keeps a worker for long; the caller goes on from there.
const COPY_AT_ONCE: usize = 8 << 20;

fn handle(volume: &Volume, number: u64) -> Result<Arc<FileHandle>, OpError> {
    volume.files.get(number).ok_or(OpError::BadHandle)
}

/// Reads into `buffer`; returns how much. What is hidden from the handle reads as zeros.
pub fn read(volume: &Volume, number: u64, offset: u64, buffer: &mut [u8]) -> Result<usize, OpError> {
    let handle = handle(volume, number)?;
    let filled = match handle.sight.redaction() {
        Some(redaction) => super::redacted::read(volume, &handle, redaction, offset, buffer)?,
        None => fill(handle.io()?, offset, buffer)?,
    };
    volume.observer.count_by(Counter::BytesRead, filled as u64);
    Ok(filled)
}

/// Reads as much as there is.
pub(super) fn fill(fd: BorrowedFd<'_>, offset: u64, buffer: &mut [u8]) -> Result<usize, OpError> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match rustix::io::pread(fd, rest, offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(Errno::INTR) => {}
            Err(errno) if filled == 0 => return Err(errno.into()),
            Err(_) => break,
        }
    }
    Ok(filled)
}

/// Writes all of `data`, or as much as there is room for: at `offset`, or at the end if it `appends`.
pub fn write(
    volume: &Volume,
    number: u64,
    offset: u64,
    data: &[u8],
    appends: bool,
) -> Result<usize, OpError> {
    let handle = handle(volume, number)?;
    if !handle.is_writer() {
        return Err(OpError::BadHandle);
    }
    let fd = handle.io()?;
    // At the end as it is on the lower file system: the offset is the end as the kernel knew it.
    let how = if appends { ReadWriteFlags::APPEND } else { ReadWriteFlags::empty() };
    let mut written = 0;
    while let Some(rest) = data.get(written..).filter(|rest| !rest.is_empty()) {
        match pwritev2(fd, &[IoSlice::new(rest)], offset.saturating_add(written as u64), how) {
            Ok(n) => written += n,
            Err(Errno::INTR) => {}
            Err(errno) if written == 0 => return Err(errno.into()),
            Err(_) => break,
        }
    }
    volume.observer.count_by(Counter::BytesWritten, written as u64);
    Ok(written)
}

/// Makes what was written durable.
pub fn fsync(volume: &Volume, number: u64, data_only: bool) -> Result<(), OpError> {
    let handle = handle(volume, number)?;
    let fd = handle.io()?;
    Ok(if data_only { fdatasync(fd) } else { rustix::fs::fsync(fd) }?)
}

/// Makes names in a directory durable.
pub fn fsync_dir(volume: &Volume, number: u64) -> Result<(), OpError> {
    let handle = volume.dirs.get(number).ok_or(OpError::BadHandle)?;
    Ok(rustix::fs::fsync(&handle.fd)?)
}

/// `fallocate(2)`.
pub fn allocate(volume: &Volume, number: u64, mode: u32, offset: u64, length: u64) -> Result<(), OpError> {
    let handle = handle(volume, number)?;
    if !handle.is_writer() {
        return Err(OpError::BadHandle);
    }
    let mode = FallocateFlags::from_bits(mode).ok_or(OpError::NotSupported)?;
    Ok(fallocate(handle.io()?, mode, offset, length)?)
}

/// `lseek(2)` for data and holes.
pub fn seek(volume: &Volume, number: u64, offset: i64, whence: i32) -> Result<u64, OpError> {
    let handle = handle(volume, number)?;
    let offset = u64::try_from(offset).map_err(|_| OpError::Lower(Errno::NXIO.into()))?;
    let to = match whence {
        libc::SEEK_DATA => SeekFrom::Data(offset),
        libc::SEEK_HOLE => SeekFrom::Hole(offset),
        _ => return Err(OpError::Invalid),
    };
    Ok(rustix::fs::seek(handle.io()?, to)?)
}

/// Whether the kernel copies between files faster than it is done here: it has their lower files, and these cannot share what they
/// hold, which only who asks the lower file system for it would get.
pub fn kernel_copies(volume: &Volume) -> bool {
    volume.passthrough.is_upstream() && volume.lower.copies_bytes()
}

/// `copy_file_range(2)`. From a redacted view the kernel copies through its page cache instead.
pub fn copy_range(volume: &Volume, from: (u64, u64), to: (u64, u64), length: u64) -> Result<usize, OpError> {
    let (source, target) = (handle(volume, from.0)?, handle(volume, to.0)?);
    if source.sight.redaction().is_some() || target.sight.redaction().is_some() {
        return Err(OpError::NotSupported);
    }
    if !target.is_writer() {
        return Err(OpError::BadHandle);
    }
    let (mut from_offset, mut to_offset) = (from.1, to.1);
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(COPY_AT_ONCE);
    let copied = copy_file_range(
        source.io()?.as_fd(),
        Some(&mut from_offset),
        target.io()?.as_fd(),
        Some(&mut to_offset),
        length,
    )?;
    Ok(copied)
}
