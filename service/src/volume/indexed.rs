//! What the index was found to be right about, so that it is not asked or looked at again.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
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
}

/// So many files are remembered at most.
const SLOTS: usize = 4096;

/// The files of which the index was found to have a row: what the kernel forgets and asks for again costs no question to the catalog
/// then. A row that goes without its file is made good by scans, not by who opens the file.
#[derive(Debug)]
pub(super) struct Indexed {
    /// Of which file and place, as a number that nobody outside can foresee; 0: of none.
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for Indexed {
    fn default() -> Indexed {
        Indexed { slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::new() }
    }
}

impl Indexed {
    /// Whether that file was found to have a row at this place.
    pub(super) fn knows(&self, id: Id, lower_path: &[u8]) -> bool {
        let (slot, number) = self.place(id, lower_path);
        slot.is_some_and(|slot| slot.load(Relaxed) == number)
    }

    /// It has.
    pub(super) fn remember(&self, id: Id, lower_path: &[u8]) {
        let (slot, number) = self.place(id, lower_path);
        if let Some(slot) = slot {
            slot.store(number, Relaxed);
        }
    }

    fn place(&self, id: Id, lower_path: &[u8]) -> (Option<&AtomicU64>, u64) {
        let number = self.hasher.hash_one((id, lower_path)) | 1;
        let slot = usize::try_from(number >> 32).unwrap_or(0) % SLOTS;
        (self.slots.get(slot), number)
    }
}

#[cfg(test)]
mod tests {
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
    fn the_youngest_are_known_however_many_there_were() {
        let indexed = Indexed::default();
        for ino in 0..100_000 {
            let id = Id { ino, generation: 0 };
            indexed.remember(id, b"0/a");
            assert!(indexed.knows(id, b"0/a"));
        }
    }
}
