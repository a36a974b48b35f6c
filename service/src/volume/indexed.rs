//! What the index was found to be right about, so that it is not asked or looked at again.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use super::Volume;
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

    /// That a file is of this version by now is queued.
    pub fn was_told(&self, meta: &Meta, lower_path: &[u8]) {
        self.indexed.put_version(meta, lower_path);
    }

    /// Whether the index was told just this of the file that is there: then a change of its content that is heard of later is
    /// nothing new. Not where a file is told from another by its name alone, nor while rows are missing or of another time.
    pub fn has_told(&self, meta: &Meta, lower_path: &[u8]) -> bool {
        self.lower.has_xattrs()
            && self.indexed.has_version(meta, lower_path)
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
}

impl Indexed {
    /// Whether that file was found to have a row at this place.
    pub(super) fn knows(&self, id: Id, lower_path: &[u8]) -> bool {
        self.places.has(&(id, lower_path))
    }

    /// It has.
    pub(super) fn remember(&self, id: Id, lower_path: &[u8]) {
        self.places.put(&(id, lower_path));
    }

    /// The row, if the file is known to have one here, is to be of this version by then.
    fn put_version(&self, meta: &Meta, lower_path: &[u8]) {
        if self.knows(meta.id, lower_path) {
            self.versions.put(&version(meta, lower_path));
        }
    }

    fn has_version(&self, meta: &Meta, lower_path: &[u8]) -> bool {
        self.versions.has(&version(meta, lower_path))
    }
}

fn version<'a>(meta: &Meta, lower_path: &'a [u8]) -> (Id, &'a [u8], u64, i64) {
    (meta.id, lower_path, meta.size, meta.mtime_ns())
}

/// What was put here last, in a table of fixed size.
#[derive(Debug)]
struct Slots {
    /// What it is, as a number that nobody outside can foresee; 0: nothing.
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for Slots {
    fn default() -> Slots {
        Slots { slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::new() }
    }
}

impl Slots {
    fn has(&self, what: &impl Hash) -> bool {
        let (slot, number) = self.place(what);
        slot.is_some_and(|slot| slot.load(Relaxed) == number)
    }

    fn put(&self, what: &impl Hash) {
        let (slot, number) = self.place(what);
        if let Some(slot) = slot {
            slot.store(number, Relaxed);
        }
    }

    fn place(&self, what: &impl Hash) -> (Option<&AtomicU64>, u64) {
        let number = self.hasher.hash_one(what) | 1;
        let slot = usize::try_from(number >> 32).unwrap_or(0) % SLOTS;
        (self.slots.get(slot), number)
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_file_is_known_at_its_place_only() {
        let indexed = Indexed::default();
        let id = |ino, generation| Id { ino, generation };
        assert!(!indexed.knows(id(1, 1), b"0/a"));
        indexed.remember(id(1, 1), b"0/a");
        assert!(indexed.knows(id(1, 1), b"0/a"));
        assert!(!indexed.knows(id(1, 1), b"0/b") && !indexed.knows(id(2, 1), b"0/a"));
        assert!(!indexed.knows(id(1, 2), b"0/a"));
    }

    #[test]
    fn a_version_is_known_of_a_file_that_has_a_row() {
        let file = tempfile::tempfile().unwrap();
        let meta = || Meta::of(file.as_fd()).unwrap();
        let indexed = Indexed::default();
        let first = meta();
        indexed.put_version(&first, b"0/a");
        assert!(!indexed.has_version(&first, b"0/a"), "nobody knows of a row");
        indexed.remember(first.id, b"0/a");
        assert!(!indexed.has_version(&first, b"0/a"));
        indexed.put_version(&first, b"0/a");
        assert!(indexed.has_version(&first, b"0/a"));
        assert!(!indexed.has_version(&first, b"0/b"));
        file.set_len(1).unwrap();
        assert!(!indexed.has_version(&meta(), b"0/a"), "of another size");
        indexed.put_version(&meta(), b"0/a");
        assert!(indexed.has_version(&meta(), b"0/a"));
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(!indexed.has_version(&meta(), b"0/a"), "of another time");
    }

    #[test]
    fn the_youngest_are_known_however_many_there_were() {
        let indexed = Indexed::default();
        for ino in 0..100_000 {
            let id = Id { ino, generation: 0 };
            indexed.remember(id, b"0/a");
            assert!(indexed.knows(id, b"0/a"));
        }
    }
}
