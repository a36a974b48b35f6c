//! Changes to many rows at once: one call, one transaction, whatever their number.

use super::rows::{Present, Tx};
use super::write::Write;
use super::{Catalog, CatalogError, FileKey, Renamed, StateChange};

/// A row to be removed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Removal {
    /// The row's id.
    pub id: i64,
    /// Where its file was removed: a row that followed a rename stays.
    pub key: FileKey,
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
    pub fn set_states(&self, changes: Vec<(i64, StateChange)>) -> Result<u64, CatalogError> {
        self.queue.call(Write::States(changes)).map(i64::unsigned_abs)
    }

    /// Removes rows; says how many. Committed on return.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn remove_rows(&self, gone: Vec<Removal>) -> Result<u64, CatalogError> {
        self.queue.call(Write::RemoveRows(gone)).map(i64::unsigned_abs)
    }

    /// Carries renames over (as [`Catalog::rename_file`], by id); says how many rows there were. Committed on return.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn move_rows(&self, moves: Vec<Move>) -> Result<u64, CatalogError> {
        self.queue.call(Write::MoveRows(moves)).map(i64::unsigned_abs)
    }
}

impl Tx<'_> {
    pub(super) fn remove_row(&mut self, gone: &Removal) -> rusqlite::Result<bool> {
        let is_it = |present: &Present| present.row.ino == gone.ino && present.key == gone.key;
        match self.present(gone.id)?.filter(is_it) {
            None => Ok(false),
            Some(Present { id, key, row, .. }) => self.remove_found(id, &key, &row),
        }
    }

    pub(super) fn move_row(&mut self, moved: &Move) -> rusqlite::Result<bool> {
        let Some(present) = self.present(moved.id)?.filter(|present| present.row.ino == moved.ino) else {
            return Ok(false);
        };
        self.rename(present.id, &present.key, &present.row, &moved.to, &moved.renamed)?;
        Ok(true)
    }
}
