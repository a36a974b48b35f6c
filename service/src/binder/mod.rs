//! The interface of the running service over binder, both ends of it.
//!
//! This module and the `mediagate-aidl` crate are the only ones that name rsbinder. The AIDL is the contract;
//! [`crate::control::Control`] is what stands behind it. [`serve`] listens at every configured address with one
//! object; [`Client`] is the other end, which the command line uses.
//!
//! A call goes: transport thread, `service` (one method each: authorise, convert, call, convert back), `Control`.
//! Who calls is always what the kernel says of the peer, never something the peer said.
//!
//! Locks: `rpc::Table` only, held for bookkeeping and never across a call or a system call that can wait.

mod address;
mod authz;
mod bounded;
mod client;
mod convert;
mod rate;
mod rpc;
mod scans;
mod server;
mod service;
mod store;
mod store_client;
mod store_wire;
mod upkeep;

pub use address::{Address, AddressError};
pub use client::{Client, ClientError};
pub use server::{BinderError, Serving, driver, serve};
pub use store_client::StoreClient;
