//! What hostile apps have tried, and must not succeed with again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use mediagate_tests::{Actor, Errno, Package, World};

const VICTIM: &str = "com.example.victim";
const ATTACKER: &str = "com.example.attacker";

fn world() -> World {
    World::started(&[
        Package::new(VICTIM, 10101),
        Package::new(ATTACKER, 10102),
        Package::new("com.example.reader", 10103).permissions(&["READ_MEDIA_IMAGES"]),
    ])
}

fn refused<T: std::fmt::Debug>(result: Result<T, Errno>, errno: i32) {
    assert_eq!(result.unwrap_err(), Errno(errno));
}

/// A file without a name is decided about where it last was, not where its directory has gone since: an `O_PATH`
/// descriptor, which anybody may have, must not become more than that.
#[test]
fn a_removed_file_does_not_follow_its_directory_to_another_owner() {
    let world = world();
    let (mut victim, mut attacker) = (world.app(VICTIM), world.app(ATTACKER));
    std::fs::create_dir_all(world.lower(format!("Android/media/{ATTACKER}"))).unwrap();
    victim.mkdir(world.shared("Download/tmp")).unwrap();
    let path = world.shared("Download/tmp/private.bin");
    let kept = victim.open(&path, libc::O_CREAT | libc::O_RDWR).unwrap();
    victim.write(kept, Some(0), b"TOP SECRET").unwrap();

    let seen = attacker.open(&path, libc::O_PATH).unwrap();
    victim.unlink(&path).unwrap();
    attacker
        .rename(world.shared("Download/tmp"), world.shared(format!("Android/media/{ATTACKER}/w")))
        .unwrap();

    for flags in [libc::O_RDONLY, libc::O_RDWR] {
        let again = format!("/proc/{}/fd/{}", attacker.pid(), attacker_fd(&attacker, seen));
        refused(attacker.open(again, flags), libc::EACCES);
    }
    assert_eq!(victim.read(kept, 0, 10).unwrap(), b"TOP SECRET");
}

/// The descriptor's number in the actor's process: the highest one that is open there.
fn attacker_fd(actor: &Actor, _file: u64) -> u32 {
    std::fs::read_dir(format!("/proc/{}/fd", actor.pid()))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().unwrap().parse().ok())
        .filter(|fd| *fd > 2)
        .max()
        .unwrap()
}

/// A directory's files are checked one by one before it is renamed; what another app puts into it meanwhile must not be
/// carried off.
#[test]
fn a_directory_is_not_renamed_with_files_that_came_during_the_check() {
    let world = world();
    let mut attacker = world.app(ATTACKER);
    attacker.mkdir(world.shared("Download/D")).unwrap();
    for dir in ["a", "z"] {
        attacker.mkdir(world.shared(format!("Download/D/{dir}"))).unwrap();
    }
    for n in 0..400 {
        attacker.create(world.shared(format!("Download/D/a/{n}.txt")), b"mine").unwrap();
    }
    std::fs::create_dir_all(world.lower(format!("Android/media/{ATTACKER}"))).unwrap();
    let away = world.shared(format!("Android/media/{ATTACKER}/D"));
    let home = world.shared("Download/D");

    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (done, world) = (&done, &world);
        let victim = scope.spawn(move || {
            let mut victim = world.app(VICTIM);
            let mut kept = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let path = world.shared(format!("Download/D/z/{kept}.txt"));
                if victim.create(&path, b"SECRET").is_ok() {
                    // Where it was made it is, for as long as it is there.
                    assert_eq!(victim.read_all(&path).unwrap(), b"SECRET");
                    victim.unlink(&path).unwrap();
                    kept += 1;
                }
            }
            kept
        });
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(4) {
            if attacker.rename(&home, &away).is_ok() {
                assert_eq!(attacker.list(away.join("z")).unwrap(), [""; 0]);
                attacker.rename(&away, &home).unwrap();
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(victim.join().unwrap() > 10, "the victim worked all the while");
    });
}

/// One app's handles are bounded, so that others and the service keep their descriptors.
#[test]
fn an_app_that_opens_without_end_harms_itself_only() {
    let mut world = world();
    let (mut victim, mut attacker) = (world.app(VICTIM), world.app(ATTACKER));
    let photo = world.shared("DCIM/a.jpg");
    victim.create(&photo, b"pixels").unwrap();
    let (own, fresh) = (world.shared("Download/own.txt"), world.shared("Download/fresh.txt"));
    attacker.create(&own, b"text").unwrap();
    // As many as one process may have open; a second one would meet the bound sooner.
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, 20_000, 20_000).unwrap_or(());
    let mut second = world.app(ATTACKER);
    let mut opened = 0;
    for app in [&mut attacker, &mut second] {
        loop {
            match app.open(world.shared("Alarms"), libc::O_RDONLY | libc::O_DIRECTORY) {
                Ok(_) => opened += 1,
                Err(Errno(libc::EMFILE)) => break,
                Err(other) => panic!("after {opened}: {other:?}"),
            }
        }
    }
    assert!(world.daemon().stat("handles.directories") <= 57_344, "one uid's share");
    // An open that is refused for it has done nothing yet.
    refused(second.open(&fresh, libc::O_WRONLY | libc::O_CREAT), libc::EMFILE);
    refused(second.open(&own, libc::O_WRONLY | libc::O_TRUNC), libc::EMFILE);
    refused(second.stat(&fresh), libc::ENOENT);
    assert_eq!(second.stat(&own).unwrap().size, 4);
    assert_eq!(victim.read_all(&photo).unwrap(), b"pixels");
    victim.create(world.shared("DCIM/b.jpg"), b"more").unwrap();
    assert_eq!(victim.list(world.shared("DCIM")).unwrap(), ["a.jpg", "b.jpg"]);
    drop((attacker, second));
    let begin = Instant::now();
    while world.daemon().stat("handles.all") > 0 {
        assert!(begin.elapsed() < Duration::from_secs(20), "handles of a process that ended stay");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What one app has walked is in the kernel's cache, and must not answer for an app of another user.
#[test]
fn a_stranger_gets_nothing_of_another_users_tree_from_the_cache() {
    let mut world = World::new(&[Package::new(VICTIM, 10101).users(&[0, 10])]);
    world.config.volumes[0].users = vec![0, 10];
    world.config.volumes[0].cache_seconds = Some(-1);
    world.start();
    let photo = world.shared("DCIM/a.jpg");
    let mut victim = world.app(VICTIM);
    victim.create(&photo, b"pixels").unwrap();
    victim.stat(&photo).unwrap();
    let mut stranger = Actor::start(1_010_101);
    for path in [world.config.volumes[0].mount.join("0"), world.shared("DCIM"), photo] {
        refused(stranger.stat(&path), libc::EACCES);
        refused(stranger.open(&path, libc::O_PATH), libc::EACCES);
        refused(stranger.open(&path, libc::O_RDONLY), libc::EACCES);
    }
}

/// Anybody may make a directory anywhere, also one of that name.
#[test]
fn a_directory_called_nomedia_hides_nothing() {
    let world = world();
    let (mut victim, mut attacker) = (world.app(VICTIM), world.app(ATTACKER));
    let mut reader = world.app("com.example.reader");
    victim.mkdir(world.shared("Pictures/album")).unwrap();
    let photo = world.shared("Pictures/album/a.jpg");
    victim.create(&photo, b"pixels").unwrap();
    attacker.mkdir(world.shared("Pictures/album/.nomedia")).unwrap();
    std::thread::sleep(Duration::from_millis(1200));
    reader.can_read(&photo).unwrap();
    assert!(reader.list(world.shared("Pictures/album")).unwrap().contains(&"a.jpg".to_owned()));
}

/// A directory that was prepared beforehand must not become the place of others' private files.
#[test]
fn nobody_prepares_the_directories_of_private_files() {
    const WRITER: &str = "com.example.writer";
    const FILES: &str = "com.example.files";
    let world = World::started(&[
        Package::new(VICTIM, 10101),
        Package::new(WRITER, 10102)
            .target_sdk(28)
            .permissions(&["READ_EXTERNAL_STORAGE", "WRITE_EXTERNAL_STORAGE"]),
        Package::new(FILES, 10103).app_op("MANAGE_EXTERNAL_STORAGE", "allow"),
    ]);
    for name in [WRITER, FILES] {
        let mut attacker = world.app(name);
        for (from, to) in [
            ("Download/x/data", "Android/data"),
            ("Download/x/data", "Android/obb"),
            ("Download/x", "Android"),
        ] {
            let _ = std::fs::remove_dir_all(world.shared("Android"));
            if to != "Android" {
                std::fs::create_dir(world.shared("Android")).unwrap();
            }
            for dir in ["Download/x", "Download/x/data", &format!("Download/x/data/{VICTIM}")] {
                let _ = attacker.mkdir(world.shared(dir));
            }
            let planted = world.shared(format!("Download/x/data/{VICTIM}/cfg"));
            attacker.open(planted, libc::O_CREAT | libc::O_RDWR).unwrap();
            let renamed = attacker.rename(world.shared(from), world.shared(to));
            assert_eq!(renamed, Err(Errno(libc::EACCES)), "{from} to {to} by {name}");
        }
    }
}

/// Who has a directory open lists it by the rules of where it is when it is listed.
#[test]
fn a_directory_that_is_open_does_not_show_what_its_new_place_hides() {
    const FILES: &str = "com.example.files";
    let world = World::started(&[
        Package::new(VICTIM, 10101),
        Package::new(ATTACKER, 10102),
        Package::new(FILES, 10103).app_op("MANAGE_EXTERNAL_STORAGE", "allow"),
    ]);
    let mut victim = world.app(VICTIM);
    for tree in ["media", "data"] {
        std::fs::create_dir_all(world.lower(format!("Android/{tree}/{VICTIM}"))).unwrap();
    }
    for (n, name) in [ATTACKER, FILES].into_iter().enumerate() {
        let mut attacker = world.app(name);
        let shared = world.shared(format!("Android/media/{VICTIM}/d{n}"));
        let private = world.shared(format!("Android/data/{VICTIM}/d{n}"));
        victim.mkdir(&shared).unwrap();
        let mut open = || attacker.open(&shared, libc::O_RDONLY | libc::O_DIRECTORY).unwrap();
        let (first, second) = (open(), open());
        assert!(attacker.list_open(first).unwrap().is_empty());
        victim.rename(&shared, &private).unwrap();
        victim.create(private.join("secret"), b"x").unwrap();
        victim.mkdir(private.join("diary")).unwrap();
        // That is ENOENT, which libraries take for the end of the listing.
        assert!(attacker.list_open(second).unwrap().is_empty());
    }
}
