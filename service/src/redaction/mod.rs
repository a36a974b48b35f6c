//! Which bytes of a file tell where it was made, and how they are hidden.
//!
//! [`find`] looks into the bytes; a [`RangeSource`] is what the rest of the service knows of that. [`Located`] remembers
//! what was found, so that the usual open looks into no file: in memory, and through a [`RangeStore`] over restarts. A
//! file that has anything to hide is *split*: callers that may not see a location get a second inode for it (DESIGN
//! decision 2), whose reads come to the daemon. This room knows neither policy nor SQL: who sees what is decided elsewhere.
//!
//! # What is remembered, and when it counts
//! Findings belong to a [`crate::lower::Stamp`] (inode, size, times), and are remembered only when its last change was long
//! enough ago that the next one must leave another stamp (as git does with its index: a "racily clean" entry is not
//! trusted). Stores through a mapping may leave the stamp as it is: so whoever has a file open for writing must be known
//! to the caller, who then asks for [`Located::fresh`]. Where inode numbers mean nothing (vfat, exfat) nothing is remembered.
//!
//! # Locks
//! The shards of the memory are leaves, held for a look into a table, never while a file is read or the store is asked.

mod cache;
pub mod find;
mod located;
mod ranges;
mod source;

pub use located::{Keep, Located, RangeStore};
pub use ranges::{Hidden, Ranges};
pub use source::{Parsers, RangeSource};
