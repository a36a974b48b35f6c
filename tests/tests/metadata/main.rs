//! What the scanner reads out of files of real formats, made here by the usual tools, against what exiftool and ffprobe
//! say of the same files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod dates;
mod films;
mod hostile;
mod make;
mod oracle;
mod pictures;
mod sounds;
mod tools;
