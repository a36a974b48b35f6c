//! What can go wrong with the catalog, worded for the person who has to act on it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// An error of the catalog.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The directory cannot be made or written to.
    #[error(
        "cannot use {path:?} as the state directory: {source}; set [service] state_dir to a directory that the service may create or write to"
    )]
    StateDir {
        /// The directory or a file in it.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Another process has it open.
    #[error(
        "{path:?} belongs to another mediagate that is running; stop that one or give this one a state_dir of its own"
    )]
    InUse {
        /// The catalog.
        path: PathBuf,
    },
    /// Made by a newer program.
    #[error(
        "{path:?} was written by a newer mediagate (catalog version {found}, this program knows up to {known}) and was left as it is; run the newer program, or move the file away to begin with an empty catalog"
    )]
    Newer {
        /// The catalog.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version this program can read.
        known: i64,
    },
    /// The file system below has no shared memory or locks for the write-ahead log.
    #[error(
        "{path:?} cannot use a write-ahead log (SQLite chose journal mode {mode:?}); put state_dir on a local file system"
    )]
    NoWal {
        /// The catalog.
        path: PathBuf,
        /// The mode SQLite fell back to.
        mode: String,
    },
    /// Opening or migrating failed.
    #[error("cannot open the catalog {path:?}: {source}")]
    Open {
        /// The catalog.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The writer thread could not be started.
    #[error("cannot start the catalog's writer thread: {0}")]
    Thread(io::Error),
    /// A query failed.
    #[error("reading the catalog failed: {0}")]
    Read(#[source] rusqlite::Error),
    /// A write, or the commit of the batch it was in, failed.
    #[error("writing the catalog failed: {0}; see whether the disk that holds state_dir is full or failing")]
    Write(#[source] Arc<rusqlite::Error>),
    /// A batch that the caller waited for was given up; the volumes it was about are marked for a reconcile.
    #[error("writes to the catalog were lost; the log says why, and the next reconcile brings them back")]
    Lost,
    /// No room in the queue.
    #[error(
        "the catalog's queue was full for {0:?} and the write was dropped; the disk that holds state_dir is too slow or blocked"
    )]
    QueueFull(Duration),
    /// Queued, but not committed in time; it may still be.
    #[error("the catalog did not commit within {0:?}; the disk that holds state_dir is too slow or blocked")]
    Timeout(Duration),
    /// A question that would take too long.
    #[error(
        "the question takes longer than {0:?}; ask for less: a directory, a media type, a time, or a smaller page in another order"
    )]
    TooMuch(Duration),
    /// A cursor that the query did not give.
    #[error(
        "this is no place in this query's answer; begin without a cursor, and use one only with the query that it came from"
    )]
    Cursor,
    /// Closed, or its writer is gone.
    #[error("the catalog is closed")]
    Closed,
}

/// True if `error` says that the file's contents are not a sound database.
pub(super) fn is_corruption(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
    )
}
