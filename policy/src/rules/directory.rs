//! Making, removing, listing and testing directories (`isDirAccessAllowedForFuse`).

use super::case::{Case, Mode};
use crate::decision::{Decision, Errno, Grant, ListScope};
use crate::path::Place;
use crate::reason::Reason;

pub(super) fn make(case: &Case<'_>) -> Decision {
    change(case, Change::CreateOrWrite)
}

/// `access(W_OK)`.
pub(super) fn write(case: &Case<'_>) -> Decision {
    change(case, Change::CreateOrWrite)
}

pub(super) fn remove(case: &Case<'_>) -> Decision {
    change(case, Change::Delete)
}

/// Whoever bypasses the checks on the directory sees all of it, others the entries they may see.
pub(super) fn open(case: &Case<'_>) -> Decision {
    if let Some(reason) = case.bypass(Mode::Read) {
        let scope = ListScope::Everything;
        return Decision::allow(reason, Grant { scope, ..Grant::default() });
    }
    closed(case).unwrap_or(Decision::allow(Reason::DirectoriesAreShared, Grant::default()))
}

/// `access(R_OK)` or `access(X_OK)`.
pub(super) fn read(case: &Case<'_>) -> Decision {
    match case.bypass(Mode::Read) {
        Some(reason) => Decision::allow(reason, Grant::default()),
        None => open(case),
    }
}

#[derive(PartialEq, Eq)]
enum Change {
    CreateOrWrite,
    Delete,
}

fn change(case: &Case<'_>, change: Change) -> Decision {
    if let Some(reason) = case.bypass(Mode::Write) {
        return Decision::allow(reason, Grant::default());
    }
    if let Some(refusal) = closed(case) {
        return refusal;
    }
    match case.place {
        Place::Top { default: Some(_) } if change == Change::CreateOrWrite => {
            Decision::allow(Reason::DefaultDirectory, Grant::default())
        }
        Place::Root | Place::Top { .. } | Place::Android => {
            Decision::deny(Reason::TopLevelDirectory, Errno::Eacces)
        }
        Place::Below { .. } | Place::AndroidTop(_) | Place::AndroidPackage { .. } | Place::AndroidOther => {
            Decision::allow(Reason::DirectoriesAreShared, Grant::default())
        }
    }
}

/// Closed to whoever has no bypass.
fn closed(case: &Case<'_>) -> Option<Decision> {
    let reason = match case.place {
        Place::AndroidTop(dir) if dir.is_private() => Reason::PackageTreesClosed,
        _ if case.is_legacy() => Reason::LegacyWithoutPermission,
        _ => return None,
    };
    Some(Decision::deny(reason, Errno::Eacces))
}
