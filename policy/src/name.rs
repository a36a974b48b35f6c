//! What a name says about itself: pending or in the trash, and whether a FAT volume could hold it.

use crate::path::last_component;

/// The state that a file's name itself declares (`PATTERN_EXPIRES_FILE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameState {
    /// An ordinary name.
    Plain,
    /// `.pending-<seconds>-<name>`.
    Pending,
    /// `.trashed-<seconds>-<name>`.
    Trashed,
}

/// The parts of a `.pending-` or `.trashed-` name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpiringName<'a> {
    /// [`NameState::Pending`] or [`NameState::Trashed`].
    pub state: NameState,
    /// When it expires, in seconds since the epoch; a number too large for the type is its maximum.
    pub expires: u64,
    /// The name it has, or will have, outside this state.
    pub plain: &'a [u8],
}

impl<'a> ExpiringName<'a> {
    /// Takes apart a name of the form `.(pending|trashed)-<digits>-<anything>`, the words in any ASCII case.
    pub fn parse(name: &'a [u8]) -> Option<ExpiringName<'a>> {
        const WORD: usize = ".pending-".len();
        let name = last_component(name);
        let (word, rest) = name.split_at_checked(WORD)?;
        let state = if word.eq_ignore_ascii_case(b".pending-") {
            NameState::Pending
        } else if word.eq_ignore_ascii_case(b".trashed-") {
            NameState::Trashed
        } else {
            return None;
        };
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = rest.split_at_checked(digits)?;
        let plain = rest.strip_prefix(b"-")?;
        if number.is_empty() || plain.is_empty() {
            return None;
        }
        let expires = number
            .iter()
            .fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
        Some(ExpiringName { state, expires, plain })
    }
}

/// Reads the state from the last component of a path.
pub fn name_state(name: &[u8]) -> NameState {
    ExpiringName::parse(name).map_or(NameState::Plain, |it| it.state)
}

/// `FileUtils.isValidFatFilename`: may stand on a FAT volume.
///
/// FAT names are Unicode, so a name that is not UTF-8 cannot stand there either; the original refuses it too
/// (its check that a name survives the way into Java and back).
pub fn is_valid_fat_name(name: &[u8]) -> bool {
    const LONGEST: usize = 255;
    !name.is_empty()
        && name.len() <= LONGEST
        && name != b"."
        && name != b".."
        && name.iter().all(|byte| {
            !matches!(byte, 0..=0x1f | 0x7f | b'"' | b'*' | b'/' | b':' | b'<' | b'>' | b'?' | b'\\' | b'|')
        })
        && std::str::from_utf8(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_state_from_the_name() {
        for (name, state) in [
            (&b".pending-1600000000-a.jpg"[..], NameState::Pending),
            (b".PENDING-1-a", NameState::Pending),
            (b"DCIM/.trashed-1-a", NameState::Trashed),
            (b".trashed-99999999999999999999999-a\nb", NameState::Trashed),
            (b".pending--a", NameState::Plain),
            (b".pending-1-", NameState::Plain),
            (b".pending-1", NameState::Plain),
            (b".pending-1x-a", NameState::Plain),
            (b".pending-", NameState::Plain),
            (b"pending-1-a", NameState::Plain),
            (b"x.pending-1-a", NameState::Plain),
            (b".trashed-1-a/b", NameState::Plain),
            (b"", NameState::Plain),
        ] {
            assert_eq!(name_state(name), state, "{}", String::from_utf8_lossy(name));
        }
    }

    #[test]
    fn takes_expiring_names_apart() {
        let name = ExpiringName::parse(b"a/.trashed-170-x-y.jpg").unwrap();
        assert_eq!((name.expires, name.plain), (170, &b"x-y.jpg"[..]));
        let name = ExpiringName::parse(b".pending-99999999999999999999999-z").unwrap();
        assert_eq!(name.expires, u64::MAX);
    }

    #[test]
    fn knows_what_fat_can_hold() {
        let longest = [b'a'; 255];
        for name in [&b"a.jpg"[..], b".a", b"...", b" a ", "\u{e4}\u{1f600}".as_bytes(), &longest] {
            assert!(is_valid_fat_name(name), "{}", String::from_utf8_lossy(name));
        }
        let too_long = [b'a'; 256];
        let bad =
            [&b""[..], b".", b"..", b"a:b", b"a\n", b"a\x7f", b"\0", b"a/b", b"a\\b", b"\xff", &too_long];
        for name in bad.into_iter().chain([&b"\""[..], b"*", b"<", b">", b"?", b"|"]) {
            assert!(!is_valid_fat_name(name), "{}", String::from_utf8_lossy(name));
        }
    }
}
