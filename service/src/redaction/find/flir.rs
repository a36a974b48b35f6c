//! FLIR's records in application segments of thermal pictures. Source: exiftool's FLIR.pm.

use super::finding::{Finding, What};
use super::input::{Input, Section, Unreadable};

/// Of a record that tells where the camera was.
const GPS_INFO: u32 = 0x2b;
const ENTRY: u64 = 32;

/// The GPS records in `section`, which is all of a picture's FLIR segments joined.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn find(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let Some(header) = section.part(0, 32) else { return Ok(()) };
    let header = input.read(header)?;
    if !(header.starts_with(b"FFF\0") || header.starts_with(b"AFF\0")) {
        return Ok(());
    }
    // The version tells the byte order.
    let big_endian = (100..200).contains(&number(&header, 0x14, 4, true));
    let number = |data: &[u8], at, length| number(data, at, length, big_endian);
    let directory = u64::from(number(&header, 0x18, 4));
    for n in 0..u64::from(number(&header, 0x1c, 4)) {
        input.step()?;
        let Some(entry) = section.part(directory + n * ENTRY, ENTRY) else { break };
        let entry = input.read(entry)?;
        let length = u64::from(number(&entry, 0x10, 4));
        let record = section.part(u64::from(number(&entry, 0x0c, 4)), length);
        if let Some(record) = record.filter(|record| number(&entry, 0, 2) == GPS_INFO && !record.is_empty()) {
            out.push(Finding::zeroed(record, What::Whole { block: "FLIR GPSInfo" }));
        }
    }
    Ok(())
}

fn number(data: &[u8], at: usize, length: usize, big_endian: bool) -> u32 {
    let bytes = data.get(at..at + length).unwrap_or_default();
    let join = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
    if big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gps_record_and_no_other() {
        for big_endian in [true, false] {
            let u32 = |n: u32| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
            let kind = |n: u16| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
            let mut data = b"FFF\0camera".to_vec();
            data.resize(0x14, 0);
            data.extend([u32(101), u32(32), u32(2)].concat());
            for (record, at) in [(0x20u16, 96u32), (0x2b, 100)] {
                data.extend(kind(record));
                data.extend([0; 10]);
                data.extend([u32(at), u32(4)].concat());
                data.extend([0; 12]);
            }
            data.extend(b"dataplac");
            let input = Input::new(&data);
            let mut out = Vec::new();
            find(&input, input.whole(), &mut out).unwrap();
            let place = Section { start: 100, end: 104 };
            assert_eq!(out, [Finding::zeroed(place, What::Whole { block: "FLIR GPSInfo" })]);
        }
    }
}
