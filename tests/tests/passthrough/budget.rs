//! Bounds of backing files: past them the daemon serves, with the right bytes.

use mediagate_tests::{Actor, World};

use super::{apps, world};

fn numbers(world: &mut World, names: &[&str]) -> Vec<i64> {
    names.iter().map(|name| world.daemon().stat(name)).collect()
}

fn file(world: &World, number: usize) -> std::path::PathBuf {
    world.shared(format!("Download/{number}.bin"))
}

fn prepare(world: &World, app: &mut Actor, count: usize) {
    for number in 0..count {
        app.create(file(world, number), format!("file {number}").as_bytes()).unwrap();
    }
}

#[test]
fn past_the_bounds_the_daemon_serves() {
    let mut world = world();
    world.config.service.backing_files.max = 6;
    world.config.service.backing_files.max_per_uid = 4;
    world.start();
    let (mut writer, mut reader) = apps(&world);
    prepare(&world, &mut writer, 10);
    let names = ["open.passthrough", "open.daemon.uid_budget", "open.daemon.total_budget", "backing.files"];
    wait_for_gauge(&mut world, "backing.files", 0);
    let before = numbers(&mut world, &names);

    // Four of the writer's share, two past it; then two of the total for the reader, and two past that.
    let opened: Vec<u64> = (0..6).map(|n| writer.open(file(&world, n), libc::O_RDWR).unwrap()).collect();
    let others: Vec<u64> = (6..10).map(|n| reader.open(file(&world, n), libc::O_RDWR).unwrap()).collect();
    let after = numbers(&mut world, &names);
    let moved: Vec<i64> = before.iter().zip(&after).map(|(before, after)| after - before).collect();
    assert_eq!(moved, [6, 2, 2, 6], "{names:?}");

    for (n, file) in opened.iter().enumerate() {
        assert_eq!(writer.read(*file, 0, 100).unwrap(), format!("file {n}").as_bytes());
        writer.write(*file, Some(0), b"FILE").unwrap();
    }
    for (n, file) in others.iter().enumerate() {
        assert_eq!(reader.read(*file, 0, 100).unwrap(), format!("file {}", n + 6).as_bytes());
    }
    // Joining what is open already, in either way, never mixes the ways.
    for n in 0..10 {
        let expected = if n < 6 { format!("FILE {n}") } else { format!("file {n}") };
        assert_eq!(reader.read_all(file(&world, n)).unwrap(), expected.as_bytes());
        assert_eq!(writer.read_all(file(&world, n)).unwrap(), expected.as_bytes());
    }
    opened.into_iter().for_each(|file| writer.close(file));
    others.into_iter().for_each(|file| reader.close(file));
    wait_for_gauge(&mut world, "backing.files", 0);
    // There is room again.
    let passed = world.daemon().stat("open.passthrough");
    assert_eq!(writer.read_all(file(&world, 5)).unwrap(), b"FILE 5");
    assert_eq!(world.daemon().stat("open.passthrough"), passed + 1);
}

#[test]
fn mixing_ways_at_the_bound_never_fails_an_open() {
    const FILES: usize = 6;
    let mut world = world();
    world.config.service.backing_files.max = 3;
    world.config.service.backing_files.max_per_uid = 2;
    world.start();
    let (mut writer, _) = apps(&world);
    prepare(&world, &mut writer, FILES);
    let bytes = vec![b'x'; 3 * 4096 + 5];
    for n in 0..FILES {
        let file = writer.open(file(&world, n), libc::O_WRONLY | libc::O_TRUNC).unwrap();
        writer.write(file, None, &bytes).unwrap();
        writer.close(file);
    }
    let paths: Vec<Vec<u8>> = (0..FILES)
        .map(|n| std::os::unix::ffi::OsStrExt::as_bytes(file(&world, n).as_os_str()).to_vec())
        .collect();
    std::thread::scope(|scope| {
        for package in [super::WRITER, super::READER, super::WRITER, super::READER] {
            let (mut app, paths, expect) = (world.app(package), paths.clone(), bytes.clone());
            scope.spawn(move || {
                let length = expect.len();
                let race = mediagate_tests::Job::Race { paths, expect, length, seconds: 3, write: true };
                assert!(app.job_number(race).unwrap() > 10);
            });
        }
    });
    assert!(
        world.daemon().stat("open.daemon.uid_budget") + world.daemon().stat("open.daemon.total_budget") > 0
    );
    assert!(world.daemon().stat("open.daemon.inode_in_daemon_mode") > 0);
    assert!(world.daemon().stat("open.passthrough") > 0);
    wait_for_gauge(&mut world, "backing.files", 0);
}

/// RELEASE is asynchronous: the gauge may take a moment.
pub(crate) fn wait_for_gauge(world: &mut World, name: &str, value: i64) {
    let begin = std::time::Instant::now();
    while world.daemon().stat(name) != value {
        assert!(
            begin.elapsed() < std::time::Duration::from_secs(10),
            "{name} is {}",
            world.daemon().stat(name)
        );
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
