//! What an app without the right may try besides reading: to open it as somebody who would see it, to have another name for it,
//! to be handed it.

use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use mediagate::binder::Client;
use mediagate::control::store::{MediaQuery, OpenMode};
use mediagate_tests::picture::{picture, redacted, tells};
use mediagate_tests::{Job, as_app, blocks};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

use super::*;

const LENGTH: usize = 50_001;

fn located(world: &World, name: &str) -> (PathBuf, Vec<u8>) {
    let (path, located) = (world.shared(name), picture(6, true, LENGTH));
    world.app(CAMERA).create(&path, &located).unwrap();
    settle();
    (path, located)
}

fn opened(path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    open(path, flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o600))
}

#[test]
fn who_may_not_write_cannot_open_it_for_writing_to_see_it() {
    let world = world();
    let (path, located) = located(&world, "DCIM/a.jpg");
    let expected = redacted(&located);
    as_app(FRAME_UID, move || {
        // Before anybody has read it, and with the view cached.
        for _ in 0..2 {
            for flags in [
                OFlags::RDWR,
                OFlags::WRONLY,
                OFlags::RDWR | OFlags::APPEND,
                OFlags::RDWR | OFlags::CREATE,
                OFlags::RDWR | OFlags::DIRECT,
                OFlags::RDWR | OFlags::TRUNC,
                OFlags::RDONLY | OFlags::TRUNC,
                // "Neither", for ioctls only.
                OFlags::from_bits_retain(3),
            ] {
                assert_eq!(opened(&path, flags).unwrap_err(), Errno::ACCESS, "{flags:?}");
            }
            let new = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
            assert_eq!(opened(&path, new).unwrap_err(), Errno::EXIST);
            assert!(nix::unistd::truncate(&path, 0).is_err());
            assert!(fs::read(&path).unwrap() == expected);
        }
    });
    assert!(fs::read(world.lower("DCIM/a.jpg")).unwrap() == located);
}

#[test]
fn its_blocks_are_neither_shared_nor_compared_nor_found() {
    let world = world();
    let (path, located) = located(&world, "DCIM/a.jpg");
    let (seen, guess) = (redacted(&located), located.clone());
    as_app(FRAME_UID, move || {
        let from = File::open(&path).unwrap();
        let copy = path.with_file_name("../Download/copy");
        let to = File::options().create(true).read(true).write(true).truncate(false).open(copy).unwrap();
        assert!(rustix::fs::ioctl_ficlone(&to, &from).is_err());
        assert!(blocks::clone_range(from.as_fd(), to.as_fd()).is_err());
        assert_eq!(to.metadata().unwrap().len(), 0);
        // Whether a guess is right would tell as much as the bytes.
        for guess in [&guess, &seen] {
            to.write_all_at(guess, 0).unwrap();
            assert!(blocks::dedupe(from.as_fd(), to.as_fd(), 4096).is_err());
            assert!(blocks::dedupe(to.as_fd(), from.as_fd(), 4096).is_err());
        }
        assert!(blocks::extents(from.as_fd()).is_err());
        assert!(blocks::first_block(from.as_fd()).is_err());
        let mut data = vec![0; LENGTH];
        from.read_exact_at(&mut data, 0).unwrap();
        assert!(data == seen);
    });
}

#[test]
fn what_the_interface_hands_out_is_what_the_caller_may_see() {
    let mut world = world();
    let (path, located) = located(&world, "DCIM/a.jpg");
    world.daemon().wait_until_indexed();
    let socket = world.config.service.listen[0].clone();
    for (uid, expected) in [(FRAME_UID, redacted(&located)), (MAP_UID, located.clone())] {
        let (path, socket, all) = (path.clone(), socket.clone(), expected == located);
        as_app(uid, move || {
            let client = Client::connect(&socket).unwrap();
            let store = client.store().unwrap();
            let page = store.query(&MediaQuery { limit: 10, ..MediaQuery::default() }).unwrap();
            let [item] = &page.items[..] else { panic!("{page:?}") };
            assert!(store.open(item.id, OpenMode { write: true, ..OpenMode::default() }).is_err());
            let handed = store.open(item.id, OpenMode::default()).unwrap();
            let mut data = vec![0; LENGTH];
            assert_eq!(rustix::io::pread(&handed, &mut data[..], 0).unwrap(), LENGTH);
            assert!(data == expected, "{uid}");
            let link = PathBuf::from(format!("/proc/self/fd/{}", handed.as_raw_fd()));
            assert!(fs::read(&link).unwrap() == expected, "{uid}");
            assert_eq!(opened(&link, OFlags::RDWR).unwrap_err(), Errno::ACCESS);
            let copy = path.with_file_name(format!("../Download/copy{uid}"));
            let copy = File::options().create_new(true).read(true).write(true).open(copy).unwrap();
            let sent =
                rustix::fs::copy_file_range(&handed, Some(&mut 0), &copy, Some(&mut 0), LENGTH).unwrap();
            let mut data = vec![0; sent];
            copy.read_exact_at(&mut data, 0).unwrap();
            assert!(data == expected[..sent] && tells(&data) == (all && sent > 400), "{uid}");
        });
    }
}

/// A descriptor that opens nothing by itself may be passed on; what it is opened as later is the later opener's view.
#[test]
fn a_path_descriptor_of_who_sees_all_opens_nothing_for_who_does_not() {
    let world = world();
    let (path, located) = located(&world, "DCIM/a.jpg");
    let expected = redacted(&located);
    let theirs = {
        let path = path.clone();
        as_app(MAP_UID, move || {
            assert!(tells(&fs::read(&path).unwrap()));
            opened(&path, OFlags::PATH).unwrap()
        })
    };
    as_app(FRAME_UID, move || {
        let link = format!("/proc/self/fd/{}", theirs.as_raw_fd());
        for _ in 0..3 {
            match fs::read(&link) {
                Ok(data) => assert!(data == expected),
                Err(error) => assert_eq!(error.raw_os_error(), Some(libc::ESTALE)),
            }
            assert!(fs::read(&path).unwrap() == expected);
        }
    });
}

#[test]
fn names_that_hide_a_picture_hide_its_location_as_well() {
    let world = world();
    let (mut editor, mut frame) = (world.app(EDITOR), world.app(FRAME));
    for dir in ["Pictures/.secret", "Pictures/unseen"] {
        editor.mkdir(world.shared(dir)).unwrap();
    }
    editor.create(world.shared("Pictures/unseen/.nomedia"), b"").unwrap();
    let located = picture(6, true, LENGTH);
    let expected = redacted(&located);
    let mut readable = Vec::new();
    for name in [
        "Pictures/A.JPG",
        "Pictures/a.JpEg",
        "Pictures/.hidden.jpg",
        "Pictures/.secret/a.jpg",
        "Pictures/unseen/a.jpg",
        "Pictures/.pending-4000000000-a.jpg",
        "Pictures/.trashed-4000000000-a.jpg",
        "Pictures/film.mp4",
        "Pictures/raw.dng",
        "Android/media/com.example.editor/a.jpg",
    ] {
        let path = world.shared(name);
        if name.starts_with("Android") {
            fs::create_dir_all(world.lower("Android/media/com.example.editor")).unwrap();
        }
        fs::write(world.lower(name), &located).unwrap();
        settle();
        for _ in 0..2 {
            match frame.read_all(&path) {
                Ok(data) => {
                    assert!(data == expected, "{name}");
                    readable.push(name);
                }
                Err(errno) => assert!(matches!(errno.0, libc::EACCES | libc::ENOENT), "{name}: {errno:?}"),
            }
        }
    }
    println!("readable: {readable:?}");
    assert!(readable.len() >= 8, "{readable:?}");
}

/// Under a name that is that of no picture it is not looked into: who gives it such a name could see all of it before (a
/// property of the policy), and nobody who was shown it redacted sees more by what he has of it.
#[test]
fn a_name_that_is_none_of_a_picture_shows_no_more_of_what_is_open() {
    let world = world();
    let (path, located) = located(&world, "DCIM/a.jpg");
    let (mut frame, mut editor) = (world.app(FRAME), world.app(EDITOR));
    let expected = redacted(&located);
    for to in ["DCIM/mine.bin", "Download/mine.bin", "DCIM/mine.jpg"] {
        let errno = frame.rename(&path, world.shared(to)).unwrap_err();
        assert!(matches!(errno.0, libc::EACCES | libc::EPERM), "{errno:?}");
    }
    let file = frame.open(&path, libc::O_RDONLY).unwrap();
    let held = {
        let path = path.clone();
        as_app(FRAME_UID, move || [OFlags::PATH, OFlags::RDONLY].map(|flags| opened(&path, flags).unwrap()))
    };
    let renamed = world.shared("Download/a.bin");
    editor.rename(&path, &renamed).unwrap();
    assert!(frame.read(file, 0, LENGTH).unwrap() == expected);
    let map = Job::MapRead { file, offset: 0, length: LENGTH, private: true };
    assert!(frame.job_bytes(map).unwrap() == expected);
    assert_eq!(frame.open(&renamed, libc::O_RDONLY).unwrap_err().0, libc::EACCES);
    as_app(FRAME_UID, move || {
        for held in held {
            let seen = fs::read(format!("/proc/self/fd/{}", held.as_raw_fd()));
            assert!(seen.is_err() || seen.is_ok_and(|data| !tells(&data)));
        }
    });
    assert!(editor.read_all(&renamed).unwrap() == located);
    // And back.
    editor.rename(&renamed, &path).unwrap();
    assert!(frame.read_all(&path).unwrap() == expected);
}

#[test]
fn a_picture_that_takes_the_place_of_another_is_redacted_at_once() {
    let world = world();
    let (mut frame, mut editor) = (world.app(FRAME), world.app(EDITOR));
    let path = world.shared("DCIM/a.jpg");
    let mut held = None;
    for round in 0..20 {
        let new = picture(round, round % 2 == 0, LENGTH);
        let beside = world.shared("Download/new.bin");
        editor.create(&beside, &new).unwrap();
        editor.rename(&beside, &path).unwrap();
        let seen = frame.read_all(&path).unwrap();
        assert!(seen == redacted(&new), "round {round}");
        if let Some((file, expected)) = held.replace((frame.open(&path, libc::O_RDONLY).unwrap(), seen)) {
            assert!(
                frame.read(file, 0, LENGTH).unwrap() == expected,
                "round {round}: what is open stays as it is"
            );
            frame.close(file);
        }
    }
}
