//! Telling others what was committed.
//!
//! Who listens gets one [`Committed`] for each transaction that changed rows, over a bounded channel. The writer never
//! waits for a listener: what does not fit is left out, and the next that fits says so ([`Committed::missed`]). While
//! nobody listens nothing is kept.
//!
//! Lock: `listeners`, held to add one and to send, which does not wait.

use std::collections::BTreeSet;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, TrySendError};
use parking_lot::Mutex;

use super::{Catalog, FileKey, VolumeKey};

/// Changes that one transaction tells one by one; of more it only says that there were many.
pub const MOST_TOLD: usize = 1024;

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// A row came.
    Added,
    /// What a row says changed.
    Changed,
    /// A row went.
    Removed,
    /// A row went from here to another place, for which there is a [`ChangeKind::Changed`].
    MovedAway,
    /// Anything may have happened to any file of this owner and media type in the directory at the key (whose name is
    /// empty) and below.
    Below,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The row's id; 0 for [`ChangeKind::Below`].
    pub id: i64,
    /// Where.
    pub key: FileKey,
    /// The media type before a removal or after any other change.
    pub media_type: u8,
    /// The owner, likewise.
    pub owner: Option<Arc<str>>,
}

/// What one transaction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The generation it was stamped with.
    pub generation: i64,
    /// Its changes, in order.
    pub changes: Vec<Change>,
    /// There were more changes than are told here: anything may have changed in `trees`.
    pub many: bool,
    /// The trees of users that something changed in; `None` for any.
    pub trees: Option<BTreeSet<(VolumeKey, u32)>>,
    /// Transactions since the last one told were left out because the listener was slow: anything may have changed.
    pub missed: bool,
}

impl Catalog {
    /// Tells of every transaction that changes rows from now on, until the receiver is dropped. `capacity` of them wait
    /// at most.
    pub fn subscribe(&self, capacity: usize) -> Receiver<Arc<Committed>> {
        let (sender, receiver) = crossbeam_channel::bounded(capacity.max(1));
        self.feed.listeners.lock().push(Listener { sender, missed: false });
        receiver
    }
}

#[derive(Debug)]
struct Listener {
    sender: Sender<Arc<Committed>>,
    missed: bool,
}

/// Who listens.
#[derive(Debug, Default)]
pub(super) struct Feed {
    listeners: Mutex<Vec<Listener>>,
}

impl Feed {
    /// What the next transaction notes its changes in.
    pub(super) fn log(&self) -> Log {
        let wanted = !self.listeners.lock().is_empty();
        Log { wanted, changes: Vec::new(), many: false, trees: Some(BTreeSet::new()) }
    }

    /// Tells what was committed.
    pub(super) fn tell(&self, generation: i64, log: Log) {
        if log.changes.is_empty() && !log.many {
            return;
        }
        let Log { changes, many, trees, .. } = log;
        let told = Arc::new(Committed { generation, changes, many, trees, missed: false });
        self.listeners.lock().retain_mut(|listener| {
            let told = match listener.missed {
                false => Arc::clone(&told),
                true => Arc::new(Committed { missed: true, ..Committed::clone(&told) }),
            };
            match listener.sender.try_send(told) {
                Ok(()) => listener.missed = false,
                Err(TrySendError::Full(_)) => listener.missed = true,
                Err(TrySendError::Disconnected(_)) => return false,
            }
            true
        });
    }

    /// No more is told: the receivers end.
    pub(super) fn close(&self) {
        self.listeners.lock().clear();
    }
}

/// The changes of one transaction.
#[derive(Debug, Default)]
pub(super) struct Log {
    wanted: bool,
    changes: Vec<Change>,
    many: bool,
    trees: Option<BTreeSet<(VolumeKey, u32)>>,
}

impl Log {
    /// Somebody listens.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted
    }

    pub(super) fn add(&mut self, change: impl FnOnce() -> Change) {
        if !self.wanted {
            return;
        }
        let change = change();
        if let Some(trees) = &mut self.trees {
            trees.insert((change.key.volume, change.key.user));
        }
        if self.many {
        } else if self.changes.len() < MOST_TOLD {
            self.changes.push(change);
        } else {
            self.many = true;
            self.changes = Vec::new();
        }
    }

    /// More changed than can be told, in these trees or in any.
    pub(super) fn many(&mut self, trees: Option<(VolumeKey, u32)>) {
        self.many = self.wanted;
        self.changes = Vec::new();
        self.trees = self.trees.take().zip(trees).map(|(mut all, one)| {
            all.insert(one);
            all
        });
    }
}
