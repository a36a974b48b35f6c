//! File handles: what the kernel names a lower file by in the events of a watch.
#![allow(unsafe_code, reason = "no crate wraps open_by_handle_at")]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::fs::{CWD, readlinkat};
use rustix::io::Errno;

use super::{Id, LowerError, Meta, Root};

/// `MAX_HANDLE_SZ` (include/linux/exportfs.h).
const LONGEST: usize = 128;
/// Attempts to open a directory that is changing.
const RETRIES: usize = 16;
/// Between the later ones.
const REST: std::time::Duration = std::time::Duration::from_millis(2);

/// `struct file_handle`, without the variable part that follows it: the same for as long as the inode lives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    /// Means something to the file system only.
    pub kind: i32,
    /// Likewise.
    pub bytes: Box<[u8]>,
}

/// `struct file_handle` with room for any handle.
#[repr(C)]
struct Raw {
    bytes: u32,
    kind: i32,
    data: [u8; LONGEST],
}

impl Handle {
    /// Of what `file` refers to.
    pub fn of(file: BorrowedFd<'_>) -> Result<Handle, LowerError> {
        let mut raw = Raw { bytes: LONGEST as u32, kind: 0, data: [0; LONGEST] };
        let mut mount = 0_i32;
        // SAFETY: the name is empty and ends in NUL; the handle has the room that it says.
        let done = unsafe {
            libc::syscall(
                libc::SYS_name_to_handle_at,
                file.as_raw_fd(),
                c"".as_ptr(),
                &raw mut raw,
                &raw mut mount,
                libc::AT_EMPTY_PATH,
            )
        };
        if done < 0 {
            return Err(last_error());
        }
        let bytes = raw.data.get(..raw.bytes as usize).unwrap_or_default().into();
        Ok(Handle { kind: raw.kind, bytes })
    }

    /// Which file or directory it names.
    pub fn id(&self, mount: BorrowedFd<'_>) -> Result<Id, LowerError> {
        Ok(Meta::of(self.open(mount)?.as_fd())?.id)
    }

    /// Opens it (`O_PATH`); `mount` is anything that is open, and not with `O_PATH`, on the same file system.
    fn open(&self, mount: BorrowedFd<'_>) -> Result<OwnedFd, LowerError> {
        let mut opened = self.try_open(mount);
        for retry in 0..RETRIES {
            // Not only for want of memory: also where the directory is just being removed or moved.
            if !matches!(opened, Err(LowerError::Os(Errno::NOMEM))) {
                break;
            }
            if retry >= RETRIES / 2 {
                // Whoever does so may be waiting for this very processor.
                std::thread::sleep(REST);
            }
            opened = self.try_open(mount);
        }
        opened
    }

    fn try_open(&self, mount: BorrowedFd<'_>) -> Result<OwnedFd, LowerError> {
        let mut raw = Raw { bytes: 0, kind: self.kind, data: [0; LONGEST] };
        let room = raw.data.get_mut(..self.bytes.len()).ok_or(LowerError::Os(Errno::INVAL))?;
        room.copy_from_slice(&self.bytes);
        raw.bytes = self.bytes.len() as u32;
        let flags = libc::O_PATH | libc::O_CLOEXEC;
        // SAFETY: the handle is as long as it says.
        let fd =
            unsafe { libc::syscall(libc::SYS_open_by_handle_at, mount.as_raw_fd(), &raw const raw, flags) };
        if fd < 0 {
            return Err(last_error());
        }
        let fd = i32::try_from(fd).map_err(|_| LowerError::Os(Errno::BADF))?;
        // SAFETY: the kernel just made it, for us.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

fn last_error() -> LowerError {
    let error = std::io::Error::last_os_error();
    LowerError::from(Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

impl Root {
    /// The path below the root of the directory that `handle` names; `None` if it is not there. `mount` is the root, open
    /// for reading.
    ///
    /// A handle may lead anywhere on the file system. The path that the kernel gives for it is a hint: it counts only if
    /// it leads, beneath the root, to the same directory.
    pub fn path_of(&self, mount: BorrowedFd<'_>, handle: &Handle) -> Result<Option<Vec<u8>>, LowerError> {
        let dir = match handle.open(mount) {
            Ok(dir) => dir,
            Err(LowerError::Os(Errno::STALE)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let link =
            |fd: BorrowedFd<'_>| readlinkat(CWD, format!("/proc/self/fd/{}", fd.as_raw_fd()), Vec::new());
        let (root, path) = (link(self.as_fd())?, link(dir.as_fd())?);
        let path = match path.to_bytes().strip_prefix(root.to_bytes()) {
            Some([]) => &[],
            Some([b'/', below @ ..]) => below,
            // The root may be "/".
            Some(below) if root.to_bytes() == b"/" => below,
            _ => return Ok(None),
        };
        let there = self.open_dir(path).and_then(|fd| Meta::of(fd.as_fd()));
        let same = there.is_ok_and(|there| Meta::of(dir.as_fd()).is_ok_and(|meta| meta.id == there.id));
        Ok(same.then(|| path.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_leads_beneath_the_root_only() {
        let dir = tempfile::tempdir().unwrap();
        let inside = dir.path().join("root/a/b");
        std::fs::create_dir_all(&inside).unwrap();
        std::fs::create_dir_all(dir.path().join("root2/a/b")).unwrap();
        let root = Root::open(&dir.path().join("root"), None).unwrap();
        let mount = root.open_dir_for_reading(b"").unwrap();
        let place = |path: &str| {
            let dir = std::fs::File::open(dir.path().join(path)).unwrap();
            root.path_of(mount.as_fd(), &Handle::of(dir.as_fd()).unwrap()).unwrap()
        };
        assert_eq!(place("root"), Some(Vec::new()));
        assert_eq!(place("root/a/b"), Some(b"a/b".to_vec()));
        assert_eq!(place("root2/a/b"), None);
        assert_eq!(place(""), None);
        let gone = Handle::of(std::fs::File::open(&inside).unwrap().as_fd()).unwrap();
        std::fs::remove_dir(&inside).unwrap();
        assert_eq!(root.path_of(mount.as_fd(), &gone).unwrap(), None);
    }
}
