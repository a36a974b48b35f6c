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
    // FUSE_DEV_IOC_PASSTHROUGH_OPEN of Android's 5.10 to 6.6 kernels.
    nix::ioctl_write_ptr!(passthrough_open, 229, 126, u32);
}

/// Registers backing files with the kernel.
pub trait BackingDevice: Send + Sync + std::fmt::Debug + 'static {
    /// Registers what `file` refers to (`O_PATH` is enough); the kernel opens it anew for each FUSE open.
    fn open(&self, file: BorrowedFd<'_>) -> Result<u32, Errno>;
    /// Gives the number back. Open files that use it go on.
    fn close(&self, id: u32) -> Result<(), Errno>;

    /// Whose interface it speaks.
    fn interface(&self) -> Interface {
        Interface::Upstream
    }
}

/// The interface that a kernel has for passthrough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// Linux 6.9: a number stands for a file until it is closed, and serves any number of opens of one inode.
    Upstream,
    /// Android's kernels from 5.10 to 6.6 (android12-5.10 … android15-6.6, fs/fuse/passthrough.c): a number is made from a
    /// file that is open as the app is to have it, and is used up by the one OPEN that is answered with it. Nothing
    /// closes it, and the kernel does not mind how an inode is served otherwise.
    Legacy,
}

/// FUSE_PASSTHROUGH, upstream.
const UPSTREAM: u64 = 1 << 37;

impl Interface {
    /// The bit of INIT that asks for it, of a kernel that speaks this minor version of the protocol. In 7.36 bit 31 was
    /// reserved, and Android's went to the end of the longer word.
    pub const fn bit(self, minor: u32) -> u64 {
        match self {
            Interface::Upstream => UPSTREAM,
            Interface::Legacy if minor < 36 => 1 << 31,
            Interface::Legacy => 1 << 63,
        }
    }

    /// What a kernel that speaks this minor version offers; `takes` asks for a bit, and says whether it is offered.
    pub fn offered(mut takes: impl FnMut(u64) -> bool, minor: u32) -> Option<Interface> {
        [Interface::Upstream, Interface::Legacy].into_iter().find(|it| takes(it.bit(minor)))
    }

    /// Its name in `volume list`.
    pub const fn name(self) -> &'static str {
        match self {
            Interface::Upstream => "upstream",
            Interface::Legacy => "legacy",
        }
    }
}

/// The descriptor of a FUSE connection to a kernel with the legacy interface.
#[derive(Debug)]
pub struct LegacyDevice(pub OwnedFd);

impl BackingDevice for LegacyDevice {
    /// `file` is not an `O_PATH` descriptor: the kernel goes on with what was opened here.
    fn open(&self, file: BorrowedFd<'_>) -> Result<u32, Errno> {
        let fd = u32::try_from(file.as_raw_fd()).map_err(|_| Errno::EBADF)?;
        // SAFETY: the descriptor is open for as long as `self`; the ioctl reads one u32.
        let id = unsafe { ioctl::passthrough_open(self.0.as_raw_fd(), &raw const fd) }?;
        u32::try_from(id).ok().filter(|id| *id > 0).ok_or(Errno::EINVAL)
    }

    /// The OPEN that was answered with it has used it up.
    fn close(&self, _id: u32) -> Result<(), Errno> {
        Ok(())
    }

    fn interface(&self) -> Interface {
        Interface::Legacy
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_ioctls_are_those_of_the_headers() {
        // include/uapi/linux/fuse.h, upstream and of android14-6.1.
        assert_eq!(nix::request_code_write!(229, 1, size_of::<BackingMap>()), 0x4010_e501);
        assert_eq!(nix::request_code_write!(229, 2, size_of::<u32>()), 0x4004_e502);
        assert_eq!(nix::request_code_write!(229, 126, size_of::<u32>()), 0x4004_e57e);
    }

    #[test]
    fn a_kernel_is_asked_for_what_it_offers() {
        let (upstream, early, late) = (1 << 37, 1 << 31, 1 << 63);
        for (offered, minor, interface) in [
            (upstream, 41, Some(Interface::Upstream)),
            (upstream | late, 41, Some(Interface::Upstream)),
            (late, 36, Some(Interface::Legacy)),
            (late, 39, Some(Interface::Legacy)),
            (early, 34, Some(Interface::Legacy)),
            // What the bit means to the other half of the kernels.
            (early, 36, None),
            (late, 34, None),
            (0, 45, None),
        ] {
            assert_eq!(
                Interface::offered(|bit| offered & bit != 0, minor),
                interface,
                "{offered:#x} 7.{minor}"
            );
        }
    }

    /// A kernel without the ioctl says so, and the open is served by the daemon.
    #[test]
    fn a_descriptor_that_does_not_know_the_ioctl_is_an_error() {
        let null = || OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        assert_eq!(LegacyDevice(null()).open(std::os::fd::AsFd::as_fd(&null())), Err(Errno::ENOTTY));
        assert_eq!(LegacyDevice(null()).close(1), Ok(()));
    }
}
