//! Several volumes, several users, attached and detached while apps work.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use mediagate::config::VolumeKindConfig;
use mediagate_tests::{World, as_app, become_app};

use crate::{CAMERA, OTHER, errno, mounted, packages, world};

const USER_10: u32 = 10 * 100_000;

#[test]
fn each_user_has_a_tree_of_his_own() {
    let mut world = World::new(&packages());
    world.config.volumes[0].users = vec![0, 10];
    world.start();
    let mount = world.config.volumes[0].mount.clone();
    for (uid, own, others) in [(CAMERA, "0", "10"), (USER_10 + CAMERA, "10", "0")] {
        let mount = mount.clone();
        as_app(uid, move || {
            fs::write(mount.join(own).join("DCIM/a.jpg"), own).unwrap();
            assert_eq!(fs::read(mount.join(own).join("DCIM/a.jpg")).unwrap(), own.as_bytes());
            for path in
                [mount.join(others), mount.join(others).join("DCIM"), mount.join(others).join("DCIM/a.jpg")]
            {
                assert_eq!(errno(fs::metadata(&path)), libc::EACCES, "{}", path.display());
                assert_eq!(errno(fs::read(&path)), libc::EACCES, "{}", path.display());
                assert_eq!(errno(fs::File::create(&path)), libc::EACCES, "{}", path.display());
            }
            let into = mount.join(others).join("DCIM/b.jpg");
            assert!(fs::rename(mount.join(own).join("DCIM/a.jpg"), into).is_err());
            // A user that the volume does not serve.
            assert!(fs::metadata(mount.join("11")).is_err());
            assert!(fs::create_dir(mount.join("11")).is_err());
            assert!(fs::read_dir(&mount).is_err());
        });
    }
    for (user, content) in [("0", "0"), ("10", "10")] {
        let path = world.config.volumes[0].lower.join(user).join("DCIM/a.jpg");
        assert_eq!(fs::read_to_string(path).unwrap(), content);
    }
    // Root sees both, and neither makes nor finds another.
    let mut users: Vec<_> = fs::read_dir(&mount).unwrap().map(|it| it.unwrap().file_name()).collect();
    users.sort();
    assert_eq!(users, ["0", "10"]);
    assert!(fs::create_dir(mount.join("11")).is_err());
    assert!(fs::write(mount.join("11"), b"").is_err());
    assert!(fs::write(mount.join("file"), b"").is_err());
    assert_eq!(fs::read_dir(&world.config.volumes[0].lower).unwrap().count(), 2);
}

#[test]
fn default_directories_are_made_once() {
    let mut world = world();
    let count = |world: &World| fs::read_dir(world.lower("")).unwrap().count();
    assert_eq!(count(&world), 12);
    fs::remove_dir(world.lower("Podcasts")).unwrap();
    world.start();
    assert_eq!(count(&world), 11, "what somebody removed stays removed");
    // For a user who comes later they are made then.
    world.config.volumes[0].users = vec![0, 10];
    world.start();
    assert_eq!(fs::read_dir(world.config.volumes[0].lower.join("10")).unwrap().count(), 12);
    assert_eq!(count(&world), 11);
}

/// One tree for everybody, with the same rules in it.
#[test]
fn a_public_volume_is_every_users() {
    let mut world = World::new(&packages());
    let card = world.add_volume("card", VolumeKindConfig::Public);
    let lower = world.config.volumes[1].lower.clone();
    fs::create_dir_all(lower.join("DCIM")).unwrap();
    world.start();
    assert_eq!(fs::read_dir(&lower).unwrap().count(), 1, "no default directories on a card");
    let path = card.join("DCIM/a.jpg");
    as_app(CAMERA, {
        let (path, card) = (path.clone(), card.clone());
        move || {
            fs::write(path, b"pixels").unwrap();
            assert_eq!(errno(fs::write(card.join("a.jpg"), b"")), libc::EPERM);
            fs::create_dir_all(card.join("Android/data/com.example.camera")).unwrap_or_default();
        }
    });
    for uid in [OTHER, USER_10 + OTHER] {
        let path = path.clone();
        as_app(uid, move || {
            assert_eq!(fs::read(&path).unwrap(), b"pixels");
            assert_eq!(errno(fs::File::options().write(true).open(&path)), libc::EACCES);
        });
    }
    // Private directories are private here too.
    let private = lower.join("Android/data/com.example.camera");
    fs::create_dir_all(&private).unwrap();
    fs::write(private.join("secret"), b"secret").unwrap();
    // The kernel may still believe that there is no Android directory.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let secret = card.join("Android/data/com.example.camera/secret");
    for (uid, sees) in [(CAMERA, true), (USER_10 + CAMERA, true), (OTHER, false), (USER_10 + OTHER, false)] {
        let secret = secret.clone();
        let read = as_app(uid, move || fs::read(secret).map_err(|error| error.raw_os_error().unwrap()));
        assert_eq!(read, if sees { Ok(b"secret".to_vec()) } else { Err(libc::ENOENT) }, "uid {uid}");
    }
    // The two volumes are two file systems.
    let home = world.shared("DCIM/b.jpg");
    as_app(CAMERA, move || assert_eq!(errno(fs::rename(&path, home)), libc::EXDEV));
}

/// A mount point that the world does not know of; nothing stays mounted there, however the test ends.
struct Cleared(std::path::PathBuf);

impl Drop for Cleared {
    fn drop(&mut self) {
        let _ = nix::mount::umount2(&self.0, nix::mount::MntFlags::MNT_DETACH);
    }
}

#[test]
fn volumes_come_and_go_while_apps_work() {
    let mut world = world();
    let (lower, mount) = (world.path("card-lower"), world.path("card"));
    let _cleared = Cleared(mount.clone());
    fs::create_dir_all(lower.join("DCIM")).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let (own, card, stopping) = (world.shared("DCIM"), mount.join("DCIM"), Arc::clone(&stop));
    let busy = std::thread::spawn(move || {
        become_app(CAMERA);
        let (mut there, mut round) = (0, 0_u64);
        while !stopping.load(Relaxed) {
            // The volume that stays works all the time; the other one works or is not there.
            fs::write(own.join("a.jpg"), round.to_string()).unwrap();
            assert_eq!(fs::read_to_string(own.join("a.jpg")).unwrap(), round.to_string());
            if fs::write(card.join("a.jpg"), round.to_string()).is_ok() {
                there += 1;
            }
            round += 1;
        }
        there
    });
    let at = |path: &std::path::Path| path.display().to_string();
    let (lower_at, mount_at) = (at(&lower), at(&mount));
    let attach = ["volume", "attach", "card", "--kind", "public", "--lower", &lower_at, "--mount", &mount_at];
    for _ in 0..8 {
        world.daemon().cli(&attach);
        assert!(mounted(&mount).is_some());
        assert_eq!(world.daemon().stat("volumes"), 2);
        std::thread::sleep(std::time::Duration::from_millis(30));
        world.daemon().cli(&["volume", "detach", "card"]);
        assert!(mounted(&mount).is_none());
        assert_eq!(world.daemon().stat("volumes"), 1);
    }
    stop.store(true, Relaxed);
    assert!(busy.join().unwrap() > 0, "the app never met the volume");

    // Twice, or over another one, is refused; what is not there cannot go.
    world.daemon().cli(&attach);
    assert_eq!(world.daemon().try_cli(&attach).status.code(), Some(1));
    let mut nested = attach;
    let inside = at(&mount.join("DCIM"));
    (nested[2], nested[8]) = ("other", &inside);
    assert_eq!(world.daemon().try_cli(&nested).status.code(), Some(2), "as in a configuration");
    assert_eq!(world.daemon().try_cli(&["volume", "detach", "none"]).status.code(), Some(1));
    // With a file open: it goes all the same, and its user keeps what he has until he closes it.
    let path = mount.join("DCIM/a.jpg");
    let held = as_app(CAMERA, move || {
        fs::write(&path, b"pixels").unwrap();
        fs::File::open(path).unwrap()
    });
    let gone = world.daemon().try_cli(&["volume", "detach", "card"]);
    assert!(gone.status.success());
    assert!(mounted(&mount).is_none());
    assert_eq!(std::io::read_to_string(&held).unwrap(), "pixels");
    drop(held);
    world.daemon().cli(&attach);
    assert_eq!(fs::read(mount.join("DCIM/a.jpg")).unwrap(), b"pixels");
    world.daemon().cli(&["volume", "detach", "card"]);
    assert_eq!(world.daemon().stat("fuse.panics"), 0);
}
