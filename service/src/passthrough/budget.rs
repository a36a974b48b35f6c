//! How many of something there may be, in all and for each uid: backing files, open handles, listed entries.

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

/// Counts against bounds, over all volumes.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    gauge: Gauge,
    total: AtomicU32,
    by_uid: [Mutex<HashMap<u32, u32>>; SHARDS],
    observer: Arc<Observer>,
}

impl Budget {
    /// An unused budget, shown by `gauge`.
    pub fn new(limits: Limits, gauge: Gauge, observer: Arc<Observer>) -> Arc<Budget> {
        Arc::new(Budget {
            limits,
            gauge,
            total: AtomicU32::new(0),
            by_uid: std::array::from_fn(|_| Mutex::default()),
            observer,
        })
    }

    /// Takes `amount` for `uid`; it is given back when the ticket is dropped.
    pub fn take(self: &Arc<Budget>, uid: u32, amount: u32) -> Result<Ticket, Exhausted> {
        {
            let mut shard = self.shard(uid).lock();
            let used = shard.get(&uid).copied().unwrap_or(0);
            let wanted = used.checked_add(amount).filter(|wanted| *wanted <= self.limits.per_uid);
            shard.insert(uid, wanted.ok_or(Exhausted::Uid)?);
        }
        let ticket = Ticket { budget: Arc::clone(self), uid, amount };
        self.observer.shift(self.gauge, amount.into());
        let before = self.total.fetch_add(amount, Relaxed);
        if before.checked_add(amount).is_none_or(|all| all > self.limits.total) {
            // The ticket's drop undoes both counts.
            return Err(Exhausted::Total);
        }
        Ok(ticket)
    }

    /// What is taken in all.
    pub fn in_use(&self) -> u32 {
        self.total.load(Relaxed)
    }

    /// What is taken, by uid, most first.
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

/// A part of the budget.
#[derive(Debug)]
pub struct Ticket {
    budget: Arc<Budget>,
    uid: u32,
    amount: u32,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.budget.total.fetch_sub(self.amount, Relaxed);
        self.budget.observer.shift(self.budget.gauge, -i64::from(self.amount));
        let mut shard = self.budget.shard(self.uid).lock();
        if let Some(used) = shard.get_mut(&self.uid) {
            *used -= self.amount;
            if *used == 0 {
                shard.remove(&self.uid);
            }
        }
    }
}
