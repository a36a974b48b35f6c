//! What the index is told about files that were looked at.
//!
//! Whoever looks at a file holds nothing that would keep it from being renamed or removed, and the write that results can
//! be queued behind that of the rename or the removal. So after each such write the place is looked at once more: what is
//! gone from there by then leaves the index, and what goes later takes its row along itself.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use mediagate_policy::{ExpiringName, NameState, media_type_of, name_state};

use super::{OpError, Volume};
use crate::access::{Subject, nomedia_counts_in};
use crate::catalog::{FileKey, FileRow, HidingRules, Renamed};
use crate::lower::{Id, LowerError, Meta};
use crate::observe::Counter;

/// What a look at a file found.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The package that owns it.
    pub owner: Option<Arc<str>>,
    /// Which file it is.
    pub id: Id,
    /// The index did not know it, or knew it as another.
    pub indexed: bool,
}

/// So often a file is looked at while others tell of it as well.
const LOOKS: usize = 4;

/// The policy's, for rows.
const HIDING_RULES: HidingRules = HidingRules {
    media_type: |path, mime| media_type_of(path, mime, false) as u8,
    hides: |path| match path.strip_suffix(b".nomedia") {
        Some([dir @ .., b'/']) => nomedia_counts_in(dir),
        // In the root it counts for nothing.
        _ => false,
    },
};

impl Volume {
    /// Where only the index knows who owns what, it is up to date before an operation is answered. While a write about the
    /// volume is lost nobody is told that anything was done: which of them it was is not known.
    pub fn settle_index(&self) -> Result<(), OpError> {
        if self.lower.has_xattrs() {
            return Ok(());
        }
        match self.catalog.flush_volume(self.key) {
            Ok(()) if !self.catalog.has_lost(self.key) => Ok(()),
            _ => Err(OpError::Index),
        }
    }

    /// The file's key in the catalog.
    pub fn key_of(&self, subject: &Subject) -> FileKey {
        FileKey {
            volume: self.key,
            user: subject.user_number(),
            dir: subject.dir().to_vec(),
            name: subject.name().to_vec(),
        }
    }

    /// The file's row for the catalog.
    pub fn row_of(&self, subject: &Subject, owner: Option<Arc<str>>, meta: &Meta, hidden: bool) -> FileRow {
        let state = name_state(subject.name());
        FileRow {
            expires: expires(subject.name()),
            birth: meta.id.generation,
            owner,
            mime: subject.mime().into(),
            media_type: subject.media_type(hidden) as u8,
            pending: state == NameState::Pending,
            trashed: state == NameState::Trashed,
            ino: meta.id.ino,
            size: meta.size,
            mtime_ns: meta.mtime_ns(),
        }
    }

    /// What the index is told of a file that got this name.
    pub fn renamed_to(&self, subject: &Subject, hidden: bool) -> Renamed {
        let state = name_state(subject.name());
        Renamed {
            mime: subject.mime().into(),
            media_type: subject.media_type(hidden) as u8,
            pending: state == NameState::Pending,
            trashed: state == NameState::Trashed,
            expires: expires(subject.name()),
        }
    }

    /// Everything at and below a directory became hidden in the index, or is shown again as far as nothing below hides it.
    pub fn hide_in_index(&self, dir: &Subject, hidden: bool) {
        let (user, path) = (dir.user_number(), dir.path().to_vec());
        if hidden {
            self.catalog.hide_below(self.key, user, path);
        } else {
            self.catalog.show_below(self.key, user, path, HIDING_RULES);
        }
    }

    /// Who owns the file of this name in `dir`, which refers to the file's directory. Its row (`known`) is believed if it
    /// describes the very file that is there and is not of another time ([`Volume::doubt_rows`]); else the file is asked, and
    /// indexed.
    pub fn look_at(
        &self,
        dir: BorrowedFd<'_>,
        subject: &Subject,
        hidden: bool,
        known: Option<&FileRow>,
    ) -> Result<Looked, OpError> {
        if let Some(row) = known {
            let meta = Meta::at(dir, subject.name())?;
            if self.describes(row, &meta) && !self.doubts_rows() {
                return Ok(Looked { owner: row.owner.clone(), id: meta.id, indexed: false });
            }
        }
        let fd = self.lower.open_child(dir, subject.name())?;
        let owner = self.recorded_owner(subject, fd.as_fd())?;
        let meta = Meta::of(fd.as_fd())?;
        if let Some(row) = known.filter(|row| self.describes(row, &meta)) {
            let differs = row.owner != owner;
            if differs {
                self.put_again(subject, FileRow { owner: owner.clone(), ..row.clone() }, &meta);
            }
            return Ok(Looked { owner, id: meta.id, indexed: differs });
        }
        self.index_again(fd.as_fd(), subject, owner.clone(), &meta, hidden, known);
        Ok(Looked { owner, id: meta.id, indexed: true })
    }

    /// Puts a file that was found on the lower file system into the index, unless it is there. The caller has it open
    /// (`fd`).
    pub fn index_first_seen(
        &self,
        fd: BorrowedFd<'_>,
        subject: &Subject,
        owner: Option<Arc<str>>,
        meta: &Meta,
        hidden: bool,
    ) {
        if subject.is_invisible() {
            return;
        }
        self.index_again(fd, subject, owner, meta, hidden, None);
    }

    /// Puts a file that was looked at into the index, which knew nothing of that name, or what is not so (`known`). The
    /// caller has it open (`fd`).
    pub fn index_again(
        &self,
        fd: BorrowedFd<'_>,
        subject: &Subject,
        owner: Option<Arc<str>>,
        meta: &Meta,
        hidden: bool,
        known: Option<&FileRow>,
    ) {
        let row = self.row_of(subject, owner, meta, hidden);
        let key = self.key_of(subject);
        let version = (row.size, row.mtime_ns);
        match known {
            Some(old) if old.is_of(row.ino, row.birth) => self.catalog.mend(key, row),
            Some(old) => {
                // Not an upsert: a row that somebody has written for the new file since stays.
                self.catalog.remove_gone(key.clone(), old.ino, old.birth);
                self.catalog.index_first_seen_recorded(key, row, self.recorded(fd, meta));
            }
            None => {
                self.observer.count(Counter::IndexedFirstSeen);
                self.catalog.index_first_seen_recorded(key, row, self.recorded(fd, meta));
            }
        }
        self.look_again(subject, meta.id, version);
    }

    /// Makes the row of a file what it should be, if it still has one. The caller has it open.
    pub fn put_again(&self, subject: &Subject, row: FileRow, meta: &Meta) {
        let version = (row.size, row.mtime_ns);
        self.catalog.mend(self.key_of(subject), row);
        self.look_again(subject, meta.id, version);
    }

    /// Tells the index of which version a file is that it has a row of. The caller has it open.
    ///
    /// Several threads may do so at once, and who looked first may tell last. So whoever has told looks again if somebody else told since
    /// the look: of any two, the one that told last has seen nothing older.
    pub fn tell_version(&self, subject: &Subject, fd: BorrowedFd<'_>, id: Id) {
        for _ in 0..LOOKS {
            let turn = self.indexed.turn(id, subject.lower_path());
            let Ok(meta) = Meta::of(fd) else { return };
            let version = (meta.size, meta.mtime_ns());
            let file = (meta.id.ino, meta.id.generation);
            self.catalog.refresh(self.key_of(subject), file, version.0, version.1);
            if self.was_told(id, subject, version) == turn {
                return;
            }
        }
        // Who of them was last is not known: the watch is to look at the file.
        self.indexed.forget_version(id, subject.lower_path());
    }

    /// The same, of a file that a row is about: where files cannot be told apart the row need not know its number.
    pub fn tell_version_of(&self, row: &FileRow, subject: &Subject, fd: BorrowedFd<'_>, meta: &Meta) {
        if row.is_of(meta.id.ino, meta.id.generation) {
            self.tell_version(subject, fd, meta.id);
        } else {
            let id = (row.ino, row.birth);
            self.catalog.refresh(self.key_of(subject), id, meta.size, meta.mtime_ns());
        }
    }

    /// Takes a file that was just indexed out again if it is no longer at its place, and tells of its version if that is another
    /// by now.
    fn look_again(&self, subject: &Subject, id: Id, version: (u64, i64)) {
        self.was_told(id, subject, version);
        let look = self.moves.look();
        let there = self.lower.open_path(subject.lower_path()).and_then(|fd| Ok((Meta::of(fd.as_fd())?, fd)));
        let gone = match there {
            Ok((there, fd)) if there.id == id => {
                if (there.size, there.mtime_ns()) != version {
                    self.tell_version(subject, fd.as_fd(), id);
                }
                false
            }
            Ok(_) => true,
            Err(error) => LowerError::is_not_found(error),
        };
        if gone {
            self.moves.if_gone(look, subject.lower_path(), || {
                self.catalog.remove_gone(self.key_of(subject), id.ino, id.generation);
            });
        }
    }
}

/// When a file of this name expires, in seconds since 1970.
fn expires(name: &[u8]) -> Option<i64> {
    ExpiringName::parse(name).map(|it| i64::try_from(it.expires).unwrap_or(i64::MAX))
}
