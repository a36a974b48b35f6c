//! Ids, favourites and owners outlive the catalog.

use std::collections::BTreeMap;

use mediagate::catalog::StateChange;
use mediagate_tests::{World, as_app};
use nix::sys::signal::Signal;
use rustix::fs::{IFlags, XattrFlags};

use super::{CAMERA, catalog, owner_of, row, world};

const NAMES: [&str; 4] = ["DCIM/a.jpg", "DCIM/b.jpg", "Download/c.txt", "Download/d.txt"];

/// Ids and favourites by path, after an orderly stop.
fn ids(world: &mut World, names: &[&str]) -> BTreeMap<String, (i64, bool)> {
    assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
    let catalog = catalog(world);
    let found = names.iter().map(|name| {
        let entry = row(&catalog, name).unwrap_or_else(|| panic!("{name} has no row"));
        ((*name).to_owned(), (entry.id, entry.favorite))
    });
    let found = found.collect();
    catalog.close();
    found
}

/// With a favourite, and all of it written on the files.
fn marked() -> (World, BTreeMap<String, (i64, bool)>) {
    let mut world = world();
    for name in NAMES {
        world.app(CAMERA).create(world.shared(name), name.as_bytes()).unwrap();
    }
    let before = ids(&mut world, &NAMES);
    let catalog = catalog(&world);
    let favorite = StateChange { favorite: Some(true), ..StateChange::default() };
    assert_eq!(catalog.set_states(vec![(before["DCIM/b.jpg"].0, favorite)]).unwrap(), 1);
    catalog.close();
    world.start();
    world.daemon().wait_until_indexed();
    world.daemon().cli(&["maintain"]);
    let all = ids(&mut world, &NAMES);
    assert!(all["DCIM/b.jpg"].1 && !all["DCIM/a.jpg"].1);
    (world, all)
}

/// Keeps anything from being written on a file, or no longer.
fn freeze(file: &std::path::Path, frozen: bool) -> bool {
    let file = std::fs::File::open(file).unwrap();
    let flags = if frozen { IFlags::IMMUTABLE } else { IFlags::empty() };
    let before = rustix::fs::ioctl_getflags(&file);
    before.and_then(|it| rustix::fs::ioctl_setflags(&file, (it - IFlags::IMMUTABLE) | flags)).is_ok()
}

#[test]
fn what_could_not_be_marked_is_tried_again() {
    let mut world = world();
    for name in NAMES {
        world.app(CAMERA).create(world.shared(name), name.as_bytes()).unwrap();
    }
    let file = world.lower(NAMES[1]);
    if !freeze(&file, true) {
        eprintln!("this file system freezes no files");
        return;
    }
    let marks = |world: &mut World| {
        let said = world.daemon().cli(&["maintain", "--json"]);
        let run: serde_json::Value = serde_json::from_str(&said).unwrap();
        let steps = run["steps"].as_array().unwrap();
        let step = steps.iter().find(|it| it["name"] == "marks").unwrap();
        (step["done"].as_i64().unwrap(), step["failed"].as_i64().unwrap())
    };
    let first = marks(&mut world);
    assert!(freeze(&file, false));
    assert_eq!(first, (3, 1));
    assert_eq!(marks(&mut world), (1, 0));
    assert_eq!(marks(&mut world), (0, 0));
}

fn lose_the_catalog(world: &World) {
    std::fs::remove_dir_all(&world.config.service.state_dir).unwrap();
}

#[test]
fn a_catalog_that_is_gone_is_made_anew_with_the_same_ids() {
    let (mut world, all) = marked();
    lose_the_catalog(&world);
    // A copy made together with its attributes, under a name that is found first; and a rename behind the mount.
    let mut copy = std::process::Command::new("cp");
    copy.arg("-a").args([world.lower("DCIM/b.jpg"), world.lower("DCIM/a0.jpg")]);
    assert!(copy.status().unwrap().success());
    std::fs::rename(world.lower("Download/d.txt"), world.lower("Download/e.txt")).unwrap();
    world.start();
    world.daemon().wait_until_indexed();
    world.app(CAMERA).create(world.shared("DCIM/new.jpg"), b"new").unwrap();
    let after = ids(
        &mut world,
        &["DCIM/a.jpg", "DCIM/b.jpg", "Download/c.txt", "Download/e.txt", "DCIM/a0.jpg", "DCIM/new.jpg"],
    );
    for (old, new) in
        [(NAMES[0], NAMES[0]), (NAMES[1], NAMES[1]), (NAMES[2], NAMES[2]), (NAMES[3], "Download/e.txt")]
    {
        assert_eq!(after[new], all[old], "{new}");
        assert_eq!(owner_of(&world.lower(new)).as_deref(), Some(CAMERA));
    }
    let largest = all.values().map(|it| it.0).max().unwrap();
    for new in ["DCIM/a0.jpg", "DCIM/new.jpg"] {
        assert!(after[new].0 > largest && !after[new].1, "{new}: {:?}", after[new]);
    }
    assert_ne!(after["DCIM/a0.jpg"].0, after["DCIM/new.jpg"].0);
}

#[test]
fn a_catalog_from_a_backup_is_brought_up_to_date() {
    let (mut world, all) = marked();
    let state = world.config.service.state_dir.clone();
    let backup = world.path("backup");
    std::fs::create_dir(&backup).unwrap();
    std::fs::copy(state.join("catalog.db"), backup.join("catalog.db")).unwrap();
    world.start();
    world.daemon().wait_until_indexed();
    let mut camera = world.app(CAMERA);
    camera.create(world.shared("DCIM/later.jpg"), b"later").unwrap();
    camera.unlink(world.shared("DCIM/a.jpg")).unwrap();
    camera.rename(world.shared("Download/c.txt"), world.shared("Download/moved.txt")).unwrap();
    world.daemon().cli(&["maintain"]);
    let later = ids(&mut world, &["DCIM/later.jpg", "DCIM/b.jpg", "Download/moved.txt"]);
    lose_the_catalog(&world);
    std::fs::create_dir(&state).unwrap();
    std::fs::copy(backup.join("catalog.db"), state.join("catalog.db")).unwrap();
    world.start();
    world.daemon().wait_until_indexed();
    world.app(CAMERA).create(world.shared("DCIM/newest.jpg"), b"newest").unwrap();
    let found = ids(&mut world, &["DCIM/later.jpg", "DCIM/b.jpg", "Download/d.txt", "DCIM/newest.jpg"]);
    assert_eq!(found["DCIM/later.jpg"], later["DCIM/later.jpg"]);
    assert_eq!(found["DCIM/b.jpg"], all["DCIM/b.jpg"]);
    assert_eq!(found["Download/d.txt"], all["Download/d.txt"]);
    assert!(found["DCIM/newest.jpg"].0 > later["DCIM/later.jpg"].0, "no id is given twice");
    let catalog = catalog(&world);
    assert!(row(&catalog, "DCIM/a.jpg").is_none(), "no row without its file");
    assert!(row(&catalog, "Download/moved.txt").is_some() && row(&catalog, "Download/c.txt").is_none());
}

#[test]
fn apps_cannot_write_marks() {
    let world = world();
    world.app(CAMERA).create(world.shared("DCIM/a.jpg"), b"x").unwrap();
    let path = world.shared("DCIM/a.jpg");
    for uid in [10101, 0] {
        let path = path.clone();
        as_app(uid, move || {
            for name in ["user.mediagate.id", "user.mediagate.owner", "user.other"] {
                assert!(
                    rustix::fs::setxattr(&path, name, b"x", XattrFlags::empty()).is_err(),
                    "{uid} {name}"
                );
                assert!(rustix::fs::removexattr(&path, name).is_err(), "{uid} {name}");
            }
        });
    }
    assert_eq!(owner_of(&world.lower("DCIM/a.jpg")).as_deref(), Some(CAMERA));
}
