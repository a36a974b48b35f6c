//! Names of files that the store makes and moves (mediaprovider.md §5.2; `FileUtils` of MediaProvider).

use mediagate_policy::{ExpiringName, NameState, extension_of, mime_of};

/// Longest name that a FAT volume holds.
const LONGEST: usize = 255;
/// Names that are tried before giving up, of names with numbers behind them.
const TRIES: u32 = 32;
/// Names that cameras write with a `~` and a number behind them.
const TRIES_OF_CAMERAS: u32 = 99;

/// How long a file may stay unpublished, and in the trash, in seconds (§3.8).
const PENDING: i64 = 7 * 24 * 3600;
const TRASHED: i64 = 30 * 24 * 3600;

/// A name that any volume can hold, made from any bytes; one with a dot at its front would be hidden, and could pass for one
/// that is pending or in the trash.
pub(super) fn sanitized(name: &[u8]) -> Vec<u8> {
    let mut clean = String::with_capacity(name.len());
    for c in String::from_utf8_lossy(name).chars() {
        let bad = matches!(c, '\0'..='\x1f' | '\x7f' | '"' | '*' | '/' | ':' | '<' | '>' | '?' | '\\' | '|');
        clean.push(if bad || c == char::REPLACEMENT_CHARACTER { '_' } else { c });
    }
    if clean.starts_with('.') {
        clean.replace_range(..1, "_");
    }
    if clean.is_empty() {
        clean.push('_');
    }
    shortened(clean.as_bytes(), LONGEST)
}

/// A directory from a user's root with every name as [`sanitized`] leaves it, but for dots at its front. `None` if it leads
/// out of the root.
pub(super) fn sanitized_path(path: &[u8]) -> Option<Vec<u8>> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for part in path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()) {
        if part == b"." || part == b".." {
            return None;
        }
        parts.push(match part.strip_prefix(b".") {
            Some(rest) => [b".", sanitized(&[b"x", rest].concat()).get(1..).unwrap_or_default()].concat(),
            None => sanitized(part),
        });
    }
    Some(parts.join(&b'/'))
}

/// The name with the extension of `mime`, unless it has one that says so. A type of which no extension is known changes
/// nothing.
pub(super) fn with_extension(name: Vec<u8>, mime: &str) -> Vec<u8> {
    match extension_of(mime).filter(|_| mime_of(&name) != mime) {
        None => name,
        Some(extension) => {
            let stem = shortened(&name, LONGEST - extension.len() - 1);
            [&stem, &b"."[..], extension.as_bytes()].concat()
        }
    }
}

/// The name cut to so many bytes, at the end of its stem and between characters.
fn shortened(name: &[u8], longest: usize) -> Vec<u8> {
    if name.len() <= longest {
        return name.to_vec();
    }
    let (stem, extension) = split(name);
    // An extension that is most of the name is none.
    let (stem, extension) = if extension.len() > longest / 2 { (name, &b""[..]) } else { (stem, extension) };
    let mut end = (longest - extension.len()).min(stem.len());
    while end > 0 && stem.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    [stem.get(..end).unwrap_or_default(), extension].concat()
}

/// Stem, and extension with its dot.
fn split(name: &[u8]) -> (&[u8], &[u8]) {
    match name.iter().rposition(|byte| *byte == b'.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name, b""),
    }
}

/// The names to try, one after the other, for a file that is to be called `name`: itself, then `name (1)` and so on; in `DCIM`
/// the next numbers that a camera would take.
pub(super) fn candidates(dir: &[u8], name: &[u8]) -> Vec<Vec<u8>> {
    let (stem, extension) = split(name);
    let top = dir.split(|byte| *byte == b'/').next().unwrap_or_default();
    if top.eq_ignore_ascii_case(b"DCIM")
        && let Some(names) = of_cameras(stem)
    {
        return names.into_iter().map(|stem| [stem.as_bytes(), extension].concat()).collect();
    }
    let numbered = |number: u32| {
        let tail = [format!(" ({number})").as_bytes(), extension].concat();
        let stem = shortened(stem, LONGEST.saturating_sub(tail.len()));
        [&stem[..], &tail].concat()
    };
    std::iter::once(name.to_vec()).chain((1..TRIES).map(numbered)).collect()
}

/// The stem and those that follow it, if a camera made it: `IMG_0001`, or `VID_20200102_030405~2`.
fn of_cameras(stem: &[u8]) -> Option<Vec<String>> {
    let stem = std::str::from_utf8(stem).ok()?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    if let Some((prefix, number)) = stem.split_at_checked(4)
        && prefix.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == b'_')
        && number.len() == 4
        && digits(number)
    {
        let first: u32 = number.parse().ok()?;
        return Some((first..10_000).map(|number| format!("{prefix}{number:04}")).collect());
    }
    let (base, number) = match stem.split_once('~') {
        Some((base, number)) if digits(number) => (base, number.parse::<u32>().ok()?),
        Some(_) => return None,
        None => (stem, 1),
    };
    let mut parts = base.split('_');
    let is_camera = matches!(parts.next(), Some("IMG" | "MVIMG" | "VID"))
        && parts.next().is_some_and(|it| it.len() == 8 && digits(it))
        && parts.next().is_some_and(|it| it.len() == 6 && digits(it))
        && parts.next().is_none();
    let name = |number| if number <= 1 { base.to_owned() } else { format!("{base}~{number}") };
    is_camera.then(|| (number..=TRIES_OF_CAMERAS).map(name).collect())
}

/// The plain name, what the name says of its state, and when that ends.
pub(super) fn taken_apart(name: &[u8]) -> (&[u8], NameState, i64) {
    ExpiringName::parse(name).map_or((name, NameState::Plain, 0), |it| {
        (it.plain, it.state, i64::try_from(it.expires).unwrap_or(i64::MAX))
    })
}

/// When a file that gets into a state now leaves it by itself.
pub(super) fn end_of(state: NameState, now: i64) -> i64 {
    match state {
        NameState::Plain => 0,
        NameState::Pending => now.saturating_add(PENDING),
        NameState::Trashed => now.saturating_add(TRASHED),
    }
}

/// The name of a file that is in a state until `expires`.
pub(super) fn in_state(state: NameState, expires: i64, plain: &[u8]) -> Vec<u8> {
    let word = match state {
        NameState::Plain => return plain.to_vec(),
        NameState::Pending => "pending",
        NameState::Trashed => "trashed",
    };
    let front = format!(".{word}-{}-", expires.max(0));
    [front.as_bytes(), &shortened(plain, LONGEST - front.len())].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn names_become_ones_that_any_volume_can_hold() {
        for (name, clean) in [
            ("a.jpg", "a.jpg"),
            ("a:b/c*d.jpg", "a_b_c_d.jpg"),
            (".hidden.jpg", "_hidden.jpg"),
            (".trashed-1-a.jpg", "_trashed-1-a.jpg"),
            ("..", "_."),
            (".", "_"),
            ("", "_"),
            ("a\nb", "a_b"),
            ("Ä ö.jpg", "Ä ö.jpg"),
        ] {
            assert_eq!(text(&sanitized(name.as_bytes())), clean);
        }
        assert_eq!(sanitized(b"a\xff.jpg"), b"a_.jpg");
        let long = sanitized(format!("{}.jpg", "ä".repeat(200)).as_bytes());
        assert!(long.len() <= 255 && long.ends_with("ä.jpg".as_bytes()), "{}", text(&long));
        let dots = sanitized(format!("a.{}", "b".repeat(300)).as_bytes());
        assert_eq!(dots.len(), 255);
        for name in [&b"x.jpg"[..], b"\xff\xff", b"...", b"a/../b"] {
            assert!(mediagate_policy::is_valid_fat_name(&sanitized(name)));
        }
    }

    #[test]
    fn paths_stay_in_the_root() {
        assert_eq!(sanitized_path(b"/DCIM//a:b/").unwrap(), b"DCIM/a_b");
        assert_eq!(sanitized_path(b"").unwrap(), b"");
        assert_eq!(sanitized_path(b"Pictures/.face:s/x").unwrap(), b"Pictures/.face_s/x");
        for path in [&b".."[..], b"DCIM/..", b"a/./b", b"../x"] {
            assert_eq!(sanitized_path(path), None);
        }
    }

    #[test]
    fn the_extension_says_the_type() {
        let with = |name: &str, mime| text(&with_extension(name.into(), mime));
        assert_eq!(with("a", "image/jpeg"), "a.jpg");
        assert_eq!(with("a.jpg", "image/jpeg"), "a.jpg");
        assert_eq!(with("a.JPEG", "image/jpeg"), "a.JPEG");
        assert_eq!(with("a.png", "image/jpeg"), "a.png.jpg");
        assert_eq!(with("a.xyz", "application/octet-stream"), "a.xyz");
        assert_eq!(with("a", "image/never-heard-of"), "a");
        assert_eq!(with_extension(vec![b'a'; 255], "image/jpeg").len(), 255);
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let first = |dir: &str, name: &str, count: usize| -> Vec<String> {
            candidates(dir.as_bytes(), name.as_bytes()).iter().take(count).map(|it| text(it)).collect()
        };
        assert_eq!(first("Pictures", "x.jpg", 3), ["x.jpg", "x (1).jpg", "x (2).jpg"]);
        assert_eq!(first("Download", "x", 2), ["x", "x (1)"]);
        assert_eq!(first("Download", "a.tar.gz", 2), ["a.tar.gz", "a.tar (1).gz"]);
        assert_eq!(first("DCIM/Camera", "IMG_0009.jpg", 2), ["IMG_0009.jpg", "IMG_0010.jpg"]);
        assert_eq!(first("Pictures", "IMG_0009.jpg", 2), ["IMG_0009.jpg", "IMG_0009 (1).jpg"]);
        let dated = "IMG_20200102_030405";
        assert_eq!(
            first("dcim", &format!("{dated}.jpg"), 2),
            [format!("{dated}.jpg"), format!("{dated}~2.jpg")]
        );
        assert_eq!(first("DCIM", &format!("{dated}~7.jpg"), 2)[1], format!("{dated}~8.jpg"));
        assert_eq!(first("DCIM", "IMG_2020_03.jpg", 2)[1], "IMG_2020_03 (1).jpg");
        assert_eq!(first("DCIM", "~.jpg", 2)[1], "~ (1).jpg");
        assert_eq!(candidates(b"Download", b"x").len(), 32);
        for name in candidates(b"Download", &[b'a'; 255]) {
            assert!(name.len() <= 255);
        }
    }

    #[test]
    fn states_are_in_the_name() {
        let name = in_state(NameState::Trashed, 170, b"a.jpg");
        assert_eq!(name, b".trashed-170-a.jpg");
        assert_eq!(taken_apart(&name), (&b"a.jpg"[..], NameState::Trashed, 170));
        assert_eq!(taken_apart(b"a.jpg"), (&b"a.jpg"[..], NameState::Plain, 0));
        let long = in_state(NameState::Pending, i64::MAX, &[b'a'; 255]);
        assert_eq!((long.len(), taken_apart(&long).1), (255, NameState::Pending));
        assert_eq!(end_of(NameState::Trashed, 100), 100 + 30 * 86_400);
    }
}
