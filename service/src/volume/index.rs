//! What the index is told about files that were looked at.
//!
//! Whoever looks at a file holds nothing that would keep it from being renamed or removed, and the write that results can
//! be queued behind that of the rename or the removal. So after each such write the place is looked at once more: what is
//! gone from there by then leaves the index, and what goes later takes its row along itself.

use std::os::fd::AsFd;
use std::sync::Arc;

use mediagate_policy::{MediaType, NameState, name_state};

use super::Volume;
use crate::access::Subject;
use crate::catalog::{FileKey, FileRow};
use crate::lower::{LowerError, Meta};
use crate::observe::Counter;

impl Volume {
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

    /// Everything at and below a directory became hidden in the index, or is shown again.
    pub fn hide_in_index(&self, dir: &Subject, hidden: bool) {
        let media_type_of = |mime: &str| MediaType::of_mime(mime) as u8;
        let path = dir.path().to_vec();
        self.catalog.set_media_types_below(self.key, dir.user_number(), path, hidden, media_type_of);
    }

    /// Puts a file that was found on the lower file system into the index, unless it is there. The caller has it open.
    pub fn index_first_seen(&self, subject: &Subject, owner: Option<Arc<str>>, meta: &Meta, hidden: bool) {
        if subject.is_invisible() {
            return;
        }
        self.index_again(subject, owner, meta, hidden, None);
    }

    /// Puts a file that was looked at into the index, which knew nothing of that name, or what is not so (`known`). The
    /// caller has it open.
    pub fn index_again(
        &self,
        subject: &Subject,
        owner: Option<Arc<str>>,
        meta: &Meta,
        hidden: bool,
        known: Option<&FileRow>,
    ) {
        let row = self.row_of(subject, owner, meta, hidden);
        let key = self.key_of(subject);
        match known {
            Some(old) if old.ino == row.ino => self.catalog.upsert(key, row),
            Some(old) => {
                // Not an upsert: a row that somebody has written for the new file since stays.
                self.catalog.remove_gone(key.clone(), old.ino);
                self.catalog.index_first_seen(key, row);
            }
            None => {
                self.observer.count(Counter::IndexedFirstSeen);
                self.catalog.index_first_seen(key, row);
            }
        }
        self.unless_gone(subject, meta);
    }

    /// Takes a file that was just indexed out again if it is no longer at its place. Its inode number is nobody else's while
    /// the caller has it open.
    fn unless_gone(&self, subject: &Subject, meta: &Meta) {
        let there = self.lower.open_path(subject.lower_path()).and_then(|fd| Meta::of(fd.as_fd()));
        let gone = match there {
            Ok(there) => there.id != meta.id,
            Err(error) => LowerError::is_not_found(error),
        };
        if gone {
            self.catalog.remove_gone(self.key_of(subject), meta.id.ino);
        }
    }
}
