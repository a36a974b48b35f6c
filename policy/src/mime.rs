//! MIME type and media type from a file name.
//!
//! The bulk of the extensions comes from `mime_guess`; [`overrides`] holds the ones that Android's own table
//! (`android.mime.types` over Debian's `mime.types`) reads differently, where the difference would change a
//! decision, and those `mime_guess` does not know.

mod made;
mod overrides;

pub use made::extension_of;

use crate::path::{DefaultDir, last_component};

/// MIME type of names whose extension says nothing.
const UNKNOWN: &str = "application/octet-stream";

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
    /// Every one of them, by number.
    pub const ALL: [MediaType; 7] = [
        MediaType::None,
        MediaType::Image,
        MediaType::Audio,
        MediaType::Video,
        MediaType::Playlist,
        MediaType::Subtitle,
        MediaType::Document,
    ];

    /// The media type of a MIME type. Playlists and subtitles come before audio and text: their MIME types are
    /// `audio/…` and `text/…` too.
    pub fn of_mime(mime: &str) -> MediaType {
        if is_playlist(mime) {
            MediaType::Playlist
        } else if is_subtitle(mime) {
            MediaType::Subtitle
        } else if is_audio(mime) {
            MediaType::Audio
        } else if is_video(mime) {
            MediaType::Video
        } else if is_image(mime) {
            MediaType::Image
        } else if is_document(mime) {
            MediaType::Document
        } else {
            MediaType::None
        }
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

/// A set of media types.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct MediaTypes(u8);

impl MediaTypes {
    /// No type.
    pub const NONE: MediaTypes = MediaTypes(0);
    /// Every type, [`MediaType::None`] and [`MediaType::Document`] too.
    pub const ALL: MediaTypes = MediaTypes(0b111_1111);
    /// Images.
    pub const IMAGE: MediaTypes = MediaTypes::of(MediaType::Image);
    /// Videos.
    pub const VIDEO: MediaTypes = MediaTypes::of(MediaType::Video);
    /// Subtitles.
    pub const SUBTITLE: MediaTypes = MediaTypes::of(MediaType::Subtitle);
    /// Images and videos.
    pub const VISUAL: MediaTypes = MediaTypes::IMAGE.with(MediaTypes::VIDEO);
    /// Audio, and what comes with it: playlists and subtitles.
    pub const AUDIBLE: MediaTypes =
        MediaTypes::of(MediaType::Audio).with(MediaTypes::of(MediaType::Playlist)).with(MediaTypes::SUBTITLE);

    /// One type.
    pub const fn of(media_type: MediaType) -> MediaTypes {
        MediaTypes(1 << media_type as u8)
    }

    /// True when the type is in the set.
    pub const fn has(self, media_type: MediaType) -> bool {
        self.0 & MediaTypes::of(media_type).0 != 0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: MediaTypes) -> MediaTypes {
        MediaTypes(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn and(self, other: MediaTypes) -> MediaTypes {
        MediaTypes(self.0 & other.0)
    }

    /// The set without those of another.
    #[must_use]
    pub const fn without(self, other: MediaTypes) -> MediaTypes {
        MediaTypes(self.0 & !other.0)
    }

    /// The types in the set, by number.
    pub fn iter(self) -> impl Iterator<Item = MediaType> {
        MediaType::ALL.into_iter().filter(move |it| self.has(*it))
    }
}

impl std::fmt::Debug for MediaTypes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl DefaultDir {
    /// True when apps without further rights may put files of this MIME type into the directory
    /// (mediaprovider.md §2.6).
    pub fn accepts(self, mime: &str) -> bool {
        match self {
            DefaultDir::Alarms
            | DefaultDir::Audiobooks
            | DefaultDir::Notifications
            | DefaultDir::Podcasts
            | DefaultDir::Recordings
            | DefaultDir::Ringtones => is_audio(mime),
            DefaultDir::Music => is_audio(mime) || is_playlist(mime) || is_subtitle(mime),
            DefaultDir::Movies => is_video(mime) || is_playlist(mime) || is_subtitle(mime),
            DefaultDir::Dcim | DefaultDir::Pictures => is_image(mime) || is_video(mime),
            DefaultDir::Documents | DefaultDir::Download => true,
        }
    }
}

/// MIME type of a file name by its last extension; `application/octet-stream` if unknown.
///
/// As in the original everything after the last dot is the extension, also in `.jpg`.
pub fn mime_of(name: &[u8]) -> &'static str {
    const LONGEST: usize = 16;
    let name = last_component(name);
    let Some(dot) = name.iter().rposition(|byte| *byte == b'.') else { return UNKNOWN };
    let extension = &name[dot + 1..];
    let mut buffer = [0; LONGEST];
    let Some(lower) = buffer.get_mut(..extension.len()) else { return UNKNOWN };
    lower.copy_from_slice(extension);
    lower.make_ascii_lowercase();
    let Ok(lower) = std::str::from_utf8(lower) else { return UNKNOWN };
    overrides::get(lower).or_else(|| mime_guess::from_ext(lower).first_raw()).unwrap_or(UNKNOWN)
}

/// `image/*`.
pub(crate) fn is_image(mime: &str) -> bool {
    mime.starts_with("image/")
}

/// `video/*`, and ASF under its older name.
pub(crate) fn is_video(mime: &str) -> bool {
    mime.starts_with("video/") || mime == "application/vnd.ms-asf"
}

fn is_audio(mime: &str) -> bool {
    mime.starts_with("audio/")
}

fn is_playlist(mime: &str) -> bool {
    matches!(
        mime,
        "application/vnd.apple.mpegurl"
            | "application/vnd.ms-wpl"
            | "application/x-extension-smpl"
            | "application/x-mpegurl"
            | "application/xspf+xml"
            | "audio/mpegurl"
            | "audio/x-mpegurl"
            | "audio/x-scpls"
    )
}

fn is_subtitle(mime: &str) -> bool {
    matches!(
        mime,
        "application/lrc"
            | "application/smil+xml"
            | "application/ttml+xml"
            | "application/x-extension-cap"
            | "application/x-extension-srt"
            | "application/x-extension-sub"
            | "application/x-extension-vtt"
            | "application/x-subrip"
            | "text/vtt"
    )
}

/// Text and the office families. The original lists some fifty types of these families one by one.
fn is_document(mime: &str) -> bool {
    const FAMILIES: [&str; 9] = [
        "text/",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.ms-word",
        "application/vnd.oasis.opendocument.",
        "application/vnd.openxmlformats-officedocument.",
        "application/vnd.stardivision.",
        "application/vnd.sun.xml.",
        "application/x-mspublisher",
    ];
    matches!(mime, "application/epub+zip" | "application/msword" | "application/pdf" | "application/rtf")
        || FAMILIES.iter().any(|family| mime.starts_with(family))
}

#[cfg(test)]
mod tests;
