//! Landscapes, and JPEG files made of them.

use std::f32::consts::TAU;
use std::io::{self, Write};

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::canvas::{Canvas, Dice, Rgb, mix};
use super::exif::{self, Location};

const WIDTH: usize = 640;
const HEIGHT: usize = 480;
/// Good enough to look at; a file of some tens of kilobytes.
const QUALITY: u8 = 85;

/// Morning, noon, evening: the sky's colours above and at the horizon.
const SKIES: [(Rgb, Rgb); 3] =
    [([92, 132, 204], [252, 214, 190]), ([44, 112, 210], [188, 222, 246]), ([58, 44, 104], [246, 140, 84])];

/// Writes a picture with camera data.
pub(super) fn write(out: &mut dyn Write, seed: u32, location: Option<Location>) -> io::Result<()> {
    let mut canvas = landscape(WIDTH, HEIGHT, seed);
    canvas.text(22, HEIGHT - 46, 5, [20, 24, 28], &format!("MEDIAGATE SAMPLE {seed}"));
    canvas.text(20, HEIGHT - 48, 5, [250, 250, 250], &format!("MEDIAGATE SAMPLE {seed}"));
    let jpeg = encode(&canvas, QUALITY)?;
    let exif = exif::segment(seed, (WIDTH as u32, HEIGHT as u32), location.as_ref());

    // A camera's file has the Exif segment right behind the start marker (Exif 2.32, 4.5.4), where the encoder
    // puts a JFIF segment: that one is left out.
    let (start, rest) = jpeg.split_at(2);
    out.write_all(start)?;
    out.write_all(&exif)?;
    out.write_all(without_jfif(rest))
}

/// Encodes a picture as baseline JPEG with the usual chroma subsampling.
pub(super) fn encode(canvas: &Canvas, quality: u8) -> io::Result<Vec<u8>> {
    let side = |length: usize| u16::try_from(length).map_err(io::Error::other);
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder
        .encode(&canvas.rgb, side(canvas.width)?, side(canvas.height)?, ColorType::Rgb)
        .map_err(io::Error::other)?;
    Ok(jpeg)
}

fn without_jfif(segments: &[u8]) -> &[u8] {
    match segments {
        [0xFF, 0xE0, high, low, ..] => {
            let length = 2 + usize::from(u16::from_be_bytes([*high, *low]));
            segments.get(length..).unwrap_or(segments)
        }
        _ => segments,
    }
}

/// Sky, sun and three rows of hills.
pub(super) fn landscape(width: usize, height: usize, seed: u32) -> Canvas {
    let mut dice = Dice::new(seed);
    let (high, low) = SKIES[seed as usize % SKIES.len()];
    let mut canvas = Canvas::new(width, height, low);
    for y in 0..height {
        let colour = mix(high, low, (y as f32 / (height as f32 * 0.7)).min(1.0));
        canvas.rectangle(0, y, width, 1, colour);
    }
    let sun = (width as f32 * (0.2 + 0.6 * dice.share()), height as f32 * (0.15 + 0.2 * dice.share()));
    canvas.disc(sun.0 as usize, sun.1 as usize, height / 14, [255, 244, 200]);

    for row in 0..3 {
        let near = row as f32 / 2.0;
        let colour = mix(mix(low, [70, 90, 110], 0.6), [28, 62, 40], near);
        let (wave, bump) = (dice.share() * TAU, dice.share() * TAU);
        let base = 0.5 + 0.16 * near;
        for x in 0..width {
            let at = x as f32 / width as f32;
            // Far ridges are sharp, near ones are rolling.
            let ridge = ((at * 3.1 + wave) * TAU).sin().abs() * 0.12 * (1.0 - 0.6 * near);
            let roll = ((at * 1.3 + bump) * TAU).sin() * 0.05;
            let top = ((base - ridge + roll) * height as f32) as usize;
            canvas.rectangle(x, top, 1, height - top.min(height), colour);
        }
    }
    canvas
}
