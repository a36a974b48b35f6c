//! Backing files that outlive their last open for a while, so that a file that is opened again and again is registered
//! once.
//!
//! When the last handle of a file goes, its [`IoState`] may stay *parked*: with its backing file and its descriptor,
//! but without a place in anybody's share. How many are parked is bounded here, by the descriptors that open handles
//! leave, and for how long: [`Warm::let_go`] is called once a second. A file whose name goes is let go at once
//! (`File::mark_removed`), or its space would not come back.
//!
//! A parked file is opened again without a look at its path. So nothing is parked unless somebody watches the lower
//! tree and lets go of what is moved or removed there.
//!
//! # Locks
//! The queues are locked to move entries only, never together with a file's `io` mutex.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::budget::Budget;
use super::state::IoState;

const SHARDS: usize = 16;

type Queue = Mutex<VecDeque<Weak<Mutex<IoState>>>>;

/// More files than that are not opened over and over.
const MOST: u64 = 8192;

/// How many files may be parked.
#[derive(Clone, Debug)]
pub struct Room {
    /// Descriptors of the process.
    pub descriptors: u64,
    /// Open handles, over all volumes; each may hold two descriptors.
    pub handles: Arc<Budget>,
    /// Volumes that share what is left.
    pub volumes: usize,
}

impl Room {
    fn left(&self) -> usize {
        // The rest is for the catalog, the interface and directories.
        let usable = self.descriptors / 16 * 15;
        let left = usable.saturating_sub(2 * u64::from(self.handles.in_use())).min(MOST);
        usize::try_from(left).unwrap_or(0) / self.volumes.max(1)
    }
}

/// Which files have a parked backing file. An entry may be of a file that is open again, or gone.
#[derive(Debug)]
pub(super) struct Warm {
    room: Room,
    on: AtomicBool,
    next: AtomicUsize,
    queues: [Queue; SHARDS],
}

impl Warm {
    /// Keeps nothing until told to.
    pub(super) fn new(room: Room) -> Warm {
        Warm {
            room,
            on: AtomicBool::new(false),
            next: AtomicUsize::new(0),
            queues: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Starts or stops keeping files; those that are kept go with the next [`Warm::let_go`].
    pub(super) fn turn(&self, on: bool) {
        self.on.store(on, Relaxed);
    }

    /// Whether files are kept.
    pub(super) fn is_on(&self) -> bool {
        self.on.load(Relaxed)
    }

    /// Files that may be kept.
    pub(super) fn room(&self) -> usize {
        if self.is_on() { self.room.left() } else { 0 }
    }

    /// Entries that one queue may have.
    fn limit(&self) -> usize {
        self.room() / SHARDS
    }

    /// Makes room where handles have come to need it.
    pub(super) fn trim(&self) {
        let limit = self.limit();
        for queue in &self.queues {
            self.shorten(queue, limit);
        }
    }

    /// Lets go of all that is kept.
    pub(super) fn clear(&self) {
        for queue in &self.queues {
            self.shorten(queue, 0);
        }
    }

    /// A file was parked that has no entry. The oldest one that was not used since it came is let go for it.
    pub(super) fn push(&self, io: Weak<Mutex<IoState>>) {
        // In turn: which files come together says nothing about which are wanted again.
        let queue = &self.queues[self.next.fetch_add(1, Relaxed) % SHARDS];
        queue.lock().push_back(io);
        self.shorten(queue, self.limit());
    }

    fn shorten(&self, queue: &Queue, limit: usize) {
        // Each turn either shortens the queue or takes a mark away.
        let turns = 2 * queue.lock().len();
        for _ in 0..turns {
            let oldest = {
                let mut entries = queue.lock();
                if entries.len() <= limit {
                    return;
                }
                entries.pop_front()
            };
            Self::settle(queue, oldest, IoState::evict);
        }
    }

    /// Lets go of what was parked and not used for some calls.
    pub(super) fn let_go(&self) {
        if !self.is_on() {
            return self.trim();
        }
        for queue in &self.queues {
            let entries = std::mem::take(&mut *queue.lock());
            for entry in entries {
                Self::settle(queue, Some(entry), IoState::grow_old);
            }
        }
    }

    /// Asks `fate` about an entry that was taken out, and puts it back if it is to stay.
    fn settle(queue: &Queue, entry: Option<Weak<Mutex<IoState>>>, fate: fn(&mut IoState) -> Fate) {
        let Some((entry, io)) = entry.and_then(|entry| Some((entry.clone(), entry.upgrade()?))) else {
            return;
        };
        let what = fate(&mut io.lock());
        match what {
            Fate::Stays => queue.lock().push_back(entry),
            // Dropped here, without a lock: it closes a backing file.
            Fate::Goes(parked) => drop(parked),
        }
    }
}

/// What becomes of an entry.
#[derive(Debug)]
pub(super) enum Fate {
    /// It goes back into the queue.
    Stays,
    /// It is out, with what was parked, if anything was.
    Goes(super::state::Parked),
}
