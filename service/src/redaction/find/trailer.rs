//! What lies behind the end of a picture or a film: motion photos, and the trailers of cameras.
//!
//! Known trailers are Samsung's (a directory at the end, "SEFT", that says where each block is), Insta360's (records
//! at the end) and Auto-Vox's (RIFF chunks). Anything else is searched for the start of an embedded picture or film,
//! which is then taken apart as such; what follows it is its own trailer. Other bytes are hidden if they speak of a location
//! (exiftool's MIE), else left as they are.

use super::finding::{Finding, What};
use super::input::{Input, Section, Unreadable};
use super::{bmff, embedded, jpeg, mentions, words};

/// So much is searched for an embedded file. What is behind and was not looked at is hidden.
const SEARCHED: u64 = 32 << 20;
/// Searched at once.
const PAGE: u64 = 64 << 10;
/// How much of neighbouring pages overlaps: the longest mark and what is before it.
const OVERLAP: u64 = 16;
const TRAILER: &str = "a trailer that speaks of a location";

/// Everything in `section` that tells a location.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn find(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    if section.len() < 8 {
        return Ok(());
    }
    input.step()?;
    let head = input.read(Section { end: section.start.saturating_add(8).min(section.end), ..section })?;
    if ["gpsa", "gps0", "gsen", "gsea"].iter().any(|it| head.starts_with(it.as_bytes())) {
        out.push(Finding::zeroed(section, What::Whole { block: "a trailer of a dashboard camera" }));
        return Ok(());
    }
    let is_known = samsung(input, section, out)?;
    let rest = insta360(input, section, out)?;
    search(input, rest, is_known, out)
}

/// Looks for a picture or a film, and what they hold; and at other bytes, if it is not known what they are.
fn search(
    input: &Input<'_>,
    section: Section,
    is_known: bool,
    out: &mut Vec<Finding>,
) -> Result<(), Unreadable> {
    let mut at = section.start;
    // Where bytes begin that are no file, and whether they speak of a location.
    let (mut strange, mut tells) = (at, false);
    let last = section.end.min(section.start.saturating_add(SEARCHED));
    while at < last {
        input.step()?;
        let page = input.search(Section { start: at, end: section.end.min(at.saturating_add(PAGE)) })?;
        let start = (0..page.len()).find(|start| page.get(*start..).is_some_and(is_start));
        tells |= !is_known && mentions::location(page.get(..start.unwrap_or(page.len())).unwrap_or_default());
        if let Some(start) = start {
            if tells {
                let end = at.saturating_add(start as u64);
                out.push(Finding::zeroed(Section { start: strange, end }, What::Whole { block: TRAILER }));
            }
            let file = Section { start: at.saturating_add(start as u64), end: section.end };
            if page.get(start) != Some(&0xff) {
                return embedded(input, file, out);
            }
            // Pictures of a burst follow each other.
            match jpeg::find(input, file, out)? {
                Some(behind) => {
                    at = behind.start.max(file.start.saturating_add(2));
                    (strange, tells) = (at, false);
                }
                None => return Ok(()),
            }
            continue;
        }
        if (page.len() as u64) < PAGE {
            at = section.end;
            break;
        }
        at = at.saturating_add(PAGE - OVERLAP);
    }
    if tells {
        out.push(Finding::zeroed(
            Section { start: strange, end: section.end },
            What::Whole { block: TRAILER },
        ));
        return Ok(());
    }
    let unseen = Section { start: at, end: section.end };
    if !unseen.is_empty() {
        out.push(Finding::zeroed(unseen, What::Whole { block: "a trailer too long to be searched" }));
    }
    Ok(())
}

/// Whether a picture or a film begins here. Two or three bytes prove nothing, so a segment has to follow.
fn is_start(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0xd8, 0xff, 0xe0..=0xe2 | 0xed | 0xdb, ..] => true,
        [0, 0, _, size, b'f', b't', b'y', b'p', ..] => size % 4 == 0 && bmff::begins(bytes),
        _ => false,
    }
}

/// Samsung: blocks, a directory of them ("SEFH"), its length, "SEFT". A block is: a zero and its type (16 bits each), the
/// length of its name, its name, its value. All numbers are little-endian. Answers whether it was one.
fn samsung(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<bool, Unreadable> {
    let Some(tail) = section.len().checked_sub(8).and_then(|at| section.part(at, 8)) else {
        return Ok(false);
    };
    let tail_bytes = input.read(tail)?;
    let (Some(length), Some(b"SEFT")) = (le32(&tail_bytes, 0), tail_bytes.get(4..8)) else {
        return Ok(false);
    };
    let Some(start) = tail.start.checked_sub(u64::from(length)).filter(|it| *it >= section.start) else {
        return Ok(false);
    };
    let directory = Section { start, end: tail.start };
    if directory.len() > 1 << 16 {
        return Ok(false);
    }
    let data = input.read(directory)?;
    if !data.starts_with(b"SEFH") {
        return Ok(false);
    }
    for entry in data.get(12..).unwrap_or_default().chunks_exact(12) {
        input.step()?;
        let (Some(kind), Some(back), Some(size)) = (le32(entry, 0), le32(entry, 4), le32(entry, 8)) else {
            break;
        };
        let Some(start) = start.checked_sub(u64::from(back)).filter(|it| *it >= section.start) else {
            continue;
        };
        let block = Section { start, end: start.saturating_add(u64::from(size)).min(directory.start) };
        let name = input.array::<4>(block.start.saturating_add(4))?.map_or(0, u32::from_le_bytes);
        let value = words::behind(block, u64::from(name).saturating_add(8));
        // 0x0aa1 is the mobile country code.
        if kind >> 16 == 0x0aa1 && !value.is_empty() {
            out.push(Finding::zeroed(value, What::Whole { block: "Samsung's mobile country code" }));
        } else if !value.is_empty() {
            block_of_samsung(input, value, out)?;
        }
    }
    Ok(true)
}

fn block_of_samsung(input: &Input<'_>, value: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let head = input.read(Section { end: value.end.min(value.start.saturating_add(PAGE)), ..value })?;
    // Pictures and films are found by the search, wherever they are.
    let file = is_start(&head);
    if !file && words::speaks_of_location(&head) {
        out.push(Finding::zeroed(
            value,
            What::Whole { block: "a block of Samsung that speaks of a location" },
        ));
    }
    Ok(())
}

/// The end of a file of Insta360: the last record's head, other data and this mark; all records lie one before the
/// other, each behind its own data.
const INSTA360: &[u8] = b"8db42d694ccc418790edff439fe026bf";
const INSTA360_TAIL: u64 = 78;
/// Records of positions.
const INSTA360_GPS: u16 = 0x700;

/// Hides positions in a trailer of Insta360; answers what lies before it.
fn insta360(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<Section, Unreadable> {
    let Some(tail) = section.len().checked_sub(INSTA360_TAIL).and_then(|at| section.part(at, INSTA360_TAIL))
    else {
        return Ok(section);
    };
    let mut head = input.read(tail)?;
    if !head.ends_with(INSTA360) {
        return Ok(section);
    }
    let length = u64::from(le32(&head, 38).unwrap_or(0)).min(section.len());
    let first = section.end.saturating_sub(length).max(section.start);
    let mut end = tail.start;
    loop {
        input.step()?;
        let (Some([a, b]), Some(length)) = (head.get(..2), le32(&head, 2)) else { break };
        let start = end.checked_sub(u64::from(length)).filter(|it| *it >= first);
        let Some(start) = start else {
            // Not what it should be: hide what was not understood.
            out.push(Finding::zeroed(
                Section { start: first, end },
                What::Whole { block: "Insta360's trailer" },
            ));
            break;
        };
        let record = Section { start, end };
        if u16::from_le_bytes([*a, *b]) == INSTA360_GPS && !record.is_empty() {
            out.push(Finding::zeroed(record, What::Samples { kind: *b"insv" }));
        }
        let Some(next) = start.checked_sub(6).filter(|it| *it >= first) else { break };
        head = input.read(Section { start: next, end: start })?;
        end = next;
    }
    Ok(Section { start: section.start, end: first })
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests;
