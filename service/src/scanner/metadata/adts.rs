//! How long an AAC stream (ADTS, ISO 13818-7, 6.2) is: the one way to know is to count its frames.

use std::io::{Read, Seek, SeekFrom};

use super::bytes::be;
use super::input::{Input, Problem};

/// Samples in each of a frame's blocks.
const BLOCK: u64 = 1024;
const RATES: [u64; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// The duration in milliseconds. Of a stream that is too long to be read the rest is taken to be like its beginning.
pub(super) fn duration(input: &mut Input<'_>) -> Result<Option<u64>, Problem> {
    input.refill();
    let begin = tag_length(input)?;
    let mut at = begin;
    let (mut samples, mut rate) = (0_u64, 0);
    loop {
        input.seek(SeekFrom::Start(at))?;
        let mut head = [0; 7];
        if input.read_exact(&mut head).is_err() {
            break;
        }
        let [first, second, third, ..] = head;
        if first != 0xff || second & 0xf6 != 0xf0 {
            break;
        }
        rate = RATES.get(usize::from(third >> 2 & 15)).copied().unwrap_or(rate);
        let length = be(&head, 3, 4).unwrap_or(0) >> 13 & 0x1fff;
        if length < 7 || rate == 0 {
            break;
        }
        samples += BLOCK * (1 + u64::from(head[6] & 3));
        at += length;
    }
    let (read, all) = (at - begin, input.size().saturating_sub(begin));
    // Only the budget ends it early; a tag behind the last frame does not.
    if input.stopped.take().is_some() && read > 0 {
        samples = u64::try_from(u128::from(samples) * u128::from(all) / u128::from(read)).unwrap_or(samples);
    }
    Ok((samples * 1000).checked_div(rate).filter(|millis| *millis > 0))
}

/// The length of the ID3v2 tag that a stream may begin with.
fn tag_length(input: &mut Input<'_>) -> Result<u64, Problem> {
    input.seek(SeekFrom::Start(0))?;
    let head = input.array::<10>()?;
    if !head.starts_with(b"ID3") {
        return Ok(0);
    }
    let length = head.iter().skip(6).fold(0, |length, byte| length << 7 | u64::from(byte & 0x7f));
    Ok(10 + length)
}
