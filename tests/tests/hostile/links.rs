//! Links, special files and mounts planted in the lower tree.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use mediagate_tests::{World, as_app};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use rustix::fs::{CWD, Dev, FileType, Mode, mknodat};

use crate::{
    CAMERA, GALLERY, MANAGER, SECRET, errno, everything, is_well, let_caches_expire, names, outside, world,
};

/// Root, a reader, the owner of what is beside, and who may do everything.
const CALLERS: [u32; 4] = [0, GALLERY, CAMERA, MANAGER];

/// Tries to get in through `path`, which must look as if it did not exist.
fn is_not_there(uid: u32, path: PathBuf) {
    as_app(uid, move || {
        let said = format!("uid {uid}, {}", path.display());
        assert_eq!(errno(fs::symlink_metadata(&path)), libc::ENOENT, "lstat {said}");
        assert_eq!(errno(fs::metadata(&path)), libc::ENOENT, "stat {said}");
        assert_eq!(errno(fs::read(&path)), libc::ENOENT, "read {said}");
        assert_eq!(errno(fs::read_dir(&path)), libc::ENOENT, "list {said}");
        assert_eq!(errno(fs::read_link(&path)), libc::ENOENT, "readlink {said}");
        assert_eq!(errno(fs::remove_file(&path)), libc::ENOENT, "unlink {said}");
        assert_eq!(errno(fs::remove_dir(&path)), libc::ENOENT, "rmdir {said}");
        let elsewhere = path.with_file_name("moved.jpg");
        assert_eq!(errno(fs::rename(&path, elsewhere)), libc::ENOENT, "rename {said}");
        for below in ["secret.jpg", "deeper/a.jpg"] {
            assert_eq!(errno(fs::read(path.join(below))), libc::ENOENT, "below {said}");
            assert!(fs::write(path.join(below), b"overwritten").is_err(), "below {said}");
        }
        assert!(fs::write(path.join("new.jpg"), b"made").is_err(), "create below {said}");
        // The name is taken, though nobody sees by what.
        assert_eq!(errno(fs::File::create_new(&path)), libc::EEXIST, "create {said}");
        assert_eq!(errno(fs::write(&path, b"written")), libc::EEXIST, "write {said}");
        assert_eq!(errno(fs::create_dir(&path)), libc::EEXIST, "mkdir {said}");
    });
}

#[test]
fn symlinks_are_not_there() {
    let mut world = world();
    let outside = outside(&world);
    let before = everything(&outside);
    let dcim = world.lower("DCIM");
    fs::write(dcim.join("real.jpg"), b"inside").unwrap();
    let links: [(&str, PathBuf); 10] = [
        ("file.jpg", outside.join("secret.jpg")),
        ("relative.jpg", "../../../outside/secret.jpg".into()),
        ("dir.jpg", outside.clone()),
        ("relative-dir.jpg", "../../../outside".into()),
        ("loop.jpg", "loop.jpg".into()),
        ("dangling.jpg", outside.join("new.jpg")),
        ("inside.jpg", "real.jpg".into()),
        ("up.jpg", "..".into()),
        ("magic.jpg", "/proc/self/root".into()),
        ("fd.jpg", "/proc/self/fd/0".into()),
    ];
    for (name, target) in &links {
        symlink(target, dcim.join(name)).unwrap();
    }
    for uid in CALLERS {
        let shared = world.shared("DCIM");
        assert_eq!(as_app(uid, move || names(&shared).unwrap_or_default()).len(), usize::from(uid != CAMERA));
        for (name, _) in &links {
            is_not_there(uid, world.shared("DCIM").join(name));
        }
    }
    assert_eq!(everything(&outside), before);
    for (name, target) in &links {
        assert_eq!(&fs::read_link(dcim.join(name)).unwrap(), target, "the links themselves stay");
    }
    is_well(&mut world);
}

/// The kernel knows `DCIM/album/a.jpg` when `album` becomes a link to where there is an `a.jpg` too.
#[test]
fn a_parent_that_becomes_a_symlink_leads_nowhere() {
    let mut world = world();
    let outside = outside(&world);
    let before = everything(&outside);
    let (album, lower) = (world.shared("DCIM/album"), world.lower("DCIM/album"));
    for to in [outside.clone(), "../../../outside".into()] {
        let (dir, deep) = (album.clone(), album.join("deeper"));
        as_app(CAMERA, move || {
            fs::create_dir_all(&deep).unwrap();
            fs::write(dir.join("a.jpg"), b"inside").unwrap();
            fs::write(deep.join("a.jpg"), b"inside").unwrap();
        });
        fs::rename(&lower, lower.with_file_name("away")).unwrap();
        symlink(&to, &lower).unwrap();
        for wait in [false, true] {
            if wait {
                let_caches_expire();
            }
            let album = album.clone();
            as_app(CAMERA, move || {
                for name in ["a.jpg", "deeper/a.jpg", "secret.jpg"] {
                    // The file that was meant is as good as none: what is kept open is read from where it went.
                    assert_ne!(fs::read(album.join(name)).unwrap_or_default(), SECRET, "{name}");
                    // Not made: a directory that is kept open takes new files where it went.
                    let written = fs::OpenOptions::new().write(true).truncate(true).open(album.join(name));
                    let _ = written.map(|mut file| file.write_all(b"overwritten"));
                }
                let _ = fs::write(album.join("new.jpg"), b"made");
                let _ = fs::create_dir(album.join("new"));
                let _ = fs::rename(album.join("a.jpg"), album.join("b.jpg"));
                assert!(!names(&album).unwrap_or_default().contains(&b"secret.jpg".to_vec()));
                if wait {
                    assert_eq!(errno(fs::metadata(&album)), libc::ENOENT);
                }
            });
        }
        assert_eq!(everything(&outside), before);
        fs::remove_file(&lower).unwrap();
        fs::remove_dir_all(lower.with_file_name("away")).unwrap();
        let_caches_expire();
    }
    is_well(&mut world);
}

#[test]
fn a_users_root_that_becomes_a_symlink_leads_nowhere() {
    let mut world = world();
    let outside = outside(&world);
    let zero = world.lower("");
    fs::rename(&zero, zero.with_file_name("1")).unwrap();
    symlink(&outside, zero.parent().unwrap().join("0")).unwrap();
    let_caches_expire();
    let shared = world.shared("");
    as_app(MANAGER, move || {
        assert_eq!(errno(fs::read(shared.join("secret.jpg"))), libc::ENOENT);
        assert_eq!(errno(fs::read_dir(&shared)), libc::ENOENT);
        assert!(fs::write(shared.join("new.jpg"), b"made").is_err());
    });
    assert_eq!(names(&outside).unwrap().len(), 3);
    is_well(&mut world);
}

#[test]
fn special_files_are_not_there_and_nobody_waits_for_them() {
    let mut world = world();
    let dcim = world.lower("DCIM");
    let special = [
        ("fifo.jpg", FileType::Fifo),
        ("null.jpg", FileType::CharacterDevice),
        ("disk.jpg", FileType::BlockDevice),
    ];
    for (name, kind) in special {
        mknodat(CWD, dcim.join(name), kind, Mode::from_raw_mode(0o666), Dev::from(0x103_u32)).unwrap();
    }
    let _socket = std::os::unix::net::UnixListener::bind(dcim.join("socket.jpg")).unwrap();
    for uid in CALLERS {
        let shared = world.shared("DCIM");
        as_app(uid, move || assert_eq!(names(&shared).unwrap().len(), 0));
        for name in ["fifo.jpg", "null.jpg", "disk.jpg", "socket.jpg"] {
            is_not_there(uid, world.shared("DCIM").join(name));
        }
    }
    assert!(fs::symlink_metadata(dcim.join("fifo.jpg")).unwrap().file_type().is_fifo());
    is_well(&mut world);
}

/// A file that the kernel knows becomes a pipe: whoever opens it must not wait for a writer.
#[test]
fn a_file_that_becomes_a_pipe_hangs_nobody() {
    let mut world = world();
    let (shared, lower) = (world.shared("DCIM/a.jpg"), world.lower("DCIM/a.jpg"));
    let path = shared.clone();
    as_app(CAMERA, move || fs::write(path, b"inside").unwrap());
    fs::remove_file(&lower).unwrap();
    mknodat(CWD, &lower, FileType::Fifo, Mode::from_raw_mode(0o666), Dev::from(0_u32)).unwrap();
    for _ in 0..3 {
        let path = shared.clone();
        as_app(CAMERA, move || {
            assert_eq!(errno(fs::read(&path)), libc::ENOENT);
            assert!(fs::write(&path, b"x").is_err());
        });
        let_caches_expire();
    }
    is_well(&mut world);
}

#[test]
fn a_file_with_two_names_is_served_under_both() {
    let mut world = world();
    let (one, two) = (world.shared("DCIM/one.jpg"), world.shared("Pictures/two.jpg"));
    let path = one.clone();
    as_app(CAMERA, move || fs::write(path, b"first").unwrap());
    fs::hard_link(world.lower("DCIM/one.jpg"), world.lower("Pictures/two.jpg")).unwrap();
    let_caches_expire();
    as_app(CAMERA, move || {
        for round in 0..10 {
            assert_eq!(fs::read(&one).unwrap(), fs::read(&two).unwrap(), "{round}");
            assert_eq!(fs::metadata(&one).unwrap().ino(), fs::metadata(&two).unwrap().ino());
        }
        fs::write(&two, b"second").unwrap();
        assert_eq!(fs::read(&one).unwrap(), b"second");
        fs::remove_file(&one).unwrap();
        assert_eq!(errno(fs::read(&one)), libc::ENOENT);
        assert_eq!(fs::read(&two).unwrap(), b"second");
        fs::write(&two, b"third").unwrap();
        assert_eq!(fs::metadata(&two).unwrap().len(), 5);
        fs::rename(&two, &one).unwrap();
        assert_eq!(fs::read(&one).unwrap(), b"third");
    });
    is_well(&mut world);
}

/// A mount in the lower tree, taken away at the end.
struct Planted(PathBuf);

impl Drop for Planted {
    fn drop(&mut self) {
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

fn bind(what: &Path, at: PathBuf) -> Planted {
    mount(Some(what), &at, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
    Planted(at)
}

fn plant_mounts(world: &World, outside: &Path) -> [Planted; 3] {
    let dcim = world.lower("DCIM");
    for dir in ["bound.jpg", "other.jpg"] {
        fs::create_dir(dcim.join(dir)).unwrap();
    }
    fs::write(dcim.join("file.jpg"), b"inside").unwrap();
    mount(None::<&str>, &dcim.join("other.jpg"), Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    let other = Planted(dcim.join("other.jpg"));
    fs::write(dcim.join("other.jpg/secret.jpg"), SECRET).unwrap();
    [other, bind(outside, dcim.join("bound.jpg")), bind(&outside.join("secret.jpg"), dcim.join("file.jpg"))]
}

#[test]
fn mounts_in_the_lower_tree_are_not_crossed() {
    let mut world = world();
    let outside = outside(&world);
    let before = everything(&outside);
    let planted = plant_mounts(&world, &outside);
    for uid in CALLERS {
        for name in ["bound.jpg", "other.jpg", "file.jpg"] {
            is_not_there(uid, world.shared("DCIM").join(name));
        }
        let shared = world.shared("DCIM");
        as_app(uid, move || {
            assert!(!everything_readable(&shared).iter().any(|content| content == SECRET));
        });
    }
    assert_eq!(everything(&outside), before);
    assert_eq!(names(&world.lower("DCIM/other.jpg")).unwrap(), [b"secret.jpg"]);
    drop(planted);
    let_caches_expire();
    let shared = world.shared("DCIM");
    as_app(MANAGER, move || {
        assert_eq!(fs::read(shared.join("file.jpg")).unwrap(), b"inside");
        assert_eq!(names(&shared.join("other.jpg")).unwrap().len(), 0);
    });
    is_well(&mut world);
}

/// The contents of all files below that can be read.
fn everything_readable(dir: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        match fs::read(entry.path()) {
            Ok(content) => found.push(content),
            Err(_) if entry.path().is_dir() => found.extend(everything_readable(&entry.path())),
            Err(_) => {}
        }
    }
    found
}
