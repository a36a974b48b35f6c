//! What comes of the binds when something of theirs goes.

use std::fs;
use std::io::Write as _;

use mediagate_tests::{Package, World, as_app};
use nix::sys::signal::Signal;

use super::*;

fn bound(world: &mut World) -> (Process, std::path::PathBuf) {
    let game = Process::private(world, GAME_UID);
    let file = world.shared(format!("Android/data/{GAME}/file"));
    let path = file.clone();
    game.run(move || fs::write(path, "x").unwrap());
    (game, file)
}

fn is_mounted(world: &World) -> bool {
    !mounts_in(world).is_empty()
}

#[test]
fn a_volume_that_goes_leaves_the_app_what_it_has() {
    let mut world = world();
    let (game, file) = bound(&mut world);
    world.daemon().cli(&["volume", "detach", "external_primary"]);
    assert!(!is_mounted(&world));
    game.run(move || {
        assert_eq!(fs::read(&file).unwrap(), b"x");
        fs::OpenOptions::new().append(true).open(&file).unwrap().write_all(b"y").unwrap();
    });
    assert_eq!(fs::read(world.lower(format!("Android/data/{GAME}/file"))).unwrap(), b"xy");
    assert!(world.daemon().stop(Signal::SIGTERM).success());
    drop(game);
    assert!(!is_mounted(&world));
}

/// As with systemd: what the service unmounts is unmounted in the app's namespace, too, as far as nothing is on it.
#[test]
fn a_volume_that_goes_from_shared_mounts_does_so_as_well() {
    let shared = Shared::new();
    let mut world = shared.world();
    for process in [Process::new(), Process::sharing()] {
        process.bind(&mut world, GAME_UID).unwrap();
        let file = world.shared(format!("Android/data/{GAME}/file"));
        process.run({
            let file = file.clone();
            move || {
                become_app(GAME_UID);
                fs::write(file, "x").unwrap();
            }
        });
        world.daemon().cli(&["volume", "detach", "external_primary"]);
        assert_eq!(shared.mounts().len(), 1, "{:?}", shared.mounts());
        process.run(move || {
            // Either it stays with what is on it, or it went as a whole; nobody waits for an answer.
            let _ = fs::read(file);
        });
        assert!(world.daemon().stop(Signal::SIGTERM).success());
        world.start();
    }
    assert!(world.daemon().stop(Signal::SIGTERM).success());
    assert_eq!(shared.mounts().len(), 1);
}

#[test]
fn a_service_that_ends_does_not_wait_for_apps_and_can_begin_anew() {
    let mut world = world();
    let (game, file) = bound(&mut world);
    assert!(world.daemon().stop(Signal::SIGTERM).success());
    assert!(!is_mounted(&world), "{:?}", mounts());
    world.start();
    let again = Process::private(&mut world, GAME_UID);
    assert_eq!(again.run(move || fs::read(file).unwrap()), b"x");
    drop((game, again));
    assert!(world.daemon().stop(Signal::SIGTERM).success());
    assert!(!is_mounted(&world));
}

#[test]
fn a_package_that_goes_keeps_what_its_process_has() {
    let mut world = world();
    let (game, file) = bound(&mut world);
    world.daemon().cli(&["package", "remove", GAME]);
    assert_eq!(game.run(move || fs::read(file).unwrap()), b"x", "as it is with files that are open");
    let process = Process::new();
    assert!(process.bind(&mut world, GAME_UID).is_err());
}

/// Where apps of several users come to one mount the kernel asks for the user's directory each time, and who is refused there takes
/// away what is mounted below (fs/dcache.c, d_invalidate): what was bound is found through the mount from then on.
#[test]
fn a_visitor_from_another_user_costs_speed_and_nothing_else() {
    let mut world = World::new(&[
        Package::new(GAME, GAME_UID).users(&[0, 10]),
        Package::new(OTHER, OTHER_UID).users(&[0, 10]),
    ]);
    world.config.volumes[0].users = vec![0, 10];
    world.start();
    let (game, file) = bound(&mut world);
    let visited = world.shared("DCIM");
    as_app(10 * PER_USER + OTHER_UID, move || assert!(fs::metadata(visited).is_err()));
    let theirs = world.shared(format!("Android/data/{OTHER}"));
    game.run({
        let file = file.clone();
        move || {
            assert_eq!(fs::read(&file).unwrap(), b"x");
            fs::OpenOptions::new().append(true).open(&file).unwrap().write_all(b"y").unwrap();
            assert!(fs::read_dir(theirs).is_err());
        }
    });
    assert_eq!(fs::read(world.lower(format!("Android/data/{GAME}/file"))).unwrap(), b"xy");
    // Asked again, it is there again.
    let again = Process::private(&mut world, GAME_UID);
    assert_eq!(again.run(move || fs::read(file).unwrap()), b"xy");
}
