//! What the kernel's page cache holds of a redacted view.
//!
//! An OPEN without `FOPEN_KEEP_CACHE` drops the inode's pages, but when the kernel has done so is not told: only a READ or
//! RELEASE of that very handle shows that its open(2) is over. Until then nobody may keep pages. After that all pages come from READs
//! that were sent later, each of which says here what it answered with; one that does not fit ends it.
//!
//! Why pages that were read before the drop are gone: a page that is being read is locked, and dropping waits for the lock
//! (mm/truncate.c, invalidate_inode_pages2_range).

use parking_lot::Mutex;

use crate::lower::Stamp;

/// Proof of an open that drops pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token(u64);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Any.
    #[default]
    Unknown,
    /// Those of this content, once the open of this token is over.
    Dropping(Stamp, Token),
    /// Those of this content.
    Holding(Stamp),
}

/// The pages of one redacted view. A leaf among locks.
#[derive(Debug, Default)]
pub struct Pages(Mutex<(State, u64)>);

impl Pages {
    /// An open that finds the file as `stamp` says; `None` if it is being written, or changed a moment ago. `None` when the
    /// kernel may keep its pages; else it drops them.
    pub fn open(&self, stamp: Option<Stamp>) -> Option<Token> {
        let (state, next) = &mut *self.0.lock();
        if stamp.is_some_and(|stamp| *state == State::Holding(stamp)) {
            return None;
        }
        *next += 1;
        let token = Token(*next);
        *state = stamp.map_or(State::Unknown, |stamp| State::Dropping(stamp, token));
        Some(token)
    }

    /// The open of this token is over.
    pub fn arrived(&self, token: Token) {
        let (state, _) = &mut *self.0.lock();
        if let State::Dropping(stamp, last) = *state
            && last == token
        {
            *state = State::Holding(stamp);
        }
    }

    /// A READ is answered with the content of this stamp (`None`: of a file that is being written, or changed a moment ago).
    /// True if the pages are not all of one content any more.
    #[must_use = "mixed pages are to be dropped"]
    pub fn fill(&self, stamp: Option<Stamp>) -> bool {
        let (state, _) = &mut *self.0.lock();
        match *state {
            State::Unknown => false,
            State::Dropping(known, _) | State::Holding(known) if stamp == Some(known) => false,
            State::Dropping(..) | State::Holding(_) => {
                *state = State::Unknown;
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::Id;

    fn stamp(size: u64) -> Stamp {
        Stamp { id: Id { ino: 1, generation: 1 }, size, mtime_ns: 0, ctime_ns: 0 }
    }

    #[test]
    fn pages_are_kept_once_the_open_that_dropped_the_others_is_over() {
        let pages = Pages::default();
        let first = pages.open(Some(stamp(1))).unwrap();
        let second = pages.open(Some(stamp(1))).expect("the first may not have dropped anything yet");
        pages.arrived(first);
        assert!(pages.open(Some(stamp(1))).is_some(), "the first one's arrival says nothing about the last");
        pages.arrived(second);
        let third = pages.open(Some(stamp(1))).unwrap();
        pages.arrived(third);
        assert_eq!(pages.open(Some(stamp(1))), None);
        assert!(pages.open(Some(stamp(2))).is_some());
        assert!(pages.open(Some(stamp(1))).is_some());
    }

    #[test]
    fn nothing_is_kept_of_a_file_that_is_being_written() {
        let pages = Pages::default();
        pages.arrived(pages.open(Some(stamp(1))).unwrap());
        let token = pages.open(None).unwrap();
        pages.arrived(token);
        assert!(pages.open(Some(stamp(1))).is_some());
    }

    #[test]
    fn an_answer_that_does_not_fit_ends_it() {
        for odd in [None, Some(stamp(2))] {
            let pages = Pages::default();
            assert!(!pages.fill(odd), "nothing is known of the others");
            pages.arrived(pages.open(Some(stamp(1))).unwrap());
            assert!(!pages.fill(Some(stamp(1))));
            assert!(pages.fill(odd));
            assert!(pages.open(Some(stamp(1))).is_some());
        }
    }
}
