//! A catalog that is damaged, wherever: noticed at the start, put aside and made anew, while apps go on.

use mediagate_tests::index::says_what_is_there;
use mediagate_tests::{Actor, World};
use nix::sys::signal::Signal;

use super::{CAMERA, NOTES, catalog, owner_of, row, wait_for, world};

const PAGE: usize = 4096;

fn see_theirs(world: &World, apps: &mut [(Actor, &str)]) {
    for (app, own) in &mut *apps {
        assert_eq!(&app.list(world.shared("Download")).unwrap(), &[(*own).to_owned()]);
        assert_eq!(app.read_all(world.shared("Download").join(*own)).unwrap(), own.as_bytes());
    }
    let (one, other) = (apps[0].1, apps[1].1);
    assert!(apps[0].0.read_all(world.shared("Download").join(other)).is_err());
    assert!(apps[1].0.read_all(world.shared("Download").join(one)).is_err());
}

fn each_damage(what: &str, damage: impl Fn(&mut Vec<u8>, usize)) {
    let mut world = world();
    let mut apps = [(world.app(CAMERA), "camera.txt"), (world.app(NOTES), "notes.txt")];
    for (app, own) in &mut apps {
        app.create(world.shared("Download").join(*own), own.as_bytes()).unwrap();
    }
    assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
    let db = world.config.service.state_dir.join("catalog.db");
    let whole = std::fs::read(&db).unwrap();
    let pages = whole.len() / PAGE;
    assert!(pages > 20, "{pages}");
    let every: usize = std::env::var("MEDIAGATE_EVERY_PAGE").map_or(4, |_| 1);
    for page in (0..pages).filter(|page| page % every == 0) {
        let mut bytes = whole.clone();
        damage(&mut bytes, page);
        std::fs::write(&db, bytes).unwrap();
        world.start_over();
        // Before the index is made anew, and after.
        see_theirs(&world, &mut apps);
        world.daemon().wait_until_indexed();
        see_theirs(&world, &mut apps);
        says_what_is_there(&mut world);
        eprintln!("{what} page {page} of {pages}");
    }
}

#[test]
fn any_page_that_is_garbage() {
    each_damage("flipped", |bytes, page| bytes[page * PAGE..][..PAGE].iter_mut().for_each(|it| *it = !*it));
}

#[test]
fn an_end_at_any_page() {
    each_damage("cut", |bytes, page| bytes.truncate(page * PAGE));
}

#[test]
fn a_backup_brings_no_owners_back() {
    let mut world = world();
    let file = "Download/camera.txt";
    world.app(CAMERA).create(world.shared(file), b"camera").unwrap();
    assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
    let db = world.config.service.state_dir.join("catalog.db");
    let backup = std::fs::read(&db).unwrap();
    world.start_over();
    world.daemon().wait_until_indexed();
    world.daemon().cli(&["package", "remove", CAMERA]);
    wait_for("its file stays its own", || owner_of(&world.lower(file)).is_none());
    assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
    std::fs::write(&db, backup).unwrap();
    // The package is back with it, as it was then.
    world.start_over();
    assert_eq!(world.app(CAMERA).list(world.shared("Download")).unwrap(), [""; 0]);
    world.daemon().wait_until_indexed();
    assert_eq!(world.app(CAMERA).list(world.shared("Download")).unwrap(), [""; 0]);
    assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
    let catalog = catalog(&world);
    assert_eq!(row(&catalog, file).unwrap().row.owner, None);
    catalog.close();
}
