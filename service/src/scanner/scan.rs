//! Scans of one volume: one at a time, in the order in which they were asked for, and each can be cancelled.
//!
//! A scan walks ([`super::walk`]), and is done when the facts of what it found were read ([`super::facts`]).
//!
//! Locks: `state` is a leaf, held for a few assignments.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mediagate_policy::Kind;
use parking_lot::{Condvar, Mutex};

use super::facts::{Refresher, read_now};
use super::progress::{Numbers, Progress};
use super::walk::{Area, walk};
use crate::access::Subject;
use crate::catalog::CatalogError;
use crate::volume::Volume;

/// Scans that may wait; one more is refused.
const WAITING: usize = 64;
/// Scans that are remembered when they are over.
const REMEMBERED: usize = 16;

/// How often it is looked whether all has to be scanned again.
const LOOK: Duration = Duration::from_secs(5);
/// The shortest and the longest time between a scan of all that did not get through and the next.
const PAUSE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(600));

/// When all of the volume is scanned again although nobody asks: until it was once gone through, and when the catalog has
/// lost something.
#[derive(Debug, Default)]
struct Again {
    complete: bool,
    pause: Duration,
    not_before: Option<Instant>,
}

impl Again {
    /// A scan of all is over, and got through or not.
    fn ended(&mut self, through: bool, now: Instant) {
        self.complete |= through;
        // What loses a write time and again is not scanned for without a rest, either.
        self.pause = if through { PAUSE.0 } else { (self.pause * 2).clamp(PAUSE.0, PAUSE.1) };
        self.not_before = Some(now + self.pause);
    }

    fn is_due(&self, has_lost: bool, now: Instant) -> bool {
        // The first scan of all was asked for at the start.
        self.not_before.is_some_and(|it| now >= it) && (has_lost || !self.complete)
    }
}

/// Where a scan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Another one comes first.
    Waiting,
    /// The tree is walked and the index mended.
    Walking,
    /// The facts of files are read.
    Reading,
    /// All was looked at.
    Done,
    /// Somebody cancelled it, or the volume was detached.
    Cancelled,
    /// The catalog failed.
    Failed,
}

/// A scan, as of now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanStatus {
    /// Its number, on its volume.
    pub ticket: u64,
    /// Where it is.
    pub phase: Phase,
    /// What it is about.
    pub area: Area,
    /// What it did.
    pub numbers: Numbers,
    /// Files whose facts were read.
    pub read: u64,
    /// Of these, files that could not be understood.
    pub unreadable: u64,
    /// How long it has taken.
    pub took: Duration,
    /// How long of that the walk took, or has taken so far.
    pub walked: Duration,
}

impl ScanStatus {
    /// Nothing more comes.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Done | Phase::Cancelled | Phase::Failed)
    }
}

/// A scan that is known.
#[derive(Debug)]
struct Scan {
    ticket: u64,
    area: Area,
    phase: Phase,
    progress: Arc<Progress>,
    cancel: Arc<AtomicBool>,
    /// What the refresher had read when it began.
    before: (u64, u64),
    after: Option<(u64, u64)>,
    began: Option<Instant>,
    took: Option<Duration>,
    walked: Option<Duration>,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    scans: VecDeque<Scan>,
    again: Again,
    stop: bool,
}

impl State {
    fn add(&mut self, area: Area) -> Option<u64> {
        let mut waiting = self.scans.iter().filter(|scan| scan.phase == Phase::Waiting);
        if let Some(same) = waiting.clone().find(|scan| scan.area == area) {
            return Some(same.ticket);
        }
        if waiting.by_ref().count() >= WAITING {
            return None;
        }
        self.last += 1;
        let ticket = self.last;
        self.scans.push_back(Scan {
            ticket,
            area,
            phase: Phase::Waiting,
            progress: Arc::default(),
            cancel: Arc::default(),
            before: (0, 0),
            after: None,
            began: None,
            took: None,
            walked: None,
        });
        Some(ticket)
    }
}

#[derive(Debug)]
struct Shared {
    volume: Arc<Volume>,
    refresher: Refresher,
    state: Mutex<State>,
    changed: Condvar,
}

/// Called when the tree was walked, with what is about to be said of the scan.
pub type Walked = Box<dyn Fn(&Area, &Numbers) + Send>;

/// Scans of a volume. Stops when dropped.
#[derive(Debug)]
pub struct Scanner {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Scanner {
    /// Starts the threads, and a first scan of the whole volume. `walked` is called after each walk that came to its end.
    ///
    /// # Errors
    ///
    /// When there can be no more threads.
    pub fn start(volume: &Arc<Volume>, walked: Walked) -> std::io::Result<Scanner> {
        let shared = Arc::new(Shared {
            volume: Arc::clone(volume),
            refresher: Refresher::start(volume)?,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let too = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("scanner".into()).spawn(move || too.run(&walked))?;
        let scanner = Scanner { shared, thread: Some(thread) };
        scanner.request(Area::default());
        Ok(scanner)
    }

    /// Asks for a scan and gives its ticket: that of one that waits already if it is of the same area. `None` when too
    /// many wait.
    pub fn request(&self, area: Area) -> Option<u64> {
        let ticket = self.shared.state.lock().add(area);
        self.shared.changed.notify_all();
        ticket
    }

    /// The scans that wait, run, or were over not long ago, oldest first.
    pub fn scans(&self) -> Vec<ScanStatus> {
        let now = self.shared.refresher.numbers();
        self.shared.state.lock().scans.iter().map(|scan| scan.status(now)).collect()
    }

    /// Cancels a scan; false if it is not known, or over.
    pub fn cancel(&self, ticket: u64) -> bool {
        let mut state = self.shared.state.lock();
        let Some(scan) = state.scans.iter_mut().find(|scan| scan.ticket == ticket) else { return false };
        let live = matches!(scan.phase, Phase::Waiting | Phase::Walking | Phase::Reading);
        if live {
            scan.cancel.store(true, Relaxed);
            if scan.phase == Phase::Waiting {
                scan.phase = Phase::Cancelled;
            }
            self.shared.changed.notify_all();
        }
        live
    }

    /// The volume has no file although the index knows some, as the last scan of all of it saw.
    pub fn is_emptied(&self) -> bool {
        let state = self.shared.state.lock();
        let whole = |scan: &&Scan| scan.area.path.is_empty() && scan.phase == Phase::Done;
        state.scans.iter().rev().find(whole).is_some_and(|scan| scan.progress.numbers().emptied)
    }
}

impl Drop for Scanner {
    fn drop(&mut self) {
        {
            let mut state = self.shared.state.lock();
            state.stop = true;
            state.scans.iter().for_each(|scan| scan.cancel.store(true, Relaxed));
        }
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("volume={}: its scanner panicked", self.shared.volume.name);
        }
    }
}

/// Scans the file at `path` below the lower root, or what the index has of it, and reads its facts, all before this
/// returns. Says what was done, and if facts were read, whether they are all that the file says.
///
/// # Errors
///
/// When the catalog fails.
pub fn scan_file(volume: &Volume, path: &[u8]) -> Result<(Numbers, Option<bool>), CatalogError> {
    let progress = Progress::default();
    let area = Area { path: path.to_vec(), believes_emptiness: true };
    walk(volume, &area, &progress, &AtomicBool::new(false))?;
    let mut read = None;
    if let Some(subject) = Subject::new(volume.kind, path.to_vec(), Kind::File) {
        let key = volume.key_of(&subject);
        if let Some(row) = volume.catalog.file(&key)?.filter(|row| row.media_type != 0) {
            read = read_now(volume, &key, &row);
            volume.catalog.flush_volume(volume.key)?;
            volume.catalog.settle()?;
        }
    }
    Ok((progress.numbers(), read))
}

impl Scan {
    fn status(&self, now: (u64, u64)) -> ScanStatus {
        let (read, unreadable) = self.after.unwrap_or(now);
        let since = |number: u64, before: u64| if self.began.is_some() { number - before } else { 0 };
        let took = self.took.or(self.began.map(|began| began.elapsed())).unwrap_or_default();
        ScanStatus {
            ticket: self.ticket,
            phase: self.phase,
            area: self.area.clone(),
            numbers: self.progress.numbers(),
            read: since(read, self.before.0),
            unreadable: since(unreadable, self.before.1),
            took,
            walked: self.walked.unwrap_or(took),
        }
    }
}

impl Shared {
    fn run(&self, walked: &Walked) {
        while let Some((ticket, area, progress, cancel)) = self.next() {
            let outcome = self.walk(&area, &progress, &cancel);
            if outcome.is_ok() && !cancel.load(Relaxed) {
                walked(&area, &progress.numbers());
                self.set(ticket, Phase::Reading);
                // Mostly nothing is left to be read, and then there is nobody to wait for.
                if !self.volume.catalog.unscanned(self.volume.key, 0, 1).is_ok_and(|left| left.is_empty()) {
                    self.refresher.settle(&cancel);
                }
            }
            let phase = match outcome {
                Err(error) => {
                    log::error!(
                        "volume={}: its index could not be brought up to date ({error}); files are indexed when they \
                         are seen, and it is tried again",
                        self.volume.name
                    );
                    Phase::Failed
                }
                Ok(()) if cancel.load(Relaxed) => Phase::Cancelled,
                Ok(()) => Phase::Done,
            };
            if area.path.is_empty() {
                self.state.lock().again.ended(phase == Phase::Done, Instant::now());
            }
            self.set(ticket, phase);
        }
    }

    /// A walk. One over all of the volume makes good what the catalog lost before it.
    fn walk(&self, area: &Area, progress: &Progress, cancel: &AtomicBool) -> Result<(), CatalogError> {
        let (volume, catalog) = (&self.volume, &self.volume.catalog);
        let is_whole = area.path.is_empty();
        // Asked here for what the answer leaves behind: writes that are lost from now on are not made good by this walk.
        let is_behind = is_whole && catalog.needs_reconcile(volume.key)?;
        walk(volume, area, progress, cancel)?;
        if is_whole && !cancel.load(Relaxed) && !progress.numbers().emptied {
            if is_behind {
                catalog.flush_volume(volume.key)?;
                catalog.set_reconciled(volume.key)?;
            }
            volume.trust_rows();
        }
        Ok(())
    }

    /// Waits for a scan to do. `None` at the end.
    fn next(&self) -> Option<(u64, Area, Arc<Progress>, Arc<AtomicBool>)> {
        let before = self.refresher.numbers();
        let mut state = self.state.lock();
        loop {
            if state.stop {
                return None;
            }
            if let Some(scan) = state.scans.iter_mut().find(|scan| scan.phase == Phase::Waiting) {
                scan.phase = Phase::Walking;
                scan.began = Some(Instant::now());
                scan.before = before;
                return Some((
                    scan.ticket,
                    scan.area.clone(),
                    Arc::clone(&scan.progress),
                    Arc::clone(&scan.cancel),
                ));
            }
            if state.again.is_due(self.volume.catalog.has_lost(self.volume.key), Instant::now()) {
                log::info!("volume={}: its index is brought up to date again", self.volume.name);
                state.add(Area::default());
                continue;
            }
            self.changed.wait_for(&mut state, LOOK);
        }
    }

    fn set(&self, ticket: u64, phase: Phase) {
        let now = self.refresher.numbers();
        let mut state = self.state.lock();
        if let Some(scan) = state.scans.iter_mut().find(|scan| scan.ticket == ticket) {
            scan.phase = phase;
            scan.walked = scan.walked.or(scan.began.map(|began| began.elapsed()));
            if phase != Phase::Reading {
                scan.took = scan.began.map(|began| began.elapsed());
                scan.after = Some(now);
            }
        }
        while state.scans.len() > REMEMBERED
            && state.scans.front().is_some_and(|scan| scan.took.is_some() || scan.phase == Phase::Cancelled)
        {
            state.scans.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_get_through_is_tried_again_less_and_less_often() {
        let mut again = Again::default();
        let mut now = Instant::now();
        assert!(!again.is_due(true, now), "the first one is asked for");
        let mut pauses = Vec::new();
        for _ in 0..12 {
            again.ended(false, now);
            assert!(!again.is_due(true, now));
            let pause = (0..).map(Duration::from_secs).find(|it| again.is_due(false, now + *it)).unwrap();
            pauses.push(pause);
            now += pause;
        }
        assert!(pauses.is_sorted() && pauses[0] == PAUSE.0 && pauses[11] == PAUSE.1, "{pauses:?}");
        again.ended(true, now);
        now += PAUSE.0;
        assert!(!again.is_due(false, now + PAUSE.1), "all is well");
        assert!(again.is_due(true, now), "something was lost");
        again.ended(false, now);
        assert!(!again.is_due(false, now + PAUSE.1), "it was complete once, and nothing is lost");
    }
}
