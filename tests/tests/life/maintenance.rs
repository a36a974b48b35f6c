//! `maintain`: what it finds, and what it leaves alone.

use mediagate_tests::World;
use mediagate_tests::index::says_what_is_there;
use nix::sys::signal::Signal;

use super::{CAMERA, FILES, NOTES, now, owner_of, packages, world};

const DAY: i64 = 24 * 3600;

/// Runs it; says of each step what was done.
fn maintain(world: &mut World) -> Vec<(String, i64)> {
    let said = world.daemon().cli(&["maintain", "--json"]);
    let run: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(run["phase"], "done", "{said}");
    let steps = run["steps"].as_array().unwrap();
    assert!(steps.iter().all(|it| it["failed"] == 0 && it["phase"] == "done"), "{said}");
    steps.iter().map(|it| (it["name"].as_str().unwrap().to_owned(), it["done"].as_i64().unwrap())).collect()
}

fn done(steps: &[(String, i64)], name: &str) -> i64 {
    steps.iter().find(|it| it.0 == name).unwrap().1
}

#[test]
fn what_expired_this_week_goes_and_what_expired_before_gets_a_week_more() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    let name = |state: &str, when: i64, name: &str| format!(".{state}-{when}-{name}");
    let gone = [name("trashed", now() - 3600, "a.jpg"), name("pending", now() - 6 * DAY, "b.jpg")];
    let kept = [name("trashed", now() + DAY, "c.jpg"), "d.jpg".to_owned(), ".trashed-x.jpg".to_owned()];
    let old = [name("trashed", now() - 8 * DAY, "e.jpg"), name("pending", 1, "f.jpg")];
    for name in gone.iter().chain(&kept).chain(&old) {
        camera.create(world.shared("DCIM").join(name), name.as_bytes()).unwrap();
        // The kernel knows it from now on.
        camera.stat(world.shared("DCIM").join(name)).unwrap();
    }
    let steps = maintain(&mut world);
    assert_eq!(done(&steps, "expired"), 4);
    for name in gone.iter().chain(&old) {
        assert_eq!(camera.stat(world.shared("DCIM").join(name)).unwrap_err().0, libc::ENOENT, "{name}");
    }
    let mut names: Vec<_> = std::fs::read_dir(world.lower("DCIM"))
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|it| !kept.contains(it));
    assert_eq!(names.len(), 2, "{names:?}");
    for (plain, content) in [("e.jpg", &old[0]), ("f.jpg", &old[1])] {
        let name = names.iter().find(|it| it.ends_with(plain)).unwrap();
        let when: i64 = name.split('-').nth(1).unwrap().parse().unwrap();
        assert!((now() + 7 * DAY - 60..=now() + 7 * DAY).contains(&when), "{name}");
        assert_eq!(camera.read_all(world.shared("DCIM").join(name)).unwrap(), content.as_bytes());
        assert_eq!(owner_of(&world.lower("DCIM").join(name)).as_deref(), Some(CAMERA));
    }
    assert_eq!(done(&maintain(&mut world), "expired"), 0);
    says_what_is_there(&mut world);
}

#[test]
fn packages_and_users_that_are_gone_leave_nothing_of_theirs() {
    let mut world = World::new(&packages());
    world.config.volumes[0].users = vec![0, 10];
    world.start();
    world.daemon().wait_until_indexed();
    for app in [CAMERA, NOTES] {
        world.app(app).create(world.shared("Download").join(app), b"x").unwrap();
    }
    std::fs::write(world.config.volumes[0].lower.join("10/Download/f.txt"), b"of ten").unwrap();
    world.daemon().cli(&["scan"]);
    assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
    world.config.packages.retain(|it| it.name != CAMERA);
    world.config.volumes[0].users = vec![0];
    world.start();
    world.daemon().wait_until_indexed();
    let steps = maintain(&mut world);
    assert_eq!((done(&steps, "packages"), done(&steps, "users")), (1, 1));
    assert_eq!(owner_of(&world.lower("Download").join(CAMERA)), None);
    assert_eq!(owner_of(&world.lower("Download").join(NOTES)).as_deref(), Some(NOTES));
    let steps = maintain(&mut world);
    assert_eq!((done(&steps, "packages"), done(&steps, "users")), (0, 0));
    assert!(world.config.volumes[0].lower.join("10/Download/f.txt").exists(), "files stay");
}

#[test]
fn a_run_is_for_administrators_and_can_be_cancelled() {
    let mut world = world();
    let mut files = world.app(FILES);
    for n in 0..400 {
        let name = format!(".trashed-{}-{n}.jpg", now() - 60);
        files.create(world.shared("DCIM").join(name), b"x").unwrap();
    }
    let address = world.daemon().address().to_owned();
    let client = mediagate::binder::Client::connect(&address).unwrap();
    let run = client.maintain().unwrap();
    client.cancel_maintenance().unwrap();
    let ended = loop {
        let now = client.maintenance().unwrap().unwrap();
        assert_eq!(now.number, run.number);
        if now.is_over() {
            break now;
        }
    };
    assert_eq!(ended.phase, "cancelled", "{ended:?}");
    assert!(client.cancel_maintenance().is_err());
    let left = std::fs::read_dir(world.lower("DCIM")).unwrap().count();
    assert!(left > 0, "cancelled inside its first step");
    // And the next one is none the worse for it.
    assert_eq!(done(&maintain(&mut world), "expired"), i64::try_from(left).unwrap());
}
