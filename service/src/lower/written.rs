//! Having the stores through mappings written out.
#![allow(unsafe_code)] // `sync_file_range(2)`, which no crate wraps.

use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::fs::{fdatasync, fstatfs};
use rustix::io::Errno;

use super::LowerError;

/// `OVERLAYFS_SUPER_MAGIC` (include/uapi/linux/magic.h): its inodes have no pages of their own.
const OVERLAY: i64 = 0x794c_7630;

/// Writes a file's dirty pages out. Afterwards the first store to each of them through a mapping, even one whose file was closed
/// long ago, changes the file's times: pages are protected when they are written (mm/page-writeback.c,
/// `folio_clear_dirty_for_io`), and the next store asks the file system (`page_mkwrite`). File systems without a disk (tmpfs,
/// ramfs) never write pages; there nothing is promised.
///
/// # Errors
///
/// When the file system cannot write, or the file is not open for reading or writing.
pub fn write_out(file: BorrowedFd<'_>) -> Result<(), LowerError> {
    if fstatfs(file)?.f_type as i64 == OVERLAY {
        return Ok(fdatasync(file)?);
    }
    let how =
        libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WRITE | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    // SAFETY: a descriptor that is open, numbers, and no memory.
    match unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, how) } {
        0 => Ok(()),
        _ => Err(LowerError::Os(
            std::io::Error::last_os_error().raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error),
        )),
    }
}
