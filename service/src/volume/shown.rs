//! To whom all of a directory was shown: only such callers may be served by what the kernel keeps of its listing.

use std::sync::atomic::Ordering::{AcqRel, Acquire};
use std::time::SystemTime;

use super::Volume;
use crate::lower::{Id, Meta};

/// So many pairs of a directory and a caller are remembered at most.
pub(super) const PLACES: usize = 16_384;

/// All that decides which of a directory's files a caller without grants is shown.
#[derive(Clone, Copy, Debug)]
pub struct Showing<'a> {
    /// The directory.
    pub dir: Id,
    /// Its path below the lower root.
    pub path: &'a [u8],
    /// Which files are in it: its change time, of [`Volume::listing_version`].
    pub version: i64,
    /// Whose they are: [`Volume::owner_changes`].
    pub owners: u64,
    /// Whether files in it are no media for what is above or beside them.
    pub hidden: bool,
    /// Who asks.
    pub uid: u32,
    /// What was known of callers: [`crate::access::Access::epoch`], read before the caller was.
    pub epoch: u64,
}

impl Volume {
    /// The change time of a directory, in nanoseconds, of which the kernel may keep a listing, if it may of any: whatever comes or
    /// goes after `looked` leaves another one, and a listing goes on at a place in it whatever came or went before (not so on
    /// overlayfs, which counts entries).
    pub fn listing_version(&self, meta: &Meta, looked: SystemTime) -> Option<i64> {
        self.version_of(meta, looked).filter(|_| self.keeps_listings && !self.lower.is_stacked())
    }

    /// Grows when files that stay where they are get another owner. What is shown after it was read is so until then.
    pub fn owner_changes(&self) -> u64 {
        self.owner_changes.load(Acquire)
    }

    /// Files that stay where they are have another owner, by what is written on them or in the index.
    pub fn owners_changed(&self) {
        self.owner_changes.fetch_add(1, AcqRel);
    }

    /// The same was shown already: all there is, or not all. `None` where that is not known.
    pub fn showed_all(&self, showing: &Showing<'_>) -> Option<bool> {
        [true, false].into_iter().find(|all| self.shown.has(showing.place(), showing.said(*all)))
    }

    /// All was shown, or not all.
    pub fn has_shown(&self, showing: &Showing<'_>, all: bool) {
        self.shown.put(showing.place(), showing.said(all));
    }
}

impl Showing<'_> {
    fn place(&self) -> (Id, &[u8], u32) {
        (self.dir, self.path, self.uid)
    }

    fn said(&self, all: bool) -> (i64, u64, bool, u64, bool) {
        (self.version, self.owners, self.hidden, self.epoch, all)
    }
}
