//! Mount namespaces: which one a descriptor is of, and going there.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::LazyLock;

use nix::sched::{CloneFlags, setns, unshare};
use rustix::fs::{Mode, OFlags, fstat, fstatfs, open, stat};
use rustix::io::Errno;

use super::raw::namespace_type;
use super::{PrivateError, os};

/// `NSFS_MAGIC` (include/uapi/linux/magic.h).
const NSFS: u64 = 0x6e73_6673;

/// What tells a namespace from others that are there.
type Identity = (u64, u64);

/// The namespace of the machine's first process. To look there takes CAP_SYS_PTRACE or capabilities as large as that
/// process's (kernel/ptrace.c, ptrace_may_access), so [`look_at_init`] does it while the service still has some.
static INIT: LazyLock<Option<Identity>> = LazyLock::new(|| {
    let found = stat("/proc/1/ns/mnt").ok()?;
    Some((found.st_dev, found.st_ino))
});

/// Looks which mount namespace is everybody's. To be called before privileges are given up.
pub fn look_at_init() {
    LazyLock::force(&INIT);
}

fn identity(file: BorrowedFd<'_>) -> Result<Identity, Errno> {
    fstat(file).map(|found| (found.st_dev, found.st_ino))
}

/// The mount namespace of the calling thread.
pub(super) fn own() -> Result<OwnedFd, Errno> {
    open("/proc/thread-self/ns/mnt", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

/// That the descriptor is of a mount namespace, in which only those processes are that were put there.
pub(super) fn check(file: BorrowedFd<'_>) -> Result<(), PrivateError> {
    let system = fstatfs(file).map_err(os("look at the descriptor"))?;
    let is_namespace = u64::try_from(system.f_type) == Ok(NSFS);
    if !is_namespace || namespace_type(file) != Ok(libc::CLONE_NEWNS) {
        return Err(PrivateError::NoNamespace);
    }
    let given = identity(file).map_err(os("look at the namespace"))?;
    let own =
        own().and_then(|own| identity(own.as_fd())).map_err(os("look at the service's own namespace"))?;
    if given == own || Some(given) == *INIT { Err(PrivateError::Everybodys) } else { Ok(()) }
}

/// Makes the calling thread one that can go to another mount namespace: its root and working directory become its own.
pub(super) fn let_go_of_others() -> Result<(), PrivateError> {
    unshare(CloneFlags::CLONE_FS).map_err(|errno| os("unshare")(Errno::from_raw_os_error(errno as i32)))
}

/// Moves the calling thread, and it alone.
pub(super) fn enter(namespace: BorrowedFd<'_>) -> Result<(), PrivateError> {
    setns(namespace, CloneFlags::CLONE_NEWNS)
        .map_err(|errno| os("enter the mount namespace")(Errno::from_raw_os_error(errno as i32)))
}
