//! Work on files through a volume's mount, for a caller.
//!
//! Every name is looked up beneath the mount's root, and no symbolic link is followed. The volume stays attached while its
//! [`Mount`] lives, so that the directory is the mount's and not the one below it.

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, ResolveFlags, fstatfs, mkdirat, openat, openat2,
    renameat_with, statat, unlinkat,
};
use rustix::io::Errno;

use super::{ByVolume, Found};
use crate::access::Subject;
use crate::control::store::{MediaResult, OpenMode};
use crate::serve::volumes::Attached;
use crate::volume::Acting;

/// How often a lookup that met a rename on its way is tried again (openat2(2), EAGAIN).
const TRIES: usize = 64;
/// What statfs says of FUSE (include/uapi/linux/magic.h).
const FUSE_SUPER_MAGIC: u64 = 0x6573_5546;
/// The bit that tells the two views of a file apart in their inode numbers.
const VIEW: u64 = 1 << 63;

/// Why something was not done to a file.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(in crate::serve) enum WorkError {
    /// There is no such file for the caller.
    #[error("there is no such file")]
    NotFound,
    /// The index knows a file that is not there.
    #[error("the file is gone")]
    Gone,
    /// The caller may not do it.
    #[error("that is not allowed")]
    Denied,
    /// Another file has the name.
    #[error("all names are taken")]
    Taken,
    /// It makes no sense of this file.
    #[error("that makes no sense of this file")]
    Invalid,
    /// Anything else.
    #[error("{0}")]
    Failed(Errno),
}

impl From<Errno> for WorkError {
    fn from(errno: Errno) -> WorkError {
        match errno {
            Errno::NOENT => WorkError::NotFound,
            Errno::ACCESS | Errno::PERM => WorkError::Denied,
            Errno::EXIST => WorkError::Taken,
            Errno::INVAL | Errno::NAMETOOLONG | Errno::XDEV | Errno::ISDIR | Errno::NOTDIR => {
                WorkError::Invalid
            }
            other => WorkError::Failed(other),
        }
    }
}

impl WorkError {
    pub(super) fn result(self) -> MediaResult {
        match self {
            WorkError::NotFound | WorkError::Gone => MediaResult::NotFound,
            WorkError::Denied => MediaResult::Denied,
            WorkError::Taken => MediaResult::AlreadyExists,
            WorkError::Invalid => MediaResult::Invalid,
            WorkError::Failed(errno) => {
                log::warn!("a file of the store could not be worked on: {errno}");
                MediaResult::Failed
            }
        }
    }
}

type Result<T> = std::result::Result<T, WorkError>;

/// The mounts that one call works through. The thread acts for the caller while this lives.
pub(super) struct Mounts {
    open: ByVolume<Mount>,
    uid: u32,
    acting: Option<Acting>,
}

impl Mounts {
    pub(super) fn new(uid: u32) -> Mounts {
        Mounts { open: ByVolume::new(), uid, acting: None }
    }

    pub(super) fn of(&mut self, attached: &Arc<Attached>) -> Result<&Mount> {
        let key = attached.volume.key;
        if !self.open.contains_key(&key) {
            // The mount's root is looked at as the service.
            self.acting = None;
            self.open.insert(key, Mount::at(attached)?);
        }
        self.acting.get_or_insert_with(|| Acting::for_uid(self.uid));
        self.open.get(&key).ok_or(WorkError::Invalid)
    }
}

/// A volume's mount.
pub(in crate::serve) struct Mount {
    attached: Arc<Attached>,
    root: OwnedFd,
}

impl Mount {
    pub(in crate::serve) fn at(attached: &Arc<Attached>) -> Result<Mount> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let root = openat(CWD, &attached.config.mount, flags, Mode::empty())?;
        // Somebody may have unmounted it by hand.
        if u64::try_from(fstatfs(&root)?.f_type) != Ok(FUSE_SUPER_MAGIC) {
            return Err(WorkError::Failed(Errno::NODEV));
        }
        Ok(Mount { attached: Arc::clone(attached), root })
    }

    fn resolve(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd> {
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let path = if path.is_empty() { &b"."[..] } else { path };
        for _ in 0..TRIES {
            match openat2(&self.root, path, flags | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty(), how) {
                Err(Errno::AGAIN | Errno::INTR | Errno::STALE) => {}
                opened => return Ok(opened?),
            }
        }
        Err(WorkError::Failed(Errno::AGAIN))
    }

    fn dir(&self, path: &[u8]) -> Result<OwnedFd> {
        self.resolve(path, OFlags::PATH | OFlags::DIRECTORY)
    }

    /// Makes sure that the file which the index knows is where it says.
    pub(super) fn is_there(&self, found: &Found) -> Result<()> {
        let (dir, name) = split(found.subject.lower_path());
        let looked = self.dir(dir).and_then(|dir| Ok(statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW)?));
        let stat = match looked {
            Err(WorkError::NotFound) => return Err(WorkError::Gone),
            looked => looked?,
        };
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(WorkError::Gone);
        }
        // Where inode numbers are made up the name is all there is to go by.
        let same =
            stat.st_ino & !VIEW == found.entry.row.ino & !VIEW || !self.attached.volume.lower.has_xattrs();
        // Another file took the name, and the index will hear of it.
        if same { Ok(()) } else { Err(WorkError::NotFound) }
    }

    /// Removes a file that is there: what the caller is told is not there it may not remove.
    pub(super) fn unlink(&self, subject: &Subject) -> Result<()> {
        let (dir, name) = split(subject.lower_path());
        match unlinkat(self.dir(dir)?.as_fd(), name, AtFlags::empty()) {
            Err(Errno::NOENT) => Err(WorkError::Denied),
            other => Ok(other?),
        }
    }

    pub(super) fn open(&self, subject: &Subject, mode: OpenMode) -> Result<OwnedFd> {
        let mut flags = if mode.write { OFlags::RDWR } else { OFlags::RDONLY };
        flags.set(OFlags::TRUNC, mode.truncate);
        flags.set(OFlags::APPEND, mode.append);
        self.resolve(subject.lower_path(), flags | OFlags::NONBLOCK | OFlags::NOCTTY)
    }

    /// Renames a file to the first of `names` in `dir` that nothing has.
    pub(super) fn rename(&self, subject: &Subject, dir: &[u8], names: &[Vec<u8>]) -> Result<()> {
        let (old_dir, old_name) = split(subject.lower_path());
        let (from, to) = (self.dir(old_dir)?, self.dir(dir)?);
        for name in names {
            match renameat_with(&from, old_name, &to, name.as_slice(), RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => {}
                // It was there: so it is the caller for whom it is not.
                Err(Errno::NOENT) => return Err(WorkError::Denied),
                other => return Ok(other?),
            }
        }
        Err(WorkError::Taken)
    }

    /// Whether there is anything at a path.
    pub(super) fn exists(&self, path: &[u8]) -> Result<bool> {
        let (dir, name) = split(path);
        let looked = self.dir(dir).and_then(|dir| Ok(statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW)?));
        match looked {
            Ok(_) => Ok(true),
            Err(WorkError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes a file that was not there.
    pub(super) fn create(&self, path: &[u8]) -> Result<()> {
        let (dir, name) = split(path);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(self.dir(dir)?, name, flags, Mode::from_raw_mode(0o660))?;
        Ok(())
    }

    /// Makes a directory and those above it, as far as they are missing.
    pub(in crate::serve) fn make_dirs(&self, path: &[u8]) -> Result<()> {
        for end in (0..=path.len()).filter(|at| path.get(*at).is_none_or(|byte| *byte == b'/')) {
            let (above, name) = split(path.get(..end).unwrap_or_default());
            if name.is_empty() {
                continue;
            }
            let above = self.dir(above)?;
            match statat(&above, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(_) => continue,
                Err(Errno::NOENT) => {}
                Err(other) => return Err(other.into()),
            }
            match mkdirat(&above, name, Mode::from_raw_mode(0o770)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Ok(())
    }
}

/// Directory and name.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (path.get(..slash).unwrap_or_default(), path.get(slash + 1..).unwrap_or_default()),
        None => (b"", path),
    }
}
