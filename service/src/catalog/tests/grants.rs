//! Grants hang on files: they stay with them, and go with them.

use super::super::{migrate, schema};
use super::*;

fn grant(world: &World, id: i64, name: &str) -> NewGrant {
    NewGrant {
        id,
        package: "p".into(),
        user: 0,
        kind: 1,
        file: world.key("d", name),
        ino: 7,
        birth: 3,
        expires: None,
        created: 50,
        gone: Vec::new(),
    }
}

fn ids(catalog: &Catalog) -> Vec<i64> {
    catalog.flush().unwrap();
    catalog.grants().unwrap().iter().map(|it| it.id).collect()
}

#[test]
fn grants_come_back_as_they_were_given() {
    let world = World::new();
    world.put("d", "f", FileRow { ino: u64::MAX, ..row("a") });
    let given = NewGrant {
        ino: u64::MAX,
        birth: u64::MAX - 1,
        expires: Some(99),
        kind: 2,
        user: 10,
        ..grant(&world, 5, "f")
    };
    let file = world.catalog.put_grant(given).unwrap().unwrap();
    assert_eq!(world.catalog.file_id(&world.key("d", "f")).unwrap(), Some(file));
    let stored = StoredGrant {
        id: 5,
        package: "p".into(),
        user: 10,
        kind: 2,
        expires: Some(99),
        file,
        volume: world.volume,
        ino: u64::MAX,
        birth: u64::MAX - 1,
    };
    assert_eq!(world.catalog.grants().unwrap(), [stored]);
    let place = GrantPlace { file: world.key("d", "f"), created: 50 };
    assert_eq!(world.catalog.grant_place(5).unwrap(), Some(place));
    assert_eq!(world.catalog.grant_place(6).unwrap(), None);
    let volume = world.catalog.volume_of(world.volume).unwrap().unwrap();
    assert_eq!((volume.0.as_str(), volume.1.as_str()), ("external_primary", "emulated"));
}

#[test]
fn only_the_file_that_is_meant_is_granted() {
    let world = World::new();
    world.put("d", "f", row("a"));
    world.catalog.put_grant(grant(&world, 1, "f")).unwrap().unwrap();
    let other = NewGrant { ino: 8, gone: vec![1], ..grant(&world, 2, "f") };
    assert_eq!(world.catalog.put_grant(other).unwrap(), None);
    assert_eq!(world.catalog.put_grant(grant(&world, 2, "none")).unwrap(), None);
    assert_eq!(ids(&world.catalog), [1], "nothing has changed");
    let next = NewGrant { kind: 2, gone: vec![1], ..grant(&world, 3, "f") };
    world.catalog.put_grant(next).unwrap().unwrap();
    assert_eq!(ids(&world.catalog), [3]);
    world.catalog.put_grant(NewGrant { kind: 2, ..grant(&world, 4, "f") }).unwrap().unwrap();
    assert_eq!(ids(&world.catalog), [4], "one of a kind on a file");
}

#[test]
fn renames_keep_grants_and_removals_end_them() {
    let world = World::new();
    let (catalog, names) = (&world.catalog, ["moved", "unlinked", "replaced", "overwritten", "kept", "gone"]);
    for (id, name) in (1..).zip(names) {
        world.put("d", name, row("a"));
        catalog.put_grant(grant(&world, id, name)).unwrap().unwrap();
    }
    catalog.rename_file(world.key("d", "moved"), world.key("e", "m"), renamed("image/jpeg", 1));
    assert_eq!(ids(catalog), [1, 2, 3, 4, 5, 6]);
    assert_eq!(catalog.grant_place(1).unwrap().unwrap().file, world.key("e", "m"));
    catalog.remove(world.key("d", "unlinked"));
    assert_eq!(ids(catalog), [1, 3, 4, 5, 6]);
    // Another file at the same place, behind the mount.
    catalog.upsert(world.key("d", "replaced"), FileRow { ino: 8, ..row("a") });
    assert_eq!(ids(catalog), [1, 4, 5, 6]);
    catalog.rename_file(world.key("e", "m"), world.key("d", "overwritten"), renamed("image/jpeg", 1));
    assert_eq!(ids(catalog), [1, 5, 6]);
    catalog.upsert(world.key("d", "kept"), FileRow { size: 99, ..row("b") });
    // Another file that has the inode number by now.
    catalog.remove_gone(world.key("d", "gone"), 7, 99);
    assert_eq!(ids(catalog), [1, 5, 6]);
    catalog.remove_gone(world.key("d", "gone"), 7, 3);
    assert_eq!(ids(catalog), [1, 5]);
    catalog.rename_dir(world.volume, 0, b"d".to_vec(), b"x/y".to_vec());
    catalog.flush().unwrap();
    assert_eq!(catalog.grant_place(5).unwrap().unwrap().file, world.key("x/y", "kept"));
    catalog.remove_dir(world.volume, 0, b"x".to_vec());
    assert_eq!(ids(catalog), [0; 0]);
}

/// Whatever takes a grant away is told of, once it is committed.
#[test]
fn grants_that_go_are_told_of() {
    let world = World::new();
    let catalog = &world.catalog;
    let (told, hears) = crossbeam_channel::unbounded();
    catalog.on_grants_gone(Box::new(move |ids| told.send(ids.to_vec()).unwrap()));
    let gone = || {
        catalog.flush().unwrap();
        let mut all: Vec<i64> = hears.try_iter().flatten().collect();
        all.sort_unstable();
        all
    };
    for (id, name) in (1..).zip(["a", "b", "c", "d", "e", "f", "g"]) {
        world.put("d", name, row("a"));
        catalog.put_grant(grant(&world, id, name)).unwrap().unwrap();
    }
    assert_eq!(gone(), [0; 0]);
    catalog.remove(world.key("d", "a"));
    assert_eq!(gone(), [1]);
    catalog.remove_gone(world.key("d", "b"), 8, 0);
    assert_eq!(gone(), [0; 0], "it was another file");
    catalog.remove_gone(world.key("d", "b"), 7, 0);
    assert_eq!(gone(), [2]);
    catalog.upsert(world.key("d", "c"), FileRow { ino: 8, ..row("a") });
    assert_eq!(gone(), [3]);
    catalog.rename_file(world.key("d", "d"), world.key("d", "e"), renamed("image/jpeg", 1));
    assert_eq!(gone(), [5], "the replaced one's");
    let id = catalog.file_id(&world.key("d", "f")).unwrap().unwrap();
    catalog.remove_rows(vec![Removal { id, key: world.key("d", "f"), ino: 7 }]).unwrap();
    assert_eq!(gone(), [6]);
    catalog.remove_dir(world.volume, 0, b"d".to_vec());
    assert_eq!(gone(), [4, 7]);
    world.put("d", "h", row("a"));
    catalog.put_grant(grant(&world, 8, "h")).unwrap().unwrap();
    catalog.remove_grants(vec![8]).unwrap();
    assert_eq!(gone(), [8]);
}

#[test]
fn a_removed_package_has_no_grants() {
    let world = World::new();
    world.put("d", "f", row("a"));
    world.catalog.put_grant(grant(&world, 1, "f")).unwrap().unwrap();
    let other = NewGrant { package: "q".into(), ..grant(&world, 2, "f") };
    world.catalog.put_grant(other).unwrap().unwrap();
    world.catalog.store_package("p", Some("{}")).unwrap();
    assert_eq!(ids(&world.catalog), [1, 2]);
    world.catalog.store_package("p", None).unwrap();
    assert_eq!(ids(&world.catalog), [2]);
    world.catalog.remove_grants(vec![1, 2, 3]).unwrap();
    assert_eq!(ids(&world.catalog), [0; 0]);
}

#[test]
fn grants_are_there_after_a_kill_and_a_restart() {
    let world = World::new();
    world.put("d", "f", row("a"));
    world.catalog.put_grant(grant(&world, 1, "f")).unwrap().unwrap();
    // As the disk is after a kill: committed, not closed.
    let copy = tempfile::tempdir().unwrap();
    for name in ["catalog.db", "catalog.db-wal"] {
        fs::copy(world.dir.path().join(name), copy.path().join(name)).unwrap();
    }
    assert_eq!(ids(&Catalog::open(copy.path(), Arc::default()).unwrap()), [1]);
    world.catalog.close();
    assert_eq!(ids(&Catalog::open(world.dir.path(), Arc::default()).unwrap()), [1]);
}

#[test]
fn version_1_gets_room_for_grants_and_keeps_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.db");
    let mut old = rusqlite::Connection::open(&path).unwrap();
    migrate::migrate(&mut old, &schema::STEPS[..1]).unwrap();
    old.execute_batch(
        "INSERT INTO volumes (id, name, kind, reconciled) VALUES (3, 'external_primary', 'emulated', 1);
         INSERT INTO files VALUES (40, 3, 0, CAST('/d/' AS BLOB), CAST('f' AS BLOB), 'a', 'image/jpeg', 1, 0, 0, 7, 8, 9, 1, 1);
         INSERT INTO packages VALUES ('p', '{}');
         UPDATE meta SET value = 6 WHERE key = 'generation';",
    )
    .unwrap();
    drop(old);
    let catalog = Catalog::open(dir.path(), Arc::default()).unwrap();
    let volume = catalog.volume("external_primary", "emulated").unwrap();
    assert_eq!(volume.number(), 3);
    assert!(!catalog.needs_reconcile(volume).unwrap());
    let file = key(volume, "d", "f");
    assert_eq!(catalog.file(&file).unwrap(), Some(FileRow { birth: 0, ..row("a") }));
    assert_eq!(catalog.file_id(&file).unwrap(), Some(40));
    assert_eq!(catalog.packages().unwrap(), [("p".to_owned(), Some("{}".to_owned()))]);
    let grant = NewGrant {
        id: 1,
        package: "p".into(),
        user: 0,
        kind: 0,
        file: file.clone(),
        ino: 7,
        birth: 1,
        expires: None,
        created: 1,
        gone: Vec::new(),
    };
    assert_eq!(catalog.put_grant(grant).unwrap(), Some(40));
    catalog.remove(file);
    assert_eq!(ids(&catalog), [0; 0], "files of before take their grants along too");
}
