//! The media store as apps and administrators call it: over the socket, through the real service, as real uids.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod files;
mod observers;
mod questions;
mod stage;
