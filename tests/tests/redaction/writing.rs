//! Readers without the right beside those who write.

use std::time::Instant;

use mediagate_tests::Job;
use mediagate_tests::picture::{picture, redacted, tells};

use super::*;

const LENGTH: usize = 30_000;
/// How long a descriptor that was open before may go on showing what is over.
const SOON: Duration = Duration::from_millis(200);

#[test]
fn while_a_picture_is_being_made_it_is_redacted_as_far_as_it_is_there() {
    let world = world();
    let (mut camera, mut frame) = (world.app(CAMERA), world.app(FRAME));
    let path = world.shared("DCIM/new.jpg");
    let located = picture(5, true, LENGTH);
    let file = camera.open(&path, libc::O_CREAT | libc::O_EXCL | libc::O_RDWR).unwrap();
    let held = frame.open(&path, libc::O_RDONLY).unwrap();
    let mut at = 0;
    for piece in located.chunks(37).take(30).chain([&located[37 * 30..]]) {
        camera.write(file, Some(at as u64), piece).unwrap();
        at += piece.len();
        let fresh = frame.read_all(&path).unwrap();
        assert!(!tells(&fresh), "{at} bytes are there");
        assert!(!tells(&frame.read(held, 0, LENGTH).unwrap()), "{at} bytes are there");
    }
    assert!(frame.read_all(&path).unwrap() == redacted(&located));
    camera.close(file);
    assert!(frame.read_all(&path).unwrap() == redacted(&located));
    assert!(camera.read_all(&path).unwrap() == located);
    let begin = Instant::now();
    while frame.read(held, 0, LENGTH).unwrap() != redacted(&located) {
        assert!(begin.elapsed() < SOON, "what was open shows an old picture");
    }
}

#[test]
fn stores_through_a_mapping_are_redacted_though_nothing_tells_of_them() {
    let world = world();
    let (mut editor, mut frame, mut camera) = (world.app(EDITOR), world.app(FRAME), world.app(CAMERA));
    let path = world.shared("DCIM/mapped.jpg");
    camera.create(&path, &picture(1, false, LENGTH)).unwrap();
    settle();
    frame.read_all(&path).unwrap();
    let file = editor.open(&path, libc::O_RDWR).unwrap();
    let held = frame.open(&path, libc::O_RDONLY).unwrap();
    for seed in 2..12 {
        let located = picture(seed, seed % 3 != 0, LENGTH);
        let expected = redacted(&located);
        editor.job(Job::MapWrite { file, offset: 0, data: located, sync: seed % 2 == 0 }).unwrap();
        assert!(frame.read_all(&path).unwrap() == expected, "seed {seed}");
        let begin = Instant::now();
        loop {
            let seen = frame.read(held, 0, LENGTH).unwrap();
            assert!(!tells(&seen));
            if seen == expected {
                break;
            }
            assert!(begin.elapsed() < SOON, "seed {seed}: what was open shows an old picture");
        }
    }
    editor.close(file);
}

/// A mapping outlives the descriptor that it was made from, and with it whoever counts as a writer.
#[test]
fn a_mapping_that_was_left_behind_cannot_make_a_location_be_overlooked() {
    let world = world();
    let (mut editor, mut frame, mut camera) = (world.app(EDITOR), world.app(FRAME), world.app(CAMERA));
    let path = world.shared("DCIM/left.jpg");
    let plain = picture(1, false, LENGTH);
    camera.create(&path, &plain).unwrap();
    let file = editor.open(&path, libc::O_RDWR).unwrap();
    let map = editor.job_number(Job::KeepMap { file, length: LENGTH }).unwrap();
    // Its page is dirty from here on.
    editor.job(Job::StoreInMap { map, data: plain[..4].to_vec() }).unwrap();
    editor.close(file);
    settle();
    let begin = Instant::now();
    while frame.read_all(&path).unwrap() != plain {
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
    settle();
    for seed in 2..5 {
        let located = picture(seed, true, LENGTH);
        editor.job(Job::StoreInMap { map, data: located.clone() }).unwrap();
        assert!(frame.read_all(&path).unwrap() == redacted(&located), "seed {seed}");
        settle();
        assert!(frame.read_all(&path).unwrap() == redacted(&located), "seed {seed}, once it has settled");
    }
    assert!(camera.read_all(&path).unwrap() == picture(4, true, LENGTH));
}

/// Who has a picture open that tells nothing is waited for by who comes to write, as the kernel serves its reads.
#[test]
fn a_writer_waits_for_readers_that_see_the_file_as_it_is_but_not_for_ever() {
    let mut world = world();
    let (mut editor, mut camera) = (world.app(EDITOR), world.app(CAMERA));
    let path = world.shared("DCIM/plain.jpg");
    camera.create(&path, &picture(1, false, LENGTH)).unwrap();
    settle();

    let mut frame = world.app(FRAME);
    let held = frame.open(&path, libc::O_RDONLY).unwrap();
    let closing = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        frame.close(held);
    });
    let begin = Instant::now();
    let file = editor.open(&path, libc::O_RDWR).unwrap();
    let waited = begin.elapsed();
    assert!(waited > Duration::from_millis(250) && waited < Duration::from_millis(1900), "{waited:?}");
    closing.join().unwrap();
    editor.close(file);
    assert_eq!(world.daemon().stat("redaction.writers_beside_readers"), 0);

    settle();
    std::thread::sleep(Duration::from_millis(300));
    let mut frame = world.app(FRAME);
    let _held = frame.open(&path, libc::O_RDONLY).unwrap();
    let begin = Instant::now();
    let file = editor.open(&path, libc::O_RDWR).unwrap();
    assert!(begin.elapsed() < Duration::from_secs(4));
    editor.close(file);
    assert_eq!(world.daemon().stat("redaction.writers_beside_readers"), 1);
}
