//! Changes to many rows, ids, and what listeners hear.

use super::*;

fn id(world: &World, name: &str) -> i64 {
    world.catalog.flush().unwrap();
    world.catalog.file_id(&world.key("d", name)).unwrap().unwrap()
}

#[test]
fn states_change_by_id() {
    let world = World::new();
    world.put("d", "f", row("a"));
    let file = id(&world, "f");
    let all = StateChange {
        favorite: Some(true),
        pending: Some(true),
        trashed: Some(true),
        expires: Some(Some(5)),
        owner: Some(None),
    };
    assert_eq!(world.catalog.set_states(vec![(file, all.clone()), (file + 1, all.clone())]).unwrap(), 1);
    let expected = FileRow { pending: true, trashed: true, expires: Some(5), owner: None, ..row("a") };
    assert_eq!(world.get("d", "f"), Some(expected));
    let entry = || world.catalog.entry(&At::Id(file), Projection::default()).unwrap().unwrap();
    let before = entry();
    assert!(before.favorite);
    assert_eq!(world.catalog.set_states(vec![(file, all), (file, StateChange::default())]).unwrap(), 0);
    assert_eq!(entry(), before, "nothing new, nothing stamped");
    let back = StateChange { expires: Some(None), ..StateChange::default() };
    world.catalog.set_states(vec![(file, back)]).unwrap();
    assert_eq!(entry().row.expires, None);
    assert!(entry().generation_modified > before.generation_modified);
}

#[test]
fn thousands_in_one_transaction() {
    let world = World::new();
    for n in 0..3000_u32 {
        world.put("d", n.to_string(), row("a"));
    }
    world.catalog.flush().unwrap();
    let scope = Scope { volume: world.volume, user: 0, visible: mediagate_policy::Filter::Everything };
    let query = Query { scopes: vec![scope], ..Query::default() };
    let all = world.catalog.query(&query).unwrap().entries;
    let commits = world.observer.counter(Counter::CatalogCommits);
    let moves = all[..1000].iter().map(|it| Move {
        id: it.id,
        ino: 7,
        to: world.key("e", &it.key.name),
        renamed: Renamed { trashed: true, expires: Some(9), ..renamed("image/jpeg", 1) },
    });
    assert_eq!(world.catalog.move_rows(moves.collect()).unwrap(), 1000);
    let mut gone: Vec<Removal> =
        all[1000..].iter().map(|it| Removal { id: it.id, key: it.key.clone(), ino: 7 }).collect();
    gone[0].ino = 8;
    gone[1].key.name = b"where it was before".to_vec();
    assert_eq!(world.catalog.remove_rows(gone).unwrap(), 1998, "one is another file by now, one was renamed");
    assert_eq!(world.observer.counter(Counter::CatalogCommits) - commits, 2);
    assert_eq!(world.tree(b"d").len(), 2);
    let moved = world.catalog.list_dir(world.volume, 0, b"e").unwrap();
    assert!(moved.values().all(|it| it.trashed && it.expires == Some(9)) && moved.len() == 1000);
    assert_eq!(
        world.ask("SELECT count(DISTINCT generation_modified) FROM files WHERE dir = CAST('/e/' AS BLOB)"),
        1
    );
}

#[test]
fn a_rename_says_what_the_new_name_says() {
    let world = World::new();
    world.put("d", "f", row("a"));
    let trashed = Renamed { trashed: true, expires: Some(77), ..renamed("image/jpeg", 1) };
    world.catalog.rename_file(world.key("d", "f"), world.key("d", ".trashed-77-f"), trashed);
    let expected = FileRow { trashed: true, expires: Some(77), ..row("a") };
    assert_eq!(world.get("d", ".trashed-77-f"), Some(expected));
    world.catalog.rename_file(world.key("d", ".trashed-77-f"), world.key("d", "f"), renamed("image/jpeg", 1));
    assert_eq!(world.get("d", "f"), Some(row("a")));
}

#[test]
fn a_new_name_alone_changes_what_hangs_on_it() {
    let world = World::new();
    world.put("d", "f", row("a"));
    world.put("e", "other", row("a"));
    let rows = "SELECT count(DISTINCT bucket) FROM files";
    assert_eq!(world.ask(rows), 2);
    let before = world.catalog.entry(&world.key("d", "f").into(), Projection::default()).unwrap().unwrap();
    world.catalog.rename_file(world.key("d", "f"), world.key("e", "g"), renamed("image/jpeg", 1));
    assert_eq!(world.get("e", "g"), Some(row("a")));
    let after = world.catalog.entry(&world.key("e", "g").into(), Projection::default()).unwrap().unwrap();
    assert_eq!((after.id, after.added), (before.id, before.added));
    assert!(after.generation_modified > before.generation_modified);
    assert_eq!(world.ask(rows), 1, "it is in the other directory's bucket");
    assert_eq!(world.tree(b""), [&b"e/g"[..], b"e/other"]);
    // What the name says of it goes along, if it says something else.
    world.catalog.rename_file(world.key("e", "g"), world.key("e", "g.mp4"), renamed("video/mp4", 3));
    assert_eq!(
        world.get("e", "g.mp4"),
        Some(FileRow { mime: "video/mp4".into(), media_type: 3, ..row("a") })
    );
}

#[test]
fn ids_are_drawn_before_they_are_used_and_never_twice() {
    let world = World::new();
    let drawn = world.catalog.new_id();
    world.put("d", "other", row("a"));
    let recorded = |id| Recorded { id: Some(id), favorite: true, added: Some(12) };
    let got = world.catalog.upsert_recorded_now(world.key("d", "f"), row("a"), recorded(drawn)).unwrap();
    assert_eq!(got, drawn);
    let entry = world.catalog.entry(&At::Id(drawn), Projection::default()).unwrap().unwrap();
    assert_eq!((entry.favorite, entry.added, &entry.key), (true, 12, &world.key("d", "f")));
    // A copy that brought the attributes of the first along; ids that nobody ever drew; one of a row that is there.
    for (name, wanted) in [("copy", drawn), ("zero", 0), ("less", -4), ("most", i64::MAX)] {
        let got =
            world.catalog.upsert_recorded_now(world.key("d", name), row("a"), recorded(wanted)).unwrap();
        assert!(got != wanted && got > drawn, "{name}");
    }
    let same =
        world.catalog.upsert_recorded_now(world.key("d", "f"), row("b"), recorded(drawn + 500)).unwrap();
    assert_eq!(same, drawn);
    // Of a catalog that is lost.
    world.catalog.index_first_seen_recorded(world.key("d", "old"), row("a"), recorded(1 << 40));
    assert_eq!(id(&world, "old"), 1 << 40);
    assert!(world.catalog.new_id() > 1 << 40);
    world.catalog.continue_ids_from(1 << 41);
    let mark = world.catalog.new_id();
    assert!(mark >= 1 << 41 && world.catalog.id_mark() > mark);
    // As the disk is after a kill: what was drawn stays drawn.
    world.put("d", "last", row("a"));
    world.catalog.flush().unwrap();
    let copy = tempfile::tempdir().unwrap();
    for name in ["catalog.db", "catalog.db-wal"] {
        fs::copy(world.dir.path().join(name), copy.path().join(name)).unwrap();
    }
    let last = (0..1000).map(|_| world.catalog.new_id()).max().unwrap();
    assert!(Catalog::open(copy.path(), Arc::default()).unwrap().new_id() > last);
    let mark = world.catalog.id_mark();
    world.catalog.close();
    assert_eq!(Catalog::open(world.dir.path(), Arc::default()).unwrap().id_mark(), mark);
}

fn told(changes: &[Change]) -> Vec<(ChangeKind, String)> {
    let path = |key: &FileKey| {
        let path = [&key.dir[..], b"/", &key.name[..]].concat();
        String::from_utf8(path).unwrap()
    };
    changes.iter().map(|it| (it.kind, path(&it.key))).collect()
}

#[test]
fn listeners_hear_what_was_committed() {
    use ChangeKind::{Added, Below, Changed, MovedAway, Removed};
    let world = World::new();
    world.put("d", "before", row("a"));
    world.catalog.flush().unwrap();
    let (feed, gone) = (world.catalog.subscribe(100), world.catalog.subscribe(100));
    drop(gone);
    world.put("d", "f", row("a"));
    world.put("d", "f", row("a"));
    world.catalog.flush().unwrap();
    let first = feed.try_recv().unwrap();
    assert_eq!(told(&first.changes), [(Added, "d/f".into())]);
    let change = &first.changes[0];
    assert_eq!((change.id, change.media_type, change.owner.as_deref()), (id(&world, "f"), 1, Some("a")));
    assert_eq!((first.many, first.missed), (false, false));
    world.put("d", "f", row("a"));
    world.catalog.set_reconciled(world.volume).unwrap();
    assert!(feed.try_recv().is_err(), "nothing changed");

    world.put("d", "f", row("b"));
    world.put("d", "g", row("b"));
    world.catalog.rename_file(world.key("d", "f"), world.key("d", "g"), renamed("image/jpeg", 1));
    world.catalog.remove(world.key("d", "g"));
    world.catalog.remove(world.key("d", "g"));
    world.catalog.rename_dir(world.volume, 0, b"d".to_vec(), b"e".to_vec());
    world.catalog.rename_dir(world.volume, 0, b"none".to_vec(), b"d".to_vec());
    world.catalog.flush().unwrap();
    let all: Vec<_> = feed.try_iter().flat_map(|it| told(&it.changes)).collect();
    let expected = [
        (Changed, "d/f"),
        (Added, "d/g"),
        (Removed, "d/g"),
        (MovedAway, "d/f"),
        (Changed, "d/g"),
        (Removed, "d/g"),
        (Below, "d/"),
        (Below, "e/"),
    ];
    assert_eq!(all, expected.map(|(kind, path)| (kind, path.to_owned())));
    let last = world.ask("SELECT value FROM meta WHERE key = 'generation'");
    world.put("d", "x", row("a"));
    world.catalog.flush().unwrap();
    assert_eq!(feed.try_recv().unwrap().generation, last + 1);
    world.catalog.close();
    assert!(feed.recv().is_err(), "a listener sees the end");
}

#[test]
fn too_much_is_told_as_many_and_the_slow_are_told_that_they_missed_something() {
    let world = World::new();
    world.put("d", "f", row("a"));
    let file = id(&world, "f");
    let feed = world.catalog.subscribe(1);
    let mut last = 0;
    let mut change = |times: usize| {
        let next = |_| {
            last += 1;
            (file, StateChange { expires: Some(Some(last)), ..StateChange::default() })
        };
        world.catalog.set_states((0..times).map(next).collect()).unwrap();
    };
    change(MOST_TOLD + 1);
    let told = feed.try_recv().unwrap();
    assert_eq!((told.many, told.changes.len()), (true, 0));
    change(MOST_TOLD);
    change(1);
    change(2);
    let told = feed.try_recv().unwrap();
    assert_eq!((told.many, told.changes.len(), told.missed), (false, MOST_TOLD, false));
    assert!(feed.try_recv().is_err());
    change(1);
    assert!(feed.try_recv().unwrap().missed);
    change(2);
    assert!(!feed.try_recv().unwrap().missed);
}
