//! Where a volume's location findings outlive a restart: the catalog.

use std::sync::Arc;

use crate::catalog::{Catalog, Finding, VolumeKey};
use crate::lower::Stamp;
use crate::redaction::find::Fill;
use crate::redaction::{Hidden, RangeStore, Ranges};

/// Bytes of one stored range.
const RANGE: usize = 17;

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

/// What the last byte of a stored range says that fills it. With [`BYTES`] they stand where the end would.
const ZERO: u8 = 0;
const SPACE: u8 = b' ';
const BYTES: u8 = 4;

/// Each range as its start, its end, and what fills it.
fn encode(ranges: &Ranges) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ranges.count() * RANGE);
    for (start, end, fill) in ranges.iter() {
        let (end, fill) = match fill {
            Fill::Zero => (end, ZERO),
            Fill::Space => (end, SPACE),
            Fill::Bytes(with) => (u32::from_le_bytes(with).into(), BYTES),
        };
        bytes.extend_from_slice(&start.to_le_bytes());
        bytes.extend_from_slice(&end.to_le_bytes());
        bytes.push(fill);
    }
    bytes
}

/// `None` for what was not written by [`encode`].
fn decode(bytes: &[u8]) -> Option<Ranges> {
    let (ranges, []) = bytes.as_chunks::<RANGE>() else { return None };
    let decoded = ranges.iter().map(|range| {
        let (start, rest) = range.split_first_chunk()?;
        let (end, fill) = rest.split_first_chunk()?;
        let (start, end) = (u64::from_le_bytes(*start), u64::from_le_bytes(*end));
        Some(match *fill {
            [ZERO] => (start, end, Fill::Zero),
            [SPACE] => (start, end, Fill::Space),
            [BYTES] => (start, start.checked_add(4)?, Fill::Bytes(u32::try_from(end).ok()?.to_le_bytes())),
            _ => return None,
        })
    });
    decoded.collect::<Option<Vec<_>>>().map(Ranges::filled)
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
        let sum = Fill::Bytes([1, 2, 3, 0xff]);
        let ranges =
            [(1, 5, Fill::Zero), (5, 9, sum), (7, 9, Fill::Space), (u64::MAX - 1, u64::MAX, Fill::Zero)];
        let some = Hidden::Bytes(Arc::new(Ranges::filled(ranges)));
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
        assert_eq!(decode(&[1; RANGE]), None);
    }
}
