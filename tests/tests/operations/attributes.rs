//! stat, statfs, access, and changing attributes.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use mediagate_tests::as_app;
use nix::unistd::{AccessFlags, access};
use rustix::fs::{
    AtFlags, CWD, StatVfs, StatxFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, statvfs, statx, utimensat,
};

use crate::{APP, READER, errno, world};

#[test]
fn stat_says_what_the_lower_file_says() {
    let world = world();
    let (path, lower) = (world.shared("DCIM/a.jpg"), world.lower("DCIM/a.jpg"));
    let (it, below) = as_app(APP, move || {
        fs::write(&path, vec![1; 5000]).unwrap();
        (fs::metadata(&path).unwrap(), fs::metadata(&lower).unwrap())
    });
    assert_eq!(it.ino(), below.ino(), "the node's id is the lower inode number");
    assert_eq!((it.len(), it.blocks(), it.blksize()), (5000, below.blocks(), below.blksize()));
    assert_eq!(it.mode(), libc::S_IFREG | 0o664);
    assert_eq!((it.uid(), it.gid(), it.nlink()), (below.uid(), below.gid(), 1));
    assert_eq!((it.mtime(), it.mtime_nsec()), (below.mtime(), below.mtime_nsec()));
    assert_eq!((it.ctime(), it.ctime_nsec()), (below.ctime(), below.ctime_nsec()));
    let (dir, dir_below) = (world.shared("DCIM"), fs::metadata(world.lower("DCIM")).unwrap());
    as_app(READER, move || {
        let it = fs::metadata(&dir).unwrap();
        assert_eq!(
            (it.ino(), it.mode(), it.nlink()),
            (dir_below.ino(), libc::S_IFDIR | 0o775, dir_below.nlink())
        );
        // What has no permission to be read has a size all the same (names and attributes are visible).
        assert_eq!(fs::metadata(dir.join("a.jpg")).unwrap().len(), 5000);
        let x = statx(CWD, dir.join("a.jpg"), AtFlags::STATX_FORCE_SYNC, StatxFlags::BASIC_STATS).unwrap();
        assert_eq!((x.stx_size, x.stx_mode), (5000, 0o100_664));
    });
}

#[test]
fn statfs_is_the_lower_file_systems() {
    let world = world();
    let (shared, lower) = (world.shared("DCIM"), world.lower("DCIM"));
    let space = |it: StatVfs| (it.f_blocks, it.f_files, it.f_bsize, it.f_frsize, it.f_namemax);
    let below = space(statvfs(lower).unwrap());
    for uid in [APP, READER, 99_999] {
        let shared = shared.clone();
        assert_eq!(as_app(uid, move || space(statvfs(shared).unwrap())), below);
    }
}

#[test]
fn access_says_what_open_would() {
    let world = world();
    let photo = world.shared("DCIM/a.jpg");
    let path = photo.clone();
    as_app(APP, move || {
        fs::write(&path, b"x").unwrap();
        for mask in
            [AccessFlags::F_OK, AccessFlags::R_OK, AccessFlags::W_OK, AccessFlags::R_OK | AccessFlags::W_OK]
        {
            access(&path, mask).unwrap();
        }
        assert_eq!(access(&path, AccessFlags::X_OK), Err(nix::Error::EACCES));
        assert_eq!(access(&path.with_file_name("none.jpg"), AccessFlags::F_OK), Err(nix::Error::ENOENT));
        access(path.parent().unwrap(), AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK).unwrap();
    });
    let path = photo.clone();
    as_app(READER, move || {
        access(&path, AccessFlags::R_OK).unwrap();
        assert_eq!(access(&path, AccessFlags::W_OK), Err(nix::Error::EACCES));
    });
    as_app(99_999, move || {
        access(&photo, AccessFlags::F_OK).unwrap();
        assert!(access(&photo, AccessFlags::R_OK).is_err());
    });
}

#[test]
fn mode_and_owner_are_accepted_without_effect() {
    let world = world();
    let (path, lower) = (world.shared("DCIM/a.jpg"), world.lower("DCIM/a.jpg"));
    let other = path.clone();
    as_app(APP, move || {
        fs::write(&path, b"x").unwrap();
        let before = fs::metadata(&path).unwrap();
        for mode in [0o000, 0o600, 0o4777] {
            fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        }
        std::os::unix::fs::chown(&path, Some(APP), Some(0)).unwrap();
        let file = fs::File::open(&path).unwrap();
        file.set_permissions(PermissionsExt::from_mode(0o000)).unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    });
    let below = fs::metadata(lower).unwrap();
    assert_eq!((below.mode() & 0o7777, below.uid()), (0o664, 0));
    as_app(READER, move || {
        assert_eq!(errno(fs::set_permissions(&other, PermissionsExt::from_mode(0o777))), libc::EACCES);
        assert_eq!(errno(std::os::unix::fs::chown(&other, Some(READER), None)), libc::EACCES);
    });
}

#[test]
fn times_are_kept_to_the_nanosecond_and_before_1970() {
    let world = world();
    let (path, lower) = (world.shared("DCIM/a.jpg"), world.lower("DCIM/a.jpg"));
    let reader = path.clone();
    as_app(APP, move || {
        fs::write(&path, b"x").unwrap();
        let at = |seconds, nanos| Timespec { tv_sec: seconds, tv_nsec: nanos };
        let set = |atime, mtime| {
            let times = Timestamps { last_access: atime, last_modification: mtime };
            utimensat(CWD, &path, &times, AtFlags::empty())
        };
        for (seconds, nanos) in
            [(0, 0), (1, 1), (1_700_000_000, 999_999_999), (-1, 0), (-1, 1), (-86_400, 123_456_789)]
        {
            set(at(seconds, nanos), at(seconds, nanos)).unwrap();
            for meta in [fs::metadata(&path).unwrap(), fs::metadata(&lower).unwrap()] {
                assert_eq!((meta.mtime(), meta.mtime_nsec()), (seconds, nanos), "{seconds}.{nanos}");
                assert_eq!((meta.atime(), meta.atime_nsec()), (seconds, nanos), "{seconds}.{nanos}");
            }
        }
        // One of the two, and now.
        set(at(7, 7), at(0, UTIME_OMIT)).unwrap();
        let meta = fs::metadata(&path).unwrap();
        assert_eq!((meta.atime(), meta.mtime()), (7, -86_400));
        let before = std::time::SystemTime::now() - std::time::Duration::from_secs(2);
        set(at(0, UTIME_OMIT), at(0, UTIME_NOW)).unwrap();
        let meta = fs::metadata(&path).unwrap();
        assert!(meta.modified().unwrap() > before);
        assert_eq!(meta.atime(), 7);
    });
    as_app(READER, move || {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let times = Timestamps { last_access: now, last_modification: now };
        assert_eq!(utimensat(CWD, &reader, &times, AtFlags::empty()).unwrap_err(), rustix::io::Errno::ACCESS);
    });
}
