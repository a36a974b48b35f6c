//! The two ioctls of `/dev/fuse` that register and unregister backing files (include/uapi/linux/fuse.h).
//!
//! The library that speaks FUSE for us ties them to the reply of one request; a backing file that outlives its
//! request is easier to reason about as a number and an owner that closes it.
#![expect(unsafe_code, reason = "raw ioctls")]

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;

/// `struct fuse_backing_map`.
#[repr(C)]
struct BackingMap {
    fd: i32,
    flags: u32,
    padding: u64,
}

mod ioctl {
    use super::BackingMap;

    nix::ioctl_write_ptr!(backing_open, 229, 1, BackingMap);
    nix::ioctl_write_ptr!(backing_close, 229, 2, u32);
}

/// Registers backing files with the kernel.
pub trait BackingDevice: Send + Sync + std::fmt::Debug + 'static {
    /// Registers what `file` refers to (`O_PATH` is enough); the kernel opens it anew for each FUSE open.
    fn open(&self, file: BorrowedFd<'_>) -> Result<u32, Errno>;
    /// Gives the number back. Open files that use it go on.
    fn close(&self, id: u32) -> Result<(), Errno>;
}

/// The descriptor of a FUSE connection.
#[derive(Debug)]
pub struct FuseDevice(pub OwnedFd);

impl BackingDevice for FuseDevice {
    fn open(&self, file: BorrowedFd<'_>) -> Result<u32, Errno> {
        let map = BackingMap { fd: file.as_raw_fd(), flags: 0, padding: 0 };
        // SAFETY: the descriptor is open for as long as `self`, and `map` is the structure this ioctl reads.
        let id = unsafe { ioctl::backing_open(self.0.as_raw_fd(), &raw const map) }?;
        u32::try_from(id).ok().filter(|id| *id > 0).ok_or(Errno::EINVAL)
    }

    fn close(&self, id: u32) -> Result<(), Errno> {
        // SAFETY: as above; the ioctl reads one u32.
        unsafe { ioctl::backing_close(self.0.as_raw_fd(), &raw const id) }.map(drop)
    }
}

/// A registered backing file; unregistered when dropped.
#[derive(Debug)]
pub struct Backing {
    device: Arc<dyn BackingDevice>,
    id: u32,
}

impl Backing {
    /// Registers `file`.
    pub fn register(device: &Arc<dyn BackingDevice>, file: BorrowedFd<'_>) -> Result<Backing, Errno> {
        Ok(Backing { id: device.open(file)?, device: Arc::clone(device) })
    }

    /// The number to answer OPEN with.
    pub fn id(&self) -> u32 {
        self.id
    }
}

impl Drop for Backing {
    fn drop(&mut self) {
        match self.device.close(self.id) {
            // ENOTCONN and EPERM: the connection is gone and has closed them all.
            Ok(()) | Err(Errno::ENOTCONN | Errno::ENODEV | Errno::EPERM) => {}
            Err(error) => log::warn!("backing file {}: not closed: {error}", self.id),
        }
    }
}
