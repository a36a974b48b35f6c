//! What a media file says of itself.

mod facts;

pub use facts::{AudioFacts, ImageFacts, MediaFacts, SpecialFormat, VideoFacts, XmpIds};
