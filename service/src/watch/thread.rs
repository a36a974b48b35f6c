//! The thread of one watch: what gathered is told to the kernel first, then to the index.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use parking_lot::Mutex;

use super::batch::{Batch, Move};
use super::{Source, WatchError, kernel};
use crate::observe::Counter;
use crate::scanner::{reconcile, reconcile_below};
use crate::volume::{OpError, Volume};

/// Milliseconds in which events gather. Also, answers that were on their way to the kernel when a change
/// happened have arrived by then, and are forgotten with the rest.
const GATHER: u8 = 25;
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
    /// Brings the whole index up to date, after events were lost.
    pub(super) rescan: Option<JoinHandle<()>>,
    /// Events were lost while it did.
    pub(super) again: bool,
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
        if self.rescan.take().is_some_and(|rescan| rescan.join().is_err()) {
            log::error!("volume={}: bringing its index up to date panicked", self.volume.name);
        }
    }
}

impl Run {
    pub(super) fn run(&mut self) {
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
            let timeout =
                if self.rescan.is_some() { PollTimeout::from(RECOVERING) } else { PollTimeout::NONE };
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
                self.gather();
                let mut batch = Batch::default();
                self.source.read(&mut batch)?;
                self.deal_with(batch)?;
            }
            self.recover();
        }
    }

    fn gather(&self) {
        let mut fds = [PollFd::new(self.woken.as_fd(), PollFlags::POLLIN)];
        // An interrupted rest is a shorter one.
        let _ = poll(&mut fds, PollTimeout::from(GATHER));
    }

    fn deal_with(&mut self, batch: Batch) -> Result<(), WatchError> {
        let observer = &self.volume.observer;
        observer.count_by(Counter::WatchEvents, batch.events);
        observer.count_by(Counter::WatchOwn, batch.own);
        self.tell_kernel(&batch);
        if batch.lost {
            return self.lost();
        }
        if batch.names.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.tell_index(&batch) {
            log::error!(
                "volume={}: what changed behind the mount could not be indexed ({error}); all of it is looked at",
                self.volume.name
            );
            self.rescan();
        }
        Ok(())
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

    fn tell_index(&self, batch: &Batch) -> Result<(), OpError> {
        let (volume, catalog) = (&self.volume, &self.volume.catalog);
        let flush = || catalog.flush_volume(volume.key).map_err(|_| OpError::Index);
        flush()?;
        self.move_rows(&batch.moves)?;
        if !batch.moves.is_empty() {
            flush()?;
        }
        let mut walks: BTreeSet<Vec<u8>> = BTreeSet::new();
        for (path, names) in &batch.names {
            let mut dir = volume.behind(path);
            for (name, change) in names {
                if self.stop.load(Relaxed) {
                    return Ok(());
                }
                if dir.index(name, *change)? {
                    walks.insert(super::batch::joined(path, name));
                }
            }
        }
        let mut last: Option<Vec<u8>> = None;
        for walk in walks {
            // Sorted: what is below the last one comes right after it, but for names that sort before a slash.
            let below = last.as_ref().is_some_and(|last| {
                walk.strip_prefix(last.as_slice()).is_some_and(|rest| rest.first() == Some(&b'/'))
            });
            if !below {
                reconcile_below(volume, &walk, &self.stop).map_err(|_| OpError::Index)?;
                last = Some(walk);
            }
        }
        volume.settle_index()
    }

    /// Rows follow what was renamed, in order. What a rename reads must be committed, as far as one before it wrote that.
    fn move_rows(&self, moves: &[Move]) -> Result<(), OpError> {
        let (volume, catalog) = (&self.volume, &self.volume.catalog);
        let mut written: Vec<Vec<u8>> = Vec::new();
        let mut next = moves.iter().peekable();
        while let Some(it) = next.next() {
            if next.next_if(|other| other.is_back_of(it)).is_some() {
                // An exchange is told as two renames, of which neither could have been done alone: both ends are looked at.
                continue;
            }
            let from = it.from.path();
            if written.iter().any(|path| path.starts_with(&from) || from.starts_with(path)) {
                catalog.flush_volume(volume.key).map_err(|_| OpError::Index)?;
                written.clear();
            }
            written.extend([from, it.to.path()]);
            let (dir, mut to) = (volume.behind(&it.from.dir), volume.behind(&it.to.dir));
            dir.moved(&it.from.name, &mut to, &it.to.name, it.change).map_err(|_| OpError::Index)?;
        }
        Ok(())
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
        self.rescan();
        Ok(())
    }

    fn stop_watching(&self) {
        self.volume.set_watched(false);
        self.volume.forget_everything(&|| !self.stop.load(Relaxed));
    }

    /// Begins to bring the whole index up to date; once more if that is under way.
    fn rescan(&mut self) {
        self.again = self.rescan.is_some();
        if self.again {
            return;
        }
        self.volume.observer.count(Counter::WatchRescans);
        let (volume, stop) = (Arc::clone(&self.volume), Arc::clone(&self.stop));
        let started = std::thread::Builder::new().name("reconcile".into()).spawn(move || {
            match reconcile(&volume, &stop) {
                Ok(done) => log::info!("volume={} files={}: index is up to date", volume.name, done.files),
                Err(error) => {
                    log::error!("volume={}: its index could not be brought up to date: {error}", volume.name);
                }
            }
        });
        match started {
            Ok(thread) => self.rescan = Some(thread),
            Err(error) => log::error!("volume={}: no thread to mend its index: {error}", self.volume.name),
        }
    }

    /// Once the index is up to date again, the volume is watched as before.
    fn recover(&mut self) {
        let Some(rescan) = self.rescan.take_if(|rescan| rescan.is_finished()) else { return };
        if rescan.join().is_err() {
            log::error!("volume={}: bringing its index up to date panicked", self.volume.name);
        }
        if std::mem::take(&mut self.again) {
            return self.rescan();
        }
        self.volume.set_watched(self.volume.lower.is_local());
    }
}
