//! What finds the bytes to hide.

use super::find::{self, ReadAt, Unreadable};
use super::ranges::Ranges;

/// Finds the bytes to hide.
pub trait RangeSource: Send + Sync + std::fmt::Debug + 'static {
    /// Whether a file of this MIME type (that of its name) can have bytes to hide at all. Where this says no, nothing else
    /// is asked.
    fn may_have_ranges(&self, mime: &str) -> bool;

    /// The bytes to hide.
    ///
    /// # Errors
    ///
    /// When the file cannot be understood: it is then not shown to anybody who may not see a location.
    fn find(&self, file: &dyn ReadAt) -> Result<Ranges, Unreadable>;

    /// Changes whenever the source may find other bytes in the same file: what an older one found is then not believed.
    fn version(&self) -> u32;
}

/// Our own parsers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parsers;

impl RangeSource for Parsers {
    /// Pictures, videos and sound; mediaprovider.md §4.2 lists fewer types, but exiftool and ffprobe find a location in others as
    /// well. The parsers go by the bytes: a type that they do not know costs a look at a few megabytes.
    fn may_have_ranges(&self, mime: &str) -> bool {
        ["image/", "video/", "audio/"].iter().any(|kind| mime.starts_with(kind))
    }

    fn find(&self, file: &dyn ReadAt) -> Result<Ranges, Unreadable> {
        let report = find::find(file)?;
        Ok(Ranges::filled(report.findings.iter().map(|it| (it.start, it.end.min(file.len()), it.fill))))
    }

    fn version(&self) -> u32 {
        find::VERSION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_videos_and_their_sound_are_looked_into() {
        for mime in
            ["image/jpeg", "image/x-adobe-dng", "video/mp4", "video/x-matroska", "audio/mp4", "audio/flac"]
        {
            assert!(Parsers.may_have_ranges(mime), "{mime}");
        }
        for mime in ["application/pdf", "text/plain", "application/octet-stream"] {
            assert!(!Parsers.may_have_ranges(mime), "{mime}");
        }
    }
}
