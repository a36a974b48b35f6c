//! The interface of the service from outside: a made-up `Control` behind a real Unix socket, called by the client
//! library, by the built binary, and by those who mean no good.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod calls;
mod cli;
mod doctor;
mod fake;
mod hostile;
mod methods;
mod parcels;
mod run_as;
mod service;
mod wire;
