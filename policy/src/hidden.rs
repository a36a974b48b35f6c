//! Which files are hidden, i.e. indexed without a media type (mediaprovider.md §3.7), and which trees an index
//! never enters.

use crate::mime::{MediaType, mime_of};
use crate::name::{NameState, name_state};
use crate::path::{AndroidDir, DefaultDir, Place, TRANSFORMS, is_well_known, last_component};

/// True when a component of the path hides the file: it begins with a dot. The last component may be a
/// `.pending-` or `.trashed-` name, which hides nothing.
pub fn is_hidden_by_name(path: &[u8]) -> bool {
    let last = last_component(path);
    let above = &path[..path.len() - last.len()];
    above.split(|byte| *byte == b'/').any(|component| component.starts_with(b"."))
        || last.starts_with(b".") && name_state(last) == NameState::Plain
}

/// True when a `.nomedia` file in this directory hides what is below it. In the volume root, the default
/// directories, `DCIM/Camera` and the `Screenshots` directories it does not (MediaProvider deletes it there).
pub fn nomedia_counts_in(directory: &[u8]) -> bool {
    let mut components = directory.split(|byte| *byte == b'/');
    let (first, second) = (components.next().unwrap_or_default(), components.next());
    if components.next().is_some() {
        return true;
    }
    let is_screenshots = |name: &[u8]| is_well_known(name, "Screenshots");
    match (DefaultDir::from_name(first), second) {
        (None, None) => !first.is_empty() && !is_screenshots(first),
        (Some(_), None) => false,
        (Some(dir), Some(name)) => {
            !(is_screenshots(name) || dir == DefaultDir::Dcim && is_well_known(name, "Camera"))
        }
        (None, Some(_)) => true,
    }
}

/// True for the service's own directory, `.transforms`, and what is below it.
fn is_services_own(path: &[u8]) -> bool {
    is_well_known(path.split(|byte| *byte == b'/').next().unwrap_or_default(), TRANSFORMS)
}

/// True for trees that are never indexed: the packages' private directories, the service's own directories and
/// the thumbnail stores.
pub fn is_never_indexed(path: &[u8]) -> bool {
    match Place::of(path) {
        Place::AndroidTop(dir) | Place::AndroidPackage { dir, .. } => dir != AndroidDir::Media,
        Place::Top { .. } | Place::Below { .. } => {
            let mut components = path.split(|byte| *byte == b'/');
            let (first, second) = (components.next().unwrap_or_default(), components.next());
            is_services_own(path)
                || is_well_known(first, ".picker_transcoded")
                || matches!(
                    DefaultDir::from_name(first),
                    Some(DefaultDir::Movies | DefaultDir::Music | DefaultDir::Pictures)
                ) && second.is_some_and(|name| is_well_known(name, ".thumbnails"))
        }
        Place::Root | Place::Android | Place::AndroidOther => false,
    }
}

/// The media type that a file at `path` is indexed with. `below_nomedia`: a directory above it holds a
/// `.nomedia` file that counts ([`nomedia_counts_in`]).
pub fn media_type_at(path: &[u8], below_nomedia: bool) -> MediaType {
    media_type_of(path, mime_of(last_component(path)), below_nomedia)
}

/// [`media_type_at`] of a file whose MIME type is known better than by its name.
pub fn media_type_of(path: &[u8], mime: &str, below_nomedia: bool) -> MediaType {
    if below_nomedia || is_hidden_by_name(path) {
        return MediaType::None;
    }
    match MediaType::of_mime(mime) {
        MediaType::Image if is_album_art(last_component(path)) => MediaType::None,
        media_type => media_type,
    }
}

/// The names that music players give the picture of an album, in any directory (`ModernMediaScanner`,
/// PATTERN_ALBUM_ART): `folder.jpg`, `AlbumArt.jpg`, `AlbumArtSmall.jpg`, `AlbumArt_{…}_Large.jpg` and the like. What
/// such a file belongs to is the album, so it is no picture among pictures.
fn is_album_art(name: &[u8]) -> bool {
    let Some(stem) = without(name, b".jpg", false) else { return false };
    if stem.eq_ignore_ascii_case(b"folder") {
        return true;
    }
    let Some(rest) = without(stem, b"AlbumArt", true) else { return false };
    let sized = without(rest, b"small", false).or_else(|| without(rest, b"large", false));
    match sized {
        None => rest.is_empty(),
        Some(id) => id.is_empty() || id.starts_with(b"_{") && id.ends_with(b"}_"),
    }
}

/// The name without a word at its beginning or its end, in any ASCII case.
fn without<'a>(name: &'a [u8], word: &[u8], at_start: bool) -> Option<&'a [u8]> {
    let at = if at_start { word.len() } else { name.len().checked_sub(word.len())? };
    let (start, end) = name.split_at_checked(at)?;
    let (found, rest) = if at_start { (start, end) } else { (end, start) };
    found.eq_ignore_ascii_case(word).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_hide_except_for_expiring_names() {
        for path in [&b".a.jpg"[..], b"DCIM/.a.jpg", b"DCIM/.thumbs/a.jpg", b"Music/.trashed-1-dir/a.mp3"] {
            assert!(is_hidden_by_name(path), "{}", String::from_utf8_lossy(path));
            assert_eq!(media_type_at(path, false), MediaType::None);
        }
        for path in [&b""[..], b"DCIM/a.jpg", b"DCIM/.pending-1-a.jpg", b".trashed-1-a.jpg"] {
            assert!(!is_hidden_by_name(path), "{}", String::from_utf8_lossy(path));
        }
        assert_eq!(media_type_at(b"DCIM/.pending-1-a.jpg", false), MediaType::Image);
        assert_eq!(media_type_at(b"DCIM/a.jpg", true), MediaType::None);
    }

    #[test]
    fn pictures_of_albums_are_no_pictures() {
        for name in [
            "folder.jpg",
            "Folder.JPG",
            "AlbumArt.jpg",
            "albumartsmall.jpg",
            "AlbumArtLarge.jpg",
            "AlbumArt_{}_Small.jpg",
            "albumart_{a-b}_large.jpg",
        ] {
            for path in [name.to_owned(), format!("Music/album/{name}"), format!("DCIM/{name}")] {
                assert_eq!(media_type_at(path.as_bytes(), false), MediaType::None, "{path}");
            }
        }
        for name in [
            ".jpg.jpg",
            "jpg",
            "folder.png",
            "folder1.jpg",
            "my folder.jpg",
            "albumart1.jpg",
            "AlbumArt_{a}.jpg",
            "albumart_a_large.jpg",
            "albumart_{_large.jpg",
            "albumart{a}_large.jpg",
            "albumart_{a}large.jpg",
            "smallalbumart.jpg",
        ] {
            let media_type = MediaType::of_mime(mime_of(name.as_bytes()));
            let hidden = name.starts_with('.');
            let expected = if hidden { MediaType::None } else { media_type };
            assert_eq!(media_type_at(name.as_bytes(), false), expected, "{name}");
        }
        // The name alone does not do it: only a picture is the picture of an album.
        assert_eq!(media_type_of(b"folder.jpg", "video/mp4", false), MediaType::Video);
        assert_eq!(media_type_of(b"x/folder.jpg", "image/png", false), MediaType::None);
        assert_eq!(media_type_of(b"x/a.bin", "image/png", false), MediaType::Image);
        assert_eq!(media_type_of(b"x/a.bin", "image/png", true), MediaType::None);
        assert_eq!(media_type_of(b".x/a.bin", "image/png", false), MediaType::None);
    }

    #[test]
    fn nomedia_spares_the_places_people_look_at() {
        for path in [
            "",
            "dcim",
            "DCIM/Camera",
            "Pictures/Screenshots",
            "Screenshots",
            "Download",
            // As a case-folding file system takes them.
            "Picture\u{17f}",
            "DC\u{200d}IM/Cam\u{ad}era",
            "\u{17f}creen\u{17f}hots",
        ] {
            assert!(!nomedia_counts_in(path.as_bytes()), "{path}");
        }
        for path in [&b"WhatsApp"[..], b"Pictures/Camera", b"DCIM/Camera/x", b"x/Screenshots", b"DCIM/x"] {
            assert!(nomedia_counts_in(path), "{}", String::from_utf8_lossy(path));
        }
    }

    #[test]
    fn private_and_own_trees_are_never_indexed() {
        for path in [
            &b"Android/data"[..],
            b"Android/obb/p/f",
            b"android/sandbox/x",
            b".transforms/x",
            b".picker_transcoded",
            b"Movies/.thumbnails/1.jpg",
        ] {
            assert!(is_never_indexed(path), "{}", String::from_utf8_lossy(path));
        }
        for path in [&b""[..], b"Android", b"Android/media/p/f", b"DCIM/.thumbnails", b"x/.transforms"] {
            assert!(!is_never_indexed(path), "{}", String::from_utf8_lossy(path));
        }
    }
}
