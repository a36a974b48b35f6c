//! The service is killed, its catalog is lost or damaged: who reads goes on, and nobody loses what is theirs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mediagate::catalog::{Catalog, FileKey};
use mediagate::observe::Observer;
use mediagate_tests::{Actor, Job, Package, World};
use nix::sys::signal::Signal;

const CAMERA: &str = "com.example.camera";
const NOTES: &str = "com.example.notes";

fn world() -> World {
    World::started(&[Package::new(CAMERA, 10101), Package::new(NOTES, 10102)])
}

fn owner_of(path: PathBuf) -> String {
    let mut value = [0; 256];
    let n = rustix::fs::getxattr(&path, "user.mediagate.owner", &mut value)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    String::from_utf8(value[..n].to_vec()).unwrap()
}

/// The rows of a directory by name, read from the catalog's own file; only while no service runs.
fn rows(world: &World, dir: &str) -> Vec<(String, Option<String>, u64)> {
    let catalog = Catalog::open(&world.config.service.state_dir, Arc::new(Observer::default())).unwrap();
    let volume = catalog.volume("external_primary", "emulated").unwrap();
    let mut rows: Vec<_> = catalog
        .list_dir(volume, 0, dir.as_bytes())
        .unwrap()
        .into_iter()
        .map(|(name, row)| {
            let key = FileKey { volume, user: 0, dir: dir.into(), name: name.clone() };
            assert_eq!(catalog.file(&key).unwrap().as_ref(), Some(&row));
            (String::from_utf8(name).unwrap(), row.owner.map(|owner| owner.to_string()), row.ino)
        })
        .collect();
    catalog.close();
    rows.sort();
    rows
}

/// What each of the two apps sees of its own, and of the other's.
fn own_what_is_theirs(world: &World, dir: &str, expected: &[(&str, &[String])]) {
    for (package, names) in expected {
        let mut app = world.app(package);
        assert_eq!(&app.list(world.shared(dir)).unwrap(), names, "{package}");
        for name in *names {
            assert_eq!(app.read_all(world.shared(dir).join(name)).unwrap(), name.as_bytes(), "{package}");
        }
        for (_, names) in expected.iter().filter(|(other, _)| other != package) {
            for name in *names {
                assert_eq!(
                    app.read_all(world.shared(dir).join(name)).unwrap_err().0,
                    libc::EACCES,
                    "{package} {name}"
                );
            }
        }
    }
}

#[test]
fn a_reader_gets_every_byte_though_the_service_is_killed() {
    const LENGTH: u64 = 1 << 30;
    let mut world = world();
    let (mut camera, mut other) = (world.app(CAMERA), world.app(CAMERA));
    let film = world.shared("Movies/film.mp4");
    let file = camera.open(&film, libc::O_CREAT | libc::O_EXCL | libc::O_RDWR).unwrap();
    let written = camera.job_bytes(Job::Fill { file, seed: 3, length: LENGTH }).unwrap();
    let open = other.open(&film, libc::O_RDONLY).unwrap();
    let (read, killed_at) = std::thread::scope(|scope| {
        // 1024 pieces with a pause after each: the kill comes in the middle.
        let pid = other.pid();
        let reading = scope.spawn(|| other.job_bytes(Job::Hash { file: open, pause_us: 500 }).unwrap());
        while position(pid) < LENGTH / 8 {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(world.daemon().stop(Signal::SIGKILL).code(), None, "killed");
        let killed_at = position(pid);
        (reading.join().unwrap(), killed_at)
    });
    assert!(killed_at < LENGTH, "the kill came in the middle of the read");
    assert_eq!(read, written, "every byte to the end");
    // The writer's descriptor goes on as well; only what needs the service fails.
    assert_eq!(camera.write(file, Some(LENGTH), b"after the end").unwrap(), 13);
    assert_eq!(camera.read(file, LENGTH, 100).unwrap(), b"after the end");
    assert_eq!(camera.stat(&film).unwrap_err().0, libc::ENOTCONN);

    // A new run mounts over what the killed one left, while old descriptors are still open.
    world.start_over();
    assert_eq!(camera.stat(&film).unwrap().size, LENGTH + 13);
    assert_eq!(camera.read(file, LENGTH, 100).unwrap(), b"after the end");
    let again = other.open(&film, libc::O_RDONLY).unwrap();
    assert_eq!(other.read(again, LENGTH, 100).unwrap(), b"after the end");
    assert_eq!(owner_of(world.lower("Movies/film.mp4")), CAMERA);
}

/// How far a process has read in the file that it has open for reading.
fn position(pid: u32) -> u64 {
    let Ok(entries) = std::fs::read_dir(format!("/proc/{pid}/fdinfo")) else { return 0 };
    entries
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok())
        .filter_map(|info| {
            info.lines().find_map(|line| line.strip_prefix("pos:")?.trim().parse::<u64>().ok())
        })
        .max()
        .unwrap_or_default()
}

/// Creates files until the service is gone; says which creates were answered.
fn create_until_killed(app: &mut Actor, dir: PathBuf, prefix: &str) -> Vec<String> {
    let mut answered = Vec::new();
    for number in 0..100_000 {
        let name = format!("{prefix}-{number:05}");
        match app.open(dir.join(&name), libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY) {
            Ok(file) => {
                answered.push(name.clone());
                // The descriptor is the kernel's: this goes on even if the service is gone.
                app.write(file, None, name.as_bytes()).unwrap();
                app.close(file);
            }
            Err(error) => {
                assert!(matches!(error.0, libc::ENOTCONN | libc::ECONNABORTED | libc::EIO), "{error:?}");
                return answered;
            }
        }
    }
    panic!("the service was never killed");
}

#[test]
fn an_answered_create_has_its_owner_and_its_row_after_a_kill() {
    let mut world = world();
    for round in 0..3 {
        let dir = format!("Download/round{round}");
        world.app(CAMERA).mkdir(world.shared(&dir)).unwrap();
        let (mut camera, mut notes) = (world.app(CAMERA), world.app(NOTES));
        let (place, below) = (world.shared(&dir), world.lower(&dir));
        let (photos, texts) = std::thread::scope(|scope| {
            let photos = scope.spawn(|| create_until_killed(&mut camera, place.clone(), "photo"));
            let texts = scope.spawn(|| create_until_killed(&mut notes, place.clone(), "text"));
            let made = |prefix: &str| {
                let entries = std::fs::read_dir(&below).unwrap().map(|entry| entry.unwrap().file_name());
                entries.filter(|name| name.as_bytes().starts_with(prefix.as_bytes())).count()
            };
            let enough = 20 + 37 * round;
            while made("photo") < enough || made("text") < enough {
                std::thread::sleep(Duration::from_millis(1));
            }
            world.daemon().stop(Signal::SIGKILL);
            (photos.join().unwrap(), texts.join().unwrap())
        });
        assert!(photos.len() > 10 && texts.len() > 10, "{} {}", photos.len(), texts.len());
        // While nothing runs that could have seen them already.
        remove_unanswered(&world, &dir, "photo", &photos);
        remove_unanswered(&world, &dir, "text", &texts);
        world.start_over();
        // Before the index is up to date, and after.
        own_what_is_theirs(&world, &dir, &[(CAMERA, &photos[..]), (NOTES, &texts[..])]);
        world.daemon().wait_until_indexed();
        for (package, names) in [(CAMERA, &photos), (NOTES, &texts)] {
            for name in names {
                assert_eq!(owner_of(world.lower(&dir).join(name)), package, "{name}");
            }
        }
        assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
        let rows = rows(&world, &dir);
        for (package, names) in [(CAMERA, &photos), (NOTES, &texts)] {
            for name in names {
                let ino = std::fs::metadata(world.lower(&dir).join(name)).unwrap().ino();
                assert!(rows.contains(&(name.clone(), Some(package.to_owned()), ino)), "{name} has no row");
            }
        }
        let gone: Vec<_> = rows.iter().filter(|(name, ..)| !world.lower(&dir).join(name).exists()).collect();
        assert!(gone.is_empty(), "rows without a file: {gone:?}");
        assert_eq!(rows.len(), std::fs::read_dir(world.lower(&dir)).unwrap().count(), "a row for each");
        world.start_over();
    }
}

/// The create that the kill cut off may or may not have made its file, which is then empty or nobody's: take it away.
fn remove_unanswered(world: &World, dir: &str, prefix: &str, answered: &[String]) {
    for entry in std::fs::read_dir(world.lower(dir)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with(prefix) && !answered.contains(&name) {
            assert_eq!(
                name,
                format!("{prefix}-{:05}", answered.len()),
                "only the last one can be unanswered"
            );
            std::fs::remove_file(world.lower(dir).join(name)).unwrap();
        }
    }
}

fn with_files(world: &World) -> [Vec<String>; 2] {
    let names = |prefix: &str| -> Vec<String> { (0..20).map(|n| format!("{prefix}{n:02}")).collect() };
    let all = [names("photo"), names("text")];
    for (package, names) in [CAMERA, NOTES].into_iter().zip(&all) {
        let mut app = world.app(package);
        for name in names {
            app.create(world.shared("Download").join(name), name.as_bytes()).unwrap();
        }
    }
    all
}

#[test]
fn a_catalog_that_is_gone_takes_no_ownership_with_it() {
    let mut world = world();
    let [photos, texts] = with_files(&world);
    let expected: [(&str, &[String]); 2] = [(CAMERA, &photos), (NOTES, &texts)];
    own_what_is_theirs(&world, "Download", &expected);
    for stop in [Signal::SIGTERM, Signal::SIGKILL] {
        world.daemon().stop(stop);
        std::fs::remove_dir_all(&world.config.service.state_dir).unwrap();
        world.start_over();
        own_what_is_theirs(&world, "Download", &expected);
        world.daemon().wait_until_indexed();
        own_what_is_theirs(&world, "Download", &expected);
    }
}

/// What a crash or a broken disk makes of a database.
type Damage = (&'static str, fn(Vec<u8>) -> Vec<u8>);

#[test]
fn a_damaged_catalog_is_put_aside_and_made_anew() {
    let mut world = world();
    let [photos, texts] = with_files(&world);
    let expected: [(&str, &[String]); 2] = [(CAMERA, &photos), (NOTES, &texts)];
    let state = world.config.service.state_dir.clone();
    let damages: [Damage; 4] = [
        ("garbage", |_| b"this is no database at all, and never was".repeat(200)),
        ("half of it is missing", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("cut off within its first page", |bytes| bytes[..700].to_vec()),
        ("pages of zeros", |mut bytes| {
            let length = bytes.len();
            bytes[4096..length.min(4096 * 8)].fill(0);
            bytes
        }),
    ];
    for (what, damage) in damages {
        world.daemon().stop(Signal::SIGTERM);
        let aside = || {
            let entries = std::fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().file_name());
            entries.filter(|name| name.as_bytes().starts_with(b"catalog.db.corrupt")).collect::<Vec<_>>()
        };
        let before = aside().len();
        for side in ["catalog.db-wal", "catalog.db-shm"] {
            let _ = std::fs::remove_file(state.join(side));
        }
        let bytes = std::fs::read(state.join("catalog.db")).unwrap();
        std::fs::write(state.join("catalog.db"), damage(bytes)).unwrap();
        world.start_over();
        assert!(aside().len() > before, "{what}: nothing was put aside");
        own_what_is_theirs(&world, "Download", &expected);
        world.daemon().wait_until_indexed();
        own_what_is_theirs(&world, "Download", &expected);
    }
}

#[test]
fn a_file_that_was_replaced_while_the_service_was_down_is_the_other_file_in_the_index() {
    let mut world = world();
    let [photos, _] = with_files(&world);
    world.daemon().wait_until_indexed();
    world.daemon().stop(Signal::SIGKILL);
    let lower = |name: &str| world.lower("Download").join(name);
    // Replaced by one that nobody owns, by one that the other app owns, and gone.
    std::fs::write(lower("new"), "by a computer").unwrap();
    std::fs::rename(lower("new"), lower(&photos[0])).unwrap();
    std::fs::rename(lower("text00"), lower(&photos[1])).unwrap();
    std::fs::remove_file(lower(&photos[2])).unwrap();
    world.start_over();
    world.daemon().wait_until_indexed();
    assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
    let rows = rows(&world, "Download");
    let owner = |name: &str| rows.iter().find(|row| row.0 == name).map(|row| row.1.as_deref());
    assert_eq!(owner(&photos[0]), Some(None));
    assert_eq!(owner(&photos[1]), Some(Some(NOTES)));
    assert_eq!(owner(&photos[2]), None);
    assert_eq!(owner("text00"), None);
    assert_eq!(owner(&photos[3]), Some(Some(CAMERA)));
    assert_eq!(rows.len(), std::fs::read_dir(world.lower("Download")).unwrap().count());
}
