//! What the service remembers of a file that the kernel knows.

use super::*;
use mediagate_tests::as_app;

/// Files of each half: enough that what is allocated for other reasons does not matter.
const DIRECTORIES: usize = 16;
const FILES: usize = 500;

/// Bytes a cached file may take, with its name and its place in the tables. What is aimed for is in `tests/bench/aims.rs`;
/// this holds what was reached.
const MOST: f64 = 330.0;

/// The first half brings everything that is made once: buffers, the database's pages. The second one is measured.
#[test]
fn a_cached_file_takes_little_memory() {
    let mut world = world();
    assert_eq!(world.daemon().stop(nix::sys::signal::Signal::SIGTERM).code(), Some(0));
    let dirs = |half: &str| -> Vec<String> {
        (0..DIRECTORIES).map(|number| format!("Download/{half}-{number}")).collect()
    };
    for dir in dirs("first").into_iter().chain(dirs("second")) {
        let lower = world.lower(dir);
        std::fs::create_dir_all(&lower).unwrap();
        for number in 0..FILES {
            std::fs::File::create_new(lower.join(format!("IMG_20260102_{number:06}.txt"))).unwrap();
        }
    }
    world.start();
    world.daemon().wait_until_indexed();
    let visit = |world: &World, half: &str| {
        let dirs: Vec<PathBuf> = dirs(half).iter().map(|dir| world.shared(dir)).collect();
        as_app(MANAGER_UID, move || {
            for dir in dirs {
                let entries =
                    std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
                assert_eq!(entries.count(), FILES);
            }
        });
    };
    visit(&world, "first");
    let (before, nodes) = (resident(&mut world), world.daemon().stat("nodes"));
    visit(&world, "second");
    let (after, more) = (resident(&mut world), world.daemon().stat("nodes") - nodes);
    assert!(more >= (DIRECTORIES * FILES) as i64, "{more} files are cached, not all of them");
    let each = (after - before) * 1024.0 / more as f64;
    eprintln!("{each:.0} bytes for a cached file");
    assert!(each <= MOST, "{each:.0} bytes for a cached file: {before} KiB were resident, then {after} KiB");
}

/// KiB of the service, once they do not change.
fn resident(world: &mut World) -> f64 {
    let look = |world: &mut World| -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", world.daemon().pid())).unwrap();
        let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    let begin = Instant::now();
    let mut last = look(world);
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let now = look(world);
        if now == last || begin.elapsed() > PATIENCE {
            return now;
        }
        last = now;
    }
}
