//! XMP packets.

use super::finding::{Finding, What};
use super::input::{Input, Section, Unreadable};

/// Everything in `section` that tells a location.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn find(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    input.step()?;
    out.push(Finding::spaced(section, What::Whole { block: "XMP" }));
    Ok(())
}
