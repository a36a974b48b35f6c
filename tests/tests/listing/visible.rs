//! Whose files are listed for whom.

use std::fs;

use mediagate::config::WatchConfig;
use mediagate_tests::{World, as_app};

use crate::{
    CAMERA, GALLERY, MANAGER, OTHER, PLAYER, let_caches_expire, packages, reads, seen, world, write,
};

#[test]
fn each_caller_sees_own_files_and_those_it_may_read() {
    let world = world();
    let download = world.shared("Download");
    for name in ["photo.jpg", "song.mp3", "clip.mp4", "text.pdf", "odd.xyz"] {
        write(CAMERA, download.join(name));
    }
    write(OTHER, download.join("own.pdf"));
    fs::create_dir(world.lower("Download/dir")).unwrap();
    let all = ["clip.mp4", "dir", "odd.xyz", "own.pdf", "photo.jpg", "song.mp3", "text.pdf"];
    assert_eq!(seen(CAMERA, &download), ["clip.mp4", "dir", "odd.xyz", "photo.jpg", "song.mp3", "text.pdf"]);
    assert_eq!(seen(GALLERY, &download), ["dir", "photo.jpg"]);
    assert_eq!(seen(PLAYER, &download), ["dir", "song.mp3"]);
    assert_eq!(seen(OTHER, &download), ["dir", "own.pdf"]);
    for uid in [MANAGER, 0, 2000] {
        assert_eq!(seen(uid, &download), all, "uid {uid}");
    }
    // What is listed opens, and what is not does not.
    for uid in [CAMERA, GALLERY, PLAYER, OTHER, MANAGER] {
        let listed = seen(uid, &download);
        for name in all.into_iter().filter(|name| *name != "dir") {
            let opens = reads(uid, download.join(name));
            let expected = if listed.iter().any(|it| it == name) { Ok(()) } else { Err(libc::EACCES) };
            assert_eq!(opens, expected, "uid {uid}: {name}");
        }
    }
    // Names and attributes are visible all the same to whoever asks for them.
    let path = download.join("text.pdf");
    assert_eq!(as_app(OTHER, move || fs::metadata(path).unwrap().len()), 1);
}

/// A file that appears in the lower tree is indexed when it is first seen; the owner is the package of its place, or
/// nobody.
#[test]
fn files_from_behind_the_mount_are_indexed_when_first_seen() {
    // Nobody else looks at them.
    let mut world = World::new(&packages());
    world.config.volumes[0].watch = WatchConfig::Off;
    world.start();
    world.daemon().wait_until_indexed();
    let before = world.daemon().stat("index.first_seen");
    fs::write(world.lower("DCIM/new.jpg"), b"x").unwrap();
    fs::write(world.lower("DCIM/new.pdf"), b"x").unwrap();
    fs::create_dir_all(world.lower("Android/media/com.example.camera")).unwrap();
    for name in ["own.jpg", "own.pdf"] {
        fs::write(world.lower("Android/media/com.example.camera").join(name), b"x").unwrap();
    }
    let (dcim, media) = (world.shared("DCIM"), world.shared("Android/media/com.example.camera"));
    let_caches_expire();
    assert_eq!(seen(GALLERY, &dcim), ["new.jpg"]);
    assert_eq!(seen(CAMERA, &dcim), [""; 0], "nobody's: made by no app");
    assert_eq!(seen(MANAGER, &dcim), ["new.jpg", "new.pdf"]);
    let first = world.daemon().stat("index.first_seen") - before;
    assert!(first >= 2, "{first}");
    assert_eq!(seen(GALLERY, &dcim), ["new.jpg"]);
    assert_eq!(seen(CAMERA, &dcim), [""; 0]);
    assert_eq!(world.daemon().stat("index.first_seen") - before, first, "once");
    assert_eq!(seen(CAMERA, &media), ["own.jpg", "own.pdf"]);
    assert_eq!(seen(GALLERY, &media), ["own.jpg"]);
    assert_eq!(seen(OTHER, &media), [""; 0]);
    let own = media.join("own.pdf");
    as_app(CAMERA, move || fs::write(own, b"changed").unwrap());
    assert_eq!(reads(OTHER, media.join("own.pdf")), Err(libc::EACCES));

    // Gone behind the mount, and back as something else.
    fs::remove_file(world.lower("DCIM/new.jpg")).unwrap();
    assert_eq!(seen(GALLERY, &dcim), [""; 0]);
    fs::rename(world.lower("DCIM/new.pdf"), world.lower("DCIM/new.jpg")).unwrap();
    assert_eq!(seen(GALLERY, &dcim), ["new.jpg"]);
    fs::create_dir(world.lower("DCIM/dir")).unwrap();
    assert_eq!(seen(OTHER, &dcim), ["dir"]);
}

/// Who owns a file stands on the file: moved behind the mount, it stays its owner's.
#[test]
fn owners_survive_moves_behind_the_mount_and_the_loss_of_the_index() {
    let mut world = world();
    write(CAMERA, world.shared("DCIM/a.jpg"));
    fs::rename(world.lower("DCIM/a.jpg"), world.lower("Pictures/b.jpg")).unwrap();
    let_caches_expire();
    assert_eq!(seen(CAMERA, world.shared("Pictures")), ["b.jpg"]);
    assert_eq!(seen(OTHER, world.shared("Pictures")), [""; 0]);
    let_caches_expire();
    world.daemon().stop(nix::sys::signal::Signal::SIGTERM);
    for file in fs::read_dir(world.path("state")).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    world.start();
    world.daemon().wait_until_indexed();
    assert_eq!(seen(CAMERA, world.shared("Pictures")), ["b.jpg"]);
    assert_eq!(seen(GALLERY, world.shared("Pictures")), ["b.jpg"]);
    assert_eq!(seen(OTHER, world.shared("Pictures")), [""; 0]);
    // A copy is nobody's: `cp` behind the mount makes a new file.
    fs::copy(world.lower("Pictures/b.jpg"), world.lower("Pictures/c.jpg")).unwrap();
    let_caches_expire();
    assert_eq!(seen(CAMERA, world.shared("Pictures")), ["b.jpg"]);
    assert_eq!(seen(GALLERY, world.shared("Pictures")), ["b.jpg", "c.jpg"]);
}

/// A permission takes effect for the next listing.
#[test]
fn permissions_change_what_is_listed_at_once() {
    let mut world = world();
    let dcim = world.shared("DCIM");
    write(CAMERA, dcim.join("a.jpg"));
    for _ in 0..3 {
        assert_eq!(seen(OTHER, &dcim), [""; 0]);
        world.daemon().cli(&["permission", "grant", "com.example.other", "READ_MEDIA_IMAGES"]);
        assert_eq!(seen(OTHER, &dcim), ["a.jpg"]);
        assert_eq!(reads(OTHER, dcim.join("a.jpg")), Ok(()));
        world.daemon().cli(&["permission", "revoke", "com.example.other", "READ_MEDIA_IMAGES"]);
        assert_eq!(reads(OTHER, dcim.join("a.jpg")), Err(libc::EACCES));
    }
}

/// Renames and deletes by an app show in everybody's next listing.
#[test]
fn listings_follow_what_apps_do() {
    let world = world();
    let dcim = world.shared("DCIM");
    for number in 0..20 {
        write(CAMERA, dcim.join(format!("{number:02}.jpg")));
    }
    let dir = dcim.clone();
    as_app(CAMERA, move || {
        fs::create_dir(dir.join("album")).unwrap();
        for number in 0..10 {
            fs::rename(dir.join(format!("{number:02}.jpg")), dir.join(format!("album/{number:02}.jpg")))
                .unwrap();
        }
        for number in 10..15 {
            fs::remove_file(dir.join(format!("{number:02}.jpg"))).unwrap();
        }
        fs::rename(dir.join("album"), dir.join("moved")).unwrap();
    });
    for uid in [CAMERA, GALLERY, MANAGER] {
        assert_eq!(
            seen(uid, &dcim),
            ["15.jpg", "16.jpg", "17.jpg", "18.jpg", "19.jpg", "moved"],
            "uid {uid}"
        );
        assert_eq!(seen(uid, dcim.join("moved")).len(), 10, "uid {uid}");
    }
    assert_eq!(seen(OTHER, &dcim), ["moved"]);
    assert_eq!(seen(OTHER, dcim.join("moved")), [""; 0]);
}
