//! PNG, and MNG and JNG, which are made of the same chunks.
//!
//! Behind every chunk is a checksum of it: where something in a chunk is hidden, that is one of [`sums`]. Sources: PNG
//! specification 3rd edition §5 and §11; for raw profiles in text ImageMagick's coders/png.c.

use super::finding::{Finding, What};
use super::inflate::{Failed, inflate};
use super::input::{Input, Section, Unreadable};
use super::sums::{self, Sum};
use super::xmp_names::{Property, property};
use super::{exif, iptc, mentions, trailer, webp, xmp};

/// Of a text chunk's keyword with what ends it, the compression flag and method.
const KEYWORD: u64 = 96;
/// Most chunks whose name is none.
const STRANGE: usize = 64;
/// Of the language and the translated keyword.
const NAMES: u64 = 64 << 10;
/// Compressed text, and EXIF in digits, longer than this is not looked at, but hidden.
const LONGEST: u64 = 1 << 20;
/// The same for what it decompresses to.
const MOST_TEXT: u64 = 8 << 20;

/// Everything in the PNG `section` that tells a location.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn find(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let Some(begin) = section.part(0, 2) else { return Ok(()) };
    let animated = input.read(begin)? == *b"\x8aM";
    let mut at = 8;
    let (mut is_past_end, mut strange) = (false, 0);
    while let Some(header) = section.part(at, 8) {
        input.step()?;
        let Ok([a, b, c, d, kind @ ..]) = <[u8; 8]>::try_from(input.read(header)?) else { break };
        let length = u64::from(u32::from_be_bytes([a, b, c, d]));
        let begin = at + 8;
        // Readers pass over chunks of any name, exiftool over the end too; but there they need not be chunks any more.
        let is_named = kind.iter().all(u8::is_ascii_alphabetic);
        let is_chunk = is_named && &kind != b"ftyp" && section.part(begin, length).is_some();
        if is_past_end && !is_chunk {
            break;
        }
        strange += usize::from(!is_named);
        if strange > STRANGE {
            let rest = Section { start: header.start, ..section };
            out.push(Finding::zeroed(rest, What::Whole { block: "what cannot be told apart in a PNG" }));
            return Ok(());
        }
        // An MNG has the ends of its pictures in it, and an end of its own.
        is_past_end |= (&kind == b"IEND" && !animated) || &kind == b"MEND";
        let there = length.min(section.len().saturating_sub(begin));
        if let Some(chunk) = section.part(begin, there) {
            let before = out.len();
            match &kind {
                b"eXIf" | b"zxIf" => webp::exif_chunk(input, chunk, out)?,
                b"iTXt" => international_text(input, chunk, out)?,
                b"tEXt" => latin_text(input, false, chunk, out)?,
                b"zTXt" => latin_text(input, true, chunk, out)?,
                // C2PA's boxes.
                b"caBX" => unknown(input, chunk, "caBX", out)?,
                _ => {}
            }
            if out.len() > before
                && let (Some(covers), Some(place)) =
                    (section.part(begin - 4, length + 4), section.part(begin + length, 4))
            {
                input.sum(Sum { covers, place, kind: sums::Kind::Png });
            }
        }
        at = begin + length + 4;
    }
    match section.len().checked_sub(at).and_then(|length| section.part(at, length)) {
        Some(behind) if is_past_end => trailer::find(input, behind, out),
        _ => Ok(()),
    }
}

/// `iTXt`: keyword, compression flag and method, language, translated keyword, text.
fn international_text(input: &Input<'_>, chunk: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let Some((keyword, begin)) = keyword(input, chunk)? else { return unclear(input, chunk, out) };
    let data = input.read(Section { start: begin, end: chunk.end.min(begin + NAMES) })?;
    let Some(&[compressed, _]) = data.first_chunk() else { return Ok(()) };
    let mut ends = data.iter().enumerate().skip(2).filter(|(_, byte)| **byte == 0).map(|(at, _)| at as u64);
    let (Some(_), Some(end)) = (ends.next(), ends.next()) else { return unclear(input, chunk, out) };
    text(input, &keyword, compressed != 0, Section { start: begin + end + 1, end: chunk.end }, out)
}

/// `tEXt`: keyword, text. `zTXt`: keyword, compression method, compressed text.
fn latin_text(
    input: &Input<'_>,
    compressed: bool,
    chunk: Section,
    out: &mut Vec<Finding>,
) -> Result<(), Unreadable> {
    let Some((keyword, begin)) = keyword(input, chunk)? else { return unclear(input, chunk, out) };
    let begin = begin.saturating_add(compressed.into()).min(chunk.end);
    text(input, &keyword, compressed, Section { start: begin, end: chunk.end }, out)
}

/// Text of which it is not known where it begins: names in it are longer than the specification allows, or than any are.
fn unclear(input: &Input<'_>, chunk: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    input.step()?;
    if !chunk.is_empty() {
        out.push(Finding::zeroed(chunk, What::Whole { block: "text" }));
    }
    Ok(())
}

/// The keyword, and where what is behind the zero that ends it begins.
fn keyword(input: &Input<'_>, chunk: Section) -> Result<Option<(Vec<u8>, u64)>, Unreadable> {
    let mut data = input.read(Section { start: chunk.start, end: chunk.end.min(chunk.start + KEYWORD) })?;
    let Some(end) = data.iter().position(|byte| *byte == 0) else { return Ok(None) };
    data.truncate(end);
    Ok(Some((data, chunk.start + end as u64 + 1)))
}

/// XMP that is not compressed is taken apart. Other text is hidden as a whole if it tells a location, or if it should and
/// cannot be read.
fn text(
    input: &Input<'_>,
    keyword: &[u8],
    compressed: bool,
    place: Section,
    out: &mut Vec<Finding>,
) -> Result<(), Unreadable> {
    let is_xmp = keyword == b"XML:com.adobe.xmp";
    if is_xmp && !compressed {
        return xmp::find(input, place, out);
    }
    let of_profile =
        keyword.strip_prefix(b"Raw profile type ").filter(|kind| !matches!(*kind, b"icc" | b"icm"));
    let tells = if names_location(keyword) || (place.len() > LONGEST && (compressed || of_profile.is_some()))
    {
        true
    } else if place.len() > LONGEST {
        mentions::any(input, place, mentions::location)?
    } else {
        let text = input.read(place)?;
        // What is blank was hidden before, and does not decompress.
        if text.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        match if compressed { inflate(input, &text, MOST_TEXT)? } else { Ok(text) } {
            Ok(text) if is_xmp => holds(input, &text, xmp::find)?,
            Ok(text) => match of_profile.map(|_| unhex(&text)) {
                Some(Some(profile)) => profile_tells(input, &profile)?,
                Some(None) => true,
                None => mentions::location(&text),
            },
            Err(Failed::TooMuch) => true,
            Err(Failed::Damaged) => is_xmp || of_profile.is_some(),
        }
    };
    if tells && (place.len() > LONGEST || input.read(place)?.iter().any(|byte| *byte != 0)) {
        out.push(Finding::zeroed(place, What::Whole { block: "text" }));
    }
    Ok(())
}

/// Names that ImageMagick gives to what it knows of a picture (`exif:GPSLatitude`, `photoshop:City`), and plain ones.
fn names_location(keyword: &[u8]) -> bool {
    let colon = keyword.iter().rposition(|byte| *byte == b':');
    let (prefix, local) = match colon {
        Some(at) => (keyword.get(..at).unwrap_or_default(), keyword.get(at + 1..).unwrap_or_default()),
        None => (&b""[..], keyword),
    };
    let plain: [&[u8]; 5] = [b"location", b"coordinates", b"city", b"country", b"state"];
    property(prefix, b"", local) == Property::Location
        || (prefix.is_empty() && plain.iter().any(|name| local.eq_ignore_ascii_case(name)))
}

/// The bytes of a raw profile: a newline, its kind, its length, then hexadecimal digits.
fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let mut lines = text.splitn(4, |byte| *byte == b'\n');
    let (_, _, _, digits) = (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    let mut high = None;
    for digit in digits.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != 0) {
        let digit = char::from(*digit).to_digit(16)? as u8;
        match high.take() {
            Some(high) => bytes.push(high << 4 | digit),
            None => high = Some(digit),
        }
    }
    Some(bytes)
}

/// Whether a raw profile tells a location: by what it is, as its name does not always fit.
fn profile_tells(input: &Input<'_>, profile: &[u8]) -> Result<bool, Unreadable> {
    let behind_zero = |data: &[u8]| data.iter().position(|byte| *byte == 0).map_or(0, |at| at + 1);
    match *profile {
        [b'E', b'x', b'i', b'f', 0, _, ref structure @ ..] => holds(input, structure, exif::find),
        [b'I', b'I', ..] | [b'M', b'M', ..] => holds(input, profile, exif::find),
        [b'h', b't', b't', b'p', ..] => {
            holds(input, profile.get(behind_zero(profile)..).unwrap_or_default(), xmp::find)
        }
        [b'<', ..] | [0xef, ..] => holds(input, profile, xmp::find),
        [0x1c, ..] => holds(input, profile, iptc::find),
        [b'8', b'B', b'I', b'M', ..] => holds(input, profile, iptc::resources),
        _ => Ok(mentions::location(profile)),
    }
}

type Look = fn(&Input<'_>, Section, &mut Vec<Finding>) -> Result<(), Unreadable>;

/// Whether anything is found in `data`; yes if it is too deep inside of something to be looked at.
fn holds(input: &Input<'_>, data: &[u8], look: Look) -> Result<bool, Unreadable> {
    let mut found = Vec::new();
    let look = || input.other(&data, |data| look(data, data.whole(), &mut found));
    match input.nested(look) {
        Some(result) => {
            result.map(|()| found.iter().any(|finding| !matches!(finding.what, What::Digest { .. })))
        }
        None => Ok(true),
    }
}

/// A block that is hidden if it speaks of a location.
fn unknown(
    input: &Input<'_>,
    chunk: Section,
    block: &'static str,
    out: &mut Vec<Finding>,
) -> Result<(), Unreadable> {
    if chunk.len() > MOST_TEXT || mentions::location(&input.read(chunk)?) {
        out.push(Finding::zeroed(chunk, What::Whole { block }));
    }
    Ok(())
}

#[cfg(test)]
#[path = "png_tests.rs"]
mod tests;
