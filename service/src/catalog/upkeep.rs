//! What maintenance asks of the catalog itself.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rusqlite::{OptionalExtension, params};

use super::query::{Entry, Projection};
use super::{Catalog, CatalogError, VolumeKey, open, sql};
use crate::catalog::rows::Tx;
use crate::catalog::write::Write;

impl Catalog {
    /// The volume is attached now.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn saw_volume(&self, volume: VolumeKey) -> Result<(), CatalogError> {
        self.queue.call(Write::Saw(volume)).map(drop)
    }

    /// Up to which generation the files of a volume carry what their rows say; 0 if not at all.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn marked(&self, volume: VolumeKey) -> Result<i64, CatalogError> {
        let marked = self.readers.with(|conn| {
            conn.prepare_cached(sql::VOLUME_GET_MARKED)?.query_row([volume.0], |row| row.get(0)).optional()
        })?;
        Ok(marked.unwrap_or(0))
    }

    /// Sets [`Catalog::marked`]. Committed on return.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn set_marked(&self, volume: VolumeKey, generation: i64) -> Result<(), CatalogError> {
        self.queue.call(Write::Marked(volume, generation)).map(drop)
    }

    /// Rows of a user on a volume behind a generation and, in it, an id; by both.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn changed_rows(
        &self,
        volume: VolumeKey,
        user: u32,
        after: (i64, i64),
        limit: usize,
    ) -> Result<Vec<Entry>, CatalogError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = params![volume.0, user, after.0, after.1, limit];
        self.readers.entries(sql::FILES_CHANGED, values, Projection::default())
    }

    /// Folds the log into the database, and looks the database over until `cancel`. Damage that is found makes the next
    /// start put it aside.
    ///
    /// # Errors
    ///
    /// When it is damaged, or SQLite fails.
    pub fn tidy(&self, cancel: &AtomicBool) -> Result<(), CatalogError> {
        self.flush()?;
        self.readers.checkpoint()?;
        self.readers.with(|conn| {
            if cancel.load(Relaxed) {
                return Ok(());
            }
            open::look_over(conn, "PRAGMA integrity_check(1)")
        })
    }
}

pub(super) fn saw(tx: &Tx<'_>, volume: VolumeKey) -> rusqlite::Result<usize> {
    tx.run(sql::VOLUME_SEEN, params![volume.0, None::<String>, tx.now])
}

pub(super) fn set_marked(tx: &Tx<'_>, volume: VolumeKey, generation: i64) -> rusqlite::Result<usize> {
    tx.run(sql::VOLUME_SET_MARKED, params![volume.0, generation])
}
