//! An open directory of the lower file system.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use crate::observe::{Gauge, Observer};

/// A directory that is open on the lower file system; counted for as long as it is.
#[derive(Debug)]
pub struct OpenDir {
    fd: OwnedFd,
    observer: Arc<Observer>,
}

impl OpenDir {
    /// Counts it.
    pub fn new(fd: OwnedFd, observer: Arc<Observer>) -> OpenDir {
        observer.shift(Gauge::OpenDirs, 1);
        OpenDir { fd, observer }
    }
}

impl AsFd for OpenDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for OpenDir {
    fn drop(&mut self) {
        self.observer.shift(Gauge::OpenDirs, -1);
    }
}
