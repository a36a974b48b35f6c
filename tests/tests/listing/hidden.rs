//! What is not shown as media, though it is there.

use std::fs;

use mediagate_tests::as_app;

use crate::{CAMERA, GALLERY, MANAGER, OTHER, let_caches_expire, reads, seen, world, write};

/// A `.nomedia` that comes and goes through the mount: files below are no media, so only their owner sees them.
#[test]
fn nomedia_through_the_mount() {
    let world = world();
    let album = world.shared("Pictures/album");
    let dir = album.clone();
    as_app(CAMERA, move || fs::create_dir_all(dir.join("inner")).unwrap());
    write(CAMERA, album.join("a.jpg"));
    write(CAMERA, album.join("inner/b.jpg"));
    let shown = |expected: bool| {
        let names: &[&str] = if expected { &["a.jpg", "inner"] } else { &["inner"] };
        assert_eq!(seen(GALLERY, &album), names);
        assert_eq!(seen(GALLERY, album.join("inner")).len(), usize::from(expected));
        let opens = if expected { Ok(()) } else { Err(libc::EACCES) };
        assert_eq!(reads(GALLERY, album.join("a.jpg")), opens);
        assert_eq!(reads(GALLERY, album.join("inner/b.jpg")), opens);
        assert_eq!(reads(CAMERA, album.join("a.jpg")), Ok(()));
        assert!(seen(CAMERA, &album).contains(&"a.jpg".to_owned()));
        assert!(seen(MANAGER, &album).contains(&"a.jpg".to_owned()));
    };
    shown(true);
    // No app may create a file without a type in Pictures, a manager may.
    write(MANAGER, album.join(".nomedia"));
    shown(false);
    // What comes later is hidden too.
    write(CAMERA, album.join("c.jpg"));
    assert_eq!(reads(GALLERY, album.join("c.jpg")), Err(libc::EACCES));
    let path = album.join("c.jpg");
    as_app(CAMERA, move || fs::remove_file(path).unwrap());
    let path = album.join(".nomedia");
    as_app(MANAGER, move || fs::rename(&path, path.with_file_name("renamed")).unwrap());
    let path = album.join("renamed");
    as_app(MANAGER, move || fs::remove_file(path).unwrap());
    shown(true);
}

#[test]
fn nomedia_behind_the_mount() {
    let world = world();
    let album = world.shared("Pictures/album");
    let dir = album.clone();
    as_app(CAMERA, move || fs::create_dir(dir).unwrap());
    write(CAMERA, album.join("a.jpg"));
    assert_eq!(seen(GALLERY, &album), ["a.jpg"]);
    for _ in 0..2 {
        fs::write(world.lower("Pictures/album/.nomedia"), b"").unwrap();
        let_caches_expire();
        assert_eq!(seen(GALLERY, &album), [""; 0]);
        assert_eq!(reads(GALLERY, album.join("a.jpg")), Err(libc::EACCES));
        assert_eq!(seen(CAMERA, &album), ["a.jpg"]);
        fs::remove_file(world.lower("Pictures/album/.nomedia")).unwrap();
        let_caches_expire();
        assert_eq!(seen(GALLERY, &album), ["a.jpg"]);
        assert_eq!(reads(GALLERY, album.join("a.jpg")), Ok(()));
    }
}

/// The places people look at cannot be hidden (mediaprovider.md §3.7).
#[test]
fn nomedia_does_not_hide_the_default_directories() {
    let world = world();
    for dir in ["", "DCIM", "DCIM/Camera", "Pictures/Screenshots"] {
        fs::create_dir_all(world.lower(dir)).unwrap();
        fs::write(world.lower(dir).join(".nomedia"), b"").unwrap();
    }
    for dir in ["DCIM", "DCIM/Camera", "Pictures/Screenshots"] {
        write(CAMERA, world.shared(dir).join("a.jpg"));
        assert!(seen(GALLERY, world.shared(dir)).contains(&"a.jpg".to_owned()), "{dir}");
        assert_eq!(reads(GALLERY, world.shared(dir).join("a.jpg")), Ok(()), "{dir}");
    }
}

#[test]
fn names_with_a_dot_are_no_media() {
    let world = world();
    let dcim = world.shared("DCIM");
    let dir = dcim.clone();
    as_app(CAMERA, move || fs::create_dir_all(dir.join(".private/inner")).unwrap());
    for name in ["a.jpg", ".b.jpg", ".private/c.jpg", ".private/inner/d.jpg"] {
        write(CAMERA, dcim.join(name));
    }
    assert_eq!(seen(CAMERA, &dcim), [".b.jpg", ".private", "a.jpg"]);
    assert_eq!(seen(GALLERY, &dcim), [".private", "a.jpg"], "directories are never hidden");
    for (dir, name) in [(".private", "c.jpg"), (".private/inner", "d.jpg")] {
        assert!(!seen(GALLERY, dcim.join(dir)).contains(&name.to_owned()));
        assert_eq!(reads(GALLERY, dcim.join(dir).join(name)), Err(libc::EACCES));
        assert_eq!(reads(CAMERA, dcim.join(dir).join(name)), Ok(()));
    }
    // Renamed, the directory is shown with all that is in it, and hidden again.
    for (from, to, shown) in [(".private", "album", 1), ("album", ".private", 0)] {
        let dir = dcim.clone();
        as_app(CAMERA, move || fs::rename(dir.join(from), dir.join(to)).unwrap());
        assert_eq!(seen(GALLERY, dcim.join(to).join("inner")).len(), shown, "{to}");
        assert_eq!(reads(GALLERY, dcim.join(to).join("inner/d.jpg")).is_ok(), shown == 1, "{to}");
    }
}

/// Somebody else's pending and trashed files are nobody's business; a rename publishes them.
#[test]
fn pending_and_trashed_files_are_their_owners() {
    let world = world();
    let dcim = world.shared("DCIM");
    let names = [".pending-4000000000-a.jpg", ".trashed-4000000000-b.jpg"];
    for name in names {
        write(CAMERA, dcim.join(name));
        // One of the same kind that nobody made.
        fs::write(world.lower("DCIM").join(format!("{name}-planted.jpg")), b"x").unwrap();
    }
    let_caches_expire();
    assert_eq!(seen(CAMERA, &dcim), names);
    for uid in [GALLERY, OTHER] {
        assert_eq!(seen(uid, &dcim), [""; 0], "uid {uid}");
        for name in names {
            assert_eq!(reads(uid, dcim.join(name)), Err(libc::EACCES), "uid {uid}: {name}");
        }
    }
    assert_eq!(seen(MANAGER, &dcim).len(), 4);
    for (name, plain) in names.into_iter().zip(["a.jpg", "b.jpg"]) {
        let (from, to) = (dcim.join(name), dcim.join(plain));
        as_app(CAMERA, move || fs::rename(from, to).unwrap());
    }
    assert_eq!(seen(GALLERY, &dcim), ["a.jpg", "b.jpg"]);
    assert_eq!(reads(GALLERY, dcim.join("a.jpg")), Ok(()));
}

#[test]
fn private_directories_are_their_packages() {
    let world = world();
    for package in ["com.example.camera", "com.example.other"] {
        for dir in ["data", "obb"] {
            let dir = world.lower(format!("Android/{dir}/{package}"));
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join("private.jpg"), b"x").unwrap();
        }
    }
    let_caches_expire();
    let android = world.shared("Android");
    for dir in ["data", "obb"] {
        let own = android.join(dir).join("com.example.camera");
        assert_eq!(seen(CAMERA, &own), ["private.jpg"]);
        assert_eq!(reads(CAMERA, own.join("private.jpg")), Ok(()));
        for uid in [GALLERY, OTHER] {
            let own = own.clone();
            as_app(uid, move || {
                let errno = |error: std::io::Error| error.raw_os_error().unwrap();
                assert_eq!(errno(fs::read_dir(&own).unwrap_err()), libc::ENOENT, "uid {uid}");
                assert_eq!(errno(fs::read(own.join("private.jpg")).unwrap_err()), libc::ENOENT, "uid {uid}");
                assert_eq!(
                    errno(fs::metadata(own.join("private.jpg")).unwrap_err()),
                    libc::ENOENT,
                    "uid {uid}"
                );
                assert_eq!(errno(fs::metadata(own.join("none")).unwrap_err()), libc::ENOENT, "uid {uid}");
            });
        }
    }
    // The trees that hold them all are closed.
    let top = android.join("data");
    as_app(GALLERY, move || assert_eq!(fs::read_dir(top).unwrap_err().raw_os_error(), Some(libc::EACCES)));
    assert_eq!(seen(GALLERY, &android), ["data", "obb"]);
}
