//! A FLAC file (RFC 9639): lossless frames that hold the samples as they are, and comments with title and artist.
//!
//! Subframes are "verbatim", or "constant" where nothing sounds; prediction would make the file smaller, not more
//! real. Every field that is written ends on a byte boundary.

use std::io::{self, Write};

use super::melody;

const RATE: u32 = 44_100;
const BLOCK: usize = 4096;

/// Writes the song.
pub(super) fn write(out: &mut dyn Write) -> io::Result<()> {
    let samples = melody::samples(RATE, 0);
    out.write_all(b"fLaC")?;
    metadata(out, 0, false, &stream_info(samples.len() as u64))?;
    metadata(
        out,
        4,
        true,
        &comments(&["TITLE=Five Tones", "ARTIST=Mediagate Demo Band", "ALBUM=Samples", "TRACKNUMBER=1"]),
    )?;
    for (number, block) in samples.chunks(BLOCK).enumerate() {
        out.write_all(&frame(number as u32, block))?;
    }
    Ok(())
}

fn metadata(out: &mut dyn Write, kind: u8, last: bool, body: &[u8]) -> io::Result<()> {
    // One bit "last", seven bits of type, 24 bits of length.
    let head = u32::from(last) << 31 | u32::from(kind) << 24 | body.len() as u32;
    out.write_all(&head.to_be_bytes())?;
    out.write_all(body)
}

/// Block sizes, frame sizes (0: not known), rate, channels, bits, number of samples, checksum (0: not known).
fn stream_info(samples: u64) -> Vec<u8> {
    let mut info = Vec::new();
    info.extend([(BLOCK as u16).to_be_bytes(); 2].concat());
    info.extend([0; 6]);
    // 20 bits of rate, 3 of channels - 1, 5 of bits a sample - 1, 36 of length.
    info.extend((u64::from(RATE) << 44 | 15 << 36 | samples).to_be_bytes());
    info.extend([0; 16]);
    info
}

fn comments(fields: &[&str]) -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
    let mut body = text("mediagate demo");
    body.extend((fields.len() as u32).to_le_bytes());
    fields.iter().for_each(|field| body.extend(text(field)));
    body
}

fn frame(number: u32, block: &[i16]) -> Vec<u8> {
    // Fixed block size; the size (4096, or written out for the last block); 44.1 kHz; one channel; 16 bits.
    let short = block.len() != BLOCK;
    let mut frame = vec![0xFF, 0xF8, if short { 0x79 } else { 0xC9 }, 0x08];
    frame.extend(coded(number));
    if short {
        frame.extend((block.len() as u16 - 1).to_be_bytes());
    }
    frame.push(crc8(&frame));
    match block {
        [first, rest @ ..] if rest.iter().all(|sample| sample == first) => {
            frame.push(0);
            frame.extend(first.to_be_bytes());
        }
        _ => {
            frame.push(1 << 1);
            frame.extend(block.iter().flat_map(|sample| sample.to_be_bytes()));
        }
    }
    frame.extend(crc16(&frame).to_be_bytes());
    frame
}

/// A frame number, coded as UTF-8 codes a character (RFC 9639, section 9.1.5); up to 16 bits.
fn coded(number: u32) -> Vec<u8> {
    let tail = |shift: u32| 0x80 | (number >> shift & 0x3F) as u8;
    match number {
        0..0x80 => vec![number as u8],
        0x80..0x800 => vec![0xC0 | (number >> 6) as u8, tail(0)],
        _ => vec![0xE0 | (number >> 12 & 0xF) as u8, tail(6), tail(0)],
    }
}

/// CRC-8 of a frame header: polynomial 0x07.
pub(super) fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc & 0x80 != 0 { crc << 1 ^ 0x07 } else { crc << 1 })
    })
}

/// CRC-16 of a frame: polynomial 0x8005.
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(
            crc ^ u16::from(*byte) << 8,
            |crc, _| if crc & 0x8000 != 0 { crc << 1 ^ 0x8005 } else { crc << 1 },
        )
    })
}
