//! EXIF: the IFDs of a TIFF structure.
//!
//! Of a tag that tells a location the value is hidden: where it lies, or the four bytes (eight in BigTIFF) in its entry.
//! Tags, types and counts stay, so that readers find an empty value where one was. What is zero already is not found again.
//!
//! Every IFD that is pointed to is looked at, once for each role it is given, however they overlap; how many is bounded by
//! [`Input`]'s budget. Of makers' notes only those are taken apart whose offsets are known to count from a fixed place:
//! elsewhere a guess could hide the wrong bytes.

use std::collections::BTreeSet;

use super::finding::{Finding, What};
use super::input::{Input, Section, Unreadable};
use super::tiff::{Entry, Tiff};
use super::{iptc, jpeg, xmp};

/// Values up to this length are compared with zero before they are hidden.
const SMALL: u64 = 4096;

/// What an IFD is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// IFD0 and those behind it, subordinate ones, and EXIF's own.
    Image,
    Gps,
    Panasonic,
    Nikon,
    /// A private one in Kodak's raw files.
    Kodak,
}

/// Everything in the TIFF structure `section` that tells a location; it begins with the byte order. What begins otherwise is
/// hidden as a whole: there are readers that do not mind.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn find(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    find_as(input, section, Role::Image, out)
}

fn find_as(
    input: &Input<'_>,
    section: Section,
    role: Role,
    out: &mut Vec<Finding>,
) -> Result<(), Unreadable> {
    let Some((tiff, first)) = Tiff::open(input, section)? else {
        if !section.is_empty() {
            out.push(Finding::zeroed(section, What::Whole { block: "EXIF" }));
        }
        return Ok(());
    };
    let mut walk = Walk { input, tiff, to_do: vec![(first, role)], seen: BTreeSet::new(), out };
    while let Some((at, role)) = walk.to_do.pop() {
        if at != 0 && walk.seen.insert((at, role)) {
            walk.ifd(at, role)?;
        }
    }
    Ok(())
}

struct Walk<'a, 'b> {
    input: &'a Input<'b>,
    tiff: Tiff,
    to_do: Vec<(u64, Role)>,
    seen: BTreeSet<(u64, Role)>,
    out: &'a mut Vec<Finding>,
}

impl Walk<'_, '_> {
    fn ifd(&mut self, at: u64, role: Role) -> Result<(), Unreadable> {
        let (entries, next) = self.tiff.ifd(self.input, at)?;
        if role == Role::Image {
            self.to_do.push((next, role));
            self.preview(&entries)?;
        }
        for entry in &entries {
            self.input.step()?;
            match (role, entry.tag) {
                // All of them, those that EXIF 3.0 does not name (above 0x1f) too: nothing else belongs there.
                (Role::Gps, tag) => self.hide(entry, What::ExifGps { tag })?,
                // Place names that the camera looked up (exiftool, Panasonic.pm).
                (Role::Panasonic, 0x67 | 0x69 | 0x6b | 0x6d | 0x6f | 0x80) => {
                    self.hide(entry, What::Whole { block: "Panasonic place name" })?;
                }
                // LocationInfo, and BarometerInfo with the altitude (exiftool, Nikon.pm).
                (Role::Nikon, 0x39 | 0xc3) => self.hide(entry, What::Whole { block: "Nikon location" })?,
                // GPSString (exiftool, Kodak.pm).
                (Role::Kodak, 0x0402) => self.hide(entry, What::Whole { block: "Kodak location" })?,
                (Role::Image, _) => self.image_tag(entry)?,
                (Role::Panasonic | Role::Nikon | Role::Kodak, _) => {}
            }
        }
        Ok(())
    }

    fn image_tag(&mut self, entry: &Entry) -> Result<(), Unreadable> {
        let input = self.input;
        match entry.tag {
            0x8825 => self.follow(entry, Role::Gps),
            0xfe00 => self.follow(entry, Role::Kodak),
            // SubIFDs, EXIF, interoperability.
            0x014a | 0x8769 | 0xa005 => self.follow(entry, Role::Image),
            // Where a GeoTIFF lies on Earth: IntergraphMatrix, ModelTiePoint, ModelTransform.
            0x8480 | 0x8482 | 0x85d8 => self.hide(entry, What::Whole { block: "GeoTIFF" }),
            // OriginalRawFileData: the raw file that a DNG was made from, compressed, with whatever it tells.
            0xc68b => self.hide(entry, What::Whole { block: "original raw file" }),
            0x02bc => self.inside(entry, "XMP", |part, out| xmp::find(input, part, out)),
            0x83bb => self.inside(entry, "IPTC", |part, out| iptc::find(input, part, out)),
            0x8649 => {
                self.inside(entry, "Photoshop resources", |part, out| iptc::resources(input, part, out))
            }
            // JpgFromRaw of Panasonic's raw files is a picture with EXIF of its own.
            0x002e => self.inside(entry, "preview", |part, out| jpeg::preview(input, part, out)),
            0x927c => self.maker_note(entry),
            _ => Ok(()),
        }
    }

    fn maker_note(&mut self, entry: &Entry) -> Result<(), Unreadable> {
        let Some(note) = self.tiff.value(entry) else { return Ok(()) };
        let Some(begin) = note.part(0, note.len().min(14)) else { return Ok(()) };
        let begin = self.input.read(begin)?;
        let at = note.start.saturating_sub(self.tiff.section().start);
        if begin.starts_with(b"Panasonic\0\0\0") {
            self.to_do.push((at.saturating_add(12), Role::Panasonic));
        } else if begin.starts_with(b"LEICA\0\0\0") {
            // Panasonic's cameras under another name (exiftool, MakerNotes.pm).
            self.to_do.push((at.saturating_add(8), Role::Panasonic));
        } else if let [0, _, 0, 1, 0, 7, 0, 0, 0, 4, b'0', b'1', b'0', b'0'] = *begin {
            self.samsung(note, true)?;
        } else if let [_, 0, 1, 0, 7, 0, 4, 0, 0, 0, b'0', b'1', b'0', b'0'] = *begin {
            self.samsung(note, false)?;
        } else if begin.starts_with(b"Nikon\0\x02") {
            // A TIFF header of its own, from which its offsets count.
            let Some(own) = note.part(10, note.len().saturating_sub(10)) else { return Ok(()) };
            let input = self.input;
            self.inside_part(own, "maker note", |part, out| find_as(input, part, Role::Nikon, out))?;
        }
        Ok(())
    }

    /// LocationName and LocationType (exiftool, Samsung.pm). Offsets count from the note or from the structure, by the model: what
    /// they point to in the note is hidden either way.
    fn samsung(&mut self, note: Section, big_endian: bool) -> Result<(), Unreadable> {
        let own = self.tiff.in_order(big_endian);
        let within = own.at(note);
        let (entries, _) = within.ifd(self.input, 0)?;
        for entry in entries.iter().filter(|it| matches!(it.tag, 0x30 | 0x31)) {
            self.input.step()?;
            let places = [own.value(entry), within.value(entry)];
            for place in places.into_iter().flatten() {
                if place.start >= note.start && place.end <= note.end {
                    self.out.push(Finding::zeroed(place, What::Whole { block: "Samsung place name" }));
                }
            }
        }
        Ok(())
    }

    /// Thumbnails and previews are pictures that may have EXIF of their own.
    fn preview(&mut self, entries: &[Entry]) -> Result<(), Unreadable> {
        let single = |tag| entries.iter().find(|entry| entry.tag == tag && entry.count == 1);
        for (at, length) in [(0x0201, 0x0202), (0x0111, 0x0117)] {
            let (Some(at), Some(length)) = (single(at), single(length)) else { continue };
            let (Some(at), Some(length)) = (self.tiff.inline(at), self.tiff.inline(length)) else { continue };
            let whole = self.tiff.section();
            let length = length.min(whole.len().saturating_sub(at));
            if let Some(place) = whole.part(at, length) {
                let input = self.input;
                self.inside_part(place, "preview", |part, out| jpeg::preview(input, part, out))?;
            }
        }
        Ok(())
    }

    fn follow(&mut self, entry: &Entry, role: Role) -> Result<(), Unreadable> {
        for at in self.tiff.offsets(self.input, entry)? {
            self.to_do.push((at, role));
        }
        Ok(())
    }

    fn inside(
        &mut self,
        entry: &Entry,
        block: &'static str,
        look: impl FnOnce(Section, &mut Vec<Finding>) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        match self.tiff.value(entry) {
            Some(place) => self.inside_part(place, block, look),
            None => Ok(()),
        }
    }

    fn inside_part(
        &mut self,
        place: Section,
        block: &'static str,
        look: impl FnOnce(Section, &mut Vec<Finding>) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        let out = &mut *self.out;
        match self.input.nested(|| look(place, out)) {
            Some(result) => result,
            None => {
                self.out.push(Finding::zeroed(place, What::Whole { block }));
                Ok(())
            }
        }
    }

    /// The value of a tag.
    fn hide(&mut self, entry: &Entry, what: What) -> Result<(), Unreadable> {
        let Some(place) = self.tiff.value(entry) else { return Ok(()) };
        let empty = place.len() <= SMALL && self.input.read(place)?.iter().all(|byte| *byte == 0);
        if !empty {
            self.out.push(Finding::zeroed(place, what));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "exif_tests.rs"]
mod tests;
