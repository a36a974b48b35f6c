//! What a command says when it does not work, and the exit code that goes with it.

use std::process::ExitCode;

use crate::binder::ClientError;
use crate::control::ControlError;

/// The operation failed.
pub(super) const FAILED: u8 = 1;
/// Wrong usage or configuration.
pub(super) const USAGE: u8 = 2;
/// The service cannot be reached.
const UNREACHABLE: u8 = 3;

/// A command that did not work.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The operation failed.
    #[error("{0}")]
    Failed(String),
    /// The arguments or the configuration are wrong.
    #[error("{0}")]
    Usage(String),
    /// The service said no, or nothing.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A command to run could not be; the code is what shells use (126 not executable, 127 not found).
    #[error("{message}")]
    Command {
        /// What went wrong.
        message: String,
        /// Exit code.
        code: u8,
    },
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Failure::Failed(_) => FAILED,
            Failure::Usage(_) => USAGE,
            Failure::Command { code, .. } => *code,
            Failure::Client(error) => match error {
                ClientError::Unreachable { .. } | ClientError::Lost { .. } => UNREACHABLE,
                ClientError::Address(_) | ClientError::Failed(ControlError::Invalid(_)) => USAGE,
                ClientError::Denied(_)
                | ClientError::Failed(
                    ControlError::NotFound(_)
                    | ControlError::AlreadyExists(_)
                    | ControlError::Failed(_)
                    | ControlError::Denied(_),
                ) => FAILED,
            },
        }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let address = || "unix:///s".parse().unwrap();
        let code = |error: ClientError| Failure::from(error).code();
        let text = String::new;
        assert_eq!(code(ClientError::Unreachable { address: address(), reason: text() }), 3);
        assert_eq!(code(ClientError::Lost { address: address(), reason: text() }), 3);
        assert_eq!(code(ClientError::Denied(text())), 1);
        assert_eq!(code(ControlError::NotFound(text()).into()), 1);
        assert_eq!(code(ControlError::AlreadyExists(text()).into()), 1);
        assert_eq!(code(ControlError::Failed(text()).into()), 1);
        assert_eq!(code(ControlError::Invalid(text()).into()), 2);
        assert_eq!(Failure::Usage(text()).code(), 2);
    }
}
