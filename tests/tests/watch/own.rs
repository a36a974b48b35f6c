//! What goes through the mount is never stale, and its echo changes nothing.

use std::fs;

use super::*;

#[test]
fn one_app_sees_at_once_what_another_one_does() {
    in_each_way(|world, app| {
        let mut camera = world.app(CAMERA);
        let dcim = world.shared("DCIM");
        let path = |name: &str| dcim.join(name);
        for round in 0..200_u32 {
            let (a, b) = (path(&format!("a{round}.jpg")), path(&format!("b{round}.jpg")));
            assert_eq!(size(app, &a), Err(ENOENT));
            camera.create(&a, b"content").unwrap();
            assert_eq!(size(app, &a), Ok(7));
            assert_eq!(size(app, &b), Err(ENOENT));
            camera.rename(&a, &b).unwrap();
            assert_eq!((size(app, &a), size(app, &b)), (Err(ENOENT), Ok(7)));
            let open = camera.open(&b, libc::O_WRONLY | libc::O_TRUNC).unwrap();
            assert_eq!(size(app, &b), Ok(0));
            camera.write(open, None, b"abc").unwrap();
            assert_eq!(size(app, &b), Ok(3));
            camera.close(open);
            assert_eq!(size(app, &b), Ok(3));
            if round % 2 == 0 {
                camera.unlink(&b).unwrap();
                assert_eq!(size(app, &b), Err(ENOENT));
            }
        }
        assert_eq!(world.daemon().stat("watch.overflows"), 0);
    });
}

/// Where somebody is, stays where it is: no echo of an app's own change may take the kernel's entry away under it.
#[test]
fn a_working_directory_survives_changes_through_the_mount() {
    in_each_way(|world, _| {
        let (a, b) = (world.shared("Download/a"), world.shared("Download/b"));
        mediagate_tests::as_app(10102, move || {
            fs::create_dir(&a).unwrap();
            let script = format!(
                "cd {} && mkdir sub && cd sub && sleep 0.3 && mv {} {} && touch x && sleep 0.3 && /bin/pwd && ls",
                a.display(),
                a.display(),
                b.display()
            );
            let output = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let complained = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!((said, complained), (format!("{}/sub\nx\n", b.display()), String::new()));
        });
    });
}

#[test]
fn our_own_changes_are_told_apart() {
    let mut world = watched(WatchConfig::Fanotify);
    let mut camera = world.app(CAMERA);
    for number in 0..100 {
        camera.create(world.shared(format!("DCIM/{number}.jpg")), b"x").unwrap();
    }
    std::thread::sleep(Duration::from_millis(300));
    assert!(world.daemon().stat("watch.own_events") >= 100);
    // The bytes are written by the app itself, with the kernel's help.
    assert!(world.daemon().stat("watch.events") <= 200);
    assert_eq!(world.daemon().stat("index.first_seen"), 0);
}

#[test]
fn the_index_is_not_asked_about_what_it_was_told() {
    const COUNT: i64 = 200;
    let mut world = watched(WatchConfig::Fanotify);
    let mut camera = world.app(CAMERA);
    let path = |number| format!("Documents/{number}.txt");
    let before = world.daemon().stat("catalog.reads");
    for number in 0..COUNT {
        camera.create(world.shared(path(number)), b"x").unwrap();
    }
    settle(&mut world);
    let asked = world.daemon().stat("catalog.reads") - before;
    assert!(asked < COUNT / 2, "{asked} questions");
}

/// Opens, writes a byte at the end, closes.
fn append(app: &mut Actor, file: &Path) {
    let open = app.open(file, libc::O_WRONLY | libc::O_APPEND).unwrap();
    app.write(open, None, b"x").unwrap();
    app.close(open);
}

/// What the index was told last counts, not what it was told once.
#[test]
fn a_version_that_comes_back_is_told_again() {
    let mut world = watched(WatchConfig::Fanotify);
    let mut camera = world.app(CAMERA);
    let files = ["Documents/a.txt", "Documents/b.txt"];
    let stamps = files.map(|file| {
        camera.create(world.shared(file), b"x").unwrap();
        fs::metadata(world.lower(file)).unwrap().modified().unwrap()
    });
    settle(&mut world);
    // One grows behind the mount, the other one through it.
    write(world.lower(files[0]), b"xy");
    append(&mut camera, &world.shared(files[1]));
    settle(&mut world);
    for (file, stamp) in files.iter().zip(stamps) {
        let lower = fs::File::options().write(true).open(world.lower(file)).unwrap();
        lower.set_len(1).unwrap();
        lower.set_modified(stamp).unwrap();
    }
    settle(&mut world);
    says_what_is_there(&mut world);
}

#[test]
fn of_several_who_close_a_file_at_once_the_last_is_told() {
    let mut world = watched(WatchConfig::Fanotify);
    let mut creator = world.app(FILES);
    let file = world.shared("Documents/log.txt");
    creator.create(&file, b"").unwrap();
    std::thread::scope(|scope| {
        for mut app in [creator, world.app(FILES), world.app(FILES)] {
            let file = &file;
            scope.spawn(move || {
                for _ in 0..300 {
                    append(&mut app, file);
                }
            });
        }
    });
    assert_eq!(fs::metadata(world.lower("Documents/log.txt")).unwrap().len(), 900);
    settle(&mut world);
    says_what_is_there(&mut world);
}

/// Rows go where nothing is indexed, and come again.
#[test]
fn what_was_where_nothing_is_indexed_is_found_again() {
    let mut world = watched(WatchConfig::Fanotify);
    let mut app = world.app(FILES);
    let (shown, aside) = (world.shared("Pictures/x"), world.shared("Pictures/.thumbnails"));
    app.mkdir(&shown).unwrap();
    app.create(shown.join("a.txt"), b"x").unwrap();
    app.rename(&shown, &aside).unwrap();
    app.rename(&aside, &shown).unwrap();
    append(&mut app, &shown.join("a.txt"));
    settle(&mut world);
    // Away behind the mount, where their rows go as well, and back through it.
    fs::rename(world.lower("Pictures/x"), world.lower("Pictures/.thumbnails")).unwrap();
    settle(&mut world);
    app.rename(&aside, &shown).unwrap();
    append(&mut app, &shown.join("a.txt"));
    settle(&mut world);
    says_what_is_there(&mut world);
}
