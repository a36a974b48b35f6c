//! Events by inotify: a watch for each directory.
//!
//! A directory that comes is watched, then read: what was put into it before that is noted as if it had been told. Where a
//! watched directory is, follows from its parent's watch and its name there, so that a rename of a directory is one change here
//! however much is below it.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};

use super::batch::{Batch, Name};
use super::{Source, WatchError, kernel};
use crate::lower::{FileKind, LowerError, read_dir};
use crate::volume::{Change, Hushed, Volume};

const EVENTS: AddWatchFlags = AddWatchFlags::IN_CREATE
    .union(AddWatchFlags::IN_DELETE)
    .union(AddWatchFlags::IN_MOVE)
    .union(AddWatchFlags::IN_ATTRIB)
    .union(AddWatchFlags::IN_MODIFY)
    .union(AddWatchFlags::IN_CLOSE_WRITE)
    .union(AddWatchFlags::IN_ONLYDIR);

/// No path that the kernel can resolve has more components (`PATH_MAX` / 2).
const DEEPEST: usize = 2048;

/// A watched directory. The root has no parent.
struct Dir {
    parent: Option<WatchDescriptor>,
    name: Box<[u8]>,
    children: HashMap<Box<[u8]>, WatchDescriptor>,
}

/// The first half of a rename.
struct Half {
    cookie: u32,
    parent: WatchDescriptor,
    name: Box<[u8]>,
    is_dir: bool,
}

/// Watches on all directories of a lower tree.
pub(super) struct Tree {
    volume: Arc<Volume>,
    queue: Inotify,
    dirs: HashMap<WatchDescriptor, Dir>,
    /// Paths that were put together since a directory last moved.
    paths: HashMap<WatchDescriptor, Arc<[u8]>>,
    half: Option<Half>,
}

impl Tree {
    /// Watches the volume's lower tree.
    pub(super) fn open(volume: &Arc<Volume>) -> Result<Tree, WatchError> {
        let queue =
            Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).map_err(kernel("inotify_init"))?;
        let mut tree = Tree {
            volume: Arc::clone(volume),
            queue,
            dirs: HashMap::new(),
            paths: HashMap::new(),
            half: None,
        };
        tree.renew()?;
        Ok(tree)
    }

    /// Watches the directory `path`, which is `name` in `parent`, and all below it, and notes what is found there if `batch`
    /// is given.
    fn add(
        &mut self,
        parent: Option<WatchDescriptor>,
        name: &[u8],
        path: &[u8],
        mut batch: Option<&mut Batch>,
    ) -> Result<(), WatchError> {
        let mut todo = vec![(parent, Box::from(name), path.to_vec())];
        while let Some((parent, name, path)) = todo.pop() {
            let fd = match self.volume.lower.open_dir_for_reading(&path) {
                Ok(fd) => fd,
                // Its going is told as well.
                Err(error) if error.is_not_found() && parent.is_some() => continue,
                Err(error) => return Err(error.into()),
            };
            // A magic link of our own: whatever became of the path, this is what is beneath the root.
            let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
            let watch = match self.queue.add_watch(link.as_str(), EVENTS) {
                Ok(watch) => watch,
                Err(Errno::ENOSPC) => return Err(WatchError::TooManyDirectories),
                Err(errno) => return Err(kernel("inotify_add_watch")(errno)),
            };
            self.put(watch, parent, name);
            let dir: Arc<[u8]> = path.as_slice().into();
            for entry in read_dir(fd.as_fd())? {
                let kind = match entry.kind_in(fd.as_fd()) {
                    Ok(Some(kind)) => kind,
                    Ok(None) | Err(LowerError::NotServed) => continue,
                    Err(error) => return Err(error.into()),
                };
                let found = Name { dir: Arc::clone(&dir), name: entry.name };
                let is_dir = kind == FileKind::Directory;
                if is_dir {
                    todo.push((Some(watch), found.name.clone(), found.path()));
                }
                if let Some(batch) = batch.as_deref_mut() {
                    batch.note(found, Change { came: true, is_dir, ..Change::CONTENT });
                }
            }
        }
        Ok(())
    }

    /// The directory of this watch is `name` in `parent` now.
    fn put(&mut self, watch: WatchDescriptor, parent: Option<WatchDescriptor>, name: Box<[u8]>) {
        let children = match self.take(watch) {
            Some(known) => {
                self.paths.clear();
                known.children
            }
            None => HashMap::new(),
        };
        if let Some(parent) = parent.and_then(|parent| self.dirs.get_mut(&parent)) {
            parent.children.insert(name.clone(), watch);
        }
        self.dirs.insert(watch, Dir { parent, name, children });
    }

    fn take(&mut self, watch: WatchDescriptor) -> Option<Dir> {
        let dir = self.dirs.remove(&watch)?;
        if let Some(parent) = dir.parent.and_then(|parent| self.dirs.get_mut(&parent))
            && parent.children.get(&dir.name) == Some(&watch)
        {
            parent.children.remove(&dir.name);
        }
        Some(dir)
    }

    /// A directory left the tree, with all below it.
    fn leave(&mut self, top: WatchDescriptor) {
        self.paths.clear();
        let mut todo: Vec<_> = self.take(top).map(|dir| (top, dir)).into_iter().collect();
        while let Some((watch, dir)) = todo.pop() {
            // It may have gone by itself.
            let _ = self.queue.rm_watch(watch);
            todo.extend(
                dir.children.into_values().filter_map(|it| self.dirs.remove(&it).map(|dir| (it, dir))),
            );
        }
    }

    fn path(&mut self, watch: WatchDescriptor) -> Option<Arc<[u8]>> {
        if let Some(known) = self.paths.get(&watch) {
            return Some(Arc::clone(known));
        }
        let mut names: Vec<&[u8]> = Vec::new();
        let mut at = self.dirs.get(&watch)?;
        while let Some(parent) = at.parent {
            names.push(&at.name);
            at = self.dirs.get(&parent).filter(|_| names.len() < DEEPEST)?;
        }
        names.reverse();
        let path: Arc<[u8]> = names.join(&b'/').into();
        self.paths.insert(watch, Arc::clone(&path));
        Some(path)
    }

    fn name_in(&mut self, watch: WatchDescriptor, name: &[u8]) -> Option<Name> {
        Some(Name { dir: self.path(watch)?, name: name.into() })
    }

    /// No second half came: it was moved out of the tree.
    fn drop_half(&mut self, batch: &mut Batch) {
        let Some(half) = self.half.take() else { return };
        if let Some(from) = self.name_in(half.parent, &half.name) {
            batch.note(from, Change { went: true, is_dir: half.is_dir, ..Change::CONTENT });
        }
        let moved = self.dirs.get(&half.parent).and_then(|dir| dir.children.get(&half.name)).copied();
        if let Some(moved) = moved.filter(|_| half.is_dir) {
            self.leave(moved);
        }
    }

    fn event(&mut self, event: &InotifyEvent, batch: &mut Batch) -> Result<(), WatchError> {
        let mask = event.mask;
        if mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
            batch.lost = true;
            return Ok(());
        }
        if mask.contains(AddWatchFlags::IN_IGNORED) {
            if self.take(event.wd).is_some_and(|dir| dir.parent.is_none()) {
                return Err(WatchError::Unmounted);
            }
            self.paths.remove(&event.wd);
            return Ok(());
        }
        let is_dir = mask.contains(AddWatchFlags::IN_ISDIR);
        let name: &[u8] = match &event.name {
            Some(name) => std::os::unix::ffi::OsStrExt::as_bytes(name.as_os_str()),
            None => b".",
        };
        if mask.contains(AddWatchFlags::IN_MOVED_TO) {
            match self.half.take() {
                Some(half) if half.cookie == event.cookie => return self.moved(&half, event.wd, name, batch),
                other => self.half = other,
            }
        }
        self.drop_half(batch);
        let Some(at) = self.name_in(event.wd, name) else { return Ok(()) };
        batch.events += 1;
        if mask.contains(AddWatchFlags::IN_MOVED_FROM) {
            let name = at.name.clone();
            self.half = Some(Half { cookie: event.cookie, parent: event.wd, name, is_dir });
            return Ok(());
        }
        let went = mask.contains(AddWatchFlags::IN_DELETE);
        let moved = mask.contains(AddWatchFlags::IN_MOVED_TO);
        let came = moved || mask.contains(AddWatchFlags::IN_CREATE);
        let path = at.path();
        let named = is_dir && (came || went);
        batch.note(at, Change { came, went, is_dir: named, whole: moved && is_dir, foreign: false });
        if came && is_dir {
            // What a made directory holds by now is noted; what was moved here is gone through as a whole.
            self.add(Some(event.wd), name, &path, Some(batch))?;
        }
        Ok(())
    }

    fn moved(
        &mut self,
        half: &Half,
        to: WatchDescriptor,
        name: &[u8],
        batch: &mut Batch,
    ) -> Result<(), WatchError> {
        batch.events += 1;
        let (Some(from), Some(to_name)) = (self.name_in(half.parent, &half.name), self.name_in(to, name))
        else {
            return Ok(());
        };
        let path = to_name.path();
        batch.note_move(from, to_name, Change { is_dir: half.is_dir, ..Change::CONTENT });
        if half.is_dir {
            // What was there under this name was empty, and goes by itself.
            let watch = self.dirs.get(&half.parent).and_then(|dir| dir.children.get(&half.name)).copied();
            match watch {
                Some(watch) => self.put(watch, Some(to), name.into()),
                // It came and was renamed before it was watched.
                None => self.add(Some(to), name, &path, Some(batch))?,
            }
        }
        Ok(())
    }
}

impl Source for Tree {
    fn fd(&self) -> BorrowedFd<'_> {
        self.queue.as_fd()
    }

    fn read(&mut self, batch: &mut Batch) -> Result<(), WatchError> {
        while !batch.is_full() {
            match self.queue.read_events() {
                Ok(events) => events.iter().try_for_each(|event| self.event(event, batch))?,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    self.drop_half(batch);
                    return Ok(());
                }
                Err(errno) => return Err(kernel("reading events")(errno)),
            }
        }
        Ok(())
    }

    /// Directories that are watched already keep their watch: the kernel answers with its number.
    fn renew(&mut self) -> Result<(), WatchError> {
        self.dirs.clear();
        self.paths.clear();
        self.half = None;
        self.add(None, b"", b"", None)
    }

    /// A directory's watch is for all that is in it.
    fn hush(&self, _: &Arc<OwnedFd>) -> Option<Box<dyn Hushed>> {
        None
    }

    fn name(&self) -> &'static str {
        "inotify"
    }
}
