//! IPTC and Photoshop resources.

use super::finding::{Finding, What};
use super::input::{Input, Section, Unreadable};

/// Everything in `section` that tells a location.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn find(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    input.step()?;
    out.push(Finding::zeroed(section, What::Whole { block: "IPTC" }));
    Ok(())
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
    input.step()?;
    out.push(Finding::zeroed(section, What::Whole { block: "Photoshop resources" }));
    Ok(())
}
