//! The answer: allowed or refused, and why.

use crate::reason::Reason;

/// The errnos that decisions use, as the app sees them (mediaprovider.md §2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Errno {
    /// Permission denied.
    Eacces,
    /// Operation not permitted.
    Eperm,
    /// No such file or directory.
    Enoent,
    /// File exists.
    Eexist,
    /// Bad address: a caller without a package.
    Efault,
    /// Cross-device link.
    Exdev,
    /// Invalid argument.
    Einval,
    /// Operation not supported.
    Eopnotsupp,
}

impl Errno {
    /// The C name, e.g. `EACCES`.
    pub const fn name(self) -> &'static str {
        match self {
            Errno::Eacces => "EACCES",
            Errno::Eperm => "EPERM",
            Errno::Enoent => "ENOENT",
            Errno::Eexist => "EEXIST",
            Errno::Efault => "EFAULT",
            Errno::Exdev => "EXDEV",
            Errno::Einval => "EINVAL",
            Errno::Eopnotsupp => "EOPNOTSUPP",
        }
    }
}

impl std::fmt::Display for Errno {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How much of a directory an allowed [`crate::Operation::OpenDir`] may list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ListScope {
    /// Every entry of the lower directory.
    Everything,
    /// All directories, and the files for which [`crate::Operation::ListEntry`] is allowed.
    #[default]
    Filtered,
}

/// What comes with an allowed operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Grant {
    /// The caller sees the redacted bytes if the file holds location data. Set on [`crate::Operation::OpenRead`],
    /// and on lookups, attributes and listings, where it says which view of the file this caller has.
    pub redact: bool,
    /// Scope of a listing.
    pub scope: ListScope,
    /// A directory rename that is allowed only if [`crate::Operation::MoveWithParent`] is, for every file below.
    pub check_children: bool,
    /// The created file belongs to [`crate::Principal::first_package`].
    pub take_ownership: bool,
}

/// Allowed or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Go ahead.
    Allow(Grant),
    /// Refuse with this errno.
    Deny(Errno),
}

/// A decision and its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    /// Allowed or refused.
    pub outcome: Outcome,
    /// Which rule said so.
    pub reason: Reason,
}

impl Decision {
    /// Allowed, with `grant`.
    pub const fn allow(reason: Reason, grant: Grant) -> Decision {
        Decision { outcome: Outcome::Allow(grant), reason }
    }

    /// Refused with `errno`.
    pub const fn deny(reason: Reason, errno: Errno) -> Decision {
        Decision { outcome: Outcome::Deny(errno), reason }
    }

    /// True when allowed.
    pub const fn is_allowed(&self) -> bool {
        matches!(self.outcome, Outcome::Allow(_))
    }

    /// The grant, or the errno to answer with.
    pub const fn grant(&self) -> Result<Grant, Errno> {
        match self.outcome {
            Outcome::Allow(grant) => Ok(grant),
            Outcome::Deny(errno) => Err(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Errno;

    #[test]
    fn errnos_print_their_names() {
        assert_eq!(format!("{} {}", Errno::Eacces, Errno::Enoent), "EACCES ENOENT");
    }
}
