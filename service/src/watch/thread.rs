//! The thread of one watch: what gathered is told to the kernel first, then to the index.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mediagate_policy::Kind;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use parking_lot::Mutex;

use super::batch::{Batch, Move, joined};
use super::{Source, WatchError, kernel};
use crate::access::Subject;
use crate::observe::{Counter, Gauge};
use crate::scanner::{Area, Progress, walk};
use crate::volume::{OpError, Volume};

/// Milliseconds in which events gather. Also, answers that were on their way to the kernel when a change
/// happened have arrived by then, and are forgotten with the rest.
const GATHER: u8 = 25;
/// So many names are indexed between two looks at whether more happened.
const AT_ONCE: usize = 256;
/// Milliseconds between looks at whether the index is up to date again.
const RECOVERING: u8 = 100;
/// Longest time for which the kernel is told to forget at the end.
const FAREWELL: Duration = Duration::from_secs(2);

pub(super) struct Run {
    pub(super) volume: Arc<Volume>,
    pub(super) source: Box<dyn Source>,
    pub(super) woken: OwnedFd,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) state: Arc<Mutex<String>>,
    /// What the index is still to hear of.
    pub(super) todo: Batch,
    /// Directories to be gone through.
    pub(super) walks: BTreeSet<Vec<u8>>,
    /// All of the volume is to be gone through.
    pub(super) all: bool,
    pub(super) work: Option<Work>,
}

/// Goes through directories.
pub(super) struct Work {
    thread: JoinHandle<()>,
    /// All of them.
    all: bool,
}

impl Drop for Run {
    /// Whatever ended it: nobody hears of changes any more.
    fn drop(&mut self) {
        self.volume.set_watched(false);
        let mut state = self.state.lock();
        if !state.starts_with("off: ") {
            *state = "off: it ended".to_owned();
        }
        drop(state);
        let deadline = Instant::now() + FAREWELL;
        self.volume.forget_everything(&|| Instant::now() < deadline);
        self.stop.store(true, Relaxed);
        if self.work.take().is_some_and(|work| work.thread.join().is_err()) {
            log::error!("volume={}: bringing its index up to date panicked", self.volume.name);
        }
    }
}

impl Run {
    pub(super) fn run(&mut self) {
        // The mark is set: whatever happens from here on is heard of.
        self.volume.set_watched(self.volume.lower.is_local());
        if let Err(error) = self.watch() {
            *self.state.lock() = format!("off: {error}");
            log::error!(
                "volume={}: changes behind the mount are no longer noticed: {error}; the kernel asks every second",
                self.volume.name
            );
            // Nobody knows what was missed.
            self.stop_watching();
        }
    }

    fn watch(&mut self) -> Result<(), WatchError> {
        loop {
            let timeout = match (self.todo.is_empty(), &self.work) {
                (false, _) => PollTimeout::ZERO,
                (true, Some(_)) => PollTimeout::from(RECOVERING),
                (true, None) => PollTimeout::NONE,
            };
            let ready = {
                let mut fds = [
                    PollFd::new(self.woken.as_fd(), PollFlags::POLLIN),
                    PollFd::new(self.source.fd(), PollFlags::POLLIN),
                ];
                match poll(&mut fds, timeout) {
                    Ok(_) => fds[1].any().unwrap_or(false),
                    Err(Errno::EINTR) => false,
                    Err(errno) => return Err(kernel("waiting for events")(errno)),
                }
            };
            if self.stop.load(Relaxed) {
                return Ok(());
            }
            if ready {
                if self.todo.is_empty() {
                    self.gather();
                }
                self.read()?;
            }
            if let Err(error) = self.index_some() {
                log::error!(
                    "volume={}: what changed behind the mount could not be indexed ({error}); all of it is looked at",
                    self.volume.name
                );
                self.todo = Batch::default();
                self.look_at_all();
            }
            self.volume.observer.set(Gauge::WatchPending, self.todo.pending());
            self.work_on();
        }
    }

    fn gather(&self) {
        let mut fds = [PollFd::new(self.woken.as_fd(), PollFlags::POLLIN)];
        // An interrupted rest is a shorter one.
        let _ = poll(&mut fds, PollTimeout::from(GATHER));
    }

    /// Takes what happened out of the kernel's queue and tells it what to forget; the index comes later, so that nobody sees what
    /// is old for as long as that takes.
    fn read(&mut self) -> Result<(), WatchError> {
        let mut lost = false;
        loop {
            let mut batch = Batch::default();
            self.source.read(&mut batch)?;
            let observer = &self.volume.observer;
            observer.count_by(Counter::WatchEvents, batch.events);
            observer.count_by(Counter::WatchOwn, batch.own);
            self.tell_kernel(&batch);
            lost |= batch.lost;
            let more = batch.is_full();
            self.todo.append(batch);
            lost |= self.todo.is_too_much();
            if lost {
                self.todo = Batch::default();
            }
            if !more || self.stop.load(Relaxed) {
                break;
            }
        }
        if lost { self.lost() } else { Ok(()) }
    }

    fn tell_kernel(&self, batch: &Batch) {
        let go_on = || !self.stop.load(Relaxed);
        for (dir, names) in &batch.names {
            let dir = self.volume.behind(dir);
            for (name, change) in names {
                dir.forget(name, *change, &go_on);
            }
            if names.values().any(|change| change.came || change.went) {
                dir.forget_itself(&go_on);
            }
        }
    }

    /// Brings the index in line with some of what happened.
    fn index_some(&mut self) -> Result<(), OpError> {
        if self.todo.is_empty() {
            return Ok(());
        }
        let volume = &self.volume;
        volume.catalog.flush_volume(volume.key).map_err(|_| OpError::Index)?;
        if !self.todo.moves.is_empty() {
            let moves = self.todo.take_moves(AT_ONCE);
            return move_rows(volume, &moves);
        }
        let Some((path, names)) = self.todo.take_names(AT_ONCE) else { return Ok(()) };
        let mut dir = volume.behind(&path);
        for (name, change) in &names {
            if dir.index(name, *change)? {
                self.walks.insert(joined(&path, name));
            }
        }
        volume.settle_index()
    }

    /// Events were lost: what the kernel holds and what the index says may be wrong anywhere.
    fn lost(&mut self) -> Result<(), WatchError> {
        self.volume.observer.count(Counter::WatchOverflows);
        log::warn!(
            "volume={}: more happened behind the mount than could be followed; all of it is looked at",
            self.volume.name
        );
        self.source.renew()?;
        self.stop_watching();
        self.look_at_all();
        Ok(())
    }

    fn stop_watching(&self) {
        self.volume.set_watched(false);
        self.volume.forget_everything(&|| !self.stop.load(Relaxed));
    }

    /// The index may be wrong anywhere.
    fn look_at_all(&mut self) {
        self.all = true;
        self.walks.clear();
    }

    /// Goes through directories, or all of the volume, on a thread of its own, one after the other.
    fn work_on(&mut self) {
        if let Some(work) = self.work.take_if(|work| work.thread.is_finished()) {
            if work.thread.join().is_err() {
                log::error!("volume={}: bringing its index up to date panicked", self.volume.name);
            }
            // As it was before events were lost.
            if work.all && !self.all {
                self.volume.set_watched(self.volume.lower.is_local());
            }
        }
        if self.work.is_some() || (!self.all && self.walks.is_empty()) {
            return;
        }
        let all = std::mem::take(&mut self.all);
        let walks = std::mem::take(&mut self.walks);
        if all {
            self.volume.observer.count(Counter::WatchRescans);
        }
        let (volume, stop) = (Arc::clone(&self.volume), Arc::clone(&self.stop));
        let work = move || {
            let areas = if all {
                vec![Area::default()]
            } else {
                let served = tops(walks).into_iter().filter(|path| is_served(&volume, path));
                // What was told about is believed.
                served.map(|path| Area { path, believes_emptiness: true }).collect()
            };
            let done = areas.iter().try_for_each(|area| walk(&volume, area, &Progress::default(), &stop));
            if let Err(error) = done {
                log::error!("volume={}: its index could not be brought up to date: {error}", volume.name);
            }
        };
        match std::thread::Builder::new().name("reconcile".into()).spawn(work) {
            Ok(thread) => self.work = Some(Work { thread, all }),
            Err(error) => log::error!("volume={}: no thread to mend its index: {error}", self.volume.name),
        }
    }
}

/// In a tree of a user that the volume serves.
fn is_served(volume: &Volume, path: &[u8]) -> bool {
    let place = Subject::new(volume.kind, path.to_vec(), Kind::Directory);
    place.is_some_and(|place| {
        !place.is_mount_root() && (volume.users.is_empty() || volume.users.contains(&place.user_number()))
    })
}

/// Without those that are below others.
fn tops(paths: BTreeSet<Vec<u8>>) -> Vec<Vec<u8>> {
    let is_top = |path: &&Vec<u8>| {
        let mut above = (0..path.len()).filter(|at| path.get(*at) == Some(&b'/'));
        !above.any(|slash| path.get(..slash).is_some_and(|above| paths.contains(above)))
    };
    paths.iter().filter(is_top).cloned().collect()
}

/// Rows follow what was renamed, in order. What a rename reads must be committed, as far as one before it wrote that.
fn move_rows(volume: &Volume, moves: &[Move]) -> Result<(), OpError> {
    let mut written: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut next = moves.iter().peekable();
    while let Some(it) = next.next() {
        if next.next_if(|other| other.is_back_of(it)).is_some() {
            // An exchange is told as two renames, of which neither could have been done alone: both ends are looked at.
            continue;
        }
        let from = it.from.path();
        if touches(&written, &from) {
            volume.catalog.flush_volume(volume.key).map_err(|_| OpError::Index)?;
            written.clear();
        }
        written.extend([from, it.to.path()]);
        let (dir, mut to) = (volume.behind(&it.from.dir), volume.behind(&it.to.dir));
        dir.moved(&it.from.name, &mut to, &it.to.name, it.change).map_err(|_| OpError::Index)?;
    }
    Ok(())
}

/// True if one of these paths is this one, above it or below it.
fn touches(paths: &BTreeSet<Vec<u8>>, path: &[u8]) -> bool {
    let mut above = (0..path.len()).filter(|at| path.get(*at) == Some(&b'/'));
    let below = joined(path, b"");
    paths.contains(path)
        || above.any(|slash| path.get(..slash).is_some_and(|above| paths.contains(above)))
        || paths.range(below.clone()..).next().is_some_and(|next| next.starts_with(&below))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(paths: &[&str]) -> BTreeSet<Vec<u8>> {
        paths.iter().map(|path| path.as_bytes().to_vec()).collect()
    }

    #[test]
    fn what_is_below_another_one_is_gone_through_with_it() {
        let found = tops(set(&["a", "a!", "a/b", "a/b/c", "ab", "b/c"]));
        assert_eq!(found, [&b"a"[..], b"a!", b"ab", b"b/c"]);
    }

    #[test]
    fn paths_touch_along_one_line() {
        let written = set(&["a/b", "c"]);
        for path in ["a", "a/b", "a/b/c/d", "c", "c/x"] {
            assert!(touches(&written, path.as_bytes()), "{path}");
        }
        for path in ["a/", "a/bc", "b", "a!", "ca"] {
            assert!(!touches(&written, path.as_bytes()) || path == "a/", "{path}");
        }
    }
}
