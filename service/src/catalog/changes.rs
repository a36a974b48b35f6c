//! What changed since a generation: for clients that keep a copy.

use super::{Catalog, CatalogError, Cursor, Entry, Query, VolumeKey};

/// An image or video that is gone from view, or altogether.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tombstone {
    /// The id of its row.
    pub id: i64,
    /// Its volume.
    pub volume: VolumeKey,
    /// Its user.
    pub user: u32,
    /// The generation in which it went.
    pub generation: i64,
}

/// A page of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangePage {
    /// Files that were added or changed, oldest change first.
    pub entries: Vec<Entry>,
    /// Files that are gone, oldest first; after the last of `entries`.
    pub gone: Vec<Tombstone>,
    /// What to ask for next time, when there is no `next`.
    pub generation: i64,
    /// The place behind this page, if there is more.
    pub next: Option<Cursor>,
    /// What was asked for reaches back further than tombstones are kept, or is of another catalog's time: the caller
    /// has to begin anew, with all rows there are.
    pub start_over: bool,
}

impl Catalog {
    /// The generation of the last change, and the number of this catalog, which another one (made anew after a loss)
    /// does not have: a generation means nothing without it.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn version(&self) -> Result<(i64, i64), CatalogError> {
        Err(CatalogError::Closed)
    }

    /// Files that `query` finds and that changed after generation `since`, and images and videos that went since.
    /// The query's sort is not asked.
    ///
    /// # Errors
    ///
    /// As [`Catalog::query`].
    pub fn changes_since(&self, _query: &Query, _since: i64) -> Result<ChangePage, CatalogError> {
        Err(CatalogError::Closed)
    }

    /// Forgets tombstones older than `before` (seconds since 1970), and of the others all but the newest `keep`; says
    /// how many. Committed on return.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn prune_tombstones(&self, _before: i64, _keep: usize) -> Result<u64, CatalogError> {
        Err(CatalogError::Closed)
    }
}
