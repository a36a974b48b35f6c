//! A listing as one handle shows it.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::lower::{FileKind, is_dot};
use crate::passthrough::Ticket;

/// One entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The name.
    pub name: Box<[u8]>,
    /// Its kind.
    pub kind: FileKind,
    /// Lower inode number.
    pub ino: u64,
    /// Where in the directory the next one is.
    pub next: u64,
}

impl Listed {
    /// True for the directory itself and the one above, which are shown and not looked up.
    pub fn is_dot(&self) -> bool {
        is_dot(&self.name)
    }
}

/// What was shown of a directory, from some place in it on, when it was first read there: the same until the handle is closed, or reads
/// from a place that is not in it.
///
/// Places are the lower file system's own. So a handle that was served by what the kernel keeps, and is not any more, goes on where
/// it was, whatever came or went before that place.
#[derive(Debug)]
pub struct Snapshot {
    from: u64,
    entries: Box<[Listed]>,
    /// Where it was read from last: the next place is not far behind.
    last: AtomicUsize,
    /// The entries' place in the caller's budget.
    _ticket: Ticket,
}

impl Snapshot {
    /// The entries from a place in the directory on.
    pub fn new(from: u64, entries: Vec<Listed>, ticket: Ticket) -> Snapshot {
        Snapshot { from, entries: entries.into(), last: AtomicUsize::new(0), _ticket: ticket }
    }

    /// The entries from a place in the directory on; `None` if it is not one of those that begin it or follow an entry.
    pub fn entries_from(&self, place: u64) -> Option<&[Listed]> {
        let position = if place == self.from {
            0
        } else {
            let last = self.last.load(Relaxed);
            let before = |range: &[Listed]| range.iter().position(|entry| entry.next == place);
            let (sooner, later) = self.entries.split_at_checked(last)?;
            let found = before(later).map(|at| last + at).or_else(|| before(sooner));
            found? + 1
        };
        self.last.store(position, Relaxed);
        self.entries.get(position..)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::observe::{Gauge, Observer};
    use crate::passthrough::{Budget, Limits};

    #[test]
    fn it_is_read_on_and_anew() {
        let entry = |ino| Listed { name: Box::new([b'a']), kind: FileKind::File, ino, next: ino * 10 };
        let limits = Limits { total: 10, per_uid: 10 };
        let ticket =
            Budget::new(limits, Gauge::DirHandles, Arc::new(Observer::default())).take(1, 4).unwrap();
        let snapshot = Snapshot::new(5, (1..=4).map(entry).collect(), ticket);
        let inos = |place| {
            let entries = snapshot.entries_from(place)?;
            Some(entries.iter().map(|entry| entry.ino).collect::<Vec<_>>())
        };
        assert_eq!(inos(5).unwrap(), [1, 2, 3, 4]);
        assert_eq!(inos(20).unwrap(), [3, 4]);
        assert_eq!(inos(40).unwrap(), [0; 0]);
        assert_eq!(inos(10).unwrap(), [2, 3, 4], "back");
        assert_eq!(inos(5).unwrap(), [1, 2, 3, 4]);
        assert_eq!(inos(0), None);
        assert_eq!(inos(15), None);
    }
}
