//! What the index knows of a file, written down on the file: its id, and whether it is a favourite. For a catalog that
//! is made anew.
//!
//! A mark names the file that it was made for, so that a copy made together with its attributes does not take it along,
//! and the series that its id is of ([`Series`]): ids of another machine's card mean nothing here. Nothing that cannot be
//! read is an error: a mark is a help.

use std::os::fd::BorrowedFd;

use rustix::fs::{XattrFlags, fstatvfs, getxattr, setxattr};
use rustix::io::Errno;

use super::xattr::link;
use super::{Id, LowerError};

const MARK: &str = "user.mediagate.id";
const SERIES: &str = "user.mediagate.ids";
/// Longer than any of them.
const LONGEST: usize = 128;
/// Ids beyond are not believed: nobody gives so many, and the numbers must not run out.
const LARGEST: i64 = 1 << 53;

/// Free blocks of a file system that is not full.
const SPACE: u64 = 64;

/// What a file says of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The series of the id.
    pub series: u64,
    /// The row's id.
    pub id: i64,
    /// A favourite.
    pub favorite: bool,
}

/// The ids that were given out by one catalog and those that were made after it was lost. Kept on a volume's root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series {
    /// Which one.
    pub number: u64,
    /// No id of it is as large.
    pub until: i64,
}

fn read<const N: usize>(file: BorrowedFd<'_>, name: &str) -> Option<[u64; N]> {
    let mut value = [0; LONGEST];
    let length = getxattr(link(file), name, &mut value).ok()?;
    let text = std::str::from_utf8(value.get(..length)?).ok()?;
    let mut words = text.split(' ');
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = words.next()?.parse().ok()?;
    }
    words.next().is_none().then_some(numbers)
}

fn write(file: BorrowedFd<'_>, name: &str, numbers: &[u64]) -> Result<(), LowerError> {
    let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
    Ok(setxattr(link(file), name, words.join(" ").as_bytes(), XattrFlags::empty())?)
}

fn id_of(number: u64) -> Option<i64> {
    i64::try_from(number).ok().filter(|id| (1..LARGEST).contains(id))
}

/// The mark of a file, if it was made for this one.
pub fn mark(file: BorrowedFd<'_>, is: Id) -> Option<Mark> {
    let [series, id, favorite, ino, generation] = read(file, MARK)?;
    let own = ino == is.ino && generation == is.generation && favorite <= 1;
    Some(Mark { series, id: id_of(id)?, favorite: favorite == 1 }).filter(|_| own)
}

/// Marks a file, unless it is marked so.
///
/// # Errors
///
/// What the file system answers; that it has no room for attributes of this file, although it has space, is none.
pub fn set_mark(file: BorrowedFd<'_>, is: Id, wanted: Mark) -> Result<bool, LowerError> {
    if mark(file, is) == Some(wanted) {
        return Ok(false);
    }
    let id = wanted.id.cast_unsigned();
    match write(file, MARK, &[wanted.series, id, u64::from(wanted.favorite), is.ino, is.generation]) {
        Ok(()) => Ok(true),
        Err(LowerError::Os(Errno::NOTSUP)) => Ok(false),
        Err(LowerError::Os(Errno::NOSPC)) if has_space(file) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether there is space on the file system: what it refuses for want of room it will refuse again.
fn has_space(file: BorrowedFd<'_>) -> bool {
    fstatvfs(file).is_ok_and(|it| it.f_bavail >= SPACE && (it.f_files == 0 || it.f_favail > 0))
}

/// The series that a volume's root knows of.
pub fn series(root: BorrowedFd<'_>) -> Option<Series> {
    let [number, until] = read(root, SERIES)?;
    Some(Series { number, until: id_of(until)? })
}

/// Writes the series down on a volume's root.
///
/// # Errors
///
/// What the file system answers.
pub fn set_series(root: BorrowedFd<'_>, series: Series) -> Result<(), LowerError> {
    write(root, SERIES, &[series.number, series.until.clamp(1, LARGEST - 1).cast_unsigned()])
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;
    use crate::lower::Meta;

    #[test]
    fn a_mark_is_of_its_file_alone_and_nonsense_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let file = std::fs::File::create(dir.path().join("a")).unwrap();
        let id = Meta::of(file.as_fd()).unwrap().id;
        assert_eq!(mark(file.as_fd(), id), None);
        let wanted = Mark { series: u64::MAX, id: 42, favorite: true };
        assert!(set_mark(file.as_fd(), id, wanted).unwrap());
        assert!(!set_mark(file.as_fd(), id, wanted).unwrap());
        assert_eq!(mark(file.as_fd(), id), Some(wanted));
        assert_eq!(mark(file.as_fd(), Id { ino: id.ino + 1, ..id }), None);
        assert_eq!(mark(file.as_fd(), Id { generation: id.generation ^ 1, ..id }), None);
        let own = format!("{} {}", id.ino, id.generation);
        for (text, good) in [
            (format!("1 42 0 {own}"), true),
            (format!("1 0 0 {own}"), false),
            (format!("1 -42 0 {own}"), false),
            (format!("1 {} 0 {own}", 1_u64 << 53), false),
            (format!("1 42 2 {own}"), false),
            (format!("1 42 0 {own} "), false),
            ("1 42 0".to_owned(), false),
            (String::new(), false),
            ("9".repeat(500), false),
        ] {
            setxattr(link(file.as_fd()), MARK, text.as_bytes(), XattrFlags::empty()).unwrap();
            assert_eq!(mark(file.as_fd(), id).is_some(), good, "{text:?}");
        }
        let wanted = Series { number: 7, until: 8 };
        set_series(file.as_fd(), wanted).unwrap();
        assert_eq!(series(file.as_fd()), Some(wanted));
    }
}
