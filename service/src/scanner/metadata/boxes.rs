//! Boxes of the ISO base media format (ISO 14496-12, 4.2).

use super::bytes::{be, be32, four};
use super::input::{Input, Problem};

/// How many boxes of one level are gone through.
const MOST: usize = 4096;

/// A box: its type and where its contents are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) kind: [u8; 4],
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Part {
    /// The whole file.
    pub(super) fn whole(input: &Input<'_>) -> Part {
        Part { kind: [0; 4], start: 0, end: input.size() }
    }

    pub(super) fn length(self) -> u64 {
        self.end - self.start
    }

    /// The same without its first bytes.
    pub(super) fn after(self, bytes: u64) -> Part {
        Part { start: self.start.saturating_add(bytes).min(self.end), ..self }
    }

    /// Its contents, which may be `most` bytes long.
    pub(super) fn read(self, input: &mut Input<'_>, most: usize) -> Result<Vec<u8>, Problem> {
        input.go(self.start);
        input.bytes(self.length(), most)
    }

    /// Its first bytes, `most` at most.
    pub(super) fn head(self, input: &mut Input<'_>, most: usize) -> Result<Vec<u8>, Problem> {
        input.go(self.start);
        input.bytes(self.length().min(most as u64), most)
    }

    /// Calls `each` with every box in it, until that says false.
    pub(super) fn children(
        self,
        input: &mut Input<'_>,
        mut each: impl FnMut(&mut Input<'_>, Part) -> Result<bool, Problem>,
    ) -> Result<(), Problem> {
        let mut at = self.start;
        for _ in 0..MOST {
            // Up to seven bytes of padding end what QuickTime writes.
            if self.end.saturating_sub(at) < 8 {
                return Ok(());
            }
            input.go(at);
            let head = input.array::<8>()?;
            let kind = four(&head, 4).unwrap_or_default();
            let (header, length) = match be32(&head, 0) {
                Some(0) => (8, self.end - at),
                Some(1) => (16, u64::from_be_bytes(input.array()?)),
                other => (8, u64::from(other.unwrap_or(0))),
            };
            let end = at.checked_add(length).filter(|end| length >= header && *end <= self.end);
            let Some(end) = end else {
                // What a file lacks at its end is a picture's or a film's data; what was before it is still so.
                return Err(Problem::Malformed("a box does not fit into the one around it"));
            };
            if !each(input, Part { kind, start: at + header, end })? {
                return Ok(());
            }
            at = end;
        }
        Ok(())
    }
}

/// The version of a full box, and its contents behind version and flags.
pub(super) fn full(bytes: &[u8]) -> Option<(u8, &[u8])> {
    Some((*bytes.first()?, bytes.get(4..)?))
}

/// A number that is of 64 bits from version 1 on, and where the next one begins.
pub(super) fn versioned(bytes: &[u8], at: usize, version: u8) -> Option<(u64, usize)> {
    let length = if version == 0 { 4 } else { 8 };
    Some((be(bytes, at, length)?, at + length))
}
