//! WebP, AVI and WAV: RIFF chunks. Sources: Google's WebP container specification; exiftool's RIFF.pm.

use super::bmff::opaque;
use super::finding::{Finding, What};
use super::input::{Input, Section, Unreadable};
use super::{exif, words, xmp};

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

/// The same of any other RIFF file.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn riff(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    // What is next, and where the list ends that it is in; lists are gone into as if they had no end, for their chunks
    // follow each other anyway.
    let mut at = section.start.saturating_add(12);
    while section.end.saturating_sub(at) >= 8 {
        input.step()?;
        let Some([a, b, c, d, length @ ..]) = input.array::<8>(at)? else { break };
        let length = u64::from(u32::from_le_bytes(length));
        let chunk = words::behind(section, at.saturating_add(8) - section.start);
        let chunk = Section { end: chunk.end.min(chunk.start.saturating_add(length)), ..chunk };
        at = chunk.end.saturating_add(length % 2);
        match &[a, b, c, d] {
            b"RIFF" | b"LIST" => match input.array::<4>(chunk.start)? {
                Some(kind) if &kind == b"movi" => {}
                _ => at = chunk.start.saturating_add(4),
            },
            b"data" | b"idx1" | b"fmt " | b"fact" | b"avih" | b"strh" | b"strf" | b"dmlh" | b"indx" => {}
            b"EXIF" => exif_chunk(input, chunk, out)?,
            b"_PMX" | b"XMP " | b"XMP\0" => xmp::find(input, chunk, out)?,
            // Country, and where the scene is.
            b"ICNT" | b"ILOC" | b"LOCA" => whole(chunk, out),
            _ if opaque::block(input, chunk, false, out)? => whole(chunk, out),
            _ => {}
        }
    }
    Ok(())
}

fn whole(chunk: Section, out: &mut Vec<Finding>) {
    if !chunk.is_empty() {
        out.push(Finding::zeroed(chunk, What::Whole { block: "a chunk that speaks of a location" }));
    }
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
