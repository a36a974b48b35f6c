//! The steps on the operations, without a mount and without a kernel: [`Kernel`] asks what Linux would ask, name by name, and
//! says by itself what Linux says by itself.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

use mediagate::access::{Access, GrantKind, Grants, Meant, NewGrant};
use mediagate::catalog::Catalog;
use mediagate::config::PackageConfig;
use mediagate::errno::errno;
use mediagate::identity::{ConfigSource, Identity, PackageSource, PersistError};
use mediagate::lower::{self, FileKind, Root, Time};
use mediagate::node::NodeId;
use mediagate::observe::{Gauge, Observer};
use mediagate::ops::{self, Caller, LookupReply, OpError, OpenRequest, SetAttr};
use mediagate::passthrough::{Budget, Limits, Room};
use mediagate::redaction::{Located, Parsers};
use mediagate::volume::{Parts, Volume};
use mediagate_policy::{AccessMask, VolumeKind};

use crate::op::{Content, Kind, Op, SLOTS, STANDING, Who};
use crate::reference::Seen;
use crate::{Driver, LONGEST};

/// A volume that is not mounted.
pub(crate) struct Direct {
    /// The kernel lets go of every name as soon as it has used it.
    forgets: bool,
    world: Unmounted,
    held: [Option<(NodeId, u64)>; SLOTS],
}

struct Unmounted {
    volume: Arc<Volume>,
    access: Arc<Access>,
    identity: Arc<Identity>,
    // Dropped last.
    lower: tempfile::TempDir,
    _state: tempfile::TempDir,
}

impl Unmounted {
    fn new() -> Unmounted {
        let lower = tempfile::tempdir().unwrap();
        // What a new catalog waits for the disk is most of what a sequence takes.
        let state = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let observer = Arc::new(Observer::default());
        let packages: Vec<PackageConfig> = Who::APPS.map(|who| who.installed().0).into();
        let source: Box<dyn PackageSource> = Box::new(ConfigSource::new(&packages));
        let identity = Identity::new(vec![source], Vec::new(), Default::default()).unwrap();
        let grants = Arc::new(Grants::default());
        let access = Arc::new(Access::new(Arc::clone(&identity), grants, Arc::clone(&observer)));
        let catalog = Catalog::open(state.path(), Arc::clone(&observer)).unwrap();
        let budget =
            |gauge| Budget::new(Limits { total: 10_000, per_uid: 10_000 }, gauge, Arc::clone(&observer));
        let handles = budget(Gauge::Handles);
        let volume = Volume::new(Parts {
            name: "model".into(),
            kind: VolumeKind::Emulated,
            users: vec![0],
            lower: Root::open(lower.path(), None).unwrap(),
            cache_seconds: None,
            key: catalog.volume("model", "emulated").unwrap(),
            catalog,
            access: Arc::clone(&access),
            located: Located::new(Arc::new(Parsers), None, true, Arc::clone(&observer)),
            budget: budget(Gauge::BackingFiles),
            held_dirs: 4,
            room: Room { descriptors: 1000, handles: Arc::clone(&handles), volumes: 1 },
            handles,
            listed: budget(Gauge::ListedEntries),
            observer,
        })
        .unwrap();
        volume.prepare().unwrap();
        STANDING.iter().for_each(|path| std::fs::create_dir(lower.path().join("0").join(path)).unwrap());
        Unmounted { volume: Arc::new(volume), access, identity, lower, _state: state }
    }
}

impl Drop for Unmounted {
    fn drop(&mut self) {
        self.volume.catalog.close();
    }
}

type Outcome<T> = Result<T, OpError>;

/// One system call's worth of a kernel that keeps no names.
struct Kernel<'a> {
    volume: &'a Volume,
    caller: Caller,
    looked_up: RefCell<Vec<NodeId>>,
}

/// What Linux itself says.
fn os<T>(errno: i32) -> Outcome<T> {
    Err(OpError::Lower(rustix::io::Errno::from_raw_os_error(errno).into()))
}

impl<'a> Kernel<'a> {
    fn look(&self, parent: NodeId, name: &str) -> Outcome<Option<(NodeId, FileKind)>> {
        match ops::lookup(self.volume, self.caller, parent, name.as_bytes()) {
            Ok(LookupReply::Found(entry)) => {
                self.looked_up.borrow_mut().push(entry.node);
                Ok(Some((entry.node, entry.meta.kind)))
            }
            Ok(LookupReply::Missing(_)) => Ok(None),
            Err(error) if errno(&error) == libc::ENOENT => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The directory of a path, and its last name.
    fn walk(&self, path: &'a str) -> Outcome<(NodeId, &'a str)> {
        let mut dir = self.look(NodeId::ROOT, "0")?.ok_or(OpError::NoEntry)?.0;
        let (names, last) = path.rsplit_once('/').unwrap_or(("", path));
        for name in names.split('/').filter(|name| !name.is_empty()) {
            match self.look(dir, name)? {
                None => return os(libc::ENOENT),
                Some((_, FileKind::File)) => return os(libc::ENOTDIR),
                Some((node, FileKind::Directory)) => dir = node,
            }
        }
        Ok((dir, last))
    }

    fn find(&self, path: &'a str) -> Outcome<Option<(NodeId, FileKind)>> {
        let (dir, name) = self.walk(path)?;
        if name.is_empty() { Ok(Some((dir, FileKind::Directory))) } else { self.look(dir, name) }
    }

    fn there(&self, path: &'a str) -> Outcome<(NodeId, FileKind)> {
        self.find(path)?.ok_or(OpError::NoEntry)
    }

    /// `open(2)`; the handle's number.
    fn open(&self, path: &'a str, flags: i32) -> Outcome<(NodeId, u64)> {
        let (dir, name) = self.walk(path)?;
        let access = match flags & libc::O_ACCMODE {
            libc::O_RDONLY => lower::Access::Read,
            _ => lower::Access::ReadWrite,
        };
        let exclusive = flags & libc::O_EXCL != 0;
        let (node, kind) = match self.look(dir, name)? {
            None if flags & libc::O_CREAT != 0 => {
                let made = ops::create(self.volume, self.caller, dir, name.as_bytes(), access, exclusive)?;
                self.looked_up.borrow_mut().push(made.entry.node);
                return Ok((made.entry.node, made.opened.handle));
            }
            None => return os(libc::ENOENT),
            Some(_) if exclusive => return os(libc::EEXIST),
            Some(found) => found,
        };
        if kind == FileKind::Directory {
            if access == lower::Access::Read {
                // As a directory it can be opened, and that is all.
                let (handle, _) = ops::opendir(self.volume, self.caller, node)?;
                ops::releasedir(self.volume, handle)?;
            }
            return os(libc::EISDIR);
        }
        let request = OpenRequest { access, truncate: flags & libc::O_TRUNC != 0 };
        Ok((node, ops::open(self.volume, self.caller, node, request)?.handle))
    }

    fn with<T>(&self, path: &'a str, flags: i32, work: impl FnOnce(u64) -> Outcome<T>) -> Outcome<T> {
        let (_, handle) = self.open(path, flags)?;
        let done = work(handle);
        ops::release(self.volume, handle)?;
        done
    }

    fn write(&self, handle: u64, at: u64, data: &[u8]) -> Outcome<()> {
        let written = ops::write(self.volume, handle, at, data, false)?;
        assert_eq!(written, data.len());
        Ok(())
    }

    fn read(&self, handle: u64) -> Outcome<Vec<u8>> {
        let mut buffer = vec![0; LONGEST];
        let length = ops::read(self.volume, handle, 0, &mut buffer)?;
        buffer.truncate(length);
        Ok(buffer)
    }

    fn list(&self, path: &'a str) -> Outcome<Vec<String>> {
        let (node, kind) = self.there(path)?;
        if kind == FileKind::File {
            return os(libc::ENOTDIR);
        }
        let (number, _) = ops::opendir(self.volume, self.caller, node)?;
        let (handle, listed) = ops::listing(self.volume, number, 0)?;
        let mut names = Vec::new();
        for entry in listed.entries_from(0).unwrap().iter().filter(|entry| !entry.is_dot()) {
            if let Some(found) = ops::plus_entry(self.volume, &handle, entry)? {
                self.looked_up.borrow_mut().push(found.node);
                names.push(String::from_utf8(entry.name.to_vec()).unwrap());
            }
        }
        drop(handle);
        ops::releasedir(self.volume, number)?;
        names.sort();
        Ok(names)
    }

    fn rename(&self, from: &'a str, to: &'a str, no_replace: bool) -> Outcome<()> {
        let ((from_dir, from_name), (to_dir, to_name)) = (self.walk(from)?, self.walk(to)?);
        let (moved, kind) = self.look(from_dir, from_name)?.ok_or(OpError::NoEntry)?;
        let replaced = self.look(to_dir, to_name)?;
        if no_replace && replaced.is_some() {
            return os(libc::EEXIST);
        }
        let is_in = |path: &str, dir: &str| path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'));
        if is_in(to, from) {
            return os(libc::EINVAL);
        }
        if is_in(from, to) {
            return os(libc::ENOTEMPTY);
        }
        match (kind, replaced) {
            (_, Some((node, _))) if node == moved => return Ok(()),
            (FileKind::Directory, Some((_, FileKind::File))) => return os(libc::ENOTDIR),
            (FileKind::File, Some((_, FileKind::Directory))) => return os(libc::EISDIR),
            _ => {}
        }
        let (from, to) = ((from_dir, from_name.as_bytes()), (to_dir, to_name.as_bytes()));
        let flags = if no_replace { libc::RENAME_NOREPLACE } else { 0 };
        ops::rename(self.volume, self.caller, from, to, flags)
    }

    /// What of a step needs no more than a path.
    fn run(&self, op: &Op) -> Outcome<Seen> {
        let (volume, caller) = (self.volume, self.caller);
        match *op {
            Op::Create(_, path, content) => {
                let flags = libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY;
                self.with(path, flags, |handle| self.write(handle, 0, &content.bytes()))?;
            }
            Op::Overwrite(_, path, content) => {
                let flags = libc::O_CREAT | libc::O_TRUNC | libc::O_WRONLY;
                self.with(path, flags, |handle| self.write(handle, 0, &content.bytes()))?;
            }
            Op::Mknod(_, path) => {
                let (dir, name) = self.walk(path)?;
                if self.look(dir, name)?.is_some() {
                    return os(libc::EEXIST);
                }
                let made = ops::mknod(volume, caller, dir, name.as_bytes(), libc::S_IFREG | 0o600)?;
                self.looked_up.borrow_mut().push(made.node);
            }
            Op::Write(_, path, at, letter, length) => {
                let data = Content::Text(letter, length).bytes();
                self.with(path, libc::O_RDWR, |handle| self.write(handle, at, &data))?;
            }
            Op::Read(_, path) => {
                return self.with(path, libc::O_RDONLY, |handle| self.read(handle)).map(Seen::Bytes);
            }
            Op::Stat(_, path) => {
                let (node, _) = self.there(path)?;
                let (meta, _) = ops::getattr(volume, caller, node)?;
                let is_file = meta.kind == FileKind::File;
                let seconds = meta.mtime_ns().div_euclid(1_000_000_000);
                return Ok(Seen::Stat(is_file.then_some(meta.size), is_file.then_some(seconds)));
            }
            Op::Access(_, path, mask) => {
                let (node, _) = self.there(path)?;
                let (read, write) = (mask & libc::R_OK != 0, mask & libc::W_OK != 0);
                // Whether a name is there the kernel knows by itself.
                if read || write {
                    ops::access(volume, caller, node, AccessMask { read, write, execute: false })?;
                }
            }
            Op::List(_, path) => return self.list(path).map(Seen::Names),
            Op::Rename(_, from, to, no_replace) => self.rename(from, to, no_replace)?,
            Op::Unlink(_, path) | Op::Rmdir(_, path) => {
                let (dir, name) = self.walk(path)?;
                let (_, kind) = self.look(dir, name)?.ok_or(OpError::NoEntry)?;
                match (op, kind) {
                    (Op::Unlink(..), FileKind::File) => ops::unlink(volume, caller, dir, name.as_bytes())?,
                    (Op::Unlink(..), FileKind::Directory) => return os(libc::EISDIR),
                    (_, FileKind::File) => return os(libc::ENOTDIR),
                    (_, FileKind::Directory) => ops::rmdir(volume, caller, dir, name.as_bytes())?,
                }
            }
            Op::Mkdir(_, path) => {
                let (dir, name) = self.walk(path)?;
                if self.look(dir, name)?.is_some() {
                    return os(libc::EEXIST);
                }
                let made = ops::mkdir(volume, caller, dir, name.as_bytes())?;
                self.looked_up.borrow_mut().push(made.node);
            }
            Op::Truncate(_, path, size) => {
                let (node, kind) = self.there(path)?;
                if kind == FileKind::Directory {
                    return os(libc::EISDIR);
                }
                ops::setattr(volume, caller, node, None, SetAttr { size: Some(size), ..SetAttr::default() })?;
            }
            Op::Times(_, path, seconds) => {
                let (node, _) = self.there(path)?;
                let at = Some(Time::At(seconds, 0));
                ops::setattr(volume, caller, node, None, SetAttr { size: None, atime: at, mtime: at })?;
            }
            _ => unreachable!("{op:?}"),
        }
        Ok(Seen::Done)
    }
}

impl Direct {
    pub(crate) fn new(forgets: bool) -> Direct {
        Direct { forgets, world: Unmounted::new(), held: [None; SLOTS] }
    }

    /// A system call. Where a walk turns out to be out of date Linux walks once more (`fs/namei.c`, LOOKUP_REVAL).
    fn call<T>(&self, who: Who, work: impl Fn(&Kernel<'_>) -> Outcome<T>) -> Outcome<T> {
        let kernel = Kernel {
            volume: &self.world.volume,
            caller: Caller { uid: who.uid() },
            looked_up: RefCell::default(),
        };
        let mut done = work(&kernel);
        if matches!(done, Err(OpError::Stale)) {
            done = work(&kernel);
        }
        if self.forgets {
            for node in kernel.looked_up.take() {
                // What is open stays known.
                if !self.held.iter().flatten().any(|(held, _)| *held == node) {
                    self.world.volume.nodes.forget(node, 1);
                }
            }
        }
        done
    }

    fn let_go(&mut self, slot: usize) {
        if let Some((_, handle)) = self.held[slot].take() {
            ops::release(&self.world.volume, handle).unwrap();
        }
    }

    fn try_act(&mut self, op: &Op) -> Outcome<Seen> {
        match *op {
            Op::Hold(slot, who, path, write) => {
                let flags = if write { libc::O_RDWR } else { libc::O_RDONLY };
                let opened = self.call(who, |kernel| {
                    let opened = kernel.open(path, flags)?;
                    // An open file keeps its inode in use.
                    kernel.looked_up.borrow_mut().retain(|node| *node != opened.0);
                    Ok(opened)
                })?;
                self.let_go(slot);
                self.held[slot] = Some(opened);
            }
            Op::ReadHeld(slot) => {
                let (_, handle) = self.held[slot].ok_or(OpError::BadHandle)?;
                return self.call(Who::Root, |kernel| kernel.read(handle)).map(Seen::Bytes);
            }
            Op::WriteHeld(slot, at, letter, length) => {
                let (_, handle) = self.held[slot].ok_or(OpError::BadHandle)?;
                let data = Content::Text(letter, length).bytes();
                self.call(Who::Root, |kernel| kernel.write(handle, at, &data))?;
            }
            Op::LetGo(slot) => self.let_go(slot),
            Op::Give(..) | Op::Take(..) | Op::Permission(..) | Op::Allow(..) => {
                return Ok(if self.administer(op) { Seen::Done } else { Seen::Refused });
            }
            Op::Create(who, ..)
            | Op::Overwrite(who, ..)
            | Op::Mknod(who, ..)
            | Op::Write(who, ..)
            | Op::Read(who, ..)
            | Op::Stat(who, ..)
            | Op::Access(who, ..)
            | Op::List(who, ..)
            | Op::Rename(who, ..)
            | Op::Unlink(who, ..)
            | Op::Mkdir(who, ..)
            | Op::Rmdir(who, ..)
            | Op::Truncate(who, ..)
            | Op::Times(who, ..) => return self.call(who, |kernel| kernel.run(op)),
            Op::Remove(_) | Op::Clear(_) | Op::Install(_) => unreachable!("the service does that: {op:?}"),
        }
        Ok(Seen::Done)
    }

    fn administer(&self, op: &Op) -> bool {
        let (volume, access, identity) = (&self.world.volume, &self.world.access, &self.world.identity);
        let stored = |_: &str, _: Option<&PackageConfig>| Ok::<(), PersistError>(());
        match *op {
            Op::Give(who, path, kind) => {
                let Ok(file) = ops::grantable(volume, format!("0/{path}").as_bytes()) else { return false };
                let kind = match kind {
                    Kind::Selected => GrantKind::Selected,
                    Kind::Read => GrantKind::Read,
                    Kind::Write => GrantKind::Write,
                };
                let new = NewGrant { package: who.package(), user: 0, kind, file: file.id, expires: None };
                access.grants().add(&new, |_, _| Ok::<i64, ()>(1)).is_ok()
            }
            Op::Take(who, path) => {
                let Ok((_, file)) = ops::grant_place(volume, format!("0/{path}").as_bytes()) else {
                    return false;
                };
                let meant = Some(Meant { row: None, file });
                access.grants().remove(who.package(), 0, meant, |_| Ok::<(), ()>(())).unwrap() > 0
            }
            Op::Permission(who, permission, holds) => {
                identity.set_permission(who.package(), permission, holds, &stored).is_ok()
            }
            Op::Allow(who, op, allowed) => {
                let mode = if allowed { "allow" } else { "default" };
                identity.set_app_op(who.package(), op, mode, &stored).is_ok()
            }
            _ => unreachable!("{op:?}"),
        }
    }
}

impl Driver for Direct {
    fn act(&mut self, op: &Op) -> Seen {
        self.try_act(op).unwrap_or_else(|error| Seen::Errno(errno(&error)))
    }

    fn reset(&mut self) {
        self.held = [None; SLOTS];
        self.world = Unmounted::new();
    }

    fn lower(&self) -> PathBuf {
        self.world.lower.path().join("0")
    }
}
