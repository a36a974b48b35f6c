//! Where in a mount namespace a volume is, and what is there over its private directories.
//!
//! The volume may be mounted at another path than the service knows, at several, or with a directory of it as its root: zygote
//! binds what vold mounted at `/mnt/user/N` to `/storage`. So it is looked for by its device number, which is the same everywhere.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, StatxFlags, openat, openat2, statx};
use rustix::io::Errno;

use super::{PrivateError, Storage, os};
use crate::mountinfo::{MountLine, mounts};

/// How often a lookup that met a rename on its way is tried again (openat2(2), EAGAIN).
const TRIES: usize = 16;
/// What the tmpfs says it is made of: this, and the uid.
const SOURCE: &str = "mediagate-private:";

/// The mounts of the namespace in which the calling thread is.
pub(super) struct Mounts(Vec<MountLine>);

/// One of [`Storage::dirs`] as it is to be found at one mount of the volume.
#[derive(Debug)]
pub(super) struct Place {
    /// Which one of [`Storage::dirs`].
    pub(super) which: usize,
    /// The volume's mount, and the way from there.
    pub(super) mount: OwnedFd,
    pub(super) below: Vec<u8>,
    /// There are directories of ours, of other packages than it should be.
    pub(super) outdated: bool,
}

/// What a tmpfs of `uid` says it is made of.
pub(super) fn source(uid: u32) -> String {
    format!("{SOURCE}{uid}")
}

impl Mounts {
    /// Looks, through a `/proc` that was opened before: the namespace need not have one.
    pub(super) fn read(proc: BorrowedFd<'_>) -> Result<Mounts, PrivateError> {
        let file = openat(proc, "thread-self/mountinfo", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(os("look at the mounts"))?;
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut std::fs::File::from(file), &mut text)
            .map_err(|error| os("look at the mounts")(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
        Ok(Mounts(mounts(&text).collect()))
    }

    /// The places at which something is to be done for `storage`; `None` if the volume is not there at all.
    pub(super) fn places(&self, storage: &Storage, uid: u32) -> Result<Option<Vec<Place>>, PrivateError> {
        let mut found = None;
        for line in self.0.iter().filter(|line| line.device == storage.device) {
            let Some(mount) = root_of(line)? else { continue };
            for (which, dir) in storage.dirs.iter().enumerate() {
                let whole = format!("/{}/{dir}", storage.user);
                let Some(below) = below(whole.as_bytes(), &line.root) else { continue };
                let places = found.get_or_insert_with(Vec::new);
                if let Some(outdated) = self.look(storage, uid, &mount, &below)? {
                    let mount = mount.try_clone().map_err(|error| {
                        os("keep a descriptor")(Errno::from_io_error(&error).unwrap_or(Errno::MFILE))
                    })?;
                    places.push(Place { which, mount, below, outdated });
                }
            }
        }
        Ok(found)
    }

    /// What is over a directory: nothing is to be done (`None`), or there is something of ours that is outdated, or not.
    fn look(
        &self,
        storage: &Storage,
        uid: u32,
        mount: &OwnedFd,
        below: &[u8],
    ) -> Result<Option<bool>, PrivateError> {
        let shown = || String::from_utf8_lossy(below).into_owned();
        match open_below(mount.as_fd(), below, ResolveFlags::NO_XDEV) {
            Ok(_) => return Ok(Some(false)),
            Err(Errno::XDEV) => {}
            Err(errno) => return Err(os(format!("open {:?} in the mount namespace", shown()))(errno)),
        }
        let over = open_below(mount.as_fd(), below, ResolveFlags::empty())
            .and_then(|dir| mount_id(dir.as_fd()))
            .map_err(os(format!("look at what is mounted over {:?}", shown())))?;
        let over = self.0.iter().find(|line| line.id == over && line.kind == "tmpfs");
        let own = over.and_then(|line| Some((line, line.source.strip_prefix(SOURCE.as_bytes())?)));
        let Some((line, whose)) = own else { return Err(PrivateError::Occupied(shown())) };
        if whose != uid.to_string().as_bytes() {
            return Err(PrivateError::Taken(format!("uid {}", String::from_utf8_lossy(whose))));
        }
        // A directory that was removed meanwhile is none (fs/d_path.c).
        let bound = self.0.iter().filter(|it| it.parent == line.id && !it.root.ends_with(b"//deleted"));
        let mut there: Vec<&[u8]> = bound.map(last_name).collect();
        let mut wanted: Vec<&[u8]> = storage.packages.iter().map(|it| it.name.as_bytes()).collect();
        there.sort_unstable();
        wanted.sort_unstable();
        Ok((there != wanted).then_some(true))
    }
}

fn last_name(line: &MountLine) -> &[u8] {
    line.at.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// The way from the directory `root` to `whole`, if that is in it.
fn below(whole: &[u8], root: &[u8]) -> Option<Vec<u8>> {
    if root == b"/" {
        return whole.strip_prefix(b"/").map(<[u8]>::to_vec);
    }
    match whole.strip_prefix(root)? {
        [b'/', rest @ ..] if !rest.is_empty() => Some(rest.to_vec()),
        _ => None,
    }
}

/// The root of a mount; `None` if its path leads elsewhere, as where another mount is over it.
fn root_of(line: &MountLine) -> Result<Option<OwnedFd>, PrivateError> {
    use std::os::unix::ffi::OsStringExt as _;
    let path = PathBuf::from(std::ffi::OsString::from_vec(line.at.clone()));
    let how = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let found = match open_dir(CWD, path.as_os_str().as_encoded_bytes(), how) {
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
        other => other.map_err(os(format!("open {} in the mount namespace", path.display())))?,
    };
    let id = mount_id(found.as_fd()).map_err(os(format!("look at {}", path.display())))?;
    Ok((id == line.id).then_some(found))
}

/// The number of the mount that a descriptor is on, without a request to its file system.
fn mount_id(fd: BorrowedFd<'_>) -> Result<u64, Errno> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::from_bits_retain(libc::AT_STATX_DONT_SYNC.cast_unsigned());
    statx(fd, c"", flags, StatxFlags::MNT_ID).map(|found| found.stx_mnt_id)
}

/// Opens a directory beneath a mount's root.
pub(super) fn open_below(mount: BorrowedFd<'_>, path: &[u8], more: ResolveFlags) -> Result<OwnedFd, Errno> {
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    open_dir(mount, path, how | more)
}

fn open_dir(from: BorrowedFd<'_>, path: &[u8], how: ResolveFlags) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    for _ in 0..TRIES {
        match openat2(from, path, flags, Mode::empty(), how) {
            Err(Errno::AGAIN | Errno::INTR | Errno::STALE) => {}
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_from_a_mount_s_root_is_what_is_left() {
        let whole = b"/10/Android/data";
        for (root, left) in [
            ("/", Some("10/Android/data")),
            ("/10", Some("Android/data")),
            ("/10/Android/data", None),
            ("/1", None),
            ("/0", None),
            ("/10/Android/data/com.x", None),
            ("/10//deleted", None),
        ] {
            let found = below(whole, root.as_bytes());
            assert_eq!(found.as_deref(), left.map(str::as_bytes), "{root}");
        }
    }
}
