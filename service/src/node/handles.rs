//! Open handles by number.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::RwLock;

use crate::observe::{Gauge, Observer};

const SHARDS: usize = 16;

/// A table of handles: numbers for the kernel, shared references for the workers.
#[derive(Debug)]
pub struct Handles<T> {
    next: AtomicU64,
    shards: [RwLock<HashMap<u64, Arc<T>>>; SHARDS],
    gauge: Gauge,
    observer: Arc<Observer>,
}

impl<T> Handles<T> {
    /// An empty table, counted by `gauge`.
    pub fn new(gauge: Gauge, observer: Arc<Observer>) -> Handles<T> {
        Handles {
            next: AtomicU64::new(1),
            shards: std::array::from_fn(|_| RwLock::new(HashMap::new())),
            gauge,
            observer,
        }
    }

    /// Adds a handle and gives it a number that was never used before.
    pub fn insert(&self, handle: Arc<T>) -> u64 {
        let number = self.next.fetch_add(1, Relaxed);
        self.shard(number).write().insert(number, handle);
        self.observer.shift(self.gauge, 1);
        number
    }

    /// The handle of this number.
    pub fn get(&self, number: u64) -> Option<Arc<T>> {
        self.shard(number).read().get(&number).cloned()
    }

    /// Any handle that is `wanted`. Looks at all of them: for what is rare.
    pub fn find(&self, wanted: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        self.shards.iter().find_map(|shard| shard.read().values().find(|handle| wanted(handle)).cloned())
    }

    /// Takes the handle out.
    pub fn remove(&self, number: u64) -> Option<Arc<T>> {
        let handle = self.shard(number).write().remove(&number);
        if handle.is_some() {
            self.observer.shift(self.gauge, -1);
        }
        handle
    }

    fn shard(&self, number: u64) -> &RwLock<HashMap<u64, Arc<T>>> {
        &self.shards[number as usize % SHARDS]
    }
}

impl<T> Drop for Handles<T> {
    /// A volume that goes takes its handles along (the kernel sends no RELEASE after an abort).
    fn drop(&mut self) {
        let left: usize = self.shards.iter().map(|shard| shard.read().len()).sum();
        self.observer.shift(self.gauge, -i64::try_from(left).unwrap_or(0));
    }
}
