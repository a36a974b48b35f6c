//! [`crate::Operation::ListEntry`] for all files of a tree at once: the rules of `list::entry`, in their order, with
//! the row and the path left open.

use super::case::Case;
use super::rights::{self, Rows, Way};
use super::{before_the_family, list};
use crate::filter::Filter;
use crate::mime::MediaTypes;
use crate::object::{FileGrants, Kind, Object};
use crate::operation::Operation;
use crate::path::{AndroidDir, Place};
use crate::principal::Principal;

pub(crate) fn listing_filter(who: &Principal, directory: &Object<'_>) -> Filter {
    // The rules before the row's look at whose tree it is and at trees that are never indexed, in which respect the
    // files below are what the directory is. Asked as of a file: directories show where files do not.
    let below = Object { kind: Kind::File, ..*directory };
    let case = Case::new(who, &below);
    match before_the_family(&case, Operation::ListEntry).map(|decision| decision.is_allowed()) {
        Some(true) => return Filter::Everything,
        Some(false) => return Filter::Nothing,
        None => {}
    }
    if list::bypass(&case).is_some() {
        return Filter::Everything;
    }
    let by_row = if case.is_legacy() { Filter::Nothing } else { rows(who) };
    by_row.or(own_directories(&case))
}

/// The rows that some way leads to.
fn rows(who: &Principal) -> Filter {
    let ways = rights::to_write(who).into_iter().chain(rights::only_to_read(who));
    // A condition that every row of another one meets adds nothing.
    ways.fold(Filter::Nothing, |all, way| all.or(by_way(who, &way)))
}

fn by_way(who: &Principal, way: &Way) -> Filter {
    let rows = match way.rows {
        Rows::Own => Filter::OwnedBy(who.packages.clone()),
        Rows::OfTypes(types) => Filter::of_types(types),
        Rows::Granted(FileGrants::NONE, types) => Filter::of_types(types),
        Rows::Granted(grants, types) => Filter::of_types(types).and(Filter::Granted(grants)),
    };
    match way.unpublished {
        MediaTypes::ALL => rows,
        types => rows.and(Filter::of_types(types).or(Filter::Published)),
    }
}

/// The caller's own directories below `Android/media`, where the tree has them. The directory itself is none of
/// them, or the caller's classes would have covered all of it.
fn own_directories(case: &Case<'_>) -> Filter {
    match case.place {
        Place::Root | Place::Android | Place::AndroidTop(AndroidDir::Media) => {
            Filter::InMediaDirectoryOf(case.who.packages.clone())
        }
        _ => Filter::Nothing,
    }
}
