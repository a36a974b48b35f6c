//! Events by fanotify: one mark on the whole lower file system.
//!
//! An event names its directory by a handle. Where that is, is asked of the kernel once and then remembered, for
//! directories elsewhere too: on a busy file system most events are none of ours. What is remembered is forgotten when any directory
//! of the file system is moved or removed.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Weak};

use nix::errno::Errno;
use nix::sys::fanotify::{EventFFlags, Fanotify, InitFlags, MarkFlags, MaskFlags};

use super::batch::{Batch, Name};
use super::record::{self, Place};
use super::{Source, WatchError, kernel, readable_root};
use crate::lower::{Handle, LowerError};
use crate::volume::{Change, Hushed, Volume};

/// Room for some thousand events.
const BUFFER: usize = 256 * 1024;
/// Files of which writes are not reported, at once: marks come out of what the kernel allows root in all
/// (`fs.fanotify.max_user_marks`, 8,192 or more).
const IGNORED: usize = 256;
/// Directories remembered.
const REMEMBERED: usize = 16_384;

/// One mark on a file system.
pub(super) struct Mark {
    volume: Arc<Volume>,
    group: Arc<Fanotify>,
    /// As many as there are files of which writes are not reported.
    ignored: Arc<()>,
    root: OwnedFd,
    /// Where directories are below the root; `None` for those elsewhere.
    places: HashMap<Handle, Option<Arc<[u8]>>>,
    buffer: Vec<u8>,
    pid: i32,
}

fn group() -> nix::Result<Fanotify> {
    let flags = InitFlags::FAN_CLASS_NOTIF
        | InitFlags::FAN_CLOEXEC
        | InitFlags::FAN_NONBLOCK
        | InitFlags::from_bits_retain(libc::FAN_REPORT_DFID_NAME);
    Fanotify::init(flags, EventFFlags::O_RDONLY)
}

/// Whether this process could watch by fanotify: the kernel has it (with names, since Linux 5.9), and the process the
/// capability.
pub fn is_possible() -> Result<(), Errno> {
    group().map(drop)
}

impl Mark {
    /// Marks the file system of the volume's lower root.
    pub(super) fn open(volume: &Arc<Volume>) -> Result<Mark, WatchError> {
        let root = readable_root(volume)?;
        // Handles must lead back: not so where a file system cannot be exported, or without the capability.
        let handle = Handle::of(root.as_fd())?;
        if volume.lower.path_of(root.as_fd(), &handle)?.is_none() {
            return Err(WatchError::Kernel { what: "opening by handle", errno: Errno::ESTALE });
        }
        let group = group().map_err(kernel("fanotify_init"))?;
        let mask = MaskFlags::FAN_CREATE
            | MaskFlags::FAN_DELETE
            | MaskFlags::FAN_RENAME
            | MaskFlags::FAN_ATTRIB
            | MaskFlags::FAN_MODIFY
            | MaskFlags::FAN_CLOSE_WRITE
            | MaskFlags::FAN_ONDIR;
        let flags = MarkFlags::FAN_MARK_ADD | MarkFlags::FAN_MARK_FILESYSTEM;
        group.mark::<_, std::path::Path>(flags, mask, &root, None).map_err(kernel("fanotify_mark"))?;
        Ok(Mark {
            volume: Arc::clone(volume),
            group: Arc::new(group),
            ignored: Arc::default(),
            root,
            places: HashMap::new(),
            buffer: vec![0; BUFFER],
            pid: std::process::id().cast_signed(),
        })
    }

    fn take(&mut self, event: record::Event, batch: &mut Batch) {
        let mask = MaskFlags::from_bits_retain(event.mask);
        if mask.contains(MaskFlags::FAN_Q_OVERFLOW) {
            batch.lost = true;
            return;
        }
        let is_dir = mask.contains(MaskFlags::FAN_ONDIR);
        if is_dir && mask.intersects(MaskFlags::FAN_RENAME | MaskFlags::FAN_DELETE) {
            self.places.clear();
        }
        if event.pid == self.pid {
            // Whoever made the change has told the kernel, the nodes and the index.
            batch.own += 1;
            return;
        }
        let change = Change { is_dir, foreign: true, ..Change::CONTENT };
        let (from, to) = (self.find(event.from, batch), self.find(event.to, batch));
        match (from, to) {
            (Some(from), Some(to)) => {
                batch.events += 1;
                batch.note_move(from, to, change);
            }
            (Some(from), None) => {
                batch.events += 1;
                batch.note(from, Change { went: true, ..change });
            }
            (None, Some(to)) => {
                batch.events += 1;
                batch.note(to, Change { came: true, whole: is_dir, ..change });
            }
            (None, None) => {}
        }
        if let Some(at) = self.find(event.at, batch) {
            batch.events += 1;
            // What a made directory holds was put into it later, and is told by events of its own.
            let (came, went) = (mask.contains(MaskFlags::FAN_CREATE), mask.contains(MaskFlags::FAN_DELETE));
            let is_dir = is_dir && (came || went);
            batch.note(at, Change { came, went, is_dir, ..change });
        }
    }

    /// The name below the root; `None` if it is elsewhere, or its directory gone.
    fn find(&mut self, place: Option<Place>, batch: &mut Batch) -> Option<Name> {
        let Place { dir, name } = place?;
        let found = match self.places.get(&dir) {
            Some(known) => known.clone(),
            None => {
                let found = match self.volume.lower.path_of(self.root.as_fd(), &dir) {
                    Ok(path) => path.map(Arc::from),
                    // Deeper than a path of the whole file system can be: what the kernel knows of it, the nodes know.
                    Err(LowerError::Os(rustix::io::Errno::NAMETOOLONG)) => {
                        let id = dir.id(self.root.as_fd()).ok()?;
                        let known = self.volume.nodes.find(id)?;
                        return Some(Name { dir: known.path().into(), name });
                    }
                    Err(error) => {
                        log::warn!(
                            "volume={}: a changed directory cannot be found: {error}",
                            self.volume.name
                        );
                        batch.lost = true;
                        return None;
                    }
                };
                if self.places.len() >= REMEMBERED {
                    self.places.clear();
                }
                self.places.insert(dir, found.clone());
                found
            }
        };
        found.map(|dir| Name { dir, name })
    }
}

/// A file of which nobody is told that it is written; that it was closed is told.
#[derive(Debug)]
struct Ignored {
    /// Marks go with it.
    group: Weak<Fanotify>,
    fd: Arc<OwnedFd>,
    _counted: Arc<()>,
}

/// Puts a mark on the file, or takes it off: by its descriptor, whatever has its name by now. One that is `O_PATH` cannot be given itself
/// (fs/notify/fanotify/fanotify_user.c, `fanotify_find_path`).
fn mark_ignored(group: &Fanotify, fd: &OwnedFd, what: MarkFlags) -> nix::Result<()> {
    let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let flags = what | MarkFlags::FAN_MARK_IGNORE_SURV;
    group.mark(flags, MaskFlags::FAN_MODIFY, nix::fcntl::AT_FDCWD, Some(link.as_str()))
}

impl Hushed for Ignored {}

impl Drop for Ignored {
    fn drop(&mut self) {
        // If the watch has ended its marks went with it.
        let Some(group) = self.group.upgrade() else { return };
        if let Err(errno) = mark_ignored(&group, &self.fd, MarkFlags::FAN_MARK_REMOVE)
            // Somebody else ended the silence.
            && errno != Errno::ENOENT
        {
            log::warn!("writes to a file would not be reported again ({errno}): those to all files are");
            let nothing = MaskFlags::empty();
            let flushed =
                group.mark::<_, str>(MarkFlags::FAN_MARK_FLUSH, nothing, nix::fcntl::AT_FDCWD, None);
            if let Err(errno) = flushed {
                log::error!("changes of a file behind the mount are not noticed: {errno}");
            }
        }
    }
}

impl Source for Mark {
    fn fd(&self) -> BorrowedFd<'_> {
        self.group.as_fd()
    }

    fn read(&mut self, batch: &mut Batch) -> Result<(), WatchError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let read = loop {
            if batch.is_full() {
                break Ok(());
            }
            match nix::unistd::read(&self.group, &mut buffer) {
                Ok(length) => {
                    for event in record::events(buffer.get(..length).unwrap_or_default()) {
                        self.take(event, batch);
                    }
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break Ok(()),
                Err(errno) => break Err(kernel("reading events")(errno)),
            }
        };
        self.buffer = buffer;
        read
    }

    fn renew(&mut self) -> Result<(), WatchError> {
        self.places.clear();
        Ok(())
    }

    fn hush(&self, fd: &Arc<OwnedFd>) -> Option<Box<dyn Hushed>> {
        if Arc::strong_count(&self.ignored) > IGNORED {
            return None;
        }
        // Before Linux 6.0 there is no such mark; at some number of marks there is no room for another.
        mark_ignored(&self.group, fd, MarkFlags::FAN_MARK_ADD).ok()?;
        let group = Arc::downgrade(&self.group);
        Some(Box::new(Ignored { group, fd: Arc::clone(fd), _counted: Arc::clone(&self.ignored) }))
    }

    fn name(&self) -> &'static str {
        "fanotify"
    }
}
