//! Rules that hold for every caller, and root, for whom only they do.

use super::Rule;
use super::case::Case;
use crate::decision::{Decision, Errno, Grant, ListScope};
use crate::object::Kind;
use crate::operation::Operation;
use crate::path::Place;
use crate::principal::PrincipalKind;
use crate::reason::Reason;

/// In the order in which they are asked.
pub(super) const RULES: &[Rule] = &[no_storage, unsupported, immovable, root];

/// Android mounts nothing for an instant app (§2.11, `MOUNT_EXTERNAL_NONE`), so there is nothing.
fn no_storage(case: &Case<'_>, _: Operation<'_>) -> Option<Decision> {
    (case.who.kind == PrincipalKind::Instant).then_some(Decision::deny(Reason::InstantApp, Errno::Enoent))
}

/// What shared storage does not offer at all (§1.6).
fn unsupported(_: &Case<'_>, op: Operation<'_>) -> Option<Decision> {
    match op {
        Operation::Symlink => Some(Decision::deny(Reason::NoSymlinks, Errno::Eperm)),
        Operation::Link => Some(Decision::deny(Reason::NoHardLinks, Errno::Eperm)),
        Operation::Xattr => Some(Decision::deny(Reason::NoXattrs, Errno::Eopnotsupp)),
        _ => None,
    }
}

fn immovable(case: &Case<'_>, op: Operation<'_>) -> Option<Decision> {
    let to = match op {
        Operation::Rename { to, .. } | Operation::MoveWithParent { to } => to,
        _ => return None,
    };
    if (to.volume, to.user) != (case.what.volume, case.what.user) {
        return Some(Decision::deny(Reason::AcrossTrees, Errno::Exdev));
    }
    (case.place == Place::Android).then_some(Decision::deny(Reason::AndroidStays, Errno::Eacces))
}

/// The mount is `noexec`. Asked once it is clear that the caller finds the file.
pub(super) fn nothing_executes(case: &Case<'_>, op: Operation<'_>) -> Option<Decision> {
    matches!(op, Operation::Access(mask) if mask.execute && case.what.kind == Kind::File)
        .then_some(Decision::deny(Reason::NothingExecutes, Errno::Eacces))
}

fn root(case: &Case<'_>, op: Operation<'_>) -> Option<Decision> {
    if case.who.kind != PrincipalKind::Root {
        return None;
    }
    let scope = if op == Operation::OpenDir { ListScope::Everything } else { ListScope::default() };
    let allowed = Decision::allow(Reason::Root, Grant { scope, ..Grant::default() });
    Some(nothing_executes(case, op).unwrap_or(allowed))
}
