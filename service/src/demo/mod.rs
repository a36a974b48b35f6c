//! demo

pub mod samples;
