//! EXIF: a TIFF structure of which a few tags are looked at.
//!
//! Own code, as the libraries at hand build a list of all entries: a hundred kilobytes of directories that lie in each
//! other make millions of them. Here each of the three directories is gone through once, and nothing is kept but what is
//! asked for. (EXIF 2.32, CIPA DC-008.)

use super::bytes::{be, le, text};
use super::{Found, time};
use crate::catalog::MediaFacts;

/// The most of a file's EXIF that is looked at.
pub(super) const LONGEST: usize = 1 << 20;
/// Longest value that is asked for.
const LONGEST_VALUE: usize = 2048;

struct Tiff<'a> {
    bytes: &'a [u8],
    little: bool,
}

/// The entries of one directory.
#[derive(Clone, Copy)]
struct Directory<'a> {
    tiff: &'a Tiff<'a>,
    at: usize,
    entries: usize,
}

struct Value<'a> {
    tiff: &'a Tiff<'a>,
    kind: u16,
    bytes: &'a [u8],
}

impl<'a> Tiff<'a> {
    fn new(bytes: &'a [u8]) -> Option<Tiff<'a>> {
        let little = match bytes.get(..4)? {
            b"II\x2a\0" => true,
            b"MM\0\x2a" => false,
            _ => return None,
        };
        Some(Tiff { bytes, little })
    }

    fn number(&self, at: usize, length: usize) -> Option<usize> {
        let number = if self.little { le(self.bytes, at, length) } else { be(self.bytes, at, length) };
        number.and_then(|number| usize::try_from(number).ok())
    }

    fn directory(&'a self, at: usize) -> Option<Directory<'a>> {
        Some(Directory { tiff: self, at: at.checked_add(2)?, entries: self.number(at, 2)? })
    }

    fn first(&'a self) -> Option<Directory<'a>> {
        self.directory(self.number(4, 4)?)
    }
}

impl<'a> Directory<'a> {
    fn get(self, tag: u16) -> Option<Value<'a>> {
        let tiff = self.tiff;
        let mut at = self.at;
        for _ in 0..self.entries {
            if tiff.number(at, 2)? == usize::from(tag) {
                let kind = u16::try_from(tiff.number(at + 2, 2)?).ok()?;
                let unit = match kind {
                    1 | 2 | 6 | 7 => 1,
                    3 | 8 => 2,
                    4 | 9 | 11 => 4,
                    5 | 10 | 12 => 8,
                    _ => return None,
                };
                let length = tiff.number(at + 4, 4)?.checked_mul(unit)?;
                let start = if length <= 4 { at + 8 } else { tiff.number(at + 8, 4)? };
                let end = start.checked_add(length.min(LONGEST_VALUE))?;
                return Some(Value { tiff, kind, bytes: tiff.bytes.get(start..end)? });
            }
            at = at.checked_add(12)?;
        }
        None
    }

    fn below(self, tag: u16) -> Option<Directory<'a>> {
        self.tiff.directory(self.get(tag)?.unsigned()?.try_into().ok()?)
    }
}

impl Value<'_> {
    fn part(&self, index: usize, length: usize) -> Option<u64> {
        let at = index.checked_mul(length)?;
        if self.tiff.little { le(self.bytes, at, length) } else { be(self.bytes, at, length) }
    }

    fn unsigned(&self) -> Option<u64> {
        match self.kind {
            1 => self.part(0, 1),
            3 => self.part(0, 2),
            4 => self.part(0, 4),
            _ => None,
        }
    }

    fn text(&self) -> Option<String> {
        if self.kind == 2 { text(self.bytes) } else { None }
    }

    fn rational(&self, index: usize) -> Option<(u64, u64)> {
        if self.kind != 5 {
            return None;
        }
        let (over, under) = (self.part(index.checked_mul(2)?, 4)?, self.part(index * 2 + 1, 4)?);
        (under != 0).then_some((over, under))
    }

    #[expect(clippy::cast_precision_loss, reason = "both are of 32 bits")]
    fn real(&self, index: usize) -> Option<f64> {
        self.rational(index).map(|(over, under)| over as f64 / under as f64)
    }

    fn ascii_byte(&self) -> Option<u8> {
        self.bytes.first().copied()
    }
}

/// The facts in EXIF. `modified_ms` is when the file was, for dates without a zone.
pub(super) fn read(bytes: &[u8], modified_ms: Option<i64>, found: &mut Found) {
    // Some writers keep JPEG's introduction elsewhere too.
    let bytes = bytes.strip_prefix(b"Exif\0\0").unwrap_or(bytes);
    let Some(tiff) = Tiff::new(bytes) else { return };
    let Some(first) = tiff.first() else { return };
    let detail = first.below(0x8769);
    let gps = first.below(0x8825);
    let facts = &mut found.facts;
    facts.orientation = first.get(0x0112).and_then(|it| it.unsigned()).and_then(degrees);
    facts.taken_ms = taken(detail, gps, modified_ms);
    let description = first.get(0x010e).and_then(|it| it.text());
    pictures(facts, detail, description);
    found.location = gps.and_then(location);
}

fn pictures(facts: &mut MediaFacts, detail: Option<Directory<'_>>, description: Option<String>) {
    let get = |tag| detail.and_then(|detail| detail.get(tag));
    let image = facts.image.get_or_insert_default();
    image.description = description;
    image.exposure_time = get(0x829a).and_then(|it| it.rational(0)).and_then(fraction);
    image.f_number = get(0x829d).and_then(|it| it.rational(0)).and_then(decimal);
    image.iso = get(0x8827)
        .and_then(|it| it.unsigned())
        .and_then(|iso| u32::try_from(iso).ok())
        .filter(|iso| *iso > 0);
    image.scene_capture_type =
        get(0xa406).and_then(|it| it.unsigned()).and_then(|scene| u16::try_from(scene).ok());
}

/// Where a picture was made: latitude and longitude in degrees.
fn location(gps: Directory<'_>) -> Option<(f64, f64)> {
    let angle = |tag| {
        let value: Value<'_> = gps.get(tag)?;
        Some(value.real(0)? + value.real(1).unwrap_or(0.0) / 60.0 + value.real(2).unwrap_or(0.0) / 3600.0)
    };
    let sign = |tag, negative| {
        let letter = gps.get(tag).and_then(|it| it.ascii_byte());
        if letter.is_some_and(|letter| letter.eq_ignore_ascii_case(&negative)) { -1.0 } else { 1.0 }
    };
    let (latitude, longitude) = (angle(2)? * sign(1, b'S'), angle(4)? * sign(3, b'W'));
    (latitude.abs() <= 90.0 && longitude.abs() <= 180.0).then_some((latitude, longitude))
}

/// MediaProvider's order: the camera's clock with its zone; else by GPS's, which is UTC; else by the file's modification
/// time; else unknown. A picture without the camera's clock was made when GPS says.
fn taken(detail: Option<Directory<'_>>, gps: Option<Directory<'_>>, modified_ms: Option<i64>) -> Option<i64> {
    let get = |tag| detail.and_then(|detail| detail.get(tag)).and_then(|it| it.text());
    let by_gps = gps.and_then(gps_time);
    let Some(local) = get(0x9003).and_then(|date| time::exif(&date)) else { return by_gps };
    let local = local + i64::from(get(0x9291).map_or(0, |part| time::exif_subsec(&part)));
    if let Some(offset) = get(0x9011).and_then(|offset| time::exif_offset(&offset)) {
        return Some(local - offset);
    }
    let witnessed = by_gps.and_then(|witness| time::by_witness(local, witness));
    witnessed.or_else(|| time::by_witness(local, modified_ms?))
}

fn gps_time(gps: Directory<'_>) -> Option<i64> {
    let date = gps.get(0x1d)?.text()?;
    let mut parts = date.split([':', '-']).map(|part| part.parse().ok());
    let date = [parts.next()??, parts.next()??, parts.next()??];
    let clock = gps.get(7)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast saturates, and `civil` checks"
    )]
    let part = |index| clock.real(index).map(|part| part as u32);
    time::civil(date, [part(0)?, part(1)?, part(2)?], 0)
}

/// The display rotation of EXIF's orientations, mirrored ones as MediaProvider takes them.
fn degrees(orientation: u64) -> Option<u16> {
    match orientation {
        1 | 2 => Some(0),
        3 | 4 => Some(180),
        5 | 6 => Some(90),
        7 | 8 => Some(270),
        _ => None,
    }
}

/// An exposure time as people write it: `1/60`, `2`, `0.4`.
fn fraction((over, under): (u64, u64)) -> Option<String> {
    let common = divisor(over, under);
    match (over / common, under / common) {
        (0, _) => None,
        (over, 1) => Some(over.to_string()),
        (1, under) => Some(format!("1/{under}")),
        (over, under) if over * 4 <= under => Some(format!("1/{}", (under + over / 2) / over)),
        (over, under) => decimal((over, under)),
    }
}

/// A number with as many places as it needs, but four at most.
#[expect(clippy::cast_precision_loss, reason = "both are of 32 bits")]
fn decimal((over, under): (u64, u64)) -> Option<String> {
    if over == 0 {
        return None;
    }
    let text = format!("{:.4}", over as f64 / under as f64);
    Some(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

fn divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(fraction((10, 600)).as_deref(), Some("1/60"));
        assert_eq!(fraction((4, 2)).as_deref(), Some("2"));
        assert_eq!(fraction((2, 5)).as_deref(), Some("0.4"));
        assert_eq!(fraction((3, 100)).as_deref(), Some("1/33"));
        assert_eq!(fraction((0, 5)), None);
        assert_eq!(decimal((18, 10)).as_deref(), Some("1.8"));
        assert_eq!(decimal((8, 1)).as_deref(), Some("8"));
    }

    #[test]
    fn directories_that_lie_in_each_other_cost_nothing() {
        let mut bytes = vec![0xff; LONGEST];
        bytes[..8].copy_from_slice(b"MM\0\x2a\0\0\0\x08");
        let begin = std::time::Instant::now();
        let mut found = Found::default();
        read(&bytes, None, &mut found);
        assert!(begin.elapsed().as_secs() < 1);
        assert_eq!(found.facts.taken_ms, None);
    }
}
