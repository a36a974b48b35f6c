//! Watching a volume's lower tree for what is changed behind the mount.
//!
//! A thread for each volume reads events, lets them gather for a moment, and has the volume look at what they name
//! ([`Volume::behind`]); another one brings the index up to date. While it hears of everything, the volume counts as watched, and the kernel may keep what it knows
//! for ever. When events were lost (the kernel's queue overflowed) the volume is not watched any more: the kernel
//! is made to forget everything, the whole index is brought up to date, and then it is watched again. When the watch
//! cannot go on it says so, and the volume does without.
//!
//! # Where events come from
//! * `fanotify`: one mark on the lower file system. Each event says who caused it, so that the daemon's own changes
//!   are told apart; a rename is one event with both its names. Changes elsewhere on the file system arrive too and
//!   are dropped by their directory. A file that an app goes on writing by way of the kernel is left out until it is closed: each
//!   report of a write costs the app time, and says nothing that the service would not find out then.
//! * `inotify`: a watch for each directory, bounded by `fs.inotify.max_user_watches`. Nothing tells who did it.
//!
//! # Locks
//! What one thread leaves to the other (`index`) is behind a leaf; nothing is held across a call of the volume's.

mod batch;
mod fanotify;
mod index;
mod inotify;
mod record;
mod thread;

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use parking_lot::Mutex;

use crate::config::WatchConfig;
use crate::lower::LowerError;
use crate::volume::{Hushed, Volume};
use batch::Batch;

pub use fanotify::is_possible as fanotify_is_possible;

/// Why a lower tree cannot be watched, or not any longer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WatchError {
    /// The kernel refused.
    #[error("{what}: {errno}")]
    Kernel {
        /// What.
        what: &'static str,
        /// Why.
        errno: Errno,
    },
    /// The lower tree cannot be looked at.
    #[error("the lower directory: {0}")]
    Lower(#[from] LowerError),
    /// There are more directories than watches.
    #[error("more directories than fs.inotify.max_user_watches allows; raise it")]
    TooManyDirectories,
    /// The root itself went.
    #[error("the lower file system was unmounted")]
    Unmounted,
}

/// Where events come from.
trait Source: Send {
    /// What to poll.
    fn fd(&self) -> BorrowedFd<'_>;
    /// Reads what there is, up to what a batch should hold.
    fn read(&mut self, batch: &mut Batch) -> Result<(), WatchError>;
    /// Events were lost: what they may have told is found out anew.
    fn renew(&mut self) -> Result<(), WatchError>;
    /// Ends the reports of what is written to the file that `fd` refers to, if that can be done for one file.
    fn hush(&self, fd: &Arc<OwnedFd>) -> Option<Box<dyn Hushed>>;
    /// What it is called.
    fn name(&self) -> &'static str;
}

/// A running watch; ends when dropped.
#[derive(Debug)]
pub struct Watch {
    /// What is watching, or why nothing is.
    state: Arc<Mutex<String>>,
    stop: Arc<AtomicBool>,
    /// Its closing wakes the thread.
    wake: Option<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to watch the volume's lower tree. That it cannot be watched is no error: the volume does without.
    pub fn start(volume: &Arc<Volume>, how: WatchConfig) -> std::io::Result<Watch> {
        let mut watch = Watch {
            state: Arc::new(Mutex::new("off: by configuration".to_owned())),
            stop: Arc::new(AtomicBool::new(false)),
            wake: None,
            thread: None,
        };
        if how == WatchConfig::Off {
            return Ok(watch);
        }
        let source = match open(volume, how) {
            Ok(source) => source,
            Err(error) => {
                log::warn!(
                    "volume={}: changes behind the mount are not noticed ({error}); the kernel asks every second",
                    volume.name
                );
                *watch.state.lock() = format!("off: {error}");
                return Ok(watch);
            }
        };
        *watch.state.lock() = if volume.lower.is_local() {
            source.name().to_owned()
        } else {
            format!("{}, of this machine's changes only", source.name())
        };
        let (woken, wake) = pipe2(OFlag::O_CLOEXEC)?;
        let mut run = thread::Run {
            volume: Arc::clone(volume),
            source,
            woken,
            stop: Arc::clone(&watch.stop),
            state: Arc::clone(&watch.state),
            index: index::Index::start(volume)?,
        };
        watch.wake = Some(wake);
        watch.thread = Some(std::thread::Builder::new().name("watch".into()).spawn(move || run.run())?);
        Ok(watch)
    }

    /// What is watching, or `off: ` and why.
    pub fn describe(&self) -> String {
        self.state.lock().clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        drop(self.wake.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the thread that watches a lower tree had panicked");
        }
    }
}

fn open(volume: &Arc<Volume>, how: WatchConfig) -> Result<Box<dyn Source>, WatchError> {
    let inotify = || inotify::Tree::open(volume).map(|it| Box::new(it) as Box<dyn Source>);
    let fanotify = || fanotify::Mark::open(volume).map(|it| Box::new(it) as Box<dyn Source>);
    match how {
        WatchConfig::Fanotify => fanotify(),
        WatchConfig::Inotify => inotify(),
        WatchConfig::Auto | WatchConfig::Off => fanotify().or_else(|error| {
            log::info!("volume={}: no fanotify ({error}); trying inotify", volume.name);
            inotify()
        }),
    }
}

/// A descriptor of the volume's root that can be read from.
fn readable_root(volume: &Volume) -> Result<OwnedFd, LowerError> {
    volume.lower.open_dir_for_reading(b"")
}

fn kernel(what: &'static str) -> impl Fn(Errno) -> WatchError {
    move |errno| WatchError::Kernel { what, errno }
}
