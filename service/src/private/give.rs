//! Giving a directory and what is below it to an app's uid, as vold does (vold's PrepareAppDirFromRoot and SetDefaultAcl in
//! Utils.cpp): behind a bind there is nobody but the lower file system to decide, and it goes by owners.
//!
//! Whoever else makes something there later, through the mount, leaves it with an entry for the app: the directories carry
//! a default ACL.
//!
//! The app may be running already and change the tree meanwhile. Every name is resolved beneath the directory, through no link
//! and no mount, and what is given away is what was looked at. A file with a name more is left alone, as the other name may
//! be anywhere.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, Stat, Uid, XattrFlags, chownat, fsetxattr, fstat,
    openat2,
};
use rustix::io::Errno;

/// How often a lookup that met a rename on its way is tried again (openat2(2), EAGAIN).
const TRIES: usize = 16;
/// Bytes asked for by one `getdents64`.
const BUFFER: usize = 32 * 1024;

/// Gives `top` (`O_PATH`) to `uid`, unless it has it. The top itself comes last, so that what was broken off is begun again.
pub(super) fn give(top: BorrowedFd<'_>, uid: u32) -> Result<(), Errno> {
    let there = fstat(top)?;
    if there.st_uid == uid {
        return Ok(());
    }
    let mut waiting = vec![b".".to_vec()];
    while let Some(path) = waiting.pop() {
        let dir = match open(top, &path, OFlags::RDONLY | OFlags::DIRECTORY) {
            // It went, or became something else. What is too deep for a path nobody reaches by one.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::NAMETOOLONG) => continue,
            other => other?,
        };
        let_in(dir.as_fd(), uid)?;
        if path != b"." {
            chown(dir.as_fd(), &fstat(&dir)?, uid)?;
        }
        each(&dir, uid, |name| {
            waiting.push(if path == b"." { name.to_vec() } else { [&path, &b"/"[..], name].concat() });
        })?;
    }
    chown(top, &there, uid)
}

/// Gives the files of a directory away, and tells of the directories in it.
fn each(dir: &OwnedFd, uid: u32, mut is_dir: impl FnMut(&[u8])) -> Result<(), Errno> {
    let mut buffer = vec![std::mem::MaybeUninit::uninit(); BUFFER];
    let mut entries = RawDir::new(dir, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let file = match open(dir.as_fd(), name, OFlags::PATH) {
            Err(Errno::NOENT | Errno::LOOP | Errno::XDEV) => continue,
            other => other?,
        };
        let there = fstat(&file)?;
        match FileType::from_raw_mode(there.st_mode) {
            FileType::Directory => is_dir(name),
            FileType::RegularFile if there.st_nlink == 1 => chown(file.as_fd(), &there, uid)?,
            // Links, pipes and devices are no app's (docs/SEMANTICS.md), or are the app's already.
            _ => {}
        }
    }
    Ok(())
}

fn open(dir: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let how = ResolveFlags::BENEATH
        | ResolveFlags::NO_SYMLINKS
        | ResolveFlags::NO_MAGICLINKS
        | ResolveFlags::NO_XDEV;
    for _ in 0..TRIES {
        match openat2(dir, path, flags, Mode::empty(), how) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}

fn chown(file: impl AsFd, there: &Stat, uid: u32) -> Result<(), Errno> {
    if there.st_uid == uid {
        return Ok(());
    }
    // The group stays: who may read the lower tree by it still may.
    chownat(file, c"", Some(Uid::from_raw(uid)), None, AtFlags::EMPTY_PATH)
}

/// The version of the format, and the tags of its entries (include/uapi/linux/posix_acl_xattr.h, posix_acl.h).
const VERSION: u32 = 2;
const USER_OBJ: u16 = 0x01;
const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;
const ALL: u16 = 7;
const LOOK: u16 = 5;
/// `ACL_UNDEFINED_ID`: of entries that are about no uid or gid.
const NOBODY: u32 = u32::MAX;

/// What is made in a directory lets the app in: owner, group and `uid` everything, others what the service gives to all
/// whom it lets into a directory.
fn default_acl(uid: u32) -> Vec<u8> {
    let entries = [
        (USER_OBJ, ALL, NOBODY),
        (USER, ALL, uid),
        (GROUP_OBJ, ALL, NOBODY),
        (MASK, ALL, NOBODY),
        (OTHER, LOOK, NOBODY),
    ];
    let mut out = VERSION.to_le_bytes().to_vec();
    for (tag, may, id) in entries {
        out.extend(tag.to_le_bytes());
        out.extend(may.to_le_bytes());
        out.extend(id.to_le_bytes());
    }
    out
}

fn let_in(dir: BorrowedFd<'_>, uid: u32) -> Result<(), Errno> {
    match fsetxattr(dir, c"system.posix_acl_default", &default_acl(uid), XattrFlags::empty()) {
        // A file system without ACLs: what others make there is theirs.
        Err(Errno::NOTSUP) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    const APP: u32 = 10_101;

    fn path(top: &std::path::Path) -> OwnedFd {
        rustix::fs::open(top, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap()
    }

    /// As root only, who may give files away.
    #[test]
    fn everything_in_it_and_nothing_else_is_given() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("top/a/b")).unwrap();
        for name in ["top/f", "top/a/f", "top/a/b/f", "outside", "linked"] {
            std::fs::write(at(name), name).unwrap();
        }
        std::fs::hard_link(at("linked"), at("top/linked")).unwrap();
        symlink(at("outside"), at("top/a/link")).unwrap();
        symlink(dir.path(), at("top/up")).unwrap();
        give(path(&at("top")).as_fd(), APP).unwrap();
        let owner = |name: &str| std::fs::symlink_metadata(at(name)).unwrap().uid();
        for name in ["top", "top/f", "top/a", "top/a/f", "top/a/b", "top/a/b/f"] {
            assert_eq!(owner(name), APP, "{name}");
        }
        for name in ["outside", "linked", "top/linked", "top/a/link", "top/up", "."] {
            assert_eq!(owner(name), 0, "{name}");
        }
        // What root makes there is the app's to use, where the file system has ACLs.
        std::fs::write(at("top/a/b/new"), "x").unwrap();
        assert_eq!(std::fs::metadata(at("top/a/b/new")).unwrap().permissions().mode() & 0o060, 0o060);
    }

    #[test]
    fn an_acl_has_the_kernel_s_format() {
        let acl = default_acl(0x0102_0304);
        assert_eq!(acl.len(), 4 + 5 * 8);
        assert_eq!(acl[..4], [2, 0, 0, 0]);
        assert_eq!(acl[12..20], [2, 0, 7, 0, 4, 3, 2, 1]);
    }
}
