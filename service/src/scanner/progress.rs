//! How far a scan is, for who asks meanwhile.
//!
//! Locks: `path` is a leaf, held for a copy.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

/// The numbers of a scan that may be running.
#[derive(Debug, Default)]
pub struct Progress {
    pub(super) directories: AtomicU64,
    pub(super) files: AtomicU64,
    pub(super) added: AtomicU64,
    pub(super) changed: AtomicU64,
    pub(super) removed: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) emptied: AtomicBool,
    path: Mutex<Vec<u8>>,
}

/// What a scan did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Directories looked at.
    pub directories: u64,
    /// Files looked at.
    pub files: u64,
    /// Files that the index did not know, or knew as another.
    pub added: u64,
    /// Rows that said something of their file that was not so.
    pub changed: u64,
    /// Rows whose file is gone.
    pub removed: u64,
    /// Directories and files that could not be looked at.
    pub failed: u64,
    /// There is not one file where the index knows some: its rows were left alone.
    pub emptied: bool,
    /// The directory that was looked at last, below the lower root.
    pub path: Vec<u8>,
}

impl Progress {
    /// As of now.
    pub fn numbers(&self) -> Numbers {
        Numbers {
            directories: self.directories.load(Relaxed),
            files: self.files.load(Relaxed),
            added: self.added.load(Relaxed),
            changed: self.changed.load(Relaxed),
            removed: self.removed.load(Relaxed),
            failed: self.failed.load(Relaxed),
            emptied: self.emptied.load(Relaxed),
            path: self.path.lock().clone(),
        }
    }

    pub(super) fn add(number: &AtomicU64, by: u64) {
        number.fetch_add(by, Relaxed);
    }

    pub(super) fn is_at(&self, path: &[u8]) {
        let mut shown = self.path.lock();
        shown.clear();
        shown.extend_from_slice(path);
    }
}
