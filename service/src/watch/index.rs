//! The index's side of a watch: a thread of its own, so that a slow catalog keeps nobody from seeing what is there.
//!
//! # Locks
//! `state` is a leaf: nothing is called under it but [`Volume::set_watched`], which is an atomic.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::batch::{Batch, Move, Names, joined};
use crate::observe::{Counter, Gauge};
use crate::scanner::{Area, Progress, walk};
use crate::volume::{OpError, Volume};

/// So many names are indexed at once.
const AT_ONCE: usize = 256;
/// Until it is tried again to index what could not be.
const AGAIN: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
struct State {
    /// What the index is still to hear of.
    todo: Batch,
    /// All of the volume is to be gone through.
    all: bool,
    /// The volume is not watched until that is done.
    recovering: bool,
    ended: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    stop: AtomicBool,
}

/// The thread and what it is told.
#[derive(Debug)]
pub(super) struct Index {
    volume: Arc<Volume>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

enum Work {
    Moves(Vec<Move>),
    Names(Arc<[u8]>, Names),
    All,
    Nothing,
}

impl Index {
    pub(super) fn start(volume: &Arc<Volume>) -> std::io::Result<Index> {
        let shared = Arc::new(Shared::default());
        let indexer =
            Indexer { volume: Arc::clone(volume), shared: Arc::clone(&shared), walks: BTreeSet::new() };
        let thread = std::thread::Builder::new().name("watch-index".into()).spawn(move || indexer.run())?;
        Ok(Index { volume: Arc::clone(volume), shared, thread: Some(thread) })
    }

    /// From now on every change is heard of.
    pub(super) fn begin(&self) {
        self.volume.set_watched(self.volume.lower.is_local());
    }

    /// This happened.
    pub(super) fn tell(&self, batch: Batch) {
        let mut state = self.shared.state.lock();
        state.todo.append(batch);
        if state.todo.is_too_much() {
            state.todo = Batch::default();
            state.all = true;
        }
        self.volume.observer.set(Gauge::WatchPending, state.pending());
        self.shared.changed.notify_one();
    }

    /// Events were lost: the volume is not watched until all of it was gone through.
    pub(super) fn lost(&self) {
        let mut state = self.shared.state.lock();
        state.todo = Batch::default();
        (state.all, state.recovering) = (true, true);
        self.volume.observer.set(Gauge::WatchPending, state.pending());
        self.volume.set_watched(false);
        self.shared.changed.notify_one();
    }

    /// Nobody hears of changes any more.
    pub(super) fn end(&mut self) {
        self.shared.stop.store(true, Relaxed);
        {
            let mut state = self.shared.state.lock();
            state.ended = true;
            self.volume.set_watched(false);
            self.shared.changed.notify_one();
        }
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            log::error!("volume={}: indexing what changed behind the mount panicked", self.volume.name);
        }
        self.volume.observer.set(Gauge::WatchPending, 0);
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.end();
    }
}

impl State {
    fn pending(&self) -> i64 {
        self.todo.pending() + i64::from(self.all)
    }
}

struct Indexer {
    volume: Arc<Volume>,
    shared: Arc<Shared>,
    /// Directories to be gone through once all names were looked at.
    walks: BTreeSet<Vec<u8>>,
}

impl Indexer {
    fn run(mut self) {
        while let Some(work) = self.next() {
            let all = matches!(work, Work::All);
            if let Err(error) = self.deal_with(work) {
                log::error!(
                    "volume={}: what changed behind the mount could not be indexed ({error}); all of it is looked at",
                    self.volume.name
                );
                self.fail();
            } else if all {
                self.recovered();
            }
        }
    }

    /// Waits for something to do; `None` at the end.
    fn next(&mut self) -> Option<Work> {
        let mut state = self.shared.state.lock();
        loop {
            if state.ended {
                return None;
            }
            let work = if std::mem::take(&mut state.all) {
                // Everything includes these.
                self.walks.clear();
                Work::All
            } else if !state.todo.moves.is_empty() {
                Work::Moves(state.todo.take_moves(AT_ONCE))
            } else if let Some((dir, names)) = state.todo.take_names(AT_ONCE) {
                Work::Names(dir, names)
            } else {
                Work::Nothing
            };
            if !matches!(work, Work::Nothing) || !self.walks.is_empty() {
                return Some(work);
            }
            self.volume.observer.set(Gauge::WatchPending, 0);
            self.shared.changed.wait(&mut state);
        }
    }

    fn deal_with(&mut self, work: Work) -> Result<(), OpError> {
        let (volume, stop) = (&self.volume, &self.shared.stop);
        match work {
            Work::All => {
                volume.observer.count(Counter::WatchRescans);
                // It is the file system that was watched until now: if it has no file left, they were removed.
                let area = Area { believes_emptiness: true, ..Area::default() };
                walk(volume, &area, &Progress::default(), stop).map_err(|_| OpError::Index)?;
            }
            Work::Moves(moves) => {
                volume.catalog.flush_volume(volume.key).map_err(|_| OpError::Index)?;
                move_rows(volume, &moves)?;
            }
            Work::Names(path, names) => {
                let mut dir = volume.behind(&path);
                volume.catalog.flush_volume(volume.key).map_err(|_| OpError::Index)?;
                for (name, change) in &names {
                    if dir.index(name, *change)? {
                        self.walks.insert(joined(&path, name));
                    }
                }
            }
            Work::Nothing => {
                let walks = tops(std::mem::take(&mut self.walks));
                for path in walks.into_iter().filter(|path| volume.serves_below(path)) {
                    // What was told about is believed.
                    let area = Area { path, believes_emptiness: true };
                    walk(volume, &area, &Progress::default(), stop).map_err(|_| OpError::Index)?;
                }
            }
        }
        volume.settle_index()
    }

    /// All of it is looked at, after a while.
    fn fail(&self) {
        let mut state = self.shared.state.lock();
        state.todo = Batch::default();
        state.all = true;
        if !state.ended {
            self.shared.changed.wait_for(&mut state, AGAIN);
        }
    }

    /// The index is up to date again. If nothing was lost meanwhile, the volume is watched as before.
    fn recovered(&self) {
        let mut state = self.shared.state.lock();
        if state.recovering && !state.all && !state.ended {
            state.recovering = false;
            self.volume.set_watched(self.volume.lower.is_local());
        }
    }
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
