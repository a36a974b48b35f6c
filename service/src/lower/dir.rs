//! Reading a lower directory.

use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use rustix::fs::{FileType, Mode, OFlags, RawDir, SeekFrom, openat, seek};

use super::{FileKind, LowerError, Meta};

/// Bytes asked for by one `getdents64`.
const BUFFER: usize = 64 * 1024;

/// One name of a lower directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The name.
    pub name: Box<[u8]>,
    /// Its kind; `None` if the file system does not say.
    pub kind: Option<FileKind>,
    /// Its inode number as the directory has it.
    pub ino: u64,
    /// Where in the directory the next one is: what its file system goes on from, whatever came or went.
    pub next: u64,
}

impl DirEntry {
    /// Its kind, for which the file is asked if the directory does not say; `None` if it is nothing that can be served, or
    /// gone.
    pub fn kind_in(&self, dir: BorrowedFd<'_>) -> Result<Option<FileKind>, LowerError> {
        match self.kind {
            Some(kind) => Ok(Some(kind)),
            None => match Meta::at(dir, &self.name) {
                Ok(meta) => Ok(Some(meta.kind)),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(error),
            },
        }
    }
}

/// The name in the directory `dir` (`O_PATH` is enough) that is `name` itself, or that of the inode, whichever comes first.
pub(super) fn name_of(dir: BorrowedFd<'_>, name: &[u8], ino: u64) -> Result<Option<Box<[u8]>>, LowerError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let readable = openat(dir, ".", flags, Mode::empty())?;
    let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
    let mut raw = RawDir::new(readable, &mut buffer);
    while let Some(entry) = raw.next() {
        let entry = entry?;
        let found = entry.file_name().to_bytes();
        if found == name || entry.ino() == ino {
            return Ok(Some(found.into()));
        }
    }
    Ok(None)
}

/// Every servable entry of the directory that `dir` (opened for reading) refers to, in the directory's order:
/// without `.` and `..`, symbolic links, devices, sockets and pipes.
pub fn read_dir(dir: BorrowedFd<'_>) -> Result<Vec<DirEntry>, LowerError> {
    let mut entries = read_listing(dir, 0)?;
    entries.retain(|entry| !is_dot(&entry.name));
    Ok(entries)
}

/// The same with `.` and `..`, from a place in the directory on: the beginning, 0, or what an entry has as `next`.
pub fn read_listing(dir: BorrowedFd<'_>, from: u64) -> Result<Vec<DirEntry>, LowerError> {
    let mut entries = Vec::new();
    each(dir, from, |name, kind, ino, next| {
        entries.push(DirEntry { name: name.into(), kind, ino, next });
    })?;
    Ok(entries)
}

/// Calls `found` with name and kind (as far as the directory says) of what [`read_dir`] would list.
pub fn each_entry(
    dir: BorrowedFd<'_>,
    mut found: impl FnMut(&[u8], Option<FileKind>),
) -> Result<(), LowerError> {
    each(dir, 0, |name, kind, _, _| {
        if !is_dot(name) {
            found(name, kind);
        }
    })
}

/// True for the two names that every directory has.
pub fn is_dot(name: &[u8]) -> bool {
    matches!(name, b"." | b"..")
}

fn each(
    dir: BorrowedFd<'_>,
    from: u64,
    mut found: impl FnMut(&[u8], Option<FileKind>, u64, u64),
) -> Result<(), LowerError> {
    seek(dir, SeekFrom::Start(from))?;
    let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
    let mut raw = RawDir::new(dir, &mut buffer);
    while let Some(entry) = raw.next() {
        let entry = entry?;
        let kind = match entry.file_type() {
            FileType::RegularFile => Some(FileKind::File),
            FileType::Directory => Some(FileKind::Directory),
            FileType::Unknown => None,
            _ => continue,
        };
        found(entry.file_name().to_bytes(), kind, entry.ino(), entry.next_entry_cookie());
    }
    Ok(())
}
