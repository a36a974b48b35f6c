//! What a directory's listing shows to a caller.
//!
//! Directories are never hidden but for the rules about `Android/data` and `obb`, which OPENDIR has applied, and which are
//! applied again when the listing is made: the directory may have been moved to where the caller has no business.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::SystemTime;

use mediagate_policy::{Kind, ListScope, Operation};

use super::lookup::{Effort, answer, is_unserved_user};
use super::owners::Owners;
use super::{Entry, OpError};
use crate::access::{RowFacts, Subject, Who};
use crate::catalog::FileRow;
use crate::lower::{DirEntry, FileKind, Id, Meta, read_dir, read_listing};
use crate::node::File;
use crate::volume::{DirHandle, Listed, Volume};

/// No file is replaced more often while it is looked at.
const ATTEMPTS: usize = 4;

/// An entry of a listing with its attributes, for READDIRPLUS. `None` if it is gone meanwhile; any other failure is the
/// listing's, so that nobody takes a file that cannot be looked at for one that is not there.
pub fn plus_entry(volume: &Volume, handle: &DirHandle, listed: &Listed) -> Result<Option<Entry>, OpError> {
    let who = volume.access.who(handle.uid);
    let mut attempt = 1;
    loop {
        let dir = (&handle.file, handle.fd.as_fd());
        let found = Meta::at(handle.fd.as_fd(), &listed.name)
            .map_err(OpError::from)
            .and_then(|meta| answer(volume, &who, dir, &listed.name, &meta, Effort::NoLook));
        match found {
            Ok(entry) => return Ok(Some(entry)),
            Err(OpError::NoEntry) => return Ok(None),
            Err(OpError::Lower(error)) if error.is_not_found() => return Ok(None),
            // Replaced between two looks: the next one is at what is there now.
            Err(OpError::Stale) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// What a caller is shown.
pub(super) struct Shown {
    pub(super) entries: Vec<Listed>,
    /// That is all there is.
    pub(super) all: bool,
    /// The caller held grants on single files.
    pub(super) by_grants: bool,
}

/// What is to be shown from a place in the directory on.
pub(super) fn make(volume: &Volume, handle: &DirHandle, from: u64) -> Result<Shown, OpError> {
    let looked = SystemTime::now();
    let fd = handle.fd.as_fd();
    let listed: Vec<Listed> = of_kinds(fd, read_listing(fd, from)?)?
        .into_iter()
        .map(|(entry, kind)| Listed { name: entry.name, kind, ino: entry.ino, next: entry.next })
        .collect();
    // Read first, then asked: what was read was there before a move that is not known yet.
    let who = volume.access.who(handle.uid);
    let place = volume.place_of(&handle.file)?;
    let scope = volume.access.check(&who, &place, Operation::OpenDir)?.scope;
    let there = listed.len();
    let entries = if place.is_mount_root() {
        let is_shown = |entry: &Listed| entry.is_dot() || is_served_user(volume, handle, entry);
        listed.into_iter().filter(is_shown).collect()
    } else {
        match scope {
            ListScope::Everything => listed,
            ListScope::Filtered => filter(volume, handle, &who, listed, (from == 0).then_some(looked))?,
        }
    };
    let all = entries.len() == there;
    Ok(Shown { entries, all, by_grants: who.holds_grants() })
}

fn is_served_user(volume: &Volume, handle: &DirHandle, entry: &Listed) -> bool {
    volume
        .subject_at(&handle.file, &entry.name, entry.kind)
        .is_some_and(|subject| entry.kind == FileKind::Directory && !is_unserved_user(volume, &subject))
}

/// Keeps the directories, and the files that the caller may see: one query for the directory, and a look at the file
/// itself only where the index may know another, or knows none. All of the directory was read after `looked`, if that is given.
fn filter(
    volume: &Volume,
    handle: &DirHandle,
    who: &Who,
    listed: Vec<Listed>,
    looked: Option<SystemTime>,
) -> Result<Vec<Listed>, OpError> {
    if listed.iter().all(|entry| entry.kind == FileKind::Directory) {
        return Ok(listed);
    }
    let facts = Facts::of(volume, handle, listed.len())?;
    let mut shown = Vec::new();
    for entry in listed {
        if entry.kind == FileKind::Directory || facts.shows(who, &entry)? {
            shown.push(entry);
        }
    }
    if let Some(looked) = looked
        && facts.has_looked()
        && facts.right.get()
    {
        volume.was_right_about(&facts.dir, &facts.meta, looked);
    }
    Ok(shown)
}

/// The rows of a directory, by name.
type ByName = HashMap<Vec<u8>, FileRow>;

enum Rows {
    /// They are known to be those of the files that were in the directory when it was read.
    Believed(Owners),
    /// Each file is to be looked at.
    Doubted(ByName),
}

/// What is known about the files of one directory.
pub(super) struct Facts<'a> {
    volume: &'a Volume,
    /// Where a name of the directory is below the lower root: what stands before the name.
    prefix: Vec<u8>,
    fd: BorrowedFd<'a>,
    rows: Rows,
    hidden: bool,
    /// Path and attributes of the directory, the latter as they were after it was read.
    dir: Vec<u8>,
    meta: Meta,
    /// Each file that was looked at was as its row says.
    right: Cell<bool>,
}

impl<'a> Facts<'a> {
    /// Of a directory in which so many names were read.
    fn of(volume: &'a Volume, handle: &'a DirHandle, names: usize) -> Result<Facts<'a>, OpError> {
        Self::about(volume, &handle.file, handle.fd.as_fd(), Some(names))
    }

    /// Of the directory that `fd` refers to, which has been read: each file is to be looked at.
    pub(super) fn new(
        volume: &'a Volume,
        dir: &'a Arc<File>,
        fd: BorrowedFd<'a>,
    ) -> Result<Facts<'a>, OpError> {
        Self::about(volume, dir, fd, None)
    }

    fn about(
        volume: &'a Volume,
        dir: &'a Arc<File>,
        fd: BorrowedFd<'a>,
        to_believe: Option<usize>,
    ) -> Result<Facts<'a>, OpError> {
        let place = volume.place_of(dir)?;
        let meta = Meta::of(fd)?;
        let to_believe = to_believe.filter(|_| volume.is_right_about(place.lower_path(), &meta));
        let (catalog, user) = (&volume.catalog, place.user_number());
        // What was created before this listing began is in it.
        let rows = catalog.flush_volume(volume.key).and_then(|()| {
            if let Some(names) = to_believe {
                Owners::read(catalog, volume.key, user, place.path(), names).map(Rows::Believed)
            } else {
                catalog.list_dir(volume.key, user, place.path()).map(Rows::Doubted)
            }
        });
        let rows = match rows {
            Ok(rows) => rows,
            // Slower, and as right: each file is asked itself.
            Err(_) if volume.lower.has_xattrs() => Rows::Doubted(ByName::new()),
            Err(_) => return Err(OpError::Index),
        };
        let hidden = volume.is_hidden_dir(dir, place.path());
        let dir = place.lower_path().to_vec();
        let mut prefix = dir.clone();
        if !prefix.is_empty() {
            prefix.push(b'/');
        }
        Ok(Facts { volume, prefix, fd, rows, hidden, dir, meta, right: Cell::new(true) })
    }

    fn has_looked(&self) -> bool {
        matches!(self.rows, Rows::Doubted(_))
    }

    fn shows(&self, who: &Who, entry: &Listed) -> Result<bool, OpError> {
        let subject = match self.believed(entry) {
            Some(subject) => Some(subject),
            None => self.subject(&entry.name)?,
        };
        Ok(subject.is_some_and(|subject| self.volume.access.shows(who, &subject, Operation::ListEntry)))
    }

    /// What the index says of an entry, if its row is of the inode that the directory names, and no file with that number can have
    /// taken the place of another one since.
    fn believed(&self, entry: &Listed) -> Option<Subject> {
        let Rows::Believed(owners) = &self.rows else { return None };
        let (owner, birth) = owners.get(&entry.name, entry.ino)?;
        let subject = self.named(&entry.name)?;
        let media_type = subject.media_type(self.is_hidden(&subject));
        let file = Some(self.volume.file_id(Id { ino: entry.ino, generation: birth }));
        Some(subject.with_row(Some(RowFacts { owner: owner.cloned(), media_type, file })))
    }

    fn named(&self, name: &[u8]) -> Option<Subject> {
        Subject::new(self.volume.kind, [&self.prefix, name].concat(), Kind::File)
    }

    fn is_hidden(&self, subject: &Subject) -> bool {
        self.hidden || crate::access::is_hidden_by_name(subject.path())
    }

    /// A file of the directory as the object of a decision; `None` if it is gone.
    pub(super) fn subject(&self, name: &[u8]) -> Result<Option<Subject>, OpError> {
        let Some(subject) = self.named(name) else { return Ok(None) };
        if subject.is_invisible() {
            return Ok(Some(subject));
        }
        let hidden = self.is_hidden(&subject);
        let row = match &self.rows {
            Rows::Doubted(rows) => rows.get(name).map(Cow::Borrowed),
            // Another file than the directory named, or none by now. Who cannot be asked is not: the file is.
            Rows::Believed(_) => {
                let row = self.volume.catalog.file(&self.volume.key_of(&subject));
                row.ok().flatten().map(Cow::Owned)
            }
        };
        let looked = match self.volume.look_at(self.fd, &subject, hidden, row.as_deref()) {
            Err(OpError::Lower(error)) if error.is_not_found() => {
                self.right.set(false);
                return Ok(None);
            }
            other => other?,
        };
        if looked.indexed || row.is_none_or(|row| row.birth != looked.id.generation) {
            self.right.set(false);
        }
        let media_type = subject.media_type(hidden);
        let file = Some(self.volume.file_id(looked.id));
        Ok(Some(subject.with_row(Some(RowFacts { owner: looked.owner, media_type, file }))))
    }
}

/// The entries of a lower directory that are regular files or directories.
pub(super) fn served(fd: BorrowedFd<'_>) -> Result<Vec<(DirEntry, FileKind)>, OpError> {
    of_kinds(fd, read_dir(fd)?)
}

fn of_kinds(fd: BorrowedFd<'_>, entries: Vec<DirEntry>) -> Result<Vec<(DirEntry, FileKind)>, OpError> {
    let mut served = Vec::new();
    for entry in entries {
        if let Some(kind) = entry.kind_in(fd)? {
            served.push((entry, kind));
        }
    }
    Ok(served)
}
