//! What a file that is made by its type is called, and where it goes (mediaprovider.md §5.2, insert).

use super::{UNKNOWN, is_image, is_playlist, is_subtitle, is_video, mime_of};
use crate::mime::is_audio;
use crate::path::DefaultDir;

/// Types of which there are several extensions, with the one that people expect.
const USUAL: [(&str, &str); 22] = [
    ("application/pdf", "pdf"),
    ("application/zip", "zip"),
    ("audio/flac", "flac"),
    ("audio/mp4", "m4a"),
    ("audio/mpeg", "mp3"),
    ("audio/ogg", "ogg"),
    ("audio/x-wav", "wav"),
    ("image/bmp", "bmp"),
    ("image/gif", "gif"),
    ("image/heic", "heic"),
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/svg+xml", "svg"),
    ("image/tiff", "tiff"),
    ("image/webp", "webp"),
    ("text/csv", "csv"),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("video/3gpp", "3gp"),
    ("video/mp4", "mp4"),
    ("video/quicktime", "mov"),
    ("video/webm", "webm"),
];

/// The extension of a MIME type: one that [`mime_of`] reads as this type again.
pub fn extension_of(mime: &str) -> Option<&'static str> {
    let leads_back = |extension: &&str| mime_of(format!("x.{extension}").as_bytes()) == mime;
    if mime == UNKNOWN {
        return None;
    }
    let usual = USUAL.iter().find(|(known, _)| *known == mime).map(|(_, extension)| *extension);
    usual
        .filter(leads_back)
        .or_else(|| mime_guess::get_mime_extensions_str(mime)?.iter().copied().find(leads_back))
}

impl DefaultDir {
    /// Where a new file of this MIME type goes that nobody says a directory for.
    pub fn of_new(mime: &str) -> DefaultDir {
        if is_playlist(mime) || is_audio(mime) {
            DefaultDir::Music
        } else if is_video(mime) || is_subtitle(mime) {
            DefaultDir::Movies
        } else if is_image(mime) {
            DefaultDir::Pictures
        } else {
            DefaultDir::Download
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_lead_back_to_their_type() {
        for (mime, extension) in USUAL {
            if mime_of(format!("x.{extension}").as_bytes()) == mime {
                assert_eq!(extension_of(mime), Some(extension));
            }
        }
        assert_eq!(extension_of("image/jpeg"), Some("jpg"));
        assert_eq!(extension_of("video/mp4"), Some("mp4"));
        for mime in ["image/avif", "audio/aac", "application/x-subrip", "text/vtt"] {
            let extension = extension_of(mime).unwrap_or_else(|| panic!("no extension of {mime}"));
            assert_eq!(mime_of(format!("x.{extension}").as_bytes()), mime);
        }
        for mime in ["", "image", "image/*", "image/never-heard-of", UNKNOWN] {
            assert_eq!(extension_of(mime), None, "{mime}");
        }
    }

    #[test]
    fn new_files_go_where_their_type_is_allowed() {
        for mime in
            ["image/png", "video/mp4", "audio/mpeg", "audio/x-mpegurl", "text/vtt", "text/plain", UNKNOWN]
        {
            assert!(DefaultDir::of_new(mime).accepts(mime), "{mime}");
        }
        for (dir, types) in [
            (DefaultDir::Music, ["audio/mpeg", "audio/x-mpegurl"]),
            (DefaultDir::Movies, ["video/mp4", "application/x-subrip"]),
            (DefaultDir::Pictures, ["image/png", "image/jpeg"]),
            (DefaultDir::Download, ["text/plain", UNKNOWN]),
        ] {
            assert_eq!(types.map(DefaultDir::of_new), [dir, dir]);
        }
    }
}
