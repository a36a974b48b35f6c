//! Blocks of unknown make.

use super::super::finding::{Finding, What};
use super::super::input::{Input, Section, Unreadable};
use super::super::{embedded, exif, mentions, words, xmp};
use super::boxes::{self, Head};
use super::words::behind;

/// So much of a block is looked at for pictures and EXIF.
const LOOKED_AT: u64 = 256 << 10;
/// All of a block is searched for words; one that is longer is hidden.
const LONGEST: u64 = 16 << 20;

fn head_of(section: Section, length: u64) -> Section {
    Section { start: section.start, end: section.end.min(section.start.saturating_add(length)) }
}

/// Whether there is nothing but zeros in `section`, as in padding; not more than 64 KiB are looked at.
pub(super) fn is_blank(input: &Input<'_>, section: Section) -> Result<bool, Unreadable> {
    Ok(section.len() <= 64 << 10 && input.read(section)?.iter().all(|it| *it == 0))
}

/// A box of a kind that is not known: pictures and EXIF in it are taken apart, and if it speaks of a location in any
/// other way it is hidden.
pub(super) fn leaf(input: &Input<'_>, head: &Head, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    if block(input, head.body, is_text(head.kind), out)? {
        head.hide_as_box(out);
    }
    Ok(())
}

/// Texts of QuickTime and 3GPP, in which a place may be written as a point.
fn is_text(kind: [u8; 4]) -> bool {
    const TEXTS: [&[u8; 4]; 9] =
        [b"cprt", b"auth", b"titl", b"dscp", b"perf", b"gnre", b"albm", b"kywd", b"name"];
    kind.first() == Some(&0xa9) || TEXTS.contains(&&kind)
}

/// Finds pictures and EXIF in a block; answers whether the block has to be hidden as a whole.
pub(in super::super) fn block(
    input: &Input<'_>,
    section: Section,
    only_points: bool,
    out: &mut Vec<Finding>,
) -> Result<bool, Unreadable> {
    if section.len() > LONGEST {
        return Ok(true);
    }
    if only_points {
        return mentions::any(input, section, words::is_point);
    }
    let data = input.read(head_of(section, LOOKED_AT))?;
    let rest = behind(section, (data.len() as u64).saturating_sub(mentions::OVERLAP));
    let is_long = section.len() > LOOKED_AT;
    if words::speaks_of_location(&data) || (is_long && mentions::any(input, rest, words::speaks_at_length)?) {
        return Ok(true);
    }
    // From the first picture or EXIF on, the rest is that.
    let at = |it: &[u8]| words::position(&data, it);
    let tiff = [&b"II*\0"[..], b"MM\0*"].into_iter().filter_map(at).min();
    let jpeg =
        [&b"\xff\xd8\xff\xe1"[..], b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xdb"].into_iter().filter_map(at).min();
    match (tiff, jpeg) {
        (tiff, Some(jpeg)) if tiff.is_none_or(|tiff| jpeg < tiff) => {
            embedded(input, behind(section, jpeg as u64), out)?;
        }
        (Some(tiff), _) => exif::find(input, behind(section, tiff as u64), out)?,
        _ => {}
    }
    Ok(false)
}

/// Free space, in which some cameras keep boxes of their own (BlackVue's `gps `, Canon's thumbnails).
pub(super) fn boxes(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let (heads, broken) = boxes::list(input, head_of(section, LOOKED_AT))?;
    let heads: Vec<_> = heads
        .into_iter()
        // The end of the last one may lie beyond what was listed.
        .map(|it| if it.open { Head { body: Section { end: section.end, ..it.body }, ..it } } else { it })
        .collect();
    let named = |head: &Head| head.kind.iter().all(|it| it.is_ascii_graphic() || *it == b' ');
    if heads.first().is_some_and(named) && broken.is_none() {
        for head in heads.iter().filter(|it| named(it)) {
            if matches!(&head.kind, b"gps " | b"gps0" | b"GPS ") {
                Head { body: Section { end: section.end, ..head.body }, ..*head }.hide_as_box(out);
            } else {
                leaf(input, head, out)?;
            }
        }
        return Ok(());
    }
    if block(input, section, false, out)? {
        out.push(Finding::zeroed(section, What::Whole { block: "free space that speaks of a location" }));
    }
    Ok(())
}

/// XML: XMP is taken apart, anything else that speaks of a location (Sony's XAVC has a group "ExifGPS", GMLJP2 is
/// nothing but locations) is hidden.
pub(super) fn xml(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let data = input.read(head_of(section, 4 << 20))?;
    if words::holds(&data, b"xmpmeta") || words::holds(&data, b"rdf:rdf") {
        return xmp::find(input, section, out);
    }
    let utf16 = data.iter().take(64).filter(|it| **it == 0).count() > 16;
    if utf16 || data.len() as u64 != section.len() || words::speaks_of_location(&data) {
        out.push(Finding::spaced(section, What::Whole { block: "XML that speaks of a location" }));
    }
    Ok(())
}
