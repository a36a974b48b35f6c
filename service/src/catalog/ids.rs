//! Ids of rows, and numbers that outlive the catalog.
//!
//! A row's id is drawn before the row is written, so that whoever creates a file can write it down with the file and
//! need not wait for the commit. Numbers are reserved in blocks (`meta.next_id`), as a number that was drawn may be with
//! a file although the row never came; none is drawn again.

use super::Catalog;

impl Catalog {
    /// A new id, for [`super::Recorded::id`].
    pub fn new_id(&self) -> i64 {
        0
    }

    /// No id that was ever drawn is as large: to be kept where it survives the catalog.
    pub fn id_mark(&self) -> i64 {
        0
    }

    /// Ids from now on are not below `mark`, which an older catalog gave.
    pub fn keep_ids_below(&self, _mark: i64) {}
}
