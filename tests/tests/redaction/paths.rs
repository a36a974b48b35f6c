//! Every way to the bytes of a located picture, as an app that may not see the location.

use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;

use mediagate_tests::picture::{SECRET, picture, redacted, tells};
use mediagate_tests::{Job, as_app, ring};
use rustix::fs::{Advice, Mode, OFlags, open};
use rustix::io::Errno;

use super::*;

/// Not a multiple of the page.
const LENGTH: usize = 50_001;

struct Scene {
    world: World,
    path: PathBuf,
    expected: Vec<u8>,
}

fn scene() -> Scene {
    let world = world();
    let path = world.shared("DCIM/located.jpg");
    let located = picture(6, true, LENGTH);
    world.app(CAMERA).create(&path, &located).unwrap();
    settle();
    Scene { expected: redacted(&located), world, path }
}

impl Scene {
    /// In a thread that is the app without the right.
    fn as_frame<T: Send + 'static>(&self, work: impl FnOnce(PathBuf, Vec<u8>) -> T + Send + 'static) -> T {
        let (path, expected) = (self.path.clone(), self.expected.clone());
        as_app(FRAME_UID, move || work(path, expected))
    }
}

fn opened(path: &PathBuf, flags: OFlags) -> Result<OwnedFd, Errno> {
    open(path, flags | OFlags::CLOEXEC, Mode::empty())
}

fn reading(path: &PathBuf) -> OwnedFd {
    opened(path, OFlags::RDONLY).unwrap()
}

#[test]
fn reads_of_every_kind_and_at_every_edge() {
    scene().as_frame(|path, expected| {
        let file = reading(&path);
        // Around everything that was hidden, byte by byte, and around the end.
        let first = expected.windows(8).position(|it| it == [0; 8]).unwrap();
        let places = (first.saturating_sub(70)..first + 70).chain(LENGTH - 5..LENGTH + 5);
        for offset in places.chain([4090, 4096, 8191]) {
            for length in [1, 7, 64, 4096, 70_000] {
                let mut data = vec![0xaa; length];
                let n = rustix::io::pread(&file, &mut data[..], offset as u64).unwrap();
                let to = expected.len().min(offset + length);
                assert!(data[..n] == expected[offset.min(to)..to], "{length} at {offset}");
            }
        }
        let (mut one, mut two, mut three) = (vec![0; 3], vec![0; 9000], vec![0; LENGTH]);
        let mut pieces = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two), IoSliceMut::new(&mut three)];
        assert_eq!(rustix::io::preadv(&file, &mut pieces, 0).unwrap(), LENGTH);
        assert!([&one[..], &two, &three].concat()[..LENGTH] == expected);
        let mut pieces = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut three)];
        assert_eq!(rustix::io::readv(&file, &mut pieces).unwrap(), LENGTH);
        assert!([&one[..], &three].concat()[..LENGTH] == expected);
        for flags in [OFlags::NOATIME, OFlags::SYNC, OFlags::NONBLOCK, OFlags::APPEND] {
            // O_NOATIME is for the owner.
            let Ok(file) = opened(&path, flags) else { continue };
            let mut data = vec![0; LENGTH];
            let n = rustix::io::pread(&file, &mut data[..], 0).unwrap();
            assert!(data[..n] == expected, "{flags:?}");
        }
    });
}

#[test]
fn advice_and_readahead_bring_nothing_else_in() {
    scene().as_frame(|path, expected| {
        let file = reading(&path);
        for advice in [Advice::WillNeed, Advice::Sequential, Advice::DontNeed, Advice::NoReuse] {
            rustix::fs::fadvise(&file, 0, None, advice).unwrap();
            let mut data = vec![0; LENGTH];
            assert_eq!(rustix::io::pread(&file, &mut data[..], 0).unwrap(), LENGTH);
            assert!(data == expected, "{advice:?}");
        }
    });
}

#[test]
fn mappings_show_what_reads_show() {
    let scene = scene();
    let mut frame = scene.world.app(FRAME);
    let file = frame.open(&scene.path, libc::O_RDONLY).unwrap();
    for private in [true, false] {
        for (offset, length) in [(0, LENGTH), (1, 4096), (4096, LENGTH - 4096)] {
            let map = Job::MapRead { file, offset: offset as u64, length, private };
            assert!(frame.job_bytes(map).unwrap() == scene.expected[offset..offset + length]);
        }
    }
    assert!(frame.job_bytes(Job::Remap { file, length: LENGTH }).unwrap() == scene.expected);
    let shared = Job::MapWrite { file, offset: 0, data: vec![1; 10], sync: true };
    assert_eq!(frame.job(shared).unwrap_err().0, libc::EACCES);
}

#[test]
fn copies_inside_the_kernel_are_redacted() {
    let scene = scene();
    let mut frame = scene.world.app(FRAME);
    let copy = scene.world.shared("Download/copy");
    for how in 0..3 {
        let to = frame.open(&copy, libc::O_CREAT | libc::O_RDWR | libc::O_TRUNC).unwrap();
        let from = frame.open(&scene.path, libc::O_RDONLY).unwrap();
        let job = match how {
            0 => Job::SendFile { from, to, length: LENGTH },
            1 => Job::Splice { from, to, length: LENGTH },
            _ => Job::CopyRange { from, from_offset: 0, to, to_offset: 0, length: LENGTH },
        };
        assert_eq!(frame.job_number(job).unwrap(), LENGTH as u64);
        assert!(frame.read(to, 0, LENGTH + 1).unwrap() == scene.expected, "{how}");
        assert!(std::fs::read(scene.world.lower("Download/copy")).unwrap() == scene.expected, "{how}");
        frame.close(to);
        frame.close(from);
    }
}

#[test]
fn direct_reads_and_rings_are_redacted() {
    let scene = scene();
    let mut frame = scene.world.app(FRAME);
    let file = frame.open(&scene.path, libc::O_RDONLY | libc::O_DIRECT).unwrap();
    for (offset, length) in [(0, 4096), (0, 65_536), (4096, 8192), (49_152, 4096)] {
        let read = frame.job_bytes(Job::ReadAligned { file, offset, length }).unwrap();
        let end = scene.expected.len().min(offset as usize + length);
        assert!(read == scene.expected[offset as usize..end], "{length} at {offset}");
    }
    scene.as_frame(|path, expected| {
        let file = reading(&path);
        for (offset, length) in [(0, LENGTH), (100, 100), (0, LENGTH * 2)] {
            let read = ring::read(file.as_fd(), offset, length).unwrap();
            let from = offset as usize;
            assert!(read == expected[from..expected.len().min(from + length)], "{length} at {offset}");
        }
    });
}

#[test]
fn a_descriptor_is_reopened_as_what_it_is() {
    scene().as_frame(|path, expected| {
        for first in [OFlags::RDONLY, OFlags::PATH] {
            let file = opened(&path, first).unwrap();
            let link = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
            assert!(std::fs::read(&link).unwrap() == expected, "{first:?}");
            for flags in [
                OFlags::RDWR,
                OFlags::WRONLY,
                OFlags::WRONLY | OFlags::APPEND,
                OFlags::RDONLY | OFlags::TRUNC,
                OFlags::RDWR | OFlags::DIRECT,
            ] {
                assert_eq!(opened(&link, flags).unwrap_err(), Errno::ACCESS, "{first:?} {flags:?}");
            }
        }
        // Without a name at all.
        let file = opened(&path, OFlags::PATH).unwrap();
        let empty = rustix::fs::openat(&file, "", OFlags::RDONLY, Mode::empty());
        assert_eq!(empty.unwrap_err(), Errno::NOENT);
    });
}

#[test]
fn a_file_that_ends_within_its_location_shows_none() {
    let world = world();
    let mut camera = world.app(CAMERA);
    let whole = picture(4, true, 400);
    let begin = whole.windows(3).position(|it| it == SECRET).unwrap();
    for cut in (begin..begin + 140).step_by(3) {
        let path = world.shared(format!("DCIM/{cut}.jpg"));
        camera.create(&path, &whole[..cut]).unwrap();
        settle_short();
        let seen = as_app(FRAME_UID, move || std::fs::read(path));
        // Or it is refused.
        assert!(seen.is_ok_and(|seen| !tells(&seen) && seen.len() == cut) || cut > begin, "{cut}");
    }
}

fn settle_short() {
    std::thread::sleep(Duration::from_millis(60));
}

#[test]
fn holes_are_holes() {
    let world = world();
    let mut located = picture(3, true, 8192);
    located.resize(1 << 20, 0);
    let path = world.shared("DCIM/sparse.jpg");
    let mut camera = world.app(CAMERA);
    camera.create(&path, &located[..8192]).unwrap();
    let file = camera.open(&path, libc::O_RDWR).unwrap();
    camera.job(Job::Truncate { file, size: 1 << 20 }).unwrap();
    camera.close(file);
    settle();
    let expected = redacted(&located);
    as_app(FRAME_UID, move || {
        assert!(std::fs::read(&path).unwrap() == expected);
        let file = reading(&path);
        assert_eq!(rustix::fs::seek(&file, rustix::fs::SeekFrom::Hole(0)).unwrap() % 4096, 0);
        assert_eq!(rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(0)).unwrap(), 0);
    });
}
