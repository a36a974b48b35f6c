//! What time, packages, users and volumes do to rows.

use rusqlite::{OptionalExtension, params};

use super::query::{Entry, Projection};
use super::rows::Tx;
use super::write::Write;
use super::{Catalog, CatalogError, VolumeKey, sql};

/// Rows that one transaction removes of a volume or a user: requests wait no longer than that takes.
const SOME: usize = 1024;

/// A volume that the catalog knows, attached or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeRecord {
    /// Its key.
    pub key: VolumeKey,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// What tells its file system from another one under this name.
    pub marker: Option<String>,
    /// When it was attached last, in seconds since 1970.
    pub seen: i64,
}

impl Catalog {
    /// Like [`Catalog::volume`], for a volume whose file system can be told from others: `marker` is any text that
    /// stays with it (a uuid in an extended attribute of its root, the number of a card). Rows belong to the marker:
    /// another card, or a mount point whose card is not there yet, gets a key of its own and touches nobody's rows, and
    /// the old key is given again when the marker comes back. A volume that had no marker yet takes this one over.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn marked_volume(&self, name: &str, kind: &str, marker: &str) -> Result<VolumeKey, CatalogError> {
        let write = Write::Volume { name: name.into(), kind: kind.into(), marker: Some(marker.into()) };
        self.queue.call(write).map(VolumeKey)
    }

    /// All volumes, by key.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn volumes(&self) -> Result<Vec<VolumeRecord>, CatalogError> {
        self.readers.with(|conn| {
            let mut statement = conn.prepare_cached(sql::VOLUMES_LIST)?;
            let rows = statement.query_map([], |row| {
                Ok(VolumeRecord {
                    key: VolumeKey(row.get(0)?),
                    name: row.get(1)?,
                    kind: row.get(2)?,
                    marker: row.get(3)?,
                    seen: row.get(4)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Forgets a volume and all its rows; says how many. It must not be attached. Committed on return; what is left
    /// after an error is removed by the next call.
    ///
    /// # Errors
    ///
    /// When a commit fails or takes too long.
    pub fn remove_volume(&self, volume: VolumeKey) -> Result<u64, CatalogError> {
        let removed = self.remove_all(volume, None)?;
        self.queue.call(Write::RemoveVolume(volume))?;
        Ok(removed)
    }

    /// Forgets all rows of a user; says how many. Committed on return; what is left after an error is removed by the
    /// next call.
    ///
    /// # Errors
    ///
    /// When a commit fails or takes too long.
    pub fn remove_user(&self, user: u32) -> Result<u64, CatalogError> {
        self.volumes()?.into_iter().try_fold(0, |sum, it| Ok(sum + self.remove_all(it.key, Some(user))?))
    }

    /// Forgets all rows of a user on one volume, as [`Catalog::remove_user`] does.
    ///
    /// # Errors
    ///
    /// When a commit fails or takes too long.
    pub fn remove_user_on(&self, volume: VolumeKey, user: u32) -> Result<u64, CatalogError> {
        self.remove_all(volume, Some(user))
    }

    fn remove_all(&self, volume: VolumeKey, user: Option<u32>) -> Result<u64, CatalogError> {
        let mut sum = 0;
        loop {
            let removed = self.queue.call(Write::RemoveSome { volume, user, most: SOME })?.unsigned_abs();
            sum += removed;
            if removed < SOME as u64 {
                return Ok(sum);
            }
        }
    }

    /// Files on these volumes that expired at `now` (seconds since 1970) or before, the longest expired first. The same
    /// ones again until they are removed or get another time.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn expired(&self, volumes: &[VolumeKey], now: i64, limit: usize) -> Result<Vec<Entry>, CatalogError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let volumes: Vec<i64> = volumes.iter().map(|it| it.0).collect();
        let volumes = format!("{volumes:?}");
        self.readers.entries(sql::FILES_EXPIRED, params![now, volumes, limit], Projection::default())
    }

    /// Files that a package owns, by id, behind `after` (0 to begin).
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn rows_of_package(
        &self,
        package: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Entry>, CatalogError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers.entries(sql::FILES_OWNED, params![package, after, limit], Projection::default())
    }
}

pub(super) fn volume(tx: &Tx<'_>, name: &str, kind: &str, marker: Option<&str>) -> rusqlite::Result<i64> {
    let find = |sql, values: &[&dyn rusqlite::ToSql]| -> rusqlite::Result<Option<(i64, String)>> {
        let mut statement = tx.conn.prepare_cached(sql)?;
        statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?))).optional()
    };
    let known = match marker {
        None => find(sql::VOLUME_FIND, &[&name])?,
        Some(marker) => match find(sql::VOLUME_FIND_MARKED, &[&name, &marker])? {
            // One that was here before volumes had markers.
            None => find(sql::VOLUME_FIND_MARKED, &[&name, &""])?,
            found => found,
        },
    };
    match known {
        Some((id, old)) => {
            if old != kind {
                tx.run(sql::VOLUME_SET_KIND, params![id, kind])?;
            }
            tx.run(sql::VOLUME_SEEN, params![id, marker, tx.now])?;
            Ok(id)
        }
        None => {
            tx.run(sql::VOLUME_ADD, params![name, kind, marker, tx.now])?;
            Ok(tx.conn.last_insert_rowid())
        }
    }
}

pub(super) fn remove_some(
    tx: &mut Tx<'_>,
    volume: VolumeKey,
    user: Option<u32>,
    most: usize,
) -> rusqlite::Result<usize> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let removed = match user {
        None => tx.stamp(sql::VOLUME_ROWS_REMOVE, params![volume.0, most])?,
        Some(user) => tx.stamp(sql::USER_ROWS_REMOVE, params![volume.0, user, most])?,
    };
    if removed > 0 {
        tx.log.many(user.map(|user| (volume, user)));
    }
    Ok(removed)
}

pub(super) fn remove_volume(tx: &Tx<'_>, volume: VolumeKey) -> rusqlite::Result<usize> {
    // What went with the volume is no news to anybody who still has one.
    tx.run(sql::TOMBSTONES_REMOVE_OF, [volume.0])?;
    tx.run(sql::VOLUME_REMOVE, [volume.0])
}
