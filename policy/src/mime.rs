//! MIME type and media type from a file name.

/// Media type of a file (`files.media_type`, mediaprovider.md §3.2), with MediaStore's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum MediaType {
    /// Not media, or hidden.
    #[default]
    None = 0,
    /// An image.
    Image = 1,
    /// Audio.
    Audio = 2,
    /// A video.
    Video = 3,
    /// A playlist.
    Playlist = 4,
    /// A subtitle.
    Subtitle = 5,
    /// A document.
    Document = 6,
}

impl MediaType {
    /// The media type of a MIME type.
    pub fn of_mime(_mime: &str) -> MediaType {
        MediaType::None
    }

    /// From MediaStore's number.
    pub const fn from_number(number: u8) -> Option<MediaType> {
        Some(match number {
            0 => MediaType::None,
            1 => MediaType::Image,
            2 => MediaType::Audio,
            3 => MediaType::Video,
            4 => MediaType::Playlist,
            5 => MediaType::Subtitle,
            6 => MediaType::Document,
            _ => return None,
        })
    }
}

/// MIME type of a file name by its last extension; `application/octet-stream` if unknown.
pub fn mime_of(_name: &[u8]) -> &'static str {
    "application/octet-stream"
}
