//! Speaks up about requests that take too long, and does what is to be done once a second.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use crate::observe::{Counter, Observer};

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(1);
/// A request that takes longer is slow: nothing here waits for anything but the lower file system.
const LIMIT: Duration = Duration::from_secs(10);

/// The watchdog; stops when dropped.
#[derive(Debug)]
pub(super) struct Watchdog {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    pub(super) fn start(
        observer: Arc<Observer>,
        every_second: impl Fn() + Send + 'static,
    ) -> std::io::Result<Watchdog> {
        let (stop, stopped) = bounded::<()>(0);
        let thread = std::thread::Builder::new().name("watchdog".into()).spawn(move || {
            while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                every_second();
                for late in observer.inflight.overdue(LIMIT) {
                    observer.count(Counter::SlowRequests);
                    log::warn!(
                        "op={} node={} uid={} pid={} s={}: not answered yet",
                        late.operation,
                        late.node,
                        late.uid,
                        late.pid,
                        late.since.elapsed().as_secs()
                    );
                }
            }
        })?;
        Ok(Watchdog { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
