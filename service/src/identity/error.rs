//! What can go wrong with packages, for whoever asked for the change.

use std::path::PathBuf;

use crate::control::ControlError;

/// The failure of whoever was to write a change down.
pub type PersistError = Box<dyn std::error::Error + Send + Sync>;

/// Why packages could not be loaded or changed. After any of them everything is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A package source's file could not be read.
    #[error("{}: cannot be read: {cause}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A package source's file is larger than any real one.
    #[error("{}: larger than {limit} bytes, which no list of packages is; see what wrote it", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// The bound.
        limit: u64,
    },
    /// A package source's file lists no package.
    #[error("{}: lists no package, which no device's list does; what was known stays. See what wrote it", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// Changes of a package source cannot be watched for.
    #[error("{}: cannot be watched for changes: {cause}", directory.display())]
    Watch {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// No package of this name is installed.
    #[error("package {0:?} is not installed; `package list` shows those that are")]
    NoSuchPackage(String),
    /// The package is installed, but not for this user.
    #[error("package {0:?} is not installed for user {1}; `package list` shows its uids")]
    NotForUser(String, u32),
    /// The uid is somebody else's.
    #[error("{0}")]
    Taken(String),
    /// An argument makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The change could not be written down, so it was not made.
    #[error("the change of package {package:?} was not made, as it could not be stored: {cause}")]
    Persist {
        /// The package.
        package: String,
        /// Why.
        cause: PersistError,
    },
}

impl From<IdentityError> for ControlError {
    fn from(error: IdentityError) -> Self {
        let text = error.to_string();
        match error {
            IdentityError::NoSuchPackage(_) | IdentityError::NotForUser(..) => ControlError::NotFound(text),
            IdentityError::Taken(_) => ControlError::AlreadyExists(text),
            IdentityError::Invalid(_) => ControlError::Invalid(text),
            IdentityError::Read { .. }
            | IdentityError::TooLarge { .. }
            | IdentityError::Empty { .. }
            | IdentityError::Watch { .. }
            | IdentityError::Persist { .. } => ControlError::Failed(text),
        }
    }
}
