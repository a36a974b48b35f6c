//! What can be written.

use std::sync::Arc;

use rusqlite::params;

use super::batch::{Move, Removal};
use super::departures::{self, Departure};
use super::findings::{self, Finding};
use super::grants::{self, NewGrant};
use super::life;
use super::links::{self, NewLink};
use super::media::FoundFacts;
use super::queue::Tree;
use super::rows::Tx;
use super::{FileKey, FileRow, HidingRules, Recorded, Renamed, StateChange, VolumeKey, changes, sql, upkeep};

/// One write. The number it yields is an id or a count of rows, as noted.
#[derive(Debug)]
pub(super) enum Write {
    /// Yields the row's id.
    Upsert(FileKey, FileRow, Recorded),
    /// Yields the row's id.
    FirstSeen(FileKey, FileRow, Recorded),
    /// Only if there is a row of the same file.
    Mend(FileKey, FileRow),
    /// Only if there is a row, of this file.
    Refresh {
        key: FileKey,
        ino: u64,
        birth: u64,
        size: u64,
        mtime_ns: i64,
    },
    Remove(FileKey),
    /// Only if the row is still of this lower inode.
    RemoveGone(FileKey, u64, u64),
    RemoveDir(VolumeKey, u32, Vec<u8>),
    RenameFile {
        from: FileKey,
        to: FileKey,
        renamed: Renamed,
    },
    RenameDir {
        volume: VolumeKey,
        user: u32,
        from: Vec<u8>,
        to: Vec<u8>,
    },
    Hide(VolumeKey, u32, Vec<u8>),
    Show(VolumeKey, u32, Vec<u8>, HidingRules),
    Facts(Box<FoundFacts>),
    /// Yield how many rows were changed.
    States(Vec<(i64, StateChange)>),
    RemoveRows(Vec<Removal>),
    MoveRows(Vec<Move>),
    Depart(Vec<Departure>),
    Departed(VolumeKey, Departure),
    Saw(VolumeKey),
    /// Up to this generation files carry what their rows say.
    Marked(VolumeKey, i64),
    /// Yields the number of rows that got another owner.
    Disown(Box<str>, Vec<(i64, Option<Arc<str>>)>),
    /// Without a record the package is removed: its grants go with it, and its files are to be made nobody's.
    Package(Box<str>, Option<Box<str>>),
    /// Yields the id of the file's row; 0 if there is no such file.
    PutGrant(Box<NewGrant>),
    RemoveGrants(Vec<i64>),
    PutFinding(VolumeKey, u64, Box<Finding>),
    /// Yields the id of the file's row; 0 if there is no such file.
    PutLink(Box<NewLink>),
    /// Takes what it was given from a package in a user.
    DropLinkReader(Box<str>, u32),
    /// Yields the volume's id.
    Volume {
        name: Box<str>,
        kind: Box<str>,
        marker: Option<Box<str>>,
    },
    Reconciled(VolumeKey, bool),
    /// Some rows of a volume, or of one user on it; yields how many, less than asked for at the end.
    RemoveSome {
        volume: VolumeKey,
        user: Option<u32>,
        most: usize,
    },
    /// The volume itself, which has no rows any more.
    RemoveVolume(VolumeKey),
    /// Yields how many were forgotten.
    PruneTombstones {
        before: i64,
        keep: usize,
    },
}

impl Write {
    /// The volume whose index is wrong if this is lost and nobody is told.
    pub(super) fn volume(&self) -> Option<VolumeKey> {
        match self {
            Write::Upsert(key, ..)
            | Write::FirstSeen(key, ..)
            | Write::Mend(key, _)
            | Write::Refresh { key, .. }
            | Write::Remove(key)
            | Write::RemoveGone(key, ..) => Some(key.volume),
            Write::RenameFile { from, .. } => Some(from.volume),
            Write::RemoveDir(volume, ..)
            | Write::RenameDir { volume, .. }
            | Write::Hide(volume, ..)
            | Write::Show(volume, ..)
            | Write::Reconciled(volume, _) => Some(*volume),
            // What is lost of these is still due: files that were not scanned stay so, and who asked for the others
            // is told.
            Write::Facts(_)
            | Write::States(_)
            | Write::RemoveRows(_)
            | Write::MoveRows(_)
            | Write::Depart(_)
            | Write::Departed(..)
            | Write::Saw(_)
            | Write::Marked(..)
            | Write::Disown(..)
            | Write::Package(..)
            | Write::PutGrant(_)
            | Write::RemoveGrants(_)
            | Write::PutFinding(..)
            | Write::PutLink(_)
            | Write::DropLinkReader(..)
            | Write::Volume { .. }
            | Write::RemoveSome { .. }
            | Write::RemoveVolume(_)
            | Write::PruneTombstones { .. } => None,
        }
    }

    /// Whether one statement of it can change any number of rows.
    pub(super) fn changes_many(&self) -> bool {
        matches!(
            self,
            Write::RemoveDir(..)
                | Write::RenameDir { .. }
                | Write::Hide(..)
                | Write::Show(..)
                | Write::Package(..)
                | Write::Departed(..)
                | Write::DropLinkReader(..)
                | Write::RemoveSome { .. }
                | Write::RemoveVolume(_)
                | Write::PruneTombstones { .. }
        )
    }

    /// The directory that it hides or shows.
    pub(super) fn hides(&self) -> Option<Tree> {
        match self {
            Write::Hide(volume, user, dir) | Write::Show(volume, user, dir, _) => {
                Some((*volume, *user, dir.clone()))
            }
            _ => None,
        }
    }

    /// The directory that it moves away.
    pub(super) fn moves(&self) -> Option<Tree> {
        match self {
            Write::RenameDir { volume, user, from, .. } => Some((*volume, *user, from.clone())),
            _ => None,
        }
    }

    /// Does it.
    pub(super) fn apply(&self, tx: &mut Tx<'_>) -> rusqlite::Result<i64> {
        let changed = match self {
            Write::Upsert(key, row, recorded) => return tx.upsert(key, row, recorded),
            Write::FirstSeen(key, row, recorded) => return tx.first_seen(key, row, recorded),
            Write::Mend(key, row) => tx.mend(key, row)?.into(),
            Write::Refresh { key, ino, birth, size, mtime_ns } => {
                tx.refresh(key, (*ino, *birth), *size, *mtime_ns)?.into()
            }
            Write::Remove(key) => tx.remove(key, None)?.into(),
            Write::RemoveGone(key, ino, birth) => tx.remove(key, Some((*ino, *birth)))?.into(),
            Write::RemoveDir(volume, user, dir) => tx.remove_dir(*volume, *user, dir)?,
            Write::RenameFile { from, to, renamed } => match tx.look(from)? {
                Some((id, row)) => {
                    tx.rename(id, from, &row, to, renamed)?;
                    1
                }
                None if from != to => tx.remove(to, None)?.into(),
                None => 0,
            },
            Write::RenameDir { volume, user, from, to } => tx.rename_dir(*volume, *user, from, to)?,
            Write::Hide(volume, user, dir) => tx.hide(*volume, *user, dir)?,
            Write::Show(volume, user, dir, rules) => tx.show(*volume, *user, dir, *rules)?,
            Write::Facts(found) => tx.set_facts(found)?.into(),
            Write::States(all) => count(all, |(id, change)| tx.set_state(*id, change))?,
            Write::RemoveRows(all) => count(all, |it| tx.remove_row(it))?,
            Write::MoveRows(all) => count(all, |it| tx.move_row(it))?,
            Write::Depart(gone) => departures::depart(tx, gone)?,
            Write::Departed(volume, gone) => departures::departed(tx, *volume, gone)?,
            Write::Saw(volume) => upkeep::saw(tx, *volume)?,
            Write::Marked(volume, generation) => upkeep::set_marked(tx, *volume, *generation)?,
            Write::Disown(package, rows) => departures::disown(tx, package, rows)?,
            Write::Package(name, record) => {
                if record.is_none() {
                    tx.run(sql::GRANTS_REMOVE_OF, [name])?;
                    tx.run(sql::LINK_READERS_REMOVE_OF, [name])?;
                    departures::depart(tx, &[Departure { package: (**name).into(), user: None }])?;
                }
                tx.run(sql::PACKAGE_SET, params![name, record])?
            }
            Write::PutGrant(grant) => return grants::put(tx.conn, grant),
            Write::RemoveGrants(ids) => grants::remove(tx.conn, ids)?,
            Write::PutFinding(volume, ino, finding) => findings::put(tx, *volume, *ino, finding)?,
            Write::PutLink(link) => return links::put(tx, link),
            Write::DropLinkReader(package, user) => {
                tx.run(sql::LINK_READER_REMOVE, params![package, user])?
            }
            Write::Volume { name, kind, marker } => return life::volume(tx, name, kind, marker.as_deref()),
            Write::Reconciled(volume, done) => tx.run(sql::VOLUME_SET_RECONCILED, params![volume.0, done])?,
            Write::RemoveSome { volume, user, most } => life::remove_some(tx, *volume, *user, *most)?,
            Write::RemoveVolume(volume) => life::remove_volume(tx, *volume)?,
            Write::PruneTombstones { before, keep } => changes::prune(tx, *before, *keep)?,
        };
        Ok(i64::try_from(changed).unwrap_or(i64::MAX))
    }
}

fn count<T>(all: &[T], mut each: impl FnMut(&T) -> rusqlite::Result<bool>) -> rusqlite::Result<usize> {
    all.iter().try_fold(0, |sum, it| Ok(sum + usize::from(each(it)?)))
}
