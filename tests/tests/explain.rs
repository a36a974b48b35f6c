//! `explain` says what the mount says, of what is there and of what is not, and what it says is needed is enough.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use mediagate::binder::Client;
use mediagate::control::{ExplainRequest, Explanation, GrantSpec};
use mediagate_tests::actor::Ask;
use mediagate_tests::picture::picture;
use mediagate_tests::{Actor, Errno, Package, World};

const CAMERA: &str = "com.example.camera";
const APP: &str = "com.example.app";
const READER: &str = "com.example.reader";

fn world() -> World {
    World::started(&[
        Package::new(CAMERA, 10101),
        Package::new(APP, 10102),
        Package::new(READER, 10103).permissions(&["READ_MEDIA_IMAGES"]),
        Package::new("com.example.files", 10104).app_op("MANAGE_EXTERNAL_STORAGE", "allow"),
    ])
}

const OPERATIONS: [&str; 22] = [
    "lookup",
    "getattr",
    "access-f",
    "access-r",
    "access-w",
    "access-x",
    "read",
    "write",
    "setattr",
    "getxattr",
    "setxattr",
    "listxattr",
    "removexattr",
    "list",
    // What changes something, were it allowed, at the end.
    "symlink",
    "link",
    "create",
    "mknod",
    "mkdir",
    "rmdir",
    "delete",
    "rename",
];

fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_encoded_bytes().to_vec()
}

fn explain(world: &mut World, uid: u32, operation: &str, path: &Path, to: Option<&Path>) -> Explanation {
    let client = Client::connect(world.daemon().address()).unwrap();
    let (operation, path) = (operation.to_owned(), bytes(path));
    client.explain(&ExplainRequest { uid, operation, path, to: to.map(bytes) }).unwrap()
}

/// Does it.
fn act(who: &mut Actor, operation: &str, path: &Path, to: &Path) -> Result<(), Errno> {
    let there = bytes(path);
    match operation {
        "lookup" | "getattr" => who.stat(path).map(drop),
        "access-f" => who.access(path, libc::F_OK),
        "access-r" => who.access(path, libc::R_OK),
        "access-w" => who.access(path, libc::W_OK),
        "access-x" => who.access(path, libc::X_OK),
        "read" => who.can_read(path),
        "write" => who.can_write(path),
        "setattr" => who.act(&Ask::Utimes { path: there, seconds: 1_000_000_000 }),
        "getxattr" => who.ask(&Ask::GetXattr { path: there }).map(drop),
        "setxattr" => who.act(&Ask::SetXattr { path: there }),
        "listxattr" => who.ask(&Ask::ListXattr { path: there }).map(drop),
        "removexattr" => who.act(&Ask::RemoveXattr { path: there }),
        "list" => who.list(path).map(drop),
        "symlink" => who.act(&Ask::Symlink { target: b"x".to_vec(), path: there }),
        "link" => who.act(&Ask::Link { from: bytes(to), to: there }),
        "create" => {
            let flags = libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY;
            who.open(path, flags).map(|file| who.close(file)).map(drop)
        }
        "mknod" => who.act(&Ask::Mknod { path: there, mode: libc::S_IFREG | 0o600 }),
        "mkdir" => who.mkdir(path),
        "rmdir" => who.rmdir(path),
        "delete" => who.unlink(path),
        "rename" => who.rename(path, to),
        other => panic!("no operation {other}"),
    }
}

/// Puts everything where it was.
fn set_up(world: &World) {
    let lower = |name: &str| world.lower(name);
    for dir in ["DCIM/full", "DCIM/empty", "Android/data/com.example.camera/d", "Download"] {
        std::fs::create_dir_all(lower(dir)).unwrap();
    }
    let mut camera = world.app(CAMERA);
    for file in ["DCIM/a.jpg", "DCIM/full/b.jpg", "Download/linked.bin", "Android/data/com.example.camera/f"]
    {
        if !lower(file).exists() {
            camera.create(world.shared(file), b"x").unwrap();
        }
    }
    let private = "Android/data/com.example.camera";
    for gone in
        ["DCIM/new.jpg", "DCIM/renamed.jpg", &format!("{private}/none"), &format!("{private}/d/b.jpg")]
    {
        let _ = std::fs::remove_file(lower(gone));
        let _ = std::fs::remove_dir_all(lower(gone));
    }
}

#[test]
fn it_says_what_the_mount_says() {
    let mut world = world();
    let uids = [10101, 10102, 10103, 10104, 19_999, 0];
    let mut actors = uids.map(|uid| (uid, Actor::start(uid)));
    let paths = [
        "DCIM/a.jpg",
        "DCIM/full",
        "DCIM/empty",
        "DCIM/new.jpg",
        "DCIM/none/new.jpg",
        "DCIM/a.jpg/new.jpg",
        "Android/data/com.example.camera",
        "Android/data/com.example.camera/f",
        "Android/data/com.example.camera/none",
    ];
    let (mut wrong, mut asked) = (Vec::new(), 0);
    set_up(&world);
    // What stands at a new name that the caller does not see must not show in the answer.
    let new_names = [
        "DCIM/renamed.jpg",
        "Android/data/com.example.camera/f",
        "Android/data/com.example.camera/d",
        "Android/data/com.example.camera/none",
        "Android/data/com.example.none/f",
    ];
    let linked = world.shared("Download/linked.bin");
    for (uid, actor) in &mut actors {
        for name in paths {
            let path = world.shared(name);
            let renames = new_names.iter().filter(|to| !to.starts_with(name)).map(|to| ("rename", Some(*to)));
            let plain = OPERATIONS.iter().filter(|it| **it != "rename").map(|it| (*it, None));
            for (operation, new_name) in plain.chain(renames) {
                let to = new_name.map(|it| world.shared(it));
                let said = explain(&mut world, *uid, operation, &path, to.as_deref());
                let got = act(actor, operation, &path, to.as_deref().unwrap_or(&linked));
                let got = got.map_or_else(|errno| format!("{errno:?}"), |()| String::new());
                asked += 1;
                if said.errno != got {
                    wrong.push(format!(
                        "{operation} {name} {new_name:?} by {uid}: {got:?}, explain says {:?} ({})",
                        said.errno, said.rule
                    ));
                }
                if got.is_empty() {
                    set_up(&world);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {asked} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Each need of a refusal, met through the interface, lets.
#[test]
fn what_is_needed_is_enough_on_the_mount() {
    let mut world = world();
    set_up(&world);
    let path = world.shared("DCIM/a.jpg");
    let client = Client::connect(world.daemon().address()).unwrap();
    let mut app = world.app(APP);
    for (operation, flags) in [("read", libc::O_RDONLY), ("write", libc::O_RDWR)] {
        let needs = explain(&mut world, 10102, operation, &path, None).needs;
        let mut met = 0;
        for need in &needs {
            let grant = |kind: &str| GrantSpec {
                package: APP.to_owned(),
                user: 0,
                path: bytes(&path),
                kind: kind.to_owned(),
                expires: None,
            };
            assert!(app.open(&path, flags).is_err(), "before {need}");
            if need.bytes().all(|it| it.is_ascii_uppercase() || it == b'_') {
                client.set_permission(APP, need, true).unwrap();
                app.open(&path, flags).unwrap_or_else(|errno| panic!("{operation} with {need}: {errno:?}"));
                client.set_permission(APP, need, false).unwrap();
            } else if let Some(op) = need.strip_prefix("app op ") {
                client.set_app_op(APP, op, "allow").unwrap();
                app.open(&path, flags).unwrap_or_else(|errno| panic!("{operation} with {need}: {errno:?}"));
                client.set_app_op(APP, op, "default").unwrap();
            } else if need.contains(" grant on the file") {
                let kind = if need.contains("write") { "write" } else { "read" };
                client.add_grant(&grant(kind)).unwrap();
                app.open(&path, flags).unwrap_or_else(|errno| panic!("{operation} with {need}: {errno:?}"));
                client.remove_grants(APP, 0, Some(&bytes(&path))).unwrap();
            } else {
                continue;
            }
            met += 1;
        }
        assert!(met >= 4, "{operation}: {needs:?}");
    }
    assert!(explain(&mut world, 10101, "read", &path, None).needs.is_empty());
}

#[test]
fn facts_are_told_of_the_caller_the_file_and_the_new_name() {
    let mut world = world();
    set_up(&world);
    let (path, to) = (world.shared("DCIM/a.jpg"), world.shared("DCIM/full/b.jpg"));
    let answer = explain(&mut world, 10103, "rename", &path, Some(&to));
    let fact = |name: &str| {
        let found = answer.facts.iter().find(|(it, _)| it == name);
        found.unwrap_or_else(|| panic!("no {name} among {:?}", answer.facts)).1.clone()
    };
    for (name, value) in [
        ("caller", "uid 10103 (App)"),
        ("packages", READER),
        ("target SDK", "34"),
        ("permissions", "READ_MEDIA_IMAGES"),
        ("app ops", "none"),
        ("classes", "reads images, sees no locations"),
        ("mount mode", "default"),
        ("path", "DCIM/a.jpg"),
        ("exists", "true"),
        ("kind", "file"),
        ("owner", CAMERA),
        ("media type", "Image"),
        ("state", "published"),
        ("grants", "none"),
        ("new path", "DCIM/full/b.jpg"),
        ("replaces", CAMERA),
    ] {
        assert_eq!(fact(name), value, "{name}");
    }
    assert_eq!((answer.errno.as_str(), answer.rule.as_str()), ("EPERM", "not-yours-to-rename"));
}

#[test]
fn links_are_explained() {
    let mut world = world();
    let path = world.shared("DCIM/located.jpg");
    world.app(CAMERA).create(&path, &picture(6, true, 50_001)).unwrap();
    let link = |world: &mut World, to: &[&str]| {
        let mut line = vec!["redact", "link", path.to_str().unwrap()];
        line.extend(to);
        PathBuf::from(world.daemon().cli(&line).trim_end())
    };
    let name = link(&mut world, &[]);
    let (mut app, mut camera) = (world.app(APP), world.app(CAMERA));
    // Not given to the app, which may not read the file either.
    let refused = explain(&mut world, 10102, "read", &name, None);
    assert_eq!((refused.errno.as_str(), refused.allowed), ("EACCES", false), "{refused:?}");
    assert_eq!(app.can_read(&name).unwrap_err().0, libc::EACCES);
    assert!(refused.needs.iter().any(|it| it == "READ_MEDIA_IMAGES"), "{refused:?}");
    // Whoever reads it reads it redacted.
    for (uid, actor) in [(10101, &mut camera), (10102, &mut app)] {
        if uid == 10102 {
            link(&mut world, &["--to", APP]);
        }
        let read = explain(&mut world, uid, "read", &name, None);
        assert!(read.allowed && read.redacted, "{uid}: {read:?}");
        actor.can_read(&name).unwrap();
        for (operation, errno) in [
            ("lookup", ""),
            ("access-r", ""),
            ("access-w", "EACCES"),
            ("write", "EACCES"),
            ("setattr", "EACCES"),
            ("delete", "EPERM"),
            ("listxattr", "EOPNOTSUPP"),
            ("mkdir", "EEXIST"),
        ] {
            let said = explain(&mut world, uid, operation, &name, None);
            let got = act(actor, operation, &name, &name)
                .map_or_else(|errno| format!("{errno:?}"), |()| String::new());
            assert_eq!((said.errno.as_str(), got.as_str()), (errno, errno), "{operation} by {uid}");
        }
    }
    camera.unlink(&path).unwrap();
    assert_eq!(explain(&mut world, 10101, "read", &name, None).errno, "ENOENT");
    // The directories on the way.
    let way = name.parent().unwrap();
    assert!(explain(&mut world, 10102, "lookup", way, None).allowed);
    assert_eq!(explain(&mut world, 10102, "list", way, None).errno, "EPERM");
    assert_eq!(app.list(way).unwrap_err().0, libc::EPERM);
}
