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
    let is_screenshots = |name: &[u8]| name.eq_ignore_ascii_case(b"Screenshots");
    match (DefaultDir::from_name(first), second) {
        (None, None) => !first.is_empty() && !is_screenshots(first),
        (Some(_), None) => false,
        (Some(dir), Some(name)) => {
            !(is_screenshots(name) || dir == DefaultDir::Dcim && name.eq_ignore_ascii_case(b"Camera"))
        }
        (None, Some(_)) => true,
    }
}

/// True for trees that are never indexed: the packages' private directories, the service's own directories and
/// the thumbnail stores.
pub fn is_never_indexed(path: &[u8]) -> bool {
    match Place::of(path) {
        Place::AndroidTop(dir) | Place::AndroidPackage { dir, .. } => dir != AndroidDir::Media,
        Place::Top { .. } | Place::Below { .. } => {
            let mut components = path.split(|byte| *byte == b'/');
            let (first, second) = (components.next().unwrap_or_default(), components.next());
            is_well_known(first, TRANSFORMS)
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
    if below_nomedia || is_hidden_by_name(path) {
        MediaType::None
    } else {
        MediaType::of_mime(mime_of(last_component(path)))
    }
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
    fn nomedia_spares_the_places_people_look_at() {
        for path in [&b""[..], b"dcim", b"DCIM/Camera", b"Pictures/Screenshots", b"Screenshots", b"Download"]
        {
            assert!(!nomedia_counts_in(path), "{}", String::from_utf8_lossy(path));
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
