//! A file that an app goes on writing by way of the kernel is not reported until it is closed, and nobody sees less because of that.

use std::os::unix::fs::FileExt;

use super::*;

/// Opens the file as `app` and writes to it until its writes are not reported any more.
fn hush(world: &mut World, app: &mut Actor, path: &Path) -> u64 {
    let before = world.daemon().stat("watch.hushed");
    let open = app.open(path, libc::O_RDWR).unwrap();
    within(A_SECOND, "its writes are not reported", || {
        app.write(open, Some(0), b"app").unwrap();
        world.daemon().stat("watch.hushed") > before
    });
    open
}

#[test]
fn what_an_app_goes_on_writing_is_reported_once() {
    let mut world = watched(WatchConfig::Fanotify);
    let mut app = world.app(FILES);
    let path = world.shared("Documents/a.txt");
    app.create(&path, b"").unwrap();
    settle(&mut world);
    let hushed = world.daemon().stat("watch.hushed");
    let open = hush(&mut world, &mut app, &path);
    settle(&mut world);
    let before = world.daemon().stat("watch.events");
    for number in 0..200 {
        app.write(open, Some(number * 3), b"new").unwrap();
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(size(&mut app, &path), Ok(600));
    settle(&mut world);
    assert_eq!(world.daemon().stat("watch.events"), before);
    app.close(open);
    settle(&mut world);
    assert_eq!(world.daemon().stat("watch.hushed"), hushed + 1);
    says_what_is_there(&mut world);
}

/// Whoever writes behind the mount keeps the file open, so that nothing but the writes can tell.
#[test]
fn what_others_write_behind_the_mount_is_seen_beside_a_writer_and_after_it() {
    let mut world = watched(WatchConfig::Fanotify);
    let (mut app, mut other) = (world.app(FILES), world.app(CAMERA));
    let path = world.shared("Documents/a.txt");
    other.create(&path, b"first").unwrap();
    settle(&mut world);
    for round in 1..=5_u64 {
        let open = hush(&mut world, &mut app, &path);
        let lower = fs::File::options().write(true).open(world.lower("Documents/a.txt")).unwrap();
        let length = |add: u64| 1000 * round + add;
        lower.set_len(length(0)).unwrap();
        for app in [&mut app, &mut other] {
            assert_eq!(size(app, &path), Ok(length(0)), "nothing is kept beside a writer");
        }
        lower.write_at(b"behind", length(0)).unwrap();
        assert_eq!(size(&mut other, &path), Ok(length(6)));
        assert_eq!(app.read(open, length(0), 6).unwrap(), b"behind");
        let second = other.open(&path, libc::O_RDWR).unwrap();
        app.close(open);
        lower.set_len(length(10)).unwrap();
        assert_eq!(size(&mut app, &path), Ok(length(10)), "another writer is left");
        other.close(second);
        settle(&mut world);
        assert_eq!(size(&mut app, &path), Ok(length(10)));
        lower.set_len(length(20)).unwrap();
        for app in [&mut app, &mut other] {
            soon("a write after the last writer left", || size(app, &path) == Ok(length(20)));
        }
    }
    assert_eq!(world.daemon().stat("watch.overflows"), 0);
    settle(&mut world);
    says_what_is_there(&mut world);
}

/// Without another word from whoever wrote it.
#[test]
fn what_others_wrote_beside_a_writer_is_known_when_he_left() {
    let mut world = watched(WatchConfig::Fanotify);
    let mut app = world.app(FILES);
    let path = world.shared("Documents/a.txt");
    app.create(&path, b"content").unwrap();
    settle(&mut world);
    let open = hush(&mut world, &mut app, &path);
    let lower = fs::File::options().write(true).open(world.lower("Documents/a.txt")).unwrap();
    lower.set_len(1000).unwrap();
    app.close(open);
    settle(&mut world);
    says_what_is_there(&mut world);
    drop(lower);
}

/// Opening for reading can truncate; such a handle's end says nothing.
#[test]
fn what_is_truncated_by_who_reads_is_known() {
    let mut world = watched(WatchConfig::Fanotify);
    let mut app = world.app(FILES);
    let path = world.shared("Documents/a.txt");
    app.create(&path, b"content").unwrap();
    settle(&mut world);
    app.open(&path, libc::O_RDONLY | libc::O_TRUNC).unwrap();
    assert_eq!(size(&mut app, &path), Ok(0));
    settle(&mut world);
    says_what_is_there(&mut world);
}

/// Each name has a row of its own, and only one of them is the writer's.
#[test]
fn a_file_of_two_names_is_known_by_both() {
    let mut world = watched(WatchConfig::Fanotify);
    let mut app = world.app(FILES);
    let path = world.shared("Documents/a.txt");
    app.create(&path, b"content").unwrap();
    fs::hard_link(world.lower("Documents/a.txt"), world.lower("Documents/b.txt")).unwrap();
    settle(&mut world);
    assert_eq!(size(&mut app, &path), Ok(7));
    let open = app.open(&path, libc::O_RDWR).unwrap();
    let lower = fs::File::options().append(true).open(world.lower("Documents/b.txt")).unwrap();
    for round in 0..10 {
        app.write(open, Some(round), b"app").unwrap();
        std::thread::sleep(Duration::from_millis(30));
    }
    lower.set_len(100).unwrap();
    settle(&mut world);
    app.close(open);
    settle(&mut world);
    says_what_is_there(&mut world);
    drop(lower);
}

/// As the one before, where the second name comes when nobody hears of writes any more.
#[test]
fn a_file_that_gets_a_second_name_is_known_by_both() {
    let mut world = watched(WatchConfig::Fanotify);
    let mut app = world.app(FILES);
    let path = world.shared("Documents/a.txt");
    app.create(&path, b"content").unwrap();
    settle(&mut world);
    let open = hush(&mut world, &mut app, &path);
    fs::hard_link(world.lower("Documents/a.txt"), world.lower("Documents/b.txt")).unwrap();
    let lower = fs::File::options().append(true).open(world.lower("Documents/b.txt")).unwrap();
    settle(&mut world);
    lower.set_len(100).unwrap();
    settle(&mut world);
    app.close(open);
    settle(&mut world);
    says_what_is_there(&mut world);
    drop(lower);
}

/// Its watch ends, with its queue in the kernel, though the file is open.
#[test]
fn a_volume_that_is_detached_goes_on_being_silent_about_nothing() {
    let mut world = watched(WatchConfig::Off);
    let (lower, mount) = (world.path("card"), world.path("mnt-card"));
    fs::create_dir_all(lower.join("Download")).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (lower_at, mount_at) = (text(&lower), text(&mount));
    let before = life::queues(&mut world);
    let attach = ["volume", "attach", "card", "--kind", "public", "--lower", &lower_at, "--mount", &mount_at];
    world.daemon().cli(&[&attach[..], &["--watch", "fanotify"]].concat());
    let mut app = world.app(FILES);
    let path = mount.join("Download/a.txt");
    app.create(&path, b"content").unwrap();
    let open = hush(&mut world, &mut app, &path);
    world.daemon().cli(&["volume", "detach", "card"]);
    app.write(open, Some(0), b"more").unwrap();
    assert_eq!(life::queues(&mut world), before);
    app.close(open);
}

/// Where the kernel can be given no more files, the daemon serves them, and the kernel keeps pages that others can write under.
#[test]
fn a_file_that_is_not_passed_through_is_reported_as_ever() {
    let mut world = World::new(&packages());
    world.config.volumes[0].watch = WatchConfig::Fanotify;
    world.config.service.backing_files.max_per_uid = 1;
    world.start();
    world.daemon().wait_until_indexed();
    let (mut app, mut other) = (world.app(FILES), world.app(CAMERA));
    let [first, second] = ["a.txt", "b.txt"].map(|name| world.shared(Path::new("Documents").join(name)));
    for path in [&first, &second] {
        other.create(path, b"first").unwrap();
    }
    let holding = app.open(&first, libc::O_RDONLY).unwrap();
    settle(&mut world);
    let before = world.daemon().stat("watch.hushed");
    let behind = world.lower("Documents/b.txt");
    let reads_what_is_written = |app: &mut Actor, open| {
        let lower = fs::File::options().write(true).open(&behind).unwrap();
        for content in [b"other", b"again", b"third"] {
            lower.write_at(content, 0).unwrap();
            soon("what is written behind the mount", || app.read(open, 0, 5).unwrap() == content);
        }
        lower
    };
    let open = app.open(&second, libc::O_RDWR).unwrap();
    let lower = reads_what_is_written(&mut app, open);
    app.close(open);
    drop(lower);
    assert_eq!(world.daemon().stat("watch.hushed"), before);
    // Of one who has room it is, and then of one who has none it is no longer.
    let passed = hush(&mut world, &mut other, &second);
    other.close(passed);
    let open = app.open(&second, libc::O_RDWR).unwrap();
    let lower = reads_what_is_written(&mut app, open);
    app.close(open);
    app.close(holding);
    drop(lower);
}

/// The name may be another file's by the time, and the first one's be gone.
#[test]
fn the_silence_is_about_one_file_whatever_its_name() {
    let mut world = watched(WatchConfig::Fanotify);
    let mut app = world.app(FILES);
    let [path, other, away] =
        ["a.txt", "b.txt", "c.txt"].map(|name| world.shared(Path::new("Documents").join(name)));
    app.create(&path, b"first").unwrap();
    app.create(&other, b"second").unwrap();
    settle(&mut world);
    let open = hush(&mut world, &mut app, &path);
    app.rename(&path, &away).unwrap();
    app.rename(&other, &path).unwrap();
    settle(&mut world);
    assert_eq!(size(&mut app, &path), Ok(6));
    let lower = fs::File::options().write(true).open(world.lower("Documents/a.txt")).unwrap();
    lower.set_len(100).unwrap();
    soon("the file that has the name now", || size(&mut app, &path) == Ok(100));
    app.unlink(&away).unwrap();
    app.write(open, Some(0), b"gone").unwrap();
    app.close(open);
    lower.set_len(200).unwrap();
    soon("and later", || size(&mut app, &path) == Ok(200));
    settle(&mut world);
    says_what_is_there(&mut world);
}

#[test]
fn a_file_that_the_daemon_serves_is_reported_as_ever() {
    let mut world = World::new(&packages());
    world.config.volumes[0].watch = WatchConfig::Fanotify;
    world.config.volumes[0].passthrough = false;
    world.start();
    world.daemon().wait_until_indexed();
    let mut app = world.app(FILES);
    let path = world.shared("Documents/a.txt");
    app.create(&path, b"first").unwrap();
    let open = app.open(&path, libc::O_RDWR).unwrap();
    assert_eq!(app.read(open, 0, 5).unwrap(), b"first");
    let lower = fs::File::options().write(true).open(world.lower("Documents/a.txt")).unwrap();
    for content in [b"other", b"again", b"third"] {
        lower.write_at(content, 0).unwrap();
        soon("what is written behind the mount", || app.read(open, 0, 5).unwrap() == content);
    }
    assert_eq!(world.daemon().stat("watch.hushed"), 0);
}
