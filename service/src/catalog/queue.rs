//! The way from the threads that answer requests to the one that writes.
//!
//! Writes are numbered in the order in which they enter the channel: the number is drawn under the same lock
//! ([`Queue::gate`]) that covers the send, so "everything up to number n is committed" means what it says for every
//! thread. `flush` compares two numbers and, if they differ, waits for the second to catch up.
//!
//! The writer rests for a moment after the first write of a batch so that others join it. Nobody waits for that rest:
//! a flush says which number it wants, and the writer does not rest while a wanted number is open. A volume's flush wants
//! the number of that volume's last write, and hears of that volume's losses: what others do to theirs is not its concern.
//!
//! Whoever makes a directory hidden and shows it again in turn asks for the same rows to be written each time, so of several such
//! writes about one directory in the queue only the last is done ([`Queue::is_outdone`]).
//!
//! Locks: `gate` before `newest`, `hiding` and `progress`; `marks` alone. `gate` is held while waiting for room in the channel (bounded, and
//! whoever queues behind it would wait for the same room).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, SendTimeoutError, Sender};
use parking_lot::{Condvar, Mutex};

use super::tree::Range;
use super::write::Write;
use super::{CatalogError, VolumeKey};
use crate::observe::{Counter, Gauge, Observer};

/// How long writes gather while many are to come.
const GATHER: Duration = Duration::from_millis(250);

/// Sizes and patience.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Writes that fit into the channel.
    pub(super) capacity: usize,
    /// Writes in one transaction.
    pub(super) batch: usize,
    /// How long the first write of a batch waits for company.
    pub(super) linger: Duration,
    /// How long a sender waits for room.
    pub(super) send_wait: Duration,
    /// How long a caller waits for a commit.
    pub(super) commit_wait: Duration,
    /// How long SQLite waits for a lock that somebody else's program holds on the file.
    pub(super) busy_wait: Duration,
    /// How often a batch is tried before it is given up.
    pub(super) attempts: u32,
    /// How long one question may take.
    pub(super) question: Duration,
    /// A log of so many bytes is folded in even if readers have to be waited for.
    pub(super) log: u64,
    /// How many files a package may own and still make new ones.
    pub(super) owned: u64,
}

impl Default for Limits {
    /// The busy waits of all attempts together stay below `commit_wait`, and so does the wait for readers.
    fn default() -> Self {
        Limits {
            capacity: 8192,
            batch: 1024,
            linger: Duration::from_millis(50),
            send_wait: Duration::from_secs(2),
            commit_wait: Duration::from_secs(10),
            busy_wait: Duration::from_secs(2),
            attempts: 3,
            question: Duration::from_secs(5),
            log: 128 << 20,
            owned: 1_000_000,
        }
    }
}

/// One write on its way, and who wants to hear how it went.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) write: Write,
    pub(super) reply: Option<Sender<Result<i64, CatalogError>>>,
}

#[derive(Debug, Default)]
struct Progress {
    /// Writes committed or given up.
    done: u64,
    /// The highest number somebody waits for.
    wanted: u64,
    /// Writes given up, over all and by volume.
    failures: u64,
    failures_of: BTreeMap<VolumeKey, u64>,
    /// The writer has ended.
    gone: bool,
}

impl Progress {
    fn count(&mut self, failed: impl IntoIterator<Item = Option<VolumeKey>>) {
        for volume in failed {
            self.failures += 1;
            if let Some(volume) = volume {
                *self.failures_of.entry(volume).or_default() += 1;
            }
        }
    }
}

/// A directory of a user on a volume.
pub(super) type Tree = (VolumeKey, u32, Vec<u8>);

/// The writes in the queue that hide a directory or show it.
#[derive(Debug, Default)]
struct Hiding {
    /// The number of the last one.
    last: u64,
    /// Up to here they must all be done: rows were moved behind this number to where the last one does not come to.
    needed: u64,
}

/// The sending side, shared by all.
#[derive(Debug)]
pub(super) struct Queue {
    gate: Mutex<Option<Sender<Job>>>,
    queued: AtomicU64,
    done: AtomicU64,
    /// The number of each volume's last write.
    newest: Mutex<BTreeMap<VolumeKey, u64>>,
    /// Directories that are to be hidden or shown.
    hiding: Mutex<HashMap<Tree, Hiding>>,
    progress: Mutex<Progress>,
    hurry: Condvar,
    advanced: Condvar,
    /// Volumes that lost a write since the reconcile was last asked for.
    marks: Mutex<BTreeSet<VolumeKey>>,
    warned: AtomicBool,
    /// Calls that are about many files.
    gathering: AtomicUsize,
    observer: Arc<Observer>,
    pub(super) limits: Limits,
}

/// While this lives, writes that nobody waits for gather for longer: many more are to come.
#[derive(Debug)]
pub struct Gathering(Arc<Queue>);

impl Drop for Gathering {
    fn drop(&mut self) {
        self.0.gathering.fetch_sub(1, Relaxed);
    }
}

impl Queue {
    pub(super) fn new(limits: Limits, observer: Arc<Observer>) -> (Arc<Queue>, Receiver<Job>) {
        let (sender, receiver) = crossbeam_channel::bounded(limits.capacity);
        let queue = Queue {
            gate: Mutex::new(Some(sender)),
            queued: AtomicU64::new(0),
            done: AtomicU64::new(0),
            newest: Mutex::default(),
            hiding: Mutex::default(),
            progress: Mutex::default(),
            hurry: Condvar::new(),
            advanced: Condvar::new(),
            marks: Mutex::default(),
            warned: AtomicBool::new(false),
            gathering: AtomicUsize::new(0),
            observer,
            limits,
        };
        (Arc::new(queue), receiver)
    }

    /// Puts a write into the queue and forgets about it. One that finds no room in time is counted, and its volume
    /// marked for a reconcile.
    pub(super) fn post(&self, write: Write) {
        let volume = write.volume();
        if let Err(error) = self.send(Job { write, reply: None }) {
            if !matches!(error, CatalogError::Closed) {
                self.mark(volume);
                // Who waits for what was queued before is told: it is the same thread as often as not.
                self.count_failures([volume]);
            }
            // Once is enough: what follows is in the counter.
            if !self.warned.swap(true, Relaxed) {
                log::error!("catalog: a write was dropped: {error}");
            }
        }
    }

    /// Puts a write into the queue and waits for its commit. After [`CatalogError::Timeout`] it may still happen.
    pub(super) fn call(&self, write: Write) -> Result<i64, CatalogError> {
        let deadline = Instant::now() + self.limits.commit_wait;
        let (reply, answer) = crossbeam_channel::bounded(1);
        let number = self.send(Job { write, reply: Some(reply) })?;
        self.want(number);
        match answer.recv_deadline(deadline) {
            Ok(outcome) => outcome,
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => {
                Err(CatalogError::Timeout(self.limits.commit_wait))
            }
            Err(crossbeam_channel::RecvTimeoutError::Disconnected) => Err(CatalogError::Closed),
        }
    }

    fn send(&self, job: Job) -> Result<u64, CatalogError> {
        let wait = self.limits.send_wait;
        let deadline = Instant::now() + wait;
        let volume = job.write.volume();
        let hides = job.write.hides();
        let moves = job.write.moves();
        // Before the send, because the writer may take it off again before this thread runs on.
        self.observer.shift(Gauge::CatalogQueue, 1);
        let sent = match self.gate.try_lock_until(deadline) {
            None => Err(CatalogError::QueueFull(wait)),
            Some(gate) => match gate.as_ref() {
                None => Err(CatalogError::Closed),
                Some(sender) => match sender.send_deadline(job, deadline) {
                    Ok(()) => {
                        let number = self.queued.load(Relaxed) + 1;
                        self.queued.store(number, Release);
                        if let Some(volume) = volume {
                            self.newest.lock().insert(volume, number);
                        }
                        if let Some(tree) = hides {
                            self.hiding.lock().entry(tree).or_default().last = number;
                        }
                        if let Some(tree) = moves {
                            self.note_move(&tree, number);
                        }
                        Ok((number, sender.len() >= self.limits.batch))
                    }
                    Err(SendTimeoutError::Timeout(_)) => Err(CatalogError::QueueFull(wait)),
                    Err(SendTimeoutError::Disconnected(_)) => Err(CatalogError::Closed),
                },
            },
        };
        match sent {
            Ok((number, batch_is_full)) => {
                if batch_is_full {
                    self.want(number);
                }
                Ok(number)
            }
            Err(error) => {
                self.observer.shift(Gauge::CatalogQueue, -1);
                self.observer.count(Counter::CatalogDropped);
                Err(error)
            }
        }
    }

    fn note_move(&self, (volume, user, dir): &Tree, number: u64) {
        let moved = Range::of(dir);
        for ((of, whose, hidden), hiding) in self.hiding.lock().iter_mut() {
            if (of, whose) == (volume, user) && Range::of(hidden).overlaps(&moved) {
                hiding.needed = number;
            }
        }
    }

    /// For the writer, of a write with this number that hides a directory or shows it: a later one makes it needless.
    pub(super) fn is_outdone(&self, tree: &Tree, number: u64) -> bool {
        let mut hiding = self.hiding.lock();
        match hiding.get(tree) {
            Some(it) if it.last > number => it.needed < number,
            Some(_) => {
                hiding.remove(tree);
                false
            }
            None => false,
        }
    }

    /// The number of the write that the writer comes to next.
    pub(super) fn next_number(&self) -> u64 {
        self.done.load(Acquire) + 1
    }

    /// Whether a volume lost a write that no reconcile has made good, or begun to.
    pub(super) fn is_marked(&self, volume: VolumeKey) -> bool {
        self.marks.lock().contains(&volume)
    }

    /// Returns when everything queued before the call is committed.
    pub(super) fn flush(&self) -> Result<(), CatalogError> {
        self.wait_for(self.queued.load(Acquire), |progress| progress.failures)
    }

    /// Returns when everything queued before the call is committed or given up.
    pub(super) fn settle(&self) -> Result<(), CatalogError> {
        self.wait_for(self.queued.load(Acquire), |_| 0)
    }

    /// Returns when every write of `volume` that was queued before the call is committed.
    pub(super) fn flush_volume(&self, volume: VolumeKey) -> Result<(), CatalogError> {
        let number = self.newest.lock().get(&volume).copied();
        self.wait_for(number.unwrap_or(0), |progress| progress.failures_of.get(&volume).copied().unwrap_or(0))
    }

    /// Returns when write `number` is done, with an error if `failures` grew meanwhile.
    fn wait_for(&self, number: u64, failures: impl Fn(&Progress) -> u64) -> Result<(), CatalogError> {
        if self.done.load(Acquire) >= number {
            return Ok(());
        }
        let deadline = Instant::now() + self.limits.commit_wait;
        let mut progress = self.progress.lock();
        let before = failures(&progress);
        progress.wanted = progress.wanted.max(number);
        self.hurry.notify_one();
        while progress.done < number {
            if progress.gone {
                return Err(CatalogError::Closed);
            }
            if self.advanced.wait_until(&mut progress, deadline).timed_out() && progress.done < number {
                return Err(CatalogError::Timeout(self.limits.commit_wait));
            }
        }
        if failures(&progress) != before {
            return Err(CatalogError::Lost);
        }
        Ok(())
    }

    fn want(&self, number: u64) {
        let mut progress = self.progress.lock();
        if number > progress.wanted {
            progress.wanted = number;
            self.hurry.notify_one();
        }
    }

    /// See [`Gathering`].
    pub(super) fn gather(self: &Arc<Self>) -> Gathering {
        self.gathering.fetch_add(1, Relaxed);
        Gathering(Arc::clone(self))
    }

    /// The writer's rest: until the time is up or somebody waits for a number that is not done.
    pub(super) fn linger(&self) {
        let gathering = self.gathering.load(Relaxed) > 0;
        let linger = if gathering { self.limits.linger.max(GATHER) } else { self.limits.linger };
        let deadline = Instant::now() + linger;
        let mut progress = self.progress.lock();
        while progress.wanted <= progress.done {
            if self.hurry.wait_until(&mut progress, deadline).timed_out() {
                return;
            }
        }
    }

    /// The writer is through with `count` writes, those of `failed` in vain.
    pub(super) fn advance(&self, count: usize, failed: &[Option<VolumeKey>]) {
        let count = count as u64;
        let mut progress = self.progress.lock();
        progress.done += count;
        progress.count(failed.iter().copied());
        self.done.store(progress.done, Release);
        drop(progress);
        self.observer.shift(Gauge::CatalogQueue, -count.cast_signed());
        self.advanced.notify_all();
    }

    fn count_failures(&self, of: impl IntoIterator<Item = Option<VolumeKey>>) {
        self.progress.lock().count(of);
    }

    /// Remembers that `volume` lost a write.
    pub(super) fn mark(&self, volume: Option<VolumeKey>) {
        self.marks.lock().extend(volume);
    }

    /// Takes the mark off `volume`; true if there was one.
    pub(super) fn unmark(&self, volume: VolumeKey) -> bool {
        self.marks.lock().remove(&volume)
    }

    /// Takes all marks.
    pub(super) fn take_marks(&self) -> BTreeSet<VolumeKey> {
        std::mem::take(&mut *self.marks.lock())
    }

    /// Lets nothing more in. The writer ends when it has emptied the channel.
    pub(super) fn shut(&self) {
        drop(self.gate.lock().take());
    }

    /// Waits for the writer's end; false if it did not come in time.
    pub(super) fn wait_until_gone(&self) -> bool {
        let deadline = Instant::now() + self.limits.commit_wait;
        let mut progress = self.progress.lock();
        while !progress.gone {
            if self.advanced.wait_until(&mut progress, deadline).timed_out() {
                return progress.gone;
            }
        }
        true
    }

    /// The writer has ended.
    pub(super) fn set_gone(&self) {
        self.progress.lock().gone = true;
        self.advanced.notify_all();
    }
}
