//! The FUSE adapter: decodes requests, calls [`crate::ops`], replies. Nothing else in the service names the FUSE
//! library.
//!
//! A panic in an operation is caught here: the app gets EIO, the session goes on, and `fuse.panics` counts it.

mod attr;
mod filesystem;
mod mount;
mod opened;
mod reply;

pub use mount::{MountError, Mounted, clear_stale_mount, mount, take_over};

#[cfg(test)]
mod tests;
