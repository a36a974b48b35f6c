//! The one table from what went wrong to the errno that the app sees.

use mediagate_policy::Errno as PolicyErrno;

use crate::lower::LowerError;
use crate::ops::OpError;

/// The errno of a failed operation.
pub fn errno(error: &OpError) -> i32 {
    match error {
        OpError::Denied(refused) => policy_errno(*refused),
        OpError::Lower(lower) => lower_errno(*lower),
        // The kernel looks the name up again and retries (fs/namei.c, LOOKUP_REVAL).
        OpError::Stale => libc::ESTALE,
        OpError::NoEntry => libc::ENOENT,
        OpError::BadHandle => libc::EBADF,
        OpError::Invalid => libc::EINVAL,
        OpError::IsDirectory => libc::EISDIR,
        OpError::NotDirectory => libc::ENOTDIR,
        OpError::NotSupported => libc::EOPNOTSUPP,
        OpError::NotPermitted => libc::EPERM,
        OpError::Busy => libc::EBUSY,
        OpError::TooManyOfCaller => libc::EMFILE,
        OpError::TooManyInAll => libc::ENFILE,
        OpError::Index => libc::EIO,
    }
}

/// The errno of a refusal.
pub fn policy_errno(refused: PolicyErrno) -> i32 {
    match refused {
        PolicyErrno::Eacces => libc::EACCES,
        PolicyErrno::Eperm => libc::EPERM,
        PolicyErrno::Enoent => libc::ENOENT,
        PolicyErrno::Eexist => libc::EEXIST,
        PolicyErrno::Efault => libc::EFAULT,
        PolicyErrno::Exdev => libc::EXDEV,
        PolicyErrno::Einval => libc::EINVAL,
        PolicyErrno::Eopnotsupp => libc::EOPNOTSUPP,
    }
}

/// The errno of a lower file system's error: its own, except that what leads out of the volume or is not served at
/// all does not exist as far as an app is concerned.
fn lower_errno(lower: LowerError) -> i32 {
    match lower {
        LowerError::Os(errno) => errno.raw_os_error(),
        LowerError::Escapes | LowerError::NotServed => libc::ENOENT,
    }
}
