//! mediagate: shared storage for apps, decided per caller and served through FUSE with kernel passthrough.
//!
//! The rooms and who may know whom are described in `docs/ARCHITECTURE.md`; `tests/` holds a test that enforces
//! it. [`serve::Service`] puts the pieces together.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod access;
pub mod binder;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod control;
pub mod demo;
pub mod errno;
pub mod fuse;
pub mod identity;
pub mod kernel;
pub mod lower;
pub mod mountinfo;
pub mod node;
pub mod observe;
pub mod ops;
pub mod passthrough;
pub mod private;
pub mod redaction;
pub mod sandbox;
pub mod scanner;
pub mod serve;
pub mod upkeep;
pub mod volume;
pub mod watch;
