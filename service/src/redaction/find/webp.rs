//! WebP: RIFF chunks. Source: Google's WebP container specification.

use super::finding::{Finding, What};
use super::input::{Input, Section, Unreadable};
use super::{exif, xmp};

/// Everything in the WebP file `section` that tells a location. Chunks behind the end that RIFF claims are looked at too.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn find(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let mut at = 12;
    while let Some(header) = section.part(at, 8) {
        input.step()?;
        let Ok([a, b, c, d, length @ ..]) = <[u8; 8]>::try_from(input.read(header)?) else { break };
        let length = u64::from(u32::from_le_bytes(length));
        if ![a, b, c, d].iter().all(|byte| (b' '..=b'~').contains(byte)) && [a, b, c, d] != *b"XMP\0" {
            break;
        }
        let begin = at + 8;
        let there = length.min(section.len().saturating_sub(begin));
        if let Some(chunk) = section.part(begin, there) {
            match &[a, b, c, d] {
                b"EXIF" => exif_chunk(input, chunk, out)?,
                // Some writers end it in a zero.
                b"XMP " | b"XMP\0" => xmp::find(input, chunk, out)?,
                _ => {}
            }
        }
        at = begin + length + length % 2;
    }
    Ok(())
}

/// EXIF, before which some writers put what a JPEG has there.
pub(super) fn exif_chunk(
    input: &Input<'_>,
    chunk: Section,
    out: &mut Vec<Finding>,
) -> Result<(), Unreadable> {
    let begin = chunk.part(0, chunk.len().min(6)).unwrap_or(chunk);
    let skip = if input.read(begin)?.starts_with(b"Exif\0") { 6 } else { 0 };
    let Some(structure) = chunk.part(skip, chunk.len().saturating_sub(skip)) else { return Ok(()) };
    input.nested(|| exif::find(input, structure, out)).unwrap_or_else(|| {
        out.push(Finding::zeroed(chunk, What::Whole { block: "EXIF" }));
        Ok(())
    })
}

#[cfg(test)]
#[path = "webp_tests.rs"]
mod tests;
