//! Matroska and WebM (RFC 8794, RFC 9559): what `Info`, `Tracks` and `Tags` say.
//!
//! Own code, as the libraries at hand reserve as much memory as a file says it needs, and an allocation that fails ends
//! the process.

use super::bytes::{be, clean, text};
use super::input::{Input, Problem};
use super::{Found, codec, number_and_total, time, year};
use crate::catalog::VideoFacts;

/// How many elements of one level are gone through.
const MOST: usize = 4096;
/// Longest value that is read.
const LONGEST: usize = 16 << 10;

/// An element: its number and where its contents are.
#[derive(Clone, Copy)]
struct Element {
    id: u32,
    start: u64,
    end: u64,
}

/// Numbers of elements that lead further (RFC 9559, 5.1).
mod id {
    pub(super) const SEGMENT: u32 = 0x1853_8067;
    pub(super) const SEEK_HEAD: u32 = 0x114d_9b74;
    pub(super) const SEEK: u32 = 0x4dbb;
    pub(super) const INFO: u32 = 0x1549_a966;
    pub(super) const TRACKS: u32 = 0x1654_ae6b;
    pub(super) const TRACK: u32 = 0xae;
    pub(super) const CLUSTER: u32 = 0x1f43_b675;
    pub(super) const TAGS: u32 = 0x1254_c367;
    pub(super) const TAG: u32 = 0x7373;
    pub(super) const SIMPLE_TAG: u32 = 0x67c8;
}

#[derive(Default)]
struct Track {
    kind: u64,
    codec: String,
    frame_nanos: u64,
    width: Option<u32>,
    height: Option<u32>,
    rotation: Option<u16>,
    matrix: u64,
    primaries: u64,
    transfer: u64,
    range: u64,
    sample_rate: Option<u32>,
    bits: Option<u8>,
}

/// A variable-length number of at most eight bytes, and whether all its bits are ones ("unknown").
fn vint(input: &mut Input<'_>, keep_marker: bool) -> Result<(u64, bool), Problem> {
    let first = input.array::<1>()?[0];
    let more = first.leading_zeros();
    if more > 7 {
        return Err(Problem::Malformed("a number that is too long"));
    }
    let mut value = u64::from(first);
    if !keep_marker {
        value &= 0x7f >> more;
    }
    for _ in 0..more {
        value = value << 8 | u64::from(input.array::<1>()?[0]);
    }
    let ones = (1_u64 << (7 * (more + 1))) - 1;
    Ok((value, value == ones))
}

/// The element at `at` in what ends at `end`.
fn element(input: &mut Input<'_>, at: u64, end: u64) -> Result<Element, Problem> {
    input.go(at);
    let (id, _) = vint(input, true)?;
    let (size, unknown) = vint(input, false)?;
    let start = input.at();
    let stop = if unknown { end } else { start.saturating_add(size).min(end) };
    let id = u32::try_from(id).map_err(|_| Problem::Malformed("an element's number is too long"))?;
    Ok(Element { id, start, end: stop.max(start) })
}

fn children(
    input: &mut Input<'_>,
    of: Element,
    mut each: impl FnMut(&mut Input<'_>, Element) -> Result<bool, Problem>,
) -> Result<(), Problem> {
    let mut at = of.start;
    for _ in 0..MOST {
        if at >= of.end {
            return Ok(());
        }
        let child = element(input, at, of.end)?;
        if !each(input, child)? {
            return Ok(());
        }
        at = child.end;
    }
    Ok(())
}

impl Element {
    fn bytes(self, input: &mut Input<'_>) -> Result<Vec<u8>, Problem> {
        input.go(self.start);
        input.bytes((self.end - self.start).min(LONGEST as u64), LONGEST)
    }

    fn unsigned(self, input: &mut Input<'_>) -> Result<u64, Problem> {
        let bytes = self.bytes(input)?;
        Ok(be(&bytes, 0, bytes.len().min(8)).unwrap_or(0))
    }

    fn real(self, input: &mut Input<'_>) -> Result<f64, Problem> {
        let bytes = self.bytes(input)?;
        Ok(match (bytes.len(), be(&bytes, 0, bytes.len().min(8)).unwrap_or(0)) {
            (4, bits) => u32::try_from(bits).map_or(0.0, |bits| f64::from(f32::from_bits(bits))),
            (8, bits) => f64::from_bits(bits),
            _ => 0.0,
        })
    }

    fn text(self, input: &mut Input<'_>) -> Result<Option<String>, Problem> {
        Ok(text(&self.bytes(input)?))
    }
}

/// The facts of a film, or of sound in the same container.
pub(super) fn read(input: &mut Input<'_>, found: &mut Found) -> Result<(), Problem> {
    let size = input.size();
    let head = element(input, 0, size)?;
    let segment = element(input, head.end, size)?;
    if segment.id != id::SEGMENT {
        return Err(Problem::Malformed("no segment where one should be"));
    }
    let mut seen = Vec::new();
    let mut elsewhere = Vec::new();
    children(input, segment, |input, child| {
        match child.id {
            id::SEEK_HEAD => seek_head(input, child, segment.start, &mut elsewhere)?,
            id::CLUSTER => return Ok(false),
            _ => {
                seen.push(child.id);
                top(input, child, found)?;
            }
        }
        Ok(true)
    })?;
    // What stands behind the pictures and the sound.
    for (id, at) in elsewhere {
        if !seen.contains(&id) && at < segment.end {
            seen.push(id);
            let child = element(input, at, segment.end)?;
            if child.id == id {
                top(input, child, found)?;
            }
        }
    }
    Ok(())
}

fn seek_head(
    input: &mut Input<'_>,
    part: Element,
    base: u64,
    elsewhere: &mut Vec<(u32, u64)>,
) -> Result<(), Problem> {
    children(input, part, |input, seek| {
        if seek.id == id::SEEK {
            let (mut what, mut at) = (0, None);
            children(input, seek, |input, part| {
                match part.id {
                    0x53ab => what = u32::try_from(part.unsigned(input)?).unwrap_or(0),
                    0x53ac => at = base.checked_add(part.unsigned(input)?),
                    _ => {}
                }
                Ok(true)
            })?;
            elsewhere
                .extend(at.filter(|_| matches!(what, id::INFO | id::TRACKS | id::TAGS)).map(|at| (what, at)));
        }
        Ok(elsewhere.len() < 16)
    })
}

fn top(input: &mut Input<'_>, part: Element, found: &mut Found) -> Result<(), Problem> {
    match part.id {
        id::INFO => info(input, part, found),
        id::TRACKS => {
            let mut tracks = Vec::new();
            let outcome = children(input, part, |input, child| {
                if child.id == id::TRACK {
                    let mut known = Track { matrix: 2, primaries: 2, transfer: 2, ..Track::default() };
                    track(input, child, &mut known)?;
                    tracks.push(known);
                }
                Ok(tracks.len() < 64)
            });
            of_tracks(&tracks, found);
            outcome
        }
        id::TAGS => children(input, part, |input, child| {
            if child.id == id::TAG {
                tags(input, child, found)?;
            }
            Ok(true)
        }),
        _ => Ok(()),
    }
}

fn info(input: &mut Input<'_>, part: Element, found: &mut Found) -> Result<(), Problem> {
    let (mut scale, mut duration) = (1_000_000, 0.0);
    children(input, part, |input, child| {
        match child.id {
            0x2a_d7b1 => scale = child.unsigned(input)?,
            0x4489 => duration = child.real(input)?,
            0x4461 => found.facts.taken_ms = time::since_2001(child.unsigned(input)?.cast_signed()),
            0x7ba9 => found.facts.title = child.text(input)?,
            _ => {}
        }
        Ok(true)
    })?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "a time scale is a small number; else the duration makes no sense"
    )]
    let millis = duration * scale as f64 / 1e6;
    found.facts.duration_ms = whole(millis, 1e15);
    Ok(())
}

/// A positive number below `most`, rounded.
fn whole(number: f64, most: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in the range")]
    (number.is_finite() && number >= 0.5 && number < most).then(|| number.round() as u64)
}

/// A sample rate that is one.
pub(super) fn hertz(rate: f64) -> Option<u32> {
    whole(rate, 1e9).and_then(|rate| u32::try_from(rate).ok())
}

fn track(input: &mut Input<'_>, part: Element, known: &mut Track) -> Result<(), Problem> {
    children(input, part, |input, child| {
        let side = |number: u64| u32::try_from(number).ok().filter(|side| *side > 0);
        match child.id {
            0x83 => known.kind = child.unsigned(input)?,
            0x86 => known.codec = child.text(input)?.unwrap_or_default(),
            0x23_e383 => known.frame_nanos = child.unsigned(input)?,
            // Video, Audio, Colour, Projection: none of their elements is another's.
            0xe0 | 0xe1 | 0x55b0 | 0x7670 => track(input, child, known)?,
            0xb0 => known.width = side(child.unsigned(input)?),
            0xba => known.height = side(child.unsigned(input)?),
            0xb5 => known.sample_rate = hertz(child.real(input)?),
            0x6264 => known.bits = u8::try_from(child.unsigned(input)?).ok().filter(|bits| *bits > 0),
            0x55b1 => known.matrix = child.unsigned(input)?,
            0x55b9 => known.range = child.unsigned(input)?,
            0x55ba => known.transfer = child.unsigned(input)?,
            0x55bb => known.primaries = child.unsigned(input)?,
            // A roll of the projection, against the clock.
            0x7675 => {
                let roll = child.real(input)?;
                known.rotation = [(0.0, 0), (-90.0, 90), (180.0, 180), (-180.0, 180), (90.0, 270)]
                    .into_iter()
                    .find_map(|(at, degrees)| ((roll - at).abs() < 0.5).then_some(degrees));
            }
            _ => {}
        }
        Ok(true)
    })
}

fn of_tracks(tracks: &[Track], found: &mut Found) {
    if let Some(video) = tracks.iter().find(|track| track.kind == 1) {
        (found.facts.width, found.facts.height) = (video.width, video.height);
        found.facts.orientation = video.rotation.or(Some(0));
        let rate = 1_000_000_000_000_u64.checked_div(video.frame_nanos);
        found.facts.video = Some(Box::new(VideoFacts {
            codec: codec::of_matroska(&video.codec).map(str::to_owned),
            frame_rate_milli: rate.and_then(|rate| u32::try_from(rate).ok()).filter(|rate| *rate > 0),
            color_standard: codec::standard(video.primaries, video.matrix),
            color_transfer: codec::transfer(video.transfer),
            color_range: matches!(video.range, 1 | 2).then(|| codec::range(video.range == 2)),
        }));
    }
    if let Some(sound) = tracks.iter().find(|track| track.kind == 2) {
        let audio = found.facts.audio.get_or_insert_default();
        audio.sample_rate = sound.sample_rate;
        let lossless =
            sound.codec.starts_with("A_PCM") || matches!(sound.codec.as_str(), "A_FLAC" | "A_ALAC");
        audio.bits_per_sample = sound.bits.filter(|_| lossless);
    }
}

/// A tag of the whole file: those of single tracks and chapters are left out.
fn tags(input: &mut Input<'_>, part: Element, found: &mut Found) -> Result<(), Problem> {
    let mut of_a_part = false;
    children(input, part, |input, child| {
        if child.id == 0x63c0 {
            children(input, child, |input, target| {
                of_a_part |=
                    matches!(target.id, 0x63c5 | 0x63c9 | 0x63c4 | 0x63c6) && target.unsigned(input)? != 0;
                Ok(true)
            })?;
        } else if child.id == id::SIMPLE_TAG && !of_a_part {
            let (mut name, mut value) = (None, None);
            children(input, child, |input, part| {
                match part.id {
                    0x45a3 => name = part.text(input)?,
                    0x4487 => value = part.text(input)?,
                    _ => {}
                }
                Ok(true)
            })?;
            if let (Some(name), Some(value)) = (name, value) {
                tag(&name, &value, found);
            }
        }
        Ok(true)
    })
}

fn tag(name: &str, value: &str, found: &mut Found) {
    let known = found.facts.audio.get_or_insert_default();
    match name.to_ascii_uppercase().as_str() {
        "TITLE" if found.facts.title.is_none() => found.facts.title = clean(value),
        "ARTIST" => known.artist = clean(value),
        "ALBUM" => known.album = clean(value),
        "ALBUM_ARTIST" => known.album_artist = clean(value),
        "COMPOSER" => known.composer = clean(value),
        "GENRE" => known.genre = clean(value),
        "PART_NUMBER" | "TRACK" => (known.track, known.tracks) = number_and_total(value),
        "DATE_RELEASED" | "DATE_RECORDED" | "DATE" => known.year = known.year.or_else(|| year(value)),
        _ => {}
    }
}
