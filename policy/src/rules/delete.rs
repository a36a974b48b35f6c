//! Removing a file (`deleteFileForFuse`).

use super::case::{Case, Mode};
use crate::decision::{Decision, Errno, Grant};
use crate::reason::Reason;

pub(super) fn unlink(case: &Case<'_>) -> Decision {
    if case.has_raw_access() {
        return Decision::allow(Reason::RawAccess, Grant::default());
    }
    if let Some(reason) = case.bypass(Mode::Write) {
        return Decision::allow(reason, Grant::default());
    }
    if case.is_legacy() {
        return Decision::deny(Reason::LegacyWithoutPermission, Errno::Eperm);
    }
    // The original finds no row that the caller may delete, and says so.
    let refuse = |reason| Decision::deny(reason, Errno::Enoent);
    let Some(row) = case.what.row else { return refuse(Reason::NotIndexed) };
    case.row_writable(&row)
        .map_or_else(|| refuse(Reason::NotYoursToDelete), |reason| Decision::allow(reason, Grant::default()))
}
