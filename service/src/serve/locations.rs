//! Where a volume's location findings outlive a restart: the catalog.

use std::sync::Arc;

use crate::catalog::{Catalog, Finding, VolumeKey};
use crate::lower::Stamp;
use crate::redaction::{Hidden, RangeStore, Ranges};

/// One volume's part of the catalog.
#[derive(Debug)]
pub(super) struct Locations {
    catalog: Arc<Catalog>,
    volume: VolumeKey,
}

impl Locations {
    pub(super) fn new(catalog: Arc<Catalog>, volume: VolumeKey) -> Locations {
        Locations { catalog, volume }
    }
}

impl RangeStore for Locations {
    fn load(&self, stamp: &Stamp, version: u32) -> Option<Hidden> {
        // A catalog that fails says so itself; the file is looked into again.
        let found = self.catalog.finding(self.volume, stamp.id.ino).ok()??;
        if found != (Finding { hidden: found.hidden.clone(), ..finding(stamp, version) }) {
            return None;
        }
        match found.hidden {
            None => Some(Hidden::All),
            Some(bytes) => decode(&bytes).map(|ranges| Hidden::Bytes(Arc::new(ranges))),
        }
    }

    fn save(&self, stamp: &Stamp, version: u32, hidden: &Hidden) {
        let hidden = match hidden {
            Hidden::All => None,
            Hidden::Bytes(ranges) => Some(encode(ranges)),
        };
        let finding = Finding { hidden, ..finding(stamp, version) };
        self.catalog.store_finding(self.volume, stamp.id.ino, finding);
    }
}

fn finding(stamp: &Stamp, version: u32) -> Finding {
    Finding {
        birth: stamp.id.generation,
        size: stamp.size,
        mtime_ns: stamp.mtime_ns,
        ctime_ns: stamp.ctime_ns,
        version,
        hidden: None,
    }
}

fn encode(ranges: &Ranges) -> Vec<u8> {
    ranges
        .as_slice()
        .iter()
        .flat_map(|&(start, end)| [start.to_le_bytes(), end.to_le_bytes()].concat())
        .collect()
}

/// `None` for what was not written by [`encode`].
fn decode(bytes: &[u8]) -> Option<Ranges> {
    let (numbers, []) = bytes.as_chunks::<8>() else { return None };
    let (pairs, []) = numbers.as_chunks::<2>() else { return None };
    Some(Ranges::new(pairs.iter().map(|[start, end]| (u64::from_le_bytes(*start), u64::from_le_bytes(*end)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::Id;

    fn stamp(ino: u64) -> Stamp {
        Stamp { id: Id { ino, generation: u64::MAX }, size: 7, mtime_ns: -1, ctime_ns: i64::MAX }
    }

    #[test]
    fn what_is_stored_is_found_for_that_very_stamp() {
        let dir = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(dir.path(), Arc::default()).unwrap();
        let key = catalog.volume("v", "public").unwrap();
        let store = Locations::new(Arc::clone(&catalog), key);
        let some = Hidden::Bytes(Arc::new(Ranges::new([(1, 5), (u64::MAX - 1, u64::MAX)])));
        for (ino, hidden) in [(1, some), (2, Hidden::default()), (3, Hidden::All)] {
            store.save(&stamp(ino), 1, &hidden);
            catalog.flush().unwrap();
            assert_eq!(store.load(&stamp(ino), 1), Some(hidden));
            assert_eq!(store.load(&stamp(ino), 2), None);
            let id = Id { ino, generation: 1 };
            for other in [
                Stamp { id, ..stamp(ino) },
                Stamp { size: 8, ..stamp(ino) },
                Stamp { mtime_ns: 0, ..stamp(ino) },
                Stamp { ctime_ns: 0, ..stamp(ino) },
            ] {
                assert_eq!(store.load(&other, 1), None);
            }
        }
        let other = Locations::new(Arc::clone(&catalog), catalog.volume("w", "public").unwrap());
        assert_eq!(other.load(&stamp(1), 1), None);
    }

    #[test]
    fn what_was_not_written_so_is_not_read() {
        assert_eq!(decode(&[]), Some(Ranges::default()));
        assert_eq!(decode(&[0; 15]), None);
        assert_eq!(decode(&[0; 24]), None);
    }
}
