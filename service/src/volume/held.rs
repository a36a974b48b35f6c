//! Directories that are kept open, so that work on a name in one costs no walk to it.
//!
//! What a descriptor stands for is the directory that it was opened as, wherever that is now. Through the mount it moves
//! together with its node. What moves or removes directories behind the mount is heard of by the watch, which has all of
//! them closed; where nobody watches, none is kept.
//!
//! Two locks: a leaf around the list of what is held, taken when a directory is opened; and none where one is held already.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::node::{File, OpenDir};

/// The directories of one volume that are kept open.
#[derive(Debug)]
pub(super) struct Held {
    most: usize,
    /// In the order in which they were opened.
    dirs: Mutex<VecDeque<Weak<File>>>,
    /// Grows whenever all are closed.
    round: AtomicU64,
}

impl Held {
    /// So many at most.
    pub(super) fn new(most: usize) -> Held {
        Held { most, dirs: Mutex::default(), round: AtomicU64::new(0) }
    }

    /// To be asked before a directory is opened that is to be kept.
    pub(super) fn round(&self) -> u64 {
        self.round.load(SeqCst)
    }

    /// Keeps a directory that was opened in this round.
    pub(super) fn keep(&self, dir: &Arc<File>, fd: &Arc<OpenDir>, round: u64) {
        if self.most == 0 {
            return;
        }
        let oldest = {
            let mut dirs = self.dirs.lock();
            // Under the lock, so that whoever closes all of them finds it.
            if self.round() != round || !dir.hold(Arc::clone(fd)) {
                return;
            }
            dirs.push_back(Arc::downgrade(dir));
            if dirs.len() > self.most { dirs.pop_front() } else { None }
        };
        if let Some(oldest) = oldest.and_then(|it| it.upgrade()) {
            oldest.let_go();
        }
    }

    /// Closes all of them.
    pub(super) fn clear(&self) {
        self.round.fetch_add(1, SeqCst);
        let dirs = std::mem::take(&mut *self.dirs.lock());
        dirs.iter().filter_map(Weak::upgrade).for_each(|it| it.let_go());
    }
}
