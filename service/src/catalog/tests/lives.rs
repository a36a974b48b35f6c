//! Generations, tombstones, time, volumes and users.

use mediagate_policy::{Filter, MediaTypes};

use super::*;

fn asked(world: &World) -> Query {
    let scopes = vec![Scope { volume: world.volume, user: 0, visible: Filter::Everything }];
    let criteria = Criteria { types: MediaTypes::VISUAL, ..Criteria::default() };
    Query { scopes, criteria, limit: Some(2), ..Query::default() }
}

/// Names of what changed, and ids of what went, over all pages; and what to ask for next.
fn changes(world: &World, query: &Query, since: i64) -> (Vec<String>, Vec<i64>, i64) {
    world.catalog.flush().unwrap();
    let mut query = query.clone();
    let (mut names, mut gone) = (Vec::new(), Vec::new());
    loop {
        let page = world.catalog.changes_since(&query, since).unwrap();
        assert!(!page.start_over);
        names.extend(page.entries.iter().map(|it| String::from_utf8(it.key.name.clone()).unwrap()));
        gone.extend(page.gone.iter().map(|it| it.id));
        query.after = page.next;
        if query.after.is_none() {
            return (names, gone, page.generation);
        }
    }
}

fn id(world: &World, name: &str) -> i64 {
    world.catalog.flush().unwrap();
    world.catalog.file_id(&world.key("d", name)).unwrap().unwrap()
}

#[test]
fn a_copy_can_be_kept_in_step() {
    let world = World::new();
    let query = asked(&world);
    for n in 0..7_u32 {
        world.put("d", n.to_string(), row("a"));
    }
    let (names, gone, since) = changes(&world, &query, 0);
    assert_eq!((names.len(), gone.len()), (7, 0));
    assert_eq!(changes(&world, &query, since), (vec![], vec![], since));
    let ids: Vec<i64> = (0..7_u32).map(|n| id(&world, &n.to_string())).collect();
    world.put("d", "0", row("b"));
    world.catalog.remove(world.key("d", "1"));
    // Replaced by a rename, hidden, made pending, put into the trash, out of the way with a whole directory.
    world.catalog.rename_file(world.key("d", "2"), world.key("d", "3"), renamed("image/jpeg", 1));
    world.put("d", "4", FileRow { media_type: 0, ..row("a") });
    world.put("d", "5", FileRow { pending: true, ..row("a") });
    world.put("d", "6", FileRow { trashed: true, ..row("a") });
    world.put("e", "7", row("a"));
    world.put("e", "document", FileRow { media_type: 6, ..row("a") });
    world.put("e", "pending", FileRow { pending: true, ..row("a") });
    world.catalog.flush().unwrap();
    let seven = world.catalog.file_id(&world.key("e", "7")).unwrap().unwrap();
    world.catalog.remove_dir(world.volume, 0, b"e".to_vec());
    let (mut names, mut gone, next) = changes(&world, &query, since);
    names.sort();
    gone.sort_unstable();
    assert_eq!(names, ["0", "3"]);
    assert_eq!(gone, [ids[1], ids[3], ids[4], ids[5], ids[6], seven]);
    // Who looks into the trash sees it there, and hears of the end of it.
    let mut with_trash = query.clone();
    with_trash.criteria.trashed = Match::Include;
    let (names, gone, _) = changes(&world, &with_trash, since);
    assert!(names.contains(&"6".to_owned()) && !gone.contains(&ids[6]));
    // Back again.
    world.put("d", "6", row("a"));
    world.put("d", "5", row("a"));
    assert_eq!(changes(&world, &query, next).1, [0; 0]);
    world.put("d", "6", FileRow { trashed: true, ..row("a") });
    let (_, _, next) = changes(&world, &query, next);
    world.catalog.remove(world.key("d", "6"));
    assert_eq!(changes(&world, &with_trash, next).1, [ids[6]]);
}

#[test]
fn a_generation_is_a_change() {
    let world = World::new();
    let generation = || {
        world.catalog.flush().unwrap();
        world.catalog.version().unwrap().0
    };
    let before = generation();
    world.catalog.store_package("p", None).unwrap();
    world.catalog.remove(world.key("d", "none"));
    world.catalog.hide_below(world.volume, 0, b"d".to_vec());
    assert_eq!(generation(), before);
    world.put("d", "f", row("a"));
    let after = generation();
    assert_eq!(after, before + 1);
    world.put("d", "f", row("a"));
    world.catalog.refresh(world.key("d", "f"), (7, 0), 8, 9);
    assert_eq!(generation(), after);
    let session = world.catalog.version().unwrap().1;
    world.catalog.close();
    let again = Catalog::open(world.dir.path(), Arc::default()).unwrap();
    assert_eq!(again.version().unwrap(), (after, session));
    assert_ne!(World::new().catalog.version().unwrap().1, session);
}

#[test]
fn who_could_not_see_a_file_does_not_hear_that_it_went() {
    let world = World::new();
    let everything = asked(&world);
    let visible = |visible: Filter| {
        let scope = Scope { volume: world.volume, user: 0, visible };
        Query { scopes: vec![scope], ..everything.clone() }
    };
    let published = Filter::All(vec![Filter::OfTypes(MediaTypes::VISUAL), Filter::Published]);
    let (owner, gallery) = (visible(Filter::OwnedBy(vec!["a".into()])), visible(published));
    for (name, owner) in [("mine", "a"), ("other", "b"), ("trash", "b"), ("hidden", "b")] {
        world.put("d", name, row(owner));
    }
    world.put("d", "deleted in the trash", row("b"));
    world.put("d", ".trashed-5-x", FileRow { trashed: true, ..row("b") });
    let file = |name| id(&world, name);
    let (mine, other, trash, hidden) = (file("mine"), file("other"), file("trash"), file("hidden"));
    let (twice, never) = (file("deleted in the trash"), file(".trashed-5-x"));
    let since = world.catalog.version().unwrap().0;
    for name in ["mine", "other", ".trashed-5-x"] {
        world.catalog.remove(world.key("d", name));
    }
    let trashed = Renamed { trashed: true, expires: Some(9), ..renamed("image/jpeg", 1) };
    world.catalog.rename_file(world.key("d", "trash"), world.key("d", ".trashed-9-trash"), trashed.clone());
    world.catalog.rename_file(
        world.key("d", "deleted in the trash"),
        world.key("d", ".trashed-9-a"),
        trashed,
    );
    world.catalog.flush().unwrap();
    world.catalog.remove(world.key("d", ".trashed-9-a"));
    world.put("d", "hidden", FileRow { media_type: 0, ..row("b") });
    let gone = |query: &Query| {
        let mut gone = changes(&world, query, since).1;
        gone.sort_unstable();
        gone
    };
    assert_eq!(gone(&owner), [mine]);
    assert_eq!(gone(&gallery), [mine, other, trash, hidden, twice]);
    assert_eq!(gone(&everything), [mine, other, trash, hidden, twice, never]);
    assert_eq!(gone(&visible(Filter::Nothing)), [0; 0]);
}

#[test]
fn what_is_forgotten_makes_a_client_start_over() {
    let world = World::new();
    let query = asked(&world);
    let start_over = |since| world.catalog.changes_since(&query, since).unwrap().start_over;
    let mut generations = Vec::new();
    for n in 0..4_u32 {
        world.put("d", n.to_string(), row("a"));
        world.catalog.flush().unwrap();
        world.catalog.remove(world.key("d", n.to_string()));
        world.catalog.flush().unwrap();
        generations.push(world.catalog.version().unwrap().0);
    }
    assert_eq!(world.catalog.prune_tombstones(0, 100).unwrap(), 0);
    assert!(!start_over(0));
    assert_eq!(world.catalog.prune_tombstones(0, 3).unwrap(), 1);
    assert!(start_over(0) && !start_over(generations[0]));
    assert_eq!(changes(&world, &query, generations[0]).1.len(), 3);
    assert_eq!(world.catalog.prune_tombstones(i64::MAX, 3).unwrap(), 3);
    assert!(start_over(generations[2]) && !start_over(generations[3]));
    assert!(start_over(i64::MAX), "of another catalog's time");
    for bytes in [&b""[..], b"\x01", &[1; 10], &[1; 40], &[9; 28]] {
        let after = Some(Cursor::from_bytes(bytes));
        let refused = world.catalog.changes_since(&Query { after, ..query.clone() }, generations[3]);
        assert!(matches!(refused, Err(CatalogError::Cursor)), "{bytes:?}");
    }
}

#[test]
fn the_expired_are_found_where_they_can_be_reached() {
    let world = World::new();
    let card = world.catalog.volume("card", "public").unwrap();
    for (name, expires) in [("b", Some(20)), ("a", Some(10)), ("c", Some(30)), ("never", None)] {
        world.put("d", name, FileRow { trashed: true, expires, ..row("a") });
    }
    world.catalog.upsert(key(card, "", "there"), FileRow { expires: Some(1), ..row("a") });
    world.catalog.flush().unwrap();
    let names = |volumes: &[VolumeKey], now, limit| {
        let found = world.catalog.expired(volumes, now, limit).unwrap();
        found.into_iter().map(|it| String::from_utf8(it.key.name).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[world.volume], 20, 9), ["a", "b"]);
    assert_eq!(names(&[world.volume, card], 20, 2), ["there", "a"]);
    assert_eq!(names(&[], i64::MAX, 9), [""; 0]);
}

#[test]
fn a_packages_rows_come_in_pages() {
    let world = World::new();
    for n in 0..5_u32 {
        world.put("d", n.to_string(), row(if n == 3 { "other" } else { "mine" }));
    }
    world.catalog.flush().unwrap();
    let page = world.catalog.rows_of_package("mine", 0, 3).unwrap();
    assert_eq!(page.len(), 3);
    let rest = world.catalog.rows_of_package("mine", page[2].id, 3).unwrap();
    assert_eq!(rest.iter().map(|it| &it.key.name[..]).collect::<Vec<_>>(), [b"4"]);
    assert!(world.catalog.rows_of_package("none", 0, 3).unwrap().is_empty());
}

#[test]
fn users_and_volumes_are_forgotten_altogether() {
    let world = World::new();
    let card = world.catalog.marked_volume("card", "public", "1234-ABCD").unwrap();
    for n in 0..5000_u32 {
        world.catalog.upsert(FileKey { user: 10, ..world.key("d", n.to_string()) }, row("a"));
    }
    world.put("d", "f", row("a"));
    world.catalog.upsert(FileKey { user: 10, ..key(card, "", "f") }, row("a"));
    world.catalog.upsert(key(card, "", "g"), row("a"));
    assert_eq!(world.catalog.remove_user(10).unwrap(), 5001);
    assert_eq!(world.catalog.count(world.volume).unwrap(), 1);
    assert_eq!(world.catalog.remove_volume(card).unwrap(), 1);
    let names: Vec<String> = world.catalog.volumes().unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["external_primary"]);
    assert_eq!(
        world.ask(&format!("SELECT count(*) FROM deleted_media WHERE volume_id = {}", card.number())),
        0
    );
    assert_eq!(world.tree(b"d"), [b"d/f"]);
    assert_ne!(
        world.catalog.marked_volume("card", "public", "1234-ABCD").unwrap(),
        card,
        "keys are not used again"
    );
}

#[test]
fn rows_belong_to_the_card_that_they_were_found_on() {
    let world = World::new();
    let mark = |marker: &str| world.catalog.marked_volume("card", "public", marker).unwrap();
    let one = mark("1111");
    world.catalog.upsert(key(one, "d", "f"), row("a"));
    // The mount point without a card, then another card, then the first one again.
    let none = mark("mount point");
    let two = mark("2222");
    assert!(one != none && none != two && one != two);
    assert_eq!(world.catalog.count(none).unwrap(), 0);
    assert_eq!(mark("1111"), one);
    assert_eq!(world.catalog.count(one).unwrap(), 1);
    // One that never had a marker gets the first that is seen, and only that.
    let plain = world.catalog.volume("usb", "public").unwrap();
    assert_eq!(world.catalog.volume("usb", "public").unwrap(), plain);
    assert_eq!(world.catalog.marked_volume("usb", "public", "a").unwrap(), plain);
    let other = world.catalog.marked_volume("usb", "public", "b").unwrap();
    assert_ne!(other, plain);
    let records = world.catalog.volumes().unwrap();
    let markers: Vec<_> =
        records.iter().filter(|it| it.name == "usb").map(|it| it.marker.as_deref()).collect();
    assert_eq!(markers, [Some("a"), Some("b")]);
    assert!(records.iter().all(|it| it.seen > 0));
}
