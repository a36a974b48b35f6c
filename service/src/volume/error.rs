//! Why an operation failed.

use mediagate_policy::Errno;

use crate::lower::LowerError;
use crate::passthrough::Exhausted;

/// Why an operation failed; [`crate::errno`] says what the app sees of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpError {
    /// The policy refused.
    #[error("refused: {0:?}")]
    Denied(Errno),
    /// The lower file system refused.
    #[error("lower file system: {0}")]
    Lower(LowerError),
    /// What the kernel knows is not what is there any more.
    #[error("stale")]
    Stale,
    /// There is nothing of that name.
    #[error("no such file or directory")]
    NoEntry,
    /// A handle that is not open, or not open for this.
    #[error("bad handle")]
    BadHandle,
    /// Arguments that make no sense.
    #[error("invalid argument")]
    Invalid,
    /// A file was needed.
    #[error("is a directory")]
    IsDirectory,
    /// A directory was needed.
    #[error("is not a directory")]
    NotDirectory,
    /// Not on this kind of handle or file.
    #[error("not supported")]
    NotSupported,
    /// Never, for nobody.
    #[error("not permitted")]
    NotPermitted,
    /// Somebody else is at it, for longer than can be waited.
    #[error("busy")]
    Busy,
    /// The caller has as much open as one uid may.
    #[error("the caller has too much open")]
    TooManyOfCaller,
    /// All callers together have as much open as there may be.
    #[error("too much is open")]
    TooManyInAll,
    /// The catalog did not answer.
    #[error("the catalog failed")]
    Index,
}

impl From<Exhausted> for OpError {
    fn from(exhausted: Exhausted) -> Self {
        match exhausted {
            Exhausted::Uid => OpError::TooManyOfCaller,
            Exhausted::Total => OpError::TooManyInAll,
        }
    }
}

impl From<LowerError> for OpError {
    fn from(error: LowerError) -> Self {
        OpError::Lower(error)
    }
}

impl From<Errno> for OpError {
    fn from(refused: Errno) -> Self {
        OpError::Denied(refused)
    }
}

impl From<rustix::io::Errno> for OpError {
    fn from(errno: rustix::io::Errno) -> Self {
        OpError::Lower(LowerError::Os(errno))
    }
}
