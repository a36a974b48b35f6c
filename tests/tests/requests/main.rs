//! What each operation costs: requests to the service, its system calls, its questions to the catalog. These are the same on
//! every machine, so they are gates; what they come to in time is measured by `tests/bench/run`.
//!
//! The whole suite runs with a descriptor limit of 1024, which is what a service that is started by hand gets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod busy_poll;
mod catalog;
mod listing;
mod memory;
mod pictures;
mod plain;
mod syscalls;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mediagate::config::Config;
use mediagate_tests::{Actor, Package, World};
use nix::sys::resource::{Resource, setrlimit};

/// Holds no permission: everything it may do comes from the owner that the catalog and the files tell.
const OWNER: &str = "com.example.owner";
const OWNER_UID: u32 = 10101;
/// May see pictures, but not where they were taken.
const FRAME: &str = "com.example.frame";
/// May see and write everything.
const MANAGER: &str = "com.example.manager";
const MANAGER_UID: u32 = 10103;

/// How often each operation is done: enough that one request too many on a path that is taken now and then shows.
const TIMES: usize = 20;

/// Longest wait for what comes after the call that caused it has returned.
const PATIENCE: Duration = Duration::from_secs(10);

fn world() -> World {
    started(|_| ())
}

/// Started as `configured` says.
fn started(configured: impl FnOnce(&mut Config)) -> World {
    setrlimit(Resource::RLIMIT_NOFILE, 1024, 1024).unwrap();
    let mut world = World::new(&[
        Package::new(OWNER, OWNER_UID),
        Package::new(FRAME, 10102).permissions(&["READ_MEDIA_IMAGES"]),
        Package::new(MANAGER, MANAGER_UID)
            .permissions(&["MANAGE_EXTERNAL_STORAGE"])
            .app_op("MANAGE_EXTERNAL_STORAGE", "allow"),
    ]);
    // As on a machine whose lower tree can be watched, wherever this runs.
    world.config.volumes[0].cache_seconds = Some(-1);
    configured(&mut world.config);
    world.start();
    world.daemon().wait_until_indexed();
    world
}

/// Paths of so many files of a new directory `Download/of-<kind>`.
fn paths(world: &World, dir: &str, kind: &str) -> Vec<PathBuf> {
    (0..TIMES).map(|number| world.shared(format!("Download/{dir}/{number}.{kind}"))).collect()
}

/// Makes a directory as an app, so that the walk to it is known.
fn directory(world: &World, app: &mut Actor, name: &str) {
    app.mkdir(world.shared(format!("Download/{name}"))).unwrap();
    app.stat(world.shared(format!("Download/{name}"))).unwrap();
}

/// Asserts that `work` makes the kernel send exactly these requests, `TIMES` of each that is named.
fn costs(world: &mut World, what: &str, each: &[&str], work: impl FnOnce(&mut World)) {
    let mut expected = BTreeMap::new();
    for name in each {
        *expected.entry((*name).to_owned()).or_insert(0) += TIMES as i64;
    }
    let before = settled(world);
    work(world);
    let begin = Instant::now();
    loop {
        let spent = spent(&before, &settled(world));
        // RELEASE is sent after close(2) has returned.
        if spent == expected {
            return;
        }
        let late = spent.get("release").unwrap_or(&0) < expected.get("release").unwrap_or(&0);
        assert!(late && begin.elapsed() < PATIENCE, "{what}, {TIMES} times: {spent:?}, not {expected:?}");
    }
}

/// The numbers once two looks one after the other see the same.
fn settled(world: &mut World) -> BTreeMap<String, i64> {
    let mut last = world.daemon().requests();
    loop {
        std::thread::sleep(Duration::from_millis(20));
        let now = world.daemon().requests();
        if now == last {
            return now;
        }
        last = now;
    }
}

fn spent(before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>) -> BTreeMap<String, i64> {
    let each = after.iter().map(|(name, count)| (name.clone(), count - before.get(name).unwrap_or(&0)));
    each.filter(|(_, count)| *count != 0).collect()
}

/// Opens each for reading, reads 4 KiB, closes.
fn read_each(app: &mut Actor, paths: &[PathBuf]) {
    for path in paths {
        let file = app.open(path, libc::O_RDONLY).unwrap();
        assert!(!app.read(file, 0, 4096).unwrap().is_empty());
        app.close(file);
    }
}

fn stat_each(app: &mut Actor, paths: &[PathBuf]) {
    for path in paths {
        app.stat(path).unwrap();
    }
}
