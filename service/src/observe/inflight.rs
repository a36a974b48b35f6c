//! Requests in flight: what is being worked on, for whom and since when.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::slowest::Slowest;

/// Shards keep two workers from meeting on one lock.
const SHARDS: usize = 16;

/// One request that has not been answered yet.
#[derive(Clone, Debug)]
pub struct Request {
    /// The operation's name.
    pub operation: &'static str,
    /// The node it is about.
    pub node: u64,
    /// The caller.
    pub uid: u32,
    /// The caller's thread.
    pub pid: u32,
    /// When it arrived.
    pub since: Instant,
    /// Set once the watchdog has spoken about it.
    pub reported: bool,
}

/// The table of requests in flight.
#[derive(Debug)]
pub struct InFlight {
    next: AtomicU64,
    shards: [Mutex<HashMap<u64, Request>>; SHARDS],
    /// Those that took longest.
    pub slowest: Slowest,
}

impl Default for InFlight {
    fn default() -> Self {
        InFlight {
            next: AtomicU64::new(0),
            shards: std::array::from_fn(|_| Mutex::new(HashMap::new())),
            slowest: Slowest::default(),
        }
    }
}

impl InFlight {
    /// Registers a request; it leaves the table when the guard is dropped.
    pub fn enter(&self, operation: &'static str, node: u64, uid: u32, pid: u32) -> Guard<'_> {
        let ticket = self.next.fetch_add(1, Relaxed);
        let request = Request { operation, node, uid, pid, since: Instant::now(), reported: false };
        self.shard(ticket).lock().insert(ticket, request);
        Guard { table: self, ticket }
    }

    /// Everything in flight, oldest first.
    pub fn snapshot(&self) -> Vec<Request> {
        let mut all: Vec<_> =
            self.shards.iter().flat_map(|shard| shard.lock().values().cloned().collect::<Vec<_>>()).collect();
        all.sort_by_key(|request| request.since);
        all
    }

    /// Requests older than `limit` that have not been reported before; marks them reported.
    pub fn overdue(&self, limit: Duration) -> Vec<Request> {
        let mut late = Vec::new();
        for shard in &self.shards {
            for request in shard.lock().values_mut() {
                if !request.reported && request.since.elapsed() > limit {
                    request.reported = true;
                    late.push(request.clone());
                }
            }
        }
        late
    }

    fn shard(&self, ticket: u64) -> &Mutex<HashMap<u64, Request>> {
        &self.shards[ticket as usize % SHARDS]
    }
}

/// Keeps a request in the table.
#[derive(Debug)]
pub struct Guard<'a> {
    table: &'a InFlight,
    ticket: u64,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let done = self.table.shard(self.ticket).lock().remove(&self.ticket);
        if let Some(request) = done {
            self.table.slowest.done(request);
        }
    }
}
