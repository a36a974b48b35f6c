//! Where the samples of a track are: `stsz`/`stz2`, `stsc`, `stco`/`co64` (ISO 14496-12 §8.7).

use super::super::finding::{Finding, What};
use super::super::input::{Input, Section, Unreadable};
use super::boxes::{be32, be64};
use super::words;

/// Most samples of a track that is looked into: a day of 190 a second.
const MOST: u64 = 1 << 24;
/// Read at once of a table.
const PAGE: u64 = 16 << 10;

/// A table of equal entries, read page by page.
#[derive(Clone, Copy, Debug)]
struct Table {
    entries: Section,
    size: u64,
    count: u64,
}

impl Table {
    /// The table behind its 32-bit count at `offset` in `body`; never more entries than there are bytes for.
    fn new(input: &Input<'_>, body: Section, offset: u64, size: u64) -> Result<Table, Unreadable> {
        let claimed = input.array::<4>(body.start.saturating_add(offset))?.map_or(0, u32::from_be_bytes);
        let entries = words::behind(body, offset.saturating_add(4));
        Ok(Table { entries, size, count: u64::from(claimed).min(entries.len() / size) })
    }

    fn reader<'a, 'b>(self, input: &'a Input<'b>) -> Reader<'a, 'b> {
        Reader { input, table: self, next: 0, page: Vec::new(), at: 0 }
    }
}

struct Reader<'a, 'b> {
    input: &'a Input<'b>,
    table: Table,
    next: u64,
    page: Vec<u8>,
    at: usize,
}

impl Reader<'_, '_> {
    fn entry(&mut self) -> Result<Option<&[u8]>, Unreadable> {
        if self.next >= self.table.count {
            return Ok(None);
        }
        let size = self.table.size as usize;
        if self.at + size > self.page.len() {
            self.input.step()?;
            let page = PAGE / self.table.size * self.table.size;
            let rest = words::behind(self.table.entries, self.next.saturating_mul(self.table.size));
            self.page =
                self.input.read(Section { end: rest.end.min(rest.start.saturating_add(page)), ..rest })?;
            self.at = 0;
        }
        self.next += 1;
        self.at += size;
        Ok(self.page.get(self.at - size..self.at))
    }
}

/// Sizes of samples.
#[derive(Clone, Copy, Debug)]
enum Sizes {
    Same { size: u64, count: u64 },
    Each { table: Table, bits: u32, count: u64 },
}

/// The tables of a track, as far as they were seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chunks {
    sizes: Option<Sizes>,
    per_chunk: Option<Table>,
    offsets: Option<Table>,
}

impl Chunks {
    /// Takes in one of the tables.
    pub(super) fn table(
        &mut self,
        input: &Input<'_>,
        kind: [u8; 4],
        body: Section,
    ) -> Result<(), Unreadable> {
        match &kind {
            b"stsz" => {
                let same = input.array::<4>(body.start.saturating_add(4))?.map_or(0, u32::from_be_bytes);
                let count = input.array::<4>(body.start.saturating_add(8))?.map_or(0, u32::from_be_bytes);
                self.sizes = Some(if same > 0 {
                    Sizes::Same { size: u64::from(same), count: u64::from(count) }
                } else {
                    let table = Table::new(input, body, 8, 4)?;
                    Sizes::Each { table, bits: 32, count: table.count }
                });
            }
            b"stz2" => {
                let bits = input.array::<4>(body.start.saturating_add(4))?.map_or(0, |it| u32::from(it[3]));
                let count = input.array::<4>(body.start.saturating_add(8))?.map_or(0, u32::from_be_bytes);
                let bytes = if bits == 16 { 2 } else { 1 };
                let entries = words::behind(body, 12);
                let table = Table { entries, size: bytes, count: entries.len() / bytes };
                let count = u64::from(count).min(entries.len().saturating_mul(8) / u64::from(bits.max(4)));
                self.sizes = Some(Sizes::Each { table, bits, count });
            }
            b"stsc" => self.per_chunk = Some(Table::new(input, body, 4, 12)?),
            b"stco" => self.offsets = Some(Table::new(input, body, 4, 4)?),
            b"co64" => self.offsets = Some(Table::new(input, body, 4, 8)?),
            _ => {}
        }
        Ok(())
    }

    /// Calls `each` with what every chunk holds. Chunks without samples, and samples without a chunk, are nothing.
    pub(super) fn runs(
        &self,
        input: &Input<'_>,
        file: Section,
        each: &mut dyn FnMut(Section),
    ) -> Result<(), Unreadable> {
        let (Some(sizes), Some(offsets)) = (self.sizes, self.offsets) else { return Ok(()) };
        let mut sizes = Counter::new(input, sizes)?;
        let mut offsets = offsets.reader(input);
        let mut rule = match self.per_chunk {
            Some(table) => Rule::new(table.reader(input))?,
            None if sizes.left == 0 || offsets.table.count == 0 => return Ok(()),
            None => {
                let at = offsets.table.entries.start;
                return Err(Unreadable::Damaged {
                    what: "a track that does not say which samples are where",
                    at,
                });
            }
        };
        let mut chunk = 0_u64;
        while let Some(entry) = offsets.entry()? {
            let offset = be64(entry, 0).or_else(|| be32(entry, 0).map(u64::from)).unwrap_or(0);
            chunk += 1;
            input.step()?;
            let Some(length) = sizes.sum(rule.samples_in(chunk)?)? else { break };
            let run = super::at(file, offset, length);
            if !run.is_empty() {
                each(run);
            }
        }
        Ok(())
    }
}

/// Sums sizes one chunk after the other.
struct Counter<'a, 'b> {
    sizes: Sizes,
    reader: Option<Reader<'a, 'b>>,
    left: u64,
    /// The lower half of a byte of two sizes.
    half: Option<u64>,
}

impl<'a, 'b> Counter<'a, 'b> {
    fn new(input: &'a Input<'b>, sizes: Sizes) -> Result<Self, Unreadable> {
        let (reader, left) = match sizes {
            Sizes::Same { count, .. } => (None, count),
            Sizes::Each { count: MOST.., .. } => return Err(Unreadable::TooMuch),
            Sizes::Each { table, count, .. } => (Some(table.reader(input)), count),
        };
        Ok(Counter { sizes, reader, left, half: None })
    }

    /// The length of the next `count` samples together; nothing if there are no more.
    fn sum(&mut self, count: u64) -> Result<Option<u64>, Unreadable> {
        if self.left == 0 {
            return Ok(None);
        }
        let count = count.min(self.left);
        self.left -= count;
        match (self.sizes, self.reader.as_mut()) {
            (Sizes::Each { bits, .. }, Some(reader)) => {
                let mut sum = 0_u64;
                for _ in 0..count {
                    let size = match self.half.take() {
                        Some(half) => half,
                        None => {
                            let Some(entry) = reader.entry()? else { break };
                            let number =
                                entry.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
                            if bits == 4 {
                                self.half = Some(number & 0xf);
                                number >> 4
                            } else {
                                number
                            }
                        }
                    };
                    sum = sum.saturating_add(size);
                }
                Ok(Some(sum))
            }
            (Sizes::Same { size, .. }, _) => Ok(Some(size.saturating_mul(count))),
            (Sizes::Each { .. }, None) => Ok(None),
        }
    }
}

/// How many samples a chunk has: each entry of `stsc` is valid up to the next.
struct Rule<'a, 'b> {
    reader: Reader<'a, 'b>,
    now: u64,
    next: Option<(u64, u64)>,
}

impl<'a, 'b> Rule<'a, 'b> {
    fn new(reader: Reader<'a, 'b>) -> Result<Self, Unreadable> {
        let mut rule = Rule { reader, now: 0, next: None };
        rule.advance()?;
        // Whatever the first entry says that it is valid from.
        rule.now = rule.next.map_or(0, |it| it.1);
        Ok(rule)
    }

    fn advance(&mut self) -> Result<(), Unreadable> {
        self.next = self
            .reader
            .entry()?
            .and_then(|entry| Some((u64::from(be32(entry, 0)?), u64::from(be32(entry, 4)?))));
        Ok(())
    }

    fn samples_in(&mut self, chunk: u64) -> Result<u64, Unreadable> {
        while let Some((_, samples)) = self.next.filter(|it| it.0 <= chunk) {
            self.now = samples;
            self.advance()?;
        }
        Ok(self.now)
    }
}

/// Hides samples; runs that touch become one finding.
pub(super) fn hide(run: Section, kind: [u8; 4], out: &mut Vec<Finding>) {
    if run.is_empty() {
        return;
    }
    let what = What::Samples { kind };
    match out.last_mut() {
        Some(last) if last.end == run.start && last.what == what => last.end = run.end,
        _ => out.push(Finding::zeroed(run, what)),
    }
}
