//! What was found in files that may tell a location: a cache that outlives a restart. It is believed for the very content that
//! was looked at, and lost without harm.

use rusqlite::{OptionalExtension, params};

use super::reader::Readers;
use super::rows::Tx;
use super::write::Write;
use super::{Catalog, CatalogError, VolumeKey, sql};

/// What was found in a file, and what tells that content from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The lower file's generation.
    pub birth: u64,
    /// Its size.
    pub size: u64,
    /// Its modification time, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Its change time.
    pub ctime_ns: i64,
    /// The version of what looked.
    pub version: u32,
    /// What is to be hidden, as its user wrote it; `None` for all of it.
    pub hidden: Option<Vec<u8>>,
}

impl Catalog {
    /// What was found in the file of the lower inode `ino`.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn finding(&self, volume: VolumeKey, ino: u64) -> Result<Option<Finding>, CatalogError> {
        self.readers.finding(volume, ino)
    }

    /// Queues: this was found in the file of the lower inode `ino`. It goes with the row of an indexed file of that inode.
    pub fn store_finding(&self, volume: VolumeKey, ino: u64, finding: Finding) {
        self.queue.post(Write::PutFinding(volume, ino, Box::new(finding)));
    }
}

impl Readers {
    fn finding(&self, volume: VolumeKey, ino: u64) -> Result<Option<Finding>, CatalogError> {
        self.with(|conn| {
            conn.prepare_cached(sql::FINDING_GET)?
                .query_row(params![volume.0, ino.cast_signed()], |row| {
                    Ok(Finding {
                        birth: row.get::<_, i64>(0)?.cast_unsigned(),
                        size: row.get::<_, i64>(1)?.cast_unsigned(),
                        mtime_ns: row.get(2)?,
                        ctime_ns: row.get(3)?,
                        version: row.get(4)?,
                        hidden: row.get(5)?,
                    })
                })
                .optional()
        })
    }
}

pub(super) fn put(tx: &Tx<'_>, volume: VolumeKey, ino: u64, finding: &Finding) -> rusqlite::Result<usize> {
    let values = params![
        volume.0,
        ino.cast_signed(),
        finding.birth.cast_signed(),
        finding.size.cast_signed(),
        finding.mtime_ns,
        finding.ctime_ns,
        finding.version,
        finding.hidden
    ];
    tx.run(sql::FINDING_PUT, values)
}
