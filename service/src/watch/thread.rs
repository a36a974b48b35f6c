//! The thread of one watch: what gathered is told to the kernel here, and left to the index's thread, for which nobody waits.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use parking_lot::Mutex;

use super::batch::Batch;
use super::index::Index;
use super::{Source, WatchError, kernel};
use crate::observe::Counter;
use crate::volume::Volume;

/// Milliseconds in which events gather. Also, answers that were on their way to the kernel when a change
/// happened have arrived by then, and are forgotten with the rest.
const GATHER: u8 = 25;
/// Longest time for which the kernel is told to forget at the end.
const FAREWELL: Duration = Duration::from_secs(2);

pub(super) struct Run {
    pub(super) volume: Arc<Volume>,
    pub(super) source: Box<dyn Source>,
    pub(super) woken: OwnedFd,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) state: Arc<Mutex<String>>,
    pub(super) index: Index,
}

impl Drop for Run {
    /// Whatever ended it: nobody hears of changes any more.
    fn drop(&mut self) {
        self.index.end();
        let mut state = self.state.lock();
        if !state.starts_with("off: ") {
            *state = "off: it ended".to_owned();
        }
        drop(state);
        let deadline = Instant::now() + FAREWELL;
        self.volume.forget_everything(&|| Instant::now() < deadline);
    }
}

impl Run {
    pub(super) fn run(&mut self) {
        // The mark is set: whatever happens from here on is heard of.
        self.index.begin();
        if let Err(error) = self.watch() {
            *self.state.lock() = format!("off: {error}");
            log::error!(
                "volume={}: changes behind the mount are no longer noticed: {error}; the kernel asks every second",
                self.volume.name
            );
        }
    }

    fn watch(&mut self) -> Result<(), WatchError> {
        loop {
            let ready = {
                let mut fds = [
                    PollFd::new(self.woken.as_fd(), PollFlags::POLLIN),
                    PollFd::new(self.source.fd(), PollFlags::POLLIN),
                ];
                match poll(&mut fds, PollTimeout::NONE) {
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
                self.read()?;
            }
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
        let mut all = Batch::default();
        loop {
            let mut batch = Batch::default();
            self.source.read(&mut batch)?;
            let more = batch.is_full();
            all.append(batch);
            if !more || all.is_too_much() || self.stop.load(Relaxed) {
                break;
            }
        }
        let observer = &self.volume.observer;
        observer.count_by(Counter::WatchEvents, all.events);
        observer.count_by(Counter::WatchOwn, all.own);
        if all.lost || all.is_too_much() {
            return self.lost();
        }
        self.tell_kernel(&mut all);
        if !all.names.is_empty() {
            self.index.tell(all);
        }
        Ok(())
    }

    /// What is left in `batch` the index has to hear of.
    fn tell_kernel(&self, batch: &mut Batch) {
        let go_on = || !self.stop.load(Relaxed);
        if batch.names.values().flat_map(|it| it.values()).any(|it| it.is_dir && it.went) {
            self.volume.let_go_of_dirs();
        }
        batch.retain(|dir, names| {
            let dir = self.volume.behind(dir);
            if names.values().any(|change| change.came || change.went) {
                dir.forget_itself(&go_on);
            }
            names.retain(|name, change| {
                let found = dir.forget(name, *change, &go_on);
                if let Some(written) = &found.written {
                    self.volume.hush(written, |fd| self.source.hush(fd));
                }
                !found.is_told
            });
        });
    }

    /// Events were lost: what the kernel holds and what the index says may be wrong anywhere.
    fn lost(&mut self) -> Result<(), WatchError> {
        self.volume.observer.count(Counter::WatchOverflows);
        log::warn!(
            "volume={}: more happened behind the mount than could be followed; all of it is looked at",
            self.volume.name
        );
        self.volume.let_go_of_dirs();
        self.source.renew()?;
        self.index.lost();
        self.volume.forget_everything(&|| !self.stop.load(Relaxed));
        Ok(())
    }
}
