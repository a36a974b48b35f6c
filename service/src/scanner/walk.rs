//! One walk over a volume, or a part of it, that makes the index say what the lower tree says.
//!
//! A directory is two sorted lists, of names and of rows, that are gone through side by side: names are held in one
//! buffer, rows come in pages, so that a directory of any size takes little memory. A file whose row is right costs one
//! `statx` and is not opened; nothing is written that the index says already.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::SystemTime;

use mediagate_policy::Kind;

use super::hidden::{is_below_nomedia, is_hidden, is_hidden_tree};
use super::lists::{Names, PAGE, Rows};
use super::named::Named;
use super::progress::Progress;
use crate::access::{Subject, nomedia_counts_in};
use crate::catalog::{CatalogError, FileKey, FileRow};
use crate::lower::{FileKind, LowerError, Meta};
use crate::volume::{Listening, Look, OpError, Volume, Went};

/// Changes that are queued before the walk waits for their commit: a fraction of the catalog's queue, which is everybody's.
const UNCOMMITTED: u64 = 1024;

/// What a walk is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// A directory or file below the lower root; empty for all of the volume.
    pub path: Vec<u8>,
    /// Somebody asked for this walk and sees what it does: a tree without a single file is believed.
    pub believes_emptiness: bool,
}

/// How often a walk follows directories that are being renamed all the time.
const ROUNDS: usize = 4;

/// A directory to be looked at.
struct Todo {
    /// Below the lower root.
    path: Vec<u8>,
    /// Everything above is hidden.
    hidden: bool,
}

/// Walks until done or `stop`. One directory is in memory at a time, besides the names of those to come.
///
/// # Errors
///
/// When the catalog fails; what the lower file system refuses is counted and skipped.
pub fn walk(
    volume: &Volume,
    area: &Area,
    progress: &Progress,
    stop: &AtomicBool,
) -> Result<(), CatalogError> {
    let mut walk = Walk { volume, progress, stop, uncommitted: 0 };
    if area.path.is_empty() && !volume.users.is_empty() {
        for user in &volume.users {
            walk.tree(user.to_string().into_bytes(), area.believes_emptiness)?;
        }
        Ok(())
    } else {
        walk.tree(area.path.clone(), area.believes_emptiness)
    }
}

struct Walk<'a> {
    volume: &'a Volume,
    progress: &'a Progress,
    stop: &'a AtomicBool,
    uncommitted: u64,
}

/// A directory that is being looked at.
struct Place<'a> {
    subject: Subject,
    fd: BorrowedFd<'a>,
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

impl Walk<'_> {
    fn stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    fn tree(&mut self, root: Vec<u8>, believes_emptiness: bool) -> Result<(), CatalogError> {
        let Some(place) = Subject::new(self.volume.kind, root.clone(), Kind::Directory) else {
            return Ok(());
        };
        if !believes_emptiness && self.is_emptied(&place)? {
            self.progress.emptied.store(true, Relaxed);
            log::warn!(
                "volume={}: there is no file below {:?}, but the index knows some: its rows stay, as the lower directory \
                 may not be the one it was; `mediagate scan` removes them if it is",
                self.volume.name,
                String::from_utf8_lossy(&root)
            );
            return Ok(());
        }
        let kind = match self.volume.lower.open_path(&root).and_then(|fd| Meta::of(fd.as_fd())) {
            Ok(meta) => Some(meta.kind),
            Err(error) if error.is_not_found() => None,
            Err(error) => {
                self.left_out(&error);
                return Ok(());
            }
        };
        if kind == Some(FileKind::File) || kind.is_none() && !place.name().is_empty() {
            self.one_file(&root)?;
        }
        if kind != Some(FileKind::File) {
            let hidden = is_below_nomedia(self.volume, &place);
            let moved = self.volume.moves.listen();
            self.directories(vec![Todo { path: root.clone(), hidden }])?;
            self.moved(&root, &moved)?;
        }
        // A file may be where a directory was, too.
        self.gone_directories(&place)?;
        self.volume.catalog.flush_volume(self.volume.key)
    }

    /// Goes through directories and all below.
    fn directories(&mut self, mut todo: Vec<Todo>) -> Result<(), CatalogError> {
        while let Some(dir) = todo.pop() {
            if self.stopped() {
                return Ok(());
            }
            match self.directory(&dir, &mut todo) {
                Ok(()) => {}
                Err(Failure::Catalog(error)) => return Err(error),
                // Gone meanwhile.
                Err(Failure::Lower(error)) if error.is_not_found() => {}
                Err(Failure::Lower(error)) => self.left_out(&error),
            }
        }
        Ok(())
    }

    /// Goes through directories that were renamed during the walk, which may have met them at neither place.
    fn moved(&mut self, root: &[u8], moved: &Listening<'_>) -> Result<(), CatalogError> {
        for _ in 0..ROUNDS {
            // What was missed for a rename that is not told yet is told by then.
            self.volume.moves.settle();
            let went = moved.take();
            if went == Went::default() {
                return Ok(());
            }
            let to = if went.many { [root.to_vec()].into() } else { went.to };
            for path in to.into_iter().filter(|it| is_within(it, root)) {
                let place = Subject::new(self.volume.kind, path.clone(), Kind::Directory);
                let Some(place) = place else { continue };
                let hidden = is_below_nomedia(self.volume, &place);
                self.directories(vec![Todo { path, hidden }])?;
            }
        }
        // Whoever goes on renaming has files that are indexed when they are next seen.
        log::debug!("volume={}: directories are renamed faster than the walk can follow", self.volume.name);
        Ok(())
    }

    /// Not ours to read, or the disk fails: the rest is looked at all the same.
    fn left_out(&self, error: &dyn std::error::Error) {
        log::debug!("volume={}: something is left out: {error}", self.volume.name);
        Progress::add(&self.progress.failed, 1);
    }

    /// Makes room in the catalog's queue now and then.
    fn wrote(&mut self) -> Result<(), CatalogError> {
        self.uncommitted += 1;
        if self.uncommitted < UNCOMMITTED {
            return Ok(());
        }
        self.uncommitted = 0;
        self.volume.catalog.flush_volume(self.volume.key)
    }

    /// The file at `path` alone, or what the index has of it.
    fn one_file(&mut self, path: &[u8]) -> Result<(), CatalogError> {
        let Some(subject) = Subject::new(self.volume.kind, path.to_vec(), Kind::File) else { return Ok(()) };
        self.volume.catalog.flush_volume(self.volume.key)?;
        let known = self.volume.catalog.file(&self.volume.key_of(&subject))?;
        let parent = path.iter().rposition(|byte| *byte == b'/').and_then(|at| path.get(..at));
        let look = self.volume.moves.look();
        match self.volume.lower.open_dir(parent.unwrap_or_default()) {
            Ok(dir) => {
                let hidden = is_hidden(self.volume, &subject);
                let there = Meta::at(dir.as_fd(), subject.name());
                match there {
                    Ok(meta) if meta.kind == FileKind::File => {
                        self.file(dir.as_fd(), subject.name(), || path.to_vec(), hidden, known.as_ref())?;
                    }
                    Ok(_) => {}
                    Err(error) if error.is_not_found() => self.gone(look, &subject, known.as_ref()),
                    Err(error) => self.left_out(&error),
                }
            }
            Err(error) if error.is_not_found() => self.gone(look, &subject, known.as_ref()),
            Err(error) => self.left_out(&error),
        }
        Ok(())
    }

    /// A row's file is gone; the grants on it go with the row, if that is still the file's.
    fn removed(&self, look: Look, path: &[u8], key: FileKey, row: &FileRow) {
        // One that is being renamed takes its row along.
        let remove = || self.volume.catalog.remove_gone(key, row.ino, row.birth);
        if self.volume.moves.if_gone(look, path, remove) {
            Progress::add(&self.progress.removed, 1);
        }
    }

    fn gone(&self, look: Look, subject: &Subject, known: Option<&FileRow>) {
        if let Some(row) = known {
            self.removed(look, subject.lower_path(), self.volume.key_of(subject), row);
        }
    }

    fn directory(&mut self, dir: &Todo, todo: &mut Vec<Todo>) -> Result<(), Failure> {
        let Some(subject) = Subject::new(self.volume.kind, dir.path.clone(), Kind::Directory) else {
            return Ok(());
        };
        if subject.is_invisible() {
            return Ok(());
        }
        self.progress.is_at(&dir.path);
        Progress::add(&self.progress.directories, 1);
        // The index as of now, then the names: a file that comes in between is a name without a row, and is looked at.
        self.volume.catalog.flush_volume(self.volume.key)?;
        let mut rows = Rows::new(self.volume, &subject)?;
        let looked = SystemTime::now();
        let fd = self.volume.lower.open_dir_for_reading(&dir.path)?;
        let meta = Meta::of(fd.as_fd())?;
        let mut right = true;
        let names = Names::read(fd.as_fd())?;
        let nomedia = nomedia_counts_in(subject.path())
            && names.iter().any(|(name, kind)| name == b".nomedia" && kind != Some(FileKind::Directory));
        let hidden = dir.hidden || nomedia || is_hidden_tree(subject.path());
        let place = Place { subject, fd: fd.as_fd() };
        for (name, kind) in names.iter() {
            if self.stopped() {
                return Ok(());
            }
            while let Some((name, row)) = rows.next_if(|row| row < name)? {
                self.row_without_name(&place, name, &row)?;
            }
            if self.volume.lower.is_alias(name) {
                continue;
            }
            let kind = match kind {
                Some(kind) => kind,
                None => match Meta::at(place.fd, name) {
                    Ok(meta) => meta.kind,
                    Err(error) => {
                        right = false;
                        if !error.is_not_found() {
                            self.left_out(&error);
                        }
                        continue;
                    }
                },
            };
            if kind == FileKind::Directory {
                todo.push(Todo { path: joined(&dir.path, name), hidden });
                continue;
            }
            let known = rows.next_if(|row| row == name)?;
            let known = known.map(|(_, row)| row);
            right &= self.file(place.fd, name, || joined(&dir.path, name), hidden, known.as_ref())?;
        }
        while let Some((name, row)) = rows.next()? {
            self.row_without_name(&place, name, &row)?;
        }
        if right && !self.stopped() {
            self.volume.was_right_about(&dir.path, &meta, looked);
        }
        Ok(())
    }

    /// A row whose name was not among the directory's.
    fn row_without_name(
        &mut self,
        place: &Place<'_>,
        name: Vec<u8>,
        row: &FileRow,
    ) -> Result<(), CatalogError> {
        let look = self.volume.moves.look();
        // It may have come back since the names were read.
        if !self.stopped() && Meta::at(place.fd, &name).is_err_and(LowerError::is_not_found) {
            let path = joined(place.subject.lower_path(), &name);
            let key = FileKey {
                volume: self.volume.key,
                user: place.subject.user_number(),
                dir: place.subject.path().to_vec(),
                name,
            };
            self.removed(look, &path, key, row);
            self.wrote()?;
        }
        Ok(())
    }

    /// A file `name` in the directory that `fd` refers to; `path` gives its path below the lower root. True if its row said what
    /// is there.
    fn file(
        &mut self,
        fd: BorrowedFd<'_>,
        name: &[u8],
        path: impl FnOnce() -> Vec<u8>,
        hidden: bool,
        known: Option<&FileRow>,
    ) -> Result<bool, CatalogError> {
        Progress::add(&self.progress.files, 1);
        let meta = match Meta::at(fd, name) {
            Ok(meta) => meta,
            Err(error) => {
                if !error.is_not_found() {
                    self.left_out(&error);
                }
                return Ok(false);
            }
        };
        if !self.volume.doubts_rows() && known.is_some_and(|row| self.is_right(row, name, hidden, &meta)) {
            return Ok(true);
        }
        let Some(subject) = Subject::new(self.volume.kind, path(), Kind::File) else { return Ok(false) };
        if subject.is_invisible() {
            // It is no file of the index.
            return Ok(known.is_none());
        }
        match self.mend(fd, &subject, hidden, known) {
            Ok(true) => self.wrote().map(|()| false),
            Ok(false) => Ok(true),
            Err(OpError::Lower(error)) if error.is_not_found() => Ok(false),
            Err(error) => {
                self.left_out(&error);
                Ok(false)
            }
        }
    }

    /// Whether a row says what there is: the file, its version, and what follows from its name and place.
    fn is_right(&self, row: &FileRow, name: &[u8], hidden: bool, meta: &Meta) -> bool {
        let version = row.size == meta.size && row.mtime_ns == meta.mtime_ns();
        version && self.volume.describes(row, meta) && Named::new(name, &row.mime, hidden).is_in(row)
    }

    /// Makes a row right; true if it was not.
    fn mend(
        &self,
        fd: BorrowedFd<'_>,
        subject: &Subject,
        hidden: bool,
        known: Option<&FileRow>,
    ) -> Result<bool, OpError> {
        let volume = self.volume;
        let file = volume.lower.open_child(fd, subject.name())?;
        let meta = Meta::of(file.as_fd())?;
        match known {
            Some(row) if volume.describes(row, &meta) => {
                // The same file: its owner is known, if the row is not doubted, and what its contents said of its type is
                // still so.
                let owner = match volume.doubts_rows() {
                    true => volume.recorded_owner(subject, file.as_fd())?,
                    false => row.owner.clone(),
                };
                let right = FileRow { owner, ..Named::new(subject.name(), &row.mime, hidden).put_into(row) };
                let is_current = (row.size, row.mtime_ns) == (meta.size, meta.mtime_ns());
                if is_current && right == *row {
                    return Ok(false);
                }
                if right != *row {
                    volume.put_again(subject, right, &meta);
                }
                if !is_current {
                    volume.tell_version_of(row, subject, file.as_fd(), &meta);
                }
                Progress::add(&self.progress.changed, 1);
            }
            known => {
                let owner = volume.recorded_owner(subject, file.as_fd())?;
                volume.index_again(file.as_fd(), subject, owner, &meta, hidden, known);
                let number = if known.is_some() { &self.progress.changed } else { &self.progress.added };
                Progress::add(number, 1);
            }
        }
        Ok(true)
    }

    /// Takes out the rows of directories that the walk could not come to, as they are no longer there.
    fn gone_directories(&mut self, root: &Subject) -> Result<(), CatalogError> {
        let (volume, user) = (self.volume, root.user_number());
        let catalog = &volume.catalog;
        let mut last: Option<Vec<u8>> = None;
        while let Some(dir) = catalog.next_dir(volume.key, user, root.path(), last.as_deref())? {
            if self.stopped() {
                break;
            }
            // What stands before the user's tree in lower paths.
            let before = root.lower_path().strip_suffix(root.path()).unwrap_or_default();
            let lower_path = joined(before.strip_suffix(b"/").unwrap_or(before), &dir);
            let is_gone = || volume.lower.open_dir(&lower_path).is_err_and(LowerError::is_not_found);
            if is_gone() {
                let mut after = Vec::new();
                loop {
                    let page = catalog.dir_page(volume.key, user, &dir, &after, PAGE)?;
                    let Some((name, _)) = page.last() else { break };
                    let look = volume.moves.look();
                    // These rows are from before this look: a directory that was made again has others.
                    if !is_gone() {
                        break;
                    }
                    after = name.clone();
                    for (name, row) in page {
                        let path = joined(&lower_path, &name);
                        let key = FileKey { volume: volume.key, user, dir: dir.clone(), name };
                        self.removed(look, &path, key, &row);
                        self.wrote()?;
                    }
                }
            }
            last = Some(dir);
        }
        Ok(())
    }

    /// Whether the index knows files in a tree that has none at all.
    fn is_emptied(&self, root: &Subject) -> Result<bool, CatalogError> {
        let volume = self.volume;
        if volume.catalog.next_dir(volume.key, root.user_number(), root.path(), None)?.is_none() {
            return Ok(false);
        }
        let mut todo = vec![root.lower_path().to_vec()];
        while let Some(dir) = todo.pop() {
            let Ok(fd) = volume.lower.open_dir_for_reading(&dir) else { continue };
            let Ok(names) = Names::read(fd.as_fd()) else { return Ok(false) };
            for (name, kind) in names.iter() {
                match kind {
                    Some(FileKind::Directory) => todo.push(joined(&dir, name)),
                    Some(FileKind::File) => return Ok(false),
                    None => match Meta::at(fd.as_fd(), name).map(|meta| meta.kind) {
                        Ok(FileKind::Directory) => todo.push(joined(&dir, name)),
                        _ => return Ok(false),
                    },
                }
            }
        }
        Ok(true)
    }
}

/// A name below a path.
fn joined(path: &[u8], name: &[u8]) -> Vec<u8> {
    let between: &[u8] = if path.is_empty() || name.is_empty() { b"" } else { b"/" };
    [path, between, name].concat()
}

fn is_within(path: &[u8], root: &[u8]) -> bool {
    match path.strip_prefix(root) {
        Some(rest) => root.is_empty() || rest.is_empty() || rest.starts_with(b"/"),
        None => false,
    }
}
