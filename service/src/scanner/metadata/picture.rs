//! JPEG, PNG, GIF and WebP: dimensions, and where EXIF and XMP are.

use super::bytes::{be16, be32, le};
use super::input::{Input, Problem};
use super::{Context, Found, exif, xmp};
use crate::catalog::SpecialFormat;

/// How many parts of a file are gone through; real ones have a few dozen, and a PNG a chunk for every 8 KiB.
const PARTS: usize = 65_536;

fn dimensions(found: &mut Found, width: u32, height: u32) {
    if width > 0 && height > 0 {
        (found.facts.width, found.facts.height) = (Some(width), Some(height));
    }
}

/// JPEG (ITU T.81 annex B): marker segments up to the first scan.
pub(super) fn jpeg(input: &mut Input<'_>, context: &Context<'_>, found: &mut Found) -> Result<(), Problem> {
    input.go(2);
    for _ in 0..PARTS {
        let mut marker = input.array::<2>()?;
        if marker[0] != 0xff {
            return Err(Problem::Malformed("no marker where one should be"));
        }
        // Any number of fill bytes may stand before the code.
        while marker[1] == 0xff {
            marker[1] = input.array::<1>()?[0];
        }
        match marker[1] {
            0xd8 | 0x01 | 0xd0..=0xd7 => continue,
            0xd9 | 0xda => return Ok(()),
            _ => {}
        }
        let length = u64::from(u16::from_be_bytes(input.array()?));
        let length =
            length.checked_sub(2).ok_or(Problem::Malformed("a segment is shorter than its length"))?;
        let next = input.at() + length;
        match marker[1] {
            // Start of frame, which DHT, JPG and DAC are not.
            0xc0..=0xcf if !matches!(marker[1], 0xc4 | 0xc8 | 0xcc) => {
                let frame = input.array::<5>()?;
                let side = |at| be16(&frame, at).map_or(0, u32::from);
                dimensions(found, side(3), side(1));
            }
            0xe1 => {
                let segment = input.bytes(length, usize::from(u16::MAX))?;
                if let Some(tiff) = segment.strip_prefix(b"Exif\0\0") {
                    exif::read(tiff, context.modified_ms, found);
                } else if let Some(packet) = segment.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
                    xmp::read(packet, found);
                }
            }
            _ => {}
        }
        input.go(next);
    }
    Ok(())
}

/// PNG (third edition): chunks up to the end.
pub(super) fn png(input: &mut Input<'_>, context: &Context<'_>, found: &mut Found) -> Result<(), Problem> {
    input.go(8);
    for _ in 0..PARTS {
        let head = input.array::<8>()?;
        let length = u64::from(be32(&head, 0).unwrap_or(0));
        let next = input.at().saturating_add(length).saturating_add(4);
        match head.get(4..) {
            Some(b"IHDR") => {
                let sides = input.array::<8>()?;
                dimensions(found, be32(&sides, 0).unwrap_or(0), be32(&sides, 4).unwrap_or(0));
            }
            Some(b"eXIf") => {
                exif::read(&input.bytes(length, exif::LONGEST)?, context.modified_ms, found);
            }
            Some(b"iTXt") => {
                let prefix = b"XML:com.adobe.xmp\0";
                // A packet may be compressed by the standard; XMP's specification says that it is not (part 3, 1.1.5).
                let chunk = input.bytes(length.min(xmp::LONGEST as u64 + 64), xmp::LONGEST + 64)?;
                if let Some([0, 0, rest @ ..]) = chunk.strip_prefix(prefix) {
                    let mut parts = rest.splitn(3, |byte| *byte == 0);
                    xmp::read(parts.nth(2).unwrap_or_default(), found);
                }
            }
            Some(b"IEND") => return Ok(()),
            _ => {}
        }
        input.go(next);
    }
    Ok(())
}

/// GIF (89a): the screen, and XMP if it stands before the first picture (XMP part 3, 1.1.2).
pub(super) fn gif(input: &mut Input<'_>, found: &mut Found) -> Result<(), Problem> {
    found.facts.image.get_or_insert_default().special_format = Some(SpecialFormat::Gif);
    input.go(6);
    let screen = input.array::<7>()?;
    let side = |at| le(&screen, at, 2).and_then(|side| u32::try_from(side).ok()).unwrap_or(0);
    dimensions(found, side(0), side(2));
    if screen[4] & 0x80 != 0 {
        input.go(input.at() + (3 << ((screen[4] & 7) + 1)));
    }
    for _ in 0..PARTS {
        if input.array::<1>()?[0] != 0x21 {
            return Ok(());
        }
        let [label, length] = input.array::<2>()?;
        let head = input.bytes(length.into(), 255)?;
        if label == 0xff && head == b"XMP DataXMP" {
            // The packet is not cut into blocks; a run of 258 bytes behind it makes old readers find the end.
            let length = input.size().saturating_sub(input.at()).min(xmp::LONGEST as u64);
            let rest = input.bytes(length, xmp::LONGEST)?;
            let end = rest.windows(2).position(|two| two == [1, 0xff]).unwrap_or(rest.len());
            xmp::read(rest.get(..end).unwrap_or_default(), found);
            return Ok(());
        }
        loop {
            match input.array::<1>()?[0] {
                0 => break,
                length => input.go(input.at() + u64::from(length)),
            }
        }
    }
    Ok(())
}

/// WebP (RFC 9649): chunks of a RIFF file.
pub(super) fn webp(input: &mut Input<'_>, context: &Context<'_>, found: &mut Found) -> Result<(), Problem> {
    input.go(12);
    let mut extended = false;
    for _ in 0..PARTS {
        if input.at() >= input.size() {
            break;
        }
        let head = input.array::<8>()?;
        let length = le(&head, 4, 4).unwrap_or(0);
        let next = input.at() + length + length % 2;
        match head.get(..4) {
            Some(b"VP8X") => {
                let chunk = input.array::<10>()?;
                let side = |at| le(&chunk, at, 3).and_then(|side| u32::try_from(side + 1).ok()).unwrap_or(0);
                dimensions(found, side(4), side(7));
                extended = true;
                if chunk[0] & 2 != 0 {
                    found.facts.image.get_or_insert_default().special_format =
                        Some(SpecialFormat::AnimatedWebp);
                }
            }
            Some(b"VP8 ") if !extended => {
                // RFC 6386, 9.1: three bytes of tag, three of start code, two sides of 14 bits.
                let chunk = input.array::<10>()?;
                let side = |at| le(&chunk, at, 2).map_or(0, |side| side & 0x3fff);
                dimensions(found, u32::try_from(side(6)).unwrap_or(0), u32::try_from(side(8)).unwrap_or(0));
                return Ok(());
            }
            Some(b"VP8L") if !extended => {
                let chunk = input.array::<5>()?;
                let bits = le(&chunk, 1, 4).and_then(|bits| u32::try_from(bits).ok()).unwrap_or(0);
                dimensions(found, (bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1);
                return Ok(());
            }
            Some(b"EXIF") => exif::read(&input.bytes(length, exif::LONGEST)?, context.modified_ms, found),
            Some(b"XMP ") => {
                xmp::read(&input.bytes(length.min(xmp::LONGEST as u64), xmp::LONGEST)?, found);
            }
            _ => {}
        }
        input.go(next);
    }
    Ok(())
}
