//! Redaction against readers that are not ours: in files with a location in every place where exiftool, ImageMagick,
//! ffmpeg and others can put one, exiftool, exiv2 and ffprobe find none after [`mediagate::redaction::find`] was applied,
//! find everything else as it was, and ImageMagick and ffmpeg decode the same pictures and frames.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod containers;
mod pictures;
mod tools;
mod tracks;
