//! Where the interface is served: `unix:///path` or `binder://name`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A place to listen at or connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// The root object of RPC sessions on this Unix socket.
    Unix(PathBuf),
    /// The service of this name at the service manager of kernel binder.
    Kernel(String),
}

/// Why a text is no [`Address`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither scheme.
    #[error("{0:?} is no address; write unix:///absolute/path or binder://name")]
    Scheme(String),
    /// `unix://` without an absolute path.
    #[error("{0:?} needs an absolute path after unix://, as in unix:///run/mediagate/mediagate.sock")]
    Relative(String),
    /// Longer than a socket address holds (`sun_path`, see unix(7)).
    #[error("the path in {0:?} is too long for a socket; give one of at most {SUN_PATH_MAX} bytes")]
    TooLong(String),
    /// Not a name the service manager takes.
    #[error(
        "{0:?} needs a service name of letters, digits, '_', '-', '.' or '/' after binder://, at most 127"
    )]
    Name(String),
}

/// What the name of the administrators' socket has after that of the socket for all.
const PRIVATE: &str = ".admin";

/// Bytes of a path in `sockaddr_un`, its terminating NUL aside, when [`PRIVATE`] is to fit, too.
const SUN_PATH_MAX: usize = 107 - PRIVATE.len();

/// The administrators' socket that belongs to the socket for all at `path`.
pub(super) fn private_socket(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(PRIVATE);
    name.into()
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix://") {
            if !path.starts_with('/') || path.ends_with('/') || path.contains('\0') {
                return Err(AddressError::Relative(text.to_owned()));
            }
            if path.len() > SUN_PATH_MAX {
                return Err(AddressError::TooLong(text.to_owned()));
            }
            return Ok(Address::Unix(PathBuf::from(path)));
        }
        let Some(name) = text.strip_prefix("binder://") else {
            return Err(AddressError::Scheme(text.to_owned()));
        };
        // The rule of servicemanager's isValidServiceName (frameworks/native/cmds/servicemanager).
        let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
        if name.is_empty() || name.len() > 127 || !name.chars().all(valid) {
            return Err(AddressError::Name(text.to_owned()));
        }
        Ok(Address::Kernel(name.to_owned()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix(path) => write!(f, "unix://{}", path.display()),
            Address::Kernel(name) => write!(f, "binder://{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_schemes_and_writes_them_back() {
        for text in ["unix:///run/x.sock", "binder://mediagate"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_what_no_socket_or_service_can_be_called() {
        let long = format!("unix:///{}", "x".repeat(SUN_PATH_MAX));
        assert!(matches!("unix://x.sock".parse::<Address>(), Err(AddressError::Relative(_))));
        assert!(matches!("unix:///run/".parse::<Address>(), Err(AddressError::Relative(_))));
        assert!(matches!(long.parse::<Address>(), Err(AddressError::TooLong(_))));
        assert!(matches!("binder://".parse::<Address>(), Err(AddressError::Name(_))));
        assert!(matches!("binder://a b".parse::<Address>(), Err(AddressError::Name(_))));
        assert!(matches!("/run/x.sock".parse::<Address>(), Err(AddressError::Scheme(_))));
    }
}
