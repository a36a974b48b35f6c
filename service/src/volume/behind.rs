//! What a change of the lower tree behind the mount does: the one door for it.
//!
//! Whoever watches says which name in which directory changed; what is there is looked at here and now, and the kernel, the
//! nodes and the index are brought in line with it. So it does not matter how often or in which order changes are told, nor
//! whether they were our own: where everything is as it should be nothing is written. Only renames are told
//! as such, in their order, so that rows keep their ids.
//!
//! Not from within a FUSE request: notices wait for room here (see [`super::Notices`]).

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use mediagate_policy::Kind;

use super::{Notice, OpError, Volume};
use crate::access::{Subject, is_hidden_by_name};
use crate::catalog::{CatalogError, FileKey, FileRow};
use crate::lower::{FileKind, LowerError, Meta};
use crate::node::{File, Hushed, NodeId, View};
use crate::observe::Counter;

/// What happened to a name, as far as that is known; several of them at once where it happened often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// It came: made, or moved here.
    pub came: bool,
    /// It went: removed, or moved away.
    pub went: bool,
    /// It was or is a directory.
    pub is_dir: bool,
    /// A directory with content that nobody tells about came here.
    pub whole: bool,
    /// Certainly not by ourselves.
    pub foreign: bool,
}

impl Change {
    /// Bytes or attributes changed.
    pub const CONTENT: Change =
        Change { came: false, went: false, is_dir: false, whole: false, foreign: false };

    /// Both of them.
    #[must_use]
    pub fn and(self, other: Change) -> Change {
        Change {
            came: self.came || other.came,
            went: self.went || other.went,
            is_dir: self.is_dir || other.is_dir,
            whole: self.whole || other.whole,
            foreign: self.foreign || other.foreign,
        }
    }
}

/// What came out when the kernel was made to forget a name.
#[derive(Debug, Default)]
pub struct Found {
    /// The index need not hear of the change. If false it may still know.
    pub is_told: bool,
    /// The file, if somebody has it open for writing, bytes or attributes are all that changed, and this is its only name.
    pub written: Option<Arc<File>>,
}

/// The name that stands for the directory itself.
const ITSELF: &[u8] = b".";

/// A directory in which something changed behind the mount.
#[derive(Debug)]
pub struct BehindDir<'a> {
    volume: &'a Volume,
    path: Vec<u8>,
    /// `None` if it is no longer there.
    fd: Option<OwnedFd>,
    /// As far as the kernel knows it.
    file: Option<Arc<File>>,
    /// Everything in it is hidden, once that was asked.
    hidden: Option<bool>,
}

impl Volume {
    /// A directory in which something changed, by its path below the lower root.
    pub fn behind(&self, path: &[u8]) -> BehindDir<'_> {
        let fd = self.lower.open_dir(path).ok();
        let meta = fd.as_ref().and_then(|fd| Meta::of(fd.as_fd()).ok());
        let file = if path.is_empty() {
            Some(Arc::clone(self.nodes.root()))
        } else {
            meta.and_then(|meta| self.nodes.find(meta.id))
        };
        BehindDir { volume: self, path: path.to_vec(), fd, file, hidden: None }
    }

    /// Whether a path below the lower root is in a tree of a user that is served, and not above them.
    pub fn serves_below(&self, path: &[u8]) -> bool {
        let place = Subject::new(self.kind, path.to_vec(), Kind::Directory);
        place.is_some_and(|place| !place.is_mount_root() && self.serves(&place))
    }

    fn serves(&self, place: &Subject) -> bool {
        self.users.is_empty() || self.users.contains(&place.user_number())
    }

    /// Everything that the kernel was told is to be asked for again: names, attributes, pages.
    ///
    /// What nothing uses goes as a whole. Of the rest only names that are wrong are taken away: with a directory's name goes what
    /// is mounted on or below it (fs/dcache.c, d_invalidate). Where the kernel does not let go as a whole, all names are: those of
    /// which it knows that there is nothing go with their directory.
    pub fn forget_everything(&self, go_on: &dyn Fn() -> bool) {
        let unused_are_gone = self.notices.forget_unused();
        for file in self.nodes.all() {
            if !go_on() {
                return;
            }
            let is_right = || {
                let there = self.lower.open_path(&file.path()).and_then(|fd| Meta::of(fd.as_fd()));
                there.is_ok_and(|there| there.id == file.id)
            };
            if let Some(parent) = file.parent()
                && !(unused_are_gone && is_right())
            {
                self.notices.send_all(Notice::Entry(parent.node(), file.name()), go_on);
            }
            self.forget_content(&file, true, go_on);
        }
    }

    /// Lets `hush` end the reports of writes to a file that the kernel passes through to its writers, until the last of them leaves.
    ///
    /// Others who write it as well are not heard of either: beside a writer the kernel keeps no attributes ([`Volume::attr_ttl`]),
    /// no pages of the original where it passes reads through, and no others beyond a READ ([`crate::ops`], `redacted`).
    pub fn hush(&self, file: &File, hush: impl FnOnce(&Arc<OwnedFd>) -> Option<Box<dyn Hushed>>) {
        if !self.passthrough.is_upstream() {
            return;
        }
        file.hush(|| {
            // Who is served by the daemon from here on ends it ([`File::end_hush`]).
            let fd = file.open_fd().filter(|_| file.is_passed_through())?;
            let hushed = hush(&fd)?;
            self.observer.count(Counter::WatchHushed);
            Some(hushed)
        });
    }

    /// The attributes of a file, and its pages if any of its views can have some in use.
    fn forget_content(&self, file: &File, pages: bool, go_on: &dyn Fn() -> bool) {
        for view in [View::Original, View::Redacted, View::Forced] {
            let node = file.node().in_view(view);
            if (view == View::Original && file.node() == NodeId::ROOT) || self.nodes.is_known(node) {
                let notice = if pages { Notice::Contents(node) } else { Notice::Attributes(node) };
                self.notices.send_all(notice, go_on);
            }
        }
    }
}

impl BehindDir<'_> {
    fn look(&self, name: &[u8]) -> Result<Meta, LowerError> {
        let fd = self.fd.as_ref().ok_or(LowerError::Os(rustix::io::Errno::NOENT))?;
        Meta::at(fd.as_fd(), name)
    }

    fn place(&self, name: &[u8], kind: Kind) -> Option<Subject> {
        let subject = Subject::new(self.volume.kind, self.lower_path(name), kind)?;
        self.volume.serves(&subject).then_some(subject)
    }

    fn key(&self, subject: &Subject) -> FileKey {
        self.volume.key_of(subject)
    }

    /// Names came or went: the directory's own times changed.
    pub fn forget_itself(&self, go_on: &dyn Fn() -> bool) {
        if let Some(file) = &self.file {
            self.volume.forget_content(file, false, go_on);
        }
    }

    /// Makes the kernel forget what it may know wrongly of a name, and mends the nodes.
    pub fn forget(&self, name: &[u8], change: Change, go_on: &dyn Fn() -> bool) -> Found {
        if name == ITSELF {
            self.forget_itself(go_on);
            return Found { is_told: true, written: None };
        }
        let there = self.look(name).ok();
        let known = there.as_ref().and_then(|meta| self.volume.nodes.find(meta.id));
        if (change.came || change.went)
            && let Some(dir) = &self.file
        {
            // What only came, and is known right there, was told to the kernel after it came.
            let is_right = known.as_ref().is_some_and(|file| file.is_at(dir, name) && !file.is_removed());
            if change.foreign || change.went || !is_right {
                self.forget_name(dir, name, go_on);
            }
            if let Some(file) = &known {
                self.found(file, dir, name);
            }
        }
        if let Some(file) = &known {
            let pages = file.open_fd().is_some();
            self.volume.forget_content(file, pages, go_on);
        }
        self.judge(name, change, there, known)
    }

    /// Names that come, go or are hidden are looked at by the index in any case. Of a change of content it knows already, or will
    /// when the file's writer closes it: mostly apps wrote through the mount.
    fn judge(&self, name: &[u8], change: Change, there: Option<Meta>, known: Option<Arc<File>>) -> Found {
        let has_more_names = there.as_ref().is_some_and(|meta| meta.kind == FileKind::File && meta.nlink > 1);
        if let Some(file) = known.as_ref().filter(|_| has_more_names) {
            // The rows of the others have to hear of what is written.
            file.end_hush();
        }
        let (Some(meta), Change { came: false, went: false, is_dir: false, .. }) = (there, change) else {
            return Found::default();
        };
        let written = known.filter(|file| self.is_written(file, name));
        let is_told = written.is_some() || self.volume.has_told(&meta, &self.lower_path(name));
        let written = written.filter(|_| !has_more_names);
        Found { is_told: meta.kind == FileKind::File && is_told, written }
    }

    /// Whether a writer will tell the index about what is there of this name when it closes the file. Of another name than it is known
    /// by, if it has several, it will not.
    fn is_written(&self, file: &Arc<File>, name: &[u8]) -> bool {
        let is_here = |dir| file.is_at(dir, name) || file.is_other_spelling(dir, name);
        file.has_writers() && self.file.as_ref().is_some_and(is_here)
    }

    fn forget_name(&self, dir: &Arc<File>, name: &[u8], go_on: &dyn Fn() -> bool) {
        let volume = self.volume;
        if !volume.nodes.is_known(dir.node()) {
            return;
        }
        volume.notices.send_all(Notice::Entry(dir.node(), name.into()), go_on);
        if self.fd.as_ref().is_some_and(|fd| volume.folds(dir, fd.as_fd())) {
            for file in volume.nodes.all().iter().filter(|file| file.is_other_spelling(dir, name)) {
                volume.notices.send_all(Notice::Entry(dir.node(), file.name()), go_on);
            }
        }
    }

    /// A known file was found here: unless it is still where it was known (a second name), it has moved.
    fn found(&self, file: &Arc<File>, dir: &Arc<File>, name: &[u8]) {
        if file.is_other_spelling(dir, name) || (file.is_at(dir, name) && !file.is_removed()) {
            return;
        }
        let old = self.volume.lower.open_path(&file.path()).and_then(|fd| Meta::of(fd.as_fd()));
        if file.is_removed() || !old.is_ok_and(|old| old.id == file.id) {
            file.move_to(dir, name);
        }
    }

    fn lower_path(&self, name: &[u8]) -> Vec<u8> {
        let between: &[u8] = if self.path.is_empty() { b"" } else { b"/" };
        [&self.path, between, name].concat()
    }

    /// Brings the index in line with what is there of a name. True if a whole directory has to be gone through for that.
    pub fn index(&mut self, name: &[u8], change: Change) -> Result<bool, OpError> {
        if name == ITSELF {
            return Ok(false);
        }
        let walk = match self.look(name) {
            Ok(meta) if meta.kind == FileKind::Directory => change.whole,
            Ok(meta) => {
                self.index_file(name, &meta)?;
                // What was a directory of this name is one no longer.
                change.is_dir
            }
            Err(error) if error.is_not_found() => {
                self.index_missing(name)?;
                change.is_dir
            }
            Err(error) => return Err(error.into()),
        };
        if name == b".nomedia" && (change.came || change.went) {
            self.hide();
        }
        Ok(walk)
    }

    fn index_file(&mut self, name: &[u8], meta: &Meta) -> Result<(), OpError> {
        let Some(subject) = self.place(name, Kind::File) else { return Ok(()) };
        if subject.is_invisible() {
            return Ok(());
        }
        if self.volume.nodes.find(meta.id).is_some_and(|file| self.is_written(&file, name)) {
            // It is brought up to date when its writer closes it.
            return Ok(());
        }
        let row = self.volume.catalog.file(&self.key(&subject)).map_err(|_| OpError::Index)?;
        let hidden = self.is_hidden() || is_hidden_by_name(subject.path());
        let Some(fd) = &self.fd else { return Ok(()) };
        match self.volume.look_at(fd.as_fd(), &subject, hidden, row.as_ref()) {
            Ok(looked) => {
                if let Some(row) = row.filter(|row| !row.is_of(looked.id.ino, looked.id.generation)) {
                    self.gone(name, &row);
                }
                Ok(())
            }
            Err(OpError::Lower(error)) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn index_missing(&self, name: &[u8]) -> Result<(), OpError> {
        let Some(subject) = self.place(name, Kind::File) else { return Ok(()) };
        let key = self.key(&subject);
        if let Some(row) = self.volume.catalog.file(&key).map_err(|_| OpError::Index)? {
            let look = self.volume.moves.look();
            // The row may be that of a file that came after the first look.
            if self.look(name).is_ok() {
                return Ok(());
            }
            // One that is being renamed takes its row along.
            let remove = || self.volume.catalog.remove_gone(key, row.ino, row.birth);
            if self.volume.moves.if_gone(look, subject.lower_path(), remove) {
                self.gone(name, &row);
            }
        }
        Ok(())
    }

    /// The file that this row is about, and that had this name, is gone from here.
    fn gone(&self, name: &[u8], row: &FileRow) {
        let known = NodeId::of(row.ino, View::Original).ok().and_then(|node| self.volume.nodes.get(node));
        if let (Some(file), Some(dir)) = (known, &self.file)
            && row.is_of(file.id.ino, file.id.generation)
            && file.is_at(dir, name)
        {
            file.mark_removed();
        }
    }

    fn is_hidden(&mut self) -> bool {
        if let Some(hidden) = self.hidden {
            return hidden;
        }
        let dir = Subject::new(self.volume.kind, self.path.clone(), Kind::Directory);
        let hidden = dir.is_some_and(|dir| self.volume.is_hidden_place(&dir));
        self.hidden = Some(hidden);
        hidden
    }

    /// A `.nomedia` came or went.
    fn hide(&mut self) {
        if let Some(file) = &self.file {
            file.set_nomedia(None);
        }
        self.hidden = None;
        let hidden = self.is_hidden();
        if let Some(dir) = Subject::new(self.volume.kind, self.path.clone(), Kind::Directory) {
            self.volume.hide_in_index(&dir, hidden);
        }
    }

    /// What was `name` here is `to_name` in `to`: its rows move along, under their ids. To be told in the order in which it
    /// happened, with everything queued before committed; both ends are looked at afterwards as well, by
    /// [`BehindDir::index`].
    pub fn moved(
        &self,
        name: &[u8],
        to: &mut BehindDir<'_>,
        to_name: &[u8],
        change: Change,
    ) -> Result<(), CatalogError> {
        let kind = if change.is_dir { Kind::Directory } else { Kind::File };
        let (Some(old), Some(new)) = (self.place(name, kind), to.place(to_name, kind)) else { return Ok(()) };
        if old.user_number() != new.user_number() || old.is_invisible() || new.is_invisible() {
            return Ok(());
        }
        if !change.foreign && (self.look(name).is_ok() || to.knows(to_name)) {
            // The rename was our own, or one that is overtaken by now.
            return Ok(());
        }
        let volume = self.volume;
        if change.is_dir {
            volume.moves.went(new.lower_path());
            if !change.foreign && !has_rows_below(volume, &old)? {
                return Ok(());
            }
            volume.catalog.rename_dir(
                volume.key,
                old.user_number(),
                old.path().to_vec(),
                new.path().to_vec(),
            );
            let before = Subject::new(volume.kind, self.path.clone(), Kind::Directory)
                .is_some_and(|dir| volume.is_hidden_place(&dir))
                || is_hidden_by_name(old.path());
            let now = volume.is_hidden_place(&new);
            if before || now {
                volume.hide_in_index(&new, now);
            }
            return Ok(());
        }
        if volume.catalog.file(&self.key(&old))?.is_some() {
            let hidden = to.is_hidden() || is_hidden_by_name(new.path());
            volume.catalog.rename_file(self.key(&old), to.key(&new), volume.renamed_to(&new, hidden));
        }
        Ok(())
    }

    /// True if what is there of a name is known to be there.
    fn knows(&self, name: &[u8]) -> bool {
        let (Ok(meta), Some(dir)) = (self.look(name), &self.file) else { return false };
        self.volume.nodes.find(meta.id).is_some_and(|file| file.is_at(dir, name) && !file.is_removed())
    }
}

fn has_rows_below(volume: &Volume, dir: &Subject) -> Result<bool, CatalogError> {
    let mut any = false;
    volume.catalog.for_each_below(volume.key, dir.user_number(), dir.path(), &mut |_, _, _| any = true)?;
    Ok(any)
}
