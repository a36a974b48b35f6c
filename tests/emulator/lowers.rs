//! ext4 and f2fs as a device has them: names that compare without case, and quotas of projects.

use std::path::{Path, PathBuf};
use std::process::Command;

use mediagate_tests::{Actor, Job, Package, World};

use crate::{places, quota};

const OWNER: &str = "com.example.owner";
const STRANGER: &str = "com.example.stranger";
/// Mounted by `guest/suite`.
const PLACES: [&str; 2] = ["/data", "/emulator/f2fs"];

/// A world whose lower directory is a new one there, with casefolding and a project of its own.
fn on(place: &str, project: u32) -> (World, tempfile::TempDir) {
    let dir = tempfile::tempdir_in(place).unwrap();
    let project = project.to_string();
    for arguments in [&["+F"][..], &["-p", &project, "+P"]] {
        let done = Command::new("chattr").args(arguments).arg(dir.path()).status().unwrap();
        assert!(done.success(), "chattr {arguments:?} on {place}");
    }
    let mut world = World::new(&[Package::new(OWNER, 10_121), Package::new(STRANGER, 10_122)]);
    world.config.volumes[0].lower = dir.path().to_owned();
    world.config.volumes[0].cache_seconds = Some(-1);
    world.start();
    (world, dir)
}

fn at(world: &World, name: &str) -> PathBuf {
    world.shared(format!("Download/{name}"))
}

fn served_by_the_daemon(world: &mut World) -> [i64; 5] {
    world.daemon().numbers([
        "fuse.requests.read",
        "fuse.requests.write",
        "fuse.bytes.read",
        "fuse.bytes.written",
        "open.daemon",
    ])
}

#[test]
#[ignore = "needs casefolding file systems: tests/emulator/run"]
fn every_spelling_is_the_file_and_goes_by_the_daemon() {
    for place in places(PLACES) {
        let (mut world, _dir) = on(place, 71);
        let (mut owner, mut stranger) = (world.app(OWNER), world.app(STRANGER));
        let before = served_by_the_daemon(&mut world);
        let data: Vec<u8> = (0..1_u32 << 12).flat_map(u32::to_le_bytes).collect();
        owner.create(at(&world, "Mixed Case Ä.bin"), &data).unwrap();
        let ino = owner.stat(at(&world, "Mixed Case Ä.bin")).unwrap().ino;
        for spelling in ["Mixed Case Ä.bin", "MIXED case ä.BIN", "mixed case Ä.bin"] {
            let path = at(&world, spelling);
            assert_eq!(owner.stat(&path).unwrap().ino, ino, "{place}: {spelling}");
            assert!(owner.read_all(&path).unwrap() == data, "{place}: {spelling}");
            assert_eq!(stranger.can_read(&path).unwrap_err().0, libc::EACCES, "{place}: {spelling}");
            assert_eq!(owner.create(&path, b"").unwrap_err().0, libc::EEXIST, "{place}: {spelling}");
        }
        assert!(owner.read_all(world.shared("DOWNLOAD/mixed case ä.bin")).unwrap() == data);
        assert_eq!(owner.list(at(&world, "")).unwrap(), ["Mixed Case Ä.bin"], "{place}");
        assert_eq!(served_by_the_daemon(&mut world), before, "{place}");

        owner.rename(at(&world, "MIXED CASE Ä.BIN"), at(&world, "Other.bin")).unwrap();
        assert_eq!(owner.list(at(&world, "")).unwrap(), ["Other.bin"], "{place}");
        assert!(owner.can_read(at(&world, "mixed case ä.bin")).is_err());
        assert!(stranger.can_read(at(&world, "OTHER.BIN")).is_err());
        owner.unlink(at(&world, "oTHER.bin")).unwrap();
        assert!(owner.can_read(at(&world, "Other.bin")).is_err());
        assert_eq!(owner.list(at(&world, "")).unwrap(), [""; 0], "{place}");
    }
}

#[test]
#[ignore = "needs casefolding file systems: tests/emulator/run"]
fn an_owner_is_known_by_any_spelling_after_the_catalog_is_lost() {
    for place in places(PLACES) {
        let (mut world, _dir) = on(place, 72);
        world.app(OWNER).create(at(&world, "Mine.bin"), b"mine").unwrap();
        world.daemon().stop(nix::sys::signal::Signal::SIGTERM);
        std::fs::remove_dir_all(&world.config.service.state_dir).unwrap();
        world.start();
        let (mut owner, mut stranger) = (world.app(OWNER), world.app(STRANGER));
        assert!(stranger.can_read(world.shared("download/MINE.bin")).is_err(), "{place}");
        assert_eq!(owner.read_all(world.shared("download/mine.BIN")).unwrap(), b"mine", "{place}");
    }
}

#[test]
#[ignore = "needs project quotas: tests/emulator/run"]
fn a_projects_quota_holds_for_what_goes_by_the_daemon() {
    const LIMIT: u64 = 2 << 20;
    for place in places(PLACES) {
        let (mut world, _dir) = on(place, 73);
        quota::limit(Path::new(place), 73, LIMIT);
        let mut owner = world.app(OWNER);
        let path = at(&world, "big.bin");
        let before = served_by_the_daemon(&mut world);
        let error = fill(&mut owner, &path, 2 * LIMIT);
        assert_eq!(error, Some(libc::EDQUOT), "{place}");
        assert!(std::fs::metadata(world.lower("Download/big.bin")).unwrap().len() <= LIMIT, "{place}");
        assert_eq!(served_by_the_daemon(&mut world), before, "{place}");
        owner.unlink(&path).unwrap();
        assert_eq!(fill(&mut owner, &path, LIMIT / 4), None, "{place}: what was removed counts no more");
    }
}

/// Writes that many bytes; the errno that it ended with.
fn fill(app: &mut Actor, path: &Path, length: u64) -> Option<i32> {
    let file = app.open(path, libc::O_CREAT | libc::O_WRONLY).unwrap();
    let filled = app.job_bytes(Job::Fill { file, seed: 7, length });
    app.close(file);
    filled.err().map(|error| error.0)
}
