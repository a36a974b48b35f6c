//! Who a uid is: with a package, without one, with several, of another user, from a list that changes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libc::{EACCES, EFAULT, EPERM};
use mediagate::catalog::{Catalog, FileKey};
use mediagate::config::VolumeKindConfig;
use mediagate_tests::{Actor, Errno, Package, World};
use nix::sys::signal::Signal;
use rustix::fs::{XattrFlags, getxattr, setxattr};

const CAMERA: &str = "com.example.camera";
const GALLERY: &str = "com.example.gallery";
const IMAGES: &str = "READ_MEDIA_IMAGES";
const OWNER: &str = "user.mediagate.owner";

fn camera() -> Package {
    Package::new(CAMERA, 10_101)
}

fn gallery() -> Package {
    Package::new(GALLERY, 10_102).permissions(&[IMAGES])
}

/// What an app gets: 0, or the errno.
fn code<T>(result: Result<T, Errno>) -> i32 {
    result.err().map_or(0, |errno| errno.0)
}

fn owner_of(lower: &Path) -> Option<String> {
    let mut value = [0; 256];
    let length = getxattr(lower, OWNER, &mut value).ok()?;
    Some(String::from_utf8(value[..length].to_vec()).unwrap())
}

/// stat, open for reading, open for writing, listing, create and remove.
fn tries(who: &mut Actor, dir: &Path) -> [i32; 5] {
    let (file, new) = (dir.join("a.jpg"), dir.join("new.jpg"));
    let made = code(who.create(&new, b"x"));
    if made == 0 {
        assert_eq!(code(who.unlink(&new)), 0, "uid {}", who.uid);
    }
    [code(who.stat(&file)), code(who.can_read(&file)), code(who.can_write(&file)), code(who.list(dir)), made]
}

#[test]
fn uids_without_a_package_see_names_and_nothing_else() {
    let mut world = World::new(&[camera()]);
    world.config.volumes[0].users = vec![0, 10];
    world.start();
    let dir = world.shared("DCIM");
    world.app(CAMERA).create(dir.join("a.jpg"), b"pixels").unwrap();
    let nobody = [0, EFAULT, EFAULT, EPERM, EFAULT];
    let elsewhere = [EACCES; 5];
    for (uid, expected) in [
        (0, [0; 5]),
        (2_000, [0; 5]),
        // The system and its daemons: they may look anywhere, and open nothing. Only user 0's reach over to others.
        (1_000, nobody),
        (1_023, nobody),
        (1_001_000, elsewhere),
        // Nobody's root and nobody's shell.
        (100_000, elsewhere),
        (1_000_000, elsewhere),
        (1_002_000, elsewhere),
        // No app of user 0 has this uid; isolated processes have none either.
        (19_999, nobody),
        (99_001, nobody),
        (90_123, nobody),
        // Those of user 10 do not even get to user 0's tree.
        (1_019_999, elsewhere),
        (1_099_001, elsewhere),
        (1_010_101, elsewhere),
    ] {
        assert_eq!(tries(&mut Actor::start(uid), &dir), expected, "uid {uid}");
    }
}

#[test]
fn what_root_and_the_shell_make_belongs_to_nobody() {
    let world = World::started(&[camera(), gallery()]);
    for uid in [0, 2_000] {
        let name = format!("DCIM/by-{uid}.jpg");
        Actor::start(uid).create(world.shared(&name), b"x").unwrap();
        assert_eq!(owner_of(&world.lower(&name)), None, "uid {uid}");
        assert_eq!(code(world.app(CAMERA).can_read(world.shared(&name))), EACCES, "nobody's own");
        assert_eq!(code(world.app(GALLERY).can_read(world.shared(&name))), 0, "an image like another");
    }
}

/// What is in `Android/media/P` and says no owner is P's, and stays so when a directory takes it elsewhere.
#[test]
fn directories_take_owners_by_place_along() {
    const FILES: &str = "com.example.files";
    let world =
        World::started(&[camera(), Package::new(FILES, 10_120).app_op("MANAGE_EXTERNAL_STORAGE", "allow")]);
    let home = format!("Android/media/{CAMERA}");
    for (who, from, to) in [
        (CAMERA, format!("{home}/d"), "Pictures/d".to_owned()),
        (CAMERA, format!("{home}/e"), "Android/media/com.example.other/e".to_owned()),
        (FILES, format!("{home}/f"), "Download/f".to_owned()),
        (FILES, home.clone(), "Download/home".to_owned()),
        (FILES, "Android/media".to_owned(), "Download/media".to_owned()),
    ] {
        let inside =
            if from == "Android/media" { format!("{CAMERA}/a.jpg") } else { "deep/a.jpg".to_owned() };
        let file = world.lower(&from).join(&inside);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::create_dir_all(world.lower(&to).parent().unwrap()).unwrap();
        std::fs::write(&file, b"x").unwrap();
        assert_eq!(owner_of(&file), None);
        world.app(who).rename(world.shared(&from), world.shared(&to)).unwrap();
        let moved = format!("{to}/{inside}");
        assert_eq!(owner_of(&world.lower(&moved)).as_deref(), Some(CAMERA), "{to}");
        assert_eq!(code(world.app(CAMERA).can_write(world.shared(&moved))), 0, "{to}");
    }
}

#[test]
fn packages_with_one_uid_own_together_and_the_first_signs() {
    let with_uid = |name: &str| {
        let mut package = Package::new(name, 10_110);
        package.0.shared_uid = true;
        package
    };
    let mut world = World::started(&[
        with_uid("com.example.first"),
        with_uid("com.example.second").permissions(&[IMAGES]),
        camera(),
    ]);
    let (mut both, mut camera) = (Actor::start(10_110), world.app(CAMERA));
    let (made, put) = ("DCIM/made.jpg", "DCIM/put.jpg");
    both.create(world.shared(made), b"x").unwrap();
    assert_eq!(owner_of(&world.lower(made)).as_deref(), Some("com.example.first"));
    std::fs::write(world.lower(put), b"x").unwrap();
    setxattr(world.lower(put), OWNER, b"com.example.second", XattrFlags::empty()).unwrap();
    for own in [made, put] {
        assert_eq!(code(both.can_write(world.shared(own))), 0, "{own}");
        assert_eq!(code(camera.can_write(world.shared(own))), EACCES, "{own}");
    }
    assert_eq!(both.list(world.shared("DCIM")).unwrap(), ["made.jpg", "put.jpg"]);

    // What one of them may, the uid may.
    camera.create(world.shared("DCIM/camera.jpg"), b"x").unwrap();
    assert_eq!(code(both.can_read(world.shared("DCIM/camera.jpg"))), 0);
    world.daemon().cli(&["permission", "revoke", "com.example.second", IMAGES]);
    assert_eq!(code(both.can_read(world.shared("DCIM/camera.jpg"))), EACCES);

    // Without the first one the second signs, and the first one's files are somebody else's.
    world.daemon().cli(&["package", "remove", "com.example.first"]);
    both.create(world.shared("DCIM/later.jpg"), b"x").unwrap();
    assert_eq!(owner_of(&world.lower("DCIM/later.jpg")).as_deref(), Some("com.example.second"));
    assert_eq!(code(both.can_write(world.shared(made))), EACCES);
    assert_eq!(code(both.can_write(world.shared(put))), 0);
}

#[test]
fn users_are_kept_apart() {
    let mut world =
        World::new(&[camera().users(&[0, 10]), gallery().app_op("MANAGE_EXTERNAL_STORAGE", "allow")]);
    world.config.volumes[0].users = vec![0, 10];
    // Nothing that the kernel keeps may let one user's app in after another's.
    world.config.volumes[0].cache_seconds = Some(-1);
    world.start();
    let mount = world.config.volumes[0].mount.clone();
    let at = |relative: &str| mount.join(relative);
    let (mut own, mut other) = (world.app(CAMERA), Actor::start(1_010_101));
    own.create(at("0/DCIM/a.jpg"), b"zero").unwrap();
    other.create(at("10/DCIM/a.jpg"), b"ten").unwrap();
    for _ in 0..2 {
        assert_eq!(own.read_all(at("0/DCIM/a.jpg")).unwrap(), b"zero");
        assert_eq!(other.read_all(at("10/DCIM/a.jpg")).unwrap(), b"ten");
        for (who, theirs) in [(&mut own, "10"), (&mut other, "0")] {
            assert_eq!(code(who.stat(at(theirs))), EACCES);
            assert_eq!(tries(who, &at(theirs).join("DCIM")), [EACCES; 5]);
            assert_eq!(code(who.list(&mount)), EPERM);
        }
    }
    // Nor does managing all files reach over to another user.
    let mut manager = world.app(GALLERY);
    assert_eq!(tries(&mut manager, &at("0/DCIM")), [0; 5]);
    assert_eq!(tries(&mut manager, &at("10/DCIM")), [EACCES; 5]);
    // The manager is not installed for user 10: there its uid has no package.
    assert_eq!(tries(&mut Actor::start(1_010_102), &at("10/DCIM")), [0, EFAULT, EFAULT, EPERM, EFAULT]);

    assert_eq!(code(own.rename(at("0/DCIM/a.jpg"), at("10/DCIM/b.jpg"))), EACCES);
    assert_eq!(code(own.rmdir(at("0"))), libc::ENOENT);
    assert_eq!(code(own.mkdir(at("11"))), EACCES);
    for uid in [0, 2_000] {
        let mut host = Actor::start(uid);
        assert_eq!(host.list(&mount).unwrap(), ["0", "10"], "uid {uid}");
        assert_eq!(host.read_all(at("10/DCIM/a.jpg")).unwrap(), b"ten", "uid {uid}");
        assert_eq!(code(host.rename(at("0/DCIM/a.jpg"), at("10/DCIM/b.jpg"))), libc::EXDEV, "uid {uid}");
        assert_eq!(code(host.stat(at("11"))), libc::ENOENT, "uid {uid}");
        assert_eq!(code(host.mkdir(at("11"))), EPERM, "uid {uid}");
        assert_eq!(code(host.rmdir(at("10"))), libc::ENOTEMPTY, "uid {uid}");
    }
}

/// A line of `packages.list` as Android's package manager writes it.
fn line(name: &str, app_id: u32) -> String {
    format!("{name} {app_id} 0 /data/user/0/{name} default:targetSdkVersion=34 none 0 1 1 @system\n")
}

fn replace(file: &Path, lines: &[String]) {
    let new = file.with_extension("new");
    std::fs::write(&new, lines.concat()).unwrap();
    std::fs::rename(new, file).unwrap();
}

/// How long it takes until `read` answers with `expected`.
fn until(who: &mut Actor, file: &PathBuf, expected: i32) -> Duration {
    let begin = Instant::now();
    while code(who.can_read(file)) != expected {
        assert!(begin.elapsed() < Duration::from_secs(20), "uid {} does not get {expected}", who.uid);
        std::thread::sleep(Duration::from_millis(5));
    }
    begin.elapsed()
}

#[test]
fn packages_come_and_go_with_the_package_managers_list() {
    let mut world = World::new(&[camera(), gallery()]);
    let list = world.path("packages.list");
    world.config.service.packages_list = Some(list.clone());
    let (camera, gallery) = (line(CAMERA, 10_101), line(GALLERY, 10_102));
    let both = [camera.clone(), gallery.clone()];
    std::fs::write(&list, &camera).unwrap();
    world.start();
    let photo = world.shared("DCIM/a.jpg");
    let (mut owner, mut viewer) = (Actor::start(10_101), Actor::start(10_102));
    owner.create(&photo, b"pixels").unwrap();
    assert_eq!(code(viewer.can_read(&photo)), EFAULT, "not listed yet");

    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        replace(&list, &both);
        fastest = fastest.min(until(&mut viewer, &photo, 0));
        replace(&list, std::slice::from_ref(&camera));
        fastest = fastest.min(until(&mut viewer, &photo, EFAULT));
    }
    assert!(fastest < Duration::from_secs(1), "{fastest:?}");

    // The owner leaves: what it made is nobody's, also when it comes back.
    replace(&list, std::slice::from_ref(&gallery));
    until(&mut owner, &photo, EFAULT);
    assert_eq!(code(viewer.can_read(&photo)), 0);
    let begin = Instant::now();
    while owner_of(&world.lower("DCIM/a.jpg")).is_some() {
        assert!(begin.elapsed() < Duration::from_secs(20), "the file is still its own");
        std::thread::sleep(Duration::from_millis(5));
    }
    replace(&list, &both);
    until(&mut owner, &photo, EACCES);
    assert_eq!(code(owner.can_write(&photo)), EACCES);

    // A permission that was taken stays taken when the list is written again.
    world.daemon().cli(&["permission", "revoke", GALLERY, IMAGES]);
    assert_eq!(code(viewer.can_read(&photo)), EACCES);
    replace(&list, std::slice::from_ref(&camera));
    until(&mut viewer, &photo, EFAULT);
    replace(&list, &both);
    until(&mut viewer, &photo, EACCES);

    // A list that is gone changes nothing, nor does a line that is none.
    std::fs::remove_file(&list).unwrap();
    replace(&list, &["garbage\n".to_owned(), camera, "\u{0}\u{0}\n".to_owned()]);
    until(&mut viewer, &photo, EFAULT);
    assert_eq!(code(owner.can_read(&photo)), EACCES, "a package still, if not the file's");
}

#[test]
fn a_permission_counts_from_the_next_open_on() {
    let mut world = World::started(&[camera(), gallery()]);
    let photo = world.shared("DCIM/a.jpg");
    world.app(CAMERA).create(&photo, b"pixels").unwrap();
    let mut viewer = world.app(GALLERY);
    assert_eq!(code(viewer.can_read(&photo)), 0);
    let mut wrong = Vec::new();
    for toggle in 0..1000 {
        let granted = toggle % 2 == 1;
        let verb = if granted { "grant" } else { "revoke" };
        world.daemon().cli(&["permission", verb, GALLERY, IMAGES]);
        let got = code(viewer.can_read(&photo));
        let listed = viewer.list(world.shared("DCIM")).unwrap();
        if (got, listed.len()) != if granted { (0, 1) } else { (EACCES, 0) } {
            wrong.push(format!("{toggle}: after {verb} open says {got} and the listing {listed:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of 1000 wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn an_app_op_counts_from_the_next_open_on() {
    let mut world = World::started(&[camera(), gallery()]);
    let document = world.shared("Download/a.pdf");
    world.app(CAMERA).create(&document, b"%PDF").unwrap();
    let mut manager = world.app(GALLERY);
    for (mode, expected) in [
        ("default", EACCES),
        ("allow", 0),
        ("ignore", EACCES),
        ("allow", 0),
        ("deny", EACCES),
        ("default", EACCES),
    ] {
        world.daemon().cli(&["appop", "set", GALLERY, "MANAGE_EXTERNAL_STORAGE", mode]);
        assert_eq!(code(manager.can_write(&document)), expected, "{mode}");
    }
}

#[test]
fn a_file_that_is_open_stays_open_when_the_permission_goes() {
    let mut world = World::new(&[camera(), gallery()]);
    // Once served by the kernel, once by the daemon.
    let daemon_served = world.add_volume("sdcard", VolumeKindConfig::Public);
    world.config.volumes[1].passthrough = false;
    world.start();
    let photos = [world.shared("DCIM/a.jpg"), daemon_served.join("DCIM/a.jpg")];
    Actor::start(0).mkdir(daemon_served.join("DCIM")).unwrap();
    let (mut owner, mut viewer) = (world.app(CAMERA), world.app(GALLERY));
    let content: Vec<u8> = (0..1_000_000_u32).map(|it| (it % 251) as u8).collect();
    let files = photos.each_ref().map(|photo| {
        owner.create(photo, &content).unwrap();
        viewer.open(photo, libc::O_RDONLY).unwrap()
    });
    world.daemon().cli(&["permission", "revoke", GALLERY, IMAGES]);
    for (photo, file) in photos.iter().zip(files) {
        assert_eq!(code(viewer.can_read(photo)), EACCES);
        assert_eq!(viewer.read(file, 500_000, 4096).unwrap(), content[500_000..504_096]);
        assert_eq!(viewer.stat_open(file).unwrap().size, content.len() as u64);
    }
    // Even when the app itself goes.
    world.daemon().cli(&["package", "remove", GALLERY]);
    for (photo, file) in photos.iter().zip(files) {
        assert_eq!(code(viewer.can_read(photo)), EFAULT);
        assert_eq!(viewer.read(file, 999_000, 4096).unwrap(), content[999_000..]);
        viewer.close(file);
    }
}

/// Puts a file of the gallery's in the place of another one, behind the mount: as a new file under the old one's inode
/// number where the file system hands it out again, or moved there.
fn take_the_place(lower: &Path, moved: bool) {
    let made = if moved { lower.with_extension("new") } else { lower.to_owned() };
    if !moved {
        std::fs::remove_file(lower).unwrap();
    }
    std::fs::write(&made, b"another").unwrap();
    setxattr(&made, OWNER, GALLERY.as_bytes(), XattrFlags::empty()).unwrap();
    std::fs::rename(&made, lower).unwrap();
}

#[test]
fn a_file_that_takes_anothers_place_behind_the_mount_keeps_its_own_owner() {
    let mut world = World::new(&[camera(), Package::new(GALLERY, 10_102)]);
    world.start();
    let names = ["DCIM/d/again.jpg", "DCIM/d/moved.jpg"];
    let (mut owner, mut other) = (world.app(CAMERA), world.app(GALLERY));
    owner.mkdir(world.shared("DCIM/d")).unwrap();
    let fill = |world: &World, owner: &mut Actor| {
        for (name, moved) in names.into_iter().zip([false, true]) {
            owner.create(world.shared(name), b"pixels").unwrap();
            assert_eq!(owner.list(world.shared("DCIM/d")).unwrap().len(), 1, "indexed");
            take_the_place(&world.lower(name), moved);
            assert_eq!(owner.list(world.shared("DCIM/d")).unwrap(), [""; 0], "{name}");
        }
    };

    // While the service runs.
    fill(&world, &mut owner);
    assert_eq!(other.list(world.shared("DCIM/d")).unwrap().len(), 2);
    // A directory of others' files is not to be moved, whatever was in it before.
    assert_eq!(code(owner.rename(world.shared("DCIM/d"), world.shared("DCIM/e"))), EPERM);
    assert_eq!(code(other.rename(world.shared("DCIM/d"), world.shared("DCIM/e"))), 0);
    other.rename(world.shared("DCIM/e"), world.shared("DCIM/d")).unwrap();

    // While it does not, and did not end in order: the pass over the volume mends the index before anybody looks.
    for name in names {
        other.unlink(world.shared(name)).unwrap();
        owner.create(world.shared(name), b"pixels").unwrap();
    }
    assert_eq!(owner.list(world.shared("DCIM/d")).unwrap().len(), 2, "indexed");
    world.daemon().wait_until_indexed();
    world.daemon().stop(Signal::SIGKILL);
    for (name, moved) in names.into_iter().zip([false, true]) {
        take_the_place(&world.lower(name), moved);
    }
    world.start();
    world.daemon().wait_until_indexed();
    world.daemon().stop(Signal::SIGTERM);
    let catalog = Catalog::open(&world.config.service.state_dir, Arc::default()).unwrap();
    let volume = catalog.volume("external_primary", "emulated").unwrap();
    for name in ["again.jpg", "moved.jpg"] {
        let key = FileKey { volume, user: 0, dir: b"DCIM/d".to_vec(), name: name.into() };
        let row = catalog.file(&key).unwrap().unwrap();
        assert_eq!((row.owner.as_deref(), row.size), (Some(GALLERY), 7), "{name}");
    }
    catalog.close();
}
