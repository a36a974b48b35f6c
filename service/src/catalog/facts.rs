//! The facts that the index keeps about a media file, apart from what its name and its inode say.
//!
//! A fact that the file does not tell, or that makes no sense, is `None`. Where a file was made is no part of
//! [`MediaFacts`]: a [`Location`] travels and is stored apart, so that nobody hands it on by accident.

/// Where a picture or video was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// Degrees north, times ten million.
    pub latitude_e7: i32,
    /// Degrees east, times ten million.
    pub longitude_e7: i32,
}

/// How a picture is special (MediaStore's `_special_format`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecialFormat {
    /// GIF.
    Gif = 1,
    /// A picture with a video in it.
    MotionPhoto = 2,
    /// Animated WebP.
    AnimatedWebp = 3,
}

/// Identifiers from XMP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XmpIds {
    /// `xmpMM:DocumentID`.
    pub document: Option<String>,
    /// `xmpMM:InstanceID`.
    pub instance: Option<String>,
    /// `xmpMM:OriginalDocumentID`.
    pub original_document: Option<String>,
}

/// Of sound, and of the sound of a video.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AudioFacts {
    /// Artist.
    pub artist: Option<String>,
    /// Album.
    pub album: Option<String>,
    /// Artist of the album.
    pub album_artist: Option<String>,
    /// Composer.
    pub composer: Option<String>,
    /// Genre.
    pub genre: Option<String>,
    /// Number in the album, from 1.
    pub track: Option<u32>,
    /// Number of the disc, from 1.
    pub disc: Option<u32>,
    /// How many tracks the album has.
    pub tracks: Option<u32>,
    /// Year; never 0.
    pub year: Option<i32>,
    /// Part of a compilation.
    pub compilation: Option<bool>,
    /// Sample rate in hertz.
    pub sample_rate: Option<u32>,
    /// Bits of a sample.
    pub bits_per_sample: Option<u8>,
    /// A picture of the album is in the file.
    pub has_album_art: bool,
}

/// Of moving pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VideoFacts {
    /// Codec of the first video track, as a MIME type (`video/avc`).
    pub codec: Option<String>,
    /// Frames in a second, times 1000.
    pub frame_rate_milli: Option<u32>,
    /// Colour standard, as MediaFormat numbers it.
    pub color_standard: Option<u8>,
    /// Transfer curve, as MediaFormat numbers it.
    pub color_transfer: Option<u8>,
    /// Range, as MediaFormat numbers it.
    pub color_range: Option<u8>,
}

/// Of still pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// Exposure in seconds, as the file writes it (`1/60`).
    pub exposure_time: Option<String>,
    /// Aperture, as the file writes it (`1.8`).
    pub f_number: Option<String>,
    /// ISO.
    pub iso: Option<u32>,
    /// EXIF's scene capture type.
    pub scene_capture_type: Option<u16>,
    /// EXIF's description.
    pub description: Option<String>,
    /// What is special about it.
    pub special_format: Option<SpecialFormat>,
}

/// What a media file says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaFacts {
    /// MIME type where the contents tell it better than the name does; of the same top-level type.
    pub mime: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub taken_ms: Option<i64>,
    /// Width in pixels, before rotation.
    pub width: Option<u32>,
    /// Height in pixels, before rotation.
    pub height: Option<u32>,
    /// Rotation for display in degrees: 0, 90, 180 or 270.
    pub orientation: Option<u16>,
    /// Duration in milliseconds.
    pub duration_ms: Option<u64>,
    /// Bits in a second.
    pub bitrate: Option<u32>,
    /// Of sound.
    pub audio: Option<Box<AudioFacts>>,
    /// Of moving pictures.
    pub video: Option<Box<VideoFacts>>,
    /// Of still pictures.
    pub image: Option<Box<ImageFacts>>,
    /// From XMP.
    pub xmp: Option<Box<XmpIds>>,
}
