//! Ids of rows, and numbers that outlive the catalog.
//!
//! A row's id is drawn before the row is written, so that whoever creates a file can write it down with the file and
//! need not wait for the commit. Numbers are reserved in blocks (`meta.next_id`), as a number that was drawn may be with
//! a file although the row never came; none is drawn again.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use rusqlite::{Connection, params};

use super::{Catalog, sql};

/// Many more than can be drawn between two commits, as the queue is shorter.
const BLOCK: i64 = 1 << 16;

/// Where ids come from.
#[derive(Debug)]
pub(super) struct Ids {
    next: AtomicI64,
    /// `meta.next_id`: a later run begins here.
    reserved: AtomicI64,
}

impl Ids {
    /// Reads where the last run ended, and reserves.
    pub(super) fn load(conn: &Connection) -> rusqlite::Result<Ids> {
        let next: i64 = conn.query_row(sql::META_GET, ["next_id"], |row| row.get(0))?;
        let next =
            next.max(conn.query_row(sql::FILES_LAST_ID, [], |row| row.get::<_, i64>(0))?.saturating_add(1));
        let ids = Ids { next: AtomicI64::new(next.max(1)), reserved: AtomicI64::new(0) };
        ids.reserve(conn)?;
        Ok(ids)
    }

    pub(super) fn draw(&self) -> i64 {
        self.next.fetch_add(1, Relaxed)
    }

    pub(super) fn mark(&self) -> i64 {
        self.next.load(Relaxed)
    }

    pub(super) fn raise(&self, mark: i64) {
        self.next.fetch_max(mark, Relaxed);
    }

    /// Reserves the next block, in the caller's transaction, if half of the last one is used up. A transaction that
    /// fails makes no difference: what it would have reserved is reserved by the next.
    pub(super) fn reserve(&self, conn: &Connection) -> rusqlite::Result<()> {
        let next = self.mark();
        if self.reserved.load(Relaxed) - next < BLOCK / 2 {
            let until = next.saturating_add(BLOCK);
            conn.prepare_cached(sql::META_SET)?.execute(params!["next_id", until])?;
            self.reserved.store(until, Relaxed);
        }
        Ok(())
    }

    /// At the orderly end nothing is drawn any more, and the rest of the block is free again.
    pub(super) fn release(&self, conn: &Connection) -> rusqlite::Result<()> {
        conn.execute(sql::META_SET, params!["next_id", self.mark()]).map(drop)
    }
}

impl Catalog {
    /// A new id, for [`super::Recorded::id`]. It is nobody else's, whether it is used or not.
    pub fn new_id(&self) -> i64 {
        self.ids.draw()
    }

    /// No id that was ever drawn is as large: to be kept where it survives the catalog.
    pub fn id_mark(&self) -> i64 {
        self.ids.mark()
    }

    /// Ids from now on are not below `mark`, which this catalog or one before it gave.
    pub fn continue_ids_from(&self, mark: i64) {
        self.ids.raise(mark);
    }
}
