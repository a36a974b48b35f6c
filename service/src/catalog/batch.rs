//! Changes to many rows at once: one call, one transaction, whatever their number.

use super::{Catalog, CatalogError, FileKey, Renamed, StateChange};

/// A row to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Removal {
    /// The row's id.
    pub id: i64,
    /// The lower inode that was removed: a row that became another file's stays.
    pub ino: u64,
}

/// A row whose file was renamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The row's id.
    pub id: i64,
    /// The lower inode that was renamed.
    pub ino: u64,
    /// Where it is now.
    pub to: FileKey,
    /// What its new name says.
    pub renamed: Renamed,
}

impl Catalog {
    /// Changes the state of rows by id; says how many there were and were not so already. Committed on return.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn set_states(&self, _changes: Vec<(i64, StateChange)>) -> Result<u64, CatalogError> {
        Err(CatalogError::Closed)
    }

    /// Removes rows; says how many. Committed on return.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn remove_rows(&self, _gone: Vec<Removal>) -> Result<u64, CatalogError> {
        Err(CatalogError::Closed)
    }

    /// Carries renames over (as [`Catalog::rename_file`], by id); says how many rows there were. Committed on return.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn move_rows(&self, _moves: Vec<Move>) -> Result<u64, CatalogError> {
        Err(CatalogError::Closed)
    }
}
