//! Checksums over what is hidden: those of PNG's chunks and of Ogg's pages.
//!
//! The one in the file must not be shown: whoever knows the rest of what it covers could try out places until it fits. Strict
//! decoders refuse a picture whose checksum is wrong, so the one of what is shown stands there instead. It is found when all
//! else is: finders note what a checksum covers, and say nothing more.

use super::finding::{Fill, Finding, What};
use super::input::{Input, Section, Unreadable};

/// What is longer has zeros for its checksum.
const LONGEST: u64 = 16 << 20;

/// A checksum.
#[derive(Clone, Copy, Debug)]
pub struct Sum {
    /// What it is over.
    pub covers: Section,
    /// Its four bytes, outside of that.
    pub place: Section,
    /// How it is made.
    pub kind: Kind,
}

/// How a checksum is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// CRC-32 as in zlib, big-endian (PNG specification §5.5).
    Png,
}

/// The bytes of which a checksum has to change because of `findings`, which is everything else that is found.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn find(input: &Input<'_>, findings: &mut Vec<Finding>) -> Result<(), Unreadable> {
    let mut sums = input.sums();
    if sums.is_empty() {
        return Ok(());
    }
    let mut found: Vec<(Section, Fill)> = findings
        .iter()
        .map(|it| (Section { start: it.start, end: it.end }, it.fill))
        .filter(|(it, _)| !it.is_empty())
        .collect();
    found.sort_unstable_by_key(|(it, _)| it.start);
    sums.sort_unstable_by_key(|it| (it.covers.start, it.covers.end));
    let mut rest = found.as_slice();
    // How far what begins before a checksum's part reaches.
    let mut reached = 0;
    for sum in sums {
        input.step()?;
        let before = rest.partition_point(|(it, _)| it.start < sum.covers.start);
        let (earlier, later) = rest.split_at(before);
        reached = earlier.iter().map(|(it, _)| it.end).fold(reached, u64::max);
        rest = later;
        let count = later.partition_point(|(it, _)| it.start < sum.covers.end);
        let inside = later.get(..count).unwrap_or_default();
        let across = reached > sum.covers.start || inside.iter().any(|(it, _)| it.end > sum.covers.end);
        if inside.is_empty() && !across {
            continue;
        }
        let fill = if across || sum.covers.len() > LONGEST {
            Fill::Zero
        } else {
            Fill::Bytes(shown(input, &sum, inside)?)
        };
        findings.push(Finding {
            start: sum.place.start,
            end: sum.place.end,
            what: What::Digest { name: "CRC" },
            fill,
        });
    }
    Ok(())
}

/// The checksum of what is shown.
fn shown(input: &Input<'_>, sum: &Sum, inside: &[(Section, Fill)]) -> Result<[u8; 4], Unreadable> {
    let mut data = input.search(sum.covers)?;
    // Zeros win over spaces.
    for wanted in [Fill::Space, Fill::Zero] {
        // No byte is filled twice, however many ranges there are: they come in the order in which they begin.
        let mut done = sum.covers.start;
        for (hidden, _) in inside.iter().filter(|(_, fill)| *fill == wanted) {
            let from = hidden.start.max(done).saturating_sub(sum.covers.start) as usize;
            let to = hidden.end.saturating_sub(sum.covers.start) as usize;
            if let Some(part) = data.get_mut(from..to) {
                wanted.fill(part);
            }
            done = done.max(hidden.end);
        }
    }
    Ok(crc(sum.kind, &data))
}

fn crc(kind: Kind, data: &[u8]) -> [u8; 4] {
    static PNG: [u32; 256] = table();
    let Kind::Png = kind;
    let add = |value: u32, byte: &u8| {
        PNG.get(usize::from(value as u8 ^ byte)).copied().unwrap_or_default() ^ value >> 8
    };
    (!data.iter().fold(u32::MAX, add)).to_be_bytes()
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut value = n as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { 0xedb8_8320 ^ value >> 1 } else { value >> 1 };
            bit += 1;
        }
        table[n] = value;
        n += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_specification() {
        assert_eq!(crc(Kind::Png, b"123456789"), 0xcbf4_3926_u32.to_be_bytes());
        // Of every PNG's end.
        assert_eq!(crc(Kind::Png, b"IEND"), [0xae, 0x42, 0x60, 0x82]);
    }

    #[test]
    fn a_checksum_is_that_of_what_is_shown() {
        let data = b"..secret and more!!SUM.abcSUM.".to_vec();
        let input = Input::new(&data);
        let part = |start, end| Section { start, end };
        let note = || {
            input.sum(Sum { covers: part(0, 19), place: part(19, 23), kind: Kind::Png });
            input.sum(Sum { covers: part(23, 26), place: part(26, 30), kind: Kind::Png });
        };
        note();
        let zeroed = |start, end| Finding::zeroed(part(start, end), What::Whole { block: "x" });
        let mut findings = vec![Finding::spaced(part(9, 13), What::Whole { block: "x" }), zeroed(2, 10)];
        find(&input, &mut findings).unwrap();
        assert_eq!(findings.len(), 3);
        assert_eq!((findings[2].start, findings[2].end), (19, 23));
        assert_eq!(findings[2].fill, Fill::Bytes(crc(Kind::Png, b"..\0\0\0\0\0\0\0\0   more!!")));
        // Where something reaches across there is none.
        note();
        let mut findings = vec![zeroed(12, 24)];
        find(&input, &mut findings).unwrap();
        assert_eq!(findings[1..].iter().map(|it| it.fill).collect::<Vec<_>>(), [Fill::Zero; 2]);
    }
}
