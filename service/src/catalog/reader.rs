//! Read-only connections, one for each thread that is reading at the moment.
//!
//! They are lent from a stack rather than kept per thread: the last one used has the warmest page cache, there are
//! never more than readers at one time, and closing the catalog closes them (a thread's own would stay open for as long
//! as the thread lives, and with it the descriptor and the log file). In WAL mode a reader never waits for the writer.
//!
//! Lock: `idle`, held only to take or give back.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

use super::health::Health;
use super::open::{open_for_checkpoint, open_reader};
use super::tree::{Range, plain, stored};
use super::{CatalogError, EachFile, EachOwner, FileKey, FileRow, VolumeKey, sql};
use crate::observe::{Counter, Gauge, Observer};

/// Rows that one query of a walk fetches. Between pages no statement is open, so a long walk does not pin the log.
const PAGE: i64 = 1024;
/// Steps of SQLite's machine between two looks at the clock: some ten thousandths of a second.
const STEPS: i32 = 10_000;

/// A connection that is counted for as long as it is open.
#[derive(Debug)]
struct Reader {
    conn: Connection,
    observer: Arc<Observer>,
}

impl Reader {
    fn open(path: &Path, observer: &Arc<Observer>) -> rusqlite::Result<Reader> {
        let conn = open_reader(path)?;
        observer.shift(Gauge::CatalogReaders, 1);
        Ok(Reader { conn, observer: Arc::clone(observer) })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.observer.shift(Gauge::CatalogReaders, -1);
    }
}

/// The stack of connections.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Option<Vec<Reader>>>,
    /// For one question.
    patience: Duration,
    health: Arc<Health>,
    observer: Arc<Observer>,
}

impl Readers {
    pub(super) fn new(
        path: PathBuf,
        patience: Duration,
        health: Arc<Health>,
        observer: Arc<Observer>,
    ) -> Readers {
        Readers { path, idle: Mutex::new(Some(Vec::new())), patience, health, observer }
    }

    /// The catalog's file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Closes what is idle; more are opened when they are needed.
    pub(super) fn shed(&self) {
        let idle = self.idle.lock().as_mut().map(std::mem::take);
        drop(idle);
    }

    /// Closes what is idle; what is lent closes when it comes back.
    pub(super) fn close(&self) {
        let idle = self.idle.lock().take();
        drop(idle);
    }

    /// For questions whose cost is the caller's to choose: one that takes too long is given up. Nor can a reader then hold on
    /// to an old part of the log for ever.
    pub(super) fn ask<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, CatalogError> {
        self.within(Some(self.patience), read)
    }

    pub(super) fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, CatalogError> {
        self.within(None, read)
    }

    fn within<T>(
        &self,
        patience: Option<Duration>,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, CatalogError> {
        self.observer.count(Counter::CatalogReads);
        let lent = match self.idle.lock().as_mut() {
            None => return Err(CatalogError::Closed),
            Some(idle) => idle.pop(),
        };
        let outcome = match lent {
            Some(reader) => Ok(reader),
            None => Reader::open(&self.path, &self.observer),
        }
        .and_then(|mut reader| {
            if let Some(patience) = patience {
                let deadline = Instant::now() + patience;
                reader.conn.progress_handler(STEPS, Some(move || Instant::now() >= deadline))?;
            }
            let value = read(&reader.conn)?;
            if patience.is_some() {
                reader.conn.progress_handler(0, None::<fn() -> bool>)?;
            }
            Ok((value, reader))
        });
        match outcome {
            Ok((value, reader)) => {
                if let Some(idle) = self.idle.lock().as_mut() {
                    idle.push(reader);
                }
                Ok(value)
            }
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
                Err(CatalogError::TooMuch(self.patience))
            }
            Err(error) => {
                self.health.failed(&error);
                Err(CatalogError::Read(error))
            }
        }
    }

    /// Folds the log into the database, as far as nobody reads from it.
    pub(super) fn checkpoint(&self) -> Result<(), CatalogError> {
        let fold =
            || open_for_checkpoint(&self.path)?.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        fold().map_err(|error| {
            self.health.failed(&error);
            CatalogError::Write(Arc::new(error))
        })
    }

    pub(super) fn file(&self, key: &FileKey) -> Result<Option<FileRow>, CatalogError> {
        self.with(|conn| {
            conn.prepare_cached(sql::FILE_GET)?
                .query_row(params![key.volume.0, key.user, stored(&key.dir), key.name], |row| {
                    decode(row, 0, &mut None)
                })
                .optional()
        })
    }

    pub(super) fn list_dir(
        &self,
        volume: VolumeKey,
        user: u32,
        dir: &[u8],
    ) -> Result<HashMap<Vec<u8>, FileRow>, CatalogError> {
        self.with(|conn| {
            let mut owner = None;
            let mut statement = conn.prepare_cached(sql::DIR_LIST)?;
            let rows = statement.query_map(params![volume.0, user, stored(dir)], |row| {
                Ok((row.get(0)?, decode(row, 1, &mut owner)?))
            })?;
            rows.collect()
        })
    }

    pub(super) fn for_each_owner(
        &self,
        volume: VolumeKey,
        user: u32,
        dir: &[u8],
        f: &mut EachOwner<'_>,
    ) -> Result<(), CatalogError> {
        self.with(|conn| {
            let mut last = None;
            let mut statement = conn.prepare_cached(sql::DIR_OWNERS)?;
            let mut rows = statement.query(params![volume.0, user, stored(dir)])?;
            while let Some(row) = rows.next()? {
                let owner = owner_of(row.get_ref(1)?, &mut last)?;
                let number = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
                f(row.get_ref(0)?.as_blob()?, owner.as_ref(), number(2)?, number(3)?);
            }
            Ok(())
        })
    }

    pub(super) fn for_each_below(
        &self,
        volume: VolumeKey,
        user: u32,
        dir: &[u8],
        f: &mut EachFile<'_>,
    ) -> Result<(), CatalogError> {
        let Range { low, high } = Range::of(dir);
        // No name is empty, so the walk begins before the first one of `low`.
        let mut last = (low, Vec::new());
        let mut owner = None;
        loop {
            let page: Vec<(Vec<u8>, Vec<u8>, FileRow)> = self.with(|conn| {
                let mut statement = conn.prepare_cached(sql::TREE_PAGE)?;
                let rows = statement
                    .query_map(params![volume.0, user, last.0, last.1, high, PAGE], |row| {
                        Ok((row.get(0)?, row.get(1)?, decode(row, 2, &mut owner)?))
                    })?;
                rows.collect()
            })?;
            for (dir, name, row) in &page {
                f(plain(dir), name, row);
            }
            match page.into_iter().last() {
                Some((dir, name, _)) => last = (dir, name),
                None => return Ok(()),
            }
        }
    }

    pub(super) fn count(&self, volume: VolumeKey) -> Result<u64, CatalogError> {
        let count: i64 =
            self.with(|conn| conn.prepare_cached(sql::FILES_COUNT)?.query_row([volume.0], |row| row.get(0)))?;
        Ok(count.max(0).cast_unsigned())
    }

    pub(super) fn packages(&self) -> Result<Vec<(String, Option<String>)>, CatalogError> {
        self.with(|conn| {
            let mut statement = conn.prepare_cached(sql::PACKAGES_LIST)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
    }

    pub(super) fn is_reconciled(&self, volume: VolumeKey) -> Result<bool, CatalogError> {
        let known = self.with(|conn| {
            conn.prepare_cached(sql::VOLUME_GET_RECONCILED)?
                .query_row([volume.0], |row| row.get::<_, bool>(0))
                .optional()
        })?;
        Ok(known.unwrap_or(false))
    }
}

/// An owner's name. Neighbours mostly have one owner: `last` lets them share it.
fn owner_of(value: ValueRef<'_>, last: &mut Option<Arc<str>>) -> rusqlite::Result<Option<Arc<str>>> {
    let Some(name) = value.as_str_or_null()? else { return Ok(None) };
    if last.as_deref() != Some(name) {
        *last = Some(Arc::from(name));
    }
    Ok(last.clone())
}

/// A row from the ten columns at `first` on; `last` as for [`owner_of`].
pub(super) fn decode(row: &Row<'_>, first: usize, last: &mut Option<Arc<str>>) -> rusqlite::Result<FileRow> {
    Ok(FileRow {
        owner: owner_of(row.get_ref(first)?, last)?,
        mime: Cow::Owned(row.get_ref(first + 1)?.as_str()?.to_owned()),
        media_type: row.get(first + 2)?,
        pending: row.get(first + 3)?,
        trashed: row.get(first + 4)?,
        expires: row.get(first + 5)?,
        ino: row.get::<_, i64>(first + 6)?.cast_unsigned(),
        birth: row.get::<_, i64>(first + 7)?.cast_unsigned(),
        size: row.get::<_, i64>(first + 8)?.cast_unsigned(),
        mtime_ns: row.get(first + 9)?,
    })
}
