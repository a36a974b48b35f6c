//! Small files for tests.

use super::finding::Finding;
use super::input::{Input, Section, Unreadable};

pub(super) type Look = fn(&Input<'_>, Section, &mut Vec<Finding>) -> Result<(), Unreadable>;

/// What `look` finds in all of `data`.
pub(super) fn found(data: &[u8], look: Look) -> Vec<Finding> {
    let input = Input::new(&data);
    let mut out = Vec::new();
    look(&input, input.whole(), &mut out).unwrap();
    out
}

/// The bytes that are hidden, each finding by itself.
pub(super) fn hidden<'a>(data: &'a [u8], findings: &[Finding]) -> Vec<&'a [u8]> {
    findings.iter().map(|finding| &data[finding.start as usize..finding.end as usize]).collect()
}

/// A value in a [`tiff`].
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Of this type, in the order of bytes that the file has.
    Plain(u16, Vec<u8>),
    /// Where another IFD is, by its place in the list.
    Ifd(usize),
}

/// An IFD: its entries, and where the one behind it is.
type Ifd = (Vec<(u16, Value)>, Option<usize>);

/// A TIFF structure of IFDs, each with its entries and the place of the one behind it. IFD 0 comes first; values lie behind
/// their IFD.
pub(super) fn tiff(big_endian: bool, wide: bool, ifds: &[Ifd]) -> Vec<u8> {
    let number = |value: u64, length: usize| -> Vec<u8> {
        let mut bytes = value.to_le_bytes()[..length].to_vec();
        if big_endian {
            bytes.reverse();
        }
        bytes
    };
    let (header, count_length, entry_length, field) = if wide { (16, 8, 20, 8) } else { (8, 2, 12, 4) };
    let length = |value: &Value| match value {
        Value::Plain(_, bytes) if bytes.len() > field => bytes.len(),
        _ => 0,
    };
    let mut places = vec![header];
    for (entries, _) in ifds {
        let own = count_length + entries.len() * entry_length + field;
        let values: usize = entries.iter().map(|(_, value)| length(value)).sum();
        places.push(places.last().unwrap() + own + values);
    }
    let mut out = if big_endian { b"MM".to_vec() } else { b"II".to_vec() };
    out.extend(number(if wide { 43 } else { 42 }, 2));
    if wide {
        out.extend([number(8, 2), number(0, 2)].concat());
    }
    out.extend(number(header as u64, field));
    for ((entries, next), at) in ifds.iter().zip(&places) {
        let mut behind = Vec::new();
        let values_at = at + count_length + entries.len() * entry_length + field;
        out.extend(number(entries.len() as u64, count_length));
        for (tag, value) in entries {
            let (kind, bytes) = match value {
                Value::Plain(kind, bytes) => (*kind, bytes.clone()),
                Value::Ifd(n) => (4, number(places[*n] as u64, 4)),
            };
            let each = match kind {
                3 => 2,
                4 => 4,
                5 | 12 => 8,
                _ => 1,
            };
            out.extend([number((*tag).into(), 2), number(kind.into(), 2)].concat());
            out.extend(number((bytes.len() / each) as u64, field));
            if bytes.len() > field {
                out.extend(number((values_at + behind.len()) as u64, field));
                behind.extend(bytes);
            } else {
                let mut bytes = bytes;
                bytes.resize(field, 0);
                out.extend(bytes);
            }
        }
        out.extend(number(next.map_or(0, |next| places[next] as u64), field));
        out.extend(behind);
    }
    out
}

/// A GPS IFD with an inline value and one that is not.
pub(super) fn gps() -> Vec<(u16, Value)> {
    vec![
        (1, Value::Plain(2, b"N\0".to_vec())),
        (2, Value::Plain(5, b"latitude is here........".to_vec())),
        (0x1f, Value::Plain(5, b"an error".to_vec())),
    ]
}

/// EXIF whose IFD0 has an artist and the GPS IFD.
pub(super) fn exif(big_endian: bool) -> Vec<u8> {
    let first = vec![(0x013b, Value::Plain(2, b"somebody\0".to_vec())), (0x8825, Value::Ifd(1))];
    tiff(big_endian, false, &[(first, None), (gps(), None)])
}

/// What is found in [`exif`].
pub(super) const IN_GPS: [&[u8]; 3] = [b"N\0\0\0", b"latitude is here........", b"an error"];

/// A packet with one property that is a location.
pub(super) const XMP: &[u8] =
    b"<x xmlns:exif='http://ns.adobe.com/exif/1.0/' exif:GPSLatitude='12,34N' exif:Flash='no'/>";
/// The value of it.
pub(super) const IN_XMP: &[u8] = b"12,34N";

/// A segment of a JPEG.
pub(super) fn segment(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let payload = parts.concat();
    let length = (payload.len() as u16 + 2).to_be_bytes();
    [&[0xff, kind], &length[..], &payload].concat()
}

/// A JPEG of these segments, whose picture is a few bytes.
pub(super) fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
    let scan = b"\xff\xda\0\x04\x01\x02pic\xff\0ture\xff\xd0more\xff\xd9";
    [b"\xff\xd8", segments.concat().as_slice(), scan].concat()
}

/// A chunk of a PNG.
pub(super) fn chunk(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let payload = parts.concat();
    [&(payload.len() as u32).to_be_bytes()[..], kind, &payload, b"SUM."].concat()
}
