//! Links: the redacted view by a name for sharing, the same for everybody.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use mediagate_tests::picture::{picture, redacted};
use mediagate_tests::{Actor, Job};

use super::*;

const LENGTH: usize = 50_001;
const CHAT: &str = "com.example.chat";
const THIEF: &str = "com.example.thief";

/// As `world`, and two apps that may read no picture.
fn world_of(users: &[u32]) -> World {
    let mut all = packages().to_vec();
    all.extend([Package::new(CHAT, 10105), Package::new(THIEF, 10106)]);
    let mut world = World::new(&all);
    world.config.volumes[0].cache_seconds = Some(-1);
    world.config.volumes[0].users = users.to_vec();
    world.start();
    world
}

fn link(world: &mut World, path: &Path, to: Option<&str>) -> PathBuf {
    let mut line = vec!["redact", "link", path.to_str().unwrap()];
    line.extend(to.into_iter().flat_map(|to| ["--to", to]));
    let said = world.daemon().try_cli(&line);
    assert!(said.status.success(), "{said:?}");
    PathBuf::from(String::from_utf8(said.stdout).unwrap().trim_end())
}

fn located(world: &World, name: &str) -> (PathBuf, Vec<u8>) {
    let path = world.shared(name);
    let located = picture(6, true, LENGTH);
    world.app(CAMERA).create(&path, &located).unwrap();
    settle();
    (path, located)
}

fn refused<T: std::fmt::Debug>(result: Result<T, mediagate_tests::Errno>) -> i32 {
    result.unwrap_err().0
}

#[test]
fn a_link_shows_no_location_to_anybody_while_the_path_shows_it_to_who_may_see_it() {
    let mut world = world_of(&[0]);
    let (path, located) = located(&world, "DCIM/a.jpg");
    let link = link(&mut world, &path, None);
    let base = world.shared(".transforms/synthetic/redacted");
    assert_eq!(link.parent().unwrap(), base);
    assert_eq!(self::link(&mut world, &path, None), link, "the name stays");
    let (mut camera, mut map, mut frame) = (world.app(CAMERA), world.app(MAP), world.app(FRAME));
    let expected = redacted(&located);
    let held: Vec<_> = [&mut camera, &mut map].map(|app| app.open(&link, libc::O_RDONLY).unwrap()).into();
    for app in [&mut camera, &mut map] {
        assert!(app.read_all(&link).unwrap() == expected);
        assert!(app.read_all(&path).unwrap() == located);
        assert!(app.read_all(&link).unwrap() == expected);
        assert_eq!(app.stat(&link).unwrap().size, LENGTH as u64);
        assert_ne!(app.stat(&link).unwrap().ino, app.stat(&path).unwrap().ino);
    }
    assert!(frame.read_all(&link).unwrap() == expected && frame.read_all(&path).unwrap() == expected);
    assert!(std::fs::read(&link).unwrap() == expected, "root");
    assert!(std::fs::read(link.with_extension("jpg")).unwrap() == expected);
    assert!(camera.read(held[0], 0, LENGTH).unwrap() == expected);

    // While links are open and read, who reads the file by its path still sends nothing.
    let before = world.daemon().stat("fuse.requests.read");
    assert!(map.read_all(&path).unwrap() == located && camera.read_all(&path).unwrap() == located);
    assert_eq!(world.daemon().stat("fuse.requests.read"), before);
    assert!(map.read(held[1], 0, LENGTH).unwrap() == expected);
}

#[test]
fn every_way_to_the_bytes_of_a_link_is_redacted() {
    let mut world = world_of(&[0]);
    let (path, located) = located(&world, "DCIM/a.jpg");
    let link = link(&mut world, &path, None);
    let expected = redacted(&located);
    let mut camera = world.app(CAMERA);
    let file = camera.open(&link, libc::O_RDONLY).unwrap();
    for private in [true, false] {
        let map = Job::MapRead { file, offset: 0, length: LENGTH, private };
        assert!(camera.job_bytes(map).unwrap() == expected);
    }
    let shared = Job::MapWrite { file, offset: 0, data: vec![1; 10], sync: true };
    assert_eq!(refused(camera.job(shared)), libc::EACCES);
    for how in 0..3 {
        let copy = world.shared(format!("Download/copy{how}"));
        let to = camera.open(&copy, libc::O_CREAT | libc::O_RDWR).unwrap();
        let from = camera.open(&link, libc::O_RDONLY).unwrap();
        let job = match how {
            0 => Job::SendFile { from, to, length: LENGTH },
            1 => Job::Splice { from, to, length: LENGTH },
            _ => Job::CopyRange { from, from_offset: 0, to, to_offset: 0, length: LENGTH },
        };
        assert_eq!(camera.job_number(job).unwrap(), LENGTH as u64);
        assert!(camera.read(to, 0, LENGTH + 1).unwrap() == expected, "{how}");
    }
    let direct = camera.open(&link, libc::O_RDONLY | libc::O_DIRECT).unwrap();
    let read = camera.job_bytes(Job::ReadAligned { file: direct, offset: 0, length: 65_536 }).unwrap();
    assert!(read == expected);
}

#[test]
fn nothing_is_written_by_a_link() {
    let mut world = world_of(&[0]);
    let (path, located) = located(&world, "DCIM/a.jpg");
    let link = link(&mut world, &path, None);
    for app in [CAMERA, EDITOR] {
        let mut app = world.app(app);
        for flags in
            [libc::O_WRONLY, libc::O_RDWR, libc::O_WRONLY | libc::O_APPEND, libc::O_RDONLY | libc::O_TRUNC]
        {
            assert_eq!(refused(app.open(&link, flags)), libc::EACCES, "{flags:o}");
        }
        let file = app.open(&link, libc::O_RDONLY).unwrap();
        assert!(app.job(Job::Truncate { file, size: 0 }).is_err());
        assert_eq!(refused(app.unlink(&link)), libc::EPERM);
        assert_eq!(refused(app.rename(&link, world.shared("DCIM/b.jpg"))), libc::EPERM);
    }
    // Root may do everything but that, too.
    let open = |write| std::fs::OpenOptions::new().read(true).write(write).open(&link);
    assert!(open(true).is_err() && open(false).is_ok());
    let times = std::fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
    assert!(open(false).unwrap().set_times(times).is_err());
    assert!(world.app(CAMERA).read_all(&path).unwrap() == located);
}

#[test]
fn who_may_read_no_picture_opens_the_link_that_it_was_given_and_no_other() {
    let mut world = world_of(&[0]);
    let (path, picture) = located(&world, "DCIM/a.jpg");
    let (beside, _) = located(&world, "DCIM/b.jpg");
    let given = link(&mut world, &path, Some(CHAT));
    let other = link(&mut world, &beside, None);
    let (mut chat, mut thief) = (world.app(CHAT), world.app(THIEF));
    for _ in 0..2 {
        assert!(chat.read_all(&given).unwrap() == redacted(&picture));
        assert_eq!(refused(chat.open(&path, libc::O_RDONLY)), libc::EACCES, "it is no right to the file");
        assert_eq!(refused(chat.open(&other, libc::O_RDONLY)), libc::EACCES);
        assert_eq!(refused(chat.open(&given, libc::O_RDWR)), libc::EACCES);
        assert_eq!(refused(thief.open(&given, libc::O_RDONLY)), libc::EACCES);
        // It outlives a restart.
        world.daemon().stop(nix::sys::signal::Signal::SIGTERM);
        world.start();
    }
    let trashed = world.shared("DCIM/.trashed-4000000000-a.jpg");
    world.app(CAMERA).rename(&path, &trashed).unwrap();
    assert_eq!(refused(chat.open(&given, libc::O_RDONLY)), libc::EACCES, "others see no trash");
    world.app(CAMERA).rename(&trashed, &path).unwrap();
    chat.can_read(&given).unwrap();
    assert!(world.daemon().try_cli(&["package", "remove", CHAT]).status.success());
    assert!(chat.open(&given, libc::O_RDONLY).is_err());
}

#[test]
fn apps_get_links_of_what_they_may_read() {
    let world = world_of(&[0]);
    let (path, _) = located(&world, "DCIM/a.jpg");
    let socket = world.config.service.listen[0].clone();
    let ask = |uid, path: PathBuf, reader: Option<(&'static str, u32)>| {
        let socket = socket.clone();
        mediagate_tests::as_app(uid, move || {
            let client = mediagate::binder::Client::connect(&socket).unwrap();
            client.redacted_path(path.as_os_str().as_encoded_bytes(), reader).is_ok()
        })
    };
    for (uid, may) in [(10101, true), (FRAME_UID, true), (10106, false)] {
        assert_eq!(ask(uid, path.clone(), None), may, "{uid}");
    }
    assert!(ask(10101, path.clone(), Some((CHAT, 0))));
    assert!(!ask(10101, path.clone(), Some((CHAT, 10))), "not in another user");
    assert!(!ask(10101, path.clone(), Some(("com.example.nobody", 0))));
    world.app(CAMERA).create(world.shared("Download/a.txt"), b"text").unwrap();
    for none in ["Download/a.txt", "DCIM", "DCIM/missing.jpg"] {
        assert!(!ask(0, world.shared(none), None), "{none}");
    }
}

#[test]
fn a_link_follows_its_file_and_goes_with_it() {
    let mut world = world_of(&[0]);
    let (path, picture) = located(&world, "DCIM/a.jpg");
    let link = link(&mut world, &path, None);
    let (mut camera, mut frame, mut editor) = (world.app(CAMERA), world.app(FRAME), world.app(EDITOR));
    let expected = redacted(&picture);
    frame.read_all(&link).unwrap();
    camera.rename(&path, world.shared("DCIM/b.jpg")).unwrap();
    assert!(frame.read_all(&link).unwrap() == expected);
    editor.mkdir(world.shared("Pictures/deep")).unwrap();
    editor.rename(world.shared("DCIM/b.jpg"), world.shared("Pictures/deep/c.jpg")).unwrap();
    editor.rename(world.shared("Pictures/deep"), world.shared("Pictures/deeper")).unwrap();
    assert!(frame.read_all(&link).unwrap() == expected);
    let now = world.shared("Pictures/deeper/c.jpg");

    // What is written shows, redacted, as soon as the writer has closed it.
    let new = mediagate_tests::picture::picture(7, true, LENGTH - 100);
    let file = editor.open(&now, libc::O_WRONLY | libc::O_TRUNC).unwrap();
    editor.write(file, None, &new).unwrap();
    assert!(!mediagate_tests::picture::tells(&frame.read_all(&link).unwrap()));
    editor.close(file);
    assert!(frame.read_all(&link).unwrap() == redacted(&new));
    assert_eq!(frame.stat(&link).unwrap().size, new.len() as u64);

    let held = frame.open(&link, libc::O_RDONLY).unwrap();
    let beside = world.shared("Pictures/deeper/new.jpg");
    editor.create(&beside, &picture).unwrap();
    editor.rename(&beside, &now).unwrap();
    assert_eq!(refused(frame.open(&link, libc::O_RDONLY)), libc::ENOENT, "another file has that name");
    assert!(frame.read(held, 0, LENGTH).unwrap() == redacted(&new), "what is open stays open");
    let again = self::link(&mut world, &now, None);
    assert_ne!(again, link);
    editor.unlink(&now).unwrap();
    for app in [&mut frame, &mut editor] {
        assert_eq!(refused(app.stat(&again)), libc::ENOENT);
    }
    world.daemon().stat("fuse.requests.read");
    frame.close(held);
}

#[test]
fn names_that_lead_nowhere_and_the_directories_on_the_way() {
    let mut world = world_of(&[0, 10]);
    let (path, _) = located(&world, "DCIM/a.jpg");
    let link = link(&mut world, &path, None);
    let name = link.file_name().unwrap().to_str().unwrap().to_owned();
    let base = link.parent().unwrap().to_owned();
    let mut frame = world.app(FRAME);
    let wrong = [
        "RUID",
        "x",
        ".nomedia",
        "RUID00112233445566778899aabbccddeeff",
        &name[..35],
        &format!("{name}0"),
        &name.to_lowercase(),
        &format!("{name}."),
        &format!("{name}.a.b"),
        &name.replace("RUID", ""),
    ]
    .map(|it| base.join(it));
    for wrong in wrong {
        assert_eq!(refused(frame.stat(&wrong)), libc::ENOENT, "{wrong:?}");
        assert_eq!(refused(frame.open(&wrong, libc::O_RDONLY)), libc::ENOENT, "{wrong:?}");
    }
    let mount = world.config.volumes[0].mount.clone();
    let elsewhere = mount.join("10/.transforms/synthetic/redacted").join(&name);
    assert_eq!(std::fs::metadata(&elsewhere).unwrap_err().kind(), ErrorKind::NotFound, "another user's tree");
    assert_eq!(refused(frame.stat(&elsewhere)), libc::EACCES);
    assert!(std::fs::metadata(mount.join(".transforms")).is_err(), "not above the users");

    let way = [".transforms", ".transforms/synthetic", ".transforms/synthetic/redacted"];
    for dir in way.map(|it| world.shared(it)) {
        let meta = std::fs::symlink_metadata(&dir).unwrap();
        assert!(meta.is_dir() && std::os::unix::fs::MetadataExt::mode(&meta) & 0o777 == 0o555);
        let nothing = |app: &mut Actor| {
            frame_sees(app, &dir);
            for made in [app.mkdir(dir.join("d")), app.create(dir.join("f"), b"x")] {
                let errno = refused(made);
                assert!(errno == libc::EPERM || errno == libc::ENOENT || errno == libc::EACCES, "{errno}");
            }
        };
        nothing(&mut frame);
        nothing(&mut world.app(EDITOR));
        assert!(std::fs::read_dir(&dir).is_err() && std::fs::create_dir(dir.join("d")).is_err());
        assert!(std::fs::write(dir.join("f"), "x").is_err() && std::fs::remove_dir(&dir).is_err());
    }
    assert!(!frame.list(world.shared("")).unwrap().iter().any(|it| it.contains("transforms")));
    assert!(!world.lower(".transforms").exists());

    // Where the lower tree has such directories links are found in them all the same.
    std::fs::create_dir_all(world.lower(".transforms/synthetic/redacted")).unwrap();
    world.daemon().stop(nix::sys::signal::Signal::SIGTERM);
    world.start();
    frame.can_read(&link).unwrap();
    assert_eq!(refused(frame.stat(base.join("RUID00112233445566778899aabbccddeeff"))), libc::ENOENT);
}

/// A directory on the way is there, and tells nothing.
fn frame_sees(app: &mut Actor, dir: &Path) {
    app.stat(dir).unwrap();
    assert!(app.list(dir).is_err(), "{dir:?} can be listed");
}

#[test]
fn what_cannot_be_understood_is_refused_to_everybody_and_a_lost_catalog_knows_no_links() {
    let mut world = world_of(&[0]);
    let (mut camera, mut editor) = (world.app(CAMERA), world.app(EDITOR));
    let path = world.shared("DCIM/broken.mp4");
    // A recording that goes on: what it tells comes at its end.
    let broken = [b"\0\0\0\x10ftypisom\0\0\x02\0".as_slice(), b"\0\0\0\0mdat", &[7; 100]].concat();
    assert!(mediagate::redaction::find::find(&broken).is_err());
    camera.create(&path, &broken).unwrap();
    let (fine, _) = located(&world, "DCIM/a.jpg");
    let [refused_link, gone] = [&path, &fine].map(|path| link(&mut world, path, None));
    for app in [&mut camera, &mut editor] {
        assert!(app.read_all(&path).unwrap() == broken);
        assert_eq!(refused(app.open(&refused_link, libc::O_RDONLY)), libc::EACCES);
        app.can_read(&gone).unwrap();
    }
    world.daemon().stop(nix::sys::signal::Signal::SIGTERM);
    std::fs::remove_dir_all(world.path("state")).unwrap();
    world.start();
    assert_eq!(refused(editor.stat(&gone)), libc::ENOENT);
}

#[test]
fn on_a_public_volume_links_are_at_its_top() {
    let mut world = World::new(&packages());
    let mount = world.add_volume("card", mediagate::config::VolumeKindConfig::Public);
    world.start();
    let path = mount.join("DCIM/a.jpg");
    std::fs::create_dir_all(world.path("lower-card/DCIM")).unwrap();
    let located = picture(6, true, LENGTH);
    std::fs::write(world.path("lower-card/DCIM/a.jpg"), &located).unwrap();
    settle();
    let link = link(&mut world, &path, None);
    assert_eq!(link.parent().unwrap(), mount.join(".transforms/synthetic/redacted"));
    assert!(world.app(MAP).read_all(&link).unwrap() == redacted(&located));
    assert!(world.app(MAP).read_all(&path).unwrap() == located);
}
