//! One pass over a volume.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use mediagate_policy::Kind;

use crate::access::{Subject, is_hidden_by_name, nomedia_counts_in};
use crate::catalog::{CatalogError, FileKey, FileRow};
use crate::lower::{FileKind, LowerError, Meta, read_dir};
use crate::volume::{OpError, Volume};

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
    /// Directories and files that could not be looked at.
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
    walk(volume, roots(volume), stop, &mut progress)?;
    for root in roots(volume) {
        gone_directories(volume, &root.path, stop, &mut progress)?;
    }
    Ok(progress)
}

/// Like [`reconcile`], for one directory, by its path below the lower root, whether it is there or not.
///
/// # Errors
///
/// As [`reconcile`].
pub fn reconcile_below(volume: &Volume, path: &[u8], stop: &AtomicBool) -> Result<Progress, CatalogError> {
    let mut progress = Progress::default();
    let Some(place) = Subject::new(volume.kind, path.to_vec(), Kind::Directory) else { return Ok(progress) };
    if place.is_mount_root() || !(volume.users.is_empty() || volume.users.contains(&place.user_number())) {
        return Ok(progress);
    }
    let above = path.iter().rposition(|b| *b == b'/').and_then(|slash| path.get(..slash)).unwrap_or_default();
    let hidden = Subject::new(volume.kind, above.to_vec(), Kind::Directory)
        .is_some_and(|above| volume.is_hidden_place(&above));
    walk(volume, vec![Todo { path: path.to_vec(), hidden }], stop, &mut progress)?;
    volume.catalog.flush_volume(volume.key)?;
    gone_directories(volume, path, stop, &mut progress)?;
    Ok(progress)
}

fn walk(
    volume: &Volume,
    mut todo: Vec<Todo>,
    stop: &AtomicBool,
    progress: &mut Progress,
) -> Result<(), CatalogError> {
    while let Some(dir) = todo.pop() {
        if stop.load(Relaxed) {
            break;
        }
        match directory(volume, &dir, stop, progress) {
            Ok(below) => todo.extend(below),
            Err(Failure::Catalog(error)) => return Err(error),
            // Gone meanwhile.
            Err(Failure::Lower(error)) if error.is_not_found() => {}
            Err(Failure::Lower(error)) => left_out(volume, progress, &error),
        }
    }
    Ok(())
}

/// The users' trees, or the whole volume.
fn roots(volume: &Volume) -> Vec<Todo> {
    if volume.users.is_empty() {
        return vec![Todo { path: Vec::new(), hidden: false }];
    }
    let user = |user: &u32| Todo { path: user.to_string().into_bytes(), hidden: false };
    volume.users.iter().map(user).collect()
}

/// Takes out the rows of directories, at and below `top`, that the walk could not come to, as they are no longer there.
fn gone_directories(
    volume: &Volume,
    top: &[u8],
    stop: &AtomicBool,
    progress: &mut Progress,
) -> Result<(), CatalogError> {
    let Some(place) = Subject::new(volume.kind, top.to_vec(), Kind::Directory) else { return Ok(()) };
    // The user's root: directories in the index are named from there.
    let above = top.get(..top.len() - place.path().len()).unwrap_or_default();
    let root = above.strip_suffix(b"/").unwrap_or(above);
    let mut last: Option<(Vec<u8>, bool)> = None;
    let mut check = |dir: &[u8], name: &[u8], row: &FileRow| {
        if stop.load(Relaxed) {
            return;
        }
        let known = last.take().filter(|(checked, _)| checked == dir);
        let (dir, gone) = known.unwrap_or_else(|| {
            let path = joined(root, dir);
            (dir.to_vec(), volume.lower.open_dir(&path).is_err_and(LowerError::is_not_found))
        });
        if gone {
            let key = FileKey {
                volume: volume.key,
                user: place.user_number(),
                dir: dir.clone(),
                name: name.to_vec(),
            };
            volume.catalog.remove_gone(key, row.ino);
            volume.access.grants().forget(volume.key.number(), row.ino);
            progress.removed += 1;
        }
        last = Some((dir, gone));
    };
    volume.catalog.for_each_below(volume.key, place.user_number(), place.path(), &mut check)
}

/// A name below a path.
fn joined(path: &[u8], name: &[u8]) -> Vec<u8> {
    let between: &[u8] = if path.is_empty() || name.is_empty() { b"" } else { b"/" };
    [path, between, name].concat()
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

/// Not ours to read, or the disk fails: the rest is looked at all the same.
fn left_out(volume: &Volume, progress: &mut Progress, error: &dyn std::error::Error) {
    log::debug!("volume={}: something is left out: {error}", volume.name);
    progress.failed += 1;
}

fn directory(
    volume: &Volume,
    dir: &Todo,
    stop: &AtomicBool,
    progress: &mut Progress,
) -> Result<Vec<Todo>, Failure> {
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
        if stop.load(Relaxed) {
            return Ok(Vec::new());
        }
        let kind = match entry.kind_in(fd.as_fd()) {
            Ok(Some(kind)) => kind,
            Ok(None) => continue,
            Err(error) => {
                left_out(volume, progress, &error);
                continue;
            }
        };
        let path = joined(&dir.path, &entry.name);
        if kind == FileKind::Directory {
            below.push(Todo { path, hidden });
            continue;
        }
        progress.files += 1;
        let Some(subject) = Subject::new(volume.kind, path, Kind::File) else { continue };
        // Its row stays among those whose file is looked for below until the file was seen.
        let hidden = hidden || is_hidden_by_name(subject.path());
        match volume.look_at(fd.as_fd(), &subject, hidden, rows.get(&*entry.name)) {
            Ok(looked) => {
                rows.remove(&*entry.name);
                progress.added += u64::from(looked.indexed);
            }
            Err(OpError::Lower(error)) if error.is_not_found() => {}
            Err(error) => left_out(volume, progress, &error),
        }
    }
    for (name, row) in rows {
        // It may have come back since the names were read.
        if Meta::at(fd.as_fd(), &name).is_err_and(LowerError::is_not_found) {
            volume.catalog.remove_gone(key(volume, &place, name), row.ino);
            volume.access.grants().forget(volume.key.number(), row.ino);
            progress.removed += 1;
        }
    }
    Ok(below)
}

fn key(volume: &Volume, dir: &Subject, name: Vec<u8>) -> FileKey {
    FileKey { volume: volume.key, user: dir.user_number(), dir: dir.path().to_vec(), name }
}
