//! Reading a file that is not trusted.

use std::cell::{Cell, RefCell};
use std::io;

use super::sums::Sum;

/// Most bytes that are read of one file. Location data lies in metadata; who has more of that is not understood.
const MOST_BYTES: u64 = 64 << 20;
/// Most bytes that are only searched for the end of something whose length nobody wrote down (a JPEG's picture).
const MOST_SEARCHED: u64 = 128 << 20;
/// Most bytes that are read ahead of what was asked for.
const MOST_AHEAD: u64 = 64 << 20;
/// Most pieces (tags, boxes, segments) of one file.
const MOST_STEPS: u32 = 1 << 20;
/// Most bytes that compressed text of one file decompresses to, all together: looking at them costs more than reading.
const MOST_INFLATED: u64 = 16 << 20;
/// So much work is done between two looks at the clock: about the bytes that are looked at in a tenth of a millisecond.
const WORK: u64 = 256 << 10;
/// What a step counts for there.
const STEP: u64 = 256;
/// How deep pictures may lie in pictures (a raw file's preview has a thumbnail, and there it ends in honest files).
const MOST_NESTED: u32 = 8;

/// What is no longer than that is read together with what follows it: tags and boxes come in rows.
const SMALL: u64 = 256;
/// So much at once.
const AHEAD: u64 = 4096;

/// Bytes at places.
pub trait ReadAt {
    /// The file's length in bytes.
    fn len(&self) -> u64;

    /// Reads at most `buffer.len()` bytes from `offset`; 0 at the end.
    ///
    /// # Errors
    ///
    /// What the file system says.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// True when too much time has gone into looking at it: then the look ends with [`Unreadable::TooMuch`]. Asked now and then.
    fn is_late(&self) -> bool {
        false
    }

    /// True for an empty file.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ReadAt for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        Ok(n)
    }
}

impl ReadAt for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.as_slice().read_at(buffer, offset)
    }
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buffer, offset)
    }

    fn is_late(&self) -> bool {
        (**self).is_late()
    }
}

/// Why nothing can be said about a file.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file system failed.
    #[error("reading failed: {0}")]
    Io(#[from] io::Error),
    /// More metadata than is looked at.
    #[error("it holds more metadata than is looked at, or looking at it takes too long")]
    TooMuch,
    /// It is damaged or crafted in a way that leaves open where metadata lies.
    #[error("{what} at byte {at} cannot be understood")]
    Damaged {
        /// The piece.
        what: &'static str,
        /// Where it begins.
        at: u64,
    },
}

/// A part of a file: half-open, within the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its first byte.
    pub start: u64,
    /// The byte behind its last.
    pub end: u64,
}

impl Section {
    /// Its length in bytes.
    pub fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// True if there is nothing in it.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// `length` bytes from `offset` on, both counted from the section's start, if they lie in it.
    pub fn part(self, offset: u64, length: u64) -> Option<Section> {
        let start = self.start.checked_add(offset)?;
        let end = start.checked_add(length)?;
        (end <= self.end).then_some(Section { start, end })
    }
}

/// A file and how much more of it may be looked at.
pub struct Input<'a> {
    file: &'a dyn ReadAt,
    /// The file of the service, which this one is or is made of: it has the clock.
    real: &'a dyn ReadAt,
    length: u64,
    bytes_left: Cell<u64>,
    search_left: Cell<u64>,
    steps_left: Cell<u32>,
    nested_left: Cell<u32>,
    ahead_left: Cell<u64>,
    inflate_left: Cell<u64>,
    /// Work since the last look at the clock.
    work: Cell<u64>,
    /// Checksums over what may be hidden, see [`Sum`].
    sums: RefCell<Vec<Sum>>,
    /// What was read ahead last, and where it begins.
    ahead: RefCell<(u64, Vec<u8>)>,
}

impl std::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input").field("length", &self.length).finish_non_exhaustive()
    }
}

impl<'a> Input<'a> {
    /// With the whole budget.
    pub fn new(file: &'a dyn ReadAt) -> Input<'a> {
        Input {
            file,
            real: file,
            length: file.len(),
            bytes_left: Cell::new(MOST_BYTES),
            search_left: Cell::new(MOST_SEARCHED),
            steps_left: Cell::new(MOST_STEPS),
            nested_left: Cell::new(MOST_NESTED),
            ahead_left: Cell::new(MOST_AHEAD),
            inflate_left: Cell::new(MOST_INFLATED),
            work: Cell::default(),
            sums: RefCell::default(),
            ahead: RefCell::default(),
        }
    }

    /// Looks at other bytes (some that were put together from pieces of this file) with this budget.
    pub fn other<T>(&self, file: &dyn ReadAt, look: impl FnOnce(&Input<'_>) -> T) -> T {
        let other = Input {
            file,
            real: self.real,
            length: file.len(),
            bytes_left: self.bytes_left.clone(),
            search_left: self.search_left.clone(),
            steps_left: self.steps_left.clone(),
            nested_left: self.nested_left.clone(),
            ahead_left: self.ahead_left.clone(),
            inflate_left: self.inflate_left.clone(),
            work: self.work.clone(),
            sums: RefCell::default(),
            ahead: RefCell::default(),
        };
        let result = look(&other);
        self.bytes_left.set(other.bytes_left.get());
        self.search_left.set(other.search_left.get());
        self.steps_left.set(other.steps_left.get());
        self.ahead_left.set(other.ahead_left.get());
        self.inflate_left.set(other.inflate_left.get());
        self.work.set(other.work.get());
        result
    }

    /// Looks into what lies inside of something, unless that is too deep already: then `None`, and nothing was done.
    pub fn nested<T>(&self, look: impl FnOnce() -> T) -> Option<T> {
        let left = self.nested_left.get();
        self.nested_left.set(left.checked_sub(1)?);
        let result = look();
        self.nested_left.set(left);
        Some(result)
    }

    /// The whole file.
    pub fn whole(&self) -> Section {
        Section { start: 0, end: self.length }
    }

    /// Notes what a checksum is over. Of bytes that were put together from pieces nothing is noted: none is over those.
    pub fn sum(&self, sum: Sum) {
        self.sums.borrow_mut().push(sum);
    }

    /// All that were noted.
    pub fn sums(&self) -> Vec<Sum> {
        self.sums.take()
    }

    /// Counts one piece that is looked at.
    ///
    /// # Errors
    ///
    /// When there were too many.
    pub fn step(&self) -> Result<(), Unreadable> {
        let left = self.steps_left.get().checked_sub(1).ok_or(Unreadable::TooMuch)?;
        self.steps_left.set(left);
        self.work(STEP)
    }

    /// Counts work that takes as long as reading so many bytes, and looks at the clock now and then.
    ///
    /// # Errors
    ///
    /// When there is no time left.
    pub fn work(&self, bytes: u64) -> Result<(), Unreadable> {
        let work = self.work.get().saturating_add(bytes);
        self.work.set(if work < WORK { work } else { 0 });
        if work >= WORK && self.real.is_late() { Err(Unreadable::TooMuch) } else { Ok(()) }
    }

    /// How many bytes something may be decompressed to.
    pub fn inflatable(&self) -> u64 {
        self.inflate_left.get()
    }

    /// Counts what was decompressed.
    ///
    /// # Errors
    ///
    /// As [`Input::work`].
    pub fn inflated(&self, bytes: u64) -> Result<(), Unreadable> {
        self.inflate_left.set(self.inflate_left.get().saturating_sub(bytes));
        // A bit at a time.
        self.work(bytes.saturating_mul(16))
    }

    /// All bytes of a section, or as many as there are: a file may shrink while it is read.
    ///
    /// # Errors
    ///
    /// When reading fails or the budget is used up.
    pub fn read(&self, section: Section) -> Result<Vec<u8>, Unreadable> {
        self.read_of(section, &self.bytes_left)
    }

    /// As [`Input::read`], for bytes that are only searched: they count against a larger budget.
    ///
    /// # Errors
    ///
    /// As [`Input::read`].
    pub fn search(&self, section: Section) -> Result<Vec<u8>, Unreadable> {
        self.read_of(section, &self.search_left)
    }

    fn read_of(&self, section: Section, budget: &Cell<u64>) -> Result<Vec<u8>, Unreadable> {
        let length = section.len();
        let left = budget.get().checked_sub(length).ok_or(Unreadable::TooMuch)?;
        budget.set(left);
        self.work(length)?;
        if length > SMALL {
            return self.fill(section);
        }
        if let Some(data) = self.read_ahead(section) {
            return Ok(data);
        }
        let end = section.start.saturating_add(AHEAD).min(self.length);
        let room = self.ahead_left.get().checked_sub(AHEAD).filter(|_| end > section.end);
        let Some(left) = room else { return self.fill(section) };
        self.ahead_left.set(left);
        let data = self.fill(Section { end, ..section })?;
        *self.ahead.borrow_mut() = (section.start, data);
        self.read_ahead(section).map_or_else(|| self.fill(section), Ok)
    }

    /// A section's bytes, if all of them were read ahead.
    fn read_ahead(&self, section: Section) -> Option<Vec<u8>> {
        let (start, data) = &*self.ahead.borrow();
        let at = usize::try_from(section.start.checked_sub(*start)?).ok()?;
        let end = at.checked_add(usize::try_from(section.len()).ok()?)?;
        Some(data.get(at..end)?.to_vec())
    }

    fn fill(&self, section: Section) -> Result<Vec<u8>, Unreadable> {
        let length = usize::try_from(section.len()).map_err(|_| Unreadable::TooMuch)?;
        let mut data = vec![0; length];
        let mut filled = 0;
        while let Some(rest) = data.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, section.start.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        data.truncate(filled);
        Ok(data)
    }

    /// The `N` bytes at `at`, if the file has them.
    ///
    /// # Errors
    ///
    /// As [`Input::read`].
    pub fn array<const N: usize>(&self, at: u64) -> Result<Option<[u8; N]>, Unreadable> {
        match self.whole().part(at, N as u64) {
            Some(section) => Ok(self.read(section)?.try_into().ok()),
            None => Ok(None),
        }
    }
}
