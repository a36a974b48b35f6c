//! GPMF, which GoPro's cameras write into an application segment of a JPEG: keys, lengths, values, nested.
//!
//! Source: GoPro's GPMF introduction (github.com/gopro/gpmf-parser), and exiftool's GoPro.pm for what keys mean.

use super::finding::{Finding, What};
use super::input::{Input, Section, Unreadable};

/// More than any picture has.
const LARGEST: u64 = 1 << 20;

/// The positions, speeds and times of the GPS receiver in `section`.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn find(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    if section.len() > LARGEST {
        out.push(Finding::zeroed(section, What::Whole { block: "GPMF" }));
        return Ok(());
    }
    let data = input.read(section)?;
    let mut at = 0;
    // Into a container is just behind its header.
    while let Some(&[a, b, c, d, kind, size, high, low]) = data.get(at..).and_then(|rest| rest.first_chunk())
    {
        input.step()?;
        at += 8;
        if kind == 0 {
            continue;
        }
        let length = usize::from(size) * usize::from(u16::from_be_bytes([high, low]));
        let key = [a, b, c, d];
        let value = data.get(at..(at + length).min(data.len())).unwrap_or_default();
        let location = key.starts_with(b"GPS") || matches!(&key, b"GLPI" | b"GPRI");
        if let Some(place) = section.part(at as u64, value.len() as u64)
            && location
            && value.iter().any(|byte| *byte != 0)
        {
            out.push(Finding::zeroed(place, What::Samples { kind: key }));
        }
        at += length.next_multiple_of(4);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_receivers_values_in_nested_containers() {
        let data = b"DEVC\0\x01\0\x24STRM\0\x01\0\x1cTMPCb\x01\0\x03abc\0GPS5l\x04\0\x02latitude";
        let data = data.as_slice();
        let input = Input::new(&data);
        let mut out = Vec::new();
        find(&input, input.whole(), &mut out).unwrap();
        let at = data.len() as u64;
        assert_eq!(
            out,
            [Finding::zeroed(Section { start: at - 8, end: at }, What::Samples { kind: *b"GPS5" })]
        );
    }
}
