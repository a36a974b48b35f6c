//! Tags of films and sound in the ISO base media format: iTunes' list, 3GPP's and QuickTime's user data.

use super::boxes::{Part, full};
use super::bytes::{be16, be32, text};
use super::input::{Input, Problem};
use super::{Found, number_and_total, xmp, year};
use crate::catalog::AudioFacts;

/// Longest tag that is read; pictures are larger, and only seen.
const LONGEST: usize = 16 << 10;

/// `udta`: a list of tags in `meta`, or tags as boxes.
pub(super) fn user_data(input: &mut Input<'_>, part: Part, found: &mut Found) -> Result<(), Problem> {
    part.children(input, |input, part| {
        match &part.kind {
            b"meta" => meta(input, part, found)?,
            b"XMP_" => xmp::read(&part.head(input, xmp::LONGEST)?, found),
            b"\xa9xyz" => found.location = found.location.or(location(&part.head(input, 64)?)),
            b"loci" => found.location = found.location.or(coordinates(&part.head(input, 512)?)),
            [0xa9, ..] => {
                // QuickTime: texts, each behind its length and its language.
                let bytes = part.head(input, LONGEST)?;
                let length = be16(&bytes, 0).map_or(0, usize::from);
                if let Some(value) = bytes.get(4..(4 + length).min(bytes.len())) {
                    tag(part.kind, value, found);
                }
            }
            // 3GPP TS 26.244, 8.2: version and flags, language, text.
            b"titl" | b"perf" | b"auth" | b"gnre" | b"albm" | b"yrrc" => {
                let bytes = part.head(input, LONGEST)?;
                three_gpp(part.kind, &bytes, found);
            }
            _ => {}
        }
        Ok(true)
    })
}

/// `meta`: with version and flags, but without in QuickTime's form.
pub(super) fn meta(input: &mut Input<'_>, part: Part, found: &mut Found) -> Result<(), Problem> {
    let plain = part.head(input, 8)?.get(4..) == Some(b"hdlr");
    let inside = if plain { part } else { part.after(4) };
    inside.children(input, |input, part| {
        if part.kind == *b"ilst" {
            part.children(input, |input, item| {
                data(input, item, found)?;
                Ok(true)
            })?;
        }
        Ok(true)
    })
}

/// The first `data` of an item: type, country and language, value.
fn data(input: &mut Input<'_>, item: Part, found: &mut Found) -> Result<(), Problem> {
    item.children(input, |input, part| {
        if part.kind != *b"data" {
            return Ok(true);
        }
        if item.kind == *b"covr" {
            found.facts.audio.get_or_insert_default().has_album_art |= part.length() > 8;
        } else {
            let bytes = part.head(input, LONGEST)?;
            tag(item.kind, bytes.get(8..).unwrap_or_default(), found);
        }
        Ok(false)
    })
}

fn tag(kind: [u8; 4], value: &[u8], found: &mut Found) {
    if kind == *b"\xa9nam" {
        found.facts.title = text(value).or(found.facts.title.take());
        return;
    }
    let known: &mut AudioFacts = found.facts.audio.get_or_insert_default();
    let at = |at| be16(value, at).map(u32::from).filter(|number| *number > 0);
    match &kind {
        b"\xa9ART" => known.artist = text(value),
        b"\xa9alb" => known.album = text(value),
        b"aART" => known.album_artist = text(value),
        b"\xa9wrt" | b"\xa9com" => known.composer = text(value),
        b"\xa9gen" => known.genre = text(value),
        // The number of one of ID3's genres, from 1.
        b"gnre" => {
            let name = at(0).and_then(|number| usize::try_from(number - 1).ok());
            let name = name.and_then(|number| lofty::id3::v1::GENRES.get(number));
            known.genre = known.genre.take().or(name.map(|name| (*name).to_owned()));
        }
        b"\xa9day" => known.year = text(value).as_deref().and_then(year),
        b"trkn" => (known.track, known.tracks) = (at(2), at(4)),
        b"disk" => known.disc = at(2),
        b"cpil" => known.compilation = value.first().map(|byte| *byte != 0),
        b"\xa9trk" => {
            if let Some(value) = text(value) {
                (known.track, known.tracks) = number_and_total(&value);
            }
        }
        _ => {}
    }
}

fn three_gpp(kind: [u8; 4], bytes: &[u8], found: &mut Found) {
    let Some((_, rest)) = full(bytes) else { return };
    if kind == *b"yrrc" {
        let year = be16(rest, 0).map(i32::from).filter(|year| *year > 0);
        found.facts.audio.get_or_insert_default().year = year;
        return;
    }
    let value = rest.get(2..).unwrap_or_default();
    let value = match value {
        [0xfe, 0xff, wide @ ..] => {
            let units = wide.chunks_exact(2).filter_map(|two| be16(two, 0)).take_while(|unit| *unit != 0);
            let units: Vec<u16> = units.take(1024).collect();
            super::bytes::clean(&String::from_utf16_lossy(&units))
        }
        value => text(value),
    };
    if kind == *b"titl" {
        found.facts.title = value.or(found.facts.title.take());
        return;
    }
    let known = found.facts.audio.get_or_insert_default();
    match &kind {
        b"perf" => known.artist = value,
        b"auth" => known.composer = value,
        b"gnre" => known.genre = value,
        b"albm" => known.album = value,
        _ => {}
    }
}

/// ISO 6709, as phones write it: `+48.8577+002.2950/`, behind length and language.
fn location(bytes: &[u8]) -> Option<(f64, f64)> {
    let value = text(bytes.get(4..)?)?;
    let second = value.get(1..)?.find(['+', '-'])? + 1;
    let rest = value.get(second..)?;
    let end = rest.get(1..)?.find(['+', '-', '/']).map_or(rest.len(), |end| end + 1);
    let place = (value.get(..second)?.parse().ok()?, rest.get(..end)?.parse().ok()?);
    (f64::abs(place.0) <= 90.0 && f64::abs(place.1) <= 180.0).then_some(place)
}

/// 3GPP TS 26.244, 8.2.9: language, name, role, then longitude and latitude as 16.16 numbers.
fn coordinates(bytes: &[u8]) -> Option<(f64, f64)> {
    let (_, rest) = full(bytes)?;
    let name = rest.get(2..)?;
    let end = if name.starts_with(&[0xfe, 0xff]) {
        name.chunks_exact(2).position(|unit| unit == [0, 0])? * 2 + 2
    } else {
        name.iter().position(|byte| *byte == 0)? + 1
    };
    let degrees = |at| be32(name, end + 1 + at).map(|fixed| f64::from(fixed.cast_signed()) / 65536.0);
    let place = (degrees(4)?, degrees(0)?);
    (place.0.abs() <= 90.0 && place.1.abs() <= 180.0).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_phones_write_them() {
        let place = |text: &str| location(&[b"\0\x12\x15\xc7", text.as_bytes()].concat());
        assert_eq!(place("+48.8577-002.2950/"), Some((48.8577, -2.295)));
        assert_eq!(place("-48.8577+002.2950+035.1/"), Some((-48.8577, 2.295)));
        for wrong in ["", "+", "+1", "48 2", "+91.0+002.0/", "+ä+ä"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
