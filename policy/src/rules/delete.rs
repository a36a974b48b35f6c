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
    match case.what.row.and_then(|row| case.row_writable(&row)) {
        Some(reason) => Decision::allow(reason, Grant::default()),
        // The original finds no row that the caller may delete, and says so.
        None => Decision::deny(Reason::NotYoursToDelete, Errno::Enoent),
    }
}
