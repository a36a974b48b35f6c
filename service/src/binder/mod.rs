//! The interface of the running service over binder, both ends of it.
//!
//! This module and the `mediagate-aidl` crate are the only ones that name rsbinder. The AIDL is the contract;
//! [`crate::control::Control`] is what stands behind it. [`serve`] listens at every configured address with one
//! object; [`Client`] is the other end, which the command line uses.
//!
//! A call goes: transport thread, `service` (one method each: authorise, convert, call, convert back), `Control`.
//! Who calls is always what the kernel says of the peer, never something the peer said.
//!
//! `platform` has all that differs between rsbinder and the platform's library in an AOSP tree, where only kernel binder is served.
//!
//! Locks: those of `rpc::Table`, `observers`, `admission`, `inflight` and `bounded`, held for bookkeeping and never across a call or a
//! system call that can wait.

mod address;
#[cfg(not(libbinder))]
mod admission;
mod authz;
#[cfg(not(libbinder))]
mod bounded;
mod client;
mod convert;
mod field;
#[cfg(not(libbinder))]
mod inflight;
#[cfg(not(libbinder))]
mod listen;
mod observers;
mod platform;
#[cfg(not(libbinder))]
mod rate;
#[cfg(not(libbinder))]
mod rpc;
mod scans;
mod server;
mod service;
#[cfg(not(libbinder))]
mod socket;
mod store;
mod store_client;
mod store_wire;
mod upkeep;

pub use address::{Address, AddressError};
pub use client::{Client, ClientError};
pub use server::{BinderError, Serving, driver, serve};
pub use store_client::StoreClient;
