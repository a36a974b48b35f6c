//! Telling the kernel what it should forget.
//!
//! Never from inside a FUSE request: an invalidation may wait for a lock that the request's caller holds
//! (libfuse#341). So notices are queued and a thread of their own sends them.

use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{SendTimeoutError, Sender, TrySendError, bounded};

use crate::node::NodeId;
use crate::observe::{Counter, Observer};

/// More than that many waiting means that the kernel does not answer.
const QUEUE: usize = 65_536;

/// How long a wait for room goes on without asking whether it should.
const PATIENCE: Duration = Duration::from_millis(100);

/// What the kernel should forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A node's attributes.
    Attributes(NodeId),
    /// A node's attributes and cached pages.
    Contents(NodeId),
    /// A name in a directory.
    Entry(NodeId, Box<[u8]>),
}

/// The kernel's cache of one mount.
pub trait KernelCache: Send + 'static {
    /// Makes the kernel forget. That it did not know is no error.
    fn forget(&self, notice: &Notice) -> std::io::Result<()>;
}

/// The queue; does nothing until [`Notices::start`].
#[derive(Debug, Default)]
pub struct Notices(OnceLock<(Sender<Notice>, Arc<Observer>)>);

impl Notices {
    /// Starts the thread that sends to `cache`. It ends when the volume is dropped.
    pub fn start(&self, cache: impl KernelCache, observer: Arc<Observer>) -> std::io::Result<JoinHandle<()>> {
        let (sender, receiver) = bounded::<Notice>(QUEUE);
        let counting = Arc::clone(&observer);
        let thread = std::thread::Builder::new().name("notifier".into()).spawn(move || {
            for notice in receiver {
                let counter =
                    if cache.forget(&notice).is_ok() { Counter::NotifySent } else { Counter::NotifyFailed };
                counting.count(counter);
            }
        })?;
        // A second start would be a second mount of one volume; its sender is dropped and its thread ends.
        let _ = self.0.set((sender, observer));
        Ok(thread)
    }

    /// Queues a notice, and waits for room while `go_on`: for who is in no request, where nothing may get lost.
    pub fn send_all(&self, notice: Notice, go_on: &dyn Fn() -> bool) {
        let Some((sender, observer)) = self.0.get() else { return };
        let mut notice = notice;
        loop {
            match sender.send_timeout(notice, PATIENCE) {
                Ok(()) => return,
                Err(SendTimeoutError::Timeout(back)) if go_on() => notice = back,
                Err(_) => return observer.count(Counter::NotifyFailed),
            }
        }
    }

    /// Queues a notice; never waits.
    pub fn send(&self, notice: Notice) {
        if let Some((sender, observer)) = self.0.get()
            && let Err(TrySendError::Full(_)) = sender.try_send(notice)
        {
            observer.count(Counter::NotifyFailed);
        }
    }
}
