//! Errors of the lower file system.

use rustix::io::Errno;

/// Why something on the lower file system could not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LowerError {
    /// What a system call answered.
    #[error("{0}")]
    Os(Errno),
    /// A name that leads through a symbolic link, out of the volume or across a mount.
    #[error("the path leaves the volume")]
    Escapes,
    /// Something other than a regular file or a directory, or an inode number that no node id can carry.
    #[error("not a file or directory that can be served")]
    NotServed,
}

impl LowerError {
    /// True when there is nothing of that name.
    pub fn is_not_found(self) -> bool {
        matches!(
            self,
            LowerError::Os(Errno::NOENT | Errno::NOTDIR) | LowerError::Escapes | LowerError::NotServed
        )
    }
}

impl From<Errno> for LowerError {
    fn from(errno: Errno) -> Self {
        match errno {
            // openat2(2): ELOOP for a symbolic link with RESOLVE_NO_SYMLINKS, EXDEV for leaving or crossing.
            Errno::LOOP | Errno::XDEV => LowerError::Escapes,
            other => LowerError::Os(other),
        }
    }
}
