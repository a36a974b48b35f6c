//! JPEG: its segments, and where it ends. Sources: ITU-T T.81 annex B; EXIF 2.32 §4.5; XMP specification part 3 §1.1.3;
//! CIPA DC-007 (multi-picture format); what exiftool's JPEG.pm reads of application segments.
//!
//! A segment that ends early, or bytes where a marker should be, end nothing: decoders go on at the next marker, and so does
//! this. Of a picture inside of something only what is before its first scan is looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, What};
use super::input::{Input, Section, Unreadable};
use super::pieces::Pieces;
use super::tiff::Tiff;
use super::{exif, flir, gpmf, iptc, mentions, xmp, xmp_names};

const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const EXTENDED: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";
/// Searched at once.
const PAGE: u64 = 64 << 10;
/// MP Entry, which lists the pictures.
const MP_ENTRY: u16 = 0xb002;

/// Everything in the JPEG `section` that tells a location, in the pictures of its multi-picture index too.
///
/// Returns what lies behind the picture, if anything does.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn find(
    input: &Input<'_>,
    section: Section,
    out: &mut Vec<Finding>,
) -> Result<Option<Section>, Unreadable> {
    let mut segments = Segments::default();
    let end = segments.collect(input, section, Until::End)?;
    segments.look(input, out)?;
    if let Some(index) = segments.index {
        // Offsets count from the index's byte order, and reach behind the segment.
        for place in pictures(input, Section { start: index.start, end: section.end })? {
            preview(input, place, out)?;
        }
    }
    Ok(Some(Section { start: end, end: section.end }).filter(|behind| !behind.is_empty()))
}

/// The same for a picture inside of something: a thumbnail or a preview. Nothing if it is no JPEG.
///
/// # Errors
///
/// As [`find`].
pub(super) fn preview(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let Some(begin) = section.part(0, 2) else { return Ok(()) };
    if input.read(begin)? != [0xff, 0xd8] {
        return Ok(());
    }
    let mut segments = Segments::default();
    segments.collect(input, section, Until::Scan)?;
    segments.look(input, out)
}

/// How much of a picture is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// What is before the first scan: there all encoders put their metadata.
    Scan,
    /// All of it, to know where it ends.
    End,
}

/// What the segments of one picture are.
#[derive(Default)]
struct Segments {
    /// EXIF; each is one TIFF structure in as many segments as it needs.
    exif: Vec<Vec<Section>>,
    /// Segments that continue EXIF or begin another.
    unclear: Vec<Section>,
    xmp: Vec<Section>,
    /// Extended XMP by its digest: the offset of each portion, its segment from the digest on.
    extended: BTreeMap<[u8; 32], Vec<(u32, Section)>>,
    resources: Vec<Section>,
    /// JUMBF boxes, cut into segments.
    boxes: Vec<Section>,
    gpmf: Vec<Section>,
    flir: Vec<Section>,
    /// Multi-picture index.
    index: Option<Section>,
    /// Not known to be anything.
    others: Vec<Section>,
}

impl Segments {
    /// Returns where the picture ends.
    fn collect(&mut self, input: &Input<'_>, section: Section, until: Until) -> Result<u64, Unreadable> {
        let mut at = section.start.saturating_add(2);
        // The first read of a search: a marker follows a segment at once, and data a scan's header.
        let mut first = 2;
        loop {
            input.step()?;
            let Some((marker, kind)) = next_marker(input, Section { start: at, end: section.end }, first)?
            else {
                return Ok(section.end);
            };
            at = marker + 2;
            match kind {
                0xd9 => return Ok(at),
                0xda if until == Until::Scan => return Ok(at),
                _ => first = if kind == 0xda { PAGE } else { 2 },
            }
            let rest = Section { start: at, end: section.end };
            let Some(length) = rest.part(0, 2) else { return Ok(section.end) };
            let Ok(length) = <[u8; 2]>::try_from(input.read(length)?) else { return Ok(section.end) };
            let length = u64::from(u16::from_be_bytes(length)).max(2);
            let payload = Section { start: at + 2, end: (at + length).min(section.end) };
            if (0xe1..=0xef).contains(&kind) {
                self.segment(input, kind, payload)?;
            }
            at += length;
        }
    }

    fn segment(&mut self, input: &Input<'_>, kind: u8, payload: Section) -> Result<(), Unreadable> {
        let begin = input.read(Section { start: payload.start, end: payload.end.min(payload.start + 80) })?;
        let behind =
            |length: u64| Section { start: (payload.start + length).min(payload.end), end: payload.end };
        match kind {
            0xe1 if let Some(at) = exif_mark(&begin) => {
                let structure = behind(at + 6);
                let head = begin.get(at as usize + 6..).unwrap_or_default();
                let is_new = matches!(head, [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..]);
                // It may be either: with another number of a camera's own, or in the middle of a value.
                let is_unclear = head.starts_with(b"II") || head.starts_with(b"MM");
                match self.exif.last_mut().filter(|_| !is_new) {
                    Some(last) => {
                        last.push(structure);
                        if is_unclear {
                            self.unclear.push(structure);
                        }
                    }
                    None => self.exif.push(vec![structure]),
                }
            }
            0xe1 if begin.starts_with(XMP) => self.xmp.push(behind(XMP.len() as u64)),
            0xe1 if begin.starts_with(EXTENDED) => {
                let digest =
                    begin.get(EXTENDED.len()..EXTENDED.len() + 32).and_then(|digest| digest.try_into().ok());
                let offset = begin.get(71..75).and_then(|offset| offset.try_into().ok());
                match (digest, offset) {
                    (Some(digest), Some(offset)) => {
                        let portions = self.extended.entry(digest).or_default();
                        portions.push((u32::from_be_bytes(offset), behind(EXTENDED.len() as u64)));
                    }
                    _ => self.others.push(payload),
                }
            }
            0xe1 if begin.starts_with(b"PARROT\0") => self.exif.push(vec![behind(7)]),
            0xe1 if begin.starts_with(b"FLIR\0") => self.flir.push(behind(8)),
            0xe1 if begin.starts_with(b"http") || begin.starts_with(b"<") => {
                // XMP of writers that do not write the header as it should be.
                let tag = begin.iter().position(|byte| *byte == b'<');
                tag.map_or_else(|| self.others.push(payload), |tag| self.xmp.push(behind(tag as u64)));
            }
            0xe2 if begin.starts_with(b"ICC_PROFILE\0") => {}
            0xe2 if begin.starts_with(b"MPF\0") => self.index = Some(behind(4)),
            0xe3 if begin.starts_with(b"Meta\0\0")
                || begin.starts_with(b"META\0\0")
                || begin.starts_with(b"Exif\0\0") =>
            {
                self.exif.push(vec![behind(6)]);
            }
            0xe6 if begin.starts_with(b"GoPro\0") => self.gpmf.push(behind(6)),
            0xeb if begin.starts_with(b"JP") => self.boxes.push(behind(8)),
            0xed if begin.starts_with(PHOTOSHOP) => self.resources.push(behind(PHOTOSHOP.len() as u64)),
            0xed if begin.starts_with(b"Adobe_Photoshop2.5:") => self.resources.push(behind(19)),
            0xee if begin.starts_with(b"Adobe") => {}
            _ if let Some(at) = tiff_mark(&begin) => self.exif.push(vec![behind(at as u64)]),
            _ => self.others.push(payload),
        }
        Ok(())
    }

    fn look(&self, input: &Input<'_>, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
        for structure in &self.exif {
            nested(input, structure, "EXIF", out, exif::find)?;
        }
        for structure in &self.unclear {
            if Tiff::open(input, *structure)?.is_some() {
                nested(input, std::slice::from_ref(structure), "EXIF", out, exif::find)?;
            }
        }
        let first = out.len();
        for packet in &self.xmp {
            xmp::find(input, *packet, out)?;
        }
        self.extended(input, first, out)?;
        nested(input, &self.resources, "Photoshop resources", out, iptc::resources)?;
        joined(input, &self.gpmf, out, gpmf::find)?;
        joined(input, &self.flir, out, flir::find)?;
        for blocks in self.others.iter().map(std::slice::from_ref).chain([self.boxes.as_slice()]) {
            let mut pieces = Pieces::default();
            for piece in blocks {
                pieces.push(input, *piece)?;
            }
            if mentions::location(pieces.bytes()) {
                let whole = What::Whole { block: "application segment" };
                out.extend(blocks.iter().map(|piece| Finding::zeroed(*piece, whole.clone())));
            }
        }
        Ok(())
    }

    /// XMP that did not fit into one segment. Its name is the MD5 of all of it: where something in it is hidden the name is
    /// as well, or places could be tried out until it fits. Readers then take the extension for somebody else's.
    fn extended(&self, input: &Input<'_>, first: usize, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
        let name = What::Digest { name: xmp_names::EXTENDED };
        let mut any = false;
        for portions in self.extended.values() {
            let mut portions = portions.clone();
            portions.sort_by_key(|(offset, _)| *offset);
            let texts: Vec<_> =
                portions.iter().filter_map(|(_, all)| all.part(40, all.len().checked_sub(40)?)).collect();
            let before = out.len();
            joined(input, &texts, out, xmp::find)?;
            if out.len() > before {
                any = true;
                let names = portions.iter().filter_map(|(_, all)| all.part(0, 32));
                out.extend(names.map(|place| Finding::zeroed(place, name.clone())));
            }
        }
        if !any {
            let mut n = 0;
            out.retain(|finding| {
                n += 1;
                n <= first || finding.what != name
            });
        }
        Ok(())
    }
}

/// Where `Exif` begins in a segment that is EXIF. exiftool takes it in any case, behind up to four other bytes.
fn exif_mark(begin: &[u8]) -> Option<u64> {
    (0..=4)
        .find(|at| {
            let mark = begin.get(*at..*at + 5);
            mark.is_some_and(|it| it.eq_ignore_ascii_case(b"Exif\0"))
        })
        .map(|at| at as u64)
}

/// Where a TIFF structure begins in a segment of whatever make.
fn tiff_mark(begin: &[u8]) -> Option<usize> {
    begin.windows(4).position(|it| matches!(it, b"II*\0" | b"MM\0*"))
}

type Look = fn(&Input<'_>, Section, &mut Vec<Finding>) -> Result<(), Unreadable>;

/// Looks at what is in one piece or several.
fn joined(
    input: &Input<'_>,
    sections: &[Section],
    out: &mut Vec<Finding>,
    look: Look,
) -> Result<(), Unreadable> {
    match *sections {
        [] => Ok(()),
        [section] => look(input, section, out),
        _ => {
            let mut pieces = Pieces::default();
            for section in sections {
                pieces.push(input, *section)?;
            }
            pieces.find(input, out, look)
        }
    }
}

/// As [`joined`], for what may hold pictures.
fn nested(
    input: &Input<'_>,
    sections: &[Section],
    block: &'static str,
    out: &mut Vec<Finding>,
    look: Look,
) -> Result<(), Unreadable> {
    if let Some(result) = input.nested(|| joined(input, sections, out, look)) {
        return result;
    }
    out.extend(sections.iter().map(|section| Finding::zeroed(*section, What::Whole { block })));
    Ok(())
}

/// Where the next marker in `section` begins that is one of a segment or of the end, and its second byte. Bytes of a scan,
/// fill bytes and markers that stand alone are passed over.
fn next_marker(input: &Input<'_>, section: Section, first: u64) -> Result<Option<(u64, u8)>, Unreadable> {
    let (mut at, mut length) = (section.start, first);
    while at.saturating_add(2) <= section.end {
        let data = input.search(Section { start: at, end: (at + length).min(section.end) })?;
        let marker = marker_in(&data).map(|(n, kind)| (at + n as u64, kind));
        if marker.is_some() || data.len() < 2 {
            return Ok(marker);
        }
        at += data.len() as u64 - 1;
        length = PAGE;
    }
    Ok(None)
}

/// The first of the markers that [`next_marker`] is about.
fn marker_in(data: &[u8]) -> Option<(usize, u8)> {
    let mut from = 0;
    loop {
        let at = from + first_ff(data.get(from..)?)?;
        match *data.get(at + 1)? {
            kind @ (0x02..=0xcf | 0xd9..=0xfe) => return Some((at, kind)),
            _ => from = at + 1,
        }
    }
}

/// Where the first 0xff is. Most of a file is gone through here, so blocks without one are passed over as a whole, in a loop that
/// the compiler makes vector instructions of.
fn first_ff(data: &[u8]) -> Option<usize> {
    const BLOCK: usize = 64;
    let has_one = |block: &[u8; BLOCK]| block.iter().fold(false, |any, byte| any | (*byte == 0xff));
    let (blocks, _) = data.as_chunks::<BLOCK>();
    let clean = blocks.iter().take_while(|block| !has_one(block)).count() * BLOCK;
    data.get(clean..)?.iter().position(|byte| *byte == 0xff).map(|at| clean + at)
}

/// The other pictures of a multi-picture file.
fn pictures(input: &Input<'_>, index: Section) -> Result<Vec<Section>, Unreadable> {
    let Some((tiff, first)) = Tiff::open(input, index)? else { return Ok(Vec::new()) };
    let (entries, _) = tiff.ifd(input, first)?;
    let mut places = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in entries.iter().filter(|entry| entry.tag == MP_ENTRY) {
        let Some(place) = tiff.value(entry) else { continue };
        // A segment's worth; more cannot be in one.
        let Some(place) = place.part(0, place.len().min(0xffff)) else { continue };
        for picture in input.read(place)?.chunks_exact(16) {
            let size = tiff.number(picture.get(4..8).unwrap_or_default());
            let offset = tiff.number(picture.get(8..12).unwrap_or_default());
            // Zero is the picture that holds the index.
            if offset != 0 && seen.insert(offset) {
                places.extend(index.part(offset, size.min(index.len().saturating_sub(offset))));
            }
        }
    }
    Ok(places)
}

#[cfg(test)]
#[path = "jpeg_tests.rs"]
mod tests;
