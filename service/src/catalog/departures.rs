//! Packages that left, and the files that are still to be made nobody's.
//!
//! A departure is recorded for every volume there is, attached or not, in one commit with what makes the package leave;
//! it goes volume by volume, when no file there says any more that it is the package's. Whoever finds one at the start
//! goes on where the run before was ended.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use super::rows::Tx;
use super::write::Write;
use super::{Catalog, CatalogError, VolumeKey, sql};

/// In place of a user: all of them.
const ALL_USERS: i64 = -1;

/// A package that left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Departure {
    /// Its name.
    pub package: Arc<str>,
    /// The user that it left; `None` for all.
    pub user: Option<u32>,
}

impl Departure {
    fn user_id(&self) -> i64 {
        self.user.map_or(ALL_USERS, i64::from)
    }
}

impl Catalog {
    /// Records departures on every volume. Committed on return.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn depart(&self, gone: Vec<Departure>) -> Result<(), CatalogError> {
        self.queue.call(Write::Depart(gone)).map(drop)
    }

    /// On this volume nothing is the package's any more. Committed on return.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn departed(&self, volume: VolumeKey, gone: &Departure) -> Result<(), CatalogError> {
        self.queue.call(Write::Departed(volume, gone.clone())).map(drop)
    }

    /// What is still to be done.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn departures(&self) -> Result<Vec<(VolumeKey, Departure)>, CatalogError> {
        self.readers.with(|conn| {
            let mut statement = conn.prepare_cached(sql::DEPARTURES_LIST)?;
            let rows = statement.query_map([], |row| {
                let user: i64 = row.get(2)?;
                let package: String = row.get(1)?;
                let gone = Departure { package: package.into(), user: u32::try_from(user).ok() };
                Ok((VolumeKey(row.get(0)?), gone))
            })?;
            rows.collect()
        })
    }

    /// Gives rows that are the package's another owner; says how many there were. Committed on return.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn disown(&self, package: &str, rows: Vec<(i64, Option<Arc<str>>)>) -> Result<u64, CatalogError> {
        self.queue.call(Write::Disown(package.into(), rows)).map(i64::unsigned_abs)
    }

    /// The first owner of any row whose name sorts behind `after`.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn next_owner(&self, after: &str) -> Result<Option<String>, CatalogError> {
        self.readers.with(|conn| {
            conn.prepare_cached(sql::OWNER_NEXT)?.query_row([after], |row| row.get(0)).optional()
        })
    }

    /// The first user above `after` (-1 to begin) who has rows on a volume.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn next_user(&self, volume: VolumeKey, after: i64) -> Result<Option<u32>, CatalogError> {
        self.readers.with(|conn| {
            conn.prepare_cached(sql::USER_NEXT)?
                .query_row(params![volume.0, after], |row| row.get(0))
                .optional()
        })
    }
}

pub(super) fn depart(tx: &Tx<'_>, gone: &[Departure]) -> rusqlite::Result<usize> {
    gone.iter().try_fold(0, |sum, it| Ok(sum + tx.run(sql::DEPART, params![it.package, it.user_id()])?))
}

pub(super) fn departed(tx: &Tx<'_>, volume: VolumeKey, gone: &Departure) -> rusqlite::Result<usize> {
    tx.run(sql::DEPARTED, params![volume.0, gone.package, gone.user_id()])
}

pub(super) fn disown(
    tx: &mut Tx<'_>,
    package: &str,
    rows: &[(i64, Option<Arc<str>>)],
) -> rusqlite::Result<usize> {
    let mut sum = 0;
    for (id, owner) in rows {
        if tx.stamp(sql::DISOWN, params![id, package, owner.as_deref(), tx.generation])? > 0 {
            sum += 1;
            if let Some(present) = tx.present(*id)? {
                tx.tell_changed(&present);
            }
        }
    }
    Ok(sum)
}
