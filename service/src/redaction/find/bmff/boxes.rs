//! Headers of boxes.

use super::super::finding::{Finding, What};
use super::super::input::{Input, Section, Unreadable};

/// A box: where it is and what it claims to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// Its type.
    pub(super) kind: [u8; 4],
    /// Its first byte.
    pub(super) start: u64,
    /// What follows its header, cut where its parent ends.
    pub(super) body: Section,
    /// It claims to end beyond its parent, or leaves its end open.
    pub(super) open: bool,
}

/// What lies at a place where a box should begin.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    /// A box.
    Box(Head),
    /// Too few bytes for one.
    End,
    /// No box: its size is impossible.
    Broken,
}

impl Head {
    /// The head of the box at `at` within a parent that ends at `end`.
    pub(super) fn read(input: &Input<'_>, at: u64, end: u64) -> Result<Next, Unreadable> {
        if end.saturating_sub(at) < 8 {
            return Ok(Next::End);
        }
        input.step()?;
        // One read serves both forms of size.
        let bytes = input.read(Section { start: at, end: end.min(at.saturating_add(16)) })?;
        let (Some(size), Some(kind)) = (be32(&bytes, 0), array::<4>(&bytes, 4)) else { return Ok(Next::End) };
        let (header, size) = match size {
            0 => (8, None),
            1 => match be64(&bytes, 8) {
                Some(size @ 16..) => (16, Some(size)),
                _ => return Ok(Next::Broken),
            },
            2..8 => return Ok(Next::Broken),
            size => (8, Some(u64::from(size))),
        };
        let claimed = size.and_then(|size| at.checked_add(size));
        let open = claimed.is_none_or(|claimed| claimed > end);
        let body = Section { start: at.saturating_add(header), end: claimed.unwrap_or(end).min(end) };
        Ok(Next::Box(Head { kind, start: at, body, open }))
    }

    /// Hides the box: its type, so that readers skip it, and all that follows but the size (MediaProvider
    /// `IsoInterface`: "from the type field to the box end").
    pub(super) fn hide(&self, what: What, out: &mut Vec<Finding>) {
        let kind = Section { start: self.start.saturating_add(4), end: self.start.saturating_add(8) };
        if kind.end == self.body.start {
            out.push(Finding::zeroed(Section { start: kind.start, end: self.body.end }, what));
        } else {
            // The 64-bit size lies behind the type and has to stay.
            out.push(Finding::zeroed(kind, what.clone()));
            if !self.body.is_empty() {
                out.push(Finding::zeroed(self.body, what));
            }
        }
    }

    /// Hides it as what it is.
    pub(super) fn hide_as_box(&self, out: &mut Vec<Finding>) {
        self.hide(What::Box { kind: self.kind }, out);
    }
}

/// The boxes of `section`, as many as there are before one is broken; and where that one begins.
pub(super) fn list(input: &Input<'_>, section: Section) -> Result<(Vec<Head>, Option<Section>), Unreadable> {
    let mut heads = Vec::new();
    let mut at = section.start;
    loop {
        match Head::read(input, at, section.end)? {
            Next::Box(head) => {
                at = head.body.end;
                heads.push(head);
            }
            Next::End => return Ok((heads, None)),
            Next::Broken => return Ok((heads, Some(Section { start: at, end: section.end }))),
        }
    }
}

/// `N` bytes of `bytes` from `at` on.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// A 16-bit number.
pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

/// A 32-bit number.
pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

/// A 64-bit number.
pub(super) fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_be_bytes)
}
