//! Project ids: what a file system with project quotas counts space by.
#![allow(unsafe_code)] // Two ioctls that no crate wraps.

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rustix::io::Errno;
use rustix::ioctl::{Getter, Setter, ioctl, opcode};

use super::{LowerError, Root};

/// `FS_IOC_FSGETXATTR` and `FS_IOC_FSSETXATTR` (include/uapi/linux/fs.h).
const GET: rustix::ioctl::Opcode = opcode::read::<Attributes>(b'X', 31);
const SET: rustix::ioctl::Opcode = opcode::write::<Attributes>(b'X', 32);
/// `FS_XFLAG_PROJINHERIT`: what is made in the directory gets its project.
const INHERIT: u32 = 0x200;

/// `struct fsxattr`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Attributes {
    flags: u32,
    extent_size: u32,
    extents: u32,
    project: u32,
    cow_extent_size: u32,
    padding: [u8; 8],
}

/// Whether files get project ids: as long as they are wanted, and the file system takes them.
#[derive(Debug, Default)]
pub(super) struct Projects(AtomicBool);

impl Root {
    /// Has [`Root::set_project`] do something.
    #[must_use]
    pub fn with_projects(self, wanted: bool) -> Root {
        self.projects.0.store(wanted, Relaxed);
        self
    }

    /// Whether files get project ids.
    pub fn has_projects(&self) -> bool {
        self.projects.0.load(Relaxed)
    }

    /// Gives a file or a directory (one of our own descriptors, usually `O_PATH`) this project id; what is made in a directory
    /// later gets it too. Nothing is written where it is so already. A file system that has no project ids is not
    /// asked again.
    pub fn set_project(&self, file: BorrowedFd<'_>, id: u32, is_dir: bool) -> Result<(), LowerError> {
        if !self.has_projects() {
            return Ok(());
        }
        let file = Self::reopen_unnoticed(file)?;
        match set(&file, id, is_dir) {
            Err(errno @ (Errno::NOTTY | Errno::NOTSUP | Errno::INVAL | Errno::PERM)) => {
                self.projects.0.store(false, Relaxed);
                log::warn!(
                    "the lower file system takes no project ids ({errno}): quotas by media type are off; it wants the \
                     project feature (ext4, f2fs: mkfs -O project,quota) and the mount option prjquota"
                );
                Ok(())
            }
            other => Ok(other?),
        }
    }
}

fn set(file: &impl std::os::fd::AsFd, id: u32, is_dir: bool) -> rustix::io::Result<()> {
    // SAFETY: the kernel writes one `struct fsxattr`, of which `Attributes` has the layout (fs/ioctl.c, ioctl_fsgetxattr).
    let mut attributes = unsafe { ioctl(file, Getter::<GET, Attributes>::new()) }?;
    let flags = attributes.flags | if is_dir { INHERIT } else { 0 };
    if (attributes.project, attributes.flags) == (id, flags) {
        return Ok(());
    }
    (attributes.project, attributes.flags) = (id, flags);
    // SAFETY: the kernel reads one `struct fsxattr` (fs/ioctl.c, ioctl_fssetxattr).
    unsafe { ioctl(file, Setter::<SET, Attributes>::new(attributes)) }
}
