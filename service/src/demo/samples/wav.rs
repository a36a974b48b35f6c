//! A WAV file: one channel of 16-bit PCM.

use std::io::{self, Write};

use super::melody;

const RATE: u32 = 16_000;

/// Writes the recording.
pub(super) fn write(out: &mut dyn Write) -> io::Result<()> {
    let samples = melody::samples(RATE, -12);
    let data = samples.len() as u32 * 2;
    out.write_all(b"RIFF")?;
    out.write_all(&(data + 36).to_le_bytes())?;
    out.write_all(b"WAVEfmt ")?;
    out.write_all(&16_u32.to_le_bytes())?;
    // PCM, one channel; then bytes a second, bytes a sample, bits a sample.
    out.write_all(&[1, 0, 1, 0])?;
    out.write_all(&RATE.to_le_bytes())?;
    out.write_all(&(RATE * 2).to_le_bytes())?;
    out.write_all(&[2, 0, 16, 0])?;
    out.write_all(b"data")?;
    out.write_all(&data.to_le_bytes())?;
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    out.write_all(&bytes)
}
