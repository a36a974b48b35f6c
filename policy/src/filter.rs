//! The listing rule as a filter over all rows of an index, for whoever queries one.
//!
//! A [`Filter`] is made from what [`crate::decide`] itself goes through for [`crate::Operation::ListEntry`]: the same
//! gate, the same bypasses, the same list of ways in which a row lets a caller in. It is no second opinion, and a
//! property test holds the two equal on random worlds.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::hidden::is_never_indexed;
use crate::mime::MediaTypes;
use crate::name::{NameState, name_state};
use crate::object::{FileGrants, Object, Row};
use crate::path::{AndroidDir, Place};
use crate::principal::Principal;
use crate::rules;

mod sql;

pub use sql::{Columns, Value};

/// Which files of an index a caller sees: a tree of conditions on a file's row and path. Made by
/// [`listing_filter`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Every indexed file.
    Everything,
    /// No file.
    Nothing,
    /// The file belongs to one of these packages.
    OwnedBy(Vec<Arc<str>>),
    /// The file is of one of these media types.
    OfTypes(MediaTypes),
    /// The caller holds these grants on the file.
    Granted(FileGrants),
    /// The file is neither in the trash nor pending under a `.pending-` name.
    Published,
    /// The file is in or below `Android/media/<package>` of one of these packages.
    InMediaDirectoryOf(Vec<Arc<str>>),
    /// Every one of these holds.
    All(Vec<Filter>),
    /// One of these holds.
    Any(Vec<Filter>),
}

impl Filter {
    /// Whether the filter lets a file through. `path` is below the volume root, as in [`Object::path`].
    ///
    /// Never for a path that is never indexed ([`is_never_indexed`]), as there is no row for it.
    pub fn matches(&self, row: &Row<'_>, path: &[u8]) -> bool {
        !is_never_indexed(path) && self.holds(row, path)
    }

    fn holds(&self, row: &Row<'_>, path: &[u8]) -> bool {
        match self {
            Filter::Everything => true,
            Filter::Nothing => false,
            Filter::OwnedBy(packages) => row.owner.is_some_and(|it| packages.iter().any(|own| **own == *it)),
            Filter::OfTypes(types) => types.has(row.media_type),
            Filter::Granted(grants) => row.grants.has(*grants),
            Filter::Published => !row.trashed && name_state(path) == NameState::Plain,
            Filter::InMediaDirectoryOf(packages) => match Place::of(path) {
                Place::AndroidPackage { dir: AndroidDir::Media, package, .. } => {
                    packages.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(package))
                }
                _ => false,
            },
            Filter::All(filters) => filters.iter().all(|it| it.holds(row, path)),
            Filter::Any(filters) => filters.iter().any(|it| it.holds(row, path)),
        }
    }

    /// The media types of which a file may be let through for what it is, whosoever it is.
    ///
    /// A file of another type is let through only if it is owned by one of [`Filter::packages`] or in its directory in
    /// `Android/media`, or if something is granted on it: those can be looked for one by one, where most files are not for who asks.
    pub fn types_of_anyone(&self) -> MediaTypes {
        match self {
            Filter::Everything | Filter::Published => MediaTypes::ALL,
            Filter::OfTypes(types) => *types,
            Filter::Nothing | Filter::OwnedBy(_) | Filter::Granted(_) | Filter::InMediaDirectoryOf(_) => {
                MediaTypes::NONE
            }
            Filter::All(all) => all.iter().fold(MediaTypes::ALL, |types, it| types.and(it.types_of_anyone())),
            Filter::Any(all) => {
                all.iter().fold(MediaTypes::NONE, |types, it| types.with(it.types_of_anyone()))
            }
        }
    }

    /// The packages whose files, or whose directories, it names.
    pub fn packages(&self) -> BTreeSet<&Arc<str>> {
        match self {
            Filter::OwnedBy(packages) | Filter::InMediaDirectoryOf(packages) => packages.iter().collect(),
            Filter::All(all) | Filter::Any(all) => all.iter().flat_map(Filter::packages).collect(),
            Filter::Everything
            | Filter::Nothing
            | Filter::OfTypes(_)
            | Filter::Granted(_)
            | Filter::Published => BTreeSet::new(),
        }
    }

    /// Both, without what adds nothing.
    pub(crate) fn and(self, other: Filter) -> Filter {
        match (self, other) {
            (Filter::Nothing, _) | (_, Filter::Nothing) => Filter::Nothing,
            (Filter::Everything, one) | (one, Filter::Everything) => one,
            (one, other) => Filter::All(vec![one, other]),
        }
    }

    /// Either, without what adds nothing.
    pub(crate) fn or(self, other: Filter) -> Filter {
        match (self, other) {
            (Filter::Everything, _) | (_, Filter::Everything) => Filter::Everything,
            (Filter::Nothing, one) | (one, Filter::Nothing) => one,
            (Filter::Any(mut all), one) => {
                all.push(one);
                Filter::Any(all)
            }
            (one, other) => Filter::Any(vec![one, other]),
        }
    }

    pub(crate) fn of_types(types: MediaTypes) -> Filter {
        match types {
            MediaTypes::NONE => Filter::Nothing,
            MediaTypes::ALL => Filter::Everything,
            types => Filter::OfTypes(types),
        }
    }
}

/// The filter for all indexed files in and below `directory`, which may be a volume root: what it lets through is
/// what [`crate::Operation::ListEntry`] is allowed for.
///
/// It holds as long as the principal does: make a new one when a permission changes. What is granted on a file is
/// asked of the row, so grants may come and go meanwhile.
pub fn listing_filter(who: &Principal, directory: &Object<'_>) -> Filter {
    rules::listing_filter(who, directory)
}

#[cfg(test)]
mod tests;
