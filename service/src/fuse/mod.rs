//! The FUSE adapter: decodes requests, calls [`crate::ops`], replies. Nothing else in the service names the FUSE
//! library.
//!
//! A panic in an operation is caught here: the app gets EIO, the session goes on, and `fuse.panics` counts it.

mod attr;
mod busy_poll;
mod filesystem;
mod listing;
mod mount;
mod opened;
mod reply;
mod request;

pub use busy_poll::Turn;
pub use mount::{MountError, Mounted, Serving, clear_stale_mount, mount, take_over};

#[cfg(test)]
mod tests;
