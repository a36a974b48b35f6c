//! Reading a lower directory.

use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use rustix::fs::{FileType, RawDir, SeekFrom, seek};

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

/// Every servable entry of the directory that `dir` (opened for reading) refers to, in the directory's order:
/// without `.` and `..`, symbolic links, devices, sockets and pipes.
pub fn read_dir(dir: BorrowedFd<'_>) -> Result<Vec<DirEntry>, LowerError> {
    let mut entries = Vec::new();
    each_entry(dir, |name, kind, ino| entries.push(DirEntry { name: name.into(), kind, ino }))?;
    Ok(entries)
}

/// Calls `each` with name, kind (as far as the directory says) and inode number of what [`read_dir`] would list.
pub fn each_entry(
    dir: BorrowedFd<'_>,
    mut each: impl FnMut(&[u8], Option<FileKind>, u64),
) -> Result<(), LowerError> {
    seek(dir, SeekFrom::Start(0))?;
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
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            each(name, kind, entry.ino());
        }
    }
    Ok(())
}
