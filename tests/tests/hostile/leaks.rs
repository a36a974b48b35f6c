//! An app that opens and never closes.

use std::time::{Duration, Instant};

use mediagate::binder::Client;
use mediagate_tests::World;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::{is_well, world};

const GAUGES: [&str; 3] = ["handles.files", "handles.directories", "backing.files"];
const FILES: u64 = 100;
const OPENS: u64 = 3000;
const DIRS: u64 = 600;

/// Without what is kept for the next one who comes.
fn levels(world: &mut World, client: &Client) -> Vec<i64> {
    client.free_cache().unwrap();
    let daemon = world.daemon();
    GAUGES.iter().map(|gauge| daemon.stat(gauge)).chain([daemon.descriptors()]).collect()
}

#[test]
fn everything_comes_back_when_a_hoarder_is_killed() {
    // The hoarder inherits it.
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    assert!(hard > OPENS + DIRS + 100, "the limit of open files is {hard}: raise it for this test");

    let mut world = world();
    let client = Client::connect(&world.config.service.listen[0]).unwrap();
    let begin = levels(&mut world, &client);
    let mut hoarder = world.app("com.example.camera");
    let dcim = world.shared("DCIM");
    for number in 0..FILES {
        hoarder.create(dcim.join(format!("{number}.jpg")), b"x").unwrap();
    }
    for number in 0..OPENS {
        let flags = if number % 3 == 0 { libc::O_RDWR } else { libc::O_RDONLY };
        hoarder.open(dcim.join(format!("{}.jpg", number % FILES)), flags).unwrap();
    }
    for _ in 0..DIRS {
        hoarder.open(&dcim, libc::O_RDONLY | libc::O_DIRECTORY).unwrap();
    }
    let held = levels(&mut world, &client);
    assert_eq!(held[0] - begin[0], OPENS as i64);
    assert_eq!(held[1] - begin[1], DIRS as i64);
    assert!(held[2] - begin[2] <= FILES as i64, "one backing file for each inode: {held:?}");
    // What one app hoards, another one does not miss.
    let mut other = world.app("com.example.gallery");
    assert_eq!(other.read_all(dcim.join("1.jpg")).unwrap(), b"x");
    drop(hoarder);
    let since = Instant::now();
    while levels(&mut world, &client) != begin {
        let now = levels(&mut world, &client);
        assert!(
            since.elapsed() < Duration::from_secs(20),
            "{GAUGES:?}, descriptors: began at {begin:?}, are at {now:?}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    is_well(&mut world);
}
