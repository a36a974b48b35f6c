//! Files and directories that come, change and go.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;

#[test]
fn what_the_kernel_knows_is_asked_for_once() {
    in_each_way(|world, app| {
        write(world.lower("Download/a"), b"a");
        std::thread::sleep(Duration::from_millis(200));
        let (there, missing) = (world.shared("Download/a"), world.shared("Download/b"));
        let look = |app: &mut Actor| {
            assert_eq!(size(app, &there), Ok(1));
            assert_eq!(size(app, &missing), Err(ENOENT));
        };
        look(app);
        let requests = |world: &mut World| {
            ["lookup", "getattr"].map(|it| world.daemon().stat(&format!("fuse.requests.{it}")))
        };
        let before = requests(world);
        std::thread::sleep(LONGER);
        look(app);
        assert_eq!(requests(world), before);
    });
}

#[test]
fn created_where_the_kernel_knows_that_there_is_nothing() {
    in_each_way(|world, app| {
        let path = world.shared("Download/new.txt");
        assert_eq!(size(app, &path), Err(ENOENT));
        assert_eq!(app.list(world.shared("Download")).unwrap(), [""; 0]);
        let before = app.stat(world.shared("Download")).unwrap().mtime;
        write(world.lower("Download/new.txt"), b"new");
        soon("stat", || size(app, &path) == Ok(3));
        assert_eq!(app.read_all(&path).unwrap(), b"new");
        assert_eq!(app.list(world.shared("Download")).unwrap(), ["new.txt"]);
        soon("the directory's time", || app.stat(world.shared("Download")).unwrap().mtime > before);
        // Whoever asks first is told the same.
        assert_eq!(size(app, world.shared("Download/new.txt/below")), Err(libc::ENOTDIR));
    });
}

#[test]
fn removed_and_made_again() {
    in_each_way(|world, app| {
        let (path, lower) = (world.shared("DCIM/a.jpg"), world.lower("DCIM/a.jpg"));
        app.create(&path, b"old").unwrap();
        for round in 0..5 {
            assert_eq!(size(app, &path), Ok(3));
            fs::remove_file(&lower).unwrap();
            soon(&format!("that it is gone, {round}"), || size(app, &path) == Err(ENOENT));
            write(&lower, b"new");
            soon(&format!("that it is back, {round}"), || size(app, &path) == Ok(3));
        }
        assert_eq!(app.read_all(&path).unwrap(), b"new");
    });
}

#[test]
fn written_truncated_and_appended_to() {
    in_each_way(|world, app| {
        let (path, lower) = (world.shared("DCIM/a.jpg"), world.lower("DCIM/a.jpg"));
        app.create(&path, b"old").unwrap();
        assert_eq!(size(app, &path), Ok(3));
        write(&lower, b"a longer content");
        soon("written", || size(app, &path) == Ok(16));
        assert_eq!(app.read_all(&path).unwrap(), b"a longer content");
        // truncate(2): no close follows.
        nix::unistd::truncate(&lower, 5).unwrap();
        soon("truncated", || size(app, &path) == Ok(5));
        // Nor does it while the writer goes on.
        let mut open = fs::File::options().append(true).open(&lower).unwrap();
        for length in 6..9 {
            open.write_all(b"x").unwrap();
            soon("appended", || size(app, &path) == Ok(length));
        }
        assert_eq!(app.read_all(&path).unwrap(), b"a lonxxx");
    });
}

#[test]
fn an_open_file_shows_what_is_written_behind_the_mount() {
    for passthrough in [true, false] {
        for how in [WatchConfig::Fanotify, WatchConfig::Inotify] {
            let mut world = World::new(&packages());
            world.config.volumes[0].watch = how;
            world.config.volumes[0].passthrough = passthrough;
            world.start();
            let mut app = world.app(FILES);
            let path = world.shared("DCIM/a.jpg");
            app.create(&path, b"old").unwrap();
            let open = app.open(&path, libc::O_RDONLY).unwrap();
            assert_eq!(app.read(open, 0, 10).unwrap(), b"old");
            assert_eq!(app.stat_open(open).unwrap().size, 3);
            fs::File::options()
                .write(true)
                .open(world.lower("DCIM/a.jpg"))
                .unwrap()
                .write_all(b"newer")
                .unwrap();
            soon("size", || app.stat_open(open).unwrap().size == 5);
            soon("content", || app.read(open, 0, 10).unwrap() == b"newer");
        }
    }
}

#[test]
fn modes_and_times() {
    in_each_way(|world, app| {
        let (path, lower) = (world.shared("DCIM/a.jpg"), world.lower("DCIM/a.jpg"));
        app.create(&path, b"old").unwrap();
        let before = app.stat(&path).unwrap();
        let mut times = fs::FileTimes::new();
        times = times.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000));
        fs::File::options().write(true).open(&lower).unwrap().set_times(times).unwrap();
        soon("time", || app.stat(&path).unwrap().mtime.0 == 1_000_000_000);
        fs::set_permissions(&lower, fs::Permissions::from_mode(0o600)).unwrap();
        // What apps are shown of modes is the mount's affair; nothing may break by it.
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(app.stat(&path).unwrap().ino, before.ino);
        let dir = world.lower("DCIM");
        fs::File::open(&dir).unwrap().set_times(times).unwrap();
        soon("time of a directory", || app.stat(world.shared("DCIM")).unwrap().mtime.0 == 1_000_000_000);
    });
}

#[test]
fn deep_directories_with_files_at_once() {
    in_each_way(|world, app| {
        for round in 0..10 {
            let top = format!("Download/{round}");
            assert_eq!(size(app, world.shared(&top)), Err(ENOENT));
            let deep = format!("{top}/b/c/d/e/f/g");
            fs::create_dir_all(world.lower(&deep)).unwrap();
            for name in ["x.txt", "y.jpg"] {
                write(world.lower(format!("{deep}/{name}")), b"deep");
                write(world.lower(format!("{top}/b/{name}")), b"deep");
            }
            soon("deep", || size(app, world.shared(format!("{deep}/x.txt"))) == Ok(4));
            // The kernel learns what is missing there now.
            assert_eq!(size(app, world.shared(format!("{deep}/z"))), Err(ENOENT));
            write(world.lower(format!("{deep}/z")), b"later");
            soon("later", || size(app, world.shared(format!("{deep}/z"))) == Ok(5));
        }
        fs::remove_dir_all(world.lower("Download/3")).unwrap();
        soon("removed", || size(app, world.shared("Download/3")) == Err(ENOENT));
        assert_eq!(size(app, world.shared("Download/3/b/x.txt")), Err(ENOENT));
    });
}

#[test]
fn thousands_at_once() {
    const COUNT: usize = 5000;
    in_each_way(|world, app| {
        let dir = world.lower("Download/many");
        fs::create_dir(&dir).unwrap();
        let last = world.shared(format!("Download/many/{}.txt", COUNT - 1));
        assert_eq!(size(app, &last), Err(ENOENT));
        for number in 0..COUNT {
            write(dir.join(format!("{number}.txt")), b"x");
        }
        in_time("the last of many", || size(app, &last) == Ok(1));
        let count = |app: &mut Actor| app.list(world.shared("Download/many")).unwrap().len();
        assert_eq!(count(app), COUNT);
        for number in 0..COUNT {
            fs::rename(dir.join(format!("{number}.txt")), dir.join(format!("{number}.jpg"))).unwrap();
        }
        in_time("the last renamed", || size(app, &last) == Err(ENOENT));
        for number in 0..COUNT {
            fs::remove_file(dir.join(format!("{number}.jpg"))).unwrap();
        }
        in_time("the last removed", || size(app, last.with_extension("jpg")) == Err(ENOENT));
        assert_eq!(count(app), 0);
    });
}

#[test]
fn nomedia_comes_and_goes() {
    for how in [WatchConfig::Fanotify, WatchConfig::Inotify] {
        let mut world = watched(how);
        let media_type = |world: &mut World| {
            std::thread::sleep(A_SECOND);
            let rows = mediagate_tests::index::rows(world);
            world.start();
            world.daemon().wait_until_indexed();
            ["DCIM/W/a.jpg", "DCIM/W/sub/b.jpg"].map(|path| rows[path].media_type)
        };
        fs::create_dir_all(world.lower("DCIM/W/sub")).unwrap();
        for name in ["a.jpg", "sub/b.jpg"] {
            write(world.lower(format!("DCIM/W/{name}")), b"x");
        }
        assert_eq!(media_type(&mut world), [1, 1]);
        write(world.lower("DCIM/W/.nomedia"), b"");
        assert_eq!(media_type(&mut world), [0, 0]);
        fs::rename(world.lower("DCIM/W/.nomedia"), world.lower("DCIM/W/sub/.nomedia")).unwrap();
        assert_eq!(media_type(&mut world), [1, 0]);
        fs::remove_file(world.lower("DCIM/W/sub/.nomedia")).unwrap();
        assert_eq!(media_type(&mut world), [1, 1]);
    }
}

/// File systems give the inode number of a removed file to the next one. In a listing the new file is nobody's that the old one
/// was, from the first moment.
#[test]
fn a_file_in_the_place_of_another_is_not_taken_for_it() {
    const OWNER: &str = "user.mediagate.owner";
    let make = |world: &World, owner: &str| {
        let lower = world.lower("Download/a.bin");
        let _ = fs::remove_file(&lower);
        write(&lower, b"content");
        rustix::fs::setxattr(&lower, OWNER, owner.as_bytes(), rustix::fs::XattrFlags::empty()).unwrap();
        fs::metadata(&lower).unwrap().ino()
    };
    for how in [WatchConfig::Fanotify, WatchConfig::Off] {
        let world = watched(how);
        let mut camera = world.app(CAMERA);
        let download = world.shared("Download");
        let (mut before, mut again) = (0, 0);
        let mut replace = |round: u64| {
            let mine = round.is_multiple_of(2);
            let ino = make(&world, if mine { CAMERA } else { "com.example.other" });
            again += usize::from(ino == before);
            before = ino;
            let expected: &[&str] = if mine { &["a.bin"] } else { &[] };
            expected
        };
        for round in 0..60 {
            let expected = replace(round);
            // Whatever the watch has got to by now.
            std::thread::sleep(Duration::from_millis(round * 3 % 90));
            assert_eq!(camera.list(&download).unwrap(), expected, "round {round}");
        }
        // And where the index was found to be right about a directory that had not changed for a while.
        for round in 0..4 {
            let expected = replace(round);
            assert_eq!(camera.list(&download).unwrap(), expected, "round {round}");
            std::thread::sleep(Duration::from_millis(2200));
            for _ in 0..3 {
                assert_eq!(camera.list(&download).unwrap(), expected, "round {round}");
            }
        }
        assert!(again > 10, "the lower file system gave a number again only {again} times");
    }
}
