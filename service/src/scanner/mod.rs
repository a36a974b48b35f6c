//! Bringing the index up to date with the lower tree.
//!
//! The lower file system says what exists, and the files say who owns them; the catalog is an index over both. It can be
//! behind: after a crash (answered creates that were not committed yet), after it was deleted, or when something
//! changed the lower tree while the service was down. [`reconcile`] walks the tree and mends it, beside the volume's
//! normal work; what is listed or opened before it has come there is indexed then.

pub mod metadata;
mod reconcile;

pub use reconcile::{Progress, reconcile, reconcile_below};
