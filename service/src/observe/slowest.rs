//! The requests that took longest, since the service began.
//!
//! Lock: the list's; taken for a request that belongs on it only.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::inflight::Request;

/// How many are kept.
const KEPT: usize = 10;

/// One of them.
#[derive(Clone, Debug)]
pub struct Done {
    /// What it was.
    pub request: Request,
    /// How long it took.
    pub took: Duration,
    /// When it was answered.
    pub at: Instant,
}

/// The list.
#[derive(Debug, Default)]
pub struct Slowest {
    /// What a request must have taken to get in, in nanoseconds.
    bar: AtomicU64,
    list: Mutex<Vec<Done>>,
}

impl Slowest {
    /// A request was answered.
    pub(super) fn done(&self, request: Request) {
        let took = request.since.elapsed();
        if nanos(took) <= self.bar.load(Relaxed) {
            return;
        }
        let mut list = self.list.lock();
        let place = list.partition_point(|it| it.took >= took);
        list.insert(place, Done { request, took, at: Instant::now() });
        list.truncate(KEPT);
        if let Some(last) = list.get(KEPT - 1) {
            self.bar.store(nanos(last.took), Relaxed);
        }
    }

    /// The slowest, slowest first.
    pub fn list(&self) -> Vec<Done> {
        self.list.lock().clone()
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_stay_in_their_order() {
        let slowest = Slowest::default();
        for seconds in [3, 1, 12, 7, 5, 2, 9, 4, 8, 11, 6, 10] {
            let since = Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
            let request = Request { operation: "x", node: seconds, uid: 0, pid: 0, since, reported: false };
            slowest.done(request);
        }
        let nodes: Vec<u64> = slowest.list().iter().map(|it| it.request.node).collect();
        assert_eq!(nodes, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
    }
}
