//! IPTC-IIM records, and Photoshop's image resources, in which they, EXIF and XMP are kept.
//!
//! Sources: IPTC-NAA Information Interchange Model 4.2, chapters 1.5 and 6; Adobe Photoshop file formats specification,
//! "Image Resource Blocks".

use super::finding::{Finding, What};
use super::input::{Input, Section, Unreadable};
use super::{exif, jpeg, xmp};

/// Larger records or runs of resources are not taken apart.
const LARGEST: u64 = 16 << 20;
/// What photoshop:LegacyIPTCDigest is in XMP.
pub(super) const DIGEST: &str = "IPTCDigest";

/// Everything in the IPTC-IIM record `section` that tells a location.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn find(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    input.step()?;
    let whole = Finding::zeroed(section, What::Whole { block: "IPTC" });
    if section.len() > LARGEST {
        out.push(whole);
        return Ok(());
    }
    let data = input.read(section)?;
    // TIFF writers that take the record for numbers swap its bytes.
    if matches!(*data, [first, _, _, 0x1c, ..] if first != 0x1c) {
        out.push(whole);
        return Ok(());
    }
    let mut at = 0;
    while let Some(rest) = data.get(at..).filter(|rest| !rest.is_empty()) {
        // Readers differ in whether they go on behind what is no dataset.
        let Some(skipped) = rest.iter().position(|byte| *byte == 0x1c) else { break };
        at += skipped;
        let Some(&[record, dataset, high, low]) = data.get(at + 1..at + 5) else { break };
        input.step()?;
        let mut begin = at + 5;
        let mut length = usize::from(u16::from_be_bytes([high & 0x7f, low]));
        if high & 0x80 != 0 {
            // An extended dataset: so many bytes hold the length.
            let digits = data.get(begin..begin + length.min(8)).unwrap_or_default();
            begin += length;
            length = digits.iter().fold(0, |number: usize, byte| number << 8 | usize::from(*byte));
        }
        let end = begin.saturating_add(length).min(data.len());
        if tells_location(record, dataset) {
            let value = data.get(begin..end).unwrap_or_default();
            let place = section.part(begin as u64, value.len() as u64);
            if let Some(place) = place.filter(|_| value.iter().any(|byte| *byte != 0)) {
                out.push(Finding::zeroed(place, What::Iptc { dataset: (record, dataset) }));
            }
        }
        at = end.max(at + 1);
    }
    Ok(())
}

/// Content location code and name, city, sub-location, province, country code and name.
fn tells_location(record: u8, dataset: u8) -> bool {
    record == 2 && matches!(dataset, 26 | 27 | 90 | 92 | 95 | 100 | 101)
}

/// Everything in a run of Photoshop's image resources ("8BIM" blocks) that tells a location.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn resources(
    input: &Input<'_>,
    section: Section,
    out: &mut Vec<Finding>,
) -> Result<(), Unreadable> {
    let mut at = 0;
    while let Some(header) = section.part(at, 7) {
        input.step()?;
        let header = input.read(header)?;
        let &[a, b, c, d, high, low, name] = header.as_slice() else { break };
        // ImageReady, PhotoDeluxe, Lightroom and others write blocks of the same form.
        if !matches!(&[a, b, c, d], b"8BIM" | b"MeSa" | b"PHUT" | b"AgHg" | b"DCSR") {
            return rest(input, section, at, out);
        }
        // The name's length byte and the name are padded to an even length.
        let length_at = at + 6 + (u64::from(name) + 2) / 2 * 2;
        let Some(length) = section.part(length_at, 4) else { return rest(input, section, at, out) };
        let Ok(length) = <[u8; 4]>::try_from(input.read(length)?) else { break };
        let length = u64::from(u32::from_be_bytes(length));
        let begin = length_at + 4;
        let there = length.min(section.len().saturating_sub(begin));
        if let Some(part) = section.part(begin, there) {
            resource(input, u16::from_be_bytes([high, low]), part, out)?;
        }
        at = begin + length + length % 2;
    }
    Ok(())
}

/// Hides what cannot be taken apart, unless it is only padding.
fn rest(input: &Input<'_>, section: Section, at: u64, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let Some(place) = section.part(at, section.len().saturating_sub(at)) else { return Ok(()) };
    if place.len() > LARGEST || input.read(place)?.iter().any(|byte| *byte != 0) {
        out.push(Finding::zeroed(place, What::Whole { block: "Photoshop resources" }));
    }
    Ok(())
}

fn resource(input: &Input<'_>, id: u16, part: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    match id {
        0x0404 => find(input, part, out),
        0x0425 => {
            out.push(Finding::zeroed(part, What::Digest { name: DIGEST }));
            Ok(())
        }
        0x0424 => xmp::find(input, part, out),
        // EXIF, "EXIF data 3", and the thumbnail with its header of 28 bytes.
        0x0422 | 0x0423 | 0x040c => {
            let result = input.nested(|| match part.part(28, part.len().saturating_sub(28)) {
                Some(thumbnail) if id == 0x040c => jpeg::preview(input, thumbnail, out),
                _ => exif::find(input, part, out),
            });
            result.unwrap_or_else(|| rest(input, part, 0, out))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "iptc_tests.rs"]
mod tests;
