//! Whoever is to find nothing finds nothing, whatever the kernel keeps for the others: other users' apps, work profiles'
//! apps, instant apps; from the start, and when they come later.

use libc::{EACCES, ENOENT};
use mediagate::config::{UserConfig, UserKindConfig, VolumeKindConfig};
use mediagate_tests::{Actor, Package, World};

use super::{APP, CAMERA, Running, app, code, packages};

/// Everything that asks by a path: stat, open, open for a path only, list, create.
fn tries(who: &mut Actor, root: &std::path::Path) -> [i32; 6] {
    [
        code(who.stat(root)),
        code(who.stat(root.join("DCIM/a.jpg"))),
        code(who.open(root.join("DCIM/a.jpg"), libc::O_PATH)),
        code(who.can_read(root.join("DCIM/a.jpg"))),
        code(who.list(root.join("DCIM"))),
        code(who.create(root.join("DCIM/new.jpg"), b"x")),
    ]
}

/// Has the kernel look at everything, and keep it.
fn warm(who: &mut Actor, root: &std::path::Path) {
    for _ in 0..2 {
        who.stat(root.join("DCIM/a.jpg")).unwrap();
        who.list(root.join("DCIM")).unwrap();
        who.read_all(root.join("DCIM/a.jpg")).unwrap();
    }
}

#[test]
fn a_clone_and_its_parent_see_each_other_and_nobody_else_comes_along() {
    let mut world = World::new(&packages().map(|package| package.users(&[0, 10, 11, 12])));
    world.config.volumes[0].users = vec![0, 10, 11, 12];
    let profile = |id, kind| UserConfig { id, kind, parent: Some(0), usb_file_transfer: true };
    world.config.users = vec![profile(11, UserKindConfig::Clone), profile(12, UserKindConfig::Work)];
    let running = Running::start(world);
    let mount = running.world.config.volumes[0].mount.clone();
    let root = |user: u32| mount.join(user.to_string());
    let mut cameras = [0, 10, 11, 12].map(|user| (user, app(user * 100_000 + 10_101)));
    for (user, camera) in &mut cameras {
        camera.create(root(*user).join("DCIM/a.jpg"), b"pixels").unwrap();
        warm(camera, &root(*user));
    }
    for _ in 0..3 {
        for (from, camera) in &mut cameras {
            for tree in [0, 10, 11, 12] {
                let together = *from == tree || matches!((*from, tree), (0, 11) | (11, 0));
                let expected = if together { [0; 6] } else { [EACCES; 6] };
                assert_eq!(tries(camera, &root(tree)), expected, "from {from} in {tree}");
                if together {
                    camera.unlink(root(tree).join("DCIM/new.jpg")).unwrap();
                    warm(camera, &root(tree));
                }
            }
        }
    }
    // The clone's own copy keeps its private directory to itself, warm or not.
    std::fs::create_dir_all(running.world.config.volumes[0].lower.join("11/Android/data").join(CAMERA))
        .unwrap();
    let private = root(11).join("Android/data").join(CAMERA).join("state");
    cameras[2].1.create(&private, b"x").unwrap();
    for _ in 0..2 {
        assert_eq!(code(cameras[2].1.stat(&private)), 0);
        assert_eq!(code(cameras[0].1.stat(&private)), ENOENT);
        assert_eq!(code(cameras[0].1.can_read(&private)), ENOENT);
    }
}

/// What only root finds is not kept for the others, however root has come by it.
#[test]
fn what_root_sees_below_transforms_is_not_kept() {
    let mut world = World::new(&packages());
    world.config.volumes[0].cache_seconds = Some(-1);
    let running = Running::start(world);
    let (lower, shared) = (running.world.lower(".transforms/x"), running.world.shared(".transforms/x"));
    std::fs::create_dir_all(&lower).unwrap();
    std::fs::write(lower.join("f"), "x").unwrap();
    let (mut root, mut camera) = (Actor::start(0), app(10_101));
    for _ in 0..2 {
        root.stat(shared.join("f")).unwrap();
        root.list(shared.parent().unwrap()).unwrap();
        assert_eq!(root.list(&shared).unwrap(), ["f"]);
        for path in [shared.clone(), shared.join("f"), shared.join("none")] {
            assert_eq!(code(camera.stat(&path)), ENOENT, "{path:?}");
        }
    }
}

/// One user and no instant app: the kernel keeps the whole path. Then there are others.
#[test]
fn who_comes_later_finds_nothing_that_was_kept_before() {
    let mut world = World::new(&packages());
    let card = world.add_volume("sdcard", VolumeKindConfig::Public);
    world.config.volumes[1].cache_seconds = Some(-1);
    let running = Running::start(world);
    let (own, control) = (running.world.shared(""), running.control());
    let mut camera = app(10_101);
    camera.mkdir(card.join("DCIM")).unwrap();
    for root in [&own, &card] {
        camera.create(root.join("DCIM/a.jpg"), b"pixels").unwrap();
        warm(&mut camera, root);
    }
    let lookups = |running: &Running| {
        let stats = running.control().stats();
        stats.into_iter().find(|it| it.name == "fuse.requests.lookup").unwrap().value
    };
    // Names that were looked up before the lower tree was watched are kept for a second only. The path has to be kept, or
    // the rest of this test says nothing.
    settle("the path is not kept", || {
        let before = lookups(&running);
        warm(&mut camera, &own);
        lookups(&running) == before
    });

    let later = Package::new("com.example.later", 10_110);
    control.install_package(later.users(&[10]).0).unwrap();
    settle("what was kept stays", || tries(&mut app(1_010_110), &own) == [EACCES; 6]);
    // A card is everybody's.
    let on_card = tries(&mut app(1_010_110), &card);
    assert_eq!((on_card[0], on_card[1], on_card[3]), (0, 0, EACCES));

    for root in [&own, &card] {
        warm(&mut camera, root);
    }
    let mut instant = Package::new("com.example.instant", 10_111);
    instant.0.instant = true;
    control.install_package(instant.0).unwrap();
    for root in [&own, &card] {
        settle("what was kept stays", || tries(&mut app(10_111), root) == [ENOENT; 6]);
        warm(&mut camera, root);
        assert_eq!(tries(&mut app(10_111), root), [ENOENT; 6]);
    }
    assert_eq!(code(app(10_111).list(running.world.config.volumes[0].mount.clone())), ENOENT);
    // Installing it for good lets it in.
    control.install_package(Package::new(APP, 10_102).0).unwrap();
    control.install_package(Package::new("com.example.instant", 10_111).0).unwrap();
    assert_eq!(code(app(10_111).stat(own.join("DCIM/a.jpg"))), 0);
}

/// The kernel hears of it a moment after the call has returned.
fn settle(otherwise: &str, mut done: impl FnMut() -> bool) {
    let begin = std::time::Instant::now();
    while !done() {
        assert!(begin.elapsed() < std::time::Duration::from_secs(10), "{otherwise}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
