//! FLAC, and ID3 before MP3 or anything else: blocks of tags and pictures. Sources: RFC 9639; id3.org's ID3v2.2 to 2.4.

use super::bmff::opaque;
use super::finding::{Finding, What};
use super::input::{Input, Section, Unreadable};
use super::{embedded, words};

/// So much of a comment's name is looked at.
const NAME: u64 = 128;

/// Everything in the metadata of the FLAC file `section` that tells a location.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn flac(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let mut at = 4;
    while let Some(header) = section.part(at, 4) {
        input.step()?;
        let Ok([kind, length @ ..]) = <[u8; 4]>::try_from(input.read(header)?) else { break };
        let length = length.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let body = words::behind(section, at + 4);
        let body = Section { end: body.end.min(body.start.saturating_add(length)), ..body };
        match kind & 0x7f {
            0 | 3 | 5 => {}
            4 => comments(input, body, out)?,
            6 => picture(input, body, out)?,
            _ => unknown(input, body, out)?,
        }
        if kind & 0x80 != 0 {
            break;
        }
        at += 4 + length;
    }
    Ok(())
}

/// Vorbis comments: a vendor's name, how many there are, and each `NAME=value` behind its length.
fn comments(input: &Input<'_>, body: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let number = |at: u64| Ok::<_, Unreadable>(input.array::<4>(at)?.map_or(0, u32::from_le_bytes));
    let mut at = body.start.saturating_add(8).saturating_add(number(body.start)?.into());
    while at < body.end {
        input.step()?;
        let length = u64::from(number(at)?);
        let comment = Section { start: at.saturating_add(4).min(body.end), end: body.end };
        let comment = Section { end: comment.end.min(comment.start.saturating_add(length)), ..comment };
        at = comment.end;
        let begin =
            input.read(Section { end: comment.end.min(comment.start.saturating_add(NAME)), ..comment })?;
        let Some(sign) = words::position(&begin, b"=") else { continue };
        let (name, _) = begin.split_at(sign);
        let value = words::behind(comment, sign as u64 + 1);
        if words::names_location(name) || opaque::block(input, value, false, out)? {
            if !value.is_empty() {
                out.push(Finding::zeroed(value, What::Tag { name: words::shown(name) }));
            }
        } else if name.eq_ignore_ascii_case(b"METADATA_BLOCK_PICTURE") && tells_in_base64(input, value)? {
            out.push(Finding::zeroed(value, What::Tag { name: words::shown(name) }));
        }
    }
    Ok(())
}

/// Whether a picture in base64 tells a location.
fn tells_in_base64(input: &Input<'_>, value: Section) -> Result<bool, Unreadable> {
    let mut data = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in input.search(value)? {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            data.push((bits >> count) as u8);
        }
    }
    let mut found = Vec::new();
    input.other(&data, |it| picture(it, it.whole(), &mut found))?;
    Ok(found.iter().any(|it| !matches!(it.what, What::Digest { .. })))
}

/// A picture behind what is said of it.
fn picture(input: &Input<'_>, body: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let head = input.read(Section { end: body.end.min(body.start.saturating_add(4096)), ..body })?;
    let starts: [&[u8]; 5] = [b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"II*\0", b"MM\0*"];
    match starts.iter().filter_map(|it| words::position(&head, it)).min() {
        Some(at) => embedded(input, words::behind(body, at as u64), out),
        None => unknown(input, body, out),
    }
}

fn unknown(input: &Input<'_>, body: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    if !body.is_empty() && opaque::block(input, body, false, out)? {
        out.push(Finding::zeroed(body, What::Whole { block: "a tag that speaks of a location" }));
    }
    Ok(())
}

/// The same of the ID3 tag that `section` begins with; answers what lies behind it.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn id3(
    input: &Input<'_>,
    section: Section,
    out: &mut Vec<Finding>,
) -> Result<Section, Unreadable> {
    let Some([_, _, _, version, _, flags, size @ ..]) = input.array::<10>(section.start)? else {
        return Ok(Section { start: section.end, ..section });
    };
    let seven = |size: &[u8]| size.iter().fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f));
    let plain = |size: &[u8]| size.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let tag = words::behind(section, 10);
    let tag = Section { end: tag.end.min(tag.start.saturating_add(seven(&size))), ..tag };
    let behind = Section { start: tag.end, ..section };
    // With an extended header, or bytes put in between: what is where is not worth the trouble.
    if flags & 0xc0 != 0 {
        unknown(input, tag, out)?;
        return Ok(behind);
    }
    let (names, header) = if version <= 2 { (3, 6) } else { (4, 10) };
    let mut at = tag.start;
    while let Some(head) = words::behind(tag, at - tag.start).part(0, header) {
        input.step()?;
        let head = input.read(head)?;
        let (Some(name), Some(size)) = (head.get(..names), head.get(names..names * 2)) else { break };
        if name.iter().all(|it| *it == 0) {
            break;
        }
        let length = if version >= 4 && size.iter().all(|it| *it < 0x80) { seven(size) } else { plain(size) };
        let frame = words::behind(tag, (at - tag.start).saturating_add(header));
        let frame = Section { end: frame.end.min(frame.start.saturating_add(length)), ..frame };
        match name {
            b"APIC" | b"PIC" => picture(input, frame, out)?,
            _ => unknown(input, frame, out)?,
        }
        at = frame.end;
    }
    Ok(behind)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{IN_GPS, exif, hidden, jpeg, segment};
    use super::super::{Format, find};

    fn block(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind], &(body.len() as u32).to_be_bytes()[1..], body].concat()
    }

    fn comment(text: &str) -> Vec<u8> {
        [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
    }

    fn photo() -> Vec<u8> {
        jpeg(&[segment(0xe1, &[b"Exif\0\0", &exif(true)])])
    }

    #[test]
    fn comments_and_pictures_of_flac() {
        let comments = [
            comment("vendor"),
            vec![3, 0, 0, 0],
            comment("TITLE=Paris"),
            comment("LOCATION=Paris"),
            comment("X=+48.8577+002.2950/"),
        ];
        let picture = [b"\0\0\0\x03\0\0\0\x0aimage/jpeg", &[0; 24][..], &photo()].concat();
        let file =
            [b"fLaC".to_vec(), block(0, &[0; 34]), block(4, &comments.concat()), block(0x86, &picture)]
                .concat();
        let report = find(&file).unwrap();
        assert_eq!(report.format, Format::Flac);
        let wanted = [&[&b"Paris"[..], b"+48.8577+002.2950/"][..], &IN_GPS].concat();
        assert_eq!(hidden(&file, &report.findings), wanted);
    }

    #[test]
    fn frames_of_id3_and_what_lies_behind() {
        let frame = |name: &[u8; 4], body: &[u8]| {
            [name, &(body.len() as u32).to_be_bytes()[..], b"\0\0", body].concat()
        };
        let frames = [
            frame(b"TIT2", b"\0Title"),
            frame(b"PRIV", b"XMP\0<x exif:GPSLatitude='1,2N'/>"),
            frame(b"APIC", &[b"\0image/jpeg\0\x03\0", &photo()[..]].concat()),
        ]
        .concat();
        let size = [0, 0, (frames.len() >> 7) as u8, (frames.len() & 0x7f) as u8];
        let file = [b"ID3\x03\0\0", &size[..], &frames, b"\xff\xfbmusic"].concat();
        let report = find(&file).unwrap();
        let wanted = [&[&b"XMP\0<x exif:GPSLatitude='1,2N'/>"[..]][..], &IN_GPS].concat();
        assert_eq!(hidden(&file, &report.findings), wanted);
    }
}
