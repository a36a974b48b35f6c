//! The file as readers see it: bounded in how much of it is read, and for how long.
//!
//! What a file claims about itself is never believed: a size in it is at most what is left of the budget, and a list
//! of a million entries ends with the budget too. Every read costs its bytes, and every jump one window.

use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

/// Why a file's facts are not complete.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The lower file system says so.
    #[error("it cannot be read: {0}")]
    Io(io::Error),
    /// It asks for more reading than any file of its kind needs.
    #[error("it takes more reading than {} MiB", BUDGET >> 20)]
    Budget,
    /// It takes too long.
    #[error("it takes more than {} s", PATIENCE.as_secs())]
    Deadline,
    /// It is not what it says it is.
    #[error("it is damaged: {0}")]
    Malformed(&'static str),
    /// A library gave up on it.
    #[error("it cannot be understood: {0}")]
    Library(String),
    /// A library panicked over it.
    #[error("reading it failed unexpectedly")]
    Panicked,
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Problem::Malformed("it ends too early"),
            _ => Problem::Io(error),
        }
    }
}

/// What can be read from and jumped in.
pub trait Source: Read + Seek {}
impl<T: Read + Seek + ?Sized> Source for T {}

/// Bytes that are read of one file.
pub(super) const BUDGET: u64 = 16 << 20;
/// How long one file may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// Read at once.
const WINDOW: usize = 4096;

/// A file with its budget.
pub(super) struct Input<'a> {
    source: &'a mut dyn Source,
    size: u64,
    at: u64,
    window: Vec<u8>,
    window_at: u64,
    left: u64,
    deadline: Instant,
    /// Which bound was hit: a library may not hand the error on.
    pub(super) stopped: Option<Problem>,
}

impl<'a> Input<'a> {
    pub(super) fn new(source: &'a mut dyn Source) -> io::Result<Input<'a>> {
        let size = source.seek(SeekFrom::End(0))?;
        Ok(Input {
            source,
            size,
            at: 0,
            window: Vec::new(),
            window_at: 0,
            left: BUDGET,
            deadline: Instant::now() + PATIENCE,
            stopped: None,
        })
    }

    /// Another look at the file, with a budget of its own; the time goes on.
    pub(super) fn refill(&mut self) {
        self.left = BUDGET;
        self.stopped = None;
    }

    /// The file's size.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Where the next read begins.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The next read begins there.
    pub(super) fn go(&mut self, to: u64) {
        self.at = to;
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let mut bytes = [0; N];
        self.fill_exactly(&mut bytes)?;
        Ok(bytes)
    }

    /// The next `length` bytes, which are fewer than `most`.
    pub(super) fn bytes(&mut self, length: u64, most: usize) -> Result<Vec<u8>, Problem> {
        let length = usize::try_from(length).ok().filter(|length| *length <= most);
        let length = length.ok_or(Problem::Malformed("a part of it is too large"))?;
        if length as u64 > self.size.saturating_sub(self.at) {
            return Err(Problem::Malformed("it ends too early"));
        }
        let mut bytes = vec![0; length];
        self.fill_exactly(&mut bytes)?;
        Ok(bytes)
    }

    fn fill_exactly(&mut self, bytes: &mut [u8]) -> Result<(), Problem> {
        match self.read_exact(bytes) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.stopped.take().unwrap_or_else(|| error.into())),
        }
    }

    fn charge(&mut self, bytes: usize) -> io::Result<()> {
        let problem = match self.left.checked_sub(bytes as u64) {
            Some(left) => {
                self.left = left;
                if Instant::now() < self.deadline {
                    return Ok(());
                }
                Problem::Deadline
            }
            None => Problem::Budget,
        };
        let error = io::Error::other(problem.to_string());
        self.stopped = Some(problem);
        Err(error)
    }

    /// Bytes of the window from where the next read begins.
    fn ahead(&self) -> &[u8] {
        let skip = self.at.checked_sub(self.window_at).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.window.get(skip..)).unwrap_or_default()
    }

    /// Reads from the file, past the window.
    fn read_source(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.charge(bytes.len())?;
        self.source.seek(SeekFrom::Start(self.at))?;
        loop {
            match self.source.read(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }
}

impl Read for Input<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() || self.at >= self.size {
            return Ok(0);
        }
        if self.ahead().is_empty() {
            if out.len() >= WINDOW {
                let length = self.read_source(out)?;
                self.at += length as u64;
                return Ok(length);
            }
            let mut window = std::mem::take(&mut self.window);
            window.resize(WINDOW, 0);
            let length = self.read_source(&mut window)?;
            window.truncate(length);
            self.window = window;
            self.window_at = self.at;
        }
        let ahead = self.ahead();
        let length = ahead.len().min(out.len());
        if let (Some(out), Some(ahead)) = (out.get_mut(..length), ahead.get(..length)) {
            out.copy_from_slice(ahead);
        }
        self.at += length as u64;
        Ok(length)
    }
}

impl Seek for Input<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
