//! Two inodes, one truth: which files callers are told apart by, and how a file changes from one kind to the other.

use mediagate_tests::picture::{picture, redacted, tells};

use super::*;

const LENGTH: usize = 30_000;

fn reads(world: &mut World) -> i64 {
    world.daemon().stat("fuse.requests.read")
}

#[test]
fn a_picture_without_location_is_one_inode_and_passed_through_for_all() {
    let mut world = world();
    let (mut camera, mut map, mut frame) = (world.app(CAMERA), world.app(MAP), world.app(FRAME));
    let path = world.shared("DCIM/plain.jpg");
    let plain = picture(1, false, LENGTH);
    camera.create(&path, &plain).unwrap();
    settle();
    let before = reads(&mut world);
    for app in [&mut camera, &mut map, &mut frame] {
        assert!(app.read_all(&path).unwrap() == plain);
    }
    assert_eq!(reads(&mut world), before);
    assert_eq!(world.daemon().stat("open.daemon"), 0);
    assert_eq!(frame.stat(&path).unwrap().ino, map.stat(&path).unwrap().ino);
    // Its name is remembered like any other's.
    let lookups = world.daemon().stat("fuse.requests.lookup");
    frame.can_read(&path).unwrap();
    assert_eq!(world.daemon().stat("fuse.requests.lookup"), lookups);
}

#[test]
fn a_located_picture_serves_both_kinds_at_once_and_looks_into_nothing_twice() {
    let mut world = world();
    let (mut camera, mut map, mut frame) = (world.app(CAMERA), world.app(MAP), world.app(FRAME));
    let path = world.shared("DCIM/located.jpg");
    let located = picture(2, true, LENGTH);
    camera.create(&path, &located).unwrap();
    settle();
    assert!(frame.read_all(&path).unwrap() == redacted(&located));
    let before = reads(&mut world);
    for app in [&mut map, &mut camera] {
        assert!(app.read_all(&path).unwrap() == located);
    }
    assert_eq!(reads(&mut world), before, "whoever may see it sends no READ");
    assert_ne!(frame.stat(&path).unwrap().ino, map.stat(&path).unwrap().ino);

    // A name leads to one inode at a time, and what no name leads to and nobody has open the kernel forgets with its pages:
    // so the first read after another kind of caller's walk asks again.
    frame.read_all(&path).unwrap();
    let before = reads(&mut world);
    let looks = world.daemon().stat("redaction.looks");
    for _ in 0..3 {
        assert!(frame.read_all(&path).unwrap() == redacted(&located));
    }
    assert_eq!(world.daemon().stat("redaction.looks"), looks);
    assert_eq!(reads(&mut world), before, "repeated reads come from the page cache");
    assert!(world.daemon().stat("redaction.opens_from_cache") >= 3);

    // A restart forgets the memory, not the catalog.
    world.daemon().stop(nix::sys::signal::Signal::SIGTERM);
    world.start();
    assert!(frame.read_all(&path).unwrap() == redacted(&located));
    assert_eq!(world.daemon().stat("redaction.looks"), 0);
}

#[test]
fn what_cannot_be_understood_is_refused_to_who_may_not_see_it_and_passed_through_to_who_may() {
    let mut world = world();
    let (mut camera, mut map, mut frame) = (world.app(CAMERA), world.app(MAP), world.app(FRAME));
    let path = world.shared("DCIM/broken.jpg");
    let mut broken = picture(3, true, 4096);
    // The segment that holds the location says that it is longer than the file.
    broken.truncate(80);
    broken[4..6].copy_from_slice(&[0xff, 0xff]);
    let understood = mediagate::redaction::find::find(&broken);
    camera.create(&path, &broken).unwrap();
    for _ in 0..2 {
        settle();
        match &understood {
            Err(_) => assert_eq!(frame.can_read(&path).unwrap_err().0, libc::EACCES),
            Ok(_) => assert!(!tells(&frame.read_all(&path).unwrap())),
        }
        let before = reads(&mut world);
        assert!(map.read_all(&path).unwrap() == broken);
        assert!(camera.read_all(&path).unwrap() == broken);
        assert_eq!(reads(&mut world), before);
        frame.stat(&path).unwrap();
    }
    if understood.is_err() {
        assert!(world.daemon().stat("redaction.opens_refused") >= 2);
    }
}

#[test]
fn a_picture_that_gains_and_loses_its_location_changes_its_kind() {
    let world = world();
    let (mut camera, mut map, mut frame, mut editor) =
        (world.app(CAMERA), world.app(MAP), world.app(FRAME), world.app(EDITOR));
    let path = world.shared("DCIM/changing.jpg");
    camera.create(&path, &picture(1, false, LENGTH)).unwrap();
    settle();
    for round in 0..6_u8 {
        let located = round % 2 == 0;
        // Everybody's caches are warm with what there was.
        frame.read_all(&path).unwrap();
        map.read_all(&path).unwrap();
        let new = picture(round, located, LENGTH - usize::from(round));
        match round {
            0 | 3 => {
                let file = editor.open(&path, libc::O_WRONLY | libc::O_TRUNC).unwrap();
                editor.write(file, None, &new).unwrap();
                editor.close(file);
            }
            1 | 4 => {
                let file = editor.open(&path, libc::O_RDWR).unwrap();
                editor.write(file, Some(0), &new).unwrap();
                editor.job(mediagate_tests::Job::Truncate { file, size: new.len() as u64 }).unwrap();
                editor.close(file);
            }
            _ => {
                let beside = world.shared("Download/new.tmp");
                editor.create(&beside, &new).unwrap();
                editor.rename(&beside, &path).unwrap();
            }
        }
        let expected = if located { redacted(&new) } else { new.clone() };
        assert!(frame.read_all(&path).unwrap() == expected, "round {round}");
        assert!(map.read_all(&path).unwrap() == new, "round {round}");
        assert_eq!(frame.stat(&path).unwrap().size, new.len() as u64, "round {round}");
        settle();
        // Once the writer is known to be gone.
        std::thread::sleep(Duration::from_millis(300));
        assert!(frame.read_all(&path).unwrap() == expected, "round {round}");
        let same = frame.stat(&path).unwrap().ino == map.stat(&path).unwrap().ino;
        assert_eq!(same, !located, "round {round}");
    }
}

#[test]
fn a_name_that_becomes_one_of_a_picture_does_not_show_what_the_other_did() {
    let world = world();
    let (mut editor, mut frame) = (world.app(EDITOR), world.app(FRAME));
    let located = picture(9, true, LENGTH);
    let (raw, path) = (world.shared("Download/x.bin"), world.shared("Download/x.jpg"));
    editor.create(&raw, &located).unwrap();
    editor.stat(&raw).unwrap();
    frame.stat(&raw).unwrap();
    editor.rename(&raw, &path).unwrap();
    assert!(frame.read_all(&path).unwrap() == redacted(&located));
    assert!(editor.read_all(&path).unwrap() == located);
}

#[test]
fn a_listing_looks_into_no_file() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    for n in 0..20 {
        camera.create(world.shared(format!("DCIM/{n}.jpg")), &picture(n, n % 2 == 0, 4096)).unwrap();
    }
    settle();
    let mut frame = world.app(FRAME);
    let looks = world.daemon().stat("redaction.looks");
    assert_eq!(frame.list(world.shared("DCIM")).unwrap().len(), 20);
    assert_eq!(world.daemon().stat("redaction.looks"), looks);
    for n in 0..20 {
        assert!(!tells(&frame.read_all(world.shared(format!("DCIM/{n}.jpg"))).unwrap()));
    }
}
