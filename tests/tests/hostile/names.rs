//! Names and paths.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use mediagate_tests::as_app;
use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};

use crate::{CAMERA, GALLERY, MANAGER, errno, is_well, names, world};

fn name(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

#[test]
fn names_up_to_255_bytes_work_and_longer_ones_are_refused() {
    let mut world = world();
    let dcim = world.shared("DCIM");
    as_app(CAMERA, move || {
        let longest = format!("{}.jpg", "a".repeat(251));
        // 255 bytes in 85 characters.
        let wide = format!("{}x.jpg", "\u{20ac}".repeat(83)) + "y";
        for name in [&longest, &wide] {
            assert_eq!(name.len(), 255);
            let extension = if name == &wide { "Download" } else { "DCIM" };
            let dir = dcim.with_file_name(extension);
            fs::write(dir.join(name), b"x").unwrap();
            assert_eq!(fs::read(dir.join(name)).unwrap(), b"x");
            assert_eq!(names(&dir).unwrap(), [name.as_bytes()]);
            fs::rename(dir.join(name), dir.join("b.jpg")).unwrap();
            fs::rename(dir.join("b.jpg"), dir.join(name)).unwrap();
            fs::remove_file(dir.join(name)).unwrap();
        }
        for length in [256, 1024, 1025, 4095] {
            let long = dcim.join("a".repeat(length));
            assert_eq!(errno(fs::metadata(&long)), libc::ENAMETOOLONG, "{length}");
            assert_eq!(errno(fs::write(&long, b"")), libc::ENAMETOOLONG, "{length}");
            assert_eq!(errno(fs::create_dir(&long)), libc::ENAMETOOLONG, "{length}");
            fs::write(dcim.join("c.jpg"), b"").unwrap();
            assert_eq!(errno(fs::rename(dcim.join("c.jpg"), &long)), libc::ENAMETOOLONG, "{length}");
            fs::remove_file(dcim.join("c.jpg")).unwrap();
        }
    });
    is_well(&mut world);
}

/// What a FAT volume could not hold is refused to whoever is not root (mediaprovider.md §1.7, §2.6), manager or not.
#[test]
fn names_that_are_not_portable_cannot_be_made() {
    let mut world = world();
    let (download, lower) = (world.shared("Download"), world.lower("Download"));
    for uid in [CAMERA, MANAGER] {
        let download = download.clone();
        as_app(uid, move || {
            fs::write(download.join("good"), b"x").unwrap();
            for bad in [
                &b"\xff\xfe"[..],
                b"a\xc3.pdf",
                b"\xed\xa0\x80",
                b"line\nbreak.pdf",
                b"\x1b[31m",
                b"a:b",
                b"a\\b",
                b"what?",
                b"\x7f",
            ] {
                let path = download.join(name(bad));
                assert_eq!(errno(fs::File::create_new(&path)), libc::EPERM, "{uid} {bad:?}");
                assert_eq!(errno(fs::rename(download.join("good"), &path)), libc::EPERM, "{uid} {bad:?}");
            }
            for good in
                [" leading and trailing ", "...", "a.", "a ", "-rf", "\u{1f600}", ".hidden", "%00", "~"]
            {
                fs::write(download.join(good), good).unwrap();
                assert_eq!(fs::read(download.join(good)).unwrap(), good.as_bytes());
                fs::rename(download.join(good), download.join(format!("{good}!"))).unwrap();
                fs::remove_file(download.join(format!("{good}!"))).unwrap();
            }
            fs::remove_file(download.join("good")).unwrap();
        });
    }
    assert_eq!(names(&lower).unwrap().len(), 0);
    is_well(&mut world);
}

/// Whatever stands in the lower tree is shown under its very bytes.
#[test]
fn odd_names_in_the_lower_tree_are_served() {
    let mut world = world();
    let odd: [&[u8]; 6] =
        [b"\xff\xfe.jpg", b"line\nbreak.jpg", b"a:b.jpg", b"\x01.jpg", b" .jpg", b"\xed\xa0\x80.jpg"];
    for it in odd {
        fs::write(world.lower("DCIM").join(name(it)), it).unwrap();
    }
    let mut sorted = odd.map(<[u8]>::to_vec).to_vec();
    sorted.sort();
    for uid in [GALLERY, MANAGER] {
        let (dcim, sorted) = (world.shared("DCIM"), sorted.clone());
        as_app(uid, move || {
            assert_eq!(names(&dcim).unwrap(), sorted);
            for it in odd {
                assert_eq!(fs::read(dcim.join(name(it))).unwrap(), it);
            }
        });
    }
    let dcim = world.shared("DCIM");
    as_app(MANAGER, move || {
        for (number, it) in odd.iter().enumerate() {
            fs::rename(dcim.join(name(it)), dcim.join(format!("{number}.jpg"))).unwrap();
        }
        assert_eq!(names(&dcim).unwrap().len(), odd.len());
        fs::remove_file(dcim.join("0.jpg")).unwrap();
    });
    // The index holds them too: a service that starts over it lists the same.
    world.start();
    world.daemon().wait_until_indexed();
    let dcim = world.shared("DCIM");
    assert_eq!(as_app(GALLERY, move || names(&dcim).unwrap().len()), odd.len() - 1);
    is_well(&mut world);
}

#[test]
fn dot_dot_never_leads_where_the_name_would_not() {
    let mut world = world();
    let outside = crate::outside(&world);
    let (dcim, mount) = (world.shared("DCIM"), world.config.volumes[0].mount.clone());
    as_app(CAMERA, move || {
        // Out of the mount and in again, by the kernel's own walk.
        fs::write(dcim.join("../DCIM/./../../0/DCIM/a.jpg"), b"x").unwrap();
        assert_eq!(fs::read(dcim.join("a.jpg")).unwrap(), b"x");
        assert_eq!(errno(fs::create_dir(dcim.join(".."))), libc::EEXIST);
        assert_eq!(errno(fs::rename(dcim.join("a.jpg"), dcim.join(".."))), libc::EBUSY);
        assert_eq!(errno(fs::remove_dir(dcim.join(".."))), libc::ENOTEMPTY);
        // A directory that is gone has no names, and above it is what was above it.
        fs::create_dir(dcim.join("gone")).unwrap();
        let gone = openat(CWD, dcim.join("gone"), OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
        fs::remove_dir(dcim.join("gone")).unwrap();
        let create = OFlags::CREATE | OFlags::WRONLY;
        for name in ["x.jpg", "../../../../outside/x.jpg"] {
            let made = openat(&gone, name, create, Mode::RWXU);
            assert!(made.is_err(), "{name}");
        }
        // Nor when a directory of that name is made anew. (EIO if the lower file system used the inode number again:
        // the kernel knows that its inode is another one.)
        fs::create_dir(dcim.join("gone")).unwrap();
        assert!(openat(&gone, "x.jpg", create, Mode::RWXU).is_err());
        assert_eq!(names(&dcim.join("gone")).unwrap().len(), 0);
        assert!(mount.exists());
    });
    assert_eq!(names(&outside).unwrap(), [&b"a.jpg"[..], b"deeper", b"secret.jpg"]);
    let path = format!("{}/0/DCIM/../../../outside/secret.jpg", world.config.volumes[0].mount.display());
    let explained = world.daemon().try_cli(&["explain", "--uid", "10101", "read", &path]);
    assert_eq!(explained.status.code(), Some(2));
    is_well(&mut world);
}

fn open_dir(dir: &OwnedFd, name: &str) -> rustix::io::Result<OwnedFd> {
    openat(dir, name, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())
}

/// Makes directories within each other until that fails; returns how many and why it failed.
fn dig(top: &Path, name: &str, most: usize) -> (usize, Option<rustix::io::Errno>) {
    let mut dir = openat(CWD, top, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
    for depth in 0..most {
        let down = mkdirat(&dir, name, Mode::RWXU).and_then(|()| open_dir(&dir, name));
        match down {
            Ok(below) => dir = below,
            Err(errno) => return (depth, Some(errno)),
        }
    }
    (most, None)
}

#[test]
fn a_tree_deeper_than_a_path_is_long_ends_in_an_error() {
    let mut world = world();
    let download = world.shared("Download");
    as_app(CAMERA, move || {
        // A path has 4096 bytes, and `0/Download` is part of the lower one.
        let (depth, errno) = dig(&download, &"n".repeat(200), 100);
        assert_eq!((depth, errno), (20, Some(rustix::io::Errno::NAMETOOLONG)));
        fs::create_dir(download.join("thin")).unwrap();
        let (depth, errno) = dig(&download.join("thin"), "d", 3000);
        assert_eq!(errno, Some(rustix::io::Errno::NAMETOOLONG));
        assert!((1900..2100).contains(&depth), "{depth}");
        // Names that long cannot be renamed deeper in, and nothing is harmed by trying.
        fs::create_dir(download.join("top")).unwrap();
        assert!(fs::rename(download.join("thin"), download.join("top/thin")).is_err());
        fs::remove_dir(download.join("top")).unwrap();
    });
    // Deeper still, behind the mount.
    fs::create_dir(world.lower("Music")).ok();
    let (depth, _) = dig(&world.lower("Music"), "d", 5000);
    assert_eq!(depth, 5000);
    let music = world.shared("Music");
    as_app(MANAGER, move || {
        let mut dir = openat(CWD, &music, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
        let errno = loop {
            match open_dir(&dir, "d") {
                Ok(below) => dir = below,
                Err(errno) => break errno,
            }
        };
        assert_eq!(errno, rustix::io::Errno::NAMETOOLONG);
    });
    // The index is built over all of it.
    fs::remove_file(world.path("state/catalog.db")).ok();
    world.start();
    world.daemon().wait_until_indexed();
    is_well(&mut world);
    // `remove_dir_all` of the temporary directory would run into the same bound: piece by piece.
    for top in ["Music", "Download/thin"] {
        bury(&world.lower(top));
    }
}

/// Removes a chain of directories named `d`, however long.
fn bury(top: &Path) {
    let parked = top.with_file_name("parked");
    fs::create_dir_all(&parked).unwrap();
    let mut number = 0;
    // Cut pieces of a bearable length off the front.
    loop {
        let piece: std::path::PathBuf = std::iter::repeat_n("d", 500).collect();
        if !top.join(&piece).exists() {
            return;
        }
        number += 1;
        fs::rename(top.join("d"), parked.join(number.to_string())).unwrap();
        let rest: std::path::PathBuf = std::iter::repeat_n("d", 499).collect();
        fs::rename(parked.join(number.to_string()).join(&rest), top.join("d")).unwrap();
        fs::remove_dir_all(parked.join(number.to_string())).unwrap();
    }
}
