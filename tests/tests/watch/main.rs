//! What is changed behind the mount is seen through it, and by the index, within a second, whichever way the lower tree
//! is watched, though the kernel keeps what it knows for ever.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod coming;
mod cost;
mod hushed;
mod life;
mod lost;
mod moving;
mod own;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use mediagate::config::WatchConfig;
use mediagate_tests::index::says_what_is_there;
use mediagate_tests::{Actor, Package, World};

const CAMERA: &str = "com.example.camera";
const FILES: &str = "com.example.files";

/// Within that much it must be seen: the contract.
const A_SECOND: Duration = Duration::from_secs(1);
/// Longer than a second, to see that nothing has been forgotten by itself.
const LONGER: Duration = Duration::from_millis(1300);

fn packages() -> [Package; 2] {
    [Package::new(CAMERA, 10101), Package::new(FILES, 10102).app_op("MANAGE_EXTERNAL_STORAGE", "allow")]
}

fn watched(how: WatchConfig) -> World {
    let mut world = World::new(&packages());
    world.config.volumes[0].watch = how;
    world.start();
    world.daemon().wait_until_indexed();
    world
}

/// What watches the first volume.
fn watching(world: &mut World) -> String {
    let volumes: Vec<serde_json::Value> =
        serde_json::from_str(&world.daemon().cli(&["volume", "list", "--json"])).unwrap();
    volumes[0]["watch"].as_str().unwrap().to_owned()
}

/// Runs a test with each way to watch, and compares the index with the lower tree at the end of each.
fn in_each_way(test: impl Fn(&mut World, &mut Actor)) {
    for (how, name) in [(WatchConfig::Fanotify, "fanotify"), (WatchConfig::Inotify, "inotify")] {
        let mut world = watched(how);
        assert_eq!(watching(&mut world), name);
        let mut app = world.app(FILES);
        test(&mut world, &mut app);
        settle(&mut world);
        says_what_is_there(&mut world);
    }
}

/// Waits until the index has heard of what happened.
fn settle(world: &mut World) {
    let begin = Instant::now();
    let mut quiet = 0;
    while quiet < 3 {
        std::thread::sleep(Duration::from_millis(100));
        quiet = if world.daemon().stat("watch.pending") == 0 { quiet + 1 } else { 0 };
        assert!(begin.elapsed() < Duration::from_secs(60), "the index does not come after");
    }
}

/// Waits until it is so.
#[track_caller]
fn soon(what: &str, is_so: impl FnMut() -> bool) {
    within(A_SECOND, what, is_so);
}

/// Waits for what takes the service work for each of thousands of files: a second where the machine has nothing else to do.
#[track_caller]
fn in_time(what: &str, is_so: impl FnMut() -> bool) {
    within(Duration::from_secs(10), what, is_so);
}

#[track_caller]
fn within(time: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < time, "not within {time:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

const ENOENT: i32 = libc::ENOENT;

/// The size that the app sees, or the errno.
fn size(app: &mut Actor, path: impl AsRef<Path>) -> Result<u64, i32> {
    app.stat(path).map(|stat| stat.size).map_err(|errno| errno.0)
}

fn write(path: impl AsRef<Path>, content: &[u8]) {
    fs::write(path, content).unwrap();
}
