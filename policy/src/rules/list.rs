//! The entries of a listing (`getFilesInDirectoryForFuse`, §2.8, §2.9).

use super::case::{Case, Mode};
use crate::decision::{Decision, Errno, Grant};
use crate::principal::Traits;
use crate::reason::Reason;

pub(super) fn entry(case: &Case<'_>) -> Decision {
    if !case.is_file() {
        return Decision::allow(Reason::DirectoriesAreShared, Grant::default());
    }
    let refuse = |reason| Decision::deny(reason, Errno::Eacces);
    match case.bypass(Mode::Read) {
        // A gallery opens any image by its name, but lists what is indexed.
        None | Some(Reason::Gallery) => {}
        Some(reason) => return Decision::allow(reason, case.view()),
    }
    if case.is_legacy() {
        return refuse(Reason::LegacyWithoutPermission);
    }
    let Some(row) = case.what.row else { return refuse(Reason::NotIndexed) };
    if let Some(reason) = case.unpublished(&row)
        && !case.is_owner(&row)
        && !(case.has(Traits::GALLERY) && case.row_writable(&row).is_some())
    {
        return refuse(reason);
    }
    match case.row_readable(&row) {
        Some(reason) => Decision::allow(reason, case.view()),
        None => refuse(case.row_closed(&row)),
    }
}
