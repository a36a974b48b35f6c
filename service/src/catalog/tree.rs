//! How a directory is written down in the catalog (see `schema`).

/// The stored form of `dir`: a slash before and behind.
pub(super) fn stored(dir: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(dir.len() + 2);
    key.push(b'/');
    if !dir.is_empty() {
        key.extend_from_slice(dir);
        key.push(b'/');
    }
    key
}

/// The way back from [`stored`].
pub(super) fn plain(key: &[u8]) -> &[u8] {
    let inner = key.strip_prefix(b"/").unwrap_or(key);
    inner.strip_suffix(b"/").unwrap_or(inner)
}

/// The stored forms of a directory, given in its own, and of all above it.
pub(super) fn self_and_above(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    key.iter().enumerate().filter(|(_, byte)| **byte == b'/').filter_map(|(at, _)| key.get(..=at))
}

/// The directory and everything below it: from `low`, up to but without `high`.
pub(super) struct Range {
    pub(super) low: Vec<u8>,
    pub(super) high: Vec<u8>,
}

impl Range {
    pub(super) fn of(dir: &[u8]) -> Range {
        let low = stored(dir);
        let mut high = low.clone();
        if let Some(last) = high.last_mut() {
            *last = b'0';
        }
        Range { low, high }
    }

    /// True if the tree at `self` and the one at `other` share a directory.
    pub(super) fn overlaps(&self, other: &Range) -> bool {
        self.low.starts_with(&other.low) || other.low.starts_with(&self.low)
    }
}
