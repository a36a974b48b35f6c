//! Counters, requests in flight, and what `dump` shows of them.

pub mod counters;
pub mod inflight;

pub use counters::{Counter, Gauge, Observer};
