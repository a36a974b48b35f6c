//! What need not be looked at again: directories that have not changed since the index was brought up to date, and files
//! that it was asked about.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Volume;
use crate::lower::{Id, Meta};

/// Between the change of a directory's time and the event that tells of it: the file system is still at work then, and may
/// wait for its journal. Also more than the clock of any file system that keeps attributes takes to move on.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// How far the index is known to be right.
#[derive(Debug, Default)]
pub(super) struct UpToDate {
    /// All files were looked at since the volume is attached.
    walked: AtomicBool,
    /// Whatever was told of until then is in the index, in nanoseconds since 1970; 0 before anything is known.
    until: AtomicI64,
}

impl Volume {
    /// All files were looked at: rows are believed.
    pub fn trust_rows(&self) {
        self.doubted.store(false, Release);
        self.up_to_date.walked.store(true, Release);
    }

    /// All changes behind the mount that were told of before `when` are in the index, or queued to it.
    pub fn is_up_to_date(&self, when: SystemTime) {
        let since = when.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.up_to_date.until.store(i64::try_from(since.as_nanos()).unwrap_or(0), Release);
    }

    /// True if no name has come to `dir` or gone from it but that the index knows, once what is queued is committed. To be asked
    /// before that, of attributes which are younger than what is compared with the rows.
    pub fn is_settled(&self, dir: &Meta) -> bool {
        let until = self.up_to_date.until.load(Acquire);
        let until = UNIX_EPOCH + Duration::from_nanos(u64::try_from(until).unwrap_or(0));
        self.lower.has_xattrs()
            && self.is_watched()
            && self.up_to_date.walked.load(Acquire)
            && !self.doubts_rows()
            && dir.stamp().is_settled(until, UNDER_WAY)
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
