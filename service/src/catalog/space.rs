//! The room that the catalog takes.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{Catalog, CatalogError};

impl Catalog {
    /// Commits what is queued, moves the log into the file as far as nobody reads in it, and drops idle connections.
    /// Says by how many bytes the log became shorter.
    ///
    /// # Errors
    ///
    /// When a write was lost meanwhile, or the catalog does not work.
    pub fn give_back(&self) -> Result<u64, CatalogError> {
        self.flush()?;
        let log = log_of(self.readers.path());
        let before = size(&log);
        self.readers.shed();
        // A log that somebody reads in stays as it is: busy is no error (sqlite.org, pragma.html#pragma_wal_checkpoint).
        truncate(self.readers.path()).map_err(CatalogError::Read)?;
        Ok(before.saturating_sub(size(&log)))
    }
}

/// By a connection of its own: readers cannot write, and the writer is not to be kept from its work.
fn truncate(path: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |it| it.len())
}
