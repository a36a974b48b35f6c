//! One pass over a volume.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use mediagate_policy::Kind;

use crate::access::{Subject, is_hidden_by_name, nomedia_counts_in};
use crate::catalog::{CatalogError, FileKey, FileRow};
use crate::lower::{FileKind, LowerError, Meta, read_dir};
use crate::volume::Volume;

/// What a pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Directories looked at.
    pub directories: u64,
    /// Files looked at.
    pub files: u64,
    /// Files that the index did not know, or knew as another.
    pub added: u64,
    /// Rows whose file is gone.
    pub removed: u64,
    /// Directories that could not be read.
    pub failed: u64,
}

/// A directory to be looked at.
struct Todo {
    /// Below the lower root.
    path: Vec<u8>,
    /// Everything above is hidden.
    hidden: bool,
}

/// Walks the volume until done or `stop`. One directory is in memory at a time, besides the names of those to come.
///
/// # Errors
///
/// When the catalog fails; what the lower file system refuses is counted and skipped.
pub fn reconcile(volume: &Volume, stop: &AtomicBool) -> Result<Progress, CatalogError> {
    let mut progress = Progress::default();
    let mut todo: Vec<Todo> = if volume.users.is_empty() {
        vec![Todo { path: Vec::new(), hidden: false }]
    } else {
        let user = |user: &u32| Todo { path: user.to_string().into_bytes(), hidden: false };
        volume.users.iter().map(user).collect()
    };
    while let Some(dir) = todo.pop() {
        if stop.load(Relaxed) {
            break;
        }
        match directory(volume, &dir, &mut progress) {
            Ok(below) => todo.extend(below),
            Err(Failure::Catalog(error)) => return Err(error),
            // Gone meanwhile, or not ours to read.
            Err(Failure::Lower(error)) => {
                log::debug!("volume={}: a directory is left out: {error}", volume.name);
                progress.failed += 1;
            }
        }
    }
    Ok(progress)
}

enum Failure {
    Catalog(CatalogError),
    Lower(LowerError),
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        Failure::Catalog(error)
    }
}

impl From<LowerError> for Failure {
    fn from(error: LowerError) -> Self {
        Failure::Lower(error)
    }
}

fn directory(volume: &Volume, dir: &Todo, progress: &mut Progress) -> Result<Vec<Todo>, Failure> {
    let Some(place) = Subject::new(volume.kind, dir.path.clone(), Kind::Directory) else {
        return Ok(Vec::new());
    };
    if place.is_invisible() {
        return Ok(Vec::new());
    }
    progress.directories += 1;
    // First the rows, then the names: a file that comes in between is a name without a row, and is looked at.
    volume.catalog.flush_volume(volume.key)?;
    let mut rows = volume.catalog.list_dir(volume.key, place.user_number(), place.path())?;
    let fd = volume.lower.open_dir_for_reading(&dir.path)?;
    let entries = read_dir(fd.as_fd())?;
    let nomedia = nomedia_counts_in(place.path()) && entries.iter().any(|entry| &*entry.name == b".nomedia");
    let hidden = dir.hidden || nomedia || is_hidden_by_name(place.path());

    let mut below = Vec::new();
    for entry in &entries {
        let mut path = dir.path.clone();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(&entry.name);
        let kind = match entry.kind {
            Some(kind) => kind,
            None => Meta::at(fd.as_fd(), &entry.name)?.kind,
        };
        if kind == FileKind::Directory {
            below.push(Todo { path, hidden });
            continue;
        }
        progress.files += 1;
        let row = rows.remove(&*entry.name);
        let known = match &row {
            Some(row) => Meta::at(fd.as_fd(), &entry.name).is_ok_and(|meta| volume.describes(row, &meta)),
            None => false,
        };
        if !known && add(volume, fd.as_fd(), path, &entry.name, hidden, row.as_ref()).is_ok() {
            progress.added += 1;
        }
    }
    for (name, row) in rows {
        // It may have come back since the names were read.
        if Meta::at(fd.as_fd(), &name).is_err_and(LowerError::is_not_found) {
            volume.catalog.remove_gone(key(volume, &place, name), row.ino);
            progress.removed += 1;
        }
    }
    Ok(below)
}

fn key(volume: &Volume, dir: &Subject, name: Vec<u8>) -> FileKey {
    FileKey { volume: volume.key, user: dir.user_number(), dir: dir.path().to_vec(), name }
}

fn add(
    volume: &Volume,
    dir: BorrowedFd<'_>,
    path: Vec<u8>,
    name: &[u8],
    hidden: bool,
    known: Option<&FileRow>,
) -> Result<(), crate::volume::OpError> {
    let Some(subject) = Subject::new(volume.kind, path, Kind::File) else { return Ok(()) };
    let fd = volume.lower.open_child(dir, name)?;
    let owner = volume.recorded_owner(&subject, fd.as_fd())?;
    let meta = Meta::of(fd.as_fd())?;
    let hidden = hidden || is_hidden_by_name(subject.path());
    volume.index_again(&subject, owner, &meta, hidden, known);
    Ok(())
}
