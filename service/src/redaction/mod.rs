//! Which bytes of a file tell where it was made, and how they are hidden.
//!
//! [`Ranges`] are the bytes to hide; a [`RangeSource`] finds them. A file that has any is *split*: callers that
//! may not see a location get a second inode for it (DESIGN decision 2), whose reads come here. This room knows
//! neither policy nor SQL: who sees what is decided elsewhere.

pub mod find;
mod ranges;

use std::os::fd::BorrowedFd;
use std::sync::Arc;

use crate::lower::{LowerError, Meta};

pub use ranges::Ranges;

/// Finds the bytes to hide.
pub trait RangeSource: Send + Sync + std::fmt::Debug + 'static {
    /// Whether a file of this name can have bytes to hide at all, from the name alone. Where this says no,
    /// nothing else is asked.
    fn may_have_ranges(&self, name: &[u8]) -> bool;

    /// The bytes to hide in `file` (`O_PATH`; reopen to read). An error refuses the open: a file that cannot be
    /// understood is not shown.
    fn ranges(&self, file: BorrowedFd<'_>, meta: &Meta) -> Result<Arc<Ranges>, LowerError>;
}

/// Finds nothing: every file is the same for everybody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRanges;

impl RangeSource for NoRanges {
    fn may_have_ranges(&self, _name: &[u8]) -> bool {
        false
    }

    fn ranges(&self, _file: BorrowedFd<'_>, _meta: &Meta) -> Result<Arc<Ranges>, LowerError> {
        Ok(Arc::new(Ranges::default()))
    }
}
