//! What `statx` says about a lower file.

use std::os::fd::BorrowedFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, FileType, Statx, StatxAttributes, StatxFlags, statx};

use super::LowerError;

/// Kinds of lower files; everything but these two is invisible to apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// Which lower file it is: stable over renames, different once an inode number is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id {
    /// Inode number on the lower file system.
    pub ino: u64,
    /// Derived from the birth time; 0 where the file system keeps none.
    pub generation: u64,
}

/// Attributes of a lower file, as they are shown to apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Which file.
    pub id: Id,
    /// Its kind.
    pub kind: FileKind,
    /// Permission bits.
    pub mode: u16,
    /// Hard links.
    pub nlink: u32,
    /// Owner on the lower file system.
    pub uid: u32,
    /// Group on the lower file system.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Blocks of 512 bytes.
    pub blocks: u64,
    /// Preferred block size.
    pub blksize: u32,
    /// Access time: seconds and nanoseconds since the epoch.
    pub atime: (i64, u32),
    /// Modification time.
    pub mtime: (i64, u32),
    /// Change time.
    pub ctime: (i64, u32),
}

/// What differs between two contents of a file, as far as the file system's clock can tell them apart: see
/// [`Stamp::is_settled`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Which file.
    pub id: Id,
    /// Its size.
    pub size: u64,
    /// Its modification time, in nanoseconds since the epoch.
    pub mtime_ns: i64,
    /// Its change time, in nanoseconds since the epoch.
    pub ctime_ns: i64,
}

impl Stamp {
    /// True if whoever changes the file after `now` must leave another stamp: the last change is at least `tick` ago, which
    /// is more than the file system's clock takes to move on. A change time in the future says that the clock was set back.
    pub fn is_settled(&self, now: SystemTime, tick: Duration) -> bool {
        let Ok(now) = now.duration_since(UNIX_EPOCH) else { return false };
        let (now, tick) = (saturating_i64(now.as_nanos()), saturating_i64(tick.as_nanos()));
        now.saturating_sub(self.ctime_ns) >= tick
    }
}

fn saturating_i64(number: u128) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Meta {
    /// What tells this content of the file from another one.
    pub fn stamp(&self) -> Stamp {
        Stamp { id: self.id, size: self.size, mtime_ns: self.mtime_ns(), ctime_ns: in_ns(self.ctime) }
    }

    /// Of what `fd` refers to (`O_PATH` is enough).
    pub fn of(fd: BorrowedFd<'_>) -> Result<Meta, LowerError> {
        Self::at(fd, b"")
    }

    /// Of `name` in the directory `dir`, without following it; of `dir` itself if `name` is empty. A name that
    /// something is mounted on is not served: `statx` would describe the root of the other file system, whose inode
    /// numbers mean nothing here.
    pub fn at(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Meta, LowerError> {
        let mut flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        if name.is_empty() {
            flags |= AtFlags::EMPTY_PATH;
        }
        let raw = statx(dir, name, flags, StatxFlags::BASIC_STATS | StatxFlags::BTIME)?;
        if !name.is_empty() && raw.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) {
            return Err(LowerError::Escapes);
        }
        Self::from_statx(&raw)
    }

    fn from_statx(raw: &Statx) -> Result<Meta, LowerError> {
        let kind = match FileType::from_raw_mode(raw.stx_mode.into()) {
            FileType::RegularFile => FileKind::File,
            FileType::Directory => FileKind::Directory,
            _ => return Err(LowerError::NotServed),
        };
        let generation = if raw.stx_mask & StatxFlags::BTIME.bits() != 0 {
            let birth = (raw.stx_btime.tv_sec as u64) << 30 ^ u64::from(raw.stx_btime.tv_nsec);
            birth.max(1)
        } else {
            0
        };
        Ok(Meta {
            id: Id { ino: raw.stx_ino, generation },
            kind,
            mode: raw.stx_mode & 0o7777,
            nlink: raw.stx_nlink,
            uid: raw.stx_uid,
            gid: raw.stx_gid,
            size: raw.stx_size,
            blocks: raw.stx_blocks,
            blksize: raw.stx_blksize,
            atime: (raw.stx_atime.tv_sec, raw.stx_atime.tv_nsec),
            mtime: (raw.stx_mtime.tv_sec, raw.stx_mtime.tv_nsec),
            ctime: (raw.stx_ctime.tv_sec, raw.stx_ctime.tv_nsec),
        })
    }

    /// Modification time in nanoseconds since the epoch, clamped to what fits.
    pub fn mtime_ns(&self) -> i64 {
        in_ns(self.mtime)
    }
}

fn in_ns((seconds, nanos): (i64, u32)) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(nanos))
}
