//! Bytes that go by the daemon: that they do, that they are right, and that nothing stays behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod budget;
mod exercise;
mod gauges;
mod lowers;
mod names;

use mediagate_tests::{Actor, Job, Package, World};

const WRITER: &str = "com.example.writer";
const READER: &str = "com.example.reader";
const STRANGER: &str = "com.example.stranger";

/// A writer of its own files, a reader of everybody's, and one who may do neither. Caches last for ever: what is shown stale stays stale.
fn world() -> World {
    let reader = Package::new(READER, 10102)
        .permissions(&["MANAGE_EXTERNAL_STORAGE", "READ_MEDIA_VIDEO"])
        .app_op("MANAGE_EXTERNAL_STORAGE", "allow");
    let mut world = World::new(&[Package::new(WRITER, 10101), reader, Package::new(STRANGER, 10103)]);
    world.config.volumes[0].cache_seconds = Some(-1);
    world
}

fn apps(world: &World) -> (Actor, Actor) {
    (world.app(WRITER), world.app(READER))
}

#[test]
fn a_gigabyte_written_by_one_app_and_read_by_another_never_comes_to_the_daemon() {
    const LENGTH: u64 = 1 << 30;
    let mut world = world();
    world.start();
    let (mut writer, mut reader) = apps(&world);
    let film = world.shared("Movies/film.mp4");
    let numbers =
        ["fuse.requests.read", "fuse.requests.write", "fuse.bytes.read", "fuse.bytes.written", "open.daemon"];
    let before = numbers.map(|name| world.daemon().stat(name));
    let passed = world.daemon().stat("open.passthrough");

    let file = writer.open(&film, libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY).unwrap();
    let written = writer.job_bytes(Job::Fill { file, seed: 7, length: LENGTH }).unwrap();
    writer.close(file);
    let file = reader.open(&film, libc::O_RDONLY).unwrap();
    let read = reader.job_bytes(Job::Hash { file, pause_us: 0 }).unwrap();
    reader.close(file);

    assert_eq!(written, read, "the reader's bytes are the writer's");
    assert_eq!(reader.stat(&film).unwrap().size, LENGTH);
    assert_eq!(std::fs::metadata(world.lower("Movies/film.mp4")).unwrap().len(), LENGTH);
    assert_eq!(numbers.map(|name| world.daemon().stat(name)), before, "{numbers:?}");
    assert_eq!(world.daemon().stat("open.passthrough"), passed + 2);
}
