//! The lower tree changes behind the mount: clean errors or what is new, once the kernel's time is up.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::PathBuf;

use mediagate_tests::{World, as_app};

use crate::{CAMERA, MANAGER, errno, is_well, let_caches_expire, names, world};

/// A world with `DCIM/a.jpg` of the camera, which the kernel knows: (mount, lower).
fn known() -> (World, PathBuf, PathBuf) {
    let world = world();
    let (shared, lower) = (world.shared("DCIM/a.jpg"), world.lower("DCIM/a.jpg"));
    let path = shared.clone();
    as_app(CAMERA, move || {
        fs::write(&path, b"old").unwrap();
        fs::metadata(&path).unwrap();
    });
    (world, shared, lower)
}

#[test]
fn removed_while_open_and_while_cached() {
    let (mut world, shared, lower) = known();
    let path = shared.clone();
    let mut open = as_app(CAMERA, move || File::options().read(true).write(true).open(path).unwrap());
    fs::remove_file(lower).unwrap();
    let path = shared.clone();
    let mut open = as_app(CAMERA, move || {
        let mut content = Vec::new();
        open.read_to_end(&mut content).unwrap();
        assert_eq!(content, b"old");
        open.write_all(b" and new").unwrap();
        assert_eq!(open.metadata().unwrap().len(), 11);
        open.sync_all().unwrap();
        open
    });
    let_caches_expire();
    as_app(CAMERA, move || {
        assert_eq!(errno(fs::metadata(&path)), libc::ENOENT);
        assert_eq!(errno(fs::read(&path)), libc::ENOENT);
        open.rewind().unwrap();
        let mut content = String::new();
        open.read_to_string(&mut content).unwrap();
        assert_eq!(content, "old and new");
        // The name is free.
        fs::write(&path, b"another").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"another");
    });
    is_well(&mut world);
}

#[test]
fn replaced_while_cached_and_while_open() {
    let (mut world, shared, lower) = known();
    let replace = |content: &[u8]| {
        let new = lower.with_file_name("new");
        fs::write(&new, content).unwrap();
        fs::rename(new, &lower).unwrap();
    };
    replace(b"new and longer");
    let path = shared.clone();
    // Within the kernel's time it is the old one, or an error; never a mixture.
    as_app(MANAGER, move || {
        let content = fs::read(path).unwrap_or_default();
        assert!([&b""[..], b"old", b"new and longer"].contains(&&content[..]), "{content:?}");
    });
    let_caches_expire();
    let path = shared.clone();
    let open = as_app(MANAGER, move || {
        assert_eq!(fs::metadata(&path).unwrap().len(), 14);
        assert_eq!(fs::read(&path).unwrap(), b"new and longer");
        File::open(path).unwrap()
    });
    replace(b"newer");
    let_caches_expire();
    let path = shared.clone();
    as_app(MANAGER, move || {
        let mut held = String::new();
        (&open).read_to_string(&mut held).unwrap();
        assert_eq!(held, "new and longer");
        assert_eq!(fs::read(&path).unwrap(), b"newer");
    });
    // It was the camera's once; who replaced it did not say so, so it is nobody's.
    as_app(CAMERA, move || assert_eq!(errno(fs::read(shared)), libc::EACCES));
    is_well(&mut world);
}

#[test]
fn changed_in_place() {
    let (mut world, shared, lower) = known();
    for content in [&b"longer than before"[..], b"", b"x"] {
        fs::write(&lower, content).unwrap();
        let_caches_expire();
        let path = shared.clone();
        as_app(CAMERA, move || {
            assert_eq!(fs::metadata(&path).unwrap().len(), content.len() as u64);
            assert_eq!(fs::read(&path).unwrap(), content);
        });
    }
    is_well(&mut world);
}

#[test]
fn a_file_becomes_a_directory_and_a_directory_a_file() {
    let (mut world, shared, lower) = known();
    fs::remove_file(&lower).unwrap();
    fs::create_dir(&lower).unwrap();
    let path = shared.clone();
    // Within the kernel's time it is the file that was there, or an error.
    as_app(CAMERA, move || assert!(fs::read(path).map_or(true, |it| it == b"old")));
    let_caches_expire();
    let path = shared.clone();
    as_app(CAMERA, move || {
        assert!(fs::metadata(&path).unwrap().is_dir());
        assert_eq!(errno(fs::write(&path, b"x")), libc::EISDIR);
        fs::write(path.join("b.jpg"), b"below").unwrap();
        assert_eq!(names(&path).unwrap(), [b"b.jpg"]);
    });
    fs::remove_dir_all(&lower).unwrap();
    fs::write(&lower, b"a file again").unwrap();
    let path = shared.clone();
    as_app(MANAGER, move || {
        assert!(fs::read(path.join("b.jpg")).map_or(true, |it| it == b"below"));
        assert!(fs::write(path.join("c.jpg"), b"x").is_err());
    });
    let_caches_expire();
    as_app(MANAGER, move || {
        assert_eq!(fs::read(&shared).unwrap(), b"a file again");
        assert_eq!(errno(fs::read(shared.join("b.jpg"))), libc::ENOTDIR);
    });
    is_well(&mut world);
}

#[test]
fn a_directory_is_renamed_away_and_back() {
    let (mut world, shared, _) = known();
    for (from, to) in [("0/DCIM", "0/away"), ("0", "7")] {
        let root = world.config.volumes[0].lower.clone();
        fs::rename(root.join(from), root.join(to)).unwrap();
        let path = shared.clone();
        as_app(CAMERA, move || {
            assert_ne!(fs::read(path).unwrap_or_default(), b"new");
        });
        let_caches_expire();
        let path = shared.clone();
        as_app(CAMERA, move || {
            assert_eq!(errno(fs::metadata(&path)), libc::ENOENT);
            assert_eq!(errno(fs::read(&path)), libc::ENOENT);
            assert_eq!(errno(fs::File::create_new(path.with_file_name("b.jpg"))), libc::ENOENT);
        });
        fs::rename(root.join(to), root.join(from)).unwrap();
        let_caches_expire();
        let path = shared.clone();
        as_app(CAMERA, move || assert_eq!(fs::read(path).unwrap(), b"old"));
    }
    is_well(&mut world);
}
