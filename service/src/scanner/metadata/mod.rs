//! What a media file says of itself.

pub use crate::catalog::{AudioFacts, ImageFacts, Location, MediaFacts, SpecialFormat, VideoFacts, XmpIds};
