//! The root of a volume's lower tree, and opening, making, moving and removing what is beneath it.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Gid, Mode, OFlags, RenameFlags, ResolveFlags, StatVfs, Uid, fchown, fstatfs, fstatvfs,
    ftruncate, ioctl_getflags, mkdirat, open, openat, openat2, renameat_with, unlinkat,
};
use rustix::io::Errno;

use super::dir::name_of;
use super::marker::marker;
use super::project::Projects;
use super::{LowerError, Meta, xattr};

/// `openat2` answers EAGAIN when a rename anywhere raced with a `..`-free but scoped walk; it is safe to try again.
const RETRIES: usize = 16;
/// `OVERLAYFS_SUPER_MAGIC` and `FUSE_SUPER_MAGIC` (include/uapi/linux/magic.h): file systems that stack already.
const STACKED: [i64; 2] = [0x794c_7630, 0x6573_5546];
/// `MSDOS_SUPER_MAGIC` and `EXFAT_SUPER_MAGIC`: file systems that know one file by several names.
const ALIASING: [i64; 2] = [0x4d44, 0x2011_bab0];
/// File systems that nobody changes but through this kernel, so that a watch hears of everything: ext, f2fs, tmpfs, xfs,
/// btrfs, bcachefs, overlayfs, FAT, exFAT, ramfs (include/uapi/linux/magic.h). Not so a FUSE or network one.
const LOCAL: [i64; 10] = [
    0xef53,
    0xf2f5_2010,
    0x0102_1994,
    0x5846_5342,
    0x9123_683e,
    0xca45_1a4e,
    0x794c_7630,
    0x4d44,
    0x2011_bab0,
    0x8584_58f6,
];
/// File systems on which two files cannot share what they hold, so that a copy is a copy of bytes: ext, f2fs, tmpfs, FAT, exFAT,
/// ramfs (none of them has `remap_file_range`).
const COPYING: [i64; 6] = [0xef53, 0xf2f5_2010, 0x0102_1994, 0x4d44, 0x2011_bab0, 0x8584_58f6];
/// `FS_CASEFOLD_FL` (include/uapi/linux/fs.h).
const CASEFOLD: u32 = 0x4000_0000;
/// Mode of new files (MediaProvider's FuseDaemon `pf_create`).
const FILE_MODE: Mode = Mode::from_raw_mode(0o664);
/// Mode of new directories (`pf_mkdir`).
const DIR_MODE: Mode = Mode::from_raw_mode(0o775);

/// How a file is opened for the daemon's own reading and writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading only.
    Read,
    /// Reading and writing.
    ReadWrite,
}

fn open_again(file: BorrowedFd<'_>, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    // The one magic link that is followed: that of a descriptor of this process.
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    open(link, flags | OFlags::CLOEXEC, Mode::empty())
}

/// The root of a lower tree.
#[derive(Debug)]
pub struct Root {
    fd: OwnedFd,
    owner: (u32, u32),
    /// What this process makes belongs to somebody else.
    gives: bool,
    xattrs: bool,
    stacked: bool,
    aliasing: bool,
    local: bool,
    copying: bool,
    marker: Option<String>,
    pub(super) projects: Projects,
}

impl Root {
    /// Opens `path`. New files and directories will belong to `owner` (uid, gid), by default the root's own.
    pub fn open(path: &Path, owner: Option<(u32, u32)>) -> Result<Root, LowerError> {
        let fd = open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let meta = Meta::of(fd.as_fd())?;
        let readable = openat(&fd, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let magic = fstatfs(&readable)?.f_type as i64;
        let owner = owner.unwrap_or((meta.uid, meta.gid));
        Ok(Root {
            gives: owner != (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()),
            owner,
            xattrs: xattr::supported(readable.as_fd()),
            stacked: STACKED.contains(&magic),
            aliasing: ALIASING.contains(&magic),
            local: LOCAL.contains(&magic),
            copying: COPYING.contains(&magic),
            marker: marker(readable.as_fd()),
            projects: Projects::default(),
            fd,
        })
    }

    /// The root directory (`O_PATH`).
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// True when the file system keeps user attributes, i.e. can carry ownership.
    pub fn has_xattrs(&self) -> bool {
        self.xattrs
    }

    /// True when the file system itself stacks on another: passthrough then needs a stack depth of 2.
    pub fn is_stacked(&self) -> bool {
        self.stacked
    }

    /// True for a name that the file system may take for another one: FAT drops dots and spaces at the end
    /// (fs/fat/namei_vfat.c, vfat_striptail_len), and keeps a short `NAME~1.EXT` beside a long name. What a path means is
    /// decided by its names, so each thing must have one only.
    pub fn is_alias(&self, name: &[u8]) -> bool {
        self.aliasing && is_fat_alias(name)
    }

    /// True where a name has several spellings and no owner is kept with the file, so that what is known of it is known
    /// by its name: FAT.
    pub fn has_spellings(&self) -> bool {
        self.aliasing
    }

    /// How the directory spells the name of what was found in it as `name`, described by `meta`. Costs a walk over the
    /// directory, as does every lookup on FAT (fs/fat/dir.c, `fat_search_long`).
    pub fn spelling(&self, dir: BorrowedFd<'_>, name: &[u8], meta: &Meta) -> Result<Box<[u8]>, LowerError> {
        // Held open meanwhile: FAT makes inode numbers up anew for files that nobody has (fs/fat/inode.c,
        // `fat_build_inode`).
        let file = self.open_child(dir, name)?;
        if Meta::of(file.as_fd())?.id != meta.id {
            return Err(LowerError::Os(Errno::STALE));
        }
        name_of(dir, name, meta.id.ino)?.ok_or(LowerError::Os(Errno::NOENT))
    }

    /// What tells the file system from another one at the same place, if it has such a number.
    pub fn marker(&self) -> Option<&str> {
        self.marker.as_deref()
    }

    /// True when a watch hears of every change.
    pub fn is_local(&self) -> bool {
        self.local
    }

    /// True when two files are known to never share what they hold: to copy one is to copy its bytes.
    pub fn copies_bytes(&self) -> bool {
        self.copying
    }

    /// True when a name in this directory has several spellings (FAT; a directory with the casefold flag).
    pub fn folds_case(&self, dir: BorrowedFd<'_>) -> bool {
        let flags = openat(dir, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .and_then(|dir| ioctl_getflags(&dir));
        self.aliasing || flags.is_ok_and(|flags| flags.bits() & CASEFOLD != 0)
    }

    /// Opens `path` (relative, bytes; empty for the root) with `O_PATH`.
    pub fn open_path(&self, path: &[u8]) -> Result<OwnedFd, LowerError> {
        self.resolve(path, OFlags::PATH)
    }

    /// Opens the directory `path` with `O_PATH`, to work on names in it.
    pub fn open_dir(&self, path: &[u8]) -> Result<OwnedFd, LowerError> {
        self.resolve(path, OFlags::PATH | OFlags::DIRECTORY)
    }

    /// Opens the directory `path` for [`super::read_dir`].
    pub fn open_dir_for_reading(&self, path: &[u8]) -> Result<OwnedFd, LowerError> {
        self.resolve(path, OFlags::RDONLY | OFlags::DIRECTORY)
    }

    fn resolve(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd, LowerError> {
        let path = if path.is_empty() { b"." } else { path };
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let how = ResolveFlags::BENEATH
            | ResolveFlags::NO_SYMLINKS
            | ResolveFlags::NO_MAGICLINKS
            | ResolveFlags::NO_XDEV;
        for _ in 0..RETRIES {
            match openat2(&self.fd, path, flags, Mode::empty(), how) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                other => return Ok(other?),
            }
        }
        Err(LowerError::Os(Errno::AGAIN))
    }

    /// Opens a name in a directory with `O_PATH`, never following it.
    pub fn open_child(&self, dir: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, LowerError> {
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        Ok(openat2(dir, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty(), how)?)
    }

    /// Opens for input and output what `file` (one of our own descriptors, usually `O_PATH`) refers to. The
    /// caller has made sure that it is a regular file: a pipe or a device must never be opened.
    pub fn reopen(file: BorrowedFd<'_>, access: Access) -> Result<OwnedFd, LowerError> {
        let flags = match access {
            Access::Read => OFlags::RDONLY,
            // Not O_APPEND: who appends says so with each write, and pages from the kernel's cache never do.
            Access::ReadWrite => OFlags::RDWR,
        };
        Ok(open_again(file, flags)?)
    }

    /// As [`Root::reopen`], for the service to read for itself: nobody's access time changes by that.
    pub fn reopen_unnoticed(file: BorrowedFd<'_>) -> Result<OwnedFd, LowerError> {
        match open_again(file, OFlags::RDONLY | OFlags::NOATIME) {
            // Neither the file's owner nor with CAP_FOWNER (open(2)).
            Err(Errno::PERM) => Self::reopen(file, Access::Read),
            other => Ok(other?),
        }
    }

    /// Makes a new file, opened for reading and writing; fails with EEXIST if there is anything of that name.
    pub fn create(&self, dir: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, LowerError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(dir, name, flags, FILE_MODE)?;
        if let Err(error) = self.give_to_owner(file.as_fd()) {
            // Nothing was promised yet: leave no file behind that nobody can account for.
            let _ = unlinkat(dir, name, AtFlags::empty());
            return Err(error);
        }
        Ok(file)
    }

    /// Makes a directory.
    pub fn make_dir(&self, dir: BorrowedFd<'_>, name: &[u8]) -> Result<(), LowerError> {
        mkdirat(dir, name, DIR_MODE)?;
        let made = self.open_child(dir, name)?;
        let readable =
            openat(&made, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        self.give_to_owner(readable.as_fd())
    }

    /// Nothing to do where the daemon already creates files as the owner; a file system without owners says EPERM.
    fn give_to_owner(&self, file: BorrowedFd<'_>) -> Result<(), LowerError> {
        if !self.gives {
            return Ok(());
        }
        let (uid, gid) = self.owner;
        match fchown(file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid))) {
            Err(Errno::PERM) if !self.xattrs => Ok(()),
            other => Ok(other?),
        }
    }

    /// Makes the directory `path` and the twelve default directories in it, unless that was done before. All of it is of the project
    /// `project`, and so is what is made in it later.
    pub fn prepare_user(&self, path: &[u8], default_dirs: &[&str], project: u32) -> Result<(), LowerError> {
        let new = if path.is_empty() {
            false
        } else {
            match self.make_dir(self.as_fd(), path) {
                Ok(()) => true,
                Err(LowerError::Os(Errno::EXIST)) => false,
                Err(other) => return Err(other),
            }
        };
        let dir = self.open_dir_for_reading(path)?;
        self.set_project(dir.as_fd(), project, true)?;
        let first = if self.xattrs { xattr::mark_prepared(dir.as_fd())? } else { new };
        if first {
            for name in default_dirs {
                match self.make_dir(dir.as_fd(), name.as_bytes()) {
                    Ok(()) | Err(LowerError::Os(Errno::EXIST)) => {}
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(())
    }

    /// Removes a file.
    pub fn unlink(&self, dir: BorrowedFd<'_>, name: &[u8]) -> Result<(), LowerError> {
        Ok(unlinkat(dir, name, AtFlags::empty())?)
    }

    /// Removes an empty directory.
    pub fn remove_dir(&self, dir: BorrowedFd<'_>, name: &[u8]) -> Result<(), LowerError> {
        Ok(unlinkat(dir, name, AtFlags::REMOVEDIR)?)
    }

    /// Renames, replacing what is there unless `no_replace`.
    pub fn rename(
        &self,
        from: (BorrowedFd<'_>, &[u8]),
        to: (BorrowedFd<'_>, &[u8]),
        no_replace: bool,
    ) -> Result<(), LowerError> {
        let flags = if no_replace { RenameFlags::NOREPLACE } else { RenameFlags::empty() };
        Ok(renameat_with(from.0, from.1, to.0, to.1, flags)?)
    }

    /// Sets the size of what `file` (`O_PATH` is enough) refers to.
    pub fn truncate(file: BorrowedFd<'_>, size: u64) -> Result<(), LowerError> {
        Ok(ftruncate(Self::reopen(file, Access::ReadWrite)?, size)?)
    }

    /// Sets times; `None` leaves one as it is.
    pub fn set_times(
        file: BorrowedFd<'_>,
        atime: Option<Time>,
        mtime: Option<Time>,
    ) -> Result<(), LowerError> {
        let spec = |time: Option<Time>| match time {
            None => rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT },
            Some(Time::Now) => rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW },
            Some(Time::At(seconds, nanos)) => rustix::fs::Timespec { tv_sec: seconds, tv_nsec: nanos.into() },
        };
        let times = rustix::fs::Timestamps { last_access: spec(atime), last_modification: spec(mtime) };
        let link = format!("/proc/self/fd/{}", file.as_raw_fd());
        Ok(rustix::fs::utimensat(CWD, link, &times, AtFlags::empty())?)
    }

    /// Space on the file system.
    pub fn space(&self) -> Result<StatVfs, LowerError> {
        Ok(fstatvfs(&self.fd)?)
    }
}

/// A time to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// The current time.
    Now,
    /// Seconds and nanoseconds since the epoch.
    At(i64, u32),
}

fn is_fat_alias(name: &[u8]) -> bool {
    let mut parts = name.split(|byte| *byte == b'.');
    let (base, extension) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_short = base.len() <= 8 && extension.len() <= 3 && parts.next().is_none();
    let digits = base.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let is_numbered = digits > 0 && base.len() > digits && base.get(base.len() - digits - 1) == Some(&b'~');
    name.ends_with(b".") || name.ends_with(b" ") || (is_short && is_numbered)
}

#[cfg(test)]
mod tests {
    use super::is_fat_alias;

    #[test]
    fn names_that_fat_takes_for_others_are_known() {
        for alias in ["Android.", "data..", "data ", "ANDROI~1", "docum~12", "IMG_00~1.JPG", "a."] {
            assert!(is_fat_alias(alias.as_bytes()), "{alias}");
        }
        for name in ["Android", "IMG~1_0001.jpg", "notes~1.html", "a~b", ".nomedia", "a.b.c", "x 1"] {
            assert!(!is_fat_alias(name.as_bytes()), "{name}");
        }
    }
}
