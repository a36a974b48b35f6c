//! Files of a kind that is not taken apart: Ogg, MPEG transport streams, ASF, FLV, OpenEXR and whatever else its name says is a
//! picture, a film or sound.
//!
//! Where in them a location lies is not known, so none is hidden; a file that speaks of one is not understood. What is looked
//! at is bounded: the beginning, the end, and pieces in between of a stream, which has its records all over.

use std::collections::BTreeMap;

use super::finding::{Finding, What};
use super::input::{Input, Section, Unreadable};
use super::words::{self, Words};
use super::{exif, mentions};

/// Of the beginning and of the end.
const BEGINNING: u64 = 4 << 20;
const END: u64 = 1 << 20;
/// Pieces of a transport stream, evenly over it, and how long each is.
const PIECES: u64 = 16;
const PIECE: u64 = 512 << 10;

/// Names of properties, as tags and XMP have them.
static NAMES: Words = Words::new(&[
    b"location=",
    b"location-eng",
    b"gps_",
    b"gps=",
    b"gpscoord",
    b"geotag",
    b"iso6709",
    b"freegps ",
    b"photoshop:city",
    b"photoshop:country",
    b"photoshop:state",
    b"xmpcore:location",
    b"wm/location",
    b"mie-gps",
]);

/// Looks whether the file tells a location in any way that can be seen, besides what is hidden.
///
/// # Errors
///
/// If so, or when reading fails or the budget is used up.
pub(super) fn find(input: &Input<'_>, section: Section, hidden: &[Finding]) -> Result<(), Unreadable> {
    let behind =
        section.end.saturating_sub(END).max(section.start.saturating_add(BEGINNING)).min(section.end);
    let mut places = vec![
        Section { end: behind.min(section.start.saturating_add(BEGINNING)), ..section },
        Section { start: behind, ..section },
    ];
    let first = input.read(Section { end: section.end.min(section.start.saturating_add(600)), ..section })?;
    let stream = packets(&first);
    if stream.is_some() {
        let between = section.len() / (PIECES + 1);
        places.extend((1..=PIECES).map(|n| {
            let start = section.start.saturating_add(between.saturating_mul(n));
            Section { start, end: section.end.min(start.saturating_add(PIECE)) }
        }));
    }
    for place in places.into_iter().filter(|it| !it.is_empty()) {
        input.step()?;
        let mut data = input.search(place)?;
        for it in hidden.iter().filter(|it| it.start < place.end && it.end > place.start) {
            let from = it.start.saturating_sub(place.start) as usize;
            let to = (it.end.min(place.end) - place.start).min(data.len() as u64) as usize;
            data.get_mut(from..to).unwrap_or_default().fill(0);
        }
        let tells = match stream {
            Some(packet) => payloads(&data, packet).values().any(|it| has_position(it)),
            None => has_position(&data),
        };
        if tells || speaks(input, &data)? {
            return Err(Unreadable::Damaged {
                what: "a file of unknown make that speaks of a location",
                at: place.start,
            });
        }
    }
    Ok(())
}

/// Whether there is a location in some bytes: by words, as plain text or in UTF-16, or as EXIF.
fn speaks(input: &Input<'_>, data: &[u8]) -> Result<bool, Unreadable> {
    let says = |data: &[u8]| {
        mentions::location(data) || NAMES.are_in(data) || words::is_point(data) || words::is_nmea(data)
    };
    if says(data) {
        return Ok(true);
    }
    let narrow: Vec<u8> = data.iter().copied().filter(|it| *it != 0).collect();
    input.work(data.len() as u64)?;
    if says(&narrow) {
        return Ok(true);
    }
    let marks = data.windows(10).enumerate().filter(|(_, it)| matches!(it, [b'E', b'x', b'i', b'f', 0, _, rest @ ..] if matches!(rest, b"II*\0" | b"MM\0*")));
    for (at, _) in marks {
        let structure = data.get(at + 6..).unwrap_or_default();
        let mut found = Vec::new();
        input.other(&structure, |it| exif::find(it, it.whole(), &mut found))?;
        if found.iter().any(|it| !matches!(it.what, What::Digest { .. })) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How long the packets of an MPEG transport stream are, and where in each its first byte is.
fn packets(begin: &[u8]) -> Option<(usize, usize)> {
    [(188, 0), (192, 4)]
        .into_iter()
        .find(|(length, at)| (0..3).all(|n| begin.get(n * length + at) == Some(&0x47)))
}

/// What a piece of a transport stream carries, by the number of the stream (ISO 13818-1 §2.4.3.2).
fn payloads(data: &[u8], (length, at): (usize, usize)) -> BTreeMap<u16, Vec<u8>> {
    // A piece begins anywhere in a packet.
    let is_start =
        |from: &usize| (0..4).all(|n| data.get(from + n * length + at).is_none_or(|it| *it == 0x47));
    let begin = (0..length).find(is_start).unwrap_or(0);
    let mut streams: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    for packet in data.get(begin..).unwrap_or_default().chunks_exact(length) {
        let Some([0x47, high, low, flags, rest @ ..]) = packet.get(at..) else { continue };
        let skip = if flags & 0x20 != 0 { rest.first().map_or(0, |it| usize::from(*it) + 1) } else { 0 };
        let stream = u16::from_be_bytes([high & 0x1f, *low]);
        streams.entry(stream).or_default().extend(rest.get(skip..).unwrap_or_default());
    }
    streams
}

/// Whether a camcorder's record in H.264 has a position in it: AVCHD's "MDPM", a list of numbered values of four bytes
/// (exiftool, H264.pm: 0xb0 to 0xca are those of EXIF's GPS directory).
fn has_position(data: &[u8]) -> bool {
    data.windows(4).enumerate().filter(|(_, it)| it == b"MDPM").any(|(at, _)| {
        let record = data.get(at + 4..data.len().min(at + 4 + 2048)).unwrap_or_default();
        let mut plain: Vec<u8> = Vec::with_capacity(record.len());
        for byte in record {
            // A byte that keeps three zeros from looking like a start code.
            if *byte != 3 || !plain.ends_with(&[0, 0]) {
                plain.push(*byte);
            }
        }
        let Some((count, entries)) = plain.split_first() else { return false };
        entries.chunks_exact(5).take((*count).into()).any(|it| matches!(it.first(), Some(0xb1..=0xca)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::samples::exif;
    use super::*;

    fn tells(data: &[u8]) -> bool {
        let data = data.to_vec();
        let input = Input::new(&data);
        matches!(find(&input, input.whole(), &[]), Err(Unreadable::Damaged { .. }))
    }

    #[test]
    fn what_speaks_of_a_location_is_refused() {
        let wide: Vec<u8> = "WM/GPSLatitude".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let late = [&vec![1; 6 << 20][..], b"LOCATION=+48.8577+002.2950/"].concat();
        let picture = [b"....Exif\0\0", &exif(true)[..]].concat();
        for data in [&b"OggS LOCATION=Paris"[..], b"FLV onMetaData latitude", &wide, &late, &picture] {
            assert!(tells(data), "{data:?}");
        }
        for data in [&b"OggS TITLE=Paris"[..], b"", &[7; 1000], b"Exif\0\0II*\0\x08\0\0\0\0\0"] {
            assert!(!tells(data), "{data:?}");
        }
    }

    /// A stream of packets of which one has a record, cut between two of them.
    fn stream(tag: u8) -> Vec<u8> {
        let packet = |stream: u8, payload: &[u8]| {
            let mut packet = vec![0, 0, 0, 0, 0x47, 0x50, stream, 0x10];
            packet.extend(payload);
            packet.resize(192, 0xff);
            packet
        };
        let mut record = b"MDPM\x02\x18\x01\x02\0\0".to_vec();
        record.extend([tag, 0, 0, 3, 1, 2]);
        let (first, second) = record.split_at(9);
        let mut before = vec![0xee; 184 - first.len()];
        before.extend(first);
        let mut all = packet(0x20, b"other").repeat(40_000);
        all.extend([packet(0x11, &before), packet(0x20, b"MDPM"), packet(0x11, second)].concat());
        all.extend(packet(0x20, b"other").repeat(100));
        all
    }

    #[test]
    fn camcorders_that_know_where_they_are() {
        assert!(tells(&stream(0xb2)));
        assert!(!tells(&stream(0x19)));
    }
}
