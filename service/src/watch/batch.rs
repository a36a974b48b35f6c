//! What gathered in a moment: each name once, renames in their order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::volume::Change;

/// That many names are dealt with at once; what is left in the kernel's queue comes next.
const FULL: usize = 8192;
/// More than that are not kept for the index: all of the volume is gone through instead.
const TOO_MUCH: usize = 100_000;

/// A name in a directory, by the directory's path below the lower root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) dir: Arc<[u8]>,
    pub(super) name: Box<[u8]>,
}

impl Name {
    /// Its path below the lower root.
    pub(super) fn path(&self) -> Vec<u8> {
        joined(&self.dir, &self.name)
    }
}

/// A name below a path.
pub(super) fn joined(dir: &[u8], name: &[u8]) -> Vec<u8> {
    let between: &[u8] = if dir.is_empty() { b"" } else { b"/" };
    [dir, between, name].concat()
}

/// A rename of which both ends are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) from: Name,
    pub(super) to: Name,
    pub(super) change: Change,
}

impl Move {
    /// The other half of an exchange.
    pub(super) fn is_back_of(&self, other: &Move) -> bool {
        self.from == other.to && self.to == other.from
    }
}

/// Names of one directory and what happened to them.
pub(super) type Names = BTreeMap<Box<[u8]>, Change>;

/// Events of a moment.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) names: BTreeMap<Arc<[u8]>, Names>,
    pub(super) moves: VecDeque<Move>,
    /// Events of others.
    pub(super) events: u64,
    /// Events of our own.
    pub(super) own: u64,
    /// Events were lost.
    pub(super) lost: bool,
    held: usize,
}

impl Batch {
    /// No more should be put into it.
    pub(super) fn is_full(&self) -> bool {
        self.held >= FULL
    }

    /// More than can be kept.
    pub(super) fn is_too_much(&self) -> bool {
        self.held > TOO_MUCH
    }

    /// How many names and renames it holds.
    pub(super) fn pending(&self) -> i64 {
        i64::try_from(self.held).unwrap_or(i64::MAX)
    }

    /// What happened later.
    pub(super) fn append(&mut self, later: Batch) {
        for (dir, names) in later.names {
            for (name, change) in names {
                self.note(Name { dir: Arc::clone(&dir), name }, change);
            }
        }
        self.held += later.moves.len();
        self.moves.extend(later.moves);
        self.events += later.events;
        self.own += later.own;
        self.lost |= later.lost;
    }

    /// Takes out the first renames; not one half of an exchange.
    pub(super) fn take_moves(&mut self, most: usize) -> Vec<Move> {
        let mut most = most.min(self.moves.len());
        if let (Some(last), Some(next)) = (self.moves.get(most.saturating_sub(1)), self.moves.get(most))
            && next.is_back_of(last)
        {
            most += 1;
        }
        self.held -= most;
        self.moves.drain(..most).collect()
    }

    /// Takes out names of one directory.
    pub(super) fn take_names(&mut self, most: usize) -> Option<(Arc<[u8]>, Names)> {
        let (dir, mut names) = self.names.pop_first()?;
        if let Some(next) = names.keys().nth(most).cloned() {
            let rest = names.split_off(&next);
            self.names.insert(Arc::clone(&dir), rest);
        }
        self.held -= names.len();
        Some((dir, names))
    }

    /// Keeps the names of which `keep` says so; it is shown all that is known of each directory, one after another.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&[u8], &mut Names)) {
        let held = &mut self.held;
        self.names.retain(|dir, names| {
            let before = names.len();
            keep(dir, names);
            *held -= before - names.len();
            !names.is_empty()
        });
    }

    /// Something happened to a name.
    pub(super) fn note(&mut self, name: Name, change: Change) {
        let names = self.names.entry(name.dir).or_default();
        let known = names.entry(name.name).or_insert_with(|| {
            self.held += 1;
            Change::CONTENT
        });
        *known = known.and(change);
    }

    /// A rename. Both names are noted as well; `whole` is what has to be known of a directory that came.
    pub(super) fn note_move(&mut self, from: Name, to: Name, change: Change) {
        self.note(from.clone(), Change { went: true, ..change });
        self.note(to.clone(), Change { came: true, whole: change.is_dir, ..change });
        self.held += 1;
        self.moves.push_back(Move { from, to, change });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(dir: &str, name: &str) -> Name {
        Name { dir: dir.as_bytes().into(), name: name.as_bytes().into() }
    }

    #[test]
    fn a_name_is_held_once_with_all_that_happened_to_it() {
        let mut batch = Batch::default();
        batch.note(name("a", "x"), Change::CONTENT);
        batch.note(name("a", "x"), Change { came: true, ..Change::CONTENT });
        batch.note_move(name("a", "x"), name("", "y"), Change::CONTENT);
        let change = |dir: &str, name: &str| batch.names[dir.as_bytes()][name.as_bytes()];
        assert_eq!(change("a", "x"), Change { came: true, went: true, ..Change::CONTENT });
        assert_eq!(change("", "y"), Change { came: true, ..Change::CONTENT });
        assert_eq!((batch.names.len(), batch.moves.len()), (2, 1));
        assert_eq!((name("a", "x").path(), name("", "y").path()), (b"a/x".to_vec(), b"y".to_vec()));
    }

    #[test]
    fn it_is_full_at_some_point_whatever_the_names() {
        let mut batch = Batch::default();
        for number in 0..FULL {
            assert!(!batch.is_full());
            batch.note(name("a", &number.to_string()), Change::CONTENT);
        }
        assert!(batch.is_full());
    }
}
