//! Matroska and WebM: elements of EBML (RFC 8794, RFC 9559).
//!
//! Tags with a name of a location have their values hidden, nested ones as well, and so has any tag whose value is a
//! point of ISO 6709. Attached pictures are looked into. Clusters are passed over: by their size, or, where a live
//! recording left it open, element by element up to the next element of the level above.
//!
//! The checksum with which an element of the upper levels may begin becomes a `Void` where something in the element is hidden:
//! it would be wrong, and whoever knows the rest could try out places until it fits.

use super::finding::{Fill, Finding, What};
use super::input::{Input, Section, Unreadable};
use super::{embedded, words};

const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const TAGS: u32 = 0x1254_c367;
const TAG: u32 = 0x7373;
const SIMPLE_TAG: u32 = 0x67c8;
const TAG_NAME: u32 = 0x45a3;
const TAG_STRING: u32 = 0x4487;
const TAG_BINARY: u32 = 0x4485;
const ATTACHMENTS: u32 = 0x1941_a469;
const ATTACHED_FILE: u32 = 0x61a7;
const FILE_DATA: u32 = 0x465c;
const CRC: u32 = 0xbf;
/// `Void`, which readers pass over.
const VOID: u8 = 0xec;
/// SeekHead, Info, Tracks, Cues, Chapters: with the four above, all that a segment consists of.
const OTHERS: [u32; 5] = [0x114d_9b74, 0x1549_a966, 0x1654_ae6b, 0x1c53_bb6b, 0x1043_a770];

/// How deep tags may nest.
const DEEPEST: u8 = 16;
/// So much of a value is looked at for a point.
const VALUE: u64 = 4 << 10;

/// Whether a file that begins so is one.
pub(super) fn is_one(head: &[u8]) -> bool {
    head.starts_with(&EBML.to_be_bytes())
}

/// An element.
#[derive(Clone, Copy, Debug)]
struct Element {
    id: u32,
    /// Its content, cut where its parent ends.
    body: Section,
    /// It does not say where it ends.
    open: bool,
}

/// Looks into an element and makes its checksum a `Void` if anything is found.
fn checked(
    input: &Input<'_>,
    body: Section,
    out: &mut Vec<Finding>,
    look: impl FnOnce(&mut Vec<Finding>) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let before = out.len();
    look(out)?;
    if out.len() == before {
        return Ok(());
    }
    // It comes first.
    let Ok(Some(sum)) = read(input, body.start, body.end) else { return Ok(()) };
    if sum.id == CRC
        && !sum.open
        && let Some([_, begin @ ..]) = input.array::<4>(body.start)?
    {
        let head = sum.body.start.saturating_sub(body.start);
        // What of the head and of the checksum is in the first four bytes; the rest is nothing but checksum or zero.
        let mut with = [VOID, begin[0], begin[1], begin[2]];
        with.iter_mut().skip(usize::try_from(head).unwrap_or(usize::MAX)).for_each(|it| *it = 0);
        let what = What::Digest { name: "CRC-32" };
        let start = Section { start: body.start, end: body.start.saturating_add(4) };
        out.push(Finding { fill: Fill::Bytes(with), ..Finding::zeroed(start, what.clone()) });
        let rest = Section { start: sum.body.start.max(start.end), ..sum.body };
        hide(rest, what, out);
    }
    Ok(())
}

/// Everything in `section` that tells a location.
///
/// # Errors
///
/// When reading fails, the budget is used up, or there is something between the elements.
pub(super) fn find(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let mut at = section.start;
    while let Some(element) = read(input, at, section.end)? {
        let mut end = element.body.end;
        match element.id {
            SEGMENT => checked(input, element.body, out, |out| segment(input, element.body, out))?,
            TAGS => tags(input, element.body, None, 0, out)?,
            ATTACHMENTS => checked(input, element.body, out, |out| attachments(input, element.body, out))?,
            CLUSTER if element.open => end = end_of_cluster(input, element.body)?,
            _ => {}
        }
        at = end;
    }
    Ok(())
}

fn segment(input: &Input<'_>, body: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let mut at = body.start;
    while let Some(element) = read(input, at, body.end)? {
        let mut end = element.body.end;
        match element.id {
            TAGS => tags(input, element.body, None, 0, out)?,
            ATTACHMENTS => checked(input, element.body, out, |out| attachments(input, element.body, out))?,
            CLUSTER if element.open => end = end_of_cluster(input, element.body)?,
            // The next one of a stream of several: its elements are read as if they were this one's.
            SEGMENT => end = element.body.start,
            _ => {}
        }
        at = end;
    }
    Ok(())
}

/// Where a cluster of open size ends: at the first element that only a segment has.
fn end_of_cluster(input: &Input<'_>, body: Section) -> Result<u64, Unreadable> {
    let mut at = body.start;
    while let Some(element) = read(input, at, body.end)? {
        let of_segment = matches!(element.id, EBML | SEGMENT | CLUSTER | TAGS | ATTACHMENTS)
            || OTHERS.contains(&element.id);
        if of_segment {
            return Ok(at);
        }
        if element.open {
            return Err(Unreadable::Damaged { what: "an element without an end", at });
        }
        at = element.body.end;
    }
    Ok(body.end)
}

/// `Tags`, `Tag` or `SimpleTag`; within a tag of a location all values are hidden.
fn tags(
    input: &Input<'_>,
    body: Section,
    within: Option<&str>,
    depth: u8,
    out: &mut Vec<Finding>,
) -> Result<(), Unreadable> {
    checked(input, body, out, |out| values(input, body, within, depth, out))
}

fn values(
    input: &Input<'_>,
    body: Section,
    within: Option<&str>,
    depth: u8,
    out: &mut Vec<Finding>,
) -> Result<(), Unreadable> {
    let unclear = |name: Option<&str>| What::Tag { name: name.unwrap_or("").to_owned() };
    if depth > DEEPEST {
        hide(body, unclear(within), out);
        return Ok(());
    }
    let mut elements = Vec::new();
    let mut at = body.start;
    loop {
        match read(input, at, body.end) {
            Ok(Some(element)) => {
                at = element.body.end;
                elements.push(element);
            }
            Ok(None) => break,
            // The bounds of what cannot be told apart are known here.
            Err(Unreadable::Damaged { .. }) => {
                hide(Section { start: at, end: body.end }, unclear(within), out);
                break;
            }
            Err(other) => return Err(other),
        }
    }
    let mut name = within.map(str::to_owned);
    for element in elements.iter().filter(|it| it.id == TAG_NAME) {
        let text = input.read(start_of(element.body))?;
        if name.is_none() && words::names_location(&text) {
            name = Some(words::shown(&text));
        }
    }
    for element in elements {
        match element.id {
            TAG | SIMPLE_TAG => tags(input, element.body, name.as_deref(), depth + 1, out)?,
            TAG_STRING | TAG_BINARY => {
                if let Some(name) = &name {
                    hide(element.body, What::Tag { name: name.clone() }, out);
                } else if words::is_point(&input.read(start_of(element.body))?) {
                    hide(element.body, unclear(None), out);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn attachments(input: &Input<'_>, body: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let mut at = body.start;
    while let Some(element) = read(input, at, body.end)? {
        at = element.body.end;
        if element.id == ATTACHED_FILE {
            checked(input, element.body, out, |out| attachment(input, element.body, out))?;
        }
    }
    Ok(())
}

fn attachment(input: &Input<'_>, body: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let mut at = body.start;
    while let Some(element) = read(input, at, body.end)? {
        at = element.body.end;
        if element.id == FILE_DATA {
            embedded(input, element.body, out)?;
        }
    }
    Ok(())
}

fn start_of(section: Section) -> Section {
    Section { end: section.end.min(section.start.saturating_add(VALUE)), ..section }
}

fn hide(section: Section, what: What, out: &mut Vec<Finding>) {
    if !section.is_empty() {
        out.push(Finding::zeroed(section, what));
    }
}

/// The element at `at`, nothing where the parent ends or only zeros are left.
fn read(input: &Input<'_>, at: u64, end: u64) -> Result<Option<Element>, Unreadable> {
    if at >= end {
        return Ok(None);
    }
    input.step()?;
    let head = input.read(Section { start: at, end: end.min(at.saturating_add(12)) })?;
    let damaged = Unreadable::Damaged { what: "an element", at };
    let Some((id_length, id)) = number(&head, 4, false) else {
        // Players look for the next known element, so nothing but padding may follow.
        let rest = Section { start: at, end };
        let blank = rest.len() <= 1 << 20 && input.read(rest)?.iter().all(|it| *it == 0);
        return if blank { Ok(None) } else { Err(damaged) };
    };
    let rest = head.get(id_length..).unwrap_or_default();
    let Some((size_length, size)) = number(rest, 8, true) else {
        // Cut off in the middle of a head.
        return if rest.len() < 8 { Ok(None) } else { Err(damaged) };
    };
    let start = at.saturating_add((id_length + size_length) as u64);
    let open = size == (1_u64 << (7 * size_length)) - 1;
    let body_end = if open { end } else { start.saturating_add(size).min(end) };
    let id = u32::try_from(id).unwrap_or(0);
    Ok(Some(Element { id, body: Section { start: start.min(end), end: body_end.max(start.min(end)) }, open }))
}

/// A number of EBML: how many bytes it has follows from its first. An id keeps the bits that say so.
fn number(bytes: &[u8], most: usize, without_mark: bool) -> Option<(usize, u64)> {
    let first = *bytes.first()?;
    let length = first.leading_zeros() as usize + 1;
    if length > most {
        return None;
    }
    let number = bytes.get(..length)?.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let mark = 1_u64 << (7 * length);
    Some((length, if without_mark { number & (mark - 1) } else { number }))
}

#[cfg(test)]
mod tests;
