//! How many backing files there may be: in all, and for each uid.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use parking_lot::Mutex;

use crate::observe::{Gauge, Observer};

const SHARDS: usize = 16;

/// The bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub total: u32,
    /// For opens of one uid.
    pub per_uid: u32,
}

/// Which bound was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// The total.
    Total,
    /// The caller's share.
    Uid,
}

/// Counts backing files against their bounds, over all volumes.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    total: AtomicU32,
    by_uid: [Mutex<HashMap<u32, u32>>; SHARDS],
    observer: Arc<Observer>,
}

impl Budget {
    /// An unused budget.
    pub fn new(limits: Limits, observer: Arc<Observer>) -> Arc<Budget> {
        Arc::new(Budget {
            limits,
            total: AtomicU32::new(0),
            by_uid: std::array::from_fn(|_| Mutex::default()),
            observer,
        })
    }

    /// Takes one for `uid`; it is given back when the ticket is dropped.
    pub fn take(self: &Arc<Budget>, uid: u32) -> Result<Ticket, Exhausted> {
        {
            let mut shard = self.shard(uid).lock();
            let used = shard.entry(uid).or_insert(0);
            if *used >= self.limits.per_uid {
                return Err(Exhausted::Uid);
            }
            *used += 1;
        }
        let ticket = Ticket { budget: Arc::clone(self), uid };
        self.observer.shift(Gauge::BackingFiles, 1);
        if self.total.fetch_add(1, Relaxed) >= self.limits.total {
            // The ticket's drop undoes both counts.
            return Err(Exhausted::Total);
        }
        Ok(ticket)
    }

    /// Backing files by uid, most first.
    pub fn by_uid(&self) -> Vec<(u32, u32)> {
        let mut all: Vec<_> = self
            .by_uid
            .iter()
            .flat_map(|shard| shard.lock().iter().map(|(uid, n)| (*uid, *n)).collect::<Vec<_>>())
            .collect();
        all.sort_by_key(|(uid, n)| (std::cmp::Reverse(*n), *uid));
        all
    }

    fn shard(&self, uid: u32) -> &Mutex<HashMap<u32, u32>> {
        &self.by_uid[uid as usize % SHARDS]
    }
}

/// One backing file's place in the budget.
#[derive(Debug)]
pub struct Ticket {
    budget: Arc<Budget>,
    uid: u32,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.budget.total.fetch_sub(1, Relaxed);
        self.budget.observer.shift(Gauge::BackingFiles, -1);
        let mut shard = self.budget.shard(self.uid).lock();
        if let Some(used) = shard.get_mut(&self.uid) {
            *used -= 1;
            if *used == 0 {
                shard.remove(&self.uid);
            }
        }
    }
}
