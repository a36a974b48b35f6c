//! Blocks whose make is not known: whether they speak of a location.

use super::input::{Input, Section, Unreadable};
use super::words::Words;

/// Searched at once.
const PAGE: u64 = 64 << 10;
/// How much of neighbouring pages overlaps: more than the longest of what is looked for.
pub(super) const OVERLAP: u64 = 256;

/// Long enough that sixty thousand random bytes do not hold one by chance; the last two are IPTC's structures, as in the
/// assertions of C2PA.
static WORDS: Words = Words::new(&[
    b"gpslat",
    b"gpslon",
    b"gpsalt",
    b"latitude",
    b"longitude",
    b"longtitude",
    b"locationcreated",
    b"locationshown",
]);

/// Whether a block speaks of a location.
pub(super) fn location(block: &[u8]) -> bool {
    WORDS.are_in(block)
}

/// Whether what is in `section` speaks of a location by the word of `speaks`, which sees page after page.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn any(
    input: &Input<'_>,
    section: Section,
    speaks: impl Fn(&[u8]) -> bool,
) -> Result<bool, Unreadable> {
    let mut at = section.start;
    while at < section.end {
        input.step()?;
        let page = input.search(Section { start: at, end: section.end.min(at.saturating_add(PAGE)) })?;
        if speaks(&page) {
            return Ok(true);
        }
        if (page.len() as u64) < PAGE {
            break;
        }
        at = at.saturating_add(PAGE - OVERLAP);
    }
    Ok(false)
}
