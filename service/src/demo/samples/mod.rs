//! The sample files of the demo: small, but real. Every one opens in the programs that people use for its kind.
//!
//! All of it is computed: nothing is shipped or downloaded, and the same [`Sample`] always gives the same bytes.
//! Memory is bounded by one picture (or one loop of video frames), however large the file becomes.

mod canvas;
mod exif;
mod flac;
mod melody;
mod mp4;
mod pdf;
mod photo;
mod png;
mod wav;

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

pub use exif::Location;
pub use mp4::largest_video;

/// A file that the demo can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Sample {
    /// A JPEG landscape with camera data; different for each seed.
    Photo {
        /// Picks the colours and the hills.
        seed: u32,
        /// Whether it says where it was taken.
        located: bool,
    },
    /// A PNG that looks like a phone's screen.
    Screenshot,
    /// A Motion-JPEG video in an MP4 file of exactly this many bytes.
    Video {
        /// Size of the whole file; see [`largest_video`].
        bytes: u64,
    },
    /// A FLAC tune with title and artist.
    Song,
    /// A WAV recording.
    Memo,
    /// A PDF of one page.
    Document,
    /// A plain text file.
    Note,
}

impl Sample {
    /// Writes the file.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match *self {
            Sample::Photo { seed, located } => {
                photo::write(out, seed, located.then_some(Location::MATTERHORN))
            }
            Sample::Screenshot => png::write_screenshot(out),
            Sample::Video { bytes } => mp4::write(out, bytes),
            Sample::Song => flac::write(out),
            Sample::Memo => wav::write(out),
            Sample::Document => pdf::write(out, "Invoice 2024-117", &DOCUMENT),
            Sample::Note => out.write_all(NOTE.as_bytes()),
        }
    }

    /// What it is, in two or three words.
    pub const fn describe(&self) -> &'static str {
        match self {
            Sample::Photo { located: true, .. } => "JPEG picture with GPS position",
            Sample::Photo { located: false, .. } => "JPEG picture",
            Sample::Screenshot => "PNG screenshot",
            Sample::Video { .. } => "MP4 video",
            Sample::Song => "FLAC song",
            Sample::Memo => "WAV recording",
            Sample::Document => "PDF document",
            Sample::Note => "text file",
        }
    }
}

const DOCUMENT: [&str; 5] = [
    "Example Mountain Guides, Zermatt",
    "One guided day tour (14 July 2024): 420.00",
    "Rope and helmet: 35.00",
    "Total: 455.00",
    "This is a sample document, made by mediagate demo.",
];

const NOTE: &str = "Packing list\n\n- water bottle\n- sun cream\n- spare battery\n\nA sample note, made by mediagate demo.\n";
