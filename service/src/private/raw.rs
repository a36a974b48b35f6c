//! Two calls that no crate wraps: `mount_setattr(2)`, and asking a namespace of which type it is.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd as _, BorrowedFd};

use rustix::io::Errno;
use rustix::mount::MountAttrFlags;

/// Who hears of what is mounted and unmounted below a mount (mount_namespaces(7)).
#[derive(Clone, Copy, Debug)]
pub(super) enum Propagation {
    /// It hears of others, others do not hear of it.
    Slave,
    /// Nobody of anybody.
    Private,
}

/// Sets attributes of a mount (an `O_PATH` descriptor of its root will do), and with `all` of those below it.
pub(super) fn set_attributes(
    mount: BorrowedFd<'_>,
    set: MountAttrFlags,
    propagation: Propagation,
    all: bool,
) -> Result<(), Errno> {
    let times = MountAttrFlags::MOUNT_ATTR__ATIME;
    let clear = if set.intersects(times) { times } else { MountAttrFlags::empty() };
    let attributes = libc::mount_attr {
        attr_set: set.bits().into(),
        attr_clr: clear.bits().into(),
        propagation: match propagation {
            Propagation::Slave => libc::MS_SLAVE,
            Propagation::Private => libc::MS_PRIVATE,
        },
        userns_fd: 0,
    };
    let flags = libc::AT_EMPTY_PATH | if all { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the kernel reads an empty string and one `struct mount_attr` of the size that it is told (fs/namespace.c,
    // mount_setattr).
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if done < 0 { Err(last()) } else { Ok(()) }
}

/// The type of a namespace, as a flag of clone(2). `file` must be of the kernel's file system of namespaces: what an ioctl
/// means is another file's own business.
pub(super) fn namespace_type(file: BorrowedFd<'_>) -> Result<i32, Errno> {
    // SAFETY: it takes no argument (fs/nsfs.c, ns_ioctl).
    let kind = unsafe { libc::ioctl(file.as_raw_fd(), libc::NS_GET_NSTYPE) };
    if kind < 0 { Err(last()) } else { Ok(kind) }
}

fn last() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}
