//! Opening a file that exists (`onFileOpenForFuse`).

use super::case::{Case, Mode};
use crate::decision::{Decision, Errno, Grant};
use crate::object::Row;
use crate::reason::Reason;

pub(super) fn read(case: &Case<'_>) -> Decision {
    if let Some(reason) = case.bypass(Mode::Read) {
        return Decision::allow(reason, Grant::default());
    }
    match checked_row(case) {
        Err(refusal) => refusal,
        Ok(row) => match case.row_readable(&row) {
            Some(reason) => Decision::allow(reason, case.view()),
            None => refuse(case.row_closed(&row)),
        },
    }
}

pub(super) fn write(case: &Case<'_>) -> Decision {
    if let Some(reason) = case.bypass(Mode::Write) {
        return Decision::allow(reason, Grant::default());
    }
    match checked_row(case) {
        Err(refusal) => refusal,
        Ok(row) => match case.row_writable(&row) {
            Some(reason) => Decision::allow(reason, Grant::default()),
            None if case.row_readable(&row).is_some() => refuse(Reason::OthersFileReadOnly),
            None => refuse(case.row_closed(&row)),
        },
    }
}

/// The row, if it is one that ownership and permissions decide about.
fn checked_row<'a>(case: &Case<'a>) -> Result<Row<'a>, Decision> {
    if case.is_legacy() {
        return Err(refuse(Reason::LegacyWithoutPermission));
    }
    let Some(row) = case.what.row else { return Err(refuse(Reason::NotIndexed)) };
    match case.unpublished(&row) {
        Some(reason) if !case.is_owner(&row) => Err(refuse(reason)),
        _ => Ok(row),
    }
}

fn refuse(reason: Reason) -> Decision {
    Decision::deny(reason, Errno::Eacces)
}
