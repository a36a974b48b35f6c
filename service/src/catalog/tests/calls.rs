//! Every call does what it says.

use super::*;

/// Nothing is hidden.
const RULES: HidingRules = HidingRules { media_type: |_, mime| media_type_of(mime), hides: |_| false };

fn media_type_of(mime: &str) -> u8 {
    match mime {
        "image/jpeg" => 1,
        "video/mp4" => 3,
        _ => 0,
    }
}

#[test]
fn a_row_comes_back_as_it_was_written() {
    let world = World::new();
    let extreme = FileRow {
        owner: None,
        mime: "application/octet-stream".into(),
        media_type: 255,
        pending: true,
        trashed: true,
        expires: Some(i64::MIN),
        ino: u64::MAX,
        birth: u64::MAX,
        size: u64::MAX,
        mtime_ns: i64::MIN,
    };
    world.put("", "at the root", extreme.clone());
    world.put("DCIM/Camera", b"\xff\xfe\n%", row("a"));
    assert_eq!(world.get("", "at the root"), Some(extreme));
    assert_eq!(world.get("DCIM/Camera", b"\xff\xfe\n%"), Some(row("a")));
    assert_eq!(world.get("DCIM", b"\xff\xfe\n%"), None);
    let other_user = FileKey { user: 10, ..world.key("", "at the root") };
    assert_eq!(world.catalog.file(&other_user).unwrap(), None);
}

#[test]
fn upsert_keeps_the_id_and_stamps_only_changes() {
    let world = World::new();
    world.put("d", "f", row("a"));
    let id = world.ask("SELECT id FROM files");
    let stamp = world.ask("SELECT generation_modified FROM files");
    world.put("d", "f", row("a"));
    assert_eq!(world.ask("SELECT generation_modified FROM files"), stamp);
    world.put("d", "f", FileRow { owner: None, ..row("") });
    assert_eq!(world.ask("SELECT id FROM files"), id);
    assert!(world.ask("SELECT generation_modified FROM files") > stamp);
    assert_eq!(world.ask("SELECT generation_added FROM files"), stamp);
    assert_eq!(world.get("d", "f").unwrap().owner, None);
}

#[test]
fn first_seen_never_overrides() {
    let world = World::new();
    world.put("d", "f", row("owner"));
    world.catalog.index_first_seen(world.key("d", "f"), row("other"));
    world.catalog.index_first_seen(world.key("d", "new"), row("finder"));
    assert_eq!(world.get("d", "f"), Some(row("owner")));
    assert_eq!(world.get("d", "new"), Some(row("finder")));
}

#[test]
fn upsert_now_is_committed_on_return_and_keeps_its_place() {
    let world = World::new();
    world.put("d", "f", row("queued before"));
    world.catalog.upsert_now(world.key("d", "f"), row("now")).unwrap();
    assert_eq!(world.catalog.file(&world.key("d", "f")).unwrap(), Some(row("now")));
}

#[test]
fn remove_takes_one_file_and_remove_dir_a_tree() {
    let world = World::new();
    for (dir, name) in
        [("a", "1"), ("a", "2"), ("a/b", "3"), ("a/b/c", "4"), ("ab", "5"), ("a0", "6"), ("", "a")]
    {
        world.put(dir, name, row("x"));
    }
    world.catalog.remove(world.key("a", "1"));
    assert_eq!(world.tree(b"a"), [&b"a/2"[..], b"a/b/3", b"a/b/c/4"]);
    world.catalog.remove_dir(world.volume, 0, b"a".to_vec());
    assert_eq!(world.tree(b""), [&b"a"[..], b"a0/6", b"ab/5"]);
    world.catalog.remove_dir(world.volume, 0, Vec::new());
    assert!(world.tree(b"").is_empty());
}

#[test]
fn a_renamed_file_keeps_its_id_and_replaces_the_target() {
    let world = World::new();
    world.put("d", "from", row("mover"));
    world.put("e", "to", row("replaced"));
    let id = world.ask("SELECT id FROM files WHERE owner = 'mover'");
    world.catalog.rename_file(world.key("d", "from"), world.key("e", "to"), renamed("video/mp4", 3));
    let moved = FileRow { mime: "video/mp4".into(), media_type: 3, ..row("mover") };
    assert_eq!(world.get("e", "to"), Some(moved));
    assert_eq!(world.get("d", "from"), None);
    assert_eq!(world.ask("SELECT id FROM files"), id);
}

#[test]
fn renaming_a_file_onto_itself_keeps_it_and_an_unknown_one_clears_the_target() {
    let world = World::new();
    world.put("d", "f", row("a"));
    world.catalog.rename_file(world.key("d", "f"), world.key("d", "f"), renamed("image/jpeg", 1));
    assert_eq!(world.get("d", "f"), Some(row("a")));
    world.catalog.rename_file(world.key("d", "unknown"), world.key("d", "f"), renamed("image/jpeg", 1));
    assert_eq!(world.tree(b""), Vec::<Vec<u8>>::new());
}

#[test]
fn a_renamed_directory_takes_its_tree_and_no_sibling() {
    let world = World::new();
    for dir in [&b"a"[..], b"a/x", b"a/x/\xff", b"ab", b"a0", b"a.", b"a%", b"a_", b"aa", b"b/a", b"\xff"] {
        world.put(dir, "f", row("x"));
    }
    // Left behind by somebody who worked around the mount.
    world.put("%_\u{7f}", "stale", row("x"));
    world.catalog.rename_dir(world.volume, 0, b"a".to_vec(), "%_\u{7f}".into());
    world.catalog.rename_dir(world.volume, 0, b"\xff".to_vec(), b"c/\xfe".to_vec());
    let mut expected: Vec<&[u8]> = vec![
        b"%_\x7f/f",
        b"%_\x7f/x/f",
        b"%_\x7f/x/\xff/f",
        b"a%/f",
        b"a./f",
        b"a0/f",
        b"a_/f",
        b"aa/f",
        b"ab/f",
        b"b/a/f",
        b"c/\xfe/f",
    ];
    expected.sort_unstable();
    let mut found = world.tree(b"");
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn patterns_in_names_are_names() {
    let world = World::new();
    for dir in ["%", "_", "x", "x/%", "%/x"] {
        world.put(dir, "f", row("x"));
    }
    world.catalog.rename_dir(world.volume, 0, b"%".to_vec(), b"p".to_vec());
    world.catalog.remove_dir(world.volume, 0, b"_".to_vec());
    assert_eq!(world.tree(b""), [&b"p/f"[..], b"p/x/f", b"x/f", b"x/%/f"]);
}

#[test]
fn a_directory_is_not_renamed_into_its_own_tree() {
    let world = World::new();
    world.put("a", "f", row("x"));
    world.put("a/b", "g", row("x"));
    for (from, to) in [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("", "a"), ("a", "")] {
        world.catalog.rename_dir(world.volume, 0, from.into(), to.into());
    }
    assert_eq!(world.tree(b""), [&b"a/f"[..], b"a/b/g"]);
}

#[test]
fn hiding_a_tree_and_showing_it_again() {
    let world = World::new();
    let video = FileRow { mime: "video/mp4".into(), media_type: 3, ..row("x") };
    world.put("d", "i", row("x"));
    world.put("d/e", "v", video);
    world.put("d0", "i", row("x"));
    let types = || {
        ["d", "d/e", "d0"].map(|dir| {
            world.catalog.flush().unwrap();
            world
                .catalog
                .list_dir(world.volume, 0, dir.as_bytes())
                .unwrap()
                .into_values()
                .next()
                .unwrap()
                .media_type
        })
    };
    world.catalog.hide_below(world.volume, 0, b"d".to_vec());
    assert_eq!(types(), [0, 0, 1]);
    world.catalog.show_below(world.volume, 0, b"d".to_vec(), RULES);
    assert_eq!(types(), [1, 3, 1]);
    world.catalog.hide_below(world.volume, 0, Vec::new());
    assert_eq!(types(), [0, 0, 0]);
}

#[test]
fn what_else_is_hidden_stays_hidden_when_a_tree_is_shown() {
    let world = World::new();
    let places = [
        ("d", "i"),
        ("d", "dot"),
        ("d/e", "!before the file that hides it"),
        ("d/e", "hides"),
        ("d/e/f", "i"),
        ("d/e0", "i"),
        ("d/g", "hides not"),
    ];
    for (dir, name) in places {
        world.put(dir, name, row("x"));
    }
    let rules = HidingRules {
        media_type: |path, mime| if path == b"d/dot" { 0 } else { media_type_of(mime) },
        hides: |path| path.ends_with(b"/hides"),
    };
    let shown = || -> Vec<Vec<u8>> {
        let shown = |path: &Vec<u8>| {
            let slash = path.iter().rposition(|b| *b == b'/').unwrap();
            world.get(&path[..slash], &path[slash + 1..]).unwrap().media_type == 1
        };
        world.tree(b"").into_iter().filter(shown).collect()
    };
    let expected = [&b"d/i"[..], b"d/g/hides not", b"d/e0/i"];
    for _ in 0..2 {
        world.catalog.show_below(world.volume, 0, b"d".to_vec(), rules);
        let mut shown = shown();
        shown.sort();
        let mut expected: Vec<_> = expected.iter().map(|path| path.to_vec()).collect();
        expected.sort();
        assert_eq!(shown, expected);
        world.catalog.hide_below(world.volume, 0, b"d".to_vec());
    }
}

#[test]
fn a_listing_holds_the_directory_and_nothing_below_or_beside() {
    let world = World::new();
    for n in 0..3000_u32 {
        world.put("d", n.to_string(), row(if n % 2 == 0 { "even" } else { "odd" }));
    }
    world.put("d/e", "below", row("x"));
    world.put("", "d", row("x"));
    world.catalog.upsert(FileKey { user: 10, ..world.key("d", "other user") }, row("x"));
    world.catalog.flush().unwrap();
    let listing = world.catalog.list_dir(world.volume, 0, b"d").unwrap();
    assert_eq!(listing.len(), 3000);
    assert_eq!(listing[&b"17"[..]], row("odd"));
    assert_eq!(listing[&b"18"[..]], row("even"));
    assert_eq!(world.catalog.list_dir(world.volume, 0, b"").unwrap().len(), 1);
    // More than one page of the walk.
    assert_eq!(world.tree(b"d").len(), 3001);
    assert_eq!(world.tree(b"").len(), 3002);
    assert_eq!(world.catalog.count(world.volume).unwrap(), 3003);
}

#[test]
fn the_walk_may_use_the_catalog() {
    let world = World::new();
    world.put("d", "a", row("x"));
    world.put("d", "b", row("x"));
    world.catalog.flush().unwrap();
    let mut seen = 0;
    let mut drop_it = |dir: &[u8], name: &[u8], _: &FileRow| {
        seen += 1;
        world.catalog.remove(world.key(dir, name));
        assert_eq!(world.get(dir, name), None);
    };
    world.catalog.for_each_below(world.volume, 0, b"", &mut drop_it).unwrap();
    assert_eq!((seen, world.catalog.count(world.volume).unwrap()), (2, 0));
}

#[test]
fn volumes_are_found_again_and_a_new_kind_is_noticed() {
    let world = World::new();
    let card = world.catalog.volume("1234-ABCD", "public").unwrap();
    assert_ne!(card, world.volume);
    assert_eq!(world.catalog.volume("1234-ABCD", "public").unwrap(), card);
    world.catalog.upsert(key(card, "", "f"), row("x"));
    assert_eq!(world.get("", "f"), None);
    assert_eq!(world.catalog.count(card).unwrap(), 1);
    world.catalog.set_reconciled(card).unwrap();
    assert_eq!(world.catalog.volume("1234-ABCD", "emulated").unwrap(), card);
    assert!(world.catalog.needs_reconcile(card).unwrap());
}

#[test]
fn an_orphaned_package_owns_nothing() {
    let world = World::new();
    world.put("d", "1", row("gone"));
    world.put("d", "2", row("gone"));
    world.put("d", "3", row("gone.too"));
    world.catalog.flush().unwrap();
    assert_eq!(world.catalog.next_owner("").unwrap().as_deref(), Some("gone"));
    let rows: Vec<_> = world.catalog.rows_of_package("gone", 0, 10).unwrap();
    let all: Vec<_> = rows.iter().map(|it| (it.id, None)).collect();
    assert_eq!(world.catalog.disown("gone", all.clone()).unwrap(), 2);
    assert_eq!(world.get("d", "1").unwrap().owner, None);
    assert_eq!(world.get("d", "3"), Some(row("gone.too")));
    assert_eq!(world.catalog.disown("gone", all).unwrap(), 0, "what is another's stays");
    assert_eq!(world.catalog.next_owner("").unwrap().as_deref(), Some("gone.too"));
    assert_eq!(world.catalog.next_owner("gone.too").unwrap(), None);
}

#[test]
fn a_removal_and_its_departure_are_one_and_survive() {
    let world = World::new();
    let card = world.catalog.volume("card", "public").unwrap();
    world.catalog.store_package("p", Some("{}")).unwrap();
    assert_eq!(world.catalog.departures().unwrap(), []);
    world.catalog.store_package("p", None).unwrap();
    world.catalog.depart(vec![Departure { package: "q".into(), user: Some(10) }]).unwrap();
    world.catalog.close();
    let again = Catalog::open(world.dir.path(), Arc::default()).unwrap();
    let volume = again.volume("external_primary", "emulated").unwrap();
    let (p, q) =
        (Departure { package: "p".into(), user: None }, Departure { package: "q".into(), user: Some(10) });
    let all = [(volume, p.clone()), (volume, q.clone()), (card, p.clone()), (card, q)];
    assert_eq!(again.departures().unwrap(), all);
    again.departed(volume, &p).unwrap();
    again.remove_volume(card).unwrap();
    assert_eq!(again.departures().unwrap(), all[1..2]);
}

#[test]
fn package_records_and_tombstones_survive() {
    let world = World::new();
    world.catalog.store_package("b", Some("{}")).unwrap();
    world.catalog.store_package("a", Some("{\"v\":1}")).unwrap();
    world.catalog.store_package("b", None).unwrap();
    world.catalog.close();
    let again = Catalog::open(world.dir.path(), Arc::default()).unwrap();
    let expected = [("a".to_owned(), Some("{\"v\":1}".to_owned())), ("b".to_owned(), None)];
    assert_eq!(again.packages().unwrap(), expected);
}

#[test]
fn after_close_writes_are_counted_and_reads_fail() {
    let world = World::new();
    world.put("d", "f", row("x"));
    world.catalog.close();
    world.catalog.close();
    world.put("d", "late", row("x"));
    assert_eq!(world.observer.counter(Counter::CatalogDropped), 1);
    assert!(matches!(world.catalog.file(&world.key("d", "f")), Err(CatalogError::Closed)));
    assert!(matches!(world.catalog.upsert_now(world.key("d", "f"), row("x")), Err(CatalogError::Closed)));
    assert!(world.catalog.flush().is_ok());
    let again = Catalog::open(world.dir.path(), Arc::default()).unwrap();
    assert_eq!(again.count(world.volume).unwrap(), 1);
}

#[test]
fn a_refresh_is_of_one_file_and_makes_no_row() {
    let world = World::new();
    world.put("d", "f", row("a"));
    world.catalog.refresh(world.key("d", "f"), (7, 0), 80, 90);
    assert_eq!(world.get("d", "f"), Some(FileRow { size: 80, mtime_ns: 90, ..row("a") }));
    // Of another file there, of one that was never indexed, of one that was renamed.
    world.catalog.refresh(world.key("d", "f"), (6, 0), 1, 1);
    world.catalog.refresh(world.key("d", "g"), (7, 0), 1, 1);
    world.catalog.rename_file(world.key("d", "f"), world.key("d", "h"), renamed("image/jpeg", 1));
    world.catalog.refresh(world.key("d", "f"), (7, 0), 1, 1);
    assert_eq!(world.get("d", "h"), Some(FileRow { size: 80, mtime_ns: 90, ..row("a") }));
    assert_eq!(world.tree(b""), [b"d/h"]);
    // What says nothing new is no change.
    let generation = "SELECT generation_modified FROM files";
    let before = world.ask(generation);
    world.catalog.refresh(world.key("d", "h"), (7, 0), 80, 90);
    assert_eq!(world.ask(generation), before);
}

#[test]
fn a_mend_is_of_one_file_and_makes_no_row() {
    let world = World::new();
    let one = FileRow { birth: 5, ..row("a") };
    world.put("d", "f", one.clone());
    let right = FileRow { owner: None, size: 80, ..one.clone() };
    world.catalog.mend(world.key("d", "f"), right.clone());
    assert_eq!(world.get("d", "f"), Some(right.clone()));
    // Another file of the same inode number came meanwhile, one that nobody knows, and one of no known birth.
    world.catalog.mend(world.key("d", "f"), FileRow { birth: 4, ..one.clone() });
    world.catalog.mend(world.key("d", "g"), one.clone());
    assert_eq!(world.get("d", "f"), Some(right.clone()));
    assert_eq!(world.tree(b""), [b"d/f"]);
    world.catalog.mend(world.key("d", "f"), FileRow { birth: 0, ..one.clone() });
    assert_eq!(world.get("d", "f"), Some(one));
}
