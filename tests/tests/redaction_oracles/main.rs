//! Redaction against readers that are not ours: in files with a location in every place where exiftool, ImageMagick,
//! ffmpeg and others can put one, exiftool, exiv2 and ffprobe, run as an app without the right on the files of a mounted
//! volume, find none, find everything else as it was, and ImageMagick and ffmpeg decode the same pictures and frames.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod containers;
mod mounted;
mod pictures;
mod tools;
mod tracks;
