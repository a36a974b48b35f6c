//! Grants on single files, through real mounts and as real uids: what each kind opens, when it ends, what it survives,
//! and that no open sees a state that never was.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use mediagate::binder::Client;
use mediagate::control::GrantSpec;
use mediagate_tests::{Actor, Errno, Package, World};
use nix::sys::signal::Signal;

const CAMERA: &str = "com.example.camera";
const APP: &str = "com.example.app";
const PICKER: &str = "com.example.picker";

/// A camera that owns the files, an app that holds nothing, and one that may be shown what the user selects.
fn world() -> World {
    World::started(&[
        Package::new(CAMERA, 10101),
        Package::new(APP, 10102),
        Package::new(PICKER, 10103).permissions(&["READ_MEDIA_VISUAL_USER_SELECTED"]),
    ])
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// `grant add` with these options behind it.
fn add(world: &mut World, package: &str, file: &str, options: &[&str]) {
    let path = world.shared(file);
    let mut line = vec!["grant", "add", package, text(&path)];
    line.extend_from_slice(options);
    world.daemon().cli(&line);
}

fn remove(world: &mut World, package: &str, file: &str) {
    let path = world.shared(file);
    world.daemon().cli(&["grant", "remove", package, text(&path)]);
}

/// The files that are granted, below user 0's root, with the kinds.
fn listed(world: &mut World) -> Vec<(String, String)> {
    let root = text(&world.shared("")).to_owned();
    let list: Vec<serde_json::Value> =
        serde_json::from_str(&world.daemon().cli(&["grant", "list", "--json"])).expect("JSON");
    let one = |it: &serde_json::Value| {
        let path = it["path"].as_str().expect("a path");
        let path = path.strip_prefix(&root).unwrap_or_else(|| panic!("{path} is not in {root}"));
        (path.to_owned(), it["kind"].as_str().expect("a kind").to_owned())
    };
    list.iter().map(one).collect()
}

fn denied<T: std::fmt::Debug>(result: Result<T, Errno>, errno: i32) {
    assert_eq!(result.expect_err("it was allowed").0, errno);
}

fn client(world: &mut World) -> Client {
    Client::connect(world.daemon().address()).expect("connect")
}

fn spec(world: &World, package: &str, file: &str, kind: &str) -> GrantSpec {
    GrantSpec {
        package: package.to_owned(),
        user: 0,
        path: world.shared(file).into_os_string().into_encoded_bytes(),
        kind: kind.to_owned(),
        expires: None,
    }
}

#[test]
fn each_kind_opens_what_it_says() {
    let mut world = world();
    let (mut camera, mut app, mut picker) = (world.app(CAMERA), world.app(APP), world.app(PICKER));
    let files = ["DCIM/a.jpg", "Movies/a.mp4", "Music/a.mp3", "Download/a.pdf"];
    for file in files {
        camera.create(world.shared(file), b"content").unwrap();
        denied(app.can_read(world.shared(file)), libc::EACCES);
    }
    // Reading: any type, listed, neither written nor deleted.
    for file in files {
        add(&mut world, APP, file, &[]);
        let path = world.shared(file);
        assert_eq!(app.read_all(&path).unwrap(), b"content");
        denied(app.can_write(&path), libc::EACCES);
        denied(app.unlink(&path), libc::ENOENT);
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(app.list(path.parent().unwrap()).unwrap(), [name]);
        denied(picker.can_read(&path), libc::EACCES);
        remove(&mut world, APP, file);
        denied(app.can_read(&path), libc::EACCES);
        assert_eq!(app.list(path.parent().unwrap()).unwrap(), [""; 0]);
    }
    // Selecting: pictures and videos, for who may be shown selections.
    for file in files {
        let path = world.shared(file);
        add(&mut world, PICKER, file, &["--selected"]);
        add(&mut world, APP, file, &["--selected"]);
        denied(app.can_read(&path), libc::EACCES);
        let visual = file.ends_with("jpg") || file.ends_with("mp4");
        assert_eq!(picker.can_read(&path).is_ok(), visual, "{file}");
        assert_eq!(picker.list(path.parent().unwrap()).unwrap().len(), usize::from(visual), "{file}");
        denied(picker.can_write(&path), libc::EACCES);
        denied(picker.unlink(&path), libc::ENOENT);
    }
    // Writing: to the end.
    for file in files {
        let path = world.shared(file);
        add(&mut world, APP, file, &["--write"]);
        app.can_write(&path).unwrap();
        assert_eq!(app.read_all(&path).unwrap(), b"content");
        app.unlink(&path).unwrap();
        assert!(!world.lower(file).exists());
    }
    assert_eq!(listed(&mut world), [], "the files took their grants along");
}

#[test]
fn only_files_that_are_there_are_granted() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    camera.create(world.shared("DCIM/a.jpg"), b"x").unwrap();
    std::fs::create_dir_all(world.lower("Android/data/com.example.app")).unwrap();
    std::fs::write(world.lower("Android/data/com.example.app/f"), "x").unwrap();
    let file = world.shared("DCIM/a.jpg");
    for (package, path, option, code) in [
        (APP, world.shared("DCIM/none.jpg"), "--write", 1),
        (APP, world.shared("DCIM"), "--write", 2),
        (APP, world.shared("Android/data/com.example.app/f"), "--write", 2),
        (APP, "/nowhere/f".into(), "--write", 1),
        ("com.example.none", file.clone(), "--write", 1),
        (APP, file.clone(), "--user=10", 1),
        (APP, file, "--expires=1000", 2),
    ] {
        let output = world.daemon().try_cli(&["grant", "add", package, text(&path), option]);
        assert_eq!(output.status.code(), Some(code), "{package} {path:?} {option}: {output:?}");
    }
    assert_eq!(listed(&mut world), []);
    // What came into the lower tree behind the mount and was never looked at is indexed when it is granted.
    std::fs::write(world.lower("DCIM/behind.jpg"), "x").unwrap();
    add(&mut world, APP, "DCIM/behind.jpg", &[]);
    world.app(APP).can_read(world.shared("DCIM/behind.jpg")).unwrap();
}

#[test]
fn a_grant_ends_by_itself() {
    let mut world = world();
    let (mut camera, mut app) = (world.app(CAMERA), world.app(APP));
    let path = world.shared("DCIM/a.jpg");
    camera.create(&path, b"pixels").unwrap();
    add(&mut world, APP, "DCIM/a.jpg", &["--for", "2s"]);
    let begin = Instant::now();
    let open = app.open(&path, libc::O_RDONLY).unwrap();
    while begin.elapsed() < Duration::from_millis(2100) {
        std::thread::sleep(Duration::from_millis(20));
    }
    denied(app.can_read(&path), libc::EACCES);
    assert_eq!(listed(&mut world), []);
    assert_eq!(app.read(open, 0, 6).unwrap(), b"pixels", "what is open stays open");
    // It is not back after a restart either.
    world.daemon().stop(Signal::SIGTERM);
    world.start();
    denied(world.app(APP).can_read(&path), libc::EACCES);
}

#[test]
fn the_next_open_after_a_change_sees_it() {
    let mut world = world();
    let (mut camera, mut app) = (world.app(CAMERA), world.app(APP));
    let path = world.shared("DCIM/a.jpg");
    camera.create(&path, b"x").unwrap();
    let client = client(&mut world);
    let grant = spec(&world, APP, "DCIM/a.jpg", "read");
    for round in 0..500 {
        client.add_grant(&grant).unwrap();
        app.can_read(&path).unwrap_or_else(|errno| panic!("round {round}: {errno:?}"));
        assert_eq!(client.remove_grants(APP, 0, Some(&grant.path)).unwrap(), 1);
        denied(app.can_read(&path), libc::EACCES);
    }
}

#[test]
fn a_rename_keeps_a_grant_and_a_restart_too() {
    let mut world = world();
    let (mut camera, mut app) = (world.app(CAMERA), world.app(APP));
    camera.mkdir(world.shared("DCIM/one")).unwrap();
    camera.create(world.shared("DCIM/one/a.jpg"), b"pixels").unwrap();
    add(&mut world, APP, "DCIM/one/a.jpg", &["--write"]);
    let held = |name: &str| vec![(name.to_owned(), "write".to_owned())];
    camera.rename(world.shared("DCIM/one/a.jpg"), world.shared("DCIM/one/b.jpg")).unwrap();
    app.can_write(world.shared("DCIM/one/b.jpg")).unwrap();
    camera.rename(world.shared("DCIM/one"), world.shared("DCIM/two")).unwrap();
    app.can_write(world.shared("DCIM/two/b.jpg")).unwrap();
    assert_eq!(listed(&mut world), held("DCIM/two/b.jpg"));
    // In order, and killed.
    for killed in [false, true] {
        if !killed {
            assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
        }
        world.start();
        world.daemon().wait_until_indexed();
        world.app(APP).can_write(world.shared("DCIM/two/b.jpg")).unwrap();
        assert_eq!(listed(&mut world), held("DCIM/two/b.jpg"));
    }
    denied(world.app(PICKER).can_read(world.shared("DCIM/two/b.jpg")), libc::EACCES);
}

#[test]
fn a_file_of_the_same_name_and_inode_is_another_one() {
    let mut world = world();
    let (mut camera, mut app) = (world.app(CAMERA), world.app(APP));
    let path = world.shared("DCIM/a.jpg");
    let client = client(&mut world);
    let grant = spec(&world, APP, "DCIM/a.jpg", "read");
    let mut same_inode = 0;
    for round in 0..60 {
        camera.create(&path, b"old").unwrap();
        client.add_grant(&grant).unwrap();
        app.can_read(&path).unwrap();
        let before = camera.stat(&path).unwrap().ino;
        match round % 3 {
            // Through the mount, as fast as it goes.
            0 => {
                camera.unlink(&path).unwrap();
                camera.create(&path, b"new").unwrap();
            }
            // By a rename over it.
            1 => {
                camera.create(world.shared("DCIM/new.jpg"), b"new").unwrap();
                camera.rename(world.shared("DCIM/new.jpg"), &path).unwrap();
            }
            // And another one where the first has gone to.
            _ => {
                camera.rename(&path, world.shared("DCIM/moved.jpg")).unwrap();
                camera.create(&path, b"new").unwrap();
                app.can_read(world.shared("DCIM/moved.jpg")).unwrap();
                camera.unlink(world.shared("DCIM/moved.jpg")).unwrap();
            }
        }
        same_inode += usize::from(camera.stat(&path).unwrap().ino == before);
        denied(app.can_read(&path), libc::EACCES);
        assert_eq!(client.grants(None).unwrap(), []);
        camera.unlink(&path).unwrap();
    }
    eprintln!("the same inode number in {same_inode} of 60 rounds");
}

#[test]
fn a_file_that_was_replaced_behind_the_mount_is_another_one() {
    let mut world = world();
    let (mut camera, mut app) = (world.app(CAMERA), world.app(APP));
    let path = world.shared("DCIM/a.jpg");
    camera.create(&path, b"old").unwrap();
    add(&mut world, APP, "DCIM/a.jpg", &[]);
    app.can_read(&path).unwrap();
    std::fs::remove_file(world.lower("DCIM/a.jpg")).unwrap();
    std::fs::write(world.lower("DCIM/a.jpg"), "new").unwrap();
    // The kernel may keep the name for cache_seconds.
    std::thread::sleep(Duration::from_millis(1100));
    denied(app.can_read(&path), libc::EACCES);
    assert_eq!(app.list(world.shared("DCIM")).unwrap(), [""; 0]);
}

/// What happens behind the mount is noticed late, and a file that is removed there leaves its inode number to the next one that
/// is made: what is said of the one takes nothing from the other.
#[test]
fn late_news_of_a_file_that_went_take_no_grant_from_the_one_with_its_inode_number() {
    let mut world = world();
    world.daemon().wait_until_indexed();
    let (mut app, client) = (world.app(APP), client(&mut world));
    let mut same_inode = 0;
    for round in 0..25 {
        let [gone, there] = ["gone", "there"].map(|name| format!("DCIM/{name}-{round}.jpg"));
        let make = |name: &str| {
            std::fs::write(world.lower(name), "x").unwrap();
            std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(world.lower(name)).unwrap())
        };
        let first = make(&gone);
        client.scan(Some(world.shared(&gone).as_os_str().as_encoded_bytes())).unwrap();
        std::fs::remove_file(world.lower(&gone)).unwrap();
        same_inode += usize::from(make(&there) == first);
        client.add_grant(&spec(&world, APP, &there, "write")).unwrap();
        // Events gather for a while before anybody hears of them.
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(80) {
            app.can_write(world.shared(&there)).unwrap_or_else(|errno| panic!("round {round}: {errno:?}"));
        }
        assert_eq!(client.grants(None).unwrap().len(), round + 1);
    }
    eprintln!("the same inode number in {same_inode} of 25 rounds");
}

/// Nobody tells of what happens behind the mount.
fn unwatched() -> World {
    let mut world = World::new(&[Package::new(CAMERA, 10101), Package::new(APP, 10102)]);
    world.config.volumes[0].watch = mediagate::config::WatchConfig::Off;
    world.start();
    world
}

#[test]
fn a_grant_is_taken_back_where_its_file_is_now() {
    let mut world = unwatched();
    let (mut camera, mut app) = (world.app(CAMERA), world.app(APP));
    for name in ["a", "b"] {
        camera.create(world.shared(format!("DCIM/{name}.jpg")), b"x").unwrap();
        add(&mut world, APP, &format!("DCIM/{name}.jpg"), &[]);
    }
    // Who reads what files say of themselves and finds none any more takes the row out, and the grants with it.
    let begin = Instant::now();
    while world.daemon().stat("scan.facts_read") < 2 {
        assert!(begin.elapsed() < Duration::from_secs(30), "the files are not read");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Behind the mount, both: one to another name, one to that one's.
    std::fs::rename(world.lower("DCIM/a.jpg"), world.lower("DCIM/moved.jpg")).unwrap();
    std::fs::rename(world.lower("DCIM/b.jpg"), world.lower("DCIM/a.jpg")).unwrap();
    let moved = world.shared("DCIM/moved.jpg");
    let client = client(&mut world);
    app.can_read(&moved).unwrap();
    let path = moved.as_os_str().as_encoded_bytes().to_vec();
    assert_eq!(client.remove_grants(APP, 0, Some(&path)).unwrap(), 1);
    denied(app.can_read(&moved), libc::EACCES);
    // By the other one's own name too, though a row of that name is still the first one's.
    let path = world.shared("DCIM/a.jpg").into_os_string().into_encoded_bytes();
    assert_eq!(client.remove_grants(APP, 0, Some(&path)).unwrap(), 1);
    denied(app.can_read(world.shared("DCIM/a.jpg")), libc::EACCES);
    assert_eq!(listed(&mut world), []);
}

#[test]
fn a_row_that_goes_takes_the_grants_out_of_force() {
    let mut world = unwatched();
    let (mut camera, mut app) = (world.app(CAMERA), world.app(APP));
    camera.mkdir(world.shared("DCIM/dir")).unwrap();
    camera.create(world.shared("DCIM/dir/a.jpg"), b"x").unwrap();
    add(&mut world, APP, "DCIM/dir/a.jpg", &[]);
    // The file leaves the directory behind the mount, and the directory goes through it, with its rows.
    std::fs::rename(world.lower("DCIM/dir/a.jpg"), world.lower("DCIM/kept.jpg")).unwrap();
    camera.rmdir(world.shared("DCIM/dir")).unwrap();
    assert_eq!(listed(&mut world), []);
    denied(app.can_read(world.shared("DCIM/kept.jpg")), libc::EACCES);
}

#[test]
fn what_leaves_the_index_leaves_its_grants() {
    let mut world = World::started(&[
        Package::new(CAMERA, 10101).app_op("MANAGE_EXTERNAL_STORAGE", "allow"),
        Package::new(APP, 10102),
    ]);
    let mut app = world.app(APP);
    // Only root reaches both places through the mount.
    let mut root = Actor::start(0);
    std::fs::create_dir_all(world.lower("DCIM/dir")).unwrap();
    std::fs::create_dir_all(world.lower("Android/data/com.example.x")).unwrap();
    for file in ["DCIM/a.jpg", "DCIM/dir/b.jpg"] {
        std::fs::write(world.lower(file), "x").unwrap();
        add(&mut world, APP, file, &[]);
        app.can_read(world.shared(file)).unwrap();
    }
    for name in ["DCIM/a.jpg", "DCIM/dir"] {
        let away = world.shared("Android/data/com.example.x/moved");
        root.rename(world.shared(name), &away).unwrap();
        root.rename(&away, world.shared(name)).unwrap();
    }
    denied(app.can_read(world.shared("DCIM/a.jpg")), libc::EACCES);
    denied(app.can_read(world.shared("DCIM/dir/b.jpg")), libc::EACCES);
    assert_eq!(listed(&mut world), []);
}

#[test]
fn the_oldest_of_too_many_selections_goes() {
    const MOST: usize = 5000;
    let mut world = world();
    let mut picker = world.app(PICKER);
    let name = |n: usize| format!("DCIM/{n}.jpg");
    for n in 0..=MOST {
        std::fs::write(world.lower(name(n)), "x").unwrap();
    }
    let client = client(&mut world);
    for n in 0..MOST {
        client.add_grant(&spec(&world, PICKER, &name(n), "selected")).unwrap();
    }
    assert_eq!(picker.list(world.shared("DCIM")).unwrap().len(), MOST);
    picker.can_read(world.shared(name(0))).unwrap();
    client.add_grant(&spec(&world, PICKER, &name(MOST), "selected")).unwrap();
    denied(picker.can_read(world.shared(name(0))), libc::EACCES);
    picker.can_read(world.shared(name(1))).unwrap();
    picker.can_read(world.shared(name(MOST))).unwrap();
    assert_eq!(picker.list(world.shared("DCIM")).unwrap().len(), MOST);
    assert_eq!(client.grants(Some(PICKER)).unwrap().len(), MOST);
    world.start();
    assert_eq!(listed(&mut world).len(), MOST);
    denied(world.app(PICKER).can_read(world.shared(name(0))), libc::EACCES);
}

#[test]
fn a_package_that_comes_back_has_no_grants() {
    let mut world = world();
    let (mut camera, mut app) = (world.app(CAMERA), world.app(APP));
    let path = world.shared("DCIM/a.jpg");
    camera.create(&path, b"x").unwrap();
    add(&mut world, APP, "DCIM/a.jpg", &[]);
    add(&mut world, PICKER, "DCIM/a.jpg", &[]);
    app.can_read(&path).unwrap();
    world.daemon().cli(&["package", "remove", APP]);
    app.can_read(&path).unwrap_err();
    world.daemon().cli(&["package", "install", APP, "--app-id", "10102"]);
    denied(app.can_read(&path), libc::EACCES);
    assert_eq!(listed(&mut world).len(), 1, "another package keeps its own");
    world.start();
    denied(world.app(APP).can_read(&path), libc::EACCES);
    assert_eq!(listed(&mut world).len(), 1);
}

#[test]
fn explain_knows_of_grants() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    let path = world.shared("Download/a.pdf");
    camera.create(&path, b"x").unwrap();
    let ask = |world: &mut World| -> serde_json::Value {
        let line = ["explain", "--json", "--package", APP, "read", text(&path)];
        serde_json::from_str(&world.daemon().cli(&line)).unwrap()
    };
    let before = ask(&mut world);
    assert_eq!((&before["allowed"], before["errno"].as_str()), (&false.into(), Some("EACCES")));
    let needs = before["needs"].as_array().unwrap();
    assert!(needs.contains(&"a read grant on the file".into()), "{before}");
    assert!(!needs.contains(&"READ_MEDIA_IMAGES".into()), "{before}");
    add(&mut world, APP, "Download/a.pdf", &["--write"]);
    let after = ask(&mut world);
    assert_eq!(after["allowed"], true, "{after}");
    assert!(after["facts"].to_string().contains("read, write"), "{after}");
}

/// Says so when dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Whether the picker may read after so many changes: the changes below go round and round.
const ALLOWED: [bool; 10] = [false, false, false, false, true, true, true, false, false, false];

/// Makes change `n`, which leads from state `n` to state `n + 1`.
///
/// A selection counts with the permission, a read grant without. States 1, 2 and 3 are all refused, though the permission
/// of the first and the selection of the last would do together: an open that mixes them is caught.
fn change(client: &Client, grant: &GrantSpec, n: usize) {
    let permission = |on| client.set_permission(PICKER, "READ_MEDIA_VISUAL_USER_SELECTED", on).unwrap();
    let select = || client.add_grant(grant).unwrap();
    let clear = || assert!(client.remove_grants(PICKER, 0, Some(&grant.path)).unwrap() > 0);
    match n % ALLOWED.len() {
        0 | 3 => permission(true),
        1 | 7 => permission(false),
        2 | 4 | 8 => select(),
        5 => client.add_grant(&GrantSpec { kind: "read".to_owned(), ..grant.clone() }).unwrap(),
        _ => clear(),
    }
}

#[test]
fn no_open_sees_a_state_that_never_was() {
    const TIME: Duration = Duration::from_secs(6);
    let mut world =
        World::started(&[Package::new(CAMERA, 10101), Package::new(APP, 10102), Package::new(PICKER, 10103)]);
    let path = world.shared("DCIM/a.jpg");
    world.app(CAMERA).create(&path, b"x").unwrap();
    let grant = spec(&world, PICKER, "DCIM/a.jpg", "selected");
    let client = client(&mut world);
    // Calls that have begun, and that have returned.
    let (begun, returned, over) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let watch = |mut app: Actor| {
        let mut seen = Vec::new();
        while !over.load(SeqCst) {
            let first = returned.load(SeqCst);
            let opened = app.can_read(&path).is_ok();
            seen.push((first, begun.load(SeqCst), opened));
        }
        seen
    };
    let (pickers, strangers) = ([world.app(PICKER), world.app(PICKER)], world.app(APP));
    let (seen, stranger) = std::thread::scope(|scope| {
        let watching: Vec<_> = pickers.into_iter().map(|app| scope.spawn(|| watch(app))).collect();
        let stranger = scope.spawn(|| watch(strangers));
        // However this ends, those who watch must not go on.
        let end = Over(&over);
        let begin = Instant::now();
        for n in 0.. {
            begun.store(n + 1, SeqCst);
            change(&client, &grant, n);
            returned.store(n + 1, SeqCst);
            if begin.elapsed() > TIME {
                break;
            }
        }
        drop(end);
        let seen: Vec<_> = watching.into_iter().flat_map(|it| it.join().unwrap()).collect();
        (seen, stranger.join().unwrap())
    });
    assert!(stranger.iter().all(|(_, _, opened)| !opened), "an app without any grant got in");
    let mut sharp = [0, 0];
    for (first, last, opened) in &seen {
        let possible: Vec<bool> = (*first..=*last).map(|state| ALLOWED[state % ALLOWED.len()]).collect();
        assert!(
            possible.contains(opened),
            "an open during the states {first} to {last} was {}",
            if *opened { "allowed" } else { "refused" }
        );
        sharp[usize::from(*opened)] += usize::from(possible.iter().all(|it| it == opened));
    }
    let changes = returned.load(SeqCst);
    eprintln!("{changes} changes, {} opens, {sharp:?} with one possible answer", seen.len());
    assert!(changes > 500, "only {changes} changes in {TIME:?}");
    assert!(sharp[0] > 100 && sharp[1] > 10, "too few opens say anything: {sharp:?}");
}
