//! What was found.

use super::input::Section;

/// The container that a file was recognised as, by its first bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG, with or without a motion photo's video behind it.
    Jpeg,
    /// TIFF and the raw formats built on it (DNG, CR2, NEF, ARW, ORF, RW2, …).
    Tiff,
    /// PNG.
    Png,
    /// WebP.
    Webp,
    /// HEIF or AVIF: ISO-BMFF with items.
    Heif,
    /// ISO-BMFF or QuickTime: MP4, MOV, M4A, 3GP, CR3, …
    IsoBmff,
    /// Matroska or WebM.
    Matroska,
    /// RIFF: AVI, WAV and others.
    Riff,
    /// FLAC.
    Flac,
    /// GIF.
    Gif,
    /// Photoshop's own (PSD, PSB).
    Psd,
    /// Fujifilm raw.
    Raf,
    /// Minolta raw.
    Mrw,
    /// An XMP packet in a file of its own (a sidecar), or other XML.
    Xmp,
    /// None of these: nothing in it speaks of a location.
    #[default]
    Other,
}

/// What a range of bytes is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// The value of an EXIF GPS tag.
    ExifGps {
        /// The tag's number in the GPS IFD.
        tag: u16,
    },
    /// A location property in XMP.
    Xmp {
        /// The property's local name (`GPSLatitude`).
        property: String,
    },
    /// A location field in IPTC or a Photoshop resource.
    Iptc {
        /// Record number and dataset, as in 2:90 (City).
        dataset: (u8, u8),
    },
    /// A box or an atom of ISO-BMFF or QuickTime.
    Box {
        /// Its type.
        kind: [u8; 4],
    },
    /// A key of QuickTime's metadata list (`com.apple.quicktime.location.ISO6709`).
    Key {
        /// The key.
        name: String,
    },
    /// Samples of a timed metadata track.
    Samples {
        /// The sample entry's type.
        kind: [u8; 4],
    },
    /// A tag of Matroska.
    Tag {
        /// Its name (`LOCATION`).
        name: String,
    },
    /// A checksum over other findings: whoever knows the rest of what it covers could try out places until it fits.
    Digest {
        /// Which checksum.
        name: &'static str,
    },
    /// A block that may tell a location and cannot be taken apart, hidden as a whole.
    Whole {
        /// Which block.
        block: &'static str,
    },
}

/// What stands in for hidden bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fill {
    /// Zeros, in everything binary.
    #[default]
    Zero,
    /// Spaces, in XML: it allows no zero character, and a strict reader (exiv2 0.27.6, "XMP Toolkit error 201") gives up
    /// the whole packet for one. In UTF-16 two spaces are the character U+2020, which XML allows as well.
    Space,
    /// These four bytes, in a range of four: a checksum that is right for what it covers as it is shown, or the beginning of
    /// an element that readers pass over.
    Bytes([u8; 4]),
}

impl Fill {
    /// Fills all bytes of a range.
    pub fn fill(self, range: &mut [u8]) {
        match self {
            Fill::Zero => range.fill(0),
            Fill::Space => range.fill(b' '),
            Fill::Bytes(bytes) => range.iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte),
        }
    }
}

/// A half-open range of bytes and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Finding {
    /// Its first byte.
    pub start: u64,
    /// The byte behind its last.
    pub end: u64,
    /// What it is.
    pub what: What,
    /// What hides it.
    pub fill: Fill,
}

impl Finding {
    /// One that zeros hide.
    pub fn zeroed(section: Section, what: What) -> Finding {
        Finding { start: section.start, end: section.end, what, fill: Fill::Zero }
    }

    /// One that spaces hide.
    pub fn spaced(section: Section, what: What) -> Finding {
        Finding { start: section.start, end: section.end, what, fill: Fill::Space }
    }
}

/// What a file tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What it was recognised as.
    pub format: Format,
    /// Everything found, in the order in which it was found; ranges may overlap.
    pub findings: Vec<Finding>,
}

/// Drops the checksums over values of which none is hidden: they tell nothing that the values do not.
pub(super) fn settle(findings: &mut Vec<Finding>) {
    let any = |wanted: fn(&What) -> bool| findings.iter().any(|finding| wanted(&finding.what));
    let exif = any(|what| matches!(what, What::ExifGps { .. }));
    let iptc = any(|what| matches!(what, What::Iptc { .. }));
    findings.retain(|finding| match finding.what {
        What::Digest { name: "NativeDigest" } => exif,
        What::Digest { name: "IPTCDigest" | "LegacyIPTCDigest" } => iptc,
        _ => true,
    });
}
