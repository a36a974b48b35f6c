//! What a process has whose directories are bound.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use mediagate_tests::{Package, World, as_app};

use super::*;

#[test]
fn an_app_works_on_its_own_directories_without_a_request() {
    let mut world = world();
    for dir in ["data", "obb"] {
        fs::create_dir_all(world.shared(format!("Android/{dir}"))).unwrap();
        // What was made through the mount before is there, and the app's.
        let old = world.shared(format!("Android/{dir}/{GAME}/sub"));
        as_app(GAME_UID, move || {
            fs::create_dir_all(&old).unwrap();
            fs::write(old.join("old"), "before").unwrap();
        });
    }
    let game = Process::private(&mut world, GAME_UID);
    let places = ["data", "obb"].map(|dir| world.shared(format!("Android/{dir}/{GAME}")));
    let dirs = places.clone();
    // The walk there is known to the kernel from now on.
    game.run(move || dirs.iter().for_each(|dir| assert!(dir.is_dir())));
    let before = world.daemon().requests();
    game.run(move || {
        for dir in places {
            assert_eq!(fs::read(dir.join("sub/old")).unwrap(), b"before");
            fs::write(dir.join("sub/old"), "after").unwrap();
            fs::create_dir(dir.join("files")).unwrap();
            for number in 0..20 {
                let path = dir.join(format!("files/{number}"));
                fs::write(&path, "new").unwrap();
                fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b" and more").unwrap();
                assert_eq!(fs::metadata(&path).unwrap().len(), 12);
                assert_eq!(errno(fs::metadata(dir.join("files/none"))), libc::ENOENT);
            }
            fs::rename(dir.join("files/1"), dir.join("sub/renamed")).unwrap();
            fs::remove_file(dir.join("files/2")).unwrap();
            assert_eq!(fs::read_dir(dir.join("files")).unwrap().count(), 18);
            fs::set_permissions(dir.join("files/3"), fs::Permissions::from_mode(0o600)).unwrap();
        }
    });
    assert_eq!(world.daemon().requests(), before);
    for dir in ["data", "obb"] {
        let lower = world.lower(format!("Android/{dir}/{GAME}"));
        assert_eq!(fs::read(lower.join("sub/old")).unwrap(), b"after");
        assert_eq!(fs::read(lower.join("sub/renamed")).unwrap(), b"new and more");
        for path in [".", "sub", "sub/old", "files/4"] {
            assert_eq!(fs::metadata(lower.join(path)).unwrap().uid(), GAME_UID, "{path}");
        }
        // The group stays that of the volume.
        assert_eq!(fs::metadata(lower.join("sub/old")).unwrap().gid(), 0);
    }
    // Who works through the mount has the same files, as they are now.
    let through = world.shared(format!("Android/data/{GAME}/sub/renamed"));
    as_app(GAME_UID, move || assert_eq!(fs::read(through).unwrap(), b"new and more"));
}

#[test]
fn other_packages_are_absent_and_everything_else_is_as_it_was() {
    let mut world = world();
    let theirs = world.shared(format!("Android/data/{OTHER}"));
    let secret = theirs.join("secret");
    fs::create_dir_all(world.shared("Android/data")).unwrap();
    as_app(OTHER_UID, {
        let (theirs, secret) = (theirs.clone(), secret.clone());
        move || {
            fs::create_dir_all(theirs).unwrap();
            fs::write(secret, "x").unwrap();
        }
    });
    let host = mounts_in(&world);
    let game = Process::private(&mut world, GAME_UID);
    assert_eq!(mounts_in(&world), host, "the mounts of everybody");
    let data = world.shared("Android/data");
    game.run({
        let data = data.clone();
        move || {
            assert_eq!(errno(fs::metadata(&theirs)), libc::ENOENT);
            assert_eq!(errno(fs::read(&secret)), libc::ENOENT);
            // As through the mount, it is not for an app to list.
            assert_eq!(errno(fs::read_dir(&data)), libc::EACCES);
        }
    });
    // Nor is there anything to see for one that may.
    let root = Process::new();
    root.bind(&mut world, GAME_UID).unwrap();
    let listed =
        root.run(move || fs::read_dir(data).unwrap().map(|it| it.unwrap().file_name()).collect::<Vec<_>>());
    assert_eq!(listed, [GAME]);

    let before = world.daemon().stat("fuse.requests.create");
    let photo = world.shared("DCIM/photo.jpg");
    let media = world.shared(format!("Android/media/{GAME}"));
    game.run(move || {
        fs::write(&photo, "pixels").unwrap();
        fs::create_dir_all(&media).unwrap();
        fs::write(media.join("a.jpg"), "pixels").unwrap();
        assert_eq!(fs::read(&photo).unwrap(), b"pixels");
    });
    assert_eq!(world.daemon().stat("fuse.requests.create"), before + 2, "the rest goes through the mount");
    assert_eq!(fs::read(world.lower("DCIM/photo.jpg")).unwrap(), b"pixels");
    drop((game, root));
    assert_eq!(mounts_in(&world), host);
}

#[test]
fn an_app_can_neither_undo_it_nor_make_more_of_it() {
    let mut world = world();
    let game = Process::private(&mut world, GAME_UID);
    let data = world.shared("Android/data");
    let (lines, own) = (game.mounts(&world), data.join(GAME));
    let of_ours: Vec<&String> = lines.iter().filter(|it| it.contains("/Android/")).collect();
    assert_eq!(of_ours.len(), 4, "{of_ours:?}");
    for line in of_ours {
        let options = line.split(' ').nth(5).unwrap();
        for option in ["nosuid", "nodev", "noexec", "noatime"] {
            assert!(options.split(',').any(|it| it == option), "{option}: {line}");
        }
        assert!(!line.contains("shared:"), "{line}");
        assert_eq!(line.contains(" - tmpfs "), options.starts_with("ro"), "{line}");
    }
    game.run(move || {
        for at in [&own, &data] {
            assert_eq!(
                nix::mount::umount2(at, nix::mount::MntFlags::MNT_DETACH),
                Err(nix::errno::Errno::EPERM)
            );
        }
        for at in [data.join("new"), data.join(OTHER)] {
            assert_eq!(errno(fs::write(&at, "x")), libc::EROFS);
            assert_eq!(errno(fs::create_dir(&at)), libc::EROFS);
        }
        assert!(fs::remove_dir(&own).is_err());
        let script = own.join("script");
        fs::write(&script, "#!/bin/sh\nexit 0\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(errno(std::process::Command::new(&script).status()), libc::EACCES);
    });
}

/// As MTP and the shell do, which work through the mount.
#[test]
fn what_others_make_through_the_mount_is_the_apps_to_use() {
    let mut world = world();
    let game = Process::private(&mut world, GAME_UID);
    let dir = world.shared(format!("Android/data/{GAME}"));
    let made = dir.join("made/deep");
    for uid in [SHELL_UID, 0] {
        let made = made.clone();
        as_app(uid, move || {
            fs::create_dir_all(&made).unwrap();
            fs::write(made.join(format!("by-{uid}")), "given").unwrap();
        });
    }
    game.run(move || {
        for uid in [SHELL_UID, 0] {
            let file = made.join(format!("by-{uid}"));
            assert_eq!(fs::read(&file).unwrap(), b"given", "{uid}");
            fs::OpenOptions::new().append(true).open(&file).unwrap().write_all(b"!").unwrap();
        }
        fs::write(made.join("mine"), "x").unwrap();
        fs::remove_file(made.join("by-0")).unwrap();
    });
    // And the other way round.
    as_app(SHELL_UID, {
        let mine = dir.join("made/deep/mine");
        move || assert_eq!(fs::read(mine).unwrap(), b"x")
    });
}

#[test]
fn a_shared_uid_has_all_its_packages_and_another_user_its_own() {
    let mut pair =
        ["com.example.one", "com.example.two"].map(|name| Package::new(name, 10110).users(&[0, 10]));
    pair.iter_mut().for_each(|it| it.0.shared_uid = true);
    let mut world = World::new(&pair);
    world.config.volumes[0].users = vec![0, 10];
    world.start();
    let mount = world.config.volumes[0].mount.clone();
    for user in [0, 10] {
        let process = Process::private(&mut world, user * PER_USER + 10110);
        let android = mount.join(user.to_string()).join("Android");
        process.run(move || {
            for name in ["com.example.one", "com.example.two"] {
                for dir in ["data", "obb"] {
                    fs::write(android.join(dir).join(name).join("whose"), user.to_string()).unwrap();
                }
            }
        });
    }
    for user in ["0", "10"] {
        for name in ["com.example.one", "com.example.two"] {
            let file = world.config.volumes[0].lower.join(user).join("Android/obb").join(name).join("whose");
            assert_eq!(fs::read_to_string(&file).unwrap(), user);
            assert_eq!(fs::metadata(&file).unwrap().uid(), user.parse::<u32>().unwrap() * PER_USER + 10110);
        }
    }
}

/// Even where whoever unshared the namespace forgot to say so.
#[test]
fn nobody_else_hears_of_what_is_mounted() {
    let shared = Shared::new();
    let mut world = shared.world();
    let host = shared.mounts();
    assert!(host.iter().all(|line| line.contains(" shared:")) && host.len() == 2, "{host:?}");
    let process = Process::sharing();
    // Where the volume is mounted twice, the two hear of each other.
    let (volume, twice) = (world.config.volumes[0].mount.clone(), world.path("twice"));
    fs::create_dir(&twice).unwrap();
    process.run({
        let twice = twice.clone();
        move || mount(Some(&volume), &twice, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap()
    });
    process.bind(&mut world, GAME_UID).unwrap();
    assert_eq!(world.daemon().stat("private.bound"), 1);
    assert_eq!(shared.mounts(), host);
    let file = world.shared(format!("Android/data/{GAME}/file"));
    process.run(move || {
        become_app(GAME_UID);
        assert_eq!(mounts().iter().filter(|it| it.contains("/Android/")).count(), 8);
        fs::write(file, "x").unwrap();
        fs::write(twice.join("0/Android/obb").join(GAME).join("file"), "x").unwrap();
    });
    assert!(world.lower(format!("Android/data/{GAME}/file")).is_file());
    drop(process);
    assert_eq!(shared.mounts(), host);
}

/// An installer works on everybody's `Android/obb`.
#[test]
fn an_installer_keeps_the_obb_of_others() {
    let store = Package::new("com.example.store", 10120)
        .permissions(&["INSTALL_PACKAGES", "REQUEST_INSTALL_PACKAGES"])
        .app_op("REQUEST_INSTALL_PACKAGES", "allow");
    let mut world = World::started(&[Package::new(GAME, GAME_UID), store]);
    let store = Process::private(&mut world, 10120);
    let (obb, data) =
        (world.shared(format!("Android/obb/{GAME}")), world.shared(format!("Android/data/{GAME}")));
    let own = world.shared("Android/data/com.example.store/x");
    store.run(move || {
        fs::create_dir_all(&obb).unwrap();
        fs::write(obb.join("main.obb"), "x").unwrap();
        assert_eq!(errno(fs::metadata(data)), libc::ENOENT);
        fs::write(own, "x").unwrap();
    });
    let game = Process::private(&mut world, GAME_UID);
    let obb = world.shared(format!("Android/obb/{GAME}/main.obb"));
    assert_eq!(game.run(move || fs::read(obb).unwrap()), b"x");
}

/// zygote binds what vold mounted to another place.
#[test]
fn the_volume_is_found_wherever_it_is_mounted() {
    let mut world = world();
    let (mnt, user) = (world.path("storage"), world.path("self"));
    fs::create_dir(&mnt).unwrap();
    fs::create_dir(&user).unwrap();
    let process = Process::new();
    let volume = world.config.volumes[0].mount.clone();
    process.run({
        let (mnt, user) = (mnt.clone(), user.clone());
        move || {
            let none = None::<&str>;
            mount(Some(&volume), &mnt, none, MsFlags::MS_BIND, none).unwrap();
            mount(Some(&volume.join("0")), &user, none, MsFlags::MS_BIND, none).unwrap();
        }
    });
    process.bind(&mut world, GAME_UID).unwrap();
    let places = [world.shared("Android"), mnt.join("0/Android"), user.join("Android")];
    process.run(move || {
        become_app(GAME_UID);
        for (number, place) in places.iter().enumerate() {
            fs::write(place.join("obb").join(GAME).join(number.to_string()), "x").unwrap();
            assert_eq!(errno(fs::metadata(place.join("data").join(OTHER))), libc::ENOENT);
        }
    });
    let lower = world.lower(format!("Android/obb/{GAME}"));
    assert!((0..3).all(|number| fs::metadata(lower.join(number.to_string())).unwrap().uid() == GAME_UID));
}

#[test]
fn run_as_has_it_with_a_flag() {
    let mut world = world();
    let file = world.shared(format!("Android/data/{GAME}/by-command"));
    let theirs = world.shared(format!("Android/data/{OTHER}"));
    fs::create_dir_all(&theirs).unwrap();
    let host = mounts_in(&world);
    let script = format!(
        "echo x > {} && test ! -e {} && test \"$(id -u)\" = {GAME_UID} && exit 42",
        file.display(),
        theirs.display()
    );
    let run = ["run-as", "--private", GAME, "--", "sh", "-c", &script];
    let output = world.daemon().try_cli(&run);
    assert_eq!(output.status.code(), Some(42), "{}", String::from_utf8_lossy(&output.stderr));
    let lower = world.lower(format!("Android/data/{GAME}/by-command"));
    assert_eq!(fs::metadata(lower).unwrap().uid(), GAME_UID);
    let script = format!("test -e {}", theirs.display());
    let plain = world.daemon().try_cli(&["run-as", GAME, "--", "sh", "-c", &script]);
    assert!(plain.status.success(), "without the flag it sees the names that everybody sees");
    assert_eq!(mounts_in(&world), host);
}
