//! Looking, `access(2)` and changing attributes.

use super::case::{Case, Mode};
use super::{directory, open};
use crate::decision::{Decision, Errno, Outcome};
use crate::operation::AccessMask;
use crate::reason::Reason;

/// Names and attributes are visible to everyone; what is hidden never gets past the gate.
pub(super) fn visible(case: &Case<'_>) -> Decision {
    Decision::allow(Reason::NamesAreVisible, case.view())
}

/// `X_OK` on a file is refused before this; on a directory it asks for what reading does.
pub(super) fn access(case: &Case<'_>, mask: AccessMask) -> Decision {
    let asks = mask.read || mask.write || mask.execute;
    match (asks, case.is_file(), mask.write) {
        (false, _, _) => visible(case),
        (true, true, true) => as_eacces(open::write(case)),
        (true, true, false) => as_eacces(open::read(case)),
        (true, false, true) => directory::write(case),
        (true, false, false) => directory::read(case),
    }
}

/// Decided as opening for write. A directory has no row that could be the caller's own.
pub(super) fn set_attr(case: &Case<'_>) -> Decision {
    if case.is_file() {
        return as_eacces(open::write(case));
    }
    match case.bypass(Mode::Write) {
        Some(reason) => Decision::allow(reason, Default::default()),
        None if case.is_legacy() => Decision::deny(Reason::LegacyWithoutPermission, Errno::Eacces),
        None => Decision::deny(Reason::DirectoryAttributes, Errno::Eacces),
    }
}

/// What no rule speaks about.
pub(super) fn no_rule() -> Decision {
    Decision::deny(Reason::NoRule, Errno::Eacces)
}

fn as_eacces(decision: Decision) -> Decision {
    match decision.outcome {
        Outcome::Allow(grant) => Decision::allow(decision.reason, crate::Grant { redact: false, ..grant }),
        Outcome::Deny(_) => Decision::deny(decision.reason, Errno::Eacces),
    }
}
