//! The reference: a tree, who owns what, what was granted. Plain maps, and the order in which Linux asks its questions.
//!
//! What it knows by itself: which names exist, which file each of them is, the bytes and sizes, the owners, the grants,
//! who is installed with which rights, what is hidden by a `.nomedia`. For what a caller may do it asks the policy, with
//! these facts. What there is to hide in bytes that tell a location it asks the finders.

mod administer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mediagate::redaction::{Parsers, RangeSource as _};
use mediagate_policy as policy;
use mediagate_policy::{
    AccessMask, AndroidDir, FileGrants, ListScope, NameState, Object, OpMode, Operation, PackageFacts, Place,
    Principal, UserId, VolumeKind, decide, is_never_indexed, media_type_at, mime_of, name_state,
    nomedia_counts_in,
};
use mediagate_tests::Package;

use crate::op::{Kind, Op, Path, SLOTS, STANDING, Who};

/// What a step comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Done,
    Bytes(Vec<u8>),
    Names(Vec<String>),
    /// A file's size, or that it is a directory; and the modification time where it was set.
    Stat(Option<u64>, Option<i64>),
    Errno(i32),
    /// The interface refused.
    Refused,
}

/// A way for the model to be wrong, so that it can be seen that somebody notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// A renamed file belongs to nobody.
    RenameLosesOwner,
    /// A grant is on a name, not on a file.
    GrantsStayWithNames,
    /// A `.nomedia` that is removed hides on.
    NomediaStays,
    /// A write within a file makes it end there.
    WriteTruncates,
    /// A removed package's files are its own when it comes back.
    PackagesComeBackToTheirFiles,
}

#[derive(Clone, Debug)]
struct File {
    bytes: Vec<u8>,
    owner: Option<&'static str>,
    mtime: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Dir,
    /// A file by its number.
    File(usize),
}

#[derive(Clone, Copy, Debug)]
struct Held {
    file: usize,
    write: bool,
}

type Outcome<T> = Result<T, i32>;

#[derive(Debug)]
pub(crate) struct Model {
    mistake: Option<Mistake>,
    /// By path below the user's root, without the root itself.
    tree: BTreeMap<String, Entry>,
    /// Also those whose names are gone: somebody may hold them.
    files: Vec<File>,
    grants: BTreeSet<(Who, usize, Kind)>,
    installed: BTreeMap<Who, PackageFacts>,
    held: [Option<Held>; SLOTS],
    /// Directories that a `.nomedia` was in, for the mistake.
    once_hidden: BTreeSet<String>,
}

/// A package as the policy takes it.
fn facts(Package(package): &Package) -> PackageFacts {
    let mut permissions = policy::PermissionSet::EMPTY;
    package.permissions.iter().for_each(|name| permissions.insert(name.parse().unwrap()));
    let mut app_ops = policy::AppOps::default();
    package.app_ops.keys().for_each(|name| app_ops.set(name.parse().unwrap(), OpMode::Allow));
    PackageFacts {
        name: Arc::from(package.name.as_str()),
        target_sdk: package.target_sdk,
        permissions,
        app_ops,
        requests_legacy_storage: false,
        requests_raw_access: None,
        scoped_storage: None,
        instant: false,
    }
}

fn parent(path: &str) -> Option<&str> {
    if path.is_empty() { None } else { Some(path.rsplit_once('/').map_or("", |(parent, _)| parent)) }
}

fn below<'a>(dir: &str, path: &'a str) -> Option<&'a str> {
    match dir {
        "" => Some(path).filter(|path| !path.is_empty()),
        _ => path.strip_prefix(dir)?.strip_prefix('/'),
    }
}

fn errno(refused: policy::Errno) -> i32 {
    mediagate::errno::policy_errno(refused)
}

impl Model {
    pub(crate) fn new(mistake: Option<Mistake>) -> Model {
        let defaults = policy::DefaultDir::ALL.map(policy::DefaultDir::name);
        let tree = defaults.into_iter().chain(STANDING).map(|dir| (dir.to_owned(), Entry::Dir)).collect();
        let installed = Who::APPS.map(|who| (who, facts(&who.installed()))).into();
        let (files, grants, once_hidden) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        Model { mistake, tree, files, grants, installed, held: [None; SLOTS], once_hidden }
    }

    /// The names of all files and directories.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.tree.keys().cloned().collect()
    }

    /// The bytes and the recorded owner of a file; `None` for a directory.
    pub(crate) fn file(&self, path: &str) -> Option<(&[u8], Option<&str>)> {
        match self.tree.get(path)? {
            Entry::Dir => None,
            Entry::File(number) => Some((&self.files[*number].bytes, self.files[*number].owner)),
        }
    }

    fn entry(&self, path: &str) -> Option<Entry> {
        if path.is_empty() { Some(Entry::Dir) } else { self.tree.get(path).copied() }
    }

    fn principal(&self, who: Who) -> Principal {
        let packages: Vec<PackageFacts> = self.installed.get(&who).cloned().into_iter().collect();
        Principal::new(policy::Uid(who.uid()), &packages)
    }

    fn is_hidden(&self, path: &str) -> bool {
        let mut dir = parent(path);
        while let Some(current) = dir.filter(|dir| !dir.is_empty()) {
            let is_file = matches!(self.tree.get(&format!("{current}/.nomedia")), Some(Entry::File(_)));
            let was = self.mistake == Some(Mistake::NomediaStays) && self.once_hidden.contains(current);
            if (is_file || was) && nomedia_counts_in(current.as_bytes()) {
                return true;
            }
            dir = parent(current);
        }
        false
    }

    fn owner_by_place(path: &str) -> Option<&'static str> {
        match Place::of(path.as_bytes()) {
            Place::AndroidPackage { dir: AndroidDir::Media, package, itself: false } => {
                Who::APPS.map(Who::package).into_iter().find(|known| known.as_bytes() == package)
            }
            _ => None,
        }
    }

    fn owner(&self, path: &str, number: usize) -> Option<&'static str> {
        self.files[number].owner.or_else(|| Self::owner_by_place(path))
    }

    /// Asks the policy about what is at a path, or would be.
    fn decide(
        &self,
        who: Who,
        path: &str,
        what: Option<Entry>,
        is_file: bool,
        op: Operation<'_>,
    ) -> Outcome<policy::Grant> {
        let principal = self.principal(who);
        decide(&principal, &self.object(who, path, what, is_file), op).grant().map_err(errno)
    }

    fn object<'a>(&self, who: Who, path: &'a str, what: Option<Entry>, is_file: bool) -> Object<'a> {
        let row = match what {
            Some(Entry::File(number)) if !is_never_indexed(path.as_bytes()) => {
                let mut grants = FileGrants::NONE;
                for (holder, file, kind) in &self.grants {
                    if (*holder, *file) == (who, number) {
                        grants = grants.with(match kind {
                            Kind::Selected => FileGrants::SELECTED,
                            Kind::Read => FileGrants::READ,
                            Kind::Write => FileGrants::WRITE,
                        });
                    }
                }
                let state = name_state(path.as_bytes());
                Some(policy::Row {
                    owner: self.owner(path, number),
                    media_type: media_type_at(path.as_bytes(), self.is_hidden(path)),
                    pending: state == NameState::Pending,
                    trashed: state == NameState::Trashed,
                    grants,
                })
            }
            _ => None,
        };
        Object {
            volume: VolumeKind::Emulated,
            user: Some(UserId(0)),
            path: path.as_bytes(),
            mount_root: false,
            kind: if is_file { policy::Kind::File } else { policy::Kind::Directory },
            row,
        }
    }

    fn about(&self, who: Who, path: &str, entry: Entry, op: Operation<'_>) -> Outcome<policy::Grant> {
        self.decide(who, path, Some(entry), entry != Entry::Dir, op)
    }

    /// The kernel's walk to the directory of a path.
    fn walk(&self, who: Who, path: &str) -> Outcome<()> {
        let mut at = 0;
        while let Some(slash) = path[at..].find('/') {
            let dir = &path[..at + slash];
            match self.look(who, dir)? {
                None => return Err(libc::ENOENT),
                Some(Entry::File(_)) => return Err(libc::ENOTDIR),
                Some(Entry::Dir) => {}
            }
            at += slash + 1;
        }
        Ok(())
    }

    /// One lookup. A refusal that says ENOENT is nothing but a name that is not there.
    fn look(&self, who: Who, path: &str) -> Outcome<Option<Entry>> {
        let found = self.entry(path);
        match self.decide(who, path, found, true, Operation::Lookup) {
            Ok(_) => Ok(found),
            Err(libc::ENOENT) => Ok(None),
            Err(other) => Err(other),
        }
    }

    fn find(&self, who: Who, path: &str) -> Outcome<Option<Entry>> {
        if path.is_empty() {
            return Ok(Some(Entry::Dir));
        }
        self.walk(who, path)?;
        self.look(who, path)
    }

    fn there(&self, who: Who, path: &str) -> Outcome<Entry> {
        self.find(who, path)?.ok_or(libc::ENOENT)
    }

    /// A file that is opened for writing.
    fn writable(&self, who: Who, path: &str) -> Outcome<usize> {
        match self.there(who, path)? {
            Entry::Dir => Err(libc::EISDIR),
            entry @ Entry::File(number) => {
                self.about(who, path, entry, Operation::OpenWrite)?;
                Ok(number)
            }
        }
    }

    /// `None` where the model says nothing: what the step would do is not certain by design, see below.
    pub(crate) fn run(&mut self, op: &Op) -> Option<Seen> {
        if self.is_left_out(op) {
            return None;
        }
        Some(self.act(op).unwrap_or_else(Seen::Errno))
    }

    /// Picture files that tell a location are written as a whole only: a broken one is refused as long as nobody writes it,
    /// and zeros while somebody does, and when a writer has gone is known to the kernel alone. For the same reason nobody
    /// holds a picture open who may see no location: its writers would wait for two seconds. Directories are not held.
    fn is_left_out(&self, op: &Op) -> bool {
        let is_picture = |number: usize| self.files[number].bytes.starts_with(&[0xff, 0xd8]);
        let at = |path: &str| match self.entry(path) {
            Some(Entry::File(number)) => Some(number),
            _ => None,
        };
        match *op {
            Op::Write(_, path, ..) | Op::Truncate(_, path, _) => at(path).is_some_and(is_picture),
            Op::WriteHeld(slot, ..) => self.held[slot].is_some_and(|held| is_picture(held.file)),
            Op::Hold(_, who, path, write) => {
                let redacts = at(path).is_some_and(|number| {
                    self.about(who, path, Entry::File(number), Operation::OpenRead).is_ok_and(|it| it.redact)
                });
                let is_dir = self.entry(path) == Some(Entry::Dir);
                !write && (is_dir || redacts && Parsers.may_have_ranges(mime_of(path.as_bytes())))
            }
            _ => false,
        }
    }

    fn act(&mut self, op: &Op) -> Outcome<Seen> {
        match *op {
            Op::Create(who, path, content) => {
                self.make(who, path, content.bytes())?;
            }
            Op::Mknod(who, path) => {
                self.make(who, path, Vec::new())?;
            }
            Op::Overwrite(who, path, content) => match self.find(who, path)? {
                None => self.make(who, path, content.bytes())?,
                Some(_) => {
                    let number = self.writable(who, path)?;
                    self.files[number].bytes = content.bytes();
                    self.files[number].mtime = None;
                }
            },
            Op::Write(who, path, at, letter, length) => {
                let number = self.writable(who, path)?;
                self.write(number, at, letter, length);
            }
            Op::Read(who, path) => return self.read(who, path).map(Seen::Bytes),
            Op::Stat(who, path) => {
                let entry = self.there(who, path)?;
                self.about(who, path, entry, Operation::GetAttr)?;
                return Ok(match entry {
                    Entry::Dir => Seen::Stat(None, None),
                    Entry::File(number) => {
                        let file = &self.files[number];
                        Seen::Stat(Some(file.bytes.len() as u64), file.mtime)
                    }
                });
            }
            Op::Access(who, path, mask) => {
                let entry = self.there(who, path)?;
                let (read, write) = (mask & libc::R_OK != 0, mask & libc::W_OK != 0);
                let mask = AccessMask { read, write, execute: false };
                self.about(who, path, entry, Operation::Access(mask))?;
            }
            Op::List(who, path) => return self.list(who, path).map(Seen::Names),
            Op::Rename(who, from, to, no_replace) => self.rename(who, from, to, no_replace)?,
            Op::Unlink(who, path) => match self.there(who, path)? {
                Entry::Dir => return Err(libc::EISDIR),
                entry @ Entry::File(number) => {
                    self.about(who, path, entry, Operation::Unlink)?;
                    self.tree.remove(path);
                    self.gone(number);
                }
            },
            Op::Mkdir(who, path) => {
                if self.find(who, path)?.is_some() {
                    return Err(libc::EEXIST);
                }
                self.decide(who, path, None, false, Operation::MakeDir)?;
                self.put(path, Entry::Dir)?;
            }
            Op::Rmdir(who, path) => {
                match self.there(who, path)? {
                    Entry::File(_) => return Err(libc::ENOTDIR),
                    Entry::Dir => self.about(who, path, Entry::Dir, Operation::RemoveDir)?,
                };
                if self.tree.keys().any(|it| below(path, it).is_some()) {
                    return Err(libc::ENOTEMPTY);
                }
                self.tree.remove(path);
            }
            Op::Truncate(who, path, size) => match self.there(who, path)? {
                Entry::Dir => return Err(libc::EISDIR),
                entry @ Entry::File(number) => {
                    self.about(who, path, entry, Operation::SetAttr)?;
                    self.files[number].bytes.resize(size as usize, 0);
                    self.files[number].mtime = None;
                }
            },
            Op::Times(who, path, seconds) => {
                let entry = self.there(who, path)?;
                self.about(who, path, entry, Operation::SetAttr)?;
                if let Entry::File(number) = entry {
                    self.files[number].mtime = Some(seconds);
                }
            }
            Op::Hold(slot, who, path, write) => {
                let file = match self.there(who, path)? {
                    _ if write => self.writable(who, path)?,
                    Entry::Dir => return Err(libc::EISDIR),
                    entry @ Entry::File(number) => {
                        self.about(who, path, entry, Operation::OpenRead)?;
                        number
                    }
                };
                self.held[slot] = Some(Held { file, write });
            }
            Op::ReadHeld(slot) => {
                let held = self.held[slot].ok_or(libc::EBADF)?;
                return Ok(Seen::Bytes(self.files[held.file].bytes.clone()));
            }
            Op::WriteHeld(slot, at, letter, length) => {
                let held = self.held[slot].filter(|held| held.write).ok_or(libc::EBADF)?;
                self.write(held.file, at, letter, length);
            }
            Op::LetGo(slot) => self.held[slot] = None,
            Op::Give(..) | Op::Take(..) | Op::Permission(..) | Op::Allow(..) => {
                return Ok(if self.administer(op) { Seen::Done } else { Seen::Refused });
            }
            Op::Remove(who) => {
                if self.installed.remove(&who).is_none() {
                    return Ok(Seen::Refused);
                }
                self.disown(who);
            }
            Op::Clear(who) => {
                if !self.installed.contains_key(&who) {
                    return Ok(Seen::Refused);
                }
                self.disown(who);
            }
            Op::Install(who) => {
                self.installed.insert(who, facts(&who.installed()));
            }
        }
        Ok(Seen::Done)
    }

    /// Puts something new into its directory, which is there.
    fn put(&mut self, path: &str, entry: Entry) -> Outcome<()> {
        match parent(path).and_then(|dir| self.entry(dir)) {
            Some(Entry::Dir) => {
                self.tree.insert(path.to_owned(), entry);
                Ok(())
            }
            Some(Entry::File(_)) => Err(libc::ENOTDIR),
            None => Err(libc::ENOENT),
        }
    }

    fn make(&mut self, who: Who, path: &str, bytes: Vec<u8>) -> Outcome<()> {
        if self.find(who, path)?.is_some() {
            return Err(libc::EEXIST);
        }
        let grant = self.decide(who, path, None, true, Operation::Create)?;
        let number = self.files.len();
        self.put(path, Entry::File(number))?;
        let owner = grant.take_ownership.then(|| who.package());
        self.files.push(File { bytes, owner, mtime: None });
        if let Some(dir) = path.strip_suffix("/.nomedia") {
            self.once_hidden.insert(dir.to_owned());
        }
        if self.mistake == Some(Mistake::GrantsStayWithNames) {
            // What was granted on the last file of the name.
            let earlier: Vec<_> =
                self.grants.iter().filter(|(_, file, _)| !self.is_linked(*file)).copied().collect();
            self.grants.extend(earlier.into_iter().map(|(holder, _, kind)| (holder, number, kind)));
        }
        Ok(())
    }

    fn is_linked(&self, number: usize) -> bool {
        self.tree.values().any(|entry| *entry == Entry::File(number))
    }

    fn write(&mut self, number: usize, at: u64, letter: u8, length: usize) {
        let (at, file) = (at as usize, &mut self.files[number]);
        if file.bytes.len() < at + length {
            file.bytes.resize(at + length, 0);
        }
        file.bytes[at..at + length].fill(b'a' + letter % 26);
        if self.mistake == Some(Mistake::WriteTruncates) {
            file.bytes.truncate(at + length);
        }
        file.mtime = None;
    }

    /// The name of a file is gone.
    fn gone(&mut self, number: usize) {
        if self.mistake != Some(Mistake::GrantsStayWithNames) {
            self.grants.retain(|(_, file, _)| *file != number);
        }
    }

    fn read(&self, who: Who, path: &str) -> Outcome<Vec<u8>> {
        let entry = self.there(who, path)?;
        let Entry::File(number) = entry else {
            // Opening it is listing it, and there is no reading of what was opened.
            self.about(who, path, entry, Operation::OpenDir)?;
            return Err(libc::EISDIR);
        };
        let grant = self.about(who, path, entry, Operation::OpenRead)?;
        let mut bytes = self.files[number].bytes.clone();
        if grant.redact
            && Parsers.may_have_ranges(mime_of(path.as_bytes()))
            && self.about(who, path, entry, Operation::OpenWrite).is_err()
        {
            // What cannot be understood is refused.
            let hidden = Parsers.find(&self.files[number].bytes).map_err(|_| libc::EACCES)?;
            hidden.hide(0, &mut bytes);
        }
        Ok(bytes)
    }

    fn list(&self, who: Who, path: &str) -> Outcome<Vec<String>> {
        let entry = self.there(who, path)?;
        if entry != Entry::Dir {
            return Err(libc::ENOTDIR);
        }
        let grant = self.about(who, path, entry, Operation::OpenDir)?;
        let shows = |(full, entry): &(&String, &Entry)| {
            **entry == Entry::Dir
                || grant.scope == ListScope::Everything
                || self.about(who, full, **entry, Operation::ListEntry).is_ok()
        };
        let inside = self.tree.iter().filter(|(full, _)| parent(full) == Some(path));
        Ok(inside
            .filter(shows)
            .map(|(full, _)| full.rsplit('/').next().unwrap_or_default().to_owned())
            .collect())
    }

    fn rename(&mut self, who: Who, from: Path, to: Path, no_replace: bool) -> Outcome<()> {
        self.walk(who, from)?;
        self.walk(who, to)?;
        let moved = self.look(who, from)?.ok_or(libc::ENOENT)?;
        let replaced = self.look(who, to)?;
        if no_replace && replaced.is_some() {
            return Err(libc::EEXIST);
        }
        if below(from, to).is_some() {
            return Err(libc::EINVAL);
        }
        if below(to, from).is_some() {
            return Err(libc::ENOTEMPTY);
        }
        if from == to {
            return Ok(());
        }
        match (moved, replaced) {
            (Entry::Dir, Some(Entry::File(_))) => return Err(libc::ENOTDIR),
            (Entry::File(_), Some(Entry::Dir)) => return Err(libc::EISDIR),
            _ => {}
        }
        let is_file = moved != Entry::Dir;
        let in_the_way = replaced.map(|it| self.object(who, to, Some(it), it != Entry::Dir));
        let operation = Operation::Rename { to: self.object(who, to, None, is_file), replaced: in_the_way };
        let grant = self.about(who, from, moved, operation)?;
        let inside: Vec<(String, Entry)> = self
            .tree
            .iter()
            .filter(|(path, _)| below(from, path).is_some())
            .map(|(path, entry)| (path.clone(), *entry))
            .collect();
        let renamed = |path: &str| format!("{to}{}", &path[from.len()..]);
        if grant.check_children {
            self.check_children(who, &inside, renamed)?;
        }
        if replaced == Some(Entry::Dir) && self.tree.keys().any(|path| below(to, path).is_some()) {
            return Err(libc::ENOTEMPTY);
        }
        if let Some(Entry::File(number)) = replaced {
            self.gone(number);
        }
        for (path, entry) in std::iter::once((from.to_owned(), moved)).chain(inside) {
            self.tree.remove(&path);
            let new = renamed(&path);
            self.tree.insert(new.clone(), entry);
            if let Entry::File(number) = entry {
                self.moved(number, &path, &new);
            }
        }
        Ok(())
    }

    /// Every file below a directory has to be allowed to move along, and the answer is that of one that is not.
    fn check_children(
        &self,
        who: Who,
        inside: &[(String, Entry)],
        renamed: impl Fn(&str) -> String,
    ) -> Outcome<()> {
        for (path, entry) in inside.iter().filter(|(_, entry)| *entry != Entry::Dir) {
            let new = renamed(path);
            let operation = Operation::MoveWithParent { to: self.object(who, &new, None, true) };
            self.about(who, path, *entry, operation)?;
        }
        Ok(())
    }

    /// What a file is by its place alone it is no more elsewhere, but for whose it is.
    fn moved(&mut self, number: usize, from: &str, to: &str) {
        self.files[number].owner = self.owner(from, number);
        if self.mistake == Some(Mistake::RenameLosesOwner) {
            self.files[number].owner = None;
        }
        if is_never_indexed(to.as_bytes()) {
            self.gone(number);
        }
        if let Some(dir) = to.strip_suffix("/.nomedia") {
            self.once_hidden.insert(dir.to_owned());
        }
    }
}
