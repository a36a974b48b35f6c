//! Whoever is removed, or has its data cleared, owns nothing any more; not even when it comes back.

use std::path::PathBuf;

use mediagate_tests::index::rows;
use mediagate_tests::{Job, World};
use nix::sys::signal::Signal;

use super::{CAMERA, NOTES, owner_of, wait_for, world};

const MANY: usize = 2000;

fn install(world: &mut World) {
    world.daemon().cli(&["package", "install", CAMERA, "--app-id", "10101"]);
}

fn with_many(world: &mut World) -> PathBuf {
    let dir = world.shared("Download/many");
    let mut camera = world.app(CAMERA);
    camera.mkdir(&dir).unwrap();
    let bytes = std::os::unix::ffi::OsStringExt::into_vec(dir.clone().into_os_string());
    let job = Job::CreateMany { dir: bytes, prefix: "letter".into(), suffix: ".txt".into(), count: MANY };
    camera.job(job).unwrap();
    dir
}

/// That nothing in a directory is the camera's, as it sees it, and as the files say at the end.
fn is_nobodys(world: &mut World, dir: &str) {
    let mut camera = world.app(CAMERA);
    assert_eq!(camera.list(world.shared(dir)).unwrap(), [""; 0], "files of nobody do not show");
    for name in std::fs::read_dir(world.lower(dir)).unwrap().map(|it| it.unwrap().file_name()) {
        let path = world.shared(dir).join(&name);
        assert_eq!(camera.read_all(&path).unwrap_err().0, libc::EACCES, "{name:?}");
        assert_eq!(owner_of(&world.lower(dir).join(&name)), None, "{name:?}");
    }
}

#[test]
fn a_package_that_comes_back_owns_nothing_of_before() {
    let mut world = world();
    with_many(&mut world);
    let (mut notes, mut camera) = (world.app(NOTES), world.app(CAMERA));
    notes.create(world.shared("Download/note.txt"), b"note").unwrap();
    camera.create(world.shared("Download/open.txt"), b"open").unwrap();
    let open = camera.open(world.shared("Download/open.txt"), libc::O_RDONLY).unwrap();
    let own = format!("Android/media/{CAMERA}");
    std::fs::create_dir_all(world.lower(&own)).unwrap();
    camera.create(world.shared(&own).join("own.txt"), b"own").unwrap();

    world.daemon().cli(&["package", "remove", CAMERA]);
    // At once: nobody waits for what is done in the background.
    install(&mut world);
    is_nobodys(&mut world, "Download/many");
    assert_eq!(camera.read_all(world.shared("Download/open.txt")).unwrap_err().0, libc::EACCES);
    assert_eq!(camera.read(open, 0, 10).unwrap(), b"open", "what is open stays open");
    assert_eq!(camera.read_all(world.shared(&own).join("own.txt")).unwrap(), b"own", "its own place");
    assert_eq!(notes.read_all(world.shared("Download/note.txt")).unwrap(), b"note");
    assert_eq!(owner_of(&world.lower("Download/note.txt")).as_deref(), Some(NOTES));

    // What it makes from now on is its own.
    camera.create(world.shared("Download/new.txt"), b"new").unwrap();
    assert_eq!(camera.read_all(world.shared("Download/new.txt")).unwrap(), b"new");
    assert_eq!(world.daemon().stat("upkeep.departing"), 0);
    assert!(world.daemon().stat("upkeep.disowned") >= i64::try_from(MANY).unwrap());
    let owned: Vec<_> = rows(&mut world)
        .into_iter()
        .filter(|(_, row)| row.owner.as_deref() == Some(CAMERA))
        .map(|it| it.0)
        .collect();
    assert_eq!(owned, [format!("{own}/own.txt"), "Download/new.txt".to_owned()]);
}

#[test]
fn a_removal_that_was_cut_off_is_finished_by_the_next_run() {
    let mut world = world();
    with_many(&mut world);
    world.daemon().cli(&["package", "remove", CAMERA]);
    world.daemon().stop(Signal::SIGKILL);
    let left = std::fs::read_dir(world.lower("Download/many")).unwrap();
    let left = left.filter(|it| owner_of(&it.as_ref().unwrap().path()).is_some()).count();
    assert!(left > 0, "the kill came too late to mean anything");
    // The configuration has the package, and the change at run time that hides it is taken back at once.
    world.start_over();
    install(&mut world);
    is_nobodys(&mut world, "Download/many");
    assert_eq!(world.daemon().stat("upkeep.departing"), 0);
}

#[test]
fn clearing_a_package_takes_its_files_and_leaves_it_installed() {
    let mut world = world();
    with_many(&mut world);
    let mut notes = world.app(NOTES);
    notes.create(world.shared("Download/note.txt"), b"note").unwrap();
    let note = world.shared("Download/note.txt");
    world.daemon().cli(&["grant", "add", CAMERA, note.to_str().unwrap()]);
    assert_eq!(world.app(CAMERA).read_all(&note).unwrap(), b"note");
    world.daemon().cli(&["package", "clear", CAMERA]);
    is_nobodys(&mut world, "Download/many");
    assert_eq!(world.app(CAMERA).read_all(&note).unwrap_err().0, libc::EACCES, "its grants went");
    world.app(CAMERA).create(world.shared("Download/new.txt"), b"new").unwrap();
    assert_eq!(world.app(CAMERA).read_all(world.shared("Download/new.txt")).unwrap(), b"new");
    assert!(!world.daemon().try_cli(&["package", "clear", "com.example.none"]).status.success());
}

#[test]
fn a_package_that_leaves_one_user_keeps_what_it_has_in_others() {
    let mut world = World::new(&[mediagate_tests::Package::new(CAMERA, 10101).users(&[0, 10])]);
    world.config.volumes[0].users = vec![0, 10];
    world.start();
    world.daemon().wait_until_indexed();
    let of_ten = |name: &str| world.config.volumes[0].mount.join("10/Download").join(name);
    let mut ten = mediagate_tests::Actor::start(1_010_101);
    ten.create(of_ten("a.txt"), b"ten").unwrap();
    world.app(CAMERA).create(world.shared("Download/a.txt"), b"zero").unwrap();
    let (lower, path) = (world.config.volumes[0].lower.join("10/Download/a.txt"), of_ten("a.txt"));
    world.daemon().cli(&["package", "install", CAMERA, "--app-id", "10101", "--user", "0"]);
    wait_for("the file stays the package's", || owner_of(&lower).is_none());
    world.daemon().cli(&["package", "install", CAMERA, "--app-id", "10101", "--user", "0", "--user", "10"]);
    assert_eq!(ten.read_all(path).unwrap_err().0, libc::EACCES);
    assert_eq!(world.app(CAMERA).read_all(world.shared("Download/a.txt")).unwrap(), b"zero");
}
