//! Numbers and words in bytes that may be anything.

/// The unsigned number of `length` bytes at `at`, most significant first.
pub(super) fn be(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// The unsigned number of `length` bytes at `at`, least significant first.
pub(super) fn le(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// 16 bits at `at`, most significant first.
pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    be(bytes, at, 2).and_then(|number| u16::try_from(number).ok())
}

/// 32 bits at `at`, most significant first.
pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    be(bytes, at, 4).and_then(|number| u32::try_from(number).ok())
}

/// The four characters at `at`.
pub(super) fn four(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok()
}

/// Longest text that is kept of a file, in bytes.
const LONGEST: usize = 1024;

/// Text as it is kept: up to the first NUL, without blanks around it, not empty, and not endless.
pub(super) fn clean(text: &str) -> Option<String> {
    let text = text.split('\0').next().unwrap_or_default().trim();
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default().trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

/// [`clean`], of bytes that should be UTF-8; what is not is replaced.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    clean(&String::from_utf8_lossy(bytes.get(..bytes.len().min(LONGEST + 4)).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_with_the_bytes() {
        assert_eq!(be(&[1, 2, 3], 1, 2), Some(0x0203));
        assert_eq!(le(&[1, 2, 3], 1, 2), Some(0x0302));
        assert_eq!(be(&[1, 2, 3], 2, 2), None);
        assert_eq!(be(&[1], usize::MAX, 2), None);
        assert_eq!(four(b"xftyp", 1), Some(*b"ftyp"));
    }

    #[test]
    fn text_is_kept_short_and_clean() {
        assert_eq!(text(b"  a b \0rest").as_deref(), Some("a b"));
        assert_eq!(text(b" \0"), None);
        let long = "ä".repeat(2000);
        assert_eq!(clean(&long).map(|it| it.len()), Some(LONGEST));
    }
}
