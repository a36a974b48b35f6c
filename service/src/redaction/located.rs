//! What a volume's files tell, remembered.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::cache::Cache;
use super::find::{ReadAt, Unreadable};
use super::ranges::Hidden;
use super::source::RangeSource;
use crate::lower::{LowerError, Meta, Root, Stamp, write_out};
use crate::observe::{Counter, Observer};

/// More than a file system's clock takes to move on: at most 10 ms where it is the timer's (a HZ of 100).
const TICK: Duration = Duration::from_millis(50);
/// The same where times are kept in steps of two seconds (FAT).
const COARSE_TICK: Duration = Duration::from_secs(5);
/// A file that changes under every one of so many looks is not understood.
const LOOKS: usize = 4;
/// With more ranges than that a file's findings are not stored.
const MOST_STORED: usize = 4096;

/// Keeps findings over restarts. What it cannot do it leaves: findings can be found again.
pub trait RangeStore: Send + Sync + std::fmt::Debug + 'static {
    /// What was found in the file of this stamp by this version of the source.
    fn load(&self, stamp: &Stamp, version: u32) -> Option<Hidden>;

    /// Remembers it, in place of what was known of that inode.
    fn save(&self, stamp: &Stamp, version: u32, hidden: &Hidden);
}

/// Where findings may be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// In memory only: files that the index does not know, whose end nobody would tell the store.
    Memory,
    /// In the store as well.
    Store,
}

/// What the files of a volume tell.
#[derive(Debug)]
pub struct Located {
    source: Arc<dyn RangeSource>,
    /// None where inode numbers mean nothing.
    memory: Option<Cache>,
    store: Option<Arc<dyn RangeStore>>,
    observer: Arc<Observer>,
}

impl Located {
    /// Of a file system whose inode numbers are those of its files for good, if `stable`.
    pub fn new(
        source: Arc<dyn RangeSource>,
        store: Option<Arc<dyn RangeStore>>,
        stable: bool,
        observer: Arc<Observer>,
    ) -> Located {
        let memory = stable.then(Cache::default);
        Located { source, memory, store: store.filter(|_| stable), observer }
    }

    /// Whether a file of this MIME type can have anything to hide.
    pub fn may_have_ranges(&self, mime: &str) -> bool {
        self.source.may_have_ranges(mime)
    }

    /// True when whatever changes the file from now on must leave another stamp.
    pub fn is_settled(&self, stamp: &Stamp) -> bool {
        let tick = if self.memory.is_some() { TICK } else { COARSE_TICK };
        stamp.is_settled(SystemTime::now(), tick)
    }

    /// What is to be hidden in the file of this stamp, if that is remembered. Nobody may have it open for writing.
    pub fn known(&self, stamp: &Stamp, keep: Keep) -> Option<Hidden> {
        if stamp.size == 0 {
            return Some(Hidden::default());
        }
        let memory = self.memory.as_ref()?;
        if let Some(hidden) = memory.get(stamp) {
            return Some(hidden);
        }
        if keep == Keep::Memory || stamp.id.generation == 0 {
            return None;
        }
        let hidden = self.store.as_ref()?.load(stamp, self.source.version())?;
        memory.put(*stamp, hidden.clone());
        Some(hidden)
    }

    /// What is to be hidden in `file` (`O_PATH` is enough), which nobody has open for writing: remembered or found. With it
    /// the stamp of what was looked at. `undisturbed` says whether that is still so: if not, nothing is remembered.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or is not what it was.
    pub fn of(
        &self,
        file: BorrowedFd<'_>,
        meta: &Meta,
        keep: Keep,
        undisturbed: &dyn Fn() -> bool,
    ) -> Result<(Hidden, Stamp), LowerError> {
        let stamp = meta.stamp();
        if let Some(hidden) = self.known(&stamp, keep) {
            self.observer.count(Counter::FindingsKnown);
            return Ok((hidden, stamp));
        }
        let file = Root::reopen_unnoticed(file)?;
        self.look(file.as_fd(), stamp, keep, undisturbed)
    }

    /// Looks into `file`, opened for reading, until it is the same before and after the look.
    fn look(
        &self,
        file: BorrowedFd<'_>,
        mut before: Stamp,
        keep: Keep,
        undisturbed: &dyn Fn() -> bool,
    ) -> Result<(Hidden, Stamp), LowerError> {
        for _ in 0..LOOKS {
            // Before the look: what changes the file after this moment changes the stamp.
            let settled = self.is_settled(&before);
            if settled {
                // Or a mapping, which outlives the open that it was made from, could store into a page that is dirty already.
                write_out(file)?;
            }
            let found = self.find(file, before.size);
            let after = Meta::of(file)?.stamp();
            if after != before {
                before = after;
                continue;
            }
            let hidden = match found {
                Ok(hidden) => hidden,
                // That says nothing about the file: the next one who asks looks again.
                Err(Unreadable::Io(_)) => return Ok((Hidden::All, before)),
                Err(Unreadable::TooMuch | Unreadable::Damaged { .. }) => Hidden::All,
            };
            if settled && undisturbed() {
                self.remember(before, &hidden, keep);
            }
            return Ok((hidden, before));
        }
        Ok((Hidden::All, before))
    }

    /// What is to be hidden in `file`, opened for reading, as it is at this moment.
    ///
    /// # Errors
    ///
    /// When there is no saying how long it is.
    pub fn fresh(&self, file: BorrowedFd<'_>) -> Result<(Hidden, Stamp), LowerError> {
        let stamp = Meta::of(file)?.stamp();
        Ok((self.find(file, stamp.size).unwrap_or(Hidden::All), stamp))
    }

    fn find(&self, file: BorrowedFd<'_>, length: u64) -> Result<Hidden, Unreadable> {
        self.observer.count(Counter::Looks);
        let ranges = self.source.find(&Opened { file, length })?;
        Ok(if ranges.is_empty() { Hidden::default() } else { Hidden::Bytes(Arc::new(ranges)) })
    }

    fn remember(&self, stamp: Stamp, hidden: &Hidden, keep: Keep) {
        let Some(memory) = &self.memory else { return };
        memory.put(stamp, hidden.clone());
        if let Some(store) = &self.store
            && keep == Keep::Store
            && stamp.id.generation != 0
            && hidden.count() <= MOST_STORED
        {
            store.save(&stamp, self.source.version(), hidden);
        }
    }
}

/// A file that was opened for reading, as long as it was then.
struct Opened<'a> {
    file: BorrowedFd<'a>,
    length: u64,
}

impl ReadAt for Opened<'_> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        Ok(rustix::io::pread(self.file, buffer, offset)?)
    }
}

#[cfg(test)]
mod tests;
