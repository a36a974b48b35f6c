//! Creating a file (`insertFileIfNecessaryForFuse`).

use super::case::{Case, Mode};
use crate::decision::{Decision, Errno};
use crate::path::Place;
use crate::reason::Reason;

pub(super) fn create(case: &Case<'_>) -> Decision {
    let refuse = |reason| Decision::deny(reason, Errno::Eperm);
    if !case.has_portable_names() {
        return refuse(Reason::NameNotPortable);
    }
    if case.has_raw_access() {
        return Decision::allow(Reason::RawAccess, case.ownership());
    }
    if let Some(reason) = case.bypass(Mode::Write) {
        return Decision::allow(reason, case.ownership());
    }
    if case.is_legacy() {
        return refuse(Reason::LegacyWithoutPermission);
    }
    if case.what.row.is_some() {
        return Decision::deny(Reason::RowExists, Errno::Eexist);
    }
    match case.place {
        Place::Below { default: Some(directory) } if directory.accepts(case.mime()) => {
            Decision::allow(Reason::TypeFits, case.ownership())
        }
        Place::Below { default: Some(_) } => refuse(Reason::TypeUnfit),
        _ => refuse(Reason::NoFilesHere),
    }
}
