//! What is remembered of errors: the count, and whether the file itself is broken.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::error::is_corruption;
use crate::observe::{Counter, Observer};

/// Shared by the writer and the readers.
#[derive(Debug)]
pub(super) struct Health {
    marker: PathBuf,
    suspect: AtomicBool,
    observer: Arc<Observer>,
}

impl Health {
    /// `marker` is the file whose presence makes the next start put the catalog aside.
    pub(super) fn new(marker: PathBuf, observer: Arc<Observer>) -> Health {
        Health { marker, suspect: AtomicBool::new(false), observer }
    }

    /// Takes note of an error.
    pub(super) fn failed(&self, error: &rusqlite::Error) {
        self.observer.count(Counter::CatalogErrors);
        if is_corruption(error) && !self.suspect.swap(true, Relaxed) {
            log::error!("catalog: the file is damaged ({error}); the next start begins with a fresh one");
            if let Err(error) = File::create(&self.marker) {
                log::error!("catalog: {:?} cannot be written: {error}", self.marker);
            }
        }
    }

    /// True once SQLite has called the file corrupt.
    pub(super) fn is_suspect(&self) -> bool {
        self.suspect.load(Relaxed)
    }
}
