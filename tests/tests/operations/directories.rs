//! Making, removing, renaming and reading directories.

use std::collections::BTreeMap;
use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use mediagate_tests::as_app;
use nix::dir::Dir;
use rustix::fs::{FileType, Mode, OFlags, RawDir, SeekFrom, open, seek};

use crate::{APP, READER, errno, world};

fn open_dir(path: &Path) -> OwnedFd {
    open(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap()
}

/// Names, kinds, inode numbers and offsets as `getdents64(2)` gives them into a buffer of this size.
fn entries(dir: &OwnedFd, buffer: usize) -> Vec<(String, FileType, u64, u64)> {
    let mut buffer = vec![MaybeUninit::uninit(); buffer];
    let mut raw = RawDir::new(dir, &mut buffer);
    let mut found = Vec::new();
    while let Some(entry) = raw.next() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_str().unwrap().to_owned();
        if name != "." && name != ".." {
            found.push((name, entry.file_type(), entry.ino(), entry.next_entry_cookie()));
        }
    }
    found
}

fn names_of(dir: &OwnedFd) -> Vec<String> {
    let mut names: Vec<_> = entries(dir, 4096).into_iter().map(|entry| entry.0).collect();
    names.sort();
    names
}

#[test]
fn mkdir_rmdir_rename() {
    let world = world();
    let dcim = world.shared("DCIM");
    as_app(APP, move || {
        let (a, b) = (dcim.join("a"), dcim.join("b"));
        fs::create_dir(&a).unwrap();
        assert_eq!(errno(fs::create_dir(&a)), libc::EEXIST);
        assert_eq!(errno(fs::create_dir(dcim.join("none/a"))), libc::ENOENT);
        fs::write(a.join("x.jpg"), b"x").unwrap();
        assert_eq!(errno(fs::create_dir(a.join("x.jpg/y"))), libc::ENOTDIR);
        assert_eq!(errno(fs::remove_dir(&a)), libc::ENOTEMPTY);
        assert_eq!(errno(fs::remove_file(&a)), libc::EISDIR);
        assert_eq!(errno(fs::remove_dir(a.join("x.jpg"))), libc::ENOTDIR);
        assert_eq!(errno(fs::rename(&a, a.join("inner"))), libc::EINVAL);
        fs::rename(&a, &b).unwrap();
        assert_eq!(fs::read(b.join("x.jpg")).unwrap(), b"x");
        assert_eq!(errno(fs::read(a.join("x.jpg"))), libc::ENOENT);
        // Onto an empty directory, a full one, a file.
        fs::create_dir(&a).unwrap();
        fs::rename(&b, &a).unwrap();
        fs::create_dir(&b).unwrap();
        assert_eq!(errno(fs::rename(&b, &a)), libc::ENOTEMPTY);
        assert_eq!(errno(fs::rename(&b, a.join("x.jpg"))), libc::ENOTDIR);
        assert_eq!(errno(fs::rename(a.join("x.jpg"), &b)), libc::EISDIR);
        // Onto itself.
        fs::rename(a.join("x.jpg"), a.join("x.jpg")).unwrap();
        fs::remove_dir(&b).unwrap();
        fs::remove_file(a.join("x.jpg")).unwrap();
        fs::remove_dir(&a).unwrap();
        assert_eq!(errno(fs::metadata(&a)), libc::ENOENT);
    });
    assert_eq!(fs::read_dir(world.lower("DCIM")).unwrap().count(), 0);
}

/// 5,000 files and 50 directories, read with buffers that hold two entries and with large ones.
#[test]
fn a_large_directory_is_listed_completely_and_once() {
    let world = world();
    let lower = world.lower("DCIM");
    let mut expected = BTreeMap::new();
    for number in 0..5000 {
        let name = format!("IMG_{number:05}.jpg");
        fs::write(lower.join(&name), b"").unwrap();
        expected.insert(name, FileType::RegularFile);
    }
    for number in 0..50 {
        let name = format!("album {number}");
        fs::create_dir(lower.join(&name)).unwrap();
        expected.insert(name, FileType::Directory);
    }
    let dcim = world.shared("DCIM");
    as_app(READER, move || {
        for buffer in [80, 1000, 32_768] {
            let dir = open_dir(&dcim);
            let found = entries(&dir, buffer);
            assert_eq!(found.len(), expected.len(), "by {buffer} bytes");
            let kinds: BTreeMap<_, _> = found.iter().map(|entry| (entry.0.clone(), entry.1)).collect();
            assert_eq!(kinds, expected, "by {buffer} bytes");
        }
        let found = entries(&open_dir(&dcim), 4096);
        for (name, _, ino, _) in found.iter().step_by(97) {
            let meta = fs::metadata(dcim.join(name)).unwrap();
            assert_eq!(std::os::unix::fs::MetadataExt::ino(&meta), *ino, "{name}");
        }
    });
}

/// An open directory shows what was there when it was first read, until it is closed.
#[test]
fn a_listing_is_a_snapshot_for_each_handle() {
    let world = world();
    let dcim = world.shared("DCIM");
    as_app(APP, move || {
        for name in ["a.jpg", "b.jpg", "c.jpg"] {
            fs::write(dcim.join(name), b"x").unwrap();
        }
        let dir = open_dir(&dcim);
        assert_eq!(names_of(&dir), ["a.jpg", "b.jpg", "c.jpg"]);
        fs::remove_file(dcim.join("b.jpg")).unwrap();
        fs::write(dcim.join("d.jpg"), b"x").unwrap();
        // Another handle sees it at once.
        assert_eq!(names_of(&open_dir(&dcim)), ["a.jpg", "c.jpg", "d.jpg"]);
        // rewinddir(3): this one begins again with what it had, less what is gone.
        seek(&dir, SeekFrom::Start(0)).unwrap();
        let again = names_of(&dir);
        assert!(again.contains(&"a.jpg".to_owned()) && again.contains(&"c.jpg".to_owned()), "{again:?}");
        assert!(!again.contains(&"d.jpg".to_owned()), "{again:?}");
    });
}

#[test]
fn seeking_in_a_directory_that_changes() {
    let world = world();
    let dcim = world.shared("DCIM");
    as_app(APP, move || {
        for number in 0..200 {
            fs::write(dcim.join(format!("{number:03}.jpg")), b"x").unwrap();
        }
        let dir = open_dir(&dcim);
        let all = entries(&dir, 512);
        assert_eq!(all.len(), 200);
        for number in (0..200).step_by(2) {
            fs::remove_file(dcim.join(format!("{number:03}.jpg"))).unwrap();
            fs::write(dcim.join(format!("{number:03}-new.jpg")), b"x").unwrap();
        }
        // Each position leads to what came behind it, of what is still there.
        for position in [0, 1, 57, 150, 199] {
            seek(&dir, SeekFrom::Start(all[position].3)).unwrap();
            let rest: Vec<_> = entries(&dir, 512).into_iter().map(|entry| entry.0).collect();
            let still: Vec<_> = all[position + 1..]
                .iter()
                .map(|entry| entry.0.clone())
                .filter(|name| dcim.join(name).exists())
                .collect();
            let kept: Vec<_> = rest.iter().filter(|name| still.contains(name)).cloned().collect();
            assert_eq!(kept, still, "from {position}");
            assert!(
                rest.iter().all(|name| all.iter().any(|entry| entry.0 == *name)),
                "from {position}: {rest:?}"
            );
        }
        // Past the end.
        seek(&dir, SeekFrom::Start(1 << 40)).unwrap();
        assert_eq!(entries(&dir, 512).len(), 0);
    });
}

/// The C library's way.
#[test]
fn readdir_of_the_c_library() {
    let world = world();
    let dcim = world.shared("DCIM");
    as_app(APP, move || {
        fs::create_dir(dcim.join("dir")).unwrap();
        fs::write(dcim.join("file.jpg"), b"x").unwrap();
        let mut dir = Dir::open(&dcim, nix::fcntl::OFlag::O_RDONLY, nix::sys::stat::Mode::empty()).unwrap();
        for _ in 0..2 {
            // `iter` rewinds when it is dropped.
            let mut found: Vec<_> = dir
                .iter()
                .map(|entry| entry.unwrap())
                .map(|entry| (entry.file_name().to_str().unwrap().to_owned(), entry.file_type().unwrap()))
                .collect();
            found.sort_by(|a, b| a.0.cmp(&b.0));
            use nix::dir::Type::{Directory, File};
            let expected = [(".", Directory), ("..", Directory), ("dir", Directory), ("file.jpg", File)];
            let found: Vec<_> = found.iter().map(|it| (it.0.as_str(), it.1)).collect();
            assert_eq!(found, expected);
        }
    });
}

#[test]
fn directories_are_not_files() {
    let world = world();
    let dcim = world.shared("DCIM");
    as_app(APP, move || {
        assert_eq!(errno(fs::read(&dcim)), libc::EISDIR);
        assert_eq!(errno(nix::unistd::truncate(&dcim, 0).map_err(Into::into)), libc::EISDIR);
        fs::write(dcim.join("a.jpg"), b"x").unwrap();
        assert_eq!(errno(fs::read_dir(dcim.join("a.jpg"))), libc::ENOTDIR);
        assert_eq!(errno(fs::metadata(dcim.join("a.jpg/b"))), libc::ENOTDIR);
    });
}
