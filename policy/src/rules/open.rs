//! Opening a file that exists (`onFileOpenForFuse`).

use super::case::{Case, Mode};
use crate::decision::{Decision, Errno, Grant};
use crate::object::Row;
use crate::reason::Reason;

pub(super) fn read(case: &Case<'_>) -> Decision {
    if let Some(reason) = case.bypass(Mode::Read) {
        return Decision::allow(reason, Grant::default());
    }
    row(case)
        .and_then(|row| case.row_opens(&row))
        .map_or_else(refuse, |reason| Decision::allow(reason, case.view()))
}

pub(super) fn write(case: &Case<'_>) -> Decision {
    if let Some(reason) = case.bypass(Mode::Write) {
        return Decision::allow(reason, Grant::default());
    }
    row(case)
        .and_then(|row| case.row_opens_for_write(&row))
        .map_or_else(refuse, |reason| Decision::allow(reason, Grant::default()))
}

/// The row, if ownership, permissions and grants decide about the file at all.
fn row<'a>(case: &Case<'a>) -> Result<Row<'a>, Reason> {
    if case.is_legacy() {
        return Err(Reason::LegacyWithoutPermission);
    }
    case.what.row.ok_or(Reason::NotIndexed)
}

fn refuse(reason: Reason) -> Decision {
    Decision::deny(reason, Errno::Eacces)
}
