//! Everything that changes a file's bytes: after each step another process sees through the mount what the lower file is,
//! at once.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mediagate_tests::{Actor, Job, World};

use super::{apps, world};

const KEEP_SIZE: u32 = libc::FALLOC_FL_KEEP_SIZE.cast_unsigned();
const PUNCH: u32 = KEEP_SIZE | libc::FALLOC_FL_PUNCH_HOLE.cast_unsigned();
/// What an attribute notice may take: it is sent beside the answer to the OPEN, never within it.
const NOTICE: Duration = Duration::from_millis(20);

/// What the volume's lower file system and its way of serving can do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Can {
    /// Opens are passed through: a store through a mapping is in the lower file without being synced.
    pub passthrough: bool,
    /// `O_DIRECT`.
    pub direct: bool,
}

struct Watched<'a> {
    world: &'a World,
    reader: Actor,
    name: &'static str,
}

impl Watched<'_> {
    fn shared(&self) -> PathBuf {
        self.world.shared(self.name)
    }

    /// The reader's `stat` and bytes are the lower file's.
    #[track_caller]
    fn same(&mut self, step: &str) {
        let shown = self.reader.stat(self.shared()).unwrap();
        let lower = std::fs::metadata(self.world.lower(self.name)).unwrap();
        let mtime = (lower.mtime(), lower.mtime_nsec().cast_unsigned());
        assert_eq!((shown.size, shown.mtime), (lower.len(), mtime), "{}: stat after {step}", self.name);
        let bytes = self.reader.read_all(self.shared()).unwrap();
        let lower = std::fs::read(self.world.lower(self.name)).unwrap();
        assert!(bytes == lower, "{}: bytes after {step}", self.name);
    }

    /// The lower file holds this.
    #[track_caller]
    fn holds(&mut self, step: &str, expected: &[u8]) {
        assert!(std::fs::read(self.world.lower(self.name)).unwrap() == expected, "{}: {step}", self.name);
        self.same(step);
    }
}

/// Tries it all.
pub(crate) fn exercise(world: &World, can: Can) {
    let (mut app, reader) = apps(world);
    let mut watched = Watched { world, reader, name: "Download/bytes.bin" };
    let file = app.open(watched.shared(), libc::O_CREAT | libc::O_EXCL | libc::O_RDWR).unwrap();
    let mut model = vec![0; 3 * 4096 + 100];
    model.iter_mut().enumerate().for_each(|(n, byte)| *byte = n as u8);
    writes(&mut app, &mut watched, file, &mut model);
    mappings(&mut app, &mut watched, file, &mut model, can);
    sizes(&mut app, &mut watched, file, &mut model);
    if can.direct {
        let direct = watched.reader.open(watched.shared(), libc::O_RDONLY | libc::O_DIRECT).unwrap();
        let read = Job::ReadAligned { file: direct, offset: 4096, length: 4096 };
        assert_eq!(watched.reader.job_bytes(read).unwrap(), model[4096..8192]);
        watched.reader.close(direct);
    }
    copies(&mut app, world, file, &model);
    app.close(file);
    watched.same("close");
    // Opened again by its path, both ways.
    app.can_write(watched.shared()).unwrap();
    app.open(watched.shared(), libc::O_WRONLY | libc::O_TRUNC).unwrap();
    watched.holds("O_TRUNC", b"");
    app.unlink(watched.shared()).unwrap();
}

fn writes(app: &mut Actor, watched: &mut Watched<'_>, file: u64, model: &mut Vec<u8>) {
    watched.holds("create", b"");
    app.write(file, Some(0), model).unwrap();
    watched.holds("pwrite", model);
    app.write(file, Some(5000), b"in the middle").unwrap();
    model[5000..5013].copy_from_slice(b"in the middle");
    watched.holds("pwrite in the middle", model);
    model.resize(40_000, 0);
    model.extend_from_slice(b"beyond a hole");
    app.write(file, Some(40_000), b"beyond a hole").unwrap();
    watched.holds("pwrite beyond a hole", model);
}

fn mappings(app: &mut Actor, watched: &mut Watched<'_>, file: u64, model: &mut [u8], can: Can) {
    app.job(Job::MapWrite { file, offset: 4090, data: b"mapped and synced".to_vec(), sync: true }).unwrap();
    model[4090..4107].copy_from_slice(b"mapped and synced");
    watched.holds("a store and msync", model);
    if can.passthrough {
        app.job(Job::MapWrite { file, offset: 8190, data: b"mapped".to_vec(), sync: false }).unwrap();
        model[8190..8196].copy_from_slice(b"mapped");
        watched.holds("a store", model);
    }
    let other = watched.reader.open(watched.shared(), libc::O_RDONLY).unwrap();
    for private in [true, false] {
        let map = Job::MapRead { file: other, offset: 0, length: model.len(), private };
        assert!(watched.reader.job_bytes(map).unwrap() == model, "private={private}");
    }
    watched.reader.close(other);
}

fn sizes(app: &mut Actor, watched: &mut Watched<'_>, file: u64, model: &mut Vec<u8>) {
    for size in [10_000, 50_000, 20_000] {
        app.job(Job::Truncate { file, size: size as u64 }).unwrap();
        model.resize(size, 0);
        watched.holds("ftruncate", model);
    }
    app.act(&mediagate_tests::actor::Ask::Truncate {
        path: std::os::unix::ffi::OsStrExt::as_bytes(watched.shared().as_os_str()).to_vec(),
        size: 24_000,
    })
    .unwrap();
    model.resize(24_000, 0);
    watched.holds("truncate", model);
    app.job(Job::Allocate { file, mode: 0, offset: 20_000, length: 10_000 }).unwrap();
    model.resize(30_000, 0);
    watched.holds("fallocate", model);
    app.job(Job::Allocate { file, mode: KEEP_SIZE, offset: 0, length: 1 << 20 }).unwrap();
    watched.holds("fallocate that keeps the size", model);
    app.job(Job::Allocate { file, mode: PUNCH, offset: 4096, length: 8192 }).unwrap();
    model[4096..12_288].fill(0);
    watched.holds("a punched hole", model);
    let lower = std::fs::File::open(watched.world.lower(watched.name)).unwrap();
    for data in [true, false] {
        for offset in [0, 5000, 12_288, 29_999] {
            let to =
                if data { rustix::fs::SeekFrom::Data(offset) } else { rustix::fs::SeekFrom::Hole(offset) };
            let expected = rustix::fs::seek(&lower, to).map_err(|e| mediagate_tests::Errno(e.raw_os_error()));
            assert_eq!(app.job_number(Job::Seek { file, offset, data }), expected, "{data} {offset}");
        }
    }
    let past = Job::Seek { file, offset: 1 << 30, data: true };
    assert_eq!(app.job_number(past).unwrap_err().0, libc::ENXIO);
    app.job(Job::Sync { file }).unwrap();
    watched.holds("fsync", model);
}

/// Copies inside the kernel, from one file of the volume to another.
fn copies(app: &mut Actor, world: &World, file: u64, model: &[u8]) {
    let mut watched = Watched { world, reader: apps(world).1, name: "Download/copy.bin" };
    let copy = app.open(watched.shared(), libc::O_CREAT | libc::O_EXCL | libc::O_RDWR).unwrap();
    let length = model.len();
    let whole = Job::CopyRange { from: file, from_offset: 0, to: copy, to_offset: 0, length };
    assert_eq!(app.job_number(whole).unwrap(), length as u64);
    watched.holds("copy_file_range", model);
    let some =
        Job::CopyRange { from: file, from_offset: 100, to: copy, to_offset: length as u64, length: 1000 };
    assert_eq!(app.job_number(some).unwrap(), 1000);
    let mut expected = [model, &model[100..1100]].concat();
    watched.holds("copy_file_range to the end", &expected);
    app.close(copy);

    for (name, how) in [("sendfile", 0), ("splice", 1)] {
        // Both move the files' own positions: fresh ones.
        let from = app.open(world.shared("Download/bytes.bin"), libc::O_RDONLY).unwrap();
        let to = app.open(watched.shared(), libc::O_WRONLY | libc::O_TRUNC).unwrap();
        let job = match how {
            0 => Job::SendFile { from, to, length },
            _ => Job::Splice { from, to, length },
        };
        assert_eq!(app.job_number(job).unwrap(), length as u64, "{name}");
        expected.truncate(length);
        watched.holds(name, &expected);
        app.close(from);
        app.close(to);
    }
    app.unlink(watched.shared()).unwrap();
}

#[test]
fn every_way_to_change_a_file_is_seen_at_once() {
    let mut world = world();
    world.start();
    exercise(&world, Can { passthrough: true, direct: true });
    assert_eq!(world.daemon().stat("open.daemon"), 0);
    assert_eq!(world.daemon().stat("fuse.bytes.read"), 0);
    assert_eq!(world.daemon().stat("fuse.bytes.written"), 0);
}

#[test]
fn without_passthrough_everything_is_the_same() {
    let mut world = world();
    world.config.volumes[0].passthrough = false;
    world.start();
    exercise(&world, Can { passthrough: false, direct: true });
    assert_eq!(world.daemon().stat("open.passthrough"), 0);
    assert!(world.daemon().stat("open.daemon.passthrough_off") > 0);
    assert!(world.daemon().stat("fuse.bytes.read") > 0);
}

#[test]
fn two_processes_that_append_lose_nothing() {
    const TIMES: usize = 2000;
    for passthrough in [true, false] {
        let mut world = world();
        world.config.volumes[0].passthrough = passthrough;
        world.start();
        let (mut first, mut second) = apps(&world);
        let log = world.shared("Download/log.txt");
        first.create(&log, b"").unwrap();
        std::thread::scope(|scope| {
            for (app, byte) in [(&mut first, b'a'), (&mut second, b'b')] {
                let log = &log;
                scope.spawn(move || {
                    let file = app.open(log, libc::O_WRONLY | libc::O_APPEND).unwrap();
                    app.job(Job::Append { file, data: vec![byte; 31], times: TIMES }).unwrap();
                    app.close(file);
                });
            }
        });
        let lower = std::fs::read(world.lower("Download/log.txt")).unwrap();
        assert_eq!(lower.len(), 2 * TIMES * 31, "passthrough={passthrough}");
        assert!(
            lower.chunks(31).all(|record| record.iter().all(|byte| *byte == record[0])),
            "records are whole"
        );
        assert!(first.read_all(&log).unwrap() == lower);
        assert_eq!(second.stat(&log).unwrap().size, lower.len() as u64);
    }
}

/// Pages of the kernel's cache come with an offset, whatever the handle that they are written back with.
#[test]
fn a_store_through_a_mapping_of_a_handle_that_appends_stays_where_it_was_made() {
    for passthrough in [true, false] {
        let mut world = world();
        world.config.volumes[0].passthrough = passthrough;
        world.start();
        let (mut app, mut reader) = apps(&world);
        let path = world.shared("Download/both.bin");
        app.create(&path, &[b'.'; 5000]).unwrap();
        let file = app.open(&path, libc::O_RDWR | libc::O_APPEND).unwrap();
        app.job(Job::MapWrite { file, offset: 10, data: b"here".to_vec(), sync: true }).unwrap();
        app.write(file, None, b"there").unwrap();
        let mut expected = vec![b'.'; 5000];
        expected[10..14].copy_from_slice(b"here");
        expected.extend_from_slice(b"there");
        assert!(
            std::fs::read(world.lower("Download/both.bin")).unwrap() == expected,
            "passthrough={passthrough}"
        );
        assert!(reader.read_all(&path).unwrap() == expected, "passthrough={passthrough}");
    }
}

#[test]
fn a_store_into_an_existing_file_is_seen_within_milliseconds_and_from_then_on_at_once() {
    let mut world = world();
    world.start();
    let (mut app, reader) = apps(&world);
    let mut watched = Watched { world: &world, reader, name: "Download/old.bin" };
    app.create(watched.shared(), &[1; 8192]).unwrap();
    for round in 0..50_u8 {
        let before = watched.reader.stat(watched.shared()).unwrap();
        let file = app.open(watched.shared(), libc::O_RDWR).unwrap();
        app.job(Job::MapWrite { file, offset: 0, data: vec![round; 4096], sync: false }).unwrap();
        let begin = Instant::now();
        while watched.reader.stat(watched.shared()).unwrap().mtime == before.mtime {
            assert!(begin.elapsed() < NOTICE, "round {round}: the store is not seen");
        }
        watched.same("a first store");
        app.job(Job::MapWrite { file, offset: 4096, data: vec![round; 4096], sync: round % 2 == 0 }).unwrap();
        watched.same("a second store");
        app.close(file);
        watched.same("close");
    }
}

#[test]
fn attributes_are_the_last_ones_after_a_writer_of_mappings_has_left() {
    let mut world = world();
    world.start();
    let (mut app, mut reader) = apps(&world);
    let path = world.shared("Download/raced.bin");
    app.create(&path, &[0; 4096]).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Somebody who asks all the time, so that answers and the writer's last close cross.
        let mut asking = world.app(super::READER);
        let (path, stop) = (&path, &stop);
        scope.spawn(move || {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                asking.stat(path).unwrap();
            }
        });
        let mut stale = None;
        for round in 0..400_u32 {
            let file = app.open(path, libc::O_RDWR).unwrap();
            app.job(Job::MapWrite { file, offset: 0, data: round.to_le_bytes().to_vec(), sync: false })
                .unwrap();
            app.close(file);
            // RELEASE and the notice that follows it are asynchronous; an answer that stays wrong is found for as long as
            // the kernel may keep attributes.
            let begin = Instant::now();
            stale = loop {
                std::thread::sleep(Duration::from_millis(3));
                let lower = std::fs::metadata(world.lower("Download/raced.bin")).unwrap();
                let shown = reader.stat(path).unwrap().mtime;
                if shown == (lower.mtime(), lower.mtime_nsec().cast_unsigned()) {
                    break None;
                }
                if begin.elapsed() > Duration::from_millis(400) {
                    break Some((round, shown, lower.mtime(), lower.mtime_nsec()));
                }
            };
            if stale.is_some() {
                break;
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(stale, None, "round, shown, lower");
    });
}
