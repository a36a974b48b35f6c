//! A Motion-JPEG video in an MP4 file (ISO/IEC 14496-12, 14496-14), written from the front in one go.
//!
//! The frames are a short loop of pictures, encoded once; each copy carries its number in a JPEG comment, so no
//! two frames of a file are equal. The index comes before the data, as every length is known beforehand; a `free`
//! box at the end makes the file exactly as long as it was asked to be.

use std::io::{self, Write};

use super::canvas::{Canvas, Dice};
use super::photo;

const FRAMES_PER_SECOND: u32 = 30;
/// Time units of one frame; the time scale is this often the frame rate.
const FRAME_TIME: u32 = 1000;
/// Frames of the loop.
const LOOP: usize = 12;
/// From this size on the picture is large and grainy, which takes more than 300 KiB a frame.
const LARGE: u64 = 32 << 20;
/// Marker, length and eight digits.
const COMMENT: usize = 12;

/// Size of the largest video: its offsets are 32 bits wide.
pub const fn largest_video() -> u64 {
    u32::MAX as u64
}

/// Writes a file of exactly `bytes` bytes.
pub(super) fn write(out: &mut dyn Write, bytes: u64) -> io::Result<()> {
    let (width, height, grain, quality) =
        if bytes >= LARGE { (1280, 720, 40.0, 90) } else { (640, 360, 6.0, 80) };
    let pictures = pictures(width, height, grain, quality)?;
    let file = Layout::plan(&pictures, bytes)?;

    out.write_all(&ftyp())?;
    out.write_all(&moov(width as u16, height as u16, &file.lengths, file.first_frame))?;
    out.write_all(&(file.data + 8).to_be_bytes())?;
    out.write_all(b"mdat")?;
    for (number, picture) in (0..file.lengths.len()).zip(pictures.iter().cycle()) {
        let (start, rest) = picture.split_at(2);
        out.write_all(start)?;
        out.write_all(&[0xFF, 0xFE, 0, 10])?;
        write!(out, "{number:08}")?;
        out.write_all(rest)?;
    }
    if file.padding > 0 {
        out.write_all(&file.padding.to_be_bytes())?;
        out.write_all(b"free")?;
        io::copy(&mut io::Read::take(io::repeat(0), u64::from(file.padding) - 8), out)?;
    }
    Ok(())
}

/// Where everything goes.
pub(super) struct Layout {
    /// Length of each frame.
    lengths: Vec<u32>,
    /// Offset of the first frame.
    pub(super) first_frame: u32,
    /// Length of all frames.
    pub(super) data: u32,
    /// Length of the `free` box; 0 for none.
    pub(super) padding: u32,
}

impl Layout {
    pub(super) fn plan(pictures: &[Vec<u8>], bytes: u64) -> io::Result<Layout> {
        let refuse = |why: String| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        let Ok(bytes) = u32::try_from(bytes) else {
            return refuse(format!("a sample video has at most {} bytes, not {bytes}", largest_video()));
        };
        // A frame costs its bytes and two numbers in the index.
        let cost = |frame: u32| frame + 8;
        let fixed = (ftyp().len() + moov(0, 0, &[], 0).len() + 8) as u32;
        let mut left = i64::from(bytes) - i64::from(fixed);
        let mut lengths = Vec::new();
        for picture in pictures.iter().cycle() {
            let frame = (picture.len() + COMMENT) as u32;
            let after = left - i64::from(cost(frame));
            // What is left over must be nothing or large enough for a box.
            if after < 0 || (1..8).contains(&after) {
                break;
            }
            left = after;
            lengths.push(frame);
        }
        if lengths.is_empty() {
            return refuse(format!(
                "a sample video of {bytes} bytes has no room for one frame; ask for 1 MiB"
            ));
        }
        let first_frame = fixed + 8 * lengths.len() as u32;
        Ok(Layout { data: lengths.iter().sum(), first_frame, padding: left as u32, lengths })
    }
}

/// The loop: a ball that crosses a landscape.
fn pictures(width: usize, height: usize, grain: f32, quality: u8) -> io::Result<Vec<Vec<u8>>> {
    let scene = photo::landscape(width, height, 4);
    (0..LOOP)
        .map(|index| {
            let mut picture = scene.clone();
            let x = (2 * index + 1) * width / (2 * LOOP);
            picture.disc(x, height * 3 / 4, height / 12, [214, 60, 48]);
            picture.text(width / 32, height / 24, height / 120, [255, 255, 255], "MEDIAGATE SAMPLE VIDEO");
            add_grain(&mut picture, grain, index as u32);
            photo::encode(&picture, quality)
        })
        .collect()
}

/// Noise makes frames as large as those of a camera.
fn add_grain(picture: &mut Canvas, strength: f32, seed: u32) {
    let mut dice = Dice::new(1000 + seed);
    for pixel in picture.rgb.chunks_exact_mut(3) {
        let grain = (dice.share() - 0.5) * strength;
        for channel in pixel {
            *channel = (f32::from(*channel) + grain) as u8;
        }
    }
}

/// A box: length, name, content.
fn boxed(name: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut bytes = (content.len() as u32 + 8).to_be_bytes().to_vec();
    bytes.extend(name);
    bytes.extend(content);
    bytes
}

/// Numbers of 32 bits, one after the other.
fn words(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn ftyp() -> Vec<u8> {
    boxed(b"ftyp", &[b"isom", &words(&[0x200]), b"isomiso2mp41"])
}

/// The index: one video track of frames that follow each other, each its own chunk.
fn moov(width: u16, height: u16, lengths: &[u32], first_frame: u32) -> Vec<u8> {
    let count = lengths.len() as u32;
    let scale = FRAMES_PER_SECOND * FRAME_TIME;
    let duration = count.saturating_mul(FRAME_TIME);
    // 1.0 and the identity matrix, in the fixed-point formats of the standard.
    let matrix = words(&[0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]);

    let mvhd = boxed(
        b"mvhd",
        &[
            &words(&[0, 0, 0, scale, duration, 0x1_0000, 0x0100_0000, 0, 0]),
            &matrix,
            &words(&[0, 0, 0, 0, 0, 0, 2]),
        ],
    );
    let tkhd = boxed(
        b"tkhd",
        &[
            // Enabled and part of the presentation; track 1.
            &words(&[3, 0, 0, 1, 0, duration, 0, 0, 0, 0]),
            &matrix,
            &words(&[u32::from(width) << 16, u32::from(height) << 16]),
        ],
    );
    // Language `und`, three letters of five bits.
    let mdhd = boxed(b"mdhd", &[&words(&[0, 0, 0, scale, duration, 0x55C4_0000])]);
    let hdlr = boxed(b"hdlr", &[&words(&[0, 0]), b"vide", &words(&[0, 0, 0]), b"Video\0"]);
    let vmhd = boxed(b"vmhd", &[&words(&[1, 0, 0])]);
    // The data is in this file (flag 1).
    let dref = boxed(b"dref", &[&words(&[0, 1]), &boxed(b"url ", &[&words(&[1])])]);

    let mut offset = first_frame;
    let mut offsets = vec![0, count];
    for length in lengths {
        offsets.push(offset);
        offset = offset.wrapping_add(*length);
    }
    let stbl = boxed(
        b"stbl",
        &[
            &boxed(b"stsd", &[&words(&[0, 1]), &sample_entry(width, height)]),
            &boxed(b"stts", &[&words(&[0, 1, count, FRAME_TIME])]),
            &boxed(b"stsc", &[&words(&[0, 1, 1, 1, 1])]),
            &boxed(b"stsz", &[&words(&[0, 0, count]), &words(lengths)]),
            &boxed(b"stco", &[&words(&offsets)]),
        ],
    );
    let minf = boxed(b"minf", &[&vmhd, &boxed(b"dinf", &[&dref]), &stbl]);
    let mdia = boxed(b"mdia", &[&mdhd, &hdlr, &minf]);
    boxed(b"moov", &[&mvhd, &boxed(b"trak", &[&tkhd, &mdia])])
}

/// `mp4v` whose elementary stream descriptor says JPEG.
fn sample_entry(width: u16, height: u16) -> Vec<u8> {
    // Object type 0x6C is JPEG, stream type 4 is visual (ISO/IEC 14496-1, tables 5 and 6); no decoder set-up.
    let decoder = [[4, 13, 0x6C, 4 << 2 | 1].as_slice(), &[0; 11]].concat();
    let synchronisation = [6, 1, 2];
    let stream = [[3, 3 + 15 + 3, 0, 1, 0].as_slice(), &decoder, &synchronisation].concat();
    boxed(
        b"mp4v",
        &[
            &words(&[0, 1, 0, 0, 0, 0]),
            &width.to_be_bytes(),
            &height.to_be_bytes(),
            // 72 dots per inch, one frame per sample.
            &words(&[0x48_0000, 0x48_0000, 0]),
            &1_u16.to_be_bytes(),
            &[0; 32],
            &[0, 24, 0xFF, 0xFF],
            &boxed(b"esds", &[&words(&[0]), &stream]),
        ],
    )
}
