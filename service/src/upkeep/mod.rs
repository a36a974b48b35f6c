//! What time, packages, users and volumes do to files, done beside the service's normal work.
//!
//! [`Departing`] takes files away from packages that left. [`Maintenance`] goes through a list of steps, on command and by
//! the clock; each says what it did, and it can be cancelled between and inside them.
//!
//! Files are removed and renamed through the volume's own mount, as root: so gates, the kernel's caches and the index
//! follow as they do for any app. Attributes, which no mount shows, are written on the lower file.
//!
//! Locks: the state of each is a leaf, held for a few assignments, and never while `identity` or the catalog is asked.

mod departing;
mod expired;
mod maintenance;
mod marks;
mod steps;

use std::path::PathBuf;
use std::sync::Arc;

use crate::volume::Volume;

pub use departing::{Departing, Worker};
pub use maintenance::{Clock, Maintenance, RunStatus, StepStatus};
pub use marks::Marker;

/// An attached volume. Not kept for longer than a page of work: it may be detached at any time.
#[derive(Clone, Debug)]
pub struct Place {
    /// The volume.
    pub volume: Arc<Volume>,
    /// Where it is mounted.
    pub mount: PathBuf,
    /// Its index is up to date with its lower tree.
    pub indexed: bool,
    /// It has no file where the index knows some, and the index is not believed to be wrong.
    pub emptied: bool,
}

/// The volumes that are attached now.
pub type Places = Arc<dyn Fn() -> Vec<Place> + Send + Sync>;
