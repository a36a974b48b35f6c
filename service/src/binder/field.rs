//! Fields from the wire: checked here and nowhere else, for lengths, signs, encodings and enumerators.

use std::ffi::OsString;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use crate::control::ControlError;

type Result<T> = std::result::Result<T, ControlError>;

/// Longest path taken (`PATH_MAX` of the kernel, whose NUL is not sent).
pub(super) const PATH_MAX: usize = 4096;
/// Longest name of a volume, package, permission or app op.
pub(super) const NAME_MAX: usize = 255;
/// Most users, permissions or app ops of one volume or package.
pub(super) const LIST_MAX: usize = 1024;

/// A path from the wire.
pub(super) fn path(what: &str, bytes: &[u8]) -> Result<PathBuf> {
    if bytes.is_empty() || bytes[0] != b'/' {
        return Err(ControlError::Invalid(format!("{what} must be an absolute path")));
    }
    if bytes.len() > PATH_MAX {
        return Err(ControlError::Invalid(format!("{what} is longer than {PATH_MAX} bytes")));
    }
    if bytes.contains(&0) {
        return Err(ControlError::Invalid(format!("{what} must not contain NUL bytes")));
    }
    Ok(PathBuf::from(OsString::from_vec(bytes.to_vec())))
}

/// A path from the wire, as bytes.
pub(super) fn path_bytes(what: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    Ok(path(what, bytes)?.into_os_string().into_vec())
}

/// A name from the wire.
pub(super) fn name<'a>(what: &str, text: &'a str) -> Result<&'a str> {
    if text.is_empty() {
        return Err(ControlError::Invalid(format!("the {what} must not be empty")));
    }
    if text.len() > NAME_MAX {
        return Err(ControlError::Invalid(format!("the {what} is longer than {NAME_MAX} bytes")));
    }
    if text.chars().any(char::is_control) {
        return Err(ControlError::Invalid(format!("the {what} must not contain control characters")));
    }
    Ok(text)
}

pub(super) fn bounded<T>(what: &str, list: &[T]) -> Result<()> {
    if list.len() > LIST_MAX {
        return Err(ControlError::Invalid(format!("more than {LIST_MAX} {what}")));
    }
    Ok(())
}

/// A number that AIDL sends signed and we hold unsigned.
pub(super) fn unsigned(what: &str, value: i32) -> Result<u32> {
    u32::try_from(value).map_err(|_| ControlError::Invalid(format!("{what} {value} must not be negative")))
}

/// The other way round.
pub(super) fn signed(what: &str, value: u32) -> Result<i32> {
    i32::try_from(value)
        .map_err(|_| ControlError::Invalid(format!("{what} {value} is too large; the most is {}", i32::MAX)))
}

pub(super) fn all_unsigned(what: &str, values: &[i32]) -> Result<Vec<u32>> {
    bounded(what, values)?;
    values.iter().map(|value| unsigned(what, *value)).collect()
}

pub(super) fn all_signed(what: &str, values: &[u32]) -> Result<Vec<i32>> {
    values.iter().map(|value| signed(what, *value)).collect()
}

/// A user for the wire.
pub(super) fn user_to_wire(user: u32) -> Result<i32> {
    signed("user", user)
}

/// A descriptor that came with a call, to be kept.
pub(super) fn taken_over(file: BorrowedFd<'_>) -> Result<OwnedFd> {
    file.try_clone_to_owned()
        .map_err(|error| ControlError::Failed(format!("cannot take the descriptor over: {error}")))
}

/// The word for an enumerator.
pub(super) fn word<E: PartialEq>(what: &str, table: &[(&'static str, E)], value: E) -> Result<&'static str> {
    table
        .iter()
        .find(|(_, enumerator)| *enumerator == value)
        .map(|(word, _)| *word)
        .ok_or_else(|| ControlError::Invalid(format!("the {what} is none that this version knows")))
}

/// The enumerator for a word.
pub(super) fn enumerator<E: Copy>(what: &str, table: &[(&'static str, E)], text: &str) -> Result<E> {
    table.iter().find(|(word, _)| *word == text).map(|(_, enumerator)| *enumerator).ok_or_else(|| {
        let words: Vec<&str> = table.iter().map(|(word, _)| *word).collect();
        ControlError::Invalid(format!("{text:?} is no {what}; it is one of {}", words.join(", ")))
    })
}
