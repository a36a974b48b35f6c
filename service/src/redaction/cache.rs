//! What was found in files, in memory, bounded.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::ranges::Hidden;
use crate::lower::Stamp;

const SHARDS: usize = 16;

/// What one half of a shard may weigh. An entry weighs one, and as much again for each [`RANGES`] ranges that it has: some
/// 15 MB in all.
const HALF: usize = 4096;
const RANGES: usize = 8;

/// Two halves: what is used moves to the young one; when that is full, the old one is forgotten and the young one is old.
#[derive(Debug, Default)]
struct Shard {
    young: HashMap<u64, (Stamp, Hidden)>,
    old: HashMap<u64, (Stamp, Hidden)>,
    weight: usize,
}

impl Shard {
    fn put(&mut self, stamp: Stamp, hidden: Hidden) {
        let weight = 1 + hidden.count() / RANGES;
        if weight > HALF {
            return;
        }
        if self.weight + weight > HALF {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        // What is replaced goes on counting until the halves change.
        self.weight += weight;
        self.young.insert(stamp.id.ino, (stamp, hidden));
    }
}

/// Findings by inode; one for each.
#[derive(Debug, Default)]
pub(super) struct Cache([Mutex<Shard>; SHARDS]);

impl Cache {
    /// What is hidden in the file of this stamp.
    pub(super) fn get(&self, stamp: &Stamp) -> Option<Hidden> {
        let mut shard = self.shard(stamp).lock();
        if let Some((known, hidden)) = shard.young.get(&stamp.id.ino) {
            return (known == stamp).then(|| hidden.clone());
        }
        let (known, hidden) = shard.old.remove(&stamp.id.ino)?;
        let found = (known == *stamp).then(|| hidden.clone());
        if found.is_some() {
            shard.put(known, hidden);
        }
        found
    }

    pub(super) fn put(&self, stamp: Stamp, hidden: Hidden) {
        self.shard(&stamp).lock().put(stamp, hidden);
    }

    fn shard(&self, stamp: &Stamp) -> &Mutex<Shard> {
        &self.0[stamp.id.ino as usize % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::ranges::Ranges;
    use super::*;
    use crate::lower::Id;

    fn stamp(ino: u64, size: u64) -> Stamp {
        Stamp { id: Id { ino, generation: 1 }, size, mtime_ns: 1, ctime_ns: 1 }
    }

    fn nothing() -> Hidden {
        Hidden::default()
    }

    fn held(cache: &Cache, shard: usize) -> usize {
        let shard = cache.0[shard].lock();
        shard.young.len() + shard.old.len()
    }

    #[test]
    fn another_stamp_is_another_file() {
        let cache = Cache::default();
        cache.put(stamp(1, 10), nothing());
        assert!(cache.get(&stamp(1, 10)).is_some());
        for other in [
            stamp(1, 11),
            stamp(2, 10),
            Stamp { mtime_ns: 2, ..stamp(1, 10) },
            Stamp { ctime_ns: 2, ..stamp(1, 10) },
            Stamp { id: Id { ino: 1, generation: 2 }, ..stamp(1, 10) },
        ] {
            assert!(cache.get(&other).is_none(), "{other:?}");
        }
        cache.put(stamp(1, 11), Hidden::All);
        assert!(cache.get(&stamp(1, 10)).is_none() && cache.get(&stamp(1, 11)) == Some(Hidden::All));
    }

    #[test]
    fn it_is_bounded_and_keeps_what_is_used() {
        let cache = Cache::default();
        let all = (SHARDS * HALF * 4) as u64;
        for ino in 0..all {
            cache.put(stamp(ino, 0), nothing());
            assert!(cache.get(&stamp(0, 0)).is_some(), "forgotten though it is used, at {ino}");
        }
        let kept: usize = (0..SHARDS).map(|shard| held(&cache, shard)).sum();
        assert!(kept <= 2 * SHARDS * HALF, "{kept}");
    }

    #[test]
    fn many_ranges_weigh_more() {
        let many =
            |count: u64| Hidden::Bytes(Arc::new(Ranges::new((0..count).map(|n| (n * 10, n * 10 + 1)))));
        let cache = Cache::default();
        for n in 0..64 {
            cache.put(stamp(n * SHARDS as u64, 0), many(8 * 1024));
        }
        assert!(held(&cache, 0) <= 8);
        cache.put(stamp(7, 0), many(9 * HALF as u64));
        assert!(cache.get(&stamp(7, 0)).is_none(), "too much to be kept");
    }
}
