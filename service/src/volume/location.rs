//! Whether callers of a file are to be told apart by what they may know of its location, and what is hidden from whom.
//!
//! A file is *split* while it has anything to hide, and while it may come to have: when it is of a type that can hold a
//! location and somebody has it open for writing. See ADR 8.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use parking_lot::Mutex;

use super::{Notice, OpError, Volume};
use crate::access::Subject;
use crate::lower::{Meta, Stamp};
use crate::node::{Exposed, File, Token, View};
use crate::redaction::{Hidden, Keep};

/// For so long after an open had to be told that callers are told apart now, they are: whatever the file becomes meanwhile,
/// the kernel's second walk leads to a node that can be opened (it does not try a third time).
const PARTED: Duration = Duration::from_millis(250);

/// What there is to hide in a file that rests.
#[derive(Clone, Debug)]
pub struct Resting {
    /// What.
    pub hidden: Hidden,
    /// What the file was like.
    pub stamp: Stamp,
    /// Stays the same while nobody writes.
    pub quiet: u64,
    /// Whatever changes the file from now on leaves another stamp.
    pub settled: bool,
}

/// How a handle shows a file.
#[derive(Debug)]
pub enum Sight {
    /// As it is.
    Original,
    /// As it is, to who may see no location: there is none. Whoever comes to write waits for such handles, if not for ever.
    Exposed(Exposed),
    /// With its location hidden.
    Redacted(Redaction),
}

impl Sight {
    /// How bytes are hidden, if they are.
    pub fn redaction(&self) -> Option<&Redaction> {
        match self {
            Sight::Redacted(redaction) => Some(redaction),
            Sight::Original | Sight::Exposed(_) => None,
        }
    }

    /// The node that handles of this kind belong to.
    pub fn view(&self) -> View {
        self.redaction().map_or(View::Original, |redaction| redaction.view)
    }
}

/// How bytes are hidden from a handle.
#[derive(Debug)]
pub struct Redaction {
    /// Which of the redacted views.
    pub view: View,
    /// Where findings may be remembered.
    pub keep: Keep,
    /// Shows that the open which dropped the kernel's pages is over.
    pub token: Option<Token>,
    /// What was found last, of a file that had settled.
    pub last: Mutex<Option<Resting>>,
}

impl Volume {
    /// Whether a file of this name can ever be split.
    pub fn may_be_split(&self, subject: &Subject) -> bool {
        self.located.may_have_ranges(subject.mime())
    }

    /// Where findings about a file may be remembered.
    pub fn keep_of(subject: &Subject) -> Keep {
        if subject.is_invisible() { Keep::Memory } else { Keep::Store }
    }

    /// Whether a file that may be is split, if that is known without looking into it.
    pub fn known_split(&self, file: Option<&File>, subject: &Subject, meta: &Meta) -> Option<bool> {
        if file.is_some_and(|file| file.has_writers() || file.was_parted(PARTED)) {
            return Some(true);
        }
        self.located.known(&meta.stamp(), Self::keep_of(subject)).map(|hidden| !hidden.is_nothing())
    }

    /// Whether a file that may be is split.
    pub fn is_split(&self, file: &File, subject: &Subject, meta: &Meta) -> Result<bool, OpError> {
        if let Some(known) = self.known_split(Some(file), subject, meta) {
            return Ok(known);
        }
        let fd = self.open(file, subject.lower_path())?;
        let resting = self.resting(file, Self::keep_of(subject), fd.as_fd())?;
        Ok(resting.is_none_or(|resting| !resting.hidden.is_nothing()))
    }

    /// What there is to hide in a file; `None` while somebody has it open for writing.
    pub fn resting(&self, file: &File, keep: Keep, fd: BorrowedFd<'_>) -> Result<Option<Resting>, OpError> {
        let Some(quiet) = file.quiet() else { return Ok(None) };
        let undisturbed = || file.quiet() == Some(quiet);
        let meta = Meta::of(fd)?;
        // Before the look, which is a different one for what has settled.
        let settled = self.located.is_settled(&meta.stamp());
        let (hidden, stamp) = self.located.of(fd, &meta, keep, &undisturbed)?;
        let settled = settled && stamp == meta.stamp();
        Ok(undisturbed().then_some(Resting { hidden, stamp, quiet, settled }))
    }

    /// The last writer is gone: if the file has become one that is split, the kernel must not go on using a name for it that
    /// it need not ask about.
    pub fn reclassify(&self, file: &File, subject: &Subject, fd: BorrowedFd<'_>) {
        if file.has_writers() || !self.may_be_split(subject) || !file.set_named(false) {
            return;
        }
        match self.resting(file, Self::keep_of(subject), fd) {
            Ok(Some(resting)) if resting.hidden.is_nothing() => {
                file.set_named(true);
            }
            _ => self.forget_name(file),
        }
    }

    /// The kernel is to look a file's name up again.
    pub fn forget_name(&self, file: &File) {
        if let Some(parent) = file.parent() {
            self.notices.send(Notice::Entry(parent.node(), file.name()));
        }
    }

    /// The kernel is to drop what it has of a redacted view of a file.
    pub fn drop_redacted_pages(&self, file: &File, view: View) {
        self.notices.send(Notice::Contents(file.node().in_view(view)));
    }
}
