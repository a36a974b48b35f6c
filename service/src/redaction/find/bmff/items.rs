//! Items of HEIF and AVIF: EXIF, XMP and what else lies beside the pictures (ISO 14496-12 §8.11, 23008-12 annex A).

use std::collections::BTreeMap;

use super::super::finding::{Finding, What};
use super::super::input::{Input, Section, Unreadable};
use super::super::pieces::Pieces;
use super::super::{embedded, exif, xmp};
use super::boxes::{self, Head, array, be16, be32};
use super::{Walker, opaque, words};

/// Items that are coded pictures, or say how to make one of others.
const PICTURES: [&[u8; 4]; 18] = [
    b"hvc1", b"hev1", b"av01", b"avc1", b"vvc1", b"evc1", b"j2k1", b"unci", b"grid", b"iovl", b"iden",
    b"tmap", b"mski", b"auxl", b"lhv1", b"hvt1", b"L-AV", b"sato",
];

/// What `infe` says of an item.
struct Kind {
    kind: [u8; 4],
    /// Behind the type: names and content type, each ended by a zero.
    texts: Vec<u8>,
    /// Encrypted, or compressed by a content encoding.
    coded: bool,
}

/// Where `iloc` says that an item is.
struct Place {
    id: u32,
    parts: Vec<Section>,
    /// It is made of parts of other items.
    of_items: bool,
}

impl Walker<'_, '_> {
    /// The items of a `meta` with these boxes.
    pub(super) fn items(&mut self, heads: &[Head]) -> Result<(), Unreadable> {
        let body = |kind: [u8; 4]| heads.iter().filter(move |it| it.kind == kind).map(|it| it.body);
        // No item may be missed for being listed twice.
        let mut kinds = BTreeMap::new();
        for list in body(*b"iinf") {
            self.kinds(list, &mut kinds)?;
        }
        if kinds.is_empty() {
            return Ok(());
        }
        let inside = body(*b"idat").next();
        for table in body(*b"iloc") {
            for place in self.places(table, inside)? {
                for kind in kinds.get(&place.id).into_iter().flatten() {
                    self.input.step()?;
                    self.item(kind, &place)?;
                }
            }
        }
        Ok(())
    }

    /// What the items are, by their numbers; without pictures: no need to know where they are.
    fn kinds(&self, list: Section, kinds: &mut BTreeMap<u32, Vec<Kind>>) -> Result<(), Unreadable> {
        let wide = self.input.array::<1>(list.start)?.is_some_and(|version| version != [0]);
        let (entries, _) = boxes::list(self.input, words::behind(list, if wide { 8 } else { 6 }))?;
        for entry in entries.iter().filter(|it| &it.kind == b"infe") {
            let data = self.input.read(Section {
                end: entry.body.end.min(entry.body.start.saturating_add(4096)),
                ..entry.body
            })?;
            if let Some((id, kind)) = kind_of(&data).filter(|(_, it)| !PICTURES.contains(&&it.kind)) {
                kinds.entry(id).or_default().push(kind);
            }
        }
        Ok(())
    }

    fn item(&mut self, kind: &Kind, place: &Place) -> Result<(), Unreadable> {
        let xml =
            &kind.kind == b"mime" && (words::holds(&kind.texts, b"xml") || words::holds(&kind.texts, b"rdf"));
        let known = xml || &kind.kind == b"Exif";
        if place.of_items && known {
            let at = place.parts.first().map_or(self.file.start, |it| it.start);
            return Err(Unreadable::Damaged { what: "metadata that is made of parts of other items", at });
        }
        match place.parts.as_slice() {
            [one] if !kind.coded => match &kind.kind {
                b"Exif" => exif_item(self.input, *one, self.out)?,
                b"jpeg" => embedded(self.input, *one, self.out)?,
                _ if xml => xmp::find(self.input, *one, self.out)?,
                _ => {
                    if opaque::block(self.input, *one, false, self.out)? {
                        self.push(*one, What::Whole { block: "an item that speaks of a location" });
                    }
                }
            },
            parts if known && !kind.coded => {
                let mut pieces = Pieces::default();
                for part in parts {
                    self.input.step()?;
                    pieces.push(self.input, *part)?;
                }
                pieces.find(self.input, self.out, if xml { xmp::find } else { exif_item })?;
            }
            parts => {
                // Coded: what of it is where cannot be said.
                for part in parts.iter().filter(|_| known || kind.coded) {
                    self.push(*part, What::Whole { block: if xml { "XMP" } else { "EXIF" } });
                }
            }
        }
        Ok(())
    }

    fn places(&self, table: Section, inside: Option<Section>) -> Result<Vec<Place>, Unreadable> {
        let data = self.input.read(table)?;
        let mut cursor = Cursor { data: &data, at: 0 };
        let damaged = Unreadable::Damaged { what: "the table of items", at: table.start };
        self.parse_places(&mut cursor, inside)?.ok_or(damaged)
    }

    fn parse_places(
        &self,
        cursor: &mut Cursor<'_>,
        inside: Option<Section>,
    ) -> Result<Option<Vec<Place>>, Unreadable> {
        let (Some(version), Some(_flags), Some(sizes)) =
            (cursor.number(1), cursor.number(3), cursor.number(2))
        else {
            return Ok(None);
        };
        let nibble = |shift: u32| (sizes >> shift & 0xf) as usize;
        let (offset_size, length_size, base_size) = (nibble(12), nibble(8), nibble(4));
        let index_size = if version == 0 { 0 } else { nibble(0) };
        let id_size = if version < 2 { 2 } else { 4 };
        let Some(count) = cursor.number(id_size) else { return Ok(None) };
        let mut places = Vec::new();
        for _ in 0..count {
            self.input.step()?;
            let Some(id) = cursor.number(id_size) else { break };
            let method = if version == 0 { Some(0) } else { cursor.number(2).map(|it| it & 0xf) };
            let (Some(method), Some(_), Some(base), Some(parts)) =
                (method, cursor.number(2), cursor.number(base_size), cursor.number(2))
            else {
                break;
            };
            let within = if method == 1 { inside } else { Some(self.file) };
            let mut place = Place { id: id as u32, parts: Vec::new(), of_items: method > 1 };
            for _ in 0..parts {
                self.input.step()?;
                let (Some(_), Some(offset), Some(length)) =
                    (cursor.number(index_size), cursor.number(offset_size), cursor.number(length_size))
                else {
                    break;
                };
                let Some(within) = within else { continue };
                // A length of 0 is all that there is.
                let length = if length == 0 { u64::MAX } else { length };
                let part = super::at(within, base.saturating_add(offset), length);
                match place.parts.last_mut() {
                    Some(last) if last.end == part.start => last.end = part.end,
                    _ if part.is_empty() => {}
                    _ => place.parts.push(part),
                }
            }
            places.push(place);
        }
        Ok(Some(places))
    }
}

fn kind_of(infe: &[u8]) -> Option<(u32, Kind)> {
    let version = *infe.first()?;
    let (id, at) = match version {
        // Without a type: a name, then a content type.
        0 | 1 => {
            let texts = infe.get(8..)?.to_vec();
            let coded = be16(infe, 6)? != 0;
            return Some((u32::from(be16(infe, 4)?), Kind { kind: *b"mime", texts, coded }));
        }
        2 => (u32::from(be16(infe, 4)?), 6),
        _ => (be32(infe, 4)?, 8),
    };
    let texts = infe.get(at + 6..).unwrap_or_default().to_vec();
    let kind = array(infe, at + 2)?;
    // Name, content type, then an encoding if any.
    let encoding = texts.split(|it| *it == 0).nth(2).is_some_and(|it| !it.is_empty());
    let coded = be16(infe, at)? != 0 || (&kind == b"mime" && encoding);
    Some((id, Kind { kind, texts, coded }))
}

/// EXIF behind the offset of its TIFF header.
pub(super) fn exif_item(input: &Input<'_>, item: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let offset = input.array::<4>(item.start)?.map_or(0, u32::from_be_bytes);
    let there = words::behind(item, u64::from(offset).saturating_add(4));
    if !tiff(input, there, out)? && !tiff(input, item, out)? && !item.is_empty() {
        out.push(Finding::zeroed(item, What::Whole { block: "EXIF" }));
    }
    Ok(())
}

/// EXIF that begins within the first bytes; answers whether there was any.
pub(super) fn tiff(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<bool, Unreadable> {
    let head = input.read(Section { end: section.end.min(section.start.saturating_add(64)), ..section })?;
    let found = [&b"II*\0"[..], b"MM\0*"].into_iter().filter_map(|it| words::position(&head, it)).min();
    if let Some(at) = found {
        exif::find(input, words::behind(section, at as u64), out)?;
    }
    Ok(found.is_some())
}

/// Numbers of any size, one after the other.
struct Cursor<'a> {
    data: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    /// The next number, of `size` bytes; 0 if it has none.
    fn number(&mut self, size: usize) -> Option<u64> {
        let bytes = self.data.get(self.at..self.at.checked_add(size)?)?;
        self.at += size;
        Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}
