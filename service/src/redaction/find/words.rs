//! What names, values and unknown blocks look like that tell a location.

use super::input::Section;

/// Parts of names of properties (QuickTime keys, Matroska and iTunes tags), in lower case.
const IN_NAMES: [&[u8]; 14] = [
    b"location",
    b"gps",
    b"latitude",
    b"longitude",
    b"altitude",
    b"iso6709",
    b"coordinates",
    b"geotag",
    b"geo_",
    b"geo.",
    b"geo-",
    b"direction.facing",
    b"direction.motion",
    b"xyz",
];

/// What a block of unknown make says if it holds a location, in lower case; long enough not to occur by chance.
static IN_BLOCKS: Words = Words::new(&[
    b"gpslat",
    b"gpslong",
    b"gpscoord",
    b"gpsinfo",
    b"freegps ",
    b"latitude",
    b"longitude",
    b"location",
    b"iso6709",
    b"geotag",
    b"gmlcov",
    b"gml:",
]);

/// What a short block says besides; in a long one of random bytes it occurs by chance.
const IN_SHORT_BLOCKS: [&[u8]; 3] = [b"GPS", b"gps", b"Gps"];
const SHORT: usize = 64 << 10;

/// Words to look for in one pass: few bytes begin one, all others cost a look into a table.
#[derive(Debug)]
pub(super) struct Words {
    words: &'static [&'static [u8]],
    /// Bytes that begin a word.
    first: [bool; 256],
}

impl Words {
    /// Words in lower case.
    pub(super) const fn new(words: &'static [&'static [u8]]) -> Words {
        let mut first = [false; 256];
        let mut n = 0;
        while n < words.len() {
            if let [begin, ..] = *words[n] {
                first[begin as usize] = true;
                first[begin.to_ascii_uppercase() as usize] = true;
            }
            n += 1;
        }
        Words { words, first }
    }

    /// Whether one of them is in `block`, in any case.
    pub(super) fn are_in(&self, block: &[u8]) -> bool {
        let begins = |byte: &u8| self.first.get(usize::from(*byte)) == Some(&true);
        let is_one = |at: usize, word: &[u8]| {
            block.get(at..at + word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word))
        };
        block
            .iter()
            .enumerate()
            .filter(|(_, byte)| begins(byte))
            .any(|(at, _)| self.words.iter().any(|word| is_one(at, word)))
    }
}

/// Whether `haystack` holds `needle`, which is in lower case, in any case.
pub(super) fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    let first = needle.first().copied().unwrap_or_default();
    haystack.windows(needle.len()).any(|window| {
        window.first().is_some_and(|it| it.to_ascii_lowercase() == first)
            && window.eq_ignore_ascii_case(needle)
    })
}

/// Where `needle` begins in `haystack`.
pub(super) fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window.first() == needle.first() && window == needle)
}

/// Whether a property of this name is about a location.
pub(super) fn names_location(name: &[u8]) -> bool {
    IN_NAMES.iter().any(|word| holds(name, word))
}

/// Whether a value is, or contains, a point as in ISO 6709 (`+37.3860-122.0840/`), whatever its name is.
pub(super) fn is_point(value: &[u8]) -> bool {
    (0..value.len()).any(|at| value.get(at..).is_some_and(begins_with_point))
}

fn begins_with_point(value: &[u8]) -> bool {
    let Some((latitude, rest)) = coordinate(value) else { return false };
    let Some((longitude, rest)) = coordinate(rest) else { return false };
    if !(2..=6).contains(&latitude.whole) || !(3..=7).contains(&longitude.whole) {
        return false;
    }
    let ends = |rest: &[u8]| rest.first() == Some(&b'/');
    if latitude.fraction && longitude.fraction {
        return ends(rest) || matches!(rest.first(), None | Some(b'+' | b'-' | 0 | b' ' | b'C'));
    }
    // Telephone numbers look like that, but for the end.
    ends(rest) || coordinate(rest).is_some_and(|(_, rest)| ends(rest))
}

struct Coordinate {
    /// How many digits are before its point.
    whole: usize,
    fraction: bool,
}

/// A signed decimal number, and what follows it.
fn coordinate(value: &[u8]) -> Option<(Coordinate, &[u8])> {
    let (sign, rest) = value.split_first()?;
    if !matches!(sign, b'+' | b'-') {
        return None;
    }
    let digits = |of: &[u8]| of.iter().take_while(|it| it.is_ascii_digit()).count();
    let whole = digits(rest);
    let rest = rest.get(whole..)?;
    match rest.split_first() {
        Some((b'.', fraction)) => {
            Some((Coordinate { whole, fraction: true }, fraction.get(digits(fraction)..)?))
        }
        _ => Some((Coordinate { whole, fraction: false }, rest)),
    }
}

/// Whether a block of unknown make speaks of a location.
pub(super) fn speaks_of_location(block: &[u8]) -> bool {
    speaks_at_length(block)
        || (block.len() <= SHORT && IN_SHORT_BLOCKS.iter().any(|word| position(block, word).is_some()))
}

/// The same for a part of a long one.
pub(super) fn speaks_at_length(block: &[u8]) -> bool {
    IN_BLOCKS.are_in(block) || is_point(block) || is_nmea(block)
}

/// Whether there is a sentence of a GPS receiver in it (NMEA 0183: a talker, then RMC or GGA).
pub(super) fn is_nmea(text: &[u8]) -> bool {
    text.windows(7).any(|it| match it {
        [b'$', a, b, kind @ .., b','] => {
            a.is_ascii_uppercase() && b.is_ascii_uppercase() && matches!(kind, b"RMC" | b"GGA" | b"GLL")
        }
        _ => false,
    })
}

/// Whether subtitles are a drone's or a dashboard camera's record of where it was rather than something said.
pub(super) fn is_telemetry(text: &[u8]) -> bool {
    let named = ["gps", "lat", "lon"].iter().any(|word| is_followed_by_number(text, word.as_bytes()));
    named || is_nmea(text) || is_point(text) || position(text, b"PNDM").is_some() || is_enciphered(text)
}

/// Whether there is a decimal number close behind a word: `GPS (8.6499`, `latitude: 48.8577`.
fn is_followed_by_number(text: &[u8], word: &[u8]) -> bool {
    let number = |it: &[u8]| matches!(it, [a, b'.', b] if a.is_ascii_digit() && b.is_ascii_digit());
    text.windows(word.len()).enumerate().filter(|(_, it)| it.eq_ignore_ascii_case(word)).any(|(at, _)| {
        let behind = text.get(at..text.len().min(at + 24)).unwrap_or_default();
        behind.windows(3).any(number)
    })
}

/// Dashboard cameras encipher the text (each byte against 0xaa, or shifted). What somebody should read has no such
/// bytes. Texts follow each other, each behind its length in two bytes, perhaps with boxes of style behind it.
fn is_enciphered(text: &[u8]) -> bool {
    if text.ends_with(b"~") && text.iter().rev().nth(3) == Some(&b'*') {
        return true;
    }
    let mut rest = text;
    while let [high, low, behind @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((said, behind)) = behind.split_at_checked(length) else { return !is_readable(rest) };
        if !is_readable(said) {
            return true;
        }
        rest = behind;
        // A box is longer than a text, by the zeros that its length begins with.
        while let [0, 0, high, low, kind @ ..] = rest
            && kind.first_chunk::<4>().is_some_and(|it| it.is_ascii())
            && let Some(next) = rest.get(usize::from(u16::from_be_bytes([*high, *low])).max(8)..)
        {
            rest = next;
        }
    }
    false
}

/// Whether this is text, in UTF-8 (it may be cut at its end) or UTF-16.
fn is_readable(text: &[u8]) -> bool {
    if matches!(text, [0xfe, 0xff, ..] | [0xff, 0xfe, ..]) {
        return true;
    }
    match std::str::from_utf8(text) {
        Ok(text) => !text.contains('\0'),
        Err(error) => error.error_len().is_none(),
    }
}

/// Bytes as a name to show.
pub(super) fn shown(name: &[u8]) -> String {
    name.iter().take(80).map(|it| if it.is_ascii_graphic() { char::from(*it) } else { '.' }).collect()
}

/// The part of `section` behind its first `offset` bytes.
pub(super) fn behind(section: Section, offset: u64) -> Section {
    Section { start: section.start.saturating_add(offset).min(section.end), end: section.end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_recognised() {
        for it in ["+37.3860-122.0840/", "+48.8577+002.2950+35.0/", "-3723-12205/", "x +37.38-122.08"] {
            assert!(is_point(it.as_bytes()), "{it}");
        }
        for it in ["", "+", "1-2", "2024-01-02", "+49-123-456", "+1.5-2.5", "2024-05-01T10:00:00+0200"] {
            assert!(!is_point(it.as_bytes()), "{it}");
        }
    }

    #[test]
    fn names_are_recognised() {
        for it in [
            "com.apple.quicktime.location.ISO6709",
            "LOCATION",
            "gpsLatitude",
            "\u{a9}xyz",
            "com.apple.quicktime.direction.facing",
        ] {
            assert!(names_location(it.as_bytes()), "{it}");
        }
        for it in ["com.apple.quicktime.model", "ENCODER", "title", "com.android.version", "geometry"] {
            assert!(!names_location(it.as_bytes()), "{it}");
        }
    }

    #[test]
    fn telemetry_is_told_from_speech() {
        for it in [
            &b"F/3.5, SS 1000, GPS (8.6499, 53.1665, 18), D 24.26m"[..],
            b"[latitude: 48.85] [longitude: 2.29]",
            b"$GPRMC,082138,A,5330.6683,N,00641.9749,W,012.5,87.86,050213",
            b"\0\0\xf2\xe1\xf0\xeeTT\x98\x9a\x9b",
            b"\0\0\xaa\xaa\xaa\xaaTT\x98\x9a\x9b\x93",
            b"\x00\x1bLat:48.8577 Lon:2.29 Alt:3.1",
        ] {
            assert!(is_telemetry(it), "{it:?}");
        }
        for it in [
            &b"Hello there"[..],
            b"My GPS is broken, Latoya, since 1999",
            b"\0\x02Hi\0\0\0\x0cencd\0\0\x01\0\0\0\0\x05There",
            b"\x00\x05Hello",
            b"",
            b"\xfe\xff\0a\0b",
            "Grüße".as_bytes(),
        ] {
            assert!(!is_telemetry(it), "{it:?}");
        }
    }
}
