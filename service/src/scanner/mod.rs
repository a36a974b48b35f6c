//! Bringing the index up to date with the lower tree.
//!
//! The lower file system says what exists, and the files say who owns them and what they are; the catalog is an index over
//! all that. It can be behind: after a crash (answered creates that were not committed yet), after it was deleted, or
//! when something changed the lower tree while nobody watched. A [`Scanner`] walks the tree and mends it, beside the
//! volume's normal work, and has the facts of media files read; what is listed or opened before it has come there is
//! indexed then. Between scans a [`Refresher`] reads the facts of files as they are written.

mod facts;
mod hidden;
mod lists;
pub mod metadata;
mod named;
mod progress;
mod scan;
mod walk;

pub use facts::Refresher;
pub use progress::{Numbers, Progress};
pub use scan::{Phase, ScanStatus, Scanner, Walked, scan_file};
pub use walk::{Area, walk};
