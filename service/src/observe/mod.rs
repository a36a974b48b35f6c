//! Counters, requests in flight, and what `dump` shows of them.

pub mod complaints;
pub mod counters;
pub mod inflight;
pub mod slowest;

pub use complaints::complaints;
pub use counters::{Counter, Gauge, Observer};
