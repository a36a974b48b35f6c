//! What media files say of themselves, and which of them were not asked yet.

use super::{At, Catalog, CatalogError, Entry, Location, MediaFacts, VolumeKey};

/// Which version of a file was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its size in bytes.
    pub size: u64,
    /// Its modification time in nanoseconds since 1970.
    pub mtime_ns: i64,
}

/// What was found in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFacts {
    /// The file.
    pub file: At,
    /// The lower inode that was read.
    pub ino: u64,
    /// Its version.
    pub stamp: Stamp,
    /// What it says; the default for one that says nothing, or that could not be read.
    pub facts: MediaFacts,
    /// Where it was made.
    pub location: Option<Location>,
}

impl Catalog {
    /// Queues: this was found in the file. Nothing happens where the row is gone, is of another inode or of another
    /// version: who reads the file anew then brings what is true.
    pub fn set_media_facts(&self, _found: FoundFacts) {}

    /// Files of the volume whose facts are not known for their present version, by id, behind `after` (0 to begin).
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn unscanned(
        &self,
        _volume: VolumeKey,
        _after: i64,
        _limit: usize,
    ) -> Result<Vec<Entry>, CatalogError> {
        Ok(Vec::new())
    }
}
