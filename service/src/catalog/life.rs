//! What time, packages, users and volumes do to rows.

use super::{Catalog, CatalogError, Entry, VolumeKey};

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
    pub fn marked_volume(&self, _name: &str, _kind: &str, _marker: &str) -> Result<VolumeKey, CatalogError> {
        Err(CatalogError::Closed)
    }

    /// All volumes, by key.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn volumes(&self) -> Result<Vec<VolumeRecord>, CatalogError> {
        Err(CatalogError::Closed)
    }

    /// Forgets a volume and all its rows; says how many. It must not be attached. Committed on return.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn remove_volume(&self, _volume: VolumeKey) -> Result<u64, CatalogError> {
        Err(CatalogError::Closed)
    }

    /// Forgets all rows of a user; says how many. Committed on return.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn remove_user(&self, _user: u32) -> Result<u64, CatalogError> {
        Err(CatalogError::Closed)
    }

    /// Files on these volumes that expired at `now` (seconds since 1970) or before, the longest expired first. The same
    /// ones again until they are removed or get another time.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn expired(
        &self,
        _volumes: &[VolumeKey],
        _now: i64,
        _limit: usize,
    ) -> Result<Vec<Entry>, CatalogError> {
        Err(CatalogError::Closed)
    }

    /// Files that a package owns, by id, behind `after` (0 to begin).
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn rows_of_package(
        &self,
        _package: &str,
        _after: i64,
        _limit: usize,
    ) -> Result<Vec<Entry>, CatalogError> {
        Err(CatalogError::Closed)
    }
}
