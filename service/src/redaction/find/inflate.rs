//! Decompression of zlib streams (RFC 1950, 1951), to look at compressed text. Slow and small: such text is.
//!
//! The checksum is not compared: what can be read is looked at.

use super::input::{Input, Unreadable};

/// Code lengths are at most this long.
const LONGEST_CODE: usize = 15;
/// In which order the lengths of code lengths come.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// What a block counts for besides what comes of it, so that empty ones come to an end as well: taking in its code costs as
/// much. zlib's have some ten thousand bytes each.
const BLOCK: u64 = 1024;

/// Why something does not decompress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// It is damaged, or of another kind.
    Damaged,
    /// It is, or costs, more than allowed.
    TooMuch,
}

/// What `data` decompresses to, if that is at most `most` bytes and the budget allows it.
///
/// # Errors
///
/// When there is no time left.
pub(super) fn inflate(
    input: &Input<'_>,
    data: &[u8],
    most: u64,
) -> Result<Result<Vec<u8>, Failed>, Unreadable> {
    let (out, spent) = limited(data, most.min(input.inflatable()));
    input.inflated(spent)?;
    Ok(out)
}

/// The same, and what it cost.
fn limited(data: &[u8], most: u64) -> (Result<Vec<u8>, Failed>, u64) {
    let mut out = Out { bytes: Vec::new(), spent: 0, most };
    let done = stream(data, &mut out);
    let failed = if out.spent > most { Failed::TooMuch } else { Failed::Damaged };
    (done.map(|()| out.bytes).ok_or(failed), out.spent)
}

fn stream(data: &[u8], out: &mut Out) -> Option<()> {
    let (&[method, flags], body) = data.split_first_chunk()?;
    if method & 15 != 8 || flags & 32 != 0 || u16::from_be_bytes([method, flags]) % 31 != 0 {
        return None;
    }
    let mut bits = Bits { data: body, at: 0 };
    loop {
        out.spend(BLOCK)?;
        let last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => stored(&mut bits, out)?,
            1 => {
                let lengths: Vec<u8> = (0..288).map(fixed_length).collect();
                compressed(&mut bits, &Code::new(&lengths), &Code::new(&[5; 30]), out)?;
            }
            2 => {
                let (literals, distances) = codes(&mut bits)?;
                compressed(&mut bits, &literals, &distances, out)?;
            }
            _ => return None,
        }
        if last {
            return Some(());
        }
    }
}

/// What was decompressed so far.
struct Out {
    bytes: Vec<u8>,
    spent: u64,
    most: u64,
}

impl Out {
    /// Nothing when that is too much.
    fn spend(&mut self, bytes: u64) -> Option<()> {
        self.spent += bytes;
        (self.spent <= self.most).then_some(())
    }
}

struct Bits<'a> {
    data: &'a [u8],
    /// In bits.
    at: usize,
}

impl Bits<'_> {
    /// The next bits, first one lowest.
    fn take(&mut self, count: u32) -> Option<usize> {
        let mut value = 0;
        for n in 0..count {
            let byte = self.data.get(self.at / 8)?;
            value |= usize::from(byte >> (self.at % 8) & 1) << n;
            self.at += 1;
        }
        Some(value)
    }
}

/// A canonical Huffman code: how many codes have each length, and the symbols in their order.
struct Code {
    counts: [usize; LONGEST_CODE + 1],
    symbols: Vec<usize>,
}

impl Code {
    fn new(lengths: &[u8]) -> Code {
        let mut counts = [0; LONGEST_CODE + 1];
        let mut used: Vec<(u8, usize)> = Vec::new();
        for (symbol, length) in lengths.iter().enumerate().filter(|(_, length)| **length != 0) {
            if let Some(count) = counts.get_mut(usize::from(*length)) {
                *count += 1;
            }
            used.push((*length, symbol));
        }
        used.sort_unstable();
        Code { counts, symbols: used.into_iter().map(|(_, symbol)| symbol).collect() }
    }

    fn read(&self, bits: &mut Bits<'_>) -> Option<usize> {
        let (mut code, mut first, mut index) = (0, 0, 0);
        for count in self.counts.iter().skip(1) {
            code |= bits.take(1)?;
            if code < first + count {
                return self.symbols.get(index + code.checked_sub(first)?).copied();
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}

fn fixed_length(symbol: usize) -> u8 {
    match symbol {
        0..=143 | 280..=287 => 8,
        144..=255 => 9,
        _ => 7,
    }
}

fn codes(bits: &mut Bits<'_>) -> Option<(Code, Code)> {
    let literals = bits.take(5)? + 257;
    let distances = bits.take(5)? + 1;
    let mut lengths = [0; 19];
    for place in ORDER.iter().take(bits.take(4)? + 4) {
        *lengths.get_mut(*place)? = bits.take(3)? as u8;
    }
    let code = Code::new(&lengths);
    let mut lengths: Vec<u8> = Vec::new();
    while lengths.len() < literals + distances {
        let (length, times) = match code.read(bits)? {
            16 => (*lengths.last()?, 3 + bits.take(2)?),
            17 => (0, 3 + bits.take(3)?),
            18 => (0, 11 + bits.take(7)?),
            length => (length as u8, 1),
        };
        lengths.extend(std::iter::repeat_n(length, times));
    }
    Some((Code::new(lengths.get(..literals)?), Code::new(lengths.get(literals..)?)))
}

fn stored(bits: &mut Bits<'_>, out: &mut Out) -> Option<()> {
    let at = bits.at.div_ceil(8);
    let length = usize::from(u16::from_le_bytes(*bits.data.get(at..)?.first_chunk()?));
    out.spend(length as u64)?;
    out.bytes.extend(bits.data.get(at + 4..at + 4 + length)?);
    bits.at = (at + 4 + length) * 8;
    Some(())
}

fn compressed(bits: &mut Bits<'_>, literals: &Code, distances: &Code, out: &mut Out) -> Option<()> {
    loop {
        let symbol = match literals.read(bits)? {
            256 => return Some(()),
            literal @ 0..=255 => {
                out.spend(1)?;
                out.bytes.push(literal as u8);
                continue;
            }
            symbol => symbol - 257,
        };
        let length = match symbol {
            0..=7 => symbol + 3,
            28 => 258,
            29.. => return None,
            _ => {
                let extra = symbol as u32 / 4 - 1;
                ((4 + symbol % 4) << extra) + 3 + bits.take(extra)?
            }
        };
        let symbol = distances.read(bits)?;
        let distance = match symbol {
            0..=3 => symbol + 1,
            30.. => return None,
            _ => {
                let extra = symbol as u32 / 2 - 1;
                ((2 + symbol % 2) << extra) + 1 + bits.take(extra)?
            }
        };
        let from = out.bytes.len().checked_sub(distance)?;
        out.spend(length as u64)?;
        for at in from..from + length {
            out.bytes.push(*out.bytes.get(at)?);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digit).collect()
    }

    #[test]
    fn the_three_kinds_of_blocks() {
        // Each made by zlib: level 0, Z_FIXED, default.
        for (stream, text) in STREAMS {
            let (out, spent) = limited(&hex(stream), 1 << 20);
            assert_eq!(out.unwrap(), text.repeat(20).as_bytes());
            assert_eq!(spent, BLOCK + 20 * text.len() as u64);
        }
    }

    #[test]
    fn no_more_than_allowed() {
        assert_eq!(limited(&hex(STREAMS[1].0), BLOCK + 20).0, Err(Failed::TooMuch));
        // Blocks of nothing: ten bits each.
        let empty = [&[0x78, 1][..], &[0xff; 1 << 16]].concat();
        assert_eq!(limited(&empty, 1 << 20).0, Err(Failed::Damaged));
        let empty = [&[0x78, 1][..], &[0x02, 0x08, 0x20, 0x80, 0x00].repeat(1 << 16)].concat();
        assert_eq!(limited(&empty, 1 << 20), (Err(Failed::TooMuch), (1 << 20) + BLOCK));
    }

    #[test]
    fn all_of_a_file_has_one_budget() {
        let nothing = Vec::new();
        let input = Input::new(&nothing);
        let stream = hex(STREAMS[1].0);
        let all = input.inflatable();
        assert!(inflate(&input, &stream, 1 << 20).unwrap().is_ok());
        assert_eq!(all - input.inflatable(), BLOCK + 20 * 25);
        input.other(&nothing, |other| other.inflated(other.inflatable())).unwrap();
        assert_eq!(inflate(&input, &stream, 1 << 20).unwrap(), Err(Failed::TooMuch));
    }

    proptest! {
        #[test]
        fn damaged_streams_end(data in prop::collection::vec(any::<u8>(), 0..300), n in 0usize..3, at in 0usize..400) {
            let mut stream = hex(STREAMS[n].0);
            let at = 2 + at % (stream.len() - 2);
            let length = data.len().min(stream.len() - at);
            stream[at..at + length].copy_from_slice(&data[..length]);
            let (out, _) = limited(&stream, 1 << 16);
            prop_assert!(out.is_err() || out.is_ok_and(|out| out.len() <= 1 << 16));
        }
    }

    const STREAMS: [(&str, &str); 3] = [
        (
            "78010164009bff47505331324750533132475053313247505331324750533132475053313247505331324750533132475053313247505331324750533132475053313247505331324750533132475053313247505331324750533132475053313247505331324750533132282d1a05",
            "GPS12",
        ),
        (
            "78014badc84cb3720f08f6492cc92c294d49b535d431d231f6b356481d9518ae12000e8d9d81",
            "exif:GPSLatitude=1,2,3N; ",
        ),
        (
            "78daedccb111c0200cc5d055182186c03efab639f69f208c91c28d2add6398c28f4177c31fe60b3985830737a2e7610df4b4e9fd68bf23363227db9187a5eed8d616b12c0731b72b29b9e4924b2eb9e4dfcb1f56454e1f",
            "a31bdch1aa2c1ac0a54aae5bacaacdaaacba2eha63ab0 5c2hbf43dfab1cae hbcd1ebdaa 6fbad61e3ad5fcbe",
        ),
    ];
}
