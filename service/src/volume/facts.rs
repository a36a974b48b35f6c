//! Finding out what decisions need to know about a file: who owns it, and whether it is hidden.

use std::borrow::Cow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use mediagate_policy::{DefaultDir, Kind, VolumeKind};

use super::{Notice, OpError, Volume, projects};
use crate::access::{FileId, RowFacts, Subject, is_hidden_by_name, nomedia_counts_in};
use crate::catalog::FileRow;
use crate::lower::{self, FileKind, Id, LowerError, Meta};
use crate::node::{File, Found, NodeId, OpenDir, Owner, View};
use crate::observe::Counter;

/// How long it is believed whether a directory holds a `.nomedia` (one made behind the mount takes that long).
const NOMEDIA_FRESH: Duration = Duration::from_secs(1);

/// How long the kernel may believe what nothing tells us about when it changes.
const UNWATCHED: Duration = Duration::from_secs(1);

/// What the kernel takes for "for ever": it adds this to its clock, so it must not be the largest number there is.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl Volume {
    /// Makes what an attached volume has from the beginning: on an emulated one each user's directory and, once, the
    /// twelve default directories in it.
    pub fn prepare(&self) -> Result<(), LowerError> {
        let default_dirs = DefaultDir::ALL.map(DefaultDir::name);
        self.users.iter().try_for_each(|user| {
            self.lower.prepare_user(user.to_string().as_bytes(), &default_dirs, projects::of_media(*user, 0))
        })
    }

    /// How long the kernel may keep what depends on nobody.
    fn ttl(&self) -> Duration {
        match self.cache_seconds.map(u64::try_from) {
            Some(Ok(seconds)) => Duration::from_secs(seconds),
            Some(Err(_)) => FOR_EVER,
            None if self.is_watched() => FOR_EVER,
            None => UNWATCHED,
        }
    }

    /// How long the kernel may keep a name: not at all where who may see it depends on the caller.
    ///
    /// Every path leads through a name at the top of the volume. Where that is asked for each time, whoever has no
    /// business here (another user's app, an instant app) is turned away there, whatever the kernel keeps of what is
    /// below; a clone profile's trees need nothing more. With one user and no instant app there is nobody to turn away.
    pub fn entry_ttl(&self, subject: &Subject) -> Duration {
        let turns_away = subject.is_top() && self.turns_away();
        if turns_away || subject.depends_on_caller() { Duration::ZERO } else { self.ttl() }
    }

    /// There may be callers for whom there is nothing here.
    fn turns_away(&self) -> bool {
        let mix = self.access.mix();
        mix.instant || self.kind == VolumeKind::Emulated && (mix.users || self.users.len() > 1)
    }

    /// The kernel is to ask again for the names at the top: callers came that some of them are to be kept from.
    pub fn forget_top(&self) {
        let root = self.nodes.root();
        self.notices.send(Notice::Attributes(root.node()));
        for name in self.nodes.names_in(root) {
            self.notices.send(Notice::Entry(root.node(), name));
        }
    }

    /// How long the kernel may keep attributes: while a file is open for writing, stores through a mapping change
    /// them without any request (fs/fuse/passthrough.c invalidates after write calls only). A file of several names may
    /// be written by one that is not in the lower tree, where no watch sees it.
    pub fn attr_ttl(&self, file: &File, meta: &Meta) -> Duration {
        let turns_away = file.node() == NodeId::ROOT && self.turns_away();
        if file.has_writers() || turns_away {
            Duration::ZERO
        } else if meta.kind == FileKind::File && meta.nlink > 1 {
            self.ttl().min(UNWATCHED)
        } else {
            self.ttl()
        }
    }

    /// The kernel is to ask again for a file's attributes, and for the bytes of its redacted views: the original's are
    /// written without a request, and the page caches of the other inodes know nothing of that.
    pub fn file_changes(&self, file: &File) {
        self.notices.send(Notice::Attributes(file.node()));
        for redacted in [View::Redacted, View::Forced].map(|view| file.node().in_view(view)) {
            if self.nodes.is_known(redacted) {
                self.notices.send(Notice::Contents(redacted));
            }
        }
    }

    /// How long the kernel may keep that there is nothing of a name in `dir` (whose lower directory is given too): as long as
    /// a name in that place if the watch tells when something comes to be there. Never for long in the root, whose entries
    /// cannot all be taken back at once, and not at all where the name has other spellings: what comes to be under one of
    /// them is there under all.
    pub fn missing_ttl(&self, dir: &File, lower_dir: BorrowedFd<'_>, subject: &Subject) -> Duration {
        let ttl = self.entry_ttl(subject);
        if ttl.is_zero() || self.folds(dir, lower_dir) {
            Duration::ZERO
        } else if self.is_watched() && dir.node() != NodeId::ROOT {
            ttl
        } else {
            ttl.min(UNWATCHED)
        }
    }

    /// True when a name in the directory has several spellings.
    pub fn folds(&self, dir: &File, lower_dir: BorrowedFd<'_>) -> bool {
        dir.folds(|| self.lower.folds_case(lower_dir))
    }

    /// `name` in `dir` was changed through the mount, and what it stands for is known by another spelling: the kernel is
    /// to forget that.
    pub fn forget_other_spelling(&self, file: &File, dir: &Arc<File>, name: &[u8]) {
        if file.is_known_otherwise(dir, name) {
            self.notices.send(Notice::Entry(dir.node(), file.name()));
        }
    }

    /// A name in a directory, as the object of a decision; nothing is known of what is there.
    pub fn subject_at(&self, dir: &File, name: &[u8], kind: FileKind) -> Option<Subject> {
        let mut path = dir.path();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        if self.lower.is_alias(name) {
            return None;
        }
        Subject::new(self.kind, path, policy_kind(kind))
    }

    /// The name by which what was found as `name` in `dir` (`fd` is its lower directory) is known: as the directory spells
    /// it, wherever files are known by their names alone.
    pub fn known_name<'a>(
        &self,
        dir: &Arc<File>,
        fd: BorrowedFd<'_>,
        name: &'a [u8],
        meta: &Meta,
    ) -> Result<Cow<'a, [u8]>, OpError> {
        let known = |file: Arc<File>| file.is_at(dir, name) && !file.is_removed();
        if !self.lower.has_spellings() || self.nodes.find(meta.id).is_some_and(known) {
            return Ok(Cow::Borrowed(name));
        }
        Ok(Cow::Owned(self.lower.spelling(fd, name, meta)?.into_vec()))
    }

    /// Enters what was found as `name` in `dir` (`fd` is its lower directory) into the node table, by
    /// [`Volume::known_name`] if it was asked for by an app. It keeps a name that it is known by in `dir`, if the lower file
    /// system still finds it there: `name` is another spelling then, in whatever way that file system folds names.
    pub fn enter(
        &self,
        dir: &Arc<File>,
        fd: BorrowedFd<'_>,
        name: &[u8],
        meta: &Meta,
    ) -> Result<Found<'_>, OpError> {
        let found = self.nodes.enter(dir, name, meta)?;
        let known = found.file().name();
        if *known != *name && Meta::at(fd, &known).map(|it| it.id) != Ok(meta.id) {
            // It has been renamed behind the mount.
            found.file().move_to(dir, name);
        }
        Ok(found)
    }

    /// A known file or directory as the object of a decision, without what the index knows. A file whose name is gone
    /// is decided about at its last place while it is open: its users may still set its times, or open it anew by
    /// their descriptor.
    pub fn place_of(&self, file: &File) -> Result<Subject, OpError> {
        if file.is_removed() && file.open_fd().is_none() {
            return Err(OpError::Stale);
        }
        Subject::new(self.kind, file.path(), policy_kind(file.kind)).ok_or(OpError::NoEntry)
    }

    /// A known file or directory as the object of a decision. Reads the owner from the lower file unless it is known;
    /// `fd` refers to the file if the caller has it open.
    pub fn subject_of(&self, file: &File, fd: Option<BorrowedFd<'_>>) -> Result<Subject, OpError> {
        let subject = self.place_of(file)?;
        if file.kind == FileKind::Directory || subject.is_invisible() {
            return Ok(subject);
        }
        let owner = match file.owner() {
            Owner::Unknown => match fd {
                Some(fd) => self.learn_owner(file, &subject, fd)?,
                None => self.learn_owner(file, &subject, self.open(file, subject.lower_path())?.as_fd())?,
            },
            Owner::Nobody => None,
            Owner::Package(package) => Some(package),
        };
        let hidden = self.is_hidden(&subject, file.parent().as_ref());
        let media_type = subject.media_type(hidden);
        let file = Some(self.file_id(file.id));
        Ok(subject.with_row(Some(RowFacts { owner, media_type, file })))
    }

    /// What grants know a file by.
    pub fn file_id(&self, id: Id) -> FileId {
        FileId { volume: self.key.number(), ino: id.ino, generation: id.generation }
    }

    /// The same of the file that a row is about.
    pub fn file_of(&self, row: &FileRow) -> FileId {
        self.file_id(Id { ino: row.ino, generation: row.birth })
    }

    /// The file or directory of a node that the kernel names.
    pub fn known(&self, node: NodeId) -> Result<Arc<File>, OpError> {
        let absent = if node.virtual_dir().is_some() { OpError::NotPermitted } else { OpError::Stale };
        self.nodes.get(node).ok_or(absent)
    }

    /// Opens a known file (`O_PATH`) at its path and makes sure that it is the one that is meant.
    pub fn open(&self, file: &File, lower_path: &[u8]) -> Result<Arc<OwnedFd>, OpError> {
        if let Some(fd) = file.open_fd() {
            return Ok(fd);
        }
        let fd = self.lower.open_path(lower_path).map_err(stale_if_gone)?;
        if Meta::of(fd.as_fd())?.id != file.id {
            return Err(OpError::Stale);
        }
        Ok(Arc::new(fd))
    }

    /// What a file that is about to lose its name is held by until its grants are gone, as its inode number may be
    /// another file's right after: not needed where files have birth times, which tell the two apart.
    pub fn pin(&self, file: &File, dir: BorrowedFd<'_>, name: &[u8]) -> Result<Option<OwnedFd>, OpError> {
        if file.id.generation != 0 {
            return Ok(None);
        }
        let fd = self.lower.open_child(dir, name)?;
        if Meta::of(fd.as_fd())?.id != file.id {
            return Err(OpError::Stale);
        }
        Ok(Some(fd))
    }

    /// A known directory (`O_PATH`), to work on names in it.
    pub fn open_dir(&self, dir: &Arc<File>) -> Result<Arc<OpenDir>, OpError> {
        if dir.kind != FileKind::Directory {
            return Err(OpError::NotDirectory);
        }
        let is_watched = self.is_watched();
        if let Some(fd) = dir.held().filter(|_| is_watched && !dir.is_removed()) {
            return Ok(fd);
        }
        let round = self.held.round();
        let fd = self.lower.open_dir(&dir.path()).map_err(stale_if_gone)?;
        let fd = Arc::new(OpenDir::new(fd, Arc::clone(&self.observer)));
        if Meta::of(fd.as_fd())?.id != dir.id {
            return Err(OpError::Stale);
        }
        if is_watched {
            self.held.keep(dir, &fd, round);
        }
        Ok(fd)
    }

    /// Closes the directories that are kept open: some are not where they were, or no longer there.
    pub fn let_go_of_dirs(&self) {
        self.held.clear();
    }

    fn learn_owner(
        &self,
        file: &File,
        subject: &Subject,
        fd: BorrowedFd<'_>,
    ) -> Result<Option<Arc<str>>, OpError> {
        let owner = self.recorded_owner(subject, fd)?;
        let known = match file.learn_owner(owner.into()) {
            Owner::Package(package) => Some(package),
            Owner::Unknown | Owner::Nobody => None,
        };
        if !file.is_removed() && !self.indexed.knows(file.id, subject.lower_path()) {
            if self.is_indexed_by_its_directory(file) || self.is_indexed(file.id, subject) {
                self.indexed.remember(file.id, subject.lower_path());
            } else {
                let hidden = self.is_hidden(subject, file.parent().as_ref());
                self.index_first_seen(fd, subject, known.clone(), &Meta::of(fd)?, hidden);
            }
        }
        Ok(known)
    }

    /// True if the index was found to be right about all files in the directory of this one.
    fn is_indexed_by_its_directory(&self, file: &File) -> bool {
        let Some(dir) = file.parent() else { return false };
        let meta = dir.held().and_then(|fd| Meta::of(fd.as_fd()).ok());
        meta.is_some_and(|meta| meta.id == dir.id && self.is_right_about(&dir.path(), &meta))
    }

    /// True if the index knows the file: to ask costs less than to tell.
    fn is_indexed(&self, id: Id, subject: &Subject) -> bool {
        let row = self.catalog.file(&self.key_of(subject)).ok().flatten();
        row.is_some_and(|row| row.is_of(id.ino, id.generation) || !self.lower.has_xattrs())
    }

    /// Who owns a file: what the file itself says, or the index where files cannot say it, or else its place.
    pub fn recorded_owner(&self, subject: &Subject, fd: BorrowedFd<'_>) -> Result<Option<Arc<str>>, OpError> {
        self.observer.count(Counter::OwnerReads);
        let recorded = if self.lower.has_xattrs() {
            lower::owner(fd)?
        } else {
            self.catalog.flush_volume(self.key).map_err(|_| OpError::Index)?;
            // The name is all there is to go by, as it is for MediaProvider's rows: inode numbers of vfat and exfat are
            // made up whenever an inode is read in (fs/fat/inode.c, fat_build_inode).
            let row = self.catalog.file(&self.key_of(subject)).map_err(|_| OpError::Index)?;
            row.and_then(|row| row.owner)
        };
        Ok(recorded.or_else(|| subject.owner_by_place()))
    }

    /// Whether a row was written for the file that `meta` is of, as it is now. The inode number alone does not tell: file
    /// systems hand that of a removed file out again at once. Where files cannot say who owns them the name is all there
    /// is to go by, as in [`Volume::recorded_owner`].
    pub fn describes(&self, row: &FileRow, meta: &Meta) -> bool {
        let same_file = row.is_of(meta.id.ino, meta.id.generation);
        let same = same_file && row.size == meta.size && row.mtime_ns == meta.mtime_ns();
        same || !self.lower.has_xattrs()
    }

    /// True when the file must not show up as media: a dot in its path, or a `.nomedia` above it.
    pub fn is_hidden(&self, subject: &Subject, parent: Option<&Arc<File>>) -> bool {
        if is_hidden_by_name(subject.path()) {
            return true;
        }
        parent.is_some_and(|parent| self.is_hidden_below(parent, subject.dir(), subject.lower_path()))
    }

    /// True when everything in the directory is hidden; `path` is the directory's below its user's root.
    pub fn is_hidden_dir(&self, dir: &Arc<File>, path: &[u8]) -> bool {
        let mut lower_path = dir.path();
        // What follows looks at the part before the last component.
        lower_path.push(b'/');
        self.is_hidden_below(dir, path, &lower_path)
    }

    /// Like [`Volume::is_hidden_dir`], for the directory that the last component of `lower_path` is in: one path serves all
    /// the directories above.
    fn is_hidden_below(&self, dir: &Arc<File>, path: &[u8], lower_path: &[u8]) -> bool {
        if is_hidden_by_name(path) {
            return true;
        }
        let without_last = |path: &[u8]| path.iter().rposition(|b| *b == b'/').unwrap_or(0);
        let (mut dir, mut path, mut lower_path) = (Some(Arc::clone(dir)), path, lower_path);
        while let Some(current) = dir {
            lower_path = lower_path.get(..without_last(lower_path)).unwrap_or_default();
            if nomedia_counts_in(path) && self.has_nomedia(&current, lower_path) {
                return true;
            }
            if !path.contains(&b'/') {
                // The user's root is above: its `.nomedia` counts for nothing.
                return false;
            }
            path = path.get(..without_last(path)).unwrap_or_default();
            dir = current.parent();
        }
        false
    }

    /// Like [`Volume::is_hidden_dir`], for a directory that the kernel need not know, and with nothing remembered.
    pub fn is_hidden_place(&self, dir: &Subject) -> bool {
        let above = dir.lower_path().len() - dir.path().len();
        let mut path = dir.path();
        if is_hidden_by_name(path) {
            return true;
        }
        while !path.is_empty() {
            let lower_path = dir.lower_path().get(..above + path.len()).unwrap_or_default();
            if nomedia_counts_in(path) && self.finds_nomedia(lower_path) {
                return true;
            }
            path =
                path.iter().rposition(|b| *b == b'/').and_then(|slash| path.get(..slash)).unwrap_or_default();
        }
        false
    }

    fn has_nomedia(&self, dir: &File, lower_path: &[u8]) -> bool {
        if let Some(known) = dir.nomedia(NOMEDIA_FRESH) {
            return known;
        }
        let there = self.finds_nomedia(lower_path);
        dir.set_nomedia(Some(there));
        there
    }

    /// A file of that name: a directory, which any app may make, hides nothing.
    fn finds_nomedia(&self, lower_path: &[u8]) -> bool {
        let path = [lower_path, if lower_path.is_empty() { b"" } else { b"/" }, b".nomedia"].concat();
        let meta = self.lower.open_path(&path).and_then(|fd| Meta::of(fd.as_fd()));
        meta.is_ok_and(|meta| meta.kind == FileKind::File)
    }
}

fn policy_kind(kind: FileKind) -> Kind {
    match kind {
        FileKind::File => Kind::File,
        FileKind::Directory => Kind::Directory,
    }
}

/// A path that leads nowhere any more: the lower tree changed behind the mount, the kernel must look again.
fn stale_if_gone(error: LowerError) -> OpError {
    if error.is_not_found() { OpError::Stale } else { OpError::Lower(error) }
}
