//! TIFF structures: byte order, IFDs, entries, places of values. What tags mean is [`exif`](super::exif)'s business.

use super::input::{Input, Section, Unreadable};

/// Most IFDs that one entry may point to. Raw files have a handful of previews.
const MOST_OFFSETS: u64 = 256;

/// A TIFF structure. All offsets count from its first byte.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiff {
    section: Section,
    big_endian: bool,
    /// BigTIFF: 64-bit offsets and counts.
    wide: bool,
}

/// An entry of an IFD.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Its tag.
    pub(super) tag: u16,
    kind: u16,
    /// How many values.
    pub(super) count: u64,
    /// Where its value, or the value's offset, lies in the file.
    field: Section,
    /// What is written there.
    written: [u8; 8],
}

impl Tiff {
    /// The structure that begins with `section`, and the offset of its first IFD; `None` if it is no TIFF.
    pub(super) fn open(input: &Input<'_>, section: Section) -> Result<Option<(Tiff, u64)>, Unreadable> {
        let Some(place) = section.part(0, 8) else { return Ok(None) };
        let Ok(header) = <[u8; 8]>::try_from(input.read(place)?) else { return Ok(None) };
        // Besides TIFF: Olympus (RO, RS), Panasonic (U) and JPEG XR (0xbc) put their own magic there, in the same structure.
        let (big_endian, wide) = match header {
            [b'I', b'I', 42 | 0x55 | 0xbc, ..] | [b'I', b'I', b'R', b'O' | b'S', ..] => (false, false),
            [b'M', b'M', 0, 42, ..] | [b'M', b'M', b'O' | b'S', b'R', ..] => (true, false),
            [b'I', b'I', 43, 0, 8, 0, ..] => (false, true),
            [b'M', b'M', 0, 43, 0, 8, ..] => (true, true),
            _ => return Ok(None),
        };
        let tiff = Tiff { section, big_endian, wide };
        let (at, length) = if wide { (8, 8) } else { (4, 4) };
        let first = match section.part(at, length) {
            Some(place) => tiff.number(&input.read(place)?),
            None => 0,
        };
        Ok(Some((tiff, first)))
    }

    /// All of it.
    pub(super) fn section(&self) -> Section {
        self.section
    }

    /// The same, read in another order of bytes.
    pub(super) fn in_order(self, big_endian: bool) -> Tiff {
        Tiff { big_endian, wide: false, ..self }
    }

    /// The same, with offsets that count from the beginning of `section`.
    pub(super) fn at(self, section: Section) -> Tiff {
        Tiff { section, ..self }
    }

    /// The entries of the IFD at `at`, as many as there are if it is cut off, and the offset of the one behind it.
    pub(super) fn ifd(&self, input: &Input<'_>, at: u64) -> Result<(Vec<Entry>, u64), Unreadable> {
        let (count_length, entry_length, offset_length) = if self.wide { (8, 20, 8) } else { (2, 12, 4) };
        input.step()?;
        let Some(place) = self.section.part(at, count_length) else { return Ok((Vec::new(), 0)) };
        let count = self.number(&input.read(place)?);
        let begin = at.saturating_add(count_length);
        let there = self.section.len().saturating_sub(begin);
        let length = count.saturating_mul(entry_length).min(there - there % entry_length);
        let Some(place) = self.section.part(begin, length) else { return Ok((Vec::new(), 0)) };
        let data = input.read(place)?;
        let entries = data
            .chunks_exact(entry_length as usize)
            .zip((place.start..).step_by(entry_length as usize))
            .map(|(entry, at)| self.entry(entry, at))
            .collect();
        let next = match self.section.part(begin.saturating_add(length), offset_length) {
            Some(place) => self.number(&input.read(place)?),
            None => 0,
        };
        Ok((entries, next))
    }

    fn entry(&self, data: &[u8], at: u64) -> Entry {
        let number = |from: usize, to: usize| self.number(data.get(from..to).unwrap_or_default());
        let begin = if self.wide { 12 } else { 8 };
        let field = data.get(begin..).unwrap_or_default();
        let mut written = [0; 8];
        for (to, from) in written.iter_mut().zip(field) {
            *to = *from;
        }
        Entry {
            tag: number(0, 2) as u16,
            kind: number(2, 4) as u16,
            count: number(4, begin),
            field: Section { start: at + begin as u64, end: at + data.len() as u64 },
            written,
        }
    }

    /// Where the value of an entry lies in the file: in the entry if it fits, else where that points. Of a value that reaches
    /// beyond the structure the part that is there; `None` if nothing is.
    pub(super) fn value(&self, entry: &Entry) -> Option<Section> {
        let length = entry.count.saturating_mul(size_of(entry.kind));
        if length <= entry.field.len() {
            return Some(entry.field);
        }
        let at = self.number(entry.written.get(..entry.field.len() as usize)?);
        let place = self.section.part(at, length.min(self.section.len().saturating_sub(at)))?;
        (!place.is_empty()).then_some(place)
    }

    /// The number in an entry that has one and holds it itself.
    pub(super) fn inline(&self, entry: &Entry) -> Option<u64> {
        let length = size_of(entry.kind);
        (length <= entry.field.len())
            .then(|| self.number(entry.written.get(..length as usize).unwrap_or_default()))
    }

    /// The offsets that an entry holds or points to.
    pub(super) fn offsets(&self, input: &Input<'_>, entry: &Entry) -> Result<Vec<u64>, Unreadable> {
        let each = size_of(entry.kind);
        if each == 1 {
            // No number, but some readers take it for one whatever its type is.
            return Ok(entry
                .written
                .get(..entry.field.len() as usize)
                .map(|field| self.number(field))
                .into_iter()
                .collect());
        }
        if entry.count.saturating_mul(each) <= entry.field.len() {
            let chunks = entry.written.chunks_exact(each as usize).take(entry.count as usize);
            return Ok(chunks.map(|offset| self.number(offset)).collect());
        }
        let Some(place) = self.value(entry) else { return Ok(Vec::new()) };
        let Some(place) = place.part(0, place.len().min(MOST_OFFSETS * each)) else { return Ok(Vec::new()) };
        Ok(input.read(place)?.chunks_exact(each as usize).map(|offset| self.number(offset)).collect())
    }

    /// The number that these bytes are.
    pub(super) fn number(&self, bytes: &[u8]) -> u64 {
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if self.big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    }
}

/// Bytes of one value. Of a type that is not known a byte: readers pass such tags over.
fn size_of(kind: u16) -> u64 {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => 1,
    }
}
