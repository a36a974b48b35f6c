//! Telling the kernel what it should forget.
//!
//! Never from inside a FUSE request: an invalidation may wait for a lock that the request's caller holds
//! (libfuse#341). So notices are queued and a thread of their own sends them.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Sender, TrySendError, bounded};

use crate::node::NodeId;
use crate::observe::{Counter, Observer};

/// More than that many waiting means that the kernel does not answer.
const QUEUE: usize = 65_536;
/// That many notices are looked through for those that say the same.
const AT_ONCE: usize = 1024;

/// How long attributes wait for others to be sent with: many files at once are closed by their writers, and each waking of the thread
/// that sends costs as much as a notice.
const REST: Duration = Duration::from_millis(1);

/// Time between looks at whether there is room.
const PATIENCE: Duration = Duration::from_millis(1);

/// What the kernel should forget.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// A node's attributes.
    Attributes(NodeId),
    /// A node's attributes and cached pages.
    Contents(NodeId),
    /// A name in a directory.
    Entry(NodeId, Box<[u8]>),
}

/// The kernel's cache of one mount.
pub trait KernelCache: std::fmt::Debug + Send + Sync + 'static {
    /// Makes the kernel forget. That it did not know is no error.
    fn forget(&self, notice: &Notice) -> std::io::Result<()>;
    /// Makes the kernel forget every name that nothing is using right now, those of which it knows that there is nothing
    /// among them.
    fn forget_unused(&self) -> std::io::Result<()>;
}

#[derive(Debug)]
struct Started {
    sender: Sender<Notice>,
    cache: Arc<dyn KernelCache>,
    observer: Arc<Observer>,
}

/// The queue; does nothing until [`Notices::start`].
#[derive(Debug, Default)]
pub struct Notices(OnceLock<Started>);

impl Notices {
    /// How many wait to be sent.
    pub fn waiting(&self) -> usize {
        self.0.get().map_or(0, |started| started.sender.len())
    }

    /// Starts the thread that sends to `cache`. It ends when the volume is dropped.
    pub fn start(&self, cache: impl KernelCache, observer: Arc<Observer>) -> std::io::Result<JoinHandle<()>> {
        let (sender, receiver) = bounded::<Notice>(QUEUE);
        let counting = Arc::clone(&observer);
        let cache: Arc<dyn KernelCache> = Arc::new(cache);
        let sending = Arc::clone(&cache);
        let thread = std::thread::Builder::new().name("notifier".into()).spawn(move || {
            while let Ok(first) = receiver.recv() {
                if matches!(first, Notice::Attributes(_)) {
                    std::thread::sleep(REST);
                }
                // Collected before anything is sent: saying it once then serves all who have asked for it.
                let mut known = HashSet::new();
                let waiting = std::iter::once(first).chain(receiver.try_iter().take(AT_ONCE));
                let batch: Vec<Notice> = waiting.filter(|notice| known.insert(notice.clone())).collect();
                for notice in batch {
                    let sent = sending.forget(&notice).is_ok();
                    counting.count(if sent { Counter::NotifySent } else { Counter::NotifyFailed });
                }
            }
        })?;
        // A second start would be a second mount of one volume; its sender is dropped and its thread ends.
        let _ = self.0.set(Started { sender, cache, observer });
        Ok(thread)
    }

    /// Queues a notice, and waits for room while `go_on`: for who is in no request, where nothing may get lost. Half of the
    /// room is left to requests, which cannot wait.
    pub fn send_all(&self, notice: Notice, go_on: &dyn Fn() -> bool) {
        let Some(Started { sender, observer, .. }) = self.0.get() else { return };
        while sender.len() >= QUEUE / 2 {
            if !go_on() {
                return observer.count(Counter::NotifyFailed);
            }
            std::thread::sleep(PATIENCE);
        }
        self.send(notice);
    }

    /// See [`KernelCache::forget_unused`]; at once, so not from within a request either. False if the kernel did not.
    pub fn forget_unused(&self) -> bool {
        let Some(Started { cache, .. }) = self.0.get() else { return true };
        let done = cache.forget_unused();
        if let Err(error) = &done {
            log::warn!("the kernel does not forget all that it has no use for: {error}");
        }
        done.is_ok()
    }

    /// Queues a notice; never waits.
    pub fn send(&self, notice: Notice) {
        if let Some(Started { sender, observer, .. }) = self.0.get()
            && let Err(TrySendError::Full(_)) = sender.try_send(notice)
        {
            observer.count(Counter::NotifyFailed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says what it is told, and waits for a word before it goes on.
    #[derive(Debug)]
    struct Slow(Sender<Notice>, crossbeam_channel::Receiver<()>);

    impl KernelCache for Slow {
        fn forget(&self, notice: &Notice) -> std::io::Result<()> {
            self.0.send(notice.clone()).map_err(std::io::Error::other)?;
            self.1.recv().map_err(std::io::Error::other)
        }

        fn forget_unused(&self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_waits_is_said_once_but_again_if_it_is_asked_for_after_it_was_said() {
        let (told, hear) = bounded(16);
        let (word, words) = bounded(16);
        let notices = Notices::default();
        notices.start(Slow(told, words), Arc::default()).unwrap();
        let [a, b] = [1, 2].map(|n| Notice::Contents(NodeId(n)));
        notices.send(a.clone());
        assert_eq!(hear.recv().unwrap(), a);
        // Being said right now: what is asked for from here on is said anew.
        for notice in [&a, &b, &a, &a] {
            notices.send(notice.clone());
        }
        for _ in 0..3 {
            word.send(()).unwrap();
        }
        assert_eq!([hear.recv().unwrap(), hear.recv().unwrap()], [a, b]);
        drop(notices);
        assert!(hear.recv().is_err(), "nothing else was to be said");
    }
}
