//! The index says what the lower tree says, whatever raced and whatever happened while nobody watched.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mediagate_tests::index::{rows, says_what_is_there};
use mediagate_tests::{Job, Package, World, as_app};
use nix::sys::signal::Signal;

const CAMERA: u32 = 10101;
const MANAGER: u32 = 10102;
/// May nothing.
const OTHER: u32 = 10103;

fn packages() -> [Package; 3] {
    [
        Package::new("com.example.camera", CAMERA),
        Package::new("com.example.other", OTHER),
        Package::new("com.example.files", MANAGER).app_op("MANAGE_EXTERNAL_STORAGE", "allow"),
    ]
}

/// RELEASE comes after `close` has returned, so what the app does next overtakes it.
#[test]
fn a_file_that_goes_while_it_is_released_leaves_no_row() {
    let mut world = World::started(&packages());
    world.daemon().wait_until_indexed();
    std::thread::scope(|scope| {
        for app in 0..2 {
            let at = |name: &str| world.shared(format!("Download/{name}-{app}"));
            let (gone, temporary, saved) = (at("gone"), at("temporary"), at("saved"));
            scope.spawn(move || {
                as_app(CAMERA, move || {
                    for round in 0..1500_u32 {
                        // Another name each time, or the next round would mend what the one before has left.
                        let name = |path: &Path, number| format!("{}-{number}", path.display());
                        std::fs::write(name(&gone, round), b"x").unwrap();
                        std::fs::remove_file(name(&gone, round)).unwrap();
                        std::fs::write(name(&temporary, round), b"xyz").unwrap();
                        std::fs::rename(name(&temporary, round), name(&saved, round % 7)).unwrap();
                    }
                });
            });
        }
    });
    // The last RELEASE may be on its way.
    std::thread::sleep(Duration::from_millis(300));
    says_what_is_there(&mut world);
}

/// A file that was found behind the mount is indexed by the first who opens it, while another one moves it.
#[test]
fn a_file_that_goes_while_it_is_first_opened_leaves_no_row() {
    let mut world = World::started(&packages());
    world.daemon().wait_until_indexed();
    std::fs::create_dir(world.lower("Download/came")).unwrap();
    std::fs::create_dir(world.lower("Download/kept")).unwrap();
    const COUNT: usize = 1500;
    for n in 0..COUNT {
        std::fs::write(world.lower(format!("Download/came/{n}")), b"x").unwrap();
    }
    let (came, kept) = (world.shared("Download/came"), world.shared("Download/kept"));
    std::thread::scope(|scope| {
        let from = came.clone();
        scope.spawn(move || {
            as_app(MANAGER, move || {
                for n in 0..COUNT {
                    // It may be gone by then.
                    let _ = std::fs::File::open(from.join(n.to_string()));
                }
            });
        });
        scope.spawn(move || {
            as_app(MANAGER, move || {
                for n in 0..COUNT {
                    let (from, to) = (came.join(n.to_string()), kept.join(n.to_string()));
                    if n % 2 == 0 {
                        std::fs::rename(from, to).unwrap();
                    } else {
                        std::fs::remove_file(from).unwrap();
                    }
                }
            });
        });
    });
    says_what_is_there(&mut world);
}

/// The media type that the index has of each path.
fn media_types(world: &mut World, paths: &[&str]) -> Vec<u8> {
    let rows = rows(world);
    paths
        .iter()
        .map(|path| rows.get(*path).unwrap_or_else(|| panic!("{path} has no row")).media_type)
        .collect()
}

#[test]
fn what_is_hidden_for_its_own_reasons_stays_hidden() {
    let mut world = World::started(&packages());
    let paths =
        ["Download/W/c.jpg", "Download/W/.secret/a.jpg", "Download/W/sub/b.jpg", "Download/W/sub/x/d.jpg"];
    let all: Vec<PathBuf> = paths.iter().map(|path| world.shared(path)).collect();
    let (above, below) = (world.shared("Download/W/.nomedia"), world.shared("Download/W/sub/.nomedia"));
    let (first, second) = (above.clone(), below.clone());
    as_app(MANAGER, move || {
        for path in &all {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        }
        std::fs::write(first, b"").unwrap();
        std::fs::write(second, b"").unwrap();
        for path in &all {
            std::fs::write(path, b"x").unwrap();
        }
    });
    assert_eq!(media_types(&mut world, &paths), [0; 4]);
    world.start();
    as_app(MANAGER, move || std::fs::remove_file(above).unwrap());
    assert_eq!(media_types(&mut world, &paths), [1, 0, 0, 0]);
    world.start();
    as_app(MANAGER, move || std::fs::remove_file(below).unwrap());
    assert_eq!(media_types(&mut world, &paths), [1, 0, 1, 1]);
}

#[test]
fn what_happened_behind_the_mount_while_nobody_watched_is_found_at_the_next_start() {
    let mut world = World::started(&packages());
    let dir = world.shared("Download");
    as_app(CAMERA, move || {
        std::fs::create_dir_all(dir.join("old/inner")).unwrap();
        std::fs::create_dir(dir.join("older")).unwrap();
        for name in ["gone.txt", "changed.txt", "stays.txt", "old/a.txt", "old/inner/b.txt", "older/c.txt"] {
            std::fs::write(dir.join(name), b"x").unwrap();
        }
    });
    says_what_is_there(&mut world);
    std::fs::remove_file(world.lower("Download/gone.txt")).unwrap();
    std::fs::remove_dir_all(world.lower("Download/old")).unwrap();
    std::fs::rename(world.lower("Download/older"), world.lower("Download/newer")).unwrap();
    std::fs::write(world.lower("Download/changed.txt"), b"longer").unwrap();
    std::fs::write(world.lower("Download/new.txt"), b"new").unwrap();
    world.start();
    world.daemon().wait_until_indexed();
    says_what_is_there(&mut world);
}

/// Ten thousand files in one directory: prints what a filtered listing and bringing the index up to date cost.
#[test]
#[ignore = "measures"]
fn the_cost_of_many_files() {
    const COUNT: usize = 10_000;
    let mut world = World::started(&packages());
    let dir = world.shared("Download/many");
    let job = Job::CreateMany {
        dir: std::os::unix::ffi::OsStringExt::into_vec(dir.clone().into_os_string()),
        prefix: "letter".into(),
        suffix: ".txt".into(),
        count: COUNT,
    };
    let mut camera = world.app("com.example.camera");
    camera.mkdir(&dir).unwrap();
    camera.job(job).unwrap();
    for start in 0..2 {
        if start > 0 {
            world.daemon().stop(Signal::SIGTERM);
            let begin = Instant::now();
            world.start();
            let ready = begin.elapsed();
            world.daemon().wait_until_indexed();
            eprintln!("ready after {ready:?}, indexed after {:?}", begin.elapsed());
        }
        for (who, uid, expected) in
            [("owner", CAMERA, COUNT), ("manager", MANAGER, COUNT), ("other", OTHER, 0)]
        {
            for what in ["readdirplus", "names"] {
                let dir = dir.clone();
                let (took, count) = as_app(uid, move || {
                    let begin = Instant::now();
                    let count = match what {
                        "names" => std::fs::read_dir(&dir).unwrap().count(),
                        _ => std::fs::read_dir(&dir)
                            .unwrap()
                            .filter(|it| it.as_ref().unwrap().metadata().is_ok())
                            .count(),
                    };
                    (begin.elapsed(), count)
                });
                assert_eq!(count, expected);
                eprintln!("start {start}: {who} {what}: {took:?}");
            }
        }
    }
}
