//! ISO base media files and QuickTime: MP4, MOV, M4A, 3GP, HEIF, AVIF, CR3, JPEG 2000 and JPEG XL in boxes.
//!
//! [`find`] walks the boxes and seeks past what tells nothing, media data first of all. What it hides:
//!
//! * boxes that are a location (`loci`, `©xyz`, `gps `, …): from the type to the end, so that readers skip them;
//! * values of metadata keys by name (`keys`/`ilst`, iTunes' `----`), and any value that is a point of ISO 6709;
//! * EXIF and XMP in items of HEIF, in `uuid`, `XMP_`, `CMT1`…`CMT4` and `Exif` boxes;
//! * samples of tracks of timed metadata, through the sample tables and through movie fragments;
//! * blocks of cameras and dashboard cameras that speak of a location, as a whole.
//!
//! Bounds of trust: offsets are checked against the file and counted from the start of the embedded file if it is
//! one (a motion photo's video). A box that ends beyond its parent is cut there. Where no box can be told at all the
//! rest of the parent is hidden; at the top level, where players stop reading, it is treated as a [`trailer`]. Media
//! data with an open end before any index (`moov`, `meta`, `moof`) was seen is a recording in progress or what is left
//! of one: the index will be, or lies, somewhere in it, so the answer is [`Unreadable::Damaged`]. So it is if there is no index
//! at all.

mod boxes;
mod fragments;
mod freegps;
mod items;
mod meta;
pub(super) mod opaque;
mod samples;
mod track;
mod uuid;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use self::boxes::{Head, Next};
use self::fragments::Fragments;
use self::track::Track;
use super::finding::{Finding, Format, What};
use super::input::{Input, Section, Unreadable};
use super::{exif, trailer, words, xmp};

/// How deep boxes may nest. Real files need about ten.
const DEEPEST: u8 = 32;

/// First boxes of a file that is understood: those that FFmpeg's `mov_probe` and exiftool know it by, and some more.
const FIRST: [&[u8; 4]; 20] = [
    b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"pnot", b"jP  ", b"JXL ",
    b"uuid", b"meta", b"sidx", b"PICT", b"udta", b"junk", b"pict", b"ediw", b"prfl",
];
/// So many boxes of other kinds may come before the first of those: FFmpeg goes on behind what it does not know.
const STRANGE: usize = 16;

/// Boxes that tell where something was made.
const LOCATION: [&[u8; 4]; 8] =
    [b"loci", b"\xa9xyz", b"gps ", b"gps0", b"GPS ", b"@xyz", b"\xa9gps", b"\xa9GPS"];

/// Boxes that are a list of boxes: MediaProvider's 19 (`IsoInterface`; `moof`, `trak`, `ilst` and `meta` have arms of
/// their own) and some that it does not know.
const CONTAINERS: [&[u8; 4]; 23] = [
    b"traf", b"mfra", b"tref", b"mdia", b"minf", b"dinf", b"stbl", b"edts", b"udta", b"ipro", b"sinf",
    b"hnti", b"hinf", b"jp2h", b"moov", b"mvex", b"meco", b"iprp", b"ipco", b"asoc", b"_htc", b"strk",
    b"htka",
];

/// Boxes that tell nothing and may be long, or are not worth a look.
const HARMLESS: [&[u8; 4]; 50] = [
    b"ftyp", b"styp", b"sidx", b"ssix", b"prft", b"pdin", b"mvhd", b"iods", b"mdat", b"imda", b"idat",
    b"wide", b"pnot", b"jP  ", b"JXL ", b"jxlc", b"jxlp", b"jxll", b"jp2c", b"jbrd", b"ihdr", b"colr",
    b"tfra", b"mfro", b"mfhd", b"tfdt", b"pssh", b"emsg", b"thum", b"PICT", b"elst", b"vmhd", b"smhd",
    b"stts", b"ctts", b"stss", b"stps", b"stsh", b"sdtp", b"stdp", b"padb", b"sbgp", b"sgpd", b"csgp",
    b"saio", b"saiz", b"senc", b"subs", b"trun", b"cslg",
];

/// Whether a file that begins with `head` (16 bytes are enough) is made of boxes.
pub(super) fn begins(head: &[u8]) -> bool {
    let (Some(size), Some(kind)) = (boxes::be32(head, 0), boxes::array::<4>(head, 4)) else { return false };
    FIRST.contains(&&kind) && !(2..8).contains(&size)
}

/// Whether a file is made of boxes.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn is_one(input: &Input<'_>, section: Section) -> Result<bool, Unreadable> {
    let mut at = section.start;
    for _ in 0..=STRANGE {
        match Head::read(input, at, section.end)? {
            Next::Box(head) if FIRST.contains(&&head.kind) => return Ok(true),
            Next::Box(head) if !head.open => at = head.body.end,
            _ => return Ok(false),
        }
    }
    Ok(false)
}

/// Whether the brands of a `ftyp` say that the file is a picture.
fn is_picture(input: &Input<'_>, section: Section) -> Result<bool, Unreadable> {
    const PICTURES: [&[u8; 4]; 12] = [
        b"mif1", b"msf1", b"mif2", b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"avif", b"avis",
        b"MiHB",
    ];
    let head = input
        .read(Section { start: section.start, end: section.end.min(section.start.saturating_add(12)) })?;
    Ok(head.get(4..8) == Some(b"ftyp")
        && boxes::array(&head, 8).is_some_and(|brand| PICTURES.contains(&&brand)))
}

/// Everything in the file of boxes that is `section`, which tells a location.
///
/// # Errors
///
/// When reading fails, the budget is used up, or the index cannot be told from the media.
pub(super) fn find(
    input: &Input<'_>,
    section: Section,
    out: &mut Vec<Finding>,
) -> Result<Format, Unreadable> {
    let format = if is_picture(input, section)? { Format::Heif } else { Format::IsoBmff };
    let mut walker = Walker::new(input, section, out);
    walker.boxes(section, Place::Top, 0)?;
    walker.finish()?;
    Ok(format)
}

/// Where a box lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Top,
    UserData,
    Media,
    /// In anything else.
    Within,
}

struct Walker<'a, 'b> {
    input: &'a Input<'b>,
    out: &'a mut Vec<Finding>,
    /// The whole file, or the embedded one: offsets in it count from its start.
    file: Section,
    /// Keys of metadata that name a location, by number, of all lists of keys so far.
    keys: BTreeSet<u32>,
    /// What those keys are called.
    names: BTreeMap<u32, String>,
    /// The track in whose `trak` the walk is.
    track: Option<Track>,
    fragments: Fragments,
    media: Vec<Section>,
    /// An index was seen: what follows in media data is only media.
    indexed: bool,
}

impl<'a, 'b> Walker<'a, 'b> {
    fn new(input: &'a Input<'b>, file: Section, out: &'a mut Vec<Finding>) -> Self {
        Walker {
            input,
            out,
            file,
            keys: BTreeSet::new(),
            names: BTreeMap::new(),
            track: None,
            fragments: Fragments::default(),
            media: Vec::new(),
            indexed: false,
        }
    }

    fn boxes(&mut self, section: Section, place: Place, depth: u8) -> Result<(), Unreadable> {
        if depth > DEEPEST {
            self.push(section, What::Whole { block: "boxes nested too deep" });
            return Ok(());
        }
        let mut at = section.start;
        loop {
            match Head::read(self.input, at, section.end)? {
                Next::Box(head) => {
                    at = head.body.end;
                    self.one(&head, place, depth)?;
                }
                Next::End => return Ok(()),
                Next::Broken => return self.broken(Section { start: at, end: section.end }, place),
            }
        }
    }

    /// What to do with the rest of a parent that holds no boxes.
    fn broken(&mut self, rest: Section, place: Place) -> Result<(), Unreadable> {
        if place == Place::Top {
            return trailer::find(self.input, rest, self.out);
        }
        if !opaque::is_blank(self.input, rest)? {
            self.push(rest, What::Whole { block: "what cannot be told apart in a box" });
        }
        Ok(())
    }

    fn one(&mut self, head: &Head, place: Place, depth: u8) -> Result<(), Unreadable> {
        let body = head.body;
        match &head.kind {
            b"gps " => {
                self.freegps_table(body)?;
                head.hide_as_box(self.out);
            }
            kind if LOCATION.contains(&kind) => head.hide_as_box(self.out),
            // Records of a receiver (Datakam) and of an action camera; a compressed movie cannot be looked into;
            // CR3's fourth block of EXIF is the GPS directory itself.
            b"udat" | b"GPMF" | b"cmov" | b"CMT4" => head.hide_as_box(self.out),
            b"QVMI" | b"MVTG" => head.hide_as_box(self.out),
            b"CMT1" | b"CMT2" | b"CMT3" => exif::find(self.input, body, self.out)?,
            b"RMKN" => exif::find(self.input, body, self.out)?,
            b"Exif" => items::exif_item(self.input, body, self.out)?,
            b"XMP_" => xmp::find(self.input, body, self.out)?,
            b"xml " => opaque::xml(self.input, body, self.out)?,
            b"bxml" | b"brob" => self.compressed(head)?,
            b"uuid" => self.uuid(head, depth)?,
            b"meta" => {
                self.indexed = true;
                self.meta(body, depth)?;
            }
            b"moof" => {
                self.indexed = true;
                self.fragments.add(body, head.start);
                self.boxes(body, Place::Within, depth + 1)?;
            }
            b"trak" | b"htka" => self.trak(body, depth)?,
            b"ilst" => {
                let keys = self.keys.clone();
                self.item_list(body, &keys)?;
            }
            b"mpvd" => {
                super::embedded(self.input, body, self.out)?;
            }
            b"sefd" => trailer::find(self.input, body, self.out)?,
            b"trex" => self.fragments.defaults(self.input, body)?,
            b"mdat" if place == Place::Top => {
                if head.open && !self.indexed {
                    return Err(Unreadable::Damaged {
                        what: "media data without an index before it",
                        at: head.start,
                    });
                }
                self.media.push(body);
            }
            b"free" | b"skip" => opaque::boxes(self.input, body, self.out)?,
            b"tkhd" | b"hdlr" | b"stsd" | b"stsz" | b"stz2" | b"stsc" | b"stco" | b"co64" => {
                if let Some(track) = self.track.as_mut() {
                    track.table(self.input, head, place == Place::Media)?;
                }
            }
            kind if CONTAINERS.contains(&kind) => {
                self.indexed |= kind == b"moov";
                let place = match kind {
                    b"udta" => Place::UserData,
                    b"mdia" => Place::Media,
                    _ => Place::Within,
                };
                self.boxes(body, place, depth + 1)?;
            }
            kind if HARMLESS.contains(&kind) => {}
            _ => opaque::leaf(self.input, head, self.out)?,
        }
        Ok(())
    }

    /// Compressed boxes cannot be looked into (JPEG XL's `brob` says which box it was).
    fn compressed(&mut self, head: &Head) -> Result<(), Unreadable> {
        let was = self.input.array::<4>(head.body.start)?;
        if &head.kind == b"bxml"
            || was.is_some_and(|was| matches!(&was, b"Exif" | b"xml " | b"jumb" | b"uuid"))
        {
            head.hide_as_box(self.out);
        }
        Ok(())
    }

    fn trak(&mut self, body: Section, depth: u8) -> Result<(), Unreadable> {
        let outer = self.track.replace(Track::default());
        let done = self.boxes(body, Place::Within, depth + 1);
        let track = std::mem::replace(&mut self.track, outer);
        done?;
        let Some(track) = track else { return Ok(()) };
        let verdict = track.verdict(self.input, self.file)?;
        self.fragments.judge(track.id, verdict);
        if let track::Verdict::Hide(kind) = verdict {
            track.chunks.runs(self.input, self.file, &mut |run| samples::hide(run, kind, self.out))?;
        }
        Ok(())
    }

    /// What can only be done when all is seen.
    fn finish(mut self) -> Result<(), Unreadable> {
        let fragments = std::mem::take(&mut self.fragments);
        fragments.find(self.input, self.file, self.out)?;
        if let Some(media) = self.media.first().filter(|_| !self.indexed) {
            return Err(Unreadable::Damaged { what: "media data without an index", at: media.start });
        }
        for media in std::mem::take(&mut self.media) {
            freegps::probe(self.input, media, self.out)?;
        }
        Ok(())
    }

    /// Hides a part, if there is anything in it.
    fn push(&mut self, section: Section, what: What) {
        if !section.is_empty() {
            self.out.push(Finding::zeroed(section, what));
        }
    }

    /// A part of the file, from an offset and a length in it, cut where the file ends.
    fn at(&self, offset: u64, length: u64) -> Section {
        at(self.file, offset, length)
    }
}

/// The part of `file` at `offset`, cut where the file ends.
fn at(file: Section, offset: u64, length: u64) -> Section {
    let start = file.start.saturating_add(offset).min(file.end);
    Section { start, end: start.saturating_add(length).min(file.end) }
}
