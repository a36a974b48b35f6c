//! What the index was found to be right about, so that it is not asked or looked at again.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use super::Volume;
use crate::access::Subject;
use crate::lower::{Id, Meta};
use crate::node::File;

/// More than the clock of any file system that keeps attributes takes to move on.
const TICK: Duration = Duration::from_secs(2);

impl Volume {
    /// True if the index was found to be right about all files in a directory, and none has come or gone since: nothing can
    /// have taken the place of a file that has a row, with whatever inode number. `meta` is the directory's, younger than
    /// what is known of its entries.
    pub fn is_right_about(&self, dir: &File, path: &[u8], meta: &Meta) -> bool {
        dir.is_indexed_as(path, meta.stamp().ctime_ns)
    }

    /// The index was found to be right about each file in a directory, after `meta` was read. Where a later change could leave the
    /// same time that is not remembered.
    pub fn was_right_about(&self, dir: &File, path: &[u8], meta: &Meta, looked: SystemTime) {
        let stamp = meta.stamp();
        if self.lower.has_xattrs() && self.lower.is_local() && stamp.is_settled(looked, TICK) {
            dir.set_indexed_as(path, stamp.ctime_ns);
        }
    }

    /// The row of a file that was made through the mount is queued: nobody has to ask whether there is one.
    pub fn has_row(&self, id: Id, lower_path: &[u8]) {
        self.indexed.remember(id, lower_path);
    }

    /// Rows are removed of files that stay: which of them have one is not known any more.
    pub fn rows_went(&self) {
        self.indexed.forget();
    }

    /// What is queued about a file says this of its size and its modification time: how often anything was told before. Who does not
    /// compare that with what it was before the look has to look again.
    pub(super) fn was_told(&self, id: Id, subject: &Subject, version: (u64, i64)) -> u64 {
        self.indexed.put_version(id, subject.lower_path(), version)
    }

    /// Whether the index was told just this last of the file that is there: then a change of its content that is heard of later is
    /// nothing new. Not where a file is told from another by its name alone, nor while rows are missing or of another time.
    pub fn has_told(&self, meta: &Meta, lower_path: &[u8]) -> bool {
        self.lower.has_xattrs()
            && self.indexed.has_version(meta.id, lower_path, (meta.size, meta.mtime_ns()))
            && !self.doubts_rows()
            && !self.catalog.has_lost(self.key)
    }
}

/// So many files are remembered at most.
const SLOTS: usize = 4096;

/// The files of which the index was found to have a row: what the kernel forgets and asks for again costs no question to the catalog
/// then. A row that goes without its file is made good by scans, not by who opens the file.
#[derive(Debug, Default)]
pub(super) struct Indexed {
    places: Slots,
    versions: Slots,
    /// What was remembered before it changed is forgotten.
    epoch: AtomicU64,
}

impl Indexed {
    /// Whether that file was found to have a row at this place.
    pub(super) fn knows(&self, id: Id, lower_path: &[u8]) -> bool {
        self.places.has((id, lower_path), &self.epoch())
    }

    /// It has.
    pub(super) fn remember(&self, id: Id, lower_path: &[u8]) {
        self.places.put((id, lower_path), &self.epoch());
    }

    fn forget(&self) {
        self.epoch.fetch_add(1, SeqCst);
    }

    /// The row, if the file is known to have one here, says this, and nothing that was said before. The turn that it was.
    fn put_version(&self, id: Id, lower_path: &[u8], version: (u64, i64)) -> u64 {
        let epoch = self.epoch();
        if self.places.has((id, lower_path), &epoch) {
            self.versions.put((id, lower_path), &(epoch, version))
        } else {
            self.versions.clear((id, lower_path))
        }
    }

    /// What is said of it is not known any more.
    pub(super) fn forget_version(&self, id: Id, lower_path: &[u8]) {
        self.versions.clear((id, lower_path));
    }

    /// The turn of who says something of the file next.
    pub(super) fn turn(&self, id: Id, lower_path: &[u8]) -> u64 {
        self.versions.slot((id, lower_path)).map_or(0, |slot| slot.turns.load(SeqCst))
    }

    fn has_version(&self, id: Id, lower_path: &[u8], version: (u64, i64)) -> bool {
        self.versions.has((id, lower_path), &(self.epoch(), version))
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(SeqCst)
    }
}

/// A file and its path below the lower root.
type Place<'a> = (Id, &'a [u8]);

/// What was said of a file last, in a table of fixed size.
#[derive(Debug)]
struct Slots {
    slots: Box<[Slot]>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Slot {
    /// Which file it is and what was said, as a number that nobody outside can foresee; 0: nothing.
    said: AtomicU64,
    /// How often anything was said.
    turns: AtomicU64,
}

impl Default for Slots {
    fn default() -> Slots {
        Slots { slots: (0..SLOTS).map(|_| Slot::default()).collect(), hasher: RandomState::new() }
    }
}

impl Slots {
    fn has(&self, place: Place<'_>, said: &impl Hash) -> bool {
        let number = self.hasher.hash_one((place, said)) | 1;
        self.slot(place).is_some_and(|slot| slot.said.load(SeqCst) == number)
    }

    fn put(&self, place: Place<'_>, said: &impl Hash) -> u64 {
        self.say(place, self.hasher.hash_one((place, said)) | 1)
    }

    fn clear(&self, place: Place<'_>) -> u64 {
        self.say(place, 0)
    }

    fn say(&self, place: Place<'_>, number: u64) -> u64 {
        self.slot(place).map_or(0, |slot| {
            slot.said.store(number, SeqCst);
            slot.turns.fetch_add(1, SeqCst)
        })
    }

    /// The one slot for whatever is said of a file.
    fn slot(&self, place: Place<'_>) -> Option<&Slot> {
        let number = self.hasher.hash_one(place);
        self.slots.get(usize::try_from(number >> 32).unwrap_or(0) % SLOTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Id = Id { ino: 1, generation: 1 };

    #[test]
    fn a_file_is_known_at_its_place_only() {
        let indexed = Indexed::default();
        let id = |ino, generation| Id { ino, generation };
        assert!(!indexed.knows(ID, b"0/a"));
        indexed.remember(ID, b"0/a");
        assert!(indexed.knows(ID, b"0/a"));
        assert!(!indexed.knows(ID, b"0/b") && !indexed.knows(id(2, 1), b"0/a"));
        assert!(!indexed.knows(id(1, 2), b"0/a"));
        indexed.forget();
        assert!(!indexed.knows(ID, b"0/a"));
    }

    #[test]
    fn what_was_told_last_of_a_file_that_has_a_row_is_known() {
        let indexed = Indexed::default();
        let has = |version| indexed.has_version(ID, b"0/a", version);
        indexed.put_version(ID, b"0/a", (1, 2));
        assert!(!has((1, 2)), "nobody knows of a row");
        indexed.remember(ID, b"0/a");
        assert!(!has((1, 2)));
        indexed.put_version(ID, b"0/a", (1, 2));
        assert!(has((1, 2)) && !has((1, 3)) && !has((2, 2)));
        assert!(!indexed.has_version(ID, b"0/b", (1, 2)));
        indexed.put_version(ID, b"0/a", (3, 4));
        assert!(has((3, 4)) && !has((1, 2)), "it is not so any more");
        let turn = indexed.turn(ID, b"0/a");
        assert_eq!(indexed.put_version(ID, b"0/a", (3, 4)), turn, "nobody else did");
        assert_ne!(indexed.put_version(ID, b"0/a", (3, 4)), turn, "somebody did");
        indexed.forget_version(ID, b"0/a");
        assert!(!has((3, 4)) && indexed.knows(ID, b"0/a"));
        indexed.put_version(ID, b"0/a", (3, 4));
        indexed.forget();
        assert!(!has((3, 4)));
        let turn = indexed.turn(ID, b"0/a");
        assert_eq!(indexed.put_version(ID, b"0/a", (3, 4)), turn, "where no row is known as well");
        assert!(!has((3, 4)));
    }

    #[test]
    fn the_youngest_are_known_however_many_there_were() {
        let indexed = Indexed::default();
        for ino in 0..100_000 {
            let id = Id { ino, generation: 0 };
            indexed.remember(id, b"0/a");
            indexed.put_version(id, b"0/a", (1, 1));
            assert!(indexed.knows(id, b"0/a") && indexed.has_version(id, b"0/a", (1, 1)));
        }
    }
}
