//! The catalog: an index in SQLite over what the lower file system and its extended attributes say, plus what only it
//! can hold (the packages that were installed at run time, and grants on single files).
//!
//! # Guarantees
//!
//! * Writes take effect in the order in which they were queued, whichever thread queued them. [`Catalog::flush`]
//!   before a read makes a thread see its own.
//! * A queued write is lost only if the process dies within milliseconds, if the queue stays full for two seconds, or if
//!   SQLite fails for good. The first makes every volume, the others the volume concerned, answer
//!   [`Catalog::needs_reconcile`] with true, the others [`Catalog::has_lost`] as well, for a running service to make good.
//! * What waits for its commit (`upsert_now`, `store_package`, …) survives the death of the process. A power cut
//!   may undo the last moments (`synchronous = NORMAL`); that, too, leads to a reconcile.
//! * A catalog of an older program is migrated; one of a newer program is refused and not touched; a damaged one is put
//!   aside, never deleted.
//!
//! # Threads and locks
//!
//! One thread (`catalog-w`) owns the only connection that writes and commits what has gathered in a bounded queue.
//! Whoever reads borrows a read-only connection, and never waits for the writer. Locks are inside `queue` and
//! `reader` and `feed`, none is held across SQL, and no caller's code runs under them: they may be taken under any lock of the
//! caller's, though a caller should hold none, since most calls here can block on the disk.

mod batch;
mod changes;
mod departures;
mod error;
mod facts;
mod feed;
mod findings;
mod functions;
mod grants;
mod health;
mod ids;
mod life;
mod links;
mod media;
mod merge;
mod migrate;
mod open;
mod owned;
mod pages;
mod query;
mod queue;
mod reader;
mod rows;
mod schema;
mod space;
mod sql;
mod tree;
mod trees;
mod types;
mod upkeep;
mod write;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

pub use batch::{Move, Removal};
pub use changes::{ChangePage, Tombstone};
pub use departures::Departure;
pub use error::CatalogError;
pub use facts::{AudioFacts, ImageFacts, Location, MediaFacts, SpecialFormat, VideoFacts, XmpIds};
pub use feed::{Change, ChangeKind, Committed, MOST_TOLD};
pub use findings::Finding;
pub use grants::{GrantPlace, GrantsGone, NewGrant, StoredGrant};
pub use life::VolumeRecord;
pub use links::{LinkName, LinkPlace, NewLink};
pub use media::{FoundFacts, Stamp};
pub use query::{
    Criteria, Cursor, Entry, Group, GroupBy, Holder, Match, Page, Projection, Query, Scope, Sort, Within,
};
pub use queue::Gathering;
pub use types::{
    At, EachFile, EachOwner, FileKey, FileRow, HidingRules, Recorded, Renamed, StateChange, VolumeKey,
};

use crate::observe::Observer;
use feed::Feed;
use grants::Departed;
use health::Health;
use ids::Ids;
use open::Files;
use owned::Owned;
use queue::{Limits, Queue};
use reader::Readers;
use write::Write;
use writer::{Shared, Writer};

/// The open catalog.
#[derive(Debug)]
pub struct Catalog {
    queue: Arc<Queue>,
    readers: Readers,
    ids: Arc<Ids>,
    feed: Arc<Feed>,
    departed: Arc<Departed>,
    owned: Owned,
}

impl Catalog {
    /// Opens or makes `catalog.db` in `state_dir`, which is made (mode 0700) if missing.
    ///
    /// # Errors
    ///
    /// When the directory cannot be used, another process uses it, or the catalog was written by a newer program.
    pub fn open(state_dir: &Path, observer: Arc<Observer>) -> Result<Arc<Catalog>, CatalogError> {
        Catalog::open_with(state_dir, observer, Limits::default())
    }

    fn open_with(
        state_dir: &Path,
        observer: Arc<Observer>,
        limits: Limits,
    ) -> Result<Arc<Catalog>, CatalogError> {
        let files = Files::of(state_dir);
        let lock = open::claim(state_dir, &files)?;
        let (conn, ids) = open::open_writer(&files, &limits)?;
        let health = Arc::new(Health::new(files.suspect, Arc::clone(&observer)));
        let owned = Owned::new(limits.owned);
        let (queue, jobs) = Queue::new(limits, Arc::clone(&observer));
        let ids = Arc::new(ids);
        let feed = Arc::new(Feed::default());
        let departed = Arc::new(Departed::default());
        let shared = Shared {
            queue: Arc::clone(&queue),
            health: Arc::clone(&health),
            ids: Arc::clone(&ids),
            feed: Arc::clone(&feed),
            departed: Arc::clone(&departed),
        };
        Writer::start(conn, lock, jobs, shared, Arc::clone(&observer))?;
        let readers = Readers::new(files.db, limits.question, health, observer);
        Ok(Arc::new(Catalog { queue, readers, ids, feed, departed, owned }))
    }

    /// Finds the volume called `name`, or adds it. One whose kind has changed needs a reconcile.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn volume(&self, name: &str, kind: &str) -> Result<VolumeKey, CatalogError> {
        self.queue.call(Write::Volume { name: name.into(), kind: kind.into(), marker: None }).map(VolumeKey)
    }

    /// Queues: the row at `key` is `row`. A row that is there keeps its id.
    pub fn upsert(&self, key: FileKey, row: FileRow) {
        self.upsert_recorded(key, row, Recorded::default());
    }

    /// Like [`Catalog::upsert`]; a row that has to be made is made as `recorded`.
    pub fn upsert_recorded(&self, key: FileKey, row: FileRow, recorded: Recorded) {
        self.queue.post(Write::Upsert(key, row, recorded));
    }

    /// Queues: the row at `key` is `row` unless there is one already.
    pub fn index_first_seen(&self, key: FileKey, row: FileRow) {
        self.index_first_seen_recorded(key, row, Recorded::default());
    }

    /// Like [`Catalog::index_first_seen`]; a row that has to be made is made as `recorded`.
    pub fn index_first_seen_recorded(&self, key: FileKey, row: FileRow, recorded: Recorded) {
        self.queue.post(Write::FirstSeen(key, row, recorded));
    }

    /// Queues: the row at `key` is `row`, if there is one of that very file (inode and birth) by then; a row of another file,
    /// written meanwhile, stays. For who cannot know what overtakes the write.
    pub fn mend(&self, key: FileKey, row: FileRow) {
        self.queue.post(Write::Mend(key, row));
    }

    /// Queues: this lower file (inode and birth) has this size and modification time. Where it is no longer at `key`, or
    /// was never indexed, nothing happens, as with [`Catalog::mend`].
    pub fn refresh(&self, key: FileKey, (ino, birth): (u64, u64), size: u64, mtime_ns: i64) {
        self.queue.post(Write::Refresh { key, ino, birth, size, mtime_ns });
    }

    /// Queues: there is nothing at `key`.
    pub fn remove(&self, key: FileKey) {
        self.queue.post(Write::Remove(key));
    }

    /// Queues: the file of the lower inode `ino` that was born at `birth` (0: not known) is no longer at `key`; a row of another file
    /// there stays, one that got the inode number since as well.
    pub fn remove_gone(&self, key: FileKey, ino: u64, birth: u64) {
        self.queue.post(Write::RemoveGone(key, ino, birth));
    }

    /// Queues: there is nothing in `dir` or below it.
    pub fn remove_dir(&self, volume: VolumeKey, user: u32, dir: Vec<u8>) {
        self.queue.post(Write::RemoveDir(volume, user, dir));
    }

    /// Queues: the file at `from` is at `to` now, under its old id, in place of what was there, and what its new name
    /// says it is. Without a row at `from` only the one at `to` goes.
    pub fn rename_file(&self, from: FileKey, to: FileKey, renamed: Renamed) {
        self.queue.post(Write::RenameFile { from, to, renamed });
    }

    /// Queues: what was in `from` or below it is in `to` or below it now, in place of what was there. The two may not
    /// lie in one another.
    pub fn rename_dir(&self, volume: VolumeKey, user: u32, from: Vec<u8>, to: Vec<u8>) {
        self.queue.post(Write::RenameDir { volume, user, from, to });
    }

    /// Queues: everything in `dir` and below became hidden (media type 0).
    pub fn hide_below(&self, volume: VolumeKey, user: u32, dir: Vec<u8>) {
        self.queue.post(Write::Hide(volume, user, dir));
    }

    /// Queues: `dir` is not hidden any more. What is in it and below gets the media type that `rules` give it, but for
    /// what an indexed file at or below `dir` hides.
    pub fn show_below(&self, volume: VolumeKey, user: u32, dir: Vec<u8>, rules: HidingRules) {
        self.queue.post(Write::Show(volume, user, dir, rules));
    }

    /// Until what this returns is dropped, queued writes that nobody waits for gather for a quarter of a second at most, so that
    /// what is done to many files takes few commits.
    pub fn gather(&self) -> Gathering {
        self.queue.gather()
    }

    /// Returns when everything queued before the call is committed: at once if it is.
    ///
    /// # Errors
    ///
    /// When that takes too long, or a write was lost meanwhile.
    pub fn flush(&self) -> Result<(), CatalogError> {
        self.queue.flush()
    }

    /// Like [`Catalog::flush`], for what was queued about files of this volume: what becomes of another volume's writes
    /// neither delays it nor makes it fail.
    ///
    /// # Errors
    ///
    /// When that takes too long, or a write about this volume was lost meanwhile.
    pub fn flush_volume(&self, volume: VolumeKey) -> Result<(), CatalogError> {
        self.queue.flush_volume(volume)
    }

    /// Like [`Catalog::flush`], but what was lost meanwhile is not told: for whoever waits for what belongs to no volume, such as the
    /// facts of files, and can do without it.
    ///
    /// # Errors
    ///
    /// When that takes too long, or the catalog is closed.
    pub fn settle(&self) -> Result<(), CatalogError> {
        self.queue.settle()
    }

    /// Like [`Catalog::upsert`], but committed on return, with the id of the row: for lower file systems that cannot
    /// hold the owner themselves.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn upsert_now(&self, key: FileKey, row: FileRow) -> Result<i64, CatalogError> {
        self.upsert_recorded_now(key, row, Recorded::default())
    }

    /// [`Catalog::upsert_recorded`] as [`Catalog::upsert_now`].
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn upsert_recorded_now(
        &self,
        key: FileKey,
        row: FileRow,
        recorded: Recorded,
    ) -> Result<i64, CatalogError> {
        self.queue.call(Write::Upsert(key, row, recorded))
    }

    /// The row at `key`.
    ///
    /// # Errors
    ///
    /// When SQLite fails or the catalog is closed; so for every other read.
    pub fn file(&self, key: &FileKey) -> Result<Option<FileRow>, CatalogError> {
        self.readers.file(key)
    }

    /// The rows of the files in `dir`, by name, in one query.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn list_dir(
        &self,
        volume: VolumeKey,
        user: u32,
        dir: &[u8],
    ) -> Result<HashMap<Vec<u8>, FileRow>, CatalogError> {
        self.readers.list_dir(volume, user, dir)
    }

    /// Calls `f` with name, owner, inode number and birth of each file in `dir`, in one query, within which `f` runs: it may not use
    /// the catalog.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn for_each_owner(
        &self,
        volume: VolumeKey,
        user: u32,
        dir: &[u8],
        f: &mut EachOwner<'_>,
    ) -> Result<(), CatalogError> {
        self.readers.for_each_owner(volume, user, dir, f)
    }

    /// Calls `f` with directory, name and row of every file in `dir` and below, ordered by directory, then name. The
    /// rows come in pages, and `f` runs between queries: it may use the catalog; what moves
    /// meanwhile may be seen twice or not at all.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn for_each_below(
        &self,
        volume: VolumeKey,
        user: u32,
        dir: &[u8],
        f: &mut EachFile<'_>,
    ) -> Result<(), CatalogError> {
        self.readers.for_each_below(volume, user, dir, f)
    }

    /// How many files of the volume are indexed.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn count(&self, volume: VolumeKey) -> Result<u64, CatalogError> {
        self.readers.count(volume)
    }

    /// Stores the record of a package; `None` says that it was removed, which takes its grants with it
    /// and records its departure.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn store_package(&self, name: &str, json: Option<&str>) -> Result<(), CatalogError> {
        self.queue.call(Write::Package(name.into(), json.map(Into::into))).map(drop)
    }

    /// All stored package records, by name.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn packages(&self) -> Result<Vec<(String, Option<String>)>, CatalogError> {
        self.readers.packages()
    }

    /// True if the index of the volume may not say what the lower file system says: it is new, the last end was not an
    /// orderly one, or a write was lost. To be asked where a reconcile would begin: what is lost after the last
    /// time it was asked outlives [`Catalog::set_reconciled`].
    ///
    /// # Errors
    ///
    /// When reading or writing the mark fails.
    pub fn needs_reconcile(&self, volume: VolumeKey) -> Result<bool, CatalogError> {
        if !self.queue.unmark(volume) {
            return self.readers.is_reconciled(volume).map(|reconciled| !reconciled);
        }
        match self.queue.call(Write::Reconciled(volume, false)) {
            Ok(_) => Ok(true),
            Err(error) => {
                self.queue.mark(Some(volume));
                Err(error)
            }
        }
    }

    /// True if a write about the volume was lost since [`Catalog::needs_reconcile`] was last asked: a reconcile is due.
    pub fn has_lost(&self, volume: VolumeKey) -> bool {
        self.queue.is_marked(volume)
    }

    /// The volume has been reconciled.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn set_reconciled(&self, volume: VolumeKey) -> Result<(), CatalogError> {
        self.queue.call(Write::Reconciled(volume, true)).map(drop)
    }

    /// Commits what is queued, notes that this was an orderly end, and closes the file. Later writes are ignored and
    /// counted, later reads fail. Dropping the catalog does the same.
    pub fn close(&self) {
        self.queue.shut();
        self.readers.close();
        if !self.queue.wait_until_gone() {
            log::error!(
                "catalog: the writer did not end in time; the next start will reconcile every volume"
            );
        }
    }
}

impl Drop for Catalog {
    fn drop(&mut self) {
        self.close();
    }
}
