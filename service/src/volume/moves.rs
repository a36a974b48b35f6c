//! Names that are being put somewhere, for those who compare the lower tree with the index.
//!
//! A rename is done in the lower tree first and told to the index a moment later. Who looks in between finds a row without
//! its file; were the row removed, the rename would find nothing to carry along, and the file would lose its id, its
//! grants and, where it cannot carry one itself, its owner. So whoever is about to remove a row for its file's being gone begins
//! a look ([`Moves::look`]), finds nothing in the lower tree, and has the removal queued ([`Moves::if_gone`]) when the renames that have
//! begun by then are told, one of which may be what took the file away, and only if nothing was put there since.
//!
//! A walk reads a directory's name long before it comes to it. A directory that is renamed from a place that is yet to be walked to
//! one that was walked already would be missed: the walk is told where directories went ([`Moves::listen`]).
//!
//! Lock: `state`; held while a removal is queued, so before the catalog's; by no one who holds another lock.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

/// Longest wait for renames to be told.
const PATIENCE: Duration = Duration::from_secs(5);
/// Places that are kept for one walk; of more it is only told that there were.
const KEPT: usize = 4096;
/// Names put somewhere that are remembered: more than there can be during a look.
const REMEMBERED: usize = 1024;

#[derive(Debug, Default)]
struct State {
    next: u64,
    under_way: BTreeSet<u64>,
    /// What came last, in order.
    came: VecDeque<(u64, Vec<u8>)>,
    /// Up to here that is forgotten.
    forgotten: u64,
    walks: HashMap<u64, Went>,
}

/// Where directories went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Went {
    /// Their paths below the lower root.
    pub to: BTreeSet<Vec<u8>>,
    /// There were more of them.
    pub many: bool,
}

/// When somebody began to look at the lower tree.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// What has a larger one was not over by then.
    over: u64,
}

/// The names of one volume that are being put somewhere.
#[derive(Debug, Default)]
pub struct Moves {
    state: Mutex<State>,
    told: Condvar,
}

impl Moves {
    /// A file or directory is about to be made at `to` below the lower root, or renamed to there; until the guard is dropped, by
    /// when the index was told.
    pub fn begin(&self, to: &[u8]) -> UnderWay<'_> {
        let mut state = self.state.lock();
        state.next += 1;
        let ticket = state.next;
        state.under_way.insert(ticket);
        state.came.push_back((ticket, to.to_vec()));
        if state.came.len() > REMEMBERED {
            state.forgotten = state.came.pop_front().map_or(0, |(ticket, _)| ticket);
        }
        UnderWay { moves: self, ticket }
    }

    /// Somebody is about to look whether a file is gone.
    pub fn look(&self) -> Look {
        let state = self.state.lock();
        Look { over: state.under_way.first().map_or(state.next, |oldest| oldest - 1) }
    }

    /// Has `remove` queue the removal of the row of `path` (below the lower root), at which nothing was found since `look`: unless
    /// something came there meanwhile. Whether it did.
    pub fn if_gone(&self, look: Look, path: &[u8], remove: impl FnOnce()) -> bool {
        // Whatever took the file away had begun before nothing was found, and may have begun after the look.
        let newest = self.state.lock().next;
        let Some(state) = self.settled(newest) else { return false };
        let came = |(ticket, to): &(u64, Vec<u8>)| *ticket > look.over && covers(to, path);
        if look.over < state.forgotten || state.came.iter().any(came) {
            return false;
        }
        // Under the lock: what comes there from now on is told to the index behind this.
        remove();
        true
    }

    /// Waits until the index was told of all that has begun; false if that takes too long.
    pub fn settle(&self) -> bool {
        let newest = self.state.lock().next;
        self.settled(newest).is_some()
    }

    fn settled(&self, newest: u64) -> Option<MutexGuard<'_, State>> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.state.lock();
        while state.under_way.first().is_some_and(|oldest| *oldest <= newest) {
            if self.told.wait_until(&mut state, deadline).timed_out() {
                return None;
            }
        }
        Some(state)
    }

    /// A directory went to this path below the lower root.
    pub fn went(&self, to: &[u8]) {
        for walk in self.state.lock().walks.values_mut() {
            if walk.to.len() < KEPT {
                walk.to.insert(to.to_vec());
            } else {
                walk.many = true;
            }
        }
    }

    /// Hears of directories that are renamed until this is dropped.
    pub fn listen(&self) -> Listening<'_> {
        let mut state = self.state.lock();
        state.next += 1;
        let ticket = state.next;
        state.walks.insert(ticket, Went::default());
        Listening { moves: self, ticket }
    }
}

/// Something is being renamed.
#[derive(Debug)]
pub struct UnderWay<'a> {
    moves: &'a Moves,
    ticket: u64,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.moves.state.lock().under_way.remove(&self.ticket);
        self.moves.told.notify_all();
    }
}

/// A walk that hears of renames.
#[derive(Debug)]
pub struct Listening<'a> {
    moves: &'a Moves,
    ticket: u64,
}

impl Listening<'_> {
    /// Where directories went since this was asked last.
    pub fn take(&self) -> Went {
        self.moves.state.lock().walks.get_mut(&self.ticket).map(std::mem::take).unwrap_or_default()
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.moves.state.lock().walks.remove(&self.ticket);
    }
}

/// Whether what came to `to` may have brought `path` along, whatever spelling the file system takes for another.
fn covers(to: &[u8], path: &[u8]) -> bool {
    match path.split_at_checked(to.len()) {
        Some((head, rest)) => head.eq_ignore_ascii_case(to) && (rest.is_empty() || rest.starts_with(b"/")),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_removes_rows_waits_for_renames_that_had_begun() {
        let moves = Moves::default();
        assert!(moves.settle());
        let first = moves.begin(b"a");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| moves.settle());
            // True once it waits.
            while !moves.told.notify_one() {
                assert!(!waiting.is_finished());
                std::thread::yield_now();
            }
            // One that begins later is not waited for.
            let later = moves.begin(b"a");
            drop(first);
            assert!(waiting.join().unwrap());
            drop(later);
        });
    }

    #[test]
    fn a_row_goes_unless_something_came_in_its_place() {
        let moves = Moves::default();
        let gone = |look: Look| moves.if_gone(look, b"0/d/f", || ());
        let look = moves.look();
        assert!(gone(look));
        drop(moves.begin(b"0/d/g"));
        drop(moves.begin(b"0/d/f/x"));
        drop(moves.begin(b"0/e"));
        assert!(gone(look), "nothing of that came there");
        for to in [&b"0/d/f"[..], b"0/d", b"0/D", b"0"] {
            let look = moves.look();
            drop(moves.begin(to));
            assert!(!gone(look), "{to:?} came");
            assert!(gone(moves.look()));
        }
        // One that had begun, and came after the look.
        let under_way = moves.begin(b"0/d");
        let look = moves.look();
        drop(under_way);
        assert!(!gone(look));
        let look = moves.look();
        (0..=REMEMBERED).for_each(|_| drop(moves.begin(b"x")));
        assert!(!gone(look), "nobody knows any more");
        assert!(gone(moves.look()));
    }

    #[test]
    fn what_took_the_file_away_is_told_before_its_row_is_removed() {
        let moves = Moves::default();
        let look = moves.look();
        // It goes elsewhere while somebody looks for it here.
        let away = moves.begin(b"0/e");
        let told = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| moves.if_gone(look, b"0/d/f", || told.lock().push("removed")));
            while !moves.told.notify_one() {
                assert!(!waiting.is_finished(), "the rename is not told yet");
                std::thread::yield_now();
            }
            told.lock().push("renamed");
            drop(away);
            assert!(waiting.join().unwrap());
        });
        assert_eq!(*told.lock(), ["renamed", "removed"]);
    }

    #[test]
    fn walks_hear_where_directories_went() {
        let moves = Moves::default();
        moves.went(b"before");
        let walk = moves.listen();
        moves.went(b"a");
        moves.went(b"a");
        moves.went(b"b");
        assert_eq!(walk.take(), Went { to: [b"a".to_vec(), b"b".to_vec()].into(), many: false });
        assert_eq!(walk.take(), Went::default());
        for number in 0..=KEPT {
            moves.went(number.to_string().as_bytes());
        }
        let went = walk.take();
        assert!(went.many && went.to.len() == KEPT);
        drop(walk);
        assert!(moves.state.lock().walks.is_empty());
    }
}
