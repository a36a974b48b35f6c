//! Containers of which little is needed to get at the metadata in them: Photoshop's, Fujifilm's and Minolta's.

use super::finding::Finding;
use super::input::{Input, Section, Unreadable};
use super::{exif, iptc, jpeg};

/// PSD and PSB: a header, the colour table, then the image resources (Adobe Photoshop file formats specification).
pub(super) fn photoshop(
    input: &Input<'_>,
    section: Section,
    out: &mut Vec<Finding>,
) -> Result<(), Unreadable> {
    let at = 30 + number(input, section, 26)?;
    let length = number(input, section, at)?.min(section.len().saturating_sub(at + 4));
    match section.part(at + 4, length) {
        Some(resources) => iptc::resources(input, resources, out),
        None => Ok(()),
    }
}

/// RAF: the camera's JPEG has all metadata that EXIF knows (exiftool, FujiFilm.pm).
pub(super) fn fujifilm(
    input: &Input<'_>,
    section: Section,
    out: &mut Vec<Finding>,
) -> Result<(), Unreadable> {
    let (at, length) = (number(input, section, 84)?, number(input, section, 88)?);
    match section.part(at, length.min(section.len().saturating_sub(at))) {
        Some(picture) => jpeg::preview(input, picture, out),
        None => Ok(()),
    }
}

/// MRW: blocks, of which one is a TIFF structure (exiftool, MinoltaRaw.pm).
pub(super) fn minolta(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let end = 8 + number(input, section, 4)?;
    let mut at = 8;
    while at < end
        && let Some(kind) = section.part(at, 4)
    {
        input.step()?;
        let length = number(input, section, at + 4)?;
        let there = length.min(section.len().saturating_sub(at + 8));
        if input.read(kind)? == *b"\0TTW"
            && let Some(structure) = section.part(at + 8, there)
        {
            exif::find(input, structure, out)?;
        }
        at += 8 + length;
    }
    Ok(())
}

/// The big-endian number at `at`; 0 if it is not there.
fn number(input: &Input<'_>, section: Section, at: u64) -> Result<u64, Unreadable> {
    let Some(place) = section.part(at, 4) else { return Ok(0) };
    Ok(<[u8; 4]>::try_from(input.read(place)?).map_or(0, |bytes| u32::from_be_bytes(bytes).into()))
}
