//! What was found out about places, in tables of fixed size.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// What was said of a place last, as a number that nobody outside can foresee; 0: nothing. What is said of another place may take
/// its room.
#[derive(Debug)]
pub(super) struct Slots {
    said: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Slots {
    pub(super) fn new(slots: usize) -> Slots {
        Slots { said: (0..slots).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::new() }
    }

    pub(super) fn has(&self, place: impl Hash, said: impl Hash) -> bool {
        let slot = self.slot(&place);
        let number = self.number(place, said);
        self.said.get(slot).is_some_and(|slot| slot.load(SeqCst) == number)
    }

    pub(super) fn put(&self, place: impl Hash, said: impl Hash) {
        self.say(self.slot(&place), self.number(place, said));
    }

    pub(super) fn clear(&self, place: impl Hash) {
        self.say(self.slot(place), 0);
    }

    /// Which of the slots is for whatever is said of a place.
    pub(super) fn slot(&self, place: impl Hash) -> usize {
        let number = self.hasher.hash_one(place);
        usize::try_from(number >> 32).unwrap_or(0) % self.said.len().max(1)
    }

    fn number(&self, place: impl Hash, said: impl Hash) -> u64 {
        self.hasher.hash_one((place, said)) | 1
    }

    fn say(&self, slot: usize, number: u64) {
        if let Some(slot) = self.said.get(slot) {
            slot.store(number, SeqCst);
        }
    }
}
