//! Extensions that Android reads differently from `mime_guess`, or that only Android knows.

/// Sorted by extension.
const OVERRIDES: [(&str, &str); 43] = [
    ("3ga", "audio/3gpp"),
    ("3gpp2", "video/3gpp2"),
    ("a52", "audio/ac3"),
    ("amr", "audio/amr"),
    ("ape", "audio/x-ape"),
    ("awb", "audio/amr-wb"),
    ("cap", "application/x-extension-cap"),
    ("dff", "audio/x-dff"),
    ("dfxp", "application/ttml+xml"),
    ("dsf", "audio/x-dsf"),
    ("f4a", "audio/mp4"),
    ("f4b", "audio/mp4"),
    ("f4p", "audio/mp4"),
    ("fl", "application/x-android-drm-fl"),
    ("hif", "image/heif"),
    ("imy", "audio/imelody"),
    ("insv", "video/mp4"),
    ("lrc", "application/lrc"),
    ("m2ts", "video/mp2t"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("m4b", "audio/mp4"),
    ("m4p", "audio/mp4"),
    ("m4v", "video/mp4"),
    ("mid", "audio/midi"),
    ("midi", "audio/midi"),
    ("mpa", "audio/mpeg"),
    ("mts", "video/mp2t"),
    ("mxmf", "audio/mobile-xmf"),
    ("ogx", "audio/ogg"),
    ("ota", "audio/midi"),
    ("pls", "audio/x-scpls"),
    ("psd", "image/x-photoshop"),
    ("rtttl", "audio/midi"),
    ("rtx", "audio/midi"),
    ("smf", "audio/sp-midi"),
    ("smi", "application/smil+xml"),
    ("smpl", "application/x-extension-smpl"),
    ("srw", "image/x-samsung-srw"),
    ("sub", "application/x-extension-sub"),
    ("ts", "video/mp2ts"),
    ("ttml", "application/ttml+xml"),
    ("xmf", "audio/midi"),
];

/// What most files on shared storage are, as the library says it, but without its search, which takes a good part
/// of a decision's time.
fn common(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "mp4" => "video/mp4",
        "mkv" => "video/x-matroska",
        "webm" => "video/webm",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "wav" => "audio/wav",
        "flac" => "audio/flac",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        _ => return None,
    })
}

/// Finds a lower-case extension.
pub(super) fn get(extension: &str) -> Option<&'static str> {
    if let Some(mime) = common(extension) {
        return Some(mime);
    }
    let at = OVERRIDES.binary_search_by_key(&extension, |(extension, _)| extension).ok()?;
    Some(OVERRIDES[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_nothing_that_the_library_says_already() {
        for (extension, mime) in OVERRIDES {
            assert_ne!(mime_guess::from_ext(extension).first_raw(), Some(mime), "{extension}");
        }
    }

    #[test]
    fn common_types_are_those_of_the_library() {
        let common_ones = "jpg jpeg png webp gif heic mp4 mkv webm mp3 ogg wav flac pdf txt";
        for extension in common_ones.split(' ') {
            assert_eq!(common(extension), mime_guess::from_ext(extension).first_raw(), "{extension}");
        }
        assert_eq!(common("m4a"), None);
    }

    #[test]
    fn is_sorted_and_lower_case() {
        assert!(OVERRIDES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(OVERRIDES.iter().all(|(extension, _)| *extension == extension.to_ascii_lowercase()));
    }
}
