//! How often each uid may connect.
//!
//! A token bucket per uid, kept as the one time at which it will be full again (the "virtual scheduling" form of ITU-T
//! I.371): asking costs a look into a table of bounded size, and a refusal costs nothing later. Owned by the accept
//! loop, so no lock.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Connections at once, by one uid that has made none for a while.
pub(super) const BURST: u32 = 64;
/// Time in which a uid regains one connection.
const INTERVAL: Duration = Duration::from_millis(50);
/// Uids remembered.
const UIDS: usize = 1024;

/// The buckets that are not full.
#[derive(Debug, Default)]
pub(super) struct Rates {
    full_at: HashMap<u32, Instant>,
}

impl Rates {
    /// Whether `uid` may connect at `now`; if so, that is one connection fewer for it.
    pub(super) fn take(&mut self, uid: u32, now: Instant) -> bool {
        let full_at = self.full_at.get(&uid).map_or(now, |at| *at.max(&now)) + INTERVAL;
        if full_at > now + INTERVAL * BURST {
            return false;
        }
        if self.full_at.len() >= UIDS && !self.full_at.contains_key(&uid) {
            self.forget_some(now);
        }
        self.full_at.insert(uid, full_at);
        true
    }

    /// Makes room: full buckets say nothing, and failing those the one that comes closest goes.
    fn forget_some(&mut self, now: Instant) {
        self.full_at.retain(|_, at| *at > now);
        if self.full_at.len() >= UIDS
            && let Some(uid) = self.full_at.iter().min_by_key(|(_, at)| **at).map(|(uid, _)| *uid)
        {
            self.full_at.remove(&uid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(rates: &mut Rates, uid: u32, now: Instant, asked: u32) -> u32 {
        (0..asked).map(|_| u32::from(rates.take(uid, now))).sum()
    }

    #[test]
    fn a_burst_then_what_time_gives_back() {
        let (mut rates, start) = (Rates::default(), Instant::now());
        assert_eq!(taken(&mut rates, 1, start, 10 * BURST), BURST);
        assert_eq!(taken(&mut rates, 1, start + INTERVAL * 3, BURST), 3);
        assert_eq!(taken(&mut rates, 1, start + INTERVAL * 1000, 10 * BURST), BURST);
    }

    #[test]
    fn each_uid_has_its_own() {
        let (mut rates, start) = (Rates::default(), Instant::now());
        assert_eq!(taken(&mut rates, 1, start, 10 * BURST), BURST);
        assert_eq!(taken(&mut rates, 2, start, 10 * BURST), BURST);
    }

    #[test]
    fn many_uids_neither_fill_the_memory_nor_lock_out_the_next() {
        let (mut rates, start) = (Rates::default(), Instant::now());
        assert_eq!(taken(&mut rates, 1, start, BURST), BURST);
        for uid in 2..3 * UIDS as u32 {
            assert!(rates.take(uid, start));
            assert!(rates.full_at.len() <= UIDS);
        }
        assert!(!rates.take(1, start), "the greedy one is not who was forgotten");
        assert!(rates.take(9999, start + INTERVAL * 2));
        assert_eq!(rates.full_at.len(), 2, "full buckets are forgotten first");
    }
}
