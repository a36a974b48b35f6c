//! Sorted, merged byte ranges.

use std::sync::{Arc, LazyLock};

use super::find::Fill;

/// Half-open byte ranges of a file, and what each is filled with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    zeros: Merged,
    spaces: Merged,
    /// Where four bytes are replaced by others; sorted.
    bytes: Vec<(u64, [u8; 4])>,
}

impl Ranges {
    /// From `(start, end)` pairs in any order, to be filled with zeros; empty and reversed ones are dropped.
    pub fn new(pairs: impl IntoIterator<Item = (u64, u64)>) -> Ranges {
        Ranges { zeros: Merged::new(pairs), ..Ranges::default() }
    }

    /// The same, each with what it is filled with. Where ranges overlap, zeros win over spaces and both over other bytes. Ranges of
    /// other bytes are four long, whatever is said.
    pub fn filled(ranges: impl IntoIterator<Item = (u64, u64, Fill)>) -> Ranges {
        let (mut zeros, mut spaces, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
        for (start, end, fill) in ranges {
            match fill {
                Fill::Zero => zeros.push((start, end)),
                Fill::Space => spaces.push((start, end)),
                Fill::Bytes(with) => bytes.push((start, with)),
            }
        }
        bytes.sort_unstable();
        // One place has one filling.
        bytes.dedup_by_key(|(start, _)| *start);
        bytes.shrink_to_fit();
        Ranges { zeros: Merged::new(zeros), spaces: Merged::new(spaces), bytes }
    }

    /// True when there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many ranges there are.
    pub fn count(&self) -> usize {
        self.zeros.0.len() + self.spaces.0.len() + self.bytes.len()
    }

    /// The ranges: those of one filling are sorted, not empty, and neither overlap nor touch.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64, Fill)> {
        let with = |fill| move |&(start, end): &(u64, u64)| (start, end, fill);
        let bytes =
            self.bytes.iter().map(|&(start, with)| (start, start.saturating_add(4), Fill::Bytes(with)));
        self.zeros
            .0
            .iter()
            .map(with(Fill::Zero))
            .chain(self.spaces.0.iter().map(with(Fill::Space)))
            .chain(bytes)
    }

    /// Hides what of `data`, read at `offset`, lies in a range.
    pub fn hide(&self, offset: u64, data: &mut [u8]) {
        let end = offset.saturating_add(data.len() as u64);
        let first = self.bytes.partition_point(|(start, _)| start.saturating_add(4) <= offset);
        for (start, with) in self.bytes.iter().skip(first).take_while(|(start, _)| *start < end) {
            for (at, byte) in (*start..).zip(with).filter(|(at, _)| *at >= offset) {
                if let Some(to) = data.get_mut((at - offset) as usize) {
                    *to = *byte;
                }
            }
        }
        self.spaces.fill(offset, data, Fill::Space);
        self.zeros.fill(offset, data, Fill::Zero);
    }
}

/// Sorted, not empty, neither overlapping nor touching.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Merged(Vec<(u64, u64)>);

impl Merged {
    /// As MediaProvider's `RedactionInfo` does it.
    fn new(pairs: impl IntoIterator<Item = (u64, u64)>) -> Merged {
        let mut pairs: Vec<_> = pairs.into_iter().filter(|(start, end)| start < end).collect();
        pairs.sort_unstable();
        let mut merged: Vec<(u64, u64)> = Vec::with_capacity(pairs.len());
        for (start, end) in pairs {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        merged.shrink_to_fit();
        Merged(merged)
    }

    fn fill(&self, offset: u64, data: &mut [u8], fill: Fill) {
        let end = offset.saturating_add(data.len() as u64);
        let first = self.0.partition_point(|range| range.1 <= offset);
        for &(start, stop) in self.0.iter().skip(first).take_while(|range| range.0 < end) {
            // Both fit: they are differences of positions within `data`.
            let from = start.saturating_sub(offset) as usize;
            let to = (stop.min(end) - offset) as usize;
            if let Some(hidden) = data.get_mut(from..to) {
                fill.fill(hidden);
            }
        }
    }
}

/// What of a file must not be shown to who may not see a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// These bytes; often none.
    Bytes(Arc<Ranges>),
    /// Everything: it cannot be understood.
    All,
}

impl Default for Hidden {
    /// Nothing.
    fn default() -> Self {
        static NOTHING: LazyLock<Arc<Ranges>> = LazyLock::new(Arc::default);
        Hidden::Bytes(Arc::clone(&NOTHING))
    }
}

impl Hidden {
    /// True when everybody may see all of it.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Hidden::Bytes(ranges) if ranges.is_empty())
    }

    /// How many ranges there are.
    pub fn count(&self) -> usize {
        match self {
            Hidden::Bytes(ranges) => ranges.count(),
            Hidden::All => 0,
        }
    }

    /// Hides what of `data`, read at `offset`, must not be shown.
    pub fn hide(&self, offset: u64, data: &mut [u8]) {
        match self {
            Hidden::Bytes(ranges) => ranges.hide(offset, data),
            Hidden::All => data.fill(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn overlapping_touching_and_empty_ranges_are_merged() {
        let ranges = Ranges::new([(5, 7), (1, 3), (7, 9), (2, 4), (20, 20), (30, 10)]);
        let merged: Vec<_> = ranges.iter().collect();
        assert_eq!(merged, [(1, 4, Fill::Zero), (5, 9, Fill::Zero)]);
    }

    #[test]
    fn zeros_win_over_spaces() {
        let ranges = Ranges::filled([(1, 4, Fill::Space), (3, 6, Fill::Zero), (7, 8, Fill::Space)]);
        let mut data = *b"abcdefghi";
        ranges.hide(0, &mut data);
        assert_eq!(&data, b"a  \0\0\0g i");
        assert_eq!(ranges.count(), 3);
    }

    #[test]
    fn other_bytes_stand_where_they_should_in_every_part() {
        let ranges = Ranges::filled([(2, 6, Fill::Bytes(*b"1234")), (5, 8, Fill::Zero)]);
        assert_eq!(ranges.count(), 2);
        let mut whole = *b"abcdefghi";
        ranges.hide(0, &mut whole);
        assert_eq!(&whole, b"ab123\0\0\0i");
        for from in 0..9 {
            for to in from..9 {
                let mut part = b"abcdefghi"[from..to].to_vec();
                ranges.hide(from as u64, &mut part);
                assert_eq!(part, &whole[from..to]);
            }
        }
    }

    proptest! {
        #[test]
        fn hiding_equals_hiding_byte_by_byte(
            pairs in prop::collection::vec((0u64..64, 0u64..64), 0..8),
            offset in 0u64..64,
            length in 0usize..64,
        ) {
            let mut data = vec![1; length];
            Ranges::new(pairs.clone()).hide(offset, &mut data);
            for (i, byte) in data.iter().enumerate() {
                let at = offset + i as u64;
                let hidden = pairs.iter().any(|(start, end)| *start <= at && at < *end);
                prop_assert_eq!(*byte == 0, hidden);
            }
        }

        #[test]
        fn no_offset_overflows(start in any::<u64>(), end in any::<u64>(), offset in any::<u64>()) {
            let mut data = [1; 16];
            Ranges::new([(start, end)]).hide(offset, &mut data);
            Ranges::filled([(start, end, Fill::Bytes([1; 4]))]).hide(offset, &mut data);
        }
    }
}
