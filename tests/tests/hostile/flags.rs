//! Odd flags of open(2) and rename(2), and what else a descriptor could be used for.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use mediagate_tests::{World, as_app};
use rustix::fs::{CWD, IFlags, Mode, OFlags, RenameFlags, open, renameat_with};
use rustix::io::Errno;

use crate::{CAMERA, GALLERY, OTHER, errno, is_well, world};

/// A world with a picture of the camera: (mount, lower).
fn with_photo() -> (World, PathBuf, PathBuf) {
    let world = world();
    let photo = world.shared("DCIM/a.jpg");
    let path = photo.clone();
    as_app(CAMERA, move || fs::write(path, b"pixels").unwrap());
    let lower = world.lower("DCIM/a.jpg");
    (world, photo, lower)
}

#[test]
fn nobody_truncates_what_he_may_not_write() {
    let (mut world, photo, lower) = with_photo();
    for uid in [GALLERY, OTHER] {
        let photo = photo.clone();
        as_app(uid, move || {
            for flags in [
                OFlags::RDWR | OFlags::TRUNC,
                OFlags::WRONLY | OFlags::TRUNC,
                OFlags::RDONLY | OFlags::TRUNC,
                OFlags::RDONLY | OFlags::TRUNC | OFlags::CREATE,
                OFlags::WRONLY | OFlags::APPEND,
                // "Neither", for ioctls only: it needs both.
                OFlags::from_bits_retain(3),
            ] {
                assert_eq!(
                    open(&photo, flags, Mode::RWXU).unwrap_err(),
                    Errno::ACCESS,
                    "uid {uid}, {flags:?}"
                );
            }
            assert_eq!(errno(nix::unistd::truncate(&photo, 0).map_err(Into::into)), libc::EACCES);
        });
    }
    assert_eq!(fs::read(&lower).unwrap(), b"pixels");
    // The owner may, by whatever flags.
    as_app(CAMERA, move || {
        drop(open(&photo, OFlags::RDONLY | OFlags::TRUNC, Mode::empty()).unwrap());
        assert_eq!(fs::metadata(&photo).unwrap().len(), 0);
    });
    assert_eq!(fs::read(&lower).unwrap(), b"");
    is_well(&mut world);
}

#[test]
fn a_path_descriptor_opens_nothing() {
    let (mut world, photo, _) = with_photo();
    as_app(OTHER, move || {
        let path = open(&photo, OFlags::PATH, Mode::empty()).unwrap();
        assert_eq!(rustix::io::read(&path, &mut [0; 8]).unwrap_err(), Errno::BADF);
        let link = format!("/proc/self/fd/{}", path.as_raw_fd());
        // procfs belongs to the process; the decision is about the thread's uid all the same.
        let reopened = open(&link, OFlags::RDONLY, Mode::empty());
        assert_eq!(reopened.unwrap_err(), Errno::ACCESS);
    });
    is_well(&mut world);
}

#[test]
fn odd_ways_to_open() {
    let (mut world, photo, _) = with_photo();
    let dcim = world.shared("DCIM");
    as_app(CAMERA, move || {
        let mode = Mode::RWXU;
        assert_eq!(open(&dcim, OFlags::TMPFILE | OFlags::RDWR, mode).unwrap_err(), Errno::OPNOTSUPP);
        assert_eq!(open(&dcim, OFlags::WRONLY, mode).unwrap_err(), Errno::ISDIR);
        assert_eq!(open(&dcim, OFlags::CREATE, mode).unwrap_err(), Errno::ISDIR);
        assert_eq!(open(&photo, OFlags::DIRECTORY, mode).unwrap_err(), Errno::NOTDIR);
        let new = dcim.join("new.jpg");
        assert_eq!(open(&new, OFlags::CREATE | OFlags::DIRECTORY, mode).unwrap_err(), Errno::INVAL);
        assert!(!new.exists());
        assert_eq!(
            open(&photo, OFlags::CREATE | OFlags::EXCL | OFlags::RDWR, mode).unwrap_err(),
            Errno::EXIST
        );
        // Around the page cache, if the lower file system can.
        let big = dcim.join("big.jpg");
        fs::write(&big, vec![7; 64 * 1024]).unwrap();
        let direct = File::options().read(true).custom_flags(libc::O_DIRECT).open(&big).unwrap();
        let mut buffer = vec![0_u8; 8192];
        let skip = buffer.as_ptr().align_offset(4096);
        let read = rustix::io::pread(&direct, &mut buffer[skip..skip + 4096], 4096).unwrap();
        assert_eq!((read, buffer[skip]), (4096, 7));
        for flags in [libc::O_SYNC, libc::O_DSYNC, libc::O_NONBLOCK, libc::O_NOCTTY, libc::O_NOFOLLOW] {
            File::options().read(true).write(true).custom_flags(flags).open(&big).unwrap();
        }
    });
    is_well(&mut world);
}

#[test]
fn flags_and_clones_do_not_reach_the_lower_file() {
    let (mut world, photo, lower) = with_photo();
    as_app(CAMERA, move || {
        let file = File::options().read(true).write(true).open(&photo).unwrap();
        let other = File::create(photo.with_file_name("b.jpg")).unwrap();
        assert_eq!(rustix::fs::ioctl_ficlone(&other, &file).unwrap_err(), Errno::OPNOTSUPP);
        // The kernel refuses whoever is not the inode's owner, and we refuse the rest.
        assert_eq!(rustix::fs::ioctl_setflags(&file, IFlags::IMMUTABLE).unwrap_err(), Errno::PERM);
        assert_eq!(rustix::fs::ioctl_getflags(&file).unwrap_err(), Errno::NOTTY);
    });
    let path = world.shared("DCIM/a.jpg");
    as_app(0, move || {
        let file = File::open(path).unwrap();
        assert_eq!(rustix::fs::ioctl_setflags(&file, IFlags::IMMUTABLE).unwrap_err(), Errno::NOTTY);
    });
    let flags = rustix::fs::ioctl_getflags(File::open(lower).unwrap()).unwrap();
    assert!(!flags.contains(IFlags::IMMUTABLE));
    is_well(&mut world);
}

#[test]
fn nothing_is_executed() {
    let mut world = world();
    let script = world.shared("Download/run");
    as_app(CAMERA, move || {
        fs::write(&script, b"#!/bin/sh\nexit 0\n").unwrap();
        fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        assert_eq!(errno(std::process::Command::new(&script).status()), libc::EACCES);
        assert_eq!(
            errno(nix::unistd::access(&script, nix::unistd::AccessFlags::X_OK).map_err(Into::into)),
            libc::EACCES
        );
    });
    is_well(&mut world);
}

#[test]
fn renames_that_exchange_or_leave_something_behind_are_refused() {
    let (mut world, photo, lower) = with_photo();
    let path = photo.clone();
    as_app(CAMERA, move || {
        let other = path.with_file_name("b.jpg");
        fs::write(&other, b"other").unwrap();
        for flags in [RenameFlags::EXCHANGE, RenameFlags::EXCHANGE | RenameFlags::WHITEOUT] {
            assert_eq!(renameat_with(CWD, &path, CWD, &other, flags).unwrap_err(), Errno::INVAL, "{flags:?}");
        }
        assert_eq!(renameat_with(CWD, &path, CWD, &other, RenameFlags::NOREPLACE).unwrap_err(), Errno::EXIST);
        // The kernel asks for CAP_MKNOD before it asks us.
        assert!(renameat_with(CWD, &path, CWD, path.with_file_name("c.jpg"), RenameFlags::WHITEOUT).is_err());
    });
    as_app(0, move || {
        let new = photo.with_file_name("c.jpg");
        assert_eq!(renameat_with(CWD, &photo, CWD, new, RenameFlags::WHITEOUT).unwrap_err(), Errno::INVAL);
    });
    assert_eq!(fs::read(lower).unwrap(), b"pixels");
    is_well(&mut world);
}

/// The FUSE library computes with what the app sends before we see it: see the workspace's profiles.
#[test]
fn times_at_the_ends_of_what_a_number_holds_stop_nothing() {
    let (mut world, photo, _) = with_photo();
    as_app(CAMERA, move || {
        for seconds in [i64::MIN, i64::MIN + 1, i64::MAX, i64::MAX - 1, 1 << 62] {
            for nanos in [0, 1, 999_999_999] {
                let at = rustix::fs::Timespec { tv_sec: seconds, tv_nsec: nanos };
                let times = rustix::fs::Timestamps { last_access: at, last_modification: at };
                // What the lower file system cannot keep it clamps; an error would do as well.
                let _ = rustix::fs::utimensat(CWD, &photo, &times, rustix::fs::AtFlags::empty());
                assert_eq!(fs::read(&photo).unwrap(), b"pixels", "{seconds}.{nanos}");
            }
        }
    });
    is_well(&mut world);
}
