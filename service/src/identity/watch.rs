//! Tells when a file has been replaced or rewritten, by inotify on its directory.
//!
//! The directory is watched, not the file: a writer that renames a new file into place leaves a watch on the old
//! file behind. Only a finished file counts (renamed to the name, or closed after writing); that it vanishes does
//! not. The thread ends when its guard is dropped; it waits for nothing else without a bound than for events.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::unistd::pipe2;

use super::error::IdentityError;

/// Milliseconds in which to collect further events after the first one.
const DEBOUNCE: u8 = 50;
/// Milliseconds between attempts to watch a directory that has gone.
const RETRY: u16 = 1000;
/// Reads of the event queue in one go; each holds dozens of events, and what is left comes up again.
const MAX_READS: usize = 64;

/// Ends a watch when dropped.
#[derive(Debug)]
pub struct WatchGuard {
    /// Its closing is what the thread sees.
    stop: Option<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for WatchGuard {
    fn drop(&mut self) {
        drop(self.stop.take());
        // The callback may hold the last reference to the guard's owner: a thread cannot wait for itself.
        if let Some(thread) = self.thread.take().filter(|it| it.thread().id() != std::thread::current().id())
            && thread.join().is_err()
        {
            log::error!("the thread that watches for packages had panicked");
        }
    }
}

/// Calls `changed` after each finished change of `file`. Its directory has to exist.
pub(super) fn watch_file(
    file: &Path,
    changed: Box<dyn Fn() + Send + Sync>,
) -> Result<WatchGuard, IdentityError> {
    let directory = file.parent().unwrap_or(Path::new("/")).to_owned();
    let failed = |cause: std::io::Error| IdentityError::Watch { directory: directory.clone(), cause };
    let name = file.file_name().ok_or_else(|| failed(Errno::EISDIR.into()))?.to_owned();
    let queue = open(&directory).map_err(|errno| failed(errno.into()))?;
    let (stopped, stop) = pipe2(OFlag::O_CLOEXEC).map_err(|errno| failed(errno.into()))?;
    let watch = Watch { directory: directory.clone(), name, stopped, changed };
    let thread = std::thread::Builder::new()
        .name("packages-watch".to_owned())
        .spawn(move || watch.run(queue))
        .map_err(failed)?;
    Ok(WatchGuard { stop: Some(stop), thread: Some(thread) })
}

fn open(directory: &Path) -> nix::Result<Inotify> {
    let queue = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    let events = AddWatchFlags::IN_MOVED_TO
        | AddWatchFlags::IN_CLOSE_WRITE
        | AddWatchFlags::IN_DELETE_SELF
        | AddWatchFlags::IN_MOVE_SELF
        | AddWatchFlags::IN_ONLYDIR;
    queue.add_watch(directory, events)?;
    Ok(queue)
}

struct Watch {
    directory: PathBuf,
    name: OsString,
    stopped: OwnedFd,
    changed: Box<dyn Fn() + Send + Sync>,
}

/// What a batch of events amounts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct News {
    changed: bool,
    /// The directory is no longer the one at its path.
    lost: bool,
}

impl Watch {
    fn run(&self, queue: Inotify) {
        let mut queue = Some(queue);
        loop {
            let Some(current) = &queue else {
                if !self.sleep(PollTimeout::from(RETRY)) {
                    return;
                }
                queue = open(&self.directory).ok();
                if queue.is_some() {
                    (self.changed)();
                }
                continue;
            };
            let mut fds = [
                PollFd::new(self.stopped.as_fd(), PollFlags::POLLIN),
                PollFd::new(current.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut fds, PollTimeout::NONE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => {
                    log::error!("{}: no longer watched for changes: {errno}", self.directory.display());
                    return;
                }
            }
            if fds[0].revents().is_some_and(|events| !events.is_empty()) {
                return;
            }
            let mut news = self.read(current);
            if news.changed {
                if !self.sleep(PollTimeout::from(DEBOUNCE)) {
                    return;
                }
                news.lost |= self.read(current).lost;
                (self.changed)();
            }
            if news.lost {
                queue = None;
            }
        }
    }

    /// Waits; false when it is time to stop.
    fn sleep(&self, time: PollTimeout) -> bool {
        let mut fds = [PollFd::new(self.stopped.as_fd(), PollFlags::POLLIN)];
        matches!(poll(&mut fds, time), Ok(0) | Err(Errno::EINTR))
    }

    fn read(&self, queue: &Inotify) -> News {
        let mut news = News::default();
        for _ in 0..MAX_READS {
            match queue.read_events() {
                Ok(events) => {
                    for event in events {
                        news = self.weigh(event.mask, event.name.as_deref(), news);
                    }
                }
                Err(Errno::EAGAIN) => break,
                Err(Errno::EINTR) => {}
                Err(errno) => {
                    log::warn!("{}: reading events: {errno}", self.directory.display());
                    news.lost = true;
                    break;
                }
            }
        }
        news
    }

    fn weigh(&self, mask: AddWatchFlags, name: Option<&OsStr>, so_far: News) -> News {
        let finished = mask.intersects(AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_CLOSE_WRITE);
        let gone = AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_MOVE_SELF
            | AddWatchFlags::IN_IGNORED
            | AddWatchFlags::IN_UNMOUNT;
        News {
            changed: so_far.changed
                || (finished && name == Some(&self.name))
                || mask.contains(AddWatchFlags::IN_Q_OVERFLOW),
            lost: so_far.lost || mask.intersects(gone),
        }
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
