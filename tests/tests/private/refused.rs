//! What is refused, and that nothing is left of it.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, symlink};

use mediagate::control::ControlError;
use mediagate_tests::{World, as_app};

use super::*;

fn error(result: Result<(), ClientError>) -> ControlError {
    match result {
        Err(ClientError::Failed(error)) => error,
        other => panic!("expected an error of the service, got {other:?}"),
    }
}

fn client(world: &mut World) -> Client {
    Client::connect(world.daemon().address()).unwrap()
}

#[test]
fn what_is_no_namespace_of_a_process_is_refused() {
    let mut world = world();
    let client = client(&mut world);
    let host = mounts_in(&world);
    for path in
        ["/proc/self/ns/mnt", "/proc/1/ns/mnt", "/proc/self/ns/net", "/dev/null", "/proc/self/status", "/"]
    {
        let file = match File::open(path) {
            // In a container whose first process has more privileges than the tests. Nor can they be led there, then.
            Err(error) if path.starts_with("/proc/1/") => {
                println!("{path}: {error}");
                continue;
            }
            file => file.unwrap(),
        };
        let it = error(client.bind_private_storage(file.into(), GAME_UID));
        assert!(matches!(it, ControlError::Invalid(_)), "{path}: {it}");
    }
    let process = Process::new();
    for uid in [0, 1000, SHELL_UID, 10999, PER_USER + GAME_UID] {
        let it = error(process.bind(&mut world, uid));
        assert!(matches!(it, ControlError::NotFound(_)), "{uid}: {it}");
    }
    // One that does not have the volume.
    let volume = world.config.volumes[0].mount.clone();
    let elsewhere = Process::new();
    elsewhere.run(move || nix::mount::umount2(&volume, nix::mount::MntFlags::MNT_DETACH).unwrap());
    let it = error(elsewhere.bind(&mut world, GAME_UID));
    assert!(matches!(it, ControlError::Invalid(_)), "{it}");
    assert_eq!(mounts_in(&world), host);
}

#[test]
fn an_app_may_not_ask_for_it() {
    let mut world = world();
    let address = world.daemon().address().to_owned();
    let namespace: OwnedFd = File::open("/proc/self/ns/mnt").unwrap().into();
    if std::env::var("MEDIAGATE_TEST_TRANSPORT").as_deref() == Ok("binder") {
        // The uid is that of the process there: service/tests/interface has it.
        return;
    }
    let answer = as_app(GAME_UID, move || {
        Client::connect(&address).unwrap().bind_private_storage(namespace, GAME_UID)
    });
    assert!(matches!(answer, Err(ClientError::Denied(_))), "{answer:?}");
}

#[test]
fn what_is_in_the_place_of_a_directory_is_refused_and_nothing_stays() {
    let mut world = World::new(&[Package::new(GAME, GAME_UID), Package::new(OTHER, OTHER_UID)]);
    let outside = world.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "x").unwrap();
    for dir in ["data", "obb"] {
        fs::create_dir_all(world.lower(format!("Android/{dir}"))).unwrap();
    }
    symlink(&outside, world.lower(format!("Android/obb/{GAME}"))).unwrap();
    fs::write(world.lower(format!("Android/data/{OTHER}")), "a file").unwrap();
    world.start();
    world.daemon().wait_until_indexed();
    for uid in [GAME_UID, OTHER_UID] {
        let process = Process::new();
        let before = process.mounts(&world);
        let it = error(process.bind(&mut world, uid));
        assert!(matches!(it, ControlError::Failed(_)), "{uid}: {it}");
        assert_eq!(process.mounts(&world), before);
    }
    assert_eq!(fs::metadata(&outside).unwrap().uid(), 0);
    assert_eq!(fs::metadata(outside.join("file")).unwrap().uid(), 0);
}

#[test]
fn links_and_files_of_several_names_are_not_given_away() {
    let mut world = world();
    let lower = world.lower(format!("Android/data/{GAME}"));
    let (linked, outside) = (world.lower("DCIM/linked.jpg"), world.path("outside"));
    fs::create_dir_all(lower.join("sub")).unwrap();
    fs::write(&linked, "x").unwrap();
    fs::write(&outside, "x").unwrap();
    fs::hard_link(&linked, lower.join("sub/linked.jpg")).unwrap();
    symlink(&outside, lower.join("sub/link")).unwrap();
    fs::write(lower.join("sub/plain"), "x").unwrap();
    let _game = Process::private(&mut world, GAME_UID);
    for path in [linked, outside, lower.join("sub/link")] {
        assert_eq!(fs::symlink_metadata(&path).unwrap().uid(), 0, "{}", path.display());
    }
    assert_eq!(fs::metadata(lower.join("sub/plain")).unwrap().uid(), GAME_UID);
}

#[test]
fn a_second_call_changes_nothing_and_mends_what_is_missing() {
    let mut world = world();
    let process = Process::new();
    process.bind(&mut world, GAME_UID).unwrap();
    let bound = process.mounts(&world);
    process.bind(&mut world, GAME_UID).unwrap();
    assert_eq!(process.mounts(&world), bound);
    // Another uid is to have another namespace.
    let it = error(process.bind(&mut world, OTHER_UID));
    assert!(matches!(it, ControlError::Invalid(_)), "{it}");
    assert_eq!(process.mounts(&world), bound);

    let (data, own) = (world.shared("Android/data"), world.shared(format!("Android/obb/{GAME}")));
    process.run(move || {
        nix::mount::umount2(&data, nix::mount::MntFlags::MNT_DETACH).unwrap();
        nix::mount::umount2(&own, nix::mount::MntFlags::MNT_DETACH).unwrap();
    });
    process.bind(&mut world, GAME_UID).unwrap();
    let again = process.mounts(&world);
    let places = |lines: &[String]| -> Vec<String> {
        let mut all: Vec<_> = lines.iter().map(|it| it.split(' ').nth(4).unwrap().to_owned()).collect();
        all.sort();
        all
    };
    assert_eq!(places(&again), places(&bound));

    // What others have mounted there is not for the service to take away.
    let process = Process::new();
    let obb = world.shared("Android/obb");
    process.run(move || mount(Some("other"), &obb, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap());
    let before = process.mounts(&world);
    let it = error(process.bind(&mut world, GAME_UID));
    assert!(matches!(it, ControlError::Invalid(_)), "{it}");
    assert_eq!(process.mounts(&world), before, "all or nothing");
}
