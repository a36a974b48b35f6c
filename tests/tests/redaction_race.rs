//! One file, two sets of bytes: who may see where a picture was taken gets the original by passthrough, who may not gets
//! zeros in its place, served by the daemon. Both at once, never mixed, never an error.
//!
//! The service runs inside the test, with a finder of fixed ranges. So the test's own process never touches the mount:
//! only its children do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mediagate::redaction::find::{ReadAt, Unreadable};
use mediagate::redaction::{RangeSource, Ranges};
use mediagate::serve::Service;
use mediagate_tests::{Actor, Job, Package, World};

/// Within a page, over the edge of pages, a whole page, to the end.
const HIDDEN: [(u64, u64); 4] = [(100, 140), (4000, 8200), (12_288, 16_384), (20_000, 20_500)];
const LENGTH: usize = 20_500;

/// Says that every picture tells where it was taken.
#[derive(Debug)]
struct Fixed;

impl RangeSource for Fixed {
    fn may_have_ranges(&self, mime: &str) -> bool {
        mime == "image/jpeg"
    }

    fn find(&self, _file: &dyn ReadAt) -> Result<Ranges, Unreadable> {
        Ok(Ranges::new(HIDDEN))
    }

    fn version(&self) -> u32 {
        1
    }
}

fn original() -> Vec<u8> {
    (0..LENGTH).map(|n| (n % 251) as u8 + 1).collect()
}

fn redacted() -> Vec<u8> {
    let mut bytes = original();
    for (start, end) in HIDDEN {
        bytes[start as usize..end as usize].fill(0);
    }
    bytes
}

struct Running {
    // Stopped before the world's directory goes.
    service: Service,
    world: World,
}

impl Running {
    fn start() -> Running {
        let mut world = World::new(&[
            Package::new("com.example.camera", 10101),
            Package::new("com.example.map", 10102)
                .permissions(&["READ_MEDIA_IMAGES", "ACCESS_MEDIA_LOCATION"]),
            Package::new("com.example.frame", 10103).permissions(&["READ_MEDIA_IMAGES"]),
            Package::new("com.example.editor", 10104)
                .permissions(&["MANAGE_EXTERNAL_STORAGE"])
                .app_op("MANAGE_EXTERNAL_STORAGE", "allow"),
        ]);
        world.config.volumes[0].cache_seconds = Some(-1);
        let service = Service::start_with(world.config.clone(), Arc::new(Fixed)).unwrap();
        Running { service, world }
    }

    fn app(&self, name: &str) -> Actor {
        self.world.app(&format!("com.example.{name}"))
    }

    fn number(&self, name: &str) -> i64 {
        self.service.control().stats().into_iter().find(|stat| stat.name == name).unwrap().value
    }

    fn pictures(&self, count: usize) -> Vec<PathBuf> {
        let mut camera = self.app("camera");
        let paths: Vec<_> = (0..count).map(|n| self.world.shared(format!("DCIM/{n}.jpg"))).collect();
        paths.iter().for_each(|path| camera.create(path, &original()).unwrap());
        paths
    }
}

#[test]
fn each_caller_sees_the_bytes_that_it_may() {
    let running = Running::start();
    let path = &running.pictures(1)[0];
    let [mut camera, mut map, mut frame, mut editor] =
        ["camera", "map", "frame", "editor"].map(|name| running.app(name));
    for round in 0..3 {
        assert!(frame.read_all(path).unwrap() == redacted(), "round {round}");
        assert!(map.read_all(path).unwrap() == original(), "round {round}");
        assert!(camera.read_all(path).unwrap() == original(), "round {round}");
    }
    let (hidden, shown) = (frame.stat(path).unwrap(), map.stat(path).unwrap());
    assert_ne!(hidden.ino, shown.ino);
    assert_eq!((hidden.size, hidden.mtime), (shown.size, shown.mtime));
    assert_eq!(camera.stat(path).unwrap().ino, shown.ino);

    // Held open side by side, the redacted one first and then the original one first.
    for names in [["frame", "map"], ["map", "frame"]] {
        let mut apps = names.map(|name| running.app(name));
        let files: Vec<u64> = apps.iter_mut().map(|app| app.open(path, libc::O_RDONLY).unwrap()).collect();
        for (app, (name, file)) in apps.iter_mut().zip(names.iter().zip(files)) {
            let expected = if *name == "frame" { redacted() } else { original() };
            assert!(app.read(file, 0, LENGTH).unwrap() == expected, "{name}");
            for private in [true, false] {
                let mapped =
                    app.job_bytes(Job::MapRead { file, offset: 0, length: LENGTH, private }).unwrap();
                assert!(mapped == expected, "{name} private={private}");
            }
            // What came out of the redacted view by the ways that copy inside the kernel is redacted, too.
            let copy = running.world.shared(format!("Download/{name}"));
            for how in 0..3 {
                let to = app.open(&copy, libc::O_CREAT | libc::O_RDWR | libc::O_TRUNC).unwrap();
                let from = app.open(path, libc::O_RDONLY).unwrap();
                let job = match how {
                    0 => Job::SendFile { from, to, length: LENGTH },
                    1 => Job::Splice { from, to, length: LENGTH },
                    _ => Job::CopyRange { from, from_offset: 0, to, to_offset: 0, length: LENGTH },
                };
                assert_eq!(app.job_number(job).unwrap(), LENGTH as u64, "{name} {how}");
                assert!(app.read(to, 0, LENGTH + 1).unwrap() == expected, "{name} {how}");
                app.close(to);
                app.close(from);
            }
            app.unlink(&copy).unwrap();
        }
    }
    // An odd piece out of the middle, directly.
    let file = frame.open(path, libc::O_RDONLY | libc::O_DIRECT).unwrap();
    let direct = frame.job_bytes(Job::ReadAligned { file, offset: 4096, length: 8192 }).unwrap();
    assert!(direct == redacted()[4096..12_288]);
    frame.close(file);

    // Whoever may write sees all of it, and what is written is seen by both at once.
    assert_eq!(frame.can_write(path).unwrap_err().0, libc::EACCES);
    let file = editor.open(path, libc::O_RDWR).unwrap();
    assert!(editor.read(file, 0, LENGTH).unwrap() == original());
    let held = frame.open(path, libc::O_RDONLY).unwrap();
    assert!(frame.read(held, 0, LENGTH).unwrap() == redacted());
    editor.write(file, Some(0), &[0xff; 200]).unwrap();
    editor.close(file);
    let mut expected = redacted();
    expected[..200].fill(0xff);
    expected[100..140].fill(0);
    // Through the descriptor that was open before, within the time that a notice takes: first of all, since every walk
    // along the path and every open would bring the view up to date by itself.
    let begin = Instant::now();
    while frame.read(held, 0, LENGTH).unwrap() != expected {
        assert!(begin.elapsed() < Duration::from_millis(50), "the redacted view's cached pages are stale");
    }
    assert!(frame.read_all(path).unwrap() == expected);
    assert_eq!(frame.stat(path).unwrap().mtime, map.stat(path).unwrap().mtime);
    assert_eq!(running.number("open.stale"), 0);
}

#[test]
fn the_redacted_view_follows_a_file_that_grows_and_shrinks() {
    let running = Running::start();
    let path = &running.pictures(1)[0];
    let (mut camera, mut frame) = (running.app("camera"), running.app("frame"));
    let held = frame.open(path, libc::O_RDONLY).unwrap();
    for size in [30_000_u64, 10_000, 20_500] {
        frame.stat_open(held).unwrap();
        let file = camera.open(path, libc::O_RDWR).unwrap();
        camera.job(Job::Truncate { file, size }).unwrap();
        let begin = Instant::now();
        while frame.stat_open(held).unwrap().size != size {
            assert!(begin.elapsed() < Duration::from_millis(50), "the redacted view still has its old size");
        }
        camera.close(file);
        assert_eq!(frame.stat(path).unwrap().size, size);
        assert_eq!(frame.read_all(path).unwrap().len() as u64, size);
    }
}

#[test]
fn processes_of_two_kinds_that_race_see_no_wrong_byte_and_no_error() {
    const SECONDS: u64 = 5;
    let running = Running::start();
    let paths: Vec<Vec<u8>> =
        running.pictures(3).iter().map(|path| path.as_os_str().as_bytes().to_vec()).collect();
    let kinds = [
        ("map", original(), false),
        ("frame", redacted(), false),
        ("map", original(), false),
        ("frame", redacted(), false),
        // The owner, who opens for writing as well.
        ("camera", original(), true),
    ];
    let rounds: Vec<u64> = std::thread::scope(|scope| {
        let racing: Vec<_> = kinds
            .into_iter()
            .map(|(name, expect, write)| {
                let (mut app, paths) = (running.app(name), paths.clone());
                scope.spawn(move || {
                    let race = Job::Race { paths, expect, length: LENGTH, seconds: SECONDS, write };
                    app.job_number(race).unwrap()
                })
            })
            .collect();
        racing.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert!(rounds.iter().all(|rounds| *rounds > 100), "all of them got somewhere: {rounds:?}");
    assert!(running.number("open.daemon.redacted_view") > 100);
    assert!(running.number("open.passthrough") > 100);
    assert_eq!(running.number("open.daemon"), running.number("open.daemon.redacted_view"));
    let begin = Instant::now();
    while running.number("handles.files") != 0 || running.number("backing.files") != 0 {
        assert!(begin.elapsed() < Duration::from_secs(5), "handles are left");
        std::thread::sleep(Duration::from_millis(10));
    }
}
