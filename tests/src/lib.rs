//! What the suites share: a service that is started for real, apps that are processes with real uids, and the places
//! they work in.
//!
//! The suites need root and `/dev/fuse`. Where these are missing they fail and say so; none is skipped in silence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod actor;
pub mod as_app;
pub mod blocks;
pub mod caller;
pub mod daemon;
pub mod data;
pub mod index;
pub mod picture;
pub mod ring;
pub mod world;

pub use actor::{Actor, Errno};
pub use as_app::{as_app, become_app};
pub use caller::{Call, Failure};
pub use daemon::Daemon;
pub use data::Job;
pub use world::{Package, World};
