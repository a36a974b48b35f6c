//! What the index was found to be right about, so that it is not asked or looked at again.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use super::Volume;
use super::slots::Slots;
use crate::access::Subject;
use crate::lower::{Id, Meta};

/// More than the clock of any file system that keeps attributes takes to move on.
const TICK: Duration = Duration::from_secs(2);

impl Volume {
    /// True if the index was found to be right about all files in the directory at `path`, and none has come or gone since: nothing
    /// can have taken the place of a file that has a row, with whatever inode number. `meta` is the directory's, younger than
    /// what is known of its entries.
    pub fn is_right_about(&self, path: &[u8], meta: &Meta) -> bool {
        self.indexed.dirs.has((meta.id, path), (meta.stamp().ctime_ns, self.indexed.epoch()))
    }

    /// The index was found to be right about each file in the directory at `path`, and none came or went after `looked` that
    /// was not seen. Where a later change could leave the time that `meta` says, that is not remembered.
    pub fn was_right_about(&self, path: &[u8], meta: &Meta, looked: SystemTime) {
        if let Some(version) = self.version_of(meta, looked) {
            self.indexed.dirs.put((meta.id, path), (version, self.indexed.epoch()));
        }
    }

    /// The change time of a directory, in nanoseconds, if whatever comes or goes in it after `looked` leaves another one, and whose
    /// its files are is written on them.
    pub fn version_of(&self, meta: &Meta, looked: SystemTime) -> Option<i64> {
        let stamp = meta.stamp();
        let is_telling = self.lower.has_xattrs() && self.lower.is_local() && stamp.is_settled(looked, TICK);
        is_telling.then_some(stamp.ctime_ns)
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
const FILES: usize = 4096;

/// So many directories are.
const DIRS: usize = 16_384;

/// What the index was found to be right about.
#[derive(Debug)]
pub(super) struct Indexed {
    /// The files of which it has a row: what the kernel forgets and asks for again costs no question to the catalog then. A row that
    /// goes without its file is made good by scans, not by who opens the file.
    places: Slots,
    /// What it was told of files last.
    versions: Slots,
    /// How often anything was told of them.
    turns: Box<[AtomicU64]>,
    /// The directories about all of whose files it is right, with their change times.
    dirs: Slots,
    /// What was remembered of files before it changed is forgotten.
    epoch: AtomicU64,
}

impl Default for Indexed {
    fn default() -> Indexed {
        Indexed {
            places: Slots::new(FILES),
            versions: Slots::new(FILES),
            turns: (0..FILES).map(|_| AtomicU64::new(0)).collect(),
            dirs: Slots::new(DIRS),
            epoch: AtomicU64::new(0),
        }
    }
}

impl Indexed {
    /// Whether that file was found to have a row at this place.
    pub(super) fn knows(&self, id: Id, lower_path: &[u8]) -> bool {
        self.places.has((id, lower_path), self.epoch())
    }

    /// It has.
    pub(super) fn remember(&self, id: Id, lower_path: &[u8]) {
        self.places.put((id, lower_path), self.epoch());
    }

    fn forget(&self) {
        self.epoch.fetch_add(1, SeqCst);
    }

    /// The row, if the file is known to have one here, says this, and nothing that was said before. The turn that it was.
    fn put_version(&self, id: Id, lower_path: &[u8], version: (u64, i64)) -> u64 {
        let epoch = self.epoch();
        if self.places.has((id, lower_path), epoch) {
            self.versions.put((id, lower_path), (epoch, version));
            self.take_turn(id, lower_path)
        } else {
            self.forget_version(id, lower_path)
        }
    }

    /// What is said of it is not known any more. The turn that it was.
    pub(super) fn forget_version(&self, id: Id, lower_path: &[u8]) -> u64 {
        self.versions.clear((id, lower_path));
        self.take_turn(id, lower_path)
    }

    fn take_turn(&self, id: Id, lower_path: &[u8]) -> u64 {
        self.turns_of(id, lower_path).map_or(0, |turns| turns.fetch_add(1, SeqCst))
    }

    /// The turn of who says something of the file next.
    pub(super) fn turn(&self, id: Id, lower_path: &[u8]) -> u64 {
        self.turns_of(id, lower_path).map_or(0, |turns| turns.load(SeqCst))
    }

    fn turns_of(&self, id: Id, lower_path: &[u8]) -> Option<&AtomicU64> {
        self.turns.get(self.versions.slot((id, lower_path)))
    }

    fn has_version(&self, id: Id, lower_path: &[u8], version: (u64, i64)) -> bool {
        self.versions.has((id, lower_path), (self.epoch(), version))
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(SeqCst)
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
    fn a_directory_is_known_at_its_place_and_time_only() {
        let indexed = Indexed::default();
        let has = |path: &[u8], ctime_ns: i64| indexed.dirs.has((ID, path), ctime_ns);
        assert!(!has(b"0/a", 5) && !has(b"0/a", 0));
        indexed.dirs.put((ID, b"0/a"), 5i64);
        assert!(has(b"0/a", 5) && !has(b"0/a", 6) && !has(b"0/b", 5));
        assert!(!indexed.dirs.has((Id { ino: 1, generation: 2 }, b"0/a"), 5i64));
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
