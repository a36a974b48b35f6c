//! A PNG of a phone's screen: few colours, so a palette, and deflate blocks that are stored as they are.

use std::io::{self, Write};

use super::canvas::{Canvas, Rgb};

const WIDTH: usize = 360;
const HEIGHT: usize = 640;

const BACK: Rgb = [242, 244, 248];
const BAR: Rgb = [34, 82, 148];
const INK: Rgb = [40, 44, 52];
const WHITE: Rgb = [255, 255, 255];
const LINE: Rgb = [200, 206, 216];
const LEFT: Rgb = [226, 232, 240];
const RIGHT: Rgb = [198, 230, 204];
const PALETTE: [Rgb; 7] = [BACK, BAR, INK, WHITE, LINE, LEFT, RIGHT];

/// Writes the picture.
pub(super) fn write_screenshot(out: &mut dyn Write) -> io::Result<()> {
    let screen = screen();
    let mut pixels = Vec::with_capacity((WIDTH + 1) * HEIGHT);
    for row in screen.rgb.chunks_exact(WIDTH * 3) {
        pixels.push(0); // no filter
        pixels.extend(row.chunks_exact(3).map(|rgb| {
            // Everything was painted with colours of the palette.
            PALETTE.iter().position(|it| it == rgb).unwrap_or_default() as u8
        }));
    }

    let mut header = Vec::new();
    header.extend((WIDTH as u32).to_be_bytes());
    header.extend((HEIGHT as u32).to_be_bytes());
    // Eight bits a pixel, palette, deflate, adaptive filters, not interlaced.
    header.extend([8, 3, 0, 0, 0]);

    out.write_all(b"\x89PNG\r\n\x1A\n")?;
    chunk(out, b"IHDR", &header)?;
    chunk(out, b"PLTE", PALETTE.as_flattened())?;
    chunk(out, b"tEXt", b"Software\0mediagate demo")?;
    chunk(out, b"IDAT", &stored(&pixels))?;
    chunk(out, b"IEND", &[])
}

/// A chat, as a messenger shows it.
fn screen() -> Canvas {
    let mut screen = Canvas::new(WIDTH, HEIGHT, BACK);
    screen.rectangle(0, 0, WIDTH, 24, INK);
    screen.text(12, 7, 2, WHITE, "09:41");
    screen.rectangle(0, 24, WIDTH, 56, BAR);
    screen.disc(36, 52, 18, WHITE);
    screen.text(70, 42, 4, WHITE, "MOUNTAIN CLUB");
    let bubbles = [
        (false, "GOOD MORNING"),
        (true, "ARE YOU UP THERE"),
        (false, "YES - SUN AT LAST"),
        (true, "SEND A PICTURE"),
    ];
    for (index, (own, words)) in bubbles.into_iter().enumerate() {
        let (x, y) = (if own { 76 } else { 16 }, 110 + index * 76);
        screen.rectangle(x, y, 268, 52, if own { RIGHT } else { LEFT });
        screen.text(x + 14, y + 18, 3, INK, words);
    }
    screen.rectangle(16, HEIGHT - 64, WIDTH - 32, 44, WHITE);
    screen.rectangle(16, HEIGHT - 64, WIDTH - 32, 1, LINE);
    screen.text(30, HEIGHT - 50, 3, LINE, "WRITE A MESSAGE");
    screen
}

fn chunk(out: &mut dyn Write, kind: &[u8; 4], data: &[u8]) -> io::Result<()> {
    out.write_all(&(data.len() as u32).to_be_bytes())?;
    out.write_all(kind)?;
    out.write_all(data)?;
    out.write_all(&crc32(&[kind, data]).to_be_bytes())
}

/// A zlib stream of stored blocks (RFC 1950, RFC 1951 section 3.2.4).
fn stored(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = data.chunks(0xFFFF).peekable();
    while let Some(block) = blocks.next() {
        stream.push(u8::from(blocks.peek().is_none()));
        let length = block.len() as u16;
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    stream.extend((b << 16 | a).to_be_bytes());
    stream
}

/// The CRC of PNG chunks (PNG, annex D).
pub(super) fn crc32(parts: &[&[u8]]) -> u32 {
    let mut crc = !0_u32;
    for byte in parts.iter().copied().flatten() {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}
