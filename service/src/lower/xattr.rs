//! The owner, kept on the lower file itself.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Arc;

use rustix::fs::{XattrFlags, fsetxattr, getxattr, removexattr, setxattr};
use rustix::io::Errno;

use super::LowerError;

/// Says which package owns the file; written before CREATE is answered.
const OWNER: &str = "user.mediagate.owner";
/// Longest package name that is stored (Android's limit is 223 bytes).
const LONGEST: usize = 255;

/// The magic link of one of our own descriptors: works for `O_PATH` ones, which the `f*xattr` calls refuse.
pub(super) fn link(file: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// The package that owns the file, if the file says so.
pub fn owner(file: BorrowedFd<'_>) -> Result<Option<Arc<str>>, LowerError> {
    let mut value = [0; LONGEST];
    match getxattr(link(file), OWNER, &mut value) {
        // An empty or garbled value can only come from outside; it names nobody.
        Ok(length) => Ok(value
            .get(..length)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .filter(|name| !name.is_empty())
            .map(Arc::from)),
        Err(Errno::NODATA | Errno::NOTSUP | Errno::RANGE) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// Records the owner.
pub fn set_owner(file: BorrowedFd<'_>, package: &str) -> Result<(), LowerError> {
    let none = XattrFlags::empty();
    match fsetxattr(file, OWNER, package.as_bytes(), none) {
        // One that was opened for its path only. A file that was just made is not: it is spared the way through /proc.
        Err(Errno::BADF) => Ok(setxattr(link(file), OWNER, package.as_bytes(), none)?),
        other => Ok(other?),
    }
}

/// Takes the owner away: the file belongs to nobody.
pub fn clear_owner(file: BorrowedFd<'_>) -> Result<(), LowerError> {
    match removexattr(link(file), OWNER) {
        Ok(()) | Err(Errno::NODATA | Errno::NOTSUP) => Ok(()),
        Err(other) => Err(other.into()),
    }
}

/// Remembers on a directory that the default directories were made in it; says whether this call was the first.
pub(super) fn mark_prepared(dir: BorrowedFd<'_>) -> Result<bool, LowerError> {
    match setxattr(link(dir), "user.mediagate.prepared", b"1", XattrFlags::CREATE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// Whether the file system of `dir` keeps user attributes at all.
pub(super) fn supported(dir: BorrowedFd<'_>) -> bool {
    let mut value = [0; 1];
    !matches!(getxattr(link(dir), OWNER, &mut value), Err(Errno::NOTSUP | Errno::NOSYS))
}
