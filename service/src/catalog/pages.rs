//! Directories in pages, for who goes through all of them.

use rusqlite::{OptionalExtension, params};

use super::reader::{Readers, decode};
use super::tree::{Range, plain, stored};
use super::{Catalog, CatalogError, FileRow, VolumeKey, sql};

impl Catalog {
    /// Up to `limit` rows of the files in `dir` whose names come after `after` (empty to begin), by name as bytes.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn dir_page(
        &self,
        volume: VolumeKey,
        user: u32,
        dir: &[u8],
        after: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, FileRow)>, CatalogError> {
        self.readers.dir_page(volume, user, dir, after, limit)
    }

    /// The first directory in `tree` (itself included) after the directory `after` that has rows; from the beginning
    /// without one. The order is that of directories with a slash behind them.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn next_dir(
        &self,
        volume: VolumeKey,
        user: u32,
        tree: &[u8],
        after: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, CatalogError> {
        self.readers.next_dir(volume, user, tree, after)
    }
}

impl Readers {
    fn dir_page(
        &self,
        volume: VolumeKey,
        user: u32,
        dir: &[u8],
        after: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, FileRow)>, CatalogError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.with(|conn| {
            let mut owner = None;
            let mut statement = conn.prepare_cached(sql::DIR_PAGE)?;
            let rows = statement.query_map(params![volume.0, user, stored(dir), after, limit], |row| {
                Ok((row.get(0)?, decode(row, 1, &mut owner)?))
            })?;
            rows.collect()
        })
    }

    fn next_dir(
        &self,
        volume: VolumeKey,
        user: u32,
        tree: &[u8],
        after: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, CatalogError> {
        let Range { mut low, high } = Range::of(tree);
        if let Some(after) = after {
            low = stored(after);
            // No name begins with it, so nothing comes between.
            low.push(0);
        }
        self.with(|conn| {
            let mut statement = conn.prepare_cached(sql::DIR_NEXT)?;
            let found: Option<Vec<u8>> =
                statement.query_row(params![volume.0, user, low, high], |row| row.get(0)).optional()?;
            Ok(found.map(|dir| plain(&dir).to_vec()))
        })
    }
}
