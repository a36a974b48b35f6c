//! Opening: who may, in which version, and what becomes of a file that is no catalog any more.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};

use super::error::is_corruption;
use super::ids::Ids;
use super::queue::Limits;
use super::schema::STEPS;
use super::{CatalogError, functions, migrate, sql};

/// More than there are statements.
const CACHED_STATEMENTS: usize = 128;
/// A reader waits only for another program's exclusive lock, and for the log's recovery.
const READER_BUSY_WAIT: Duration = Duration::from_secs(1);
/// A database of so many bytes, with some 100,000 files, is looked over within half a second.
const CHECKED: u64 = 128 << 20;
/// The log is cut back to this size after a burst.
const LOG_SIZE_LIMIT: i64 = 16 << 20;
/// Pages after which the log is brought into the database: as many as the limit has room for.
const LOG_PAGES: i64 = LOG_SIZE_LIMIT / 4096;
/// Of the one connection that writes; in SQLite's words, negative for KiB.
const WRITER_CACHE: i64 = -(16 << 10);

/// More generations than are given from one backup to its return: at a hundred commits a second, more than a year's.
const LEAP: i64 = 1 << 32;

/// The files of one state directory.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) db: PathBuf,
    pub(super) suspect: PathBuf,
    lock: PathBuf,
    epoch: PathBuf,
}

impl Files {
    pub(super) fn of(state_dir: &Path) -> Files {
        Files {
            db: state_dir.join("catalog.db"),
            suspect: state_dir.join("catalog.db.suspect"),
            lock: state_dir.join("catalog.lock"),
            epoch: state_dir.join("catalog.epoch"),
        }
    }
}

/// Makes the directory if need be and claims it for this process.
pub(super) fn claim(state_dir: &Path, files: &Files) -> Result<File, CatalogError> {
    let unusable = |path: &Path| {
        let path = path.to_owned();
        move |source| CatalogError::StateDir { path, source }
    };
    DirBuilder::new().recursive(true).mode(0o700).create(state_dir).map_err(unusable(state_dir))?;
    let lock = create_private(&files.lock)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(CatalogError::InUse { path: files.db.clone() }),
        Err(TryLockError::Error(source)) => Err(unusable(&files.lock)(source)),
    }
}

fn create_private(path: &Path) -> Result<File, CatalogError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(|source| CatalogError::StateDir { path: path.to_owned(), source })
}

/// Opens the catalog for the writer: migrated, marked as not clean, and with volumes marked for a reconcile if the end
/// before was not an orderly one. A broken file is put aside first and a new one made.
pub(super) fn open_writer(files: &Files, limits: &Limits) -> Result<(Connection, Ids), CatalogError> {
    if files.suspect.exists() {
        set_aside(files, "an earlier run found it damaged")?;
        std::fs::remove_file(&files.suspect)
            .map_err(|source| CatalogError::StateDir { path: files.suspect.clone(), source })?;
    }
    match try_open_writer(files, limits) {
        Err(CatalogError::Open { source, .. }) if is_corruption(&source) => {
            set_aside(files, &source.to_string())?;
            try_open_writer(files, limits)
        }
        other => other,
    }
}

fn try_open_writer(files: &Files, limits: &Limits) -> Result<(Connection, Ids), CatalogError> {
    let path = files.db.as_path();
    // An empty file is an empty database, and SQLite gives its log the mode of the database: who owns what stays
    // private even in a directory that others may read.
    create_private(path)?;
    let open = |source| CatalogError::Open { path: path.to_owned(), source };
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags).map_err(open)?;
    configure(&conn, limits.busy_wait).map_err(open)?;

    // Until the version is known nothing may be written, and closing would otherwise write the log into the file.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(open)?;
    let (found, known) = (migrate::version(&conn).map_err(open)?, migrate::newest(STEPS));
    if found > known {
        return Err(CatalogError::Newer { path: path.to_owned(), found, known });
    }
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(open)?;

    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(open)?;
    if mode != "wal" {
        return Err(CatalogError::NoWal { path: path.to_owned(), mode });
    }
    check(&conn, path).map_err(open)?;
    let (ids, epoch) = prepare(&mut conn, read_epoch(&files.epoch)).map_err(open)?;
    if let Err(error) = write_epoch(&files.epoch, epoch) {
        log::warn!(
            "catalog: {:?} cannot be written ({error}); the next start will go over all files and have clients begin anew",
            files.epoch
        );
    }
    Ok((conn, ids))
}

/// Looks the database over, if that takes no time to speak of; a larger one is looked over by maintenance.
fn check(conn: &Connection, path: &Path) -> rusqlite::Result<()> {
    if std::fs::metadata(path).is_ok_and(|file| file.len() <= CHECKED) {
        look_over(conn, "PRAGMA quick_check(1)")?;
    }
    Ok(())
}

/// Runs one of SQLite's own checks; what it finds is an error.
pub(super) fn look_over(conn: &Connection, check: &str) -> rusqlite::Result<()> {
    let found: String = conn.query_row(check, [], |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(rusqlite::Error::SqliteFailure(corrupt, Some(found)))
}

/// The number that the last start drew, from the file beside the database; 0 without one.
fn read_epoch(path: &Path) -> i64 {
    std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

fn write_epoch(path: &Path, epoch: i64) -> io::Result<()> {
    let new = path.with_extension("epoch.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    writeln!(file, "{epoch}")?;
    file.sync_all()?;
    std::fs::rename(&new, path)
}

/// Makes the database ready for the writer. `known` is the number of the last start as the file beside it has it: a
/// database that has another one is not the one that was open last, but a copy from before (a backup). Yields the number of this
/// start, too.
///
/// That, and an end that was not an orderly one, may have taken commits back that clients were told of: generations go on
/// beyond all that can have been given, and whoever kept a copy begins anew.
fn prepare(conn: &mut Connection, known: i64) -> rusqlite::Result<(Ids, i64)> {
    conn.pragma_update(None, "journal_size_limit", LOG_SIZE_LIMIT)?;
    // A page that is changed again before it leaves the cache, or the log, is written once.
    conn.pragma_update(None, "cache_size", WRITER_CACHE)?;
    conn.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    functions::teach(conn)?;
    // Synced, once: were a power cut to undo "not clean" but keep what followed, the loss would go unnoticed.
    conn.pragma_update(None, "synchronous", "FULL")?;
    migrate::migrate(conn, STEPS)?;
    let tx = conn.transaction()?;
    let clean: i64 = tx.query_row(sql::META_GET, ["clean"], |row| row.get(0))?;
    let was: i64 = tx.query_row(sql::META_GET, ["epoch"], |row| row.get(0))?;
    if clean == 0 || was != known {
        log::info!("catalog: it may not be as the last run left it; every volume will be reconciled");
        tx.execute(sql::VOLUMES_SET_UNRECONCILED, [])?;
        let generation: i64 = tx.query_row(sql::META_GET, ["generation"], |row| row.get(0))?;
        let generation = generation.saturating_add(LEAP);
        tx.execute(sql::META_SET, params!["generation", generation])?;
        tx.execute(sql::META_RAISE, params!["forgotten", generation])?;
    }
    tx.execute(sql::META_SET, params!["clean", 0])?;
    let epoch: i64 = tx.query_row(sql::RANDOM, [], |row| row.get(0))?;
    tx.execute(sql::META_SET, params!["epoch", epoch])?;
    let ids = Ids::load(&tx)?;
    tx.commit()?;
    // From here on a commit survives the process, not a power cut: the truth about a file is with the file.
    conn.pragma_update(None, "synchronous", "NORMAL")?;
    Ok((ids, epoch))
}

/// Opens a connection that can only read.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    configure(&conn, READER_BUSY_WAIT)?;
    Ok(conn)
}

/// Opens a connection that is to fold the log in, and no more.
pub(super) fn open_for_checkpoint(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    configure(&conn, READER_BUSY_WAIT)?;
    Ok(conn)
}

fn configure(conn: &Connection, busy_wait: Duration) -> rusqlite::Result<()> {
    conn.busy_timeout(busy_wait)?;
    conn.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // The bundled SQLite has STAT4: without this guarantee a database that somebody ran ANALYZE on has its statements
    // planned again at every bind, which makes a lookup three times as expensive.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    Ok(())
}

/// Renames the catalog to `catalog.db.corrupt-<unix time>`. Its log goes first: SQLite would take a log without its
/// database for that of the new one.
fn set_aside(files: &Files, reason: &str) -> Result<(), CatalogError> {
    let with = |path: &Path, suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let mut stamp =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let aside = loop {
        let aside = with(&files.db, &format!(".corrupt-{stamp}"));
        if !aside.exists() {
            break aside;
        }
        stamp += 1;
    };
    log::error!("catalog: {:?} is damaged ({reason}); it becomes {aside:?} and a new one is made", files.db);
    // The index of the log in shared memory is made anew by whoever opens the database.
    let _ = std::fs::remove_file(with(&files.db, "-shm"));
    for suffix in ["-wal", ""] {
        let path = with(&files.db, suffix);
        match std::fs::rename(&path, with(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(CatalogError::StateDir { path, source: error });
            }
            _ => {}
        }
    }
    Ok(())
}
