//! The entries of a listing (`getFilesInDirectoryForFuse`, §2.8, §2.9).

use super::case::{Case, Mode};
use crate::decision::{Decision, Errno, Grant};
use crate::reason::Reason;

pub(super) fn entry(case: &Case<'_>) -> Decision {
    if !case.is_file() {
        return Decision::allow(Reason::DirectoriesAreShared, Grant::default());
    }
    if let Some(reason) = bypass(case) {
        return Decision::allow(reason, case.view());
    }
    let refuse = |reason| Decision::deny(reason, Errno::Eacces);
    if case.is_legacy() {
        return refuse(Reason::LegacyWithoutPermission);
    }
    let Some(row) = case.what.row else { return refuse(Reason::NotIndexed) };
    case.row_opens(&row).map_or_else(refuse, |reason| Decision::allow(reason, case.view()))
}

/// A gallery opens any image by its name, but lists what is indexed.
pub(super) fn bypass(case: &Case<'_>) -> Option<Reason> {
    case.bypass(Mode::Read).filter(|reason| *reason != Reason::Gallery)
}
