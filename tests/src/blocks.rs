//! Ioctls about where a file's bytes are, and about sharing them with another file.
#![allow(unsafe_code, reason = "no crate wraps these ioctls")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// `struct file_clone_range` (include/uapi/linux/fs.h).
#[repr(C)]
struct CloneRange {
    from: i64,
    from_offset: u64,
    length: u64,
    to_offset: u64,
}

/// `struct file_dedupe_range` with one `struct file_dedupe_range_info` (include/uapi/linux/fs.h).
#[repr(C)]
struct DedupeRange {
    from_offset: u64,
    length: u64,
    count: u16,
    reserved: [u16; 3],
    to: i64,
    to_offset: u64,
    deduped: u64,
    status: i32,
    reserved_too: u32,
}

/// `struct fiemap` without room for extents: they are counted (include/uapi/linux/fiemap.h).
#[repr(C)]
struct Fiemap {
    start: u64,
    length: u64,
    flags: u32,
    mapped: u32,
    room: u32,
    reserved: u32,
}

/// `_IOW(0x94, 13, struct file_clone_range)`.
const FICLONERANGE: libc::Ioctl = 0x4020_940d;
/// `_IOWR(0x94, 54, struct file_dedupe_range)`.
const FIDEDUPERANGE: libc::Ioctl = 0xc018_9436_u32 as libc::Ioctl;
/// `_IOWR('f', 11, struct fiemap)`.
const FS_IOC_FIEMAP: libc::Ioctl = 0xc020_660b_u32 as libc::Ioctl;
/// `_IO(0x00, 1)`.
const FIBMAP: libc::Ioctl = 1;

fn ioctl<T>(file: BorrowedFd<'_>, request: libc::Ioctl, argument: &mut T) -> io::Result<()> {
    // SAFETY: `argument` has the type that goes with `request`, and outlives the call.
    let done = unsafe { libc::ioctl(file.as_raw_fd(), request, std::ptr::from_mut(argument)) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Has `to` share all of `from`'s bytes.
pub fn clone_range(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> io::Result<()> {
    let mut range = CloneRange { from: from.as_raw_fd().into(), from_offset: 0, length: 0, to_offset: 0 };
    ioctl(to, FICLONERANGE, &mut range)
}

/// Has both share their first bytes if these are the same: whether they are is what it tells.
pub fn dedupe(from: BorrowedFd<'_>, to: BorrowedFd<'_>, length: u64) -> io::Result<bool> {
    let mut range = DedupeRange {
        from_offset: 0,
        length,
        count: 1,
        reserved: [0; 3],
        to: to.as_raw_fd().into(),
        to_offset: 0,
        deduped: 0,
        status: 0,
        reserved_too: 0,
    };
    ioctl(from, FIDEDUPERANGE, &mut range)?;
    if range.status < 0 { Err(io::Error::from_raw_os_error(-range.status)) } else { Ok(range.status == 0) }
}

/// How many extents it has.
pub fn extents(file: BorrowedFd<'_>) -> io::Result<u32> {
    let mut map = Fiemap { start: 0, length: u64::MAX, flags: 0, mapped: 0, room: 0, reserved: 0 };
    ioctl(file, FS_IOC_FIEMAP, &mut map).map(|()| map.mapped)
}

/// Which block of the disk its first one is.
pub fn first_block(file: BorrowedFd<'_>) -> io::Result<i32> {
    let mut block = 0;
    ioctl(file, FIBMAP, &mut block).map(|()| block)
}
