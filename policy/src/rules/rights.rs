//! The rights that a caller has in rows: the ways in which a row lets it in (mediaprovider.md §2.8).
//!
//! A way is data, so that one list serves both who decides about one file and who turns the rules into a filter
//! over all rows ([`crate::listing_filter`]).

use crate::mime::MediaTypes;
use crate::object::{FileGrants, Row};
use crate::principal::{Principal, Traits};
use crate::reason::Reason;

/// One way in which rows let a caller in.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    /// The rule that it is.
    pub(crate) reason: Reason,
    /// The rows that it speaks of.
    pub(crate) rows: Rows,
    /// The types of those rows that it opens even while they are pending or in the trash (§2.9).
    pub(crate) unpublished: MediaTypes,
}

/// Some rows.
#[derive(Clone, Copy)]
pub(crate) enum Rows {
    /// Those that belong to one of the caller's packages.
    Own,
    /// Those of these types.
    OfTypes(MediaTypes),
    /// Those of these types on which the caller holds these grants.
    Granted(FileGrants, MediaTypes),
}

impl Way {
    pub(crate) fn leads_to(&self, who: &Principal, row: &Row<'_>) -> bool {
        match self.rows {
            Rows::Own => row.owner.is_some_and(|owner| who.is_owner(owner)),
            Rows::OfTypes(types) => types.has(row.media_type),
            Rows::Granted(grants, types) => row.grants.has(grants) && types.has(row.media_type),
        }
    }
}

/// The ways to write a row: to open it for writing, remove it, rename it.
pub(crate) fn to_write(who: &Principal) -> [Way; 3] {
    let gallery = if who.traits.has(Traits::GALLERY) { MediaTypes::VISUAL } else { MediaTypes::NONE };
    [
        Way { reason: Reason::OwnFile, rows: Rows::Own, unpublished: MediaTypes::ALL },
        Way {
            reason: Reason::MediaWriteOp,
            rows: Rows::OfTypes(writable_types(who.traits)),
            unpublished: gallery,
        },
        granted(Reason::WriteGrant, FileGrants::WRITE, MediaTypes::ALL),
    ]
}

/// The ways to read a row besides those to write it.
pub(crate) fn only_to_read(who: &Principal) -> [Way; 3] {
    let selected = if who.traits.has(Traits::USER_SELECTED) { MediaTypes::VISUAL } else { MediaTypes::NONE };
    [
        Way {
            reason: Reason::MediaPermission,
            rows: Rows::OfTypes(readable_types(who.traits)),
            unpublished: MediaTypes::NONE,
        },
        granted(Reason::ReadGrant, FileGrants::READ, MediaTypes::ALL),
        granted(Reason::SelectedByUser, FileGrants::SELECTED, selected),
    ]
}

const fn granted(reason: Reason, grants: FileGrants, types: MediaTypes) -> Way {
    Way { reason, rows: Rows::Granted(grants, types), unpublished: MediaTypes::NONE }
}

/// The types of which the caller reads everybody's files. Subtitles come with audio and with video.
fn readable_types(traits: Traits) -> MediaTypes {
    union(&[
        (traits.has(Traits::READ_AUDIO), MediaTypes::AUDIBLE),
        (traits.has(Traits::READ_VIDEO), MediaTypes::VIDEO.with(MediaTypes::SUBTITLE)),
        (traits.has(Traits::READ_IMAGES), MediaTypes::IMAGE),
    ])
}

/// The types of which the caller writes everybody's files. The op to write video is the gallery's, and T2 keeps
/// others' subtitles from it, against §2.8.
fn writable_types(traits: Traits) -> MediaTypes {
    union(&[
        (traits.has(Traits::WRITE_AUDIO), MediaTypes::AUDIBLE),
        (traits.has(Traits::WRITE_VIDEO), MediaTypes::VIDEO),
        (traits.has(Traits::WRITE_IMAGES), MediaTypes::IMAGE),
    ])
}

fn union(sets: &[(bool, MediaTypes)]) -> MediaTypes {
    sets.iter().filter(|(holds, _)| *holds).fold(MediaTypes::NONE, |all, (_, set)| all.with(*set))
}
