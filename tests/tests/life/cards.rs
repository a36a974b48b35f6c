//! Cards that come and go at one place: what was known of one is there again when it comes back, and never taken for
//! another one's.

use std::path::{Path, PathBuf};

use mediagate::catalog::{FileKey, Projection, VolumeRecord};
use mediagate::config::VolumeKindConfig;
use mediagate_tests::World;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::Signal;

use super::{CAMERA, NOTES, catalog, packages};

struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

/// A file system of its own.
fn card(at: PathBuf) -> Mounted {
    std::fs::create_dir(&at).unwrap();
    mount(Some("card"), &at, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    Mounted(at)
}

fn insert(card: &Mounted, slot: &Path) -> Mounted {
    mount(Some(&card.0), slot, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
    Mounted(slot.to_owned())
}

/// Runs the service while `during` does something, and says what is known then: of each card, by age, and the id of `DCIM/a.jpg` on it.
fn with_service(world: &mut World, during: impl FnOnce(&mut World)) -> Vec<(VolumeRecord, Option<i64>)> {
    world.start();
    world.daemon().wait_until_indexed();
    during(world);
    assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
    let catalog = catalog(world);
    let cards = catalog.volumes().unwrap().into_iter().filter(|it| it.name == "card");
    cards
        .map(|card| {
            let picture =
                FileKey { volume: card.key, user: 0, dir: b"DCIM"[..].into(), name: b"a.jpg"[..].into() };
            let id = catalog.entry(&picture.into(), Projection::default()).unwrap().map(|it| it.id);
            (card, id)
        })
        .collect()
}

#[test]
fn what_is_known_of_a_card_comes_back_with_it() {
    let mut world = World::new(&packages());
    let shared = world.add_volume("card", VolumeKindConfig::Public);
    let slot = world.config.volumes[1].lower.clone();
    let (one, other) = (card(world.path("one")), card(world.path("other")));
    let picture = shared.join("DCIM/a.jpg");
    let make = |world: &mut World, package: &str| {
        let mut app = world.app(package);
        if app.stat(shared.join("DCIM")).is_err() {
            app.mkdir(shared.join("DCIM")).unwrap();
        }
        app.create(&picture, b"x").unwrap();
    };

    let inserted = insert(&one, &slot);
    let known = with_service(&mut world, |world| make(world, CAMERA));
    let (first, id) = (known[0].0.key, known[0].1);
    assert!(known.len() == 1 && known[0].0.marker.is_some() && id.is_some(), "{known:?}");
    drop(inserted);

    let known = with_service(&mut world, |_| ());
    assert_eq!(known.iter().map(|it| it.1).collect::<Vec<_>>(), [id, None], "the place without its card");

    let inserted = insert(&other, &slot);
    let known = with_service(&mut world, |world| make(world, NOTES));
    assert!(known.len() == 3 && known[2].1.is_some() && known[2].1 != id, "{known:?}");
    drop(inserted);

    let _inserted = insert(&one, &slot);
    let known = with_service(&mut world, |world| {
        assert!(world.app(NOTES).read_all(&picture).is_err(), "the camera's, not the notes'");
        assert_eq!(world.app(CAMERA).read_all(&picture).unwrap(), b"x");
    });
    assert_eq!((known.len(), known[0].0.key, known[0].1), (3, first, id));
}
