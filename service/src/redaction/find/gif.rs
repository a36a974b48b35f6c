//! GIF: XMP in an application extension. Sources: GIF89a specification; XMP specification part 3 §1.1.2.

use super::finding::Finding;
use super::input::{Input, Section, Unreadable};
use super::xmp;

/// Behind a packet: numbers counting down, so that wherever a reader of sub-blocks lands in them it comes to their end.
const TRAILER: u64 = 258;

/// Everything in the GIF `section` that tells a location.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn find(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let flags = byte(input, section, 10)?.unwrap_or(0);
    let mut at = 13 + table(flags);
    loop {
        match byte(input, section, at)? {
            Some(b'!') => {
                let label = byte(input, section, at + 1)?;
                let begin = at + 2;
                at = blocks(input, section, begin)?;
                let header = section.part(begin, 12).filter(|_| label == Some(0xff));
                if let Some(header) = header
                    && input.read(header)?.get(1..) == Some(b"XMP DataXMP")
                {
                    let end = at.saturating_sub(TRAILER).max(begin + 12);
                    if let Some(packet) = section.part(begin + 12, end - begin - 12) {
                        xmp::find(input, packet, out)?;
                    }
                }
            }
            Some(b',') => {
                let flags = byte(input, section, at + 9)?.unwrap_or(0);
                at = blocks(input, section, at + 11 + table(flags))?;
            }
            // The end, or nothing that could be understood; readers stop as well.
            _ => return Ok(()),
        }
    }
}

/// Length of the colour table that these flags announce.
fn table(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// Where the sub-blocks that begin at `at` end.
fn blocks(input: &Input<'_>, section: Section, mut at: u64) -> Result<u64, Unreadable> {
    while let Some(length) = byte(input, section, at)? {
        input.step()?;
        at += 1 + u64::from(length);
        if length == 0 {
            break;
        }
    }
    Ok(at)
}

fn byte(input: &Input<'_>, section: Section, at: u64) -> Result<Option<u8>, Unreadable> {
    match section.part(at, 1) {
        Some(place) => Ok(input.read(place)?.first().copied()),
        None => Ok(None),
    }
}
