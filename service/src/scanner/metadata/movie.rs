//! MP4, MOV, 3GP and M4A (ISO 14496-12, QuickTime file format): what `moov` says.

use super::boxes::{Part, full, versioned};
use super::bytes::{be, be16, be32, four};
use super::input::{Input, Problem};
use super::{Found, codec, ilst, time, xmp};
use crate::catalog::{AudioFacts, VideoFacts};

/// Longest box that is read as a whole.
const LONGEST: usize = 64 << 10;
/// Longest table of sample times that is read: a camera's film has a few entries, or one for each frame.
const LONGEST_TABLE: usize = 2 << 20;
/// Adobe's XMP in a box of its own (XMP part 3, 1.2.7.1).
const XMP_BOX: [u8; 16] =
    [0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac];

/// A track, as far as it is known.
#[derive(Default)]
struct Track {
    handler: [u8; 4],
    width: Option<u32>,
    height: Option<u32>,
    rotation: Option<u16>,
    timescale: u64,
    codec: Option<&'static str>,
    colors: Option<(Option<u8>, Option<u8>, Option<u8>)>,
    frame_rate_milli: Option<u32>,
    sample_rate: Option<u32>,
    bits: Option<u8>,
    lossless: bool,
}

/// The facts of a film, or of sound in the same container.
pub(super) fn read(input: &mut Input<'_>, found: &mut Found) -> Result<(), Problem> {
    let mut seen = false;
    Part::whole(input).children(input, |input, part| {
        match &part.kind {
            b"moov" => {
                seen = true;
                movie(input, part, found)?;
            }
            b"uuid" if part.head(input, 16)? == XMP_BOX => {
                let packet = part.after(16);
                xmp::read(&packet.head(input, xmp::LONGEST)?, found);
            }
            // From here on pieces of a film follow, thousands of them.
            b"moof" => return Ok(!seen),
            _ => {}
        }
        Ok(true)
    })?;
    if seen { Ok(()) } else { Err(Problem::Malformed("a film without a table of contents")) }
}

fn movie(input: &mut Input<'_>, moov: Part, found: &mut Found) -> Result<(), Problem> {
    let mut tracks: Vec<Track> = Vec::new();
    let mut timescale = 0;
    let mut duration = 0;
    let outcome = moov.children(input, |input, part| {
        match &part.kind {
            b"mvhd" => {
                let bytes = part.read(input, LONGEST)?;
                if let Some((created, scale, length)) = header(&bytes) {
                    found.facts.taken_ms = time::since_1904(created);
                    (timescale, duration) = (scale, length);
                }
            }
            b"mvex" => part.children(input, |input, part| {
                if part.kind == *b"mehd"
                    && let Some((version, rest)) = full(&part.head(input, 16)?)
                    && let Some((length, _)) = versioned(rest, 0, version)
                    && duration == 0
                {
                    duration = length;
                }
                Ok(true)
            })?,
            b"trak" => {
                let mut known = Track::default();
                track(input, part, &mut known)?;
                tracks.push(known);
            }
            b"udta" => ilst::user_data(input, part, found)?,
            b"meta" => ilst::meta(input, part, found)?,
            _ => {}
        }
        Ok(tracks.len() < 64)
    });
    if timescale > 0 && duration > 0 && duration < u64::MAX / 1000 {
        found.facts.duration_ms = Some((duration * 1000 + timescale / 2) / timescale);
    }
    if let Some(video) = tracks.iter().find(|track| track.handler == *b"vide" && track.codec.is_some()) {
        (found.facts.width, found.facts.height) = (video.width, video.height);
        found.facts.orientation = video.rotation;
        let (color_standard, color_transfer, color_range) = video.colors.unwrap_or_default();
        found.facts.video = Some(Box::new(VideoFacts {
            codec: video.codec.map(str::to_owned),
            frame_rate_milli: video.frame_rate_milli,
            color_standard,
            color_transfer,
            color_range,
        }));
    }
    if let Some(sound) = tracks.iter().find(|track| track.handler == *b"soun") {
        let audio: &mut AudioFacts = found.facts.audio.get_or_insert_default();
        audio.sample_rate = sound.sample_rate;
        audio.bits_per_sample = sound.bits.filter(|_| sound.lossless);
    }
    outcome
}

/// Creation time, time scale and duration of `mvhd` or `mdhd`.
fn header(bytes: &[u8]) -> Option<(u64, u64, u64)> {
    let (version, rest) = full(bytes)?;
    let (created, at) = versioned(rest, 0, version)?;
    let (_, at) = versioned(rest, at, version)?;
    let timescale = be(rest, at, 4)?;
    let (duration, end) = versioned(rest, at + 4, version)?;
    // All ones say that it is not known.
    let unknown = u64::MAX >> (64 - (end - at - 4) * 8);
    Some((created, timescale, if duration == unknown { 0 } else { duration }))
}

fn track(input: &mut Input<'_>, part: Part, known: &mut Track) -> Result<(), Problem> {
    part.children(input, |input, part| {
        match &part.kind {
            b"tkhd" => known.rotation = rotation(&part.read(input, LONGEST)?),
            b"mdia" => track(input, part, known)?,
            b"minf" if is_played(known.handler) => track(input, part, known)?,
            b"stbl" => track(input, part, known)?,
            b"mdhd" => {
                if let Some((_, timescale, _)) = header(&part.read(input, LONGEST)?) {
                    known.timescale = timescale;
                }
            }
            b"hdlr" => {
                if let Some(handler) = four(&part.head(input, 16)?, 8).filter(|handler| is_played(*handler)) {
                    known.handler = handler;
                }
            }
            b"stsd" => part.after(8).children(input, |input, entry| {
                sample_entry(input, entry, known)?;
                // The first one is the one that counts.
                Ok(false)
            })?,
            b"stts" if known.handler == *b"vide" && part.length() <= LONGEST_TABLE as u64 => {
                known.frame_rate_milli = frame_rate(&part.read(input, LONGEST_TABLE)?, known.timescale);
            }
            _ => {}
        }
        Ok(true)
    })
}

fn is_played(handler: [u8; 4]) -> bool {
    matches!(&handler, b"vide" | b"soun")
}

/// Clockwise, of the matrix that a track is shown with.
fn rotation(tkhd: &[u8]) -> Option<u16> {
    let (version, rest) = full(tkhd)?;
    let at = if version == 0 { 36 } else { 48 };
    let value = |index: usize| be32(rest, at + index * 4).map(u32::cast_signed);
    match (value(0)?.signum(), value(1)?.signum(), value(3)?.signum(), value(4)?.signum()) {
        (1, 0, 0, 1) => Some(0),
        (0, 1, -1, 0) => Some(90),
        (-1, 0, 0, -1) => Some(180),
        (0, -1, 1, 0) => Some(270),
        _ => None,
    }
}

/// Frames in a thousand seconds: how many there are, by how long they last.
fn frame_rate(stts: &[u8], timescale: u64) -> Option<u32> {
    let (_, rest) = full(stts)?;
    let count = usize::try_from(be(rest, 0, 4)?).ok()?;
    let entries = rest.get(4..)?.chunks_exact(8).take(count);
    let (frames, time) = entries.fold((0_u64, 0_u64), |(frames, time), entry| {
        let (many, each) = (be(entry, 0, 4).unwrap_or(0), be(entry, 4, 4).unwrap_or(0));
        (frames.saturating_add(many), time.saturating_add(many.saturating_mul(each)))
    });
    let rate = u128::from(frames) * u128::from(timescale) * 1000;
    let time = u128::from(time);
    let rate = (rate + time / 2).checked_div(time)?;
    u32::try_from(rate).ok().filter(|rate| *rate > 0)
}

fn sample_entry(input: &mut Input<'_>, entry: Part, known: &mut Track) -> Result<(), Problem> {
    if known.handler == *b"soun" {
        let head = entry.head(input, 28)?;
        let version = be16(&head, 8).unwrap_or(0);
        // Of the second version of QuickTime's the rate stands elsewhere, as a floating point number.
        known.sample_rate = if version == 2 {
            let bytes = entry.head(input, 40)?;
            be(&bytes, 32, 8).map(f64::from_bits).and_then(super::matroska::hertz)
        } else {
            be16(&head, 24).map(u32::from).filter(|rate| *rate > 0)
        };
        known.bits = be16(&head, 18).and_then(|bits| u8::try_from(bits).ok()).filter(|bits| *bits > 0);
        known.lossless =
            matches!(&entry.kind, b"alac" | b"fLaC" | b"sowt" | b"twos" | b"ipcm" | b"lpcm" | b"in24");
        return Ok(());
    }
    let head = entry.head(input, 78)?;
    let side = |at| be16(&head, at).map(u32::from).filter(|side| *side > 0);
    (known.width, known.height) = (side(24), side(26));
    known.codec = codec::of_sample_entry(entry.kind);
    entry.after(78).children(input, |input, part| {
        match &part.kind {
            b"colr" => {
                let bytes = part.head(input, 16)?;
                let kind = four(&bytes, 0);
                if matches!(kind.as_ref(), Some(b"nclx" | b"nclc")) {
                    let number = |at| be(&bytes, at, 2).unwrap_or(2);
                    // QuickTime's form has no range, and its films the limited one.
                    let full = Some(bytes.get(10).is_some_and(|byte| byte & 0x80 != 0));
                    known.colors = Some((
                        codec::standard(number(4), number(8)),
                        codec::transfer(number(6)),
                        full.map(codec::range),
                    ));
                }
            }
            b"vpcC" if known.colors.is_none() => {
                // VP codec ISO media file format binding, 1.0: profile, level, then depth, subsampling and range.
                if let Some((_, rest)) = full(&part.head(input, 16)?) {
                    let number = |at| be(rest, at, 1).unwrap_or(2);
                    let full = number(2) & 1 != 0;
                    known.colors = Some((
                        codec::standard(number(3), number(5)),
                        codec::transfer(number(4)),
                        Some(codec::range(full)),
                    ));
                }
            }
            b"esds" => {
                if let Some(codec) = object_type(&part.head(input, 64)?).and_then(codec::of_object_type) {
                    known.codec = Some(codec);
                }
            }
            _ => {}
        }
        Ok(true)
    })
}

/// The object type of the decoder in `esds`: two descriptors deep (ISO 14496-1, 7.2.6).
fn object_type(esds: &[u8]) -> Option<u8> {
    let (_, rest) = full(esds)?;
    // Lengths are written in up to four bytes, of seven bits each.
    let open = |bytes: &'_ [u8], tag: u8, at: usize| -> Option<usize> {
        (bytes.get(at) == Some(&tag)).then_some(())?;
        let length = bytes.get(at + 1..)?.iter().take(3).take_while(|byte| **byte & 0x80 != 0).count();
        Some(at + 2 + length)
    };
    let at = open(rest, 3, 0)?;
    let flags = *rest.get(at + 2)?;
    let optional = usize::from(flags >> 7) * 2 + usize::from(flags >> 5 & 1) * 2;
    let at = open(rest, 4, at + 3 + optional)?;
    rest.get(at).copied()
}
