//! Many files: right owners, and nothing stays behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mediagate_tests::{Job, Package, World};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

const PAINTER: &str = "com.example.painter";
const WRITER: &str = "com.example.writer";
/// May see pictures, and nothing else.
const GALLERY: &str = "com.example.gallery";
const EACH: usize = 5000;

/// What must return to where it began.
const GAUGES: [&str; 5] = ["nodes", "nodes.lookups", "handles.files", "handles.directories", "backing.files"];

fn world() -> World {
    let mut world = World::new(&[
        Package::new(PAINTER, 10101),
        Package::new(WRITER, 10102),
        Package::new(GALLERY, 10103).permissions(&["READ_MEDIA_IMAGES"]),
    ]);
    // A name that is looked up again and again would be counted again and again.
    world.config.volumes[0].cache_seconds = Some(-1);
    world.start();
    world
}

fn gauges(world: &mut World) -> BTreeMap<&'static str, i64> {
    let daemon = world.daemon();
    let levels = GAUGES.into_iter().map(|name| (name, daemon.stat(name)));
    levels.chain([("descriptors", daemon.descriptors())]).collect()
}

/// FORGET and RELEASE come after the call that caused them has returned.
fn wait_until(world: &mut World, expected: &BTreeMap<&'static str, i64>) {
    let begin = Instant::now();
    loop {
        let now = gauges(world);
        if now == *expected {
            return;
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "began with {expected:#?}, left with {now:#?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn dir(world: &World) -> Vec<u8> {
    std::os::unix::ffi::OsStringExt::into_vec(world.shared("Download/load").into_os_string())
}

/// The two apps work in parallel: `(package, prefix, suffix)` each.
fn in_parallel(world: &World, job: impl Fn(&'static str, &'static str) -> Job + Sync) {
    std::thread::scope(|scope| {
        for (package, prefix, suffix) in [(PAINTER, "picture", ".jpg"), (WRITER, "letter", ".txt")] {
            let (mut app, job) = (world.app(package), &job);
            scope.spawn(move || app.job(job(prefix, suffix)).unwrap_or_else(|e| panic!("{package}: {e:?}")));
        }
    });
}

fn names(prefix: &str, suffix: &str, count: usize) -> Vec<String> {
    let mut names: Vec<String> = (0..count).map(|n| format!("{prefix}{n}{suffix}")).collect();
    names.sort();
    names
}

/// Each sees its own, the gallery sees the pictures, and the files say whose they are.
fn all_is_right(world: &World, pictures: &str, letters: &str, count: usize) {
    let (pictures, letters) = (names(pictures, ".jpg", count), names(letters, ".txt", count));
    let place = world.shared("Download/load");
    for (package, expected) in [(PAINTER, &pictures), (WRITER, &letters), (GALLERY, &pictures)] {
        assert!(
            world.app(package).list(&place).unwrap() == *expected,
            "{package} sees what it should not, or less"
        );
    }
    for (package, names) in [(PAINTER, &pictures), (WRITER, &letters)] {
        for name in names {
            let mut owner = [0; 64];
            let path = world.lower("Download/load").join(name);
            let n = rustix::fs::getxattr(&path, "user.mediagate.owner", &mut owner).unwrap();
            assert_eq!(&owner[..n], package.as_bytes(), "{name}");
        }
    }
}

/// Creates, lists, renames, lists, deletes.
fn round(world: &World, count: usize) {
    world.app(PAINTER).mkdir(world.shared("Download/load")).unwrap();
    let place = dir(world);
    let dir = || place.clone();
    in_parallel(world, |prefix, suffix| Job::CreateMany {
        dir: dir(),
        prefix: prefix.into(),
        suffix: suffix.into(),
        count,
    });
    all_is_right(world, "picture", "letter", count);
    in_parallel(world, |prefix, suffix| Job::RenameMany {
        dir: dir(),
        prefix: prefix.into(),
        to: format!("renamed-{prefix}"),
        suffix: suffix.into(),
        count,
    });
    all_is_right(world, "renamed-picture", "renamed-letter", count);
    let mut gallery = world.app(GALLERY);
    let last = format!("Download/load/renamed-picture{}.jpg", count - 1);
    assert_eq!(gallery.read_all(world.shared(last)).unwrap(), format!("picture{}", count - 1).as_bytes());
    in_parallel(world, |prefix, suffix| Job::UnlinkMany {
        dir: dir(),
        prefix: format!("renamed-{prefix}"),
        suffix: suffix.into(),
        count,
    });
    assert_eq!(std::fs::read_dir(world.lower("Download/load")).unwrap().count(), 0);
    world.app(PAINTER).rmdir(world.shared("Download/load")).unwrap();
}

#[test]
fn ten_thousand_files_come_and_go_and_leave_nothing() {
    let mut world = world();
    world.daemon().wait_until_indexed();
    // A small round first, for what is made when it is first needed and then kept.
    round(&world, 200);
    std::thread::sleep(Duration::from_millis(300));
    let before = gauges(&mut world);
    assert_eq!((before["handles.files"], before["handles.directories"], before["backing.files"]), (0, 0, 0));
    round(&world, EACH);
    wait_until(&mut world, &before);
    assert_eq!(world.daemon().stat("catalog.writes_dropped"), 0);
    assert_eq!(world.daemon().stat("catalog.errors"), 0);
    assert_eq!(world.daemon().stat("fuse.panics"), 0);
    assert_eq!(world.daemon().stat("open.daemon"), 0);
}

#[test]
fn two_thousand_files_are_open_at_once() {
    const COUNT: usize = 2000;
    // As a service has it that is started by hand, and that may have as many as this machine allows.
    let most = getrlimit(Resource::RLIMIT_NOFILE).unwrap().1;
    setrlimit(Resource::RLIMIT_NOFILE, most.min(1024), most).unwrap();
    let mut world = world();
    world.app(PAINTER).mkdir(world.shared("Download/load")).unwrap();
    let (dir, prefix, suffix) = (dir(&world), "picture".to_owned(), ".jpg".to_owned());
    let (mut painter, mut gallery) = (world.app(PAINTER), world.app(GALLERY));
    painter
        .job(Job::CreateMany {
            dir: dir.clone(),
            prefix: prefix.clone(),
            suffix: suffix.clone(),
            count: COUNT,
        })
        .unwrap();
    let zero = |world: &mut World| {
        let begin = Instant::now();
        while world.daemon().stat("handles.files") != 0 || world.daemon().stat("backing.files") != 0 {
            assert!(begin.elapsed() < Duration::from_secs(10), "handles are left: {:?}", gauges(world));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    zero(&mut world);
    // A picture's name is kept once its writer has closed it.
    for number in 0..COUNT {
        painter.stat(world.shared(format!("Download/load/picture{number}.jpg"))).unwrap();
    }
    let before = gauges(&mut world);
    let open =
        || Job::OpenMany { dir: dir.clone(), prefix: prefix.clone(), suffix: suffix.clone(), count: COUNT };
    let first = painter.job_number(open()).unwrap();
    let other = gallery.job_number(open()).unwrap();
    let during = gauges(&mut world);
    assert_eq!(during["handles.files"], 2 * COUNT as i64);
    assert_eq!(during["backing.files"], COUNT as i64, "both share them");
    assert_eq!(world.daemon().stat("open.daemon"), 0);
    for n in [0, COUNT / 2, COUNT - 1] {
        let expected = format!("picture{n}");
        assert_eq!(painter.read(first + n as u64, 0, 100).unwrap(), expected.as_bytes());
        assert_eq!(gallery.read(other + n as u64, 0, 100).unwrap(), expected.as_bytes());
    }
    // Both die with everything open.
    drop((painter, gallery));
    zero(&mut world);
    wait_until(&mut world, &before);
}
