//! Queries: that they find what they should, in order, page by page, along an index.

use std::collections::BTreeSet;

use mediagate_policy::{FileGrants, Filter, MediaType, MediaTypes, Row};
use proptest::prelude::*;

use super::super::open;
use super::super::query::build::Walk;
use super::super::query::testing;
use super::*;

fn scope(world: &World) -> Scope {
    Scope { volume: world.volume, user: 0, visible: Filter::Everything }
}

fn all(world: &World) -> Query {
    world.catalog.flush().unwrap();
    Query { scopes: vec![scope(world)], ..Query::default() }
}

fn names(page: &Page) -> Vec<String> {
    page.entries.iter().map(|it| String::from_utf8_lossy(&it.key.name).into_owned()).collect()
}

fn found(world: &World, criteria: Criteria) -> Vec<String> {
    names(&world.catalog.query(&Query { criteria, ..all(world) }).unwrap())
}

fn at(n: i64) -> FileRow {
    FileRow { mtime_ns: n * 1_000_000, size: n.unsigned_abs(), ..row("a") }
}

#[test]
fn criteria_choose() {
    let world = World::new();
    let video = FileRow { mime: "video/mp4".into(), media_type: 3, ..at(20) };
    world.put("DCIM/Camera", "a.jpg", at(10));
    world.put("DCIM", "B.MP4", video);
    world.put("DCIM2", "c.jpg", FileRow { owner: None, ..at(30) });
    world.put("", "%_\u{fc}.png", FileRow { mime: "image/png".into(), ..at(40) });
    world.put("", ".pending-9-p", FileRow { pending: true, ..at(50) });
    world.put("", ".trashed-9-t", FileRow { trashed: true, ..at(60) });
    let default = Criteria::default;
    let umlaut = "%_\u{fc}.png";
    assert_eq!(found(&world, default()), [umlaut, "B.MP4", "a.jpg", "c.jpg"]);
    let within = |within| Criteria { within, ..default() };
    assert_eq!(found(&world, within(Within::Directory(b"DCIM".into()))), ["B.MP4"]);
    assert_eq!(found(&world, within(Within::Directory(b"dcim".into()))), [""; 0]);
    assert_eq!(found(&world, within(Within::Tree(b"DCIM".into()))), ["B.MP4", "a.jpg"]);
    assert_eq!(found(&world, within(Within::Tree(Vec::new()))).len(), 4);
    let types = MediaTypes::VIDEO;
    assert_eq!(found(&world, Criteria { types, ..default() }), ["B.MP4"]);
    assert_eq!(found(&world, Criteria { types: MediaTypes::NONE, ..default() }), [""; 0]);
    let mime = |prefix: &str| Criteria { mime_prefix: Some(prefix.into()), ..default() };
    assert_eq!(found(&world, mime("Image/")), [umlaut, "a.jpg", "c.jpg"]);
    assert_eq!(found(&world, mime("%")), [""; 0]);
    assert_eq!(found(&world, Criteria { owner: Some("a".into()), ..default() }), [umlaut, "B.MP4", "a.jpg"]);
    let part = |part: &[u8]| Criteria { name_contains: Some(part.into()), ..default() };
    assert_eq!(found(&world, part(b"b.mp")), ["B.MP4"]);
    assert_eq!(found(&world, part(b"%_")), [umlaut]);
    assert_eq!(found(&world, part(b"\xbc")), [umlaut], "names are bytes");
    assert_eq!(found(&world, part(b"\xff")), [""; 0]);
    assert_eq!(found(&world, Criteria { taken_ms: Some(10..30), ..default() }), ["B.MP4", "a.jpg"]);
    let modified_ns = Some(30_000_000..i64::MAX);
    assert_eq!(found(&world, Criteria { modified_ns, ..default() }), [umlaut, "c.jpg"]);
    assert_eq!(found(&world, Criteria { pending: Match::Only, ..default() }), [".pending-9-p"]);
    assert_eq!(found(&world, Criteria { trashed: Match::Only, ..default() }), [".trashed-9-t"]);
    let both = Criteria { pending: Match::Include, trashed: Match::Include, ..default() };
    assert_eq!(found(&world, both).len(), 6);
    let id = |name: &str| world.catalog.file_id(&world.key("DCIM2", name)).unwrap().unwrap();
    let ids = Some(vec![id("c.jpg"), -1, i64::MAX]);
    assert_eq!(found(&world, Criteria { ids, ..default() }), ["c.jpg"]);
    assert_eq!(found(&world, Criteria { ids: Some(Vec::new()), ..default() }), [""; 0]);
    world
        .catalog
        .set_states(vec![(id("c.jpg"), StateChange { favorite: Some(true), ..StateChange::default() })])
        .unwrap();
    assert_eq!(found(&world, Criteria { favorite: Match::Only, ..default() }), ["c.jpg"]);
    assert_eq!(found(&world, Criteria { favorite: Match::Exclude, ..default() }).len(), 3);
}

#[test]
fn only_named_trees_are_looked_into() {
    let world = World::new();
    let card = world.catalog.volume("card", "public").unwrap();
    world.put("d", "here", row("a"));
    world.catalog.upsert(key(card, "d", "there"), row("a"));
    world.catalog.upsert(FileKey { user: 10, ..world.key("d", "theirs") }, row("a"));
    assert_eq!(found(&world, Criteria::default()), ["here"]);
    let with = |volume, user| Scope { volume, user, visible: Filter::Everything };
    let scopes = vec![with(card, 0), with(world.volume, 10), with(world.volume, 0)];
    let query = Query { scopes, ..Query::default() };
    assert_eq!(names(&world.catalog.query(&query).unwrap()), ["here", "theirs", "there"]);
    assert_eq!(world.catalog.count_found(&query).unwrap(), 3);
    let none = Query::default();
    assert_eq!(
        (world.catalog.query(&none).unwrap(), world.catalog.count_found(&none).unwrap()),
        (Page::default(), 0)
    );
}

#[test]
fn each_tree_has_its_own_rule() {
    let world = World::new();
    world.put("d", "mine", row("me"));
    world.put("d", "theirs", row("them"));
    let mut query = all(&world);
    query.scopes[0].visible = Filter::OwnedBy(vec!["me".into(), "'; DROP TABLE files; --".into()]);
    assert_eq!(names(&world.catalog.query(&query).unwrap()), ["mine"]);
    assert_eq!(world.catalog.count_found(&query).unwrap(), 1);
    assert_eq!(world.catalog.groups(&query, GroupBy::Bucket).unwrap()[0].count, 1);
    query.scopes[0].visible = Filter::Nothing;
    assert_eq!(world.catalog.query(&query).unwrap(), Page::default());
}

#[test]
fn grants_count_for_their_holder_their_time_and_their_file() {
    let world = World::new();
    for name in ["selected", "read", "write", "none"] {
        world.put("d", name, row("them"));
    }
    for (kind, name) in [(0, "selected"), (1, "read"), (2, "write")] {
        let grant = NewGrant {
            id: i64::from(kind) + 1,
            package: "me".into(),
            user: 0,
            kind,
            file: world.key("d", name),
            ino: 7,
            birth: 3,
            expires: Some(100),
            created: 1,
            gone: Vec::new(),
        };
        world.catalog.put_grant(grant).unwrap().unwrap();
    }
    let asked = |wanted, package: &str, user, now| {
        let mut query = all(&world);
        query.scopes[0].visible =
            Filter::Any(vec![Filter::OwnedBy(vec!["me".into()]), Filter::Granted(wanted)]);
        query.holder = Holder { packages: vec!["other".into(), package.into()], user, now };
        names(&world.catalog.query(&query).unwrap())
    };
    assert_eq!(asked(FileGrants::SELECTED, "me", 0, 99), ["selected"]);
    assert_eq!(asked(FileGrants::READ, "me", 0, 99), ["read", "write"]);
    assert_eq!(asked(FileGrants::WRITE, "me", 0, 99), ["write"]);
    assert_eq!(asked(FileGrants::READ, "me", 0, 100), [""; 0]);
    assert_eq!(asked(FileGrants::READ, "me", 10, 99), [""; 0]);
    assert_eq!(asked(FileGrants::READ, "you", 0, 99), [""; 0]);
    world.put("d", "read", FileRow { birth: 4, ..row("them") });
    assert_eq!(
        asked(FileGrants::READ, "me", 0, 99),
        ["write"],
        "another file, though of the same inode number"
    );
}

#[test]
fn groups_are_directories_or_tags() {
    let world = World::new();
    world.put("DCIM", "a", at(10));
    world.put("DCIM", "b", at(30));
    world.put("x", "c", at(20));
    let sound = FileRow { mime: "audio/mpeg".into(), media_type: 2, ..at(40) };
    for (n, artist) in ["one", "two", "two"].into_iter().enumerate() {
        world.put("Music", n.to_string(), sound.clone());
        let audio = AudioFacts { artist: Some(artist.into()), ..AudioFacts::default() };
        let facts = MediaFacts { audio: Some(Box::new(audio)), ..MediaFacts::default() };
        let stamp = Stamp { size: 40, mtime_ns: 40_000_000 };
        let file = world.key("Music", n.to_string()).into();
        world.catalog.set_media_facts(FoundFacts { file, ino: 7, stamp, facts, location: None });
    }
    let summary = |by| -> Vec<(String, u64, i64)> {
        let groups = world.catalog.groups(&all(&world), by).unwrap();
        groups.into_iter().map(|it| (String::from_utf8(it.name).unwrap(), it.count, it.newest_ms)).collect()
    };
    let expected = [("Music".to_owned(), 3, 40), ("DCIM".to_owned(), 2, 30), ("x".to_owned(), 1, 20)];
    assert_eq!(summary(GroupBy::Bucket), expected);
    assert_eq!(summary(GroupBy::Artist), [("two".to_owned(), 2, 40), ("one".to_owned(), 1, 40)]);
    assert!(summary(GroupBy::Album).is_empty());
    let albums = world.catalog.groups(&all(&world), GroupBy::Bucket).unwrap();
    let within = Within::Bucket(albums[1].bucket);
    assert_eq!(found(&world, Criteria { within, ..Criteria::default() }), ["a", "b"]);
    let artist = Some("two".to_owned());
    assert_eq!(found(&world, Criteria { artist, ..Criteria::default() }), ["1", "2"]);
    world.catalog.rename_dir(world.volume, 0, b"DCIM".to_vec(), b"X".to_vec());
    let expected = [("Music".to_owned(), 3, 40), ("X".to_owned(), 3, 30)];
    assert_eq!(summary(GroupBy::Bucket), expected, "one bucket for all spellings");
}

#[test]
fn pages_are_stable_while_rows_come_and_go() {
    let world = World::new();
    for n in 0..50 {
        world.put("d", format!("{n:03}"), at(n / 5));
    }
    let mut query = Query { sort: Sort::Taken, descending: true, limit: Some(7), ..all(&world) };
    let mut seen = Vec::new();
    loop {
        let page = world.catalog.query(&query).unwrap();
        seen.extend(names(&page));
        query.after = page.next;
        // Before the place and behind it.
        world.put("d", format!("new{}", seen.len()), at(1000));
        world.catalog.remove(world.key("d", "049"));
        world.catalog.flush().unwrap();
        if query.after.is_none() {
            break;
        }
    }
    let mut expected: Vec<String> = (0..50).rev().map(|n| format!("{n:03}")).collect();
    expected.sort_by_key(|name| std::cmp::Reverse(name.clone()));
    assert_eq!(seen, expected);
}

#[test]
fn a_cursor_is_good_for_its_query_alone() {
    let world = World::new();
    for n in 0..5 {
        world.put("d", n.to_string(), at(n));
    }
    let query = Query { limit: Some(2), ..all(&world) };
    let cursor = world.catalog.query(&query).unwrap().next;
    let refused = |query: Query| matches!(world.catalog.query(&query), Err(CatalogError::Cursor));
    assert!(refused(Query { after: cursor.clone(), sort: Sort::Size, ..query.clone() }));
    assert!(refused(Query { after: cursor.clone(), descending: true, ..query.clone() }));
    let bytes = cursor.clone().unwrap().as_bytes().to_vec();
    for cut in 0..12 {
        let after = Some(Cursor::from_bytes(&bytes[..cut]));
        assert!(refused(Query { after, ..query.clone() }), "{cut}");
    }
    let page = world.catalog.query(&Query { after: cursor, ..query.clone() }).unwrap();
    assert_eq!(names(&page), ["2", "3"]);
    let last = world.catalog.query(&Query { after: page.next, ..query.clone() }).unwrap();
    assert_eq!((names(&last), last.next), (vec!["4".to_owned()], None));
    assert_eq!(world.catalog.query(&Query { limit: Some(0), ..query }).unwrap(), Page::default());
}

/// What decides about the order, of one file.
type Spec = (u8, i64, u8, Option<String>);

fn spec() -> impl Strategy<Value = Spec> {
    let title =
        prop_oneof![Just(None), Just(Some("A".into())), Just(Some("a".into())), Just(Some("b".into()))];
    (0..7_u8, 0..4_i64, 0..3_u8, title)
}

const SORTS: [Sort; 7] =
    [Sort::Name, Sort::Taken, Sort::Modified, Sort::Added, Sort::Size, Sort::Title, Sort::Generation];

fn order(sort: Sort, entry: &Entry) -> (u8, i64, Vec<u8>) {
    let key = &entry.key;
    match sort {
        Sort::Name => (0, 0, key.name.clone()),
        Sort::Taken => (0, entry.taken_ms.unwrap_or(entry.row.mtime_ns / 1_000_000), Vec::new()),
        Sort::Modified => (0, entry.row.mtime_ns, Vec::new()),
        Sort::Added => (0, entry.added, Vec::new()),
        Sort::Size => (0, entry.row.size as i64, Vec::new()),
        Sort::Title => match &entry.title {
            Some(title) => (0, 0, title.to_ascii_lowercase().into_bytes()),
            None => (1, 0, key.name.clone()),
        },
        Sort::Generation => (0, entry.generation_modified, Vec::new()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the walk, pages put together are the whole answer in order.
    #[test]
    fn pages_are_the_sorted_whole(specs in prop::collection::vec(spec(), 1..60), limit in 1..9_usize) {
        let world = World::new();
        for (n, (media_type, when, place, title)) in specs.iter().enumerate() {
            let key = world.key(["d", "d/e", "f"][usize::from(*place)], format!("{}-{n}", when % 2));
            let row = FileRow { media_type: *media_type, ..at(*when) };
            let recorded = Recorded { added: Some(*when), favorite: n % 3 == 0, ..Recorded::default() };
            world.catalog.upsert_recorded(key.clone(), row.clone(), recorded);
            let facts = MediaFacts {
                title: title.clone(),
                taken_ms: (n % 2 == 0).then_some(*when),
                audio: Some(Box::new(AudioFacts { album: Some("A".into()), ..AudioFacts::default() })),
                ..MediaFacts::default()
            };
            let stamp = Stamp { size: row.size, mtime_ns: row.mtime_ns };
            world.catalog.set_media_facts(FoundFacts { file: key.into(), ino: 7, stamp, facts, location: None });
        }
        let withins = [Within::Anywhere, Within::Directory(b"d".into()), Within::Tree(b"d".into())];
        let everything = world.catalog.query(&all(&world)).unwrap().entries;
        prop_assert_eq!(everything.len(), specs.len());
        for criteria in testing::all_criteria(&withins) {
            let expected: Vec<&Entry> = everything.iter().filter(|it| testing::chooses(&criteria, it)).collect();
            for (sort, descending) in SORTS.into_iter().flat_map(|it| [(it, false), (it, true)]) {
                let mut query = Query { criteria: criteria.clone(), sort, descending, limit: Some(limit), ..all(&world) };
                prop_assert_eq!(world.catalog.count_found(&query).unwrap(), expected.len() as u64);
                let mut got = Vec::new();
                loop {
                    let page = world.catalog.query(&query).unwrap();
                    prop_assert!(page.entries.len() <= limit);
                    got.extend(page.entries);
                    query.after = page.next;
                    if query.after.is_none() {
                        break;
                    }
                }
                let mut expected: Vec<&Entry> = expected.clone();
                expected.sort_by_key(|it| (order(sort, it), it.id));
                if descending {
                    expected.reverse();
                }
                let ids = |all: &[&Entry]| all.iter().map(|it| it.id).collect::<Vec<_>>();
                prop_assert_eq!(ids(&got.iter().collect::<Vec<_>>()), ids(&expected), "{:?} {:?}", sort, criteria);
            }
        }
    }
}

fn owned_by_one() -> Vec<Filter> {
    let granted = Filter::Granted(FileGrants::READ);
    let own = || vec![Filter::OwnedBy(vec!["me".into()]), Filter::InMediaDirectoryOf(vec!["Me".into()])];
    let images = Filter::All(vec![Filter::OfTypes(MediaTypes::IMAGE), Filter::Published]);
    [vec![granted.clone()], vec![images.clone()], vec![images, granted]]
        .map(|more| Filter::Any(own().into_iter().chain(more).collect()))
        .to_vec()
}

/// Whoever sees little of what there is finds all of it: its own, what it was given, what is in its directories.
#[test]
fn ones_own_is_found_among_many() {
    let world = World::new();
    let dirs = [
        "",
        "d",
        "Android/media/me",
        "android/MEDIA/ME/x",
        "Android/media/mea",
        "Android/media",
        "Android/mediaa/me",
    ];
    for (n, dir) in dirs.iter().cycle().take(210).enumerate() {
        let media_type = (n / 7 % 7) as u8;
        let owner = ["me", "other", "rare"][n % 3];
        let name = if n % 10 == 0 {
            format!("ME{}", if n > 30 { n.to_string() } else { String::new() })
        } else {
            n.to_string()
        };
        world.put(*dir, name, FileRow { media_type, ..row(owner) });
    }
    world.catalog.flush().unwrap();
    let everything = world.catalog.query(&all(&world)).unwrap().entries;
    for (id, entry) in (1..).zip(everything.iter().step_by(11)) {
        let grant = NewGrant {
            id,
            package: "me".into(),
            user: 0,
            kind: 1,
            file: entry.key.clone(),
            ino: entry.row.ino,
            birth: entry.row.birth,
            expires: None,
            created: 1,
            gone: Vec::new(),
        };
        world.catalog.put_grant(grant).unwrap().unwrap();
    }
    for (visible, sort) in owned_by_one().into_iter().flat_map(|it| SORTS.map(|sort| (it.clone(), sort))) {
        let mut query = Query { sort, ..all(&world) };
        query.holder = Holder { packages: vec!["me".into()], user: 0, now: 1 };
        query.scopes[0].visible = visible.clone();
        let mut expected: Vec<&Entry> = everything
            .iter()
            .enumerate()
            .filter(|(n, entry)| {
                let path = [&entry.key.dir[..], b"/", &entry.key.name].concat();
                let row = Row {
                    owner: entry.row.owner.as_deref(),
                    media_type: MediaType::from_number(entry.row.media_type).unwrap(),
                    pending: false,
                    trashed: false,
                    grants: if n % 11 == 0 { FileGrants::READ } else { FileGrants::default() },
                };
                visible.matches(&row, path.strip_prefix(b"/").unwrap_or(&path))
            })
            .map(|(_, entry)| entry)
            .collect();
        assert!(expected.len() > 50 && expected.len() < everything.len());
        expected.sort_by_key(|it| (order(sort, it), it.id));
        assert_eq!(world.catalog.count_found(&query).unwrap(), expected.len() as u64);
        for descending in [false, true] {
            (query.descending, query.limit, query.after) = (descending, Some(17), None);
            let mut found = Vec::new();
            loop {
                let page = world.catalog.query(&query).unwrap();
                found.extend(page.entries.iter().map(|it| it.id));
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            let ids: Vec<i64> = expected.iter().map(|it| it.id).collect();
            assert_eq!(found, ids, "{visible:?} {sort:?}");
            expected.reverse();
        }
    }
}

/// Nobody makes a question long by making directories or files that are called nearly as the asker's directory. Whoever has too many
/// files to look for them one by one gets the same answer otherwise.
#[test]
fn ones_own_is_found_among_many_names() {
    let world = World::new();
    for n in 0..2500 {
        world.put(format!("Android/media/m{n}"), "f", row("other"));
        world.put("Android/media", format!("Me{n}"), row("other"));
    }
    for (dir, name) in
        [("Android/media/me", "f"), ("d", "f"), ("Android/media/mE/x", "f"), ("android/Media", "ME")]
    {
        world.put(dir, name, row(if dir == "d" { "me" } else { "other" }));
    }
    let mut query = all(&world);
    query.scopes[0].visible = owned_by_one().remove(0);
    let found = || {
        let page = world.catalog.query(&query).unwrap();
        page.entries.iter().map(|it| it.key.dir.clone()).collect::<BTreeSet<_>>()
    };
    let dirs = [&b"d"[..], b"Android/media/me", b"Android/media/mE/x", b"android/Media"].map(<[u8]>::to_vec);
    let is_parted = || {
        world.catalog.flush().unwrap();
        let conn = rusqlite::Connection::open(world.db()).unwrap();
        query.parted(&conn, &query.scopes[0], Walk::Sorted).unwrap().is_some()
    };
    assert_eq!(found(), dirs.clone().into());
    assert!(is_parted());
    for n in 0..2500 {
        world.put("d", n.to_string(), row("me"));
    }
    assert!(!is_parted());
    assert_eq!(found(), dirs.into());
    assert_eq!(world.catalog.count_found(&query).unwrap(), 2504);
}

/// How SQLite runs each arm of every combination: never over the whole table, and sorted only where few rows are
/// looked at.
#[test]
fn every_walk_is_along_its_index() {
    let world = World::new();
    for n in 0..500_u32 {
        world.put(format!("d{}", n % 7), n.to_string(), row(if n % 100 == 0 { "rare" } else { "common" }));
    }
    world.catalog.close();
    let conn = rusqlite::Connection::open(world.db()).unwrap();
    let withins =
        [Within::Anywhere, Within::Directory(b"d1".into()), Within::Tree(b"d".into()), Within::Bucket(5)];
    for analysed in [false, true] {
        if analysed {
            conn.execute_batch("ANALYZE").unwrap();
        }
        let mut seen = std::collections::BTreeSet::new();
        for criteria in testing::all_criteria(&withins) {
            for (sort, descending) in SORTS.into_iter().flat_map(|it| [(it, false), (it, true)]) {
                let mut query = Query {
                    criteria: criteria.clone(),
                    sort,
                    descending,
                    scopes: vec![scope(&world)],
                    limit: Some(10),
                    ..Query::default()
                };
                query.holder.packages = vec!["rare".into(), "common".into()];
                query.scopes[0].visible = Filter::Any(vec![
                    Filter::OwnedBy(vec!["rare".into()]),
                    Filter::All(vec![Filter::OfTypes(MediaTypes::IMAGE), Filter::Published]),
                    Filter::Granted(FileGrants::READ),
                ]);
                for (walk, sorted, sql) in testing::statements(&query) {
                    let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
                    let plan: Vec<String> =
                        explain.raw_query().mapped(|row| row.get(3)).collect::<Result<_, _>>().unwrap();
                    let say = || format!("{walk} {query:?}\n{sql}\n{plan:#?}");
                    assert!(
                        !plan.iter().any(|it| it.starts_with("SCAN files") || it.starts_with("SCAN grants")),
                        "{}",
                        say()
                    );
                    let sorts = plan.iter().any(|it| it.contains("TEMP B-TREE"));
                    assert_eq!(sorts, !sorted, "{}", say());
                    // Many files may have one key: their ids are looked for, not gone through.
                    let behind =
                        sorted && ["AND files.id >", "AND files.id <"].iter().any(|it| sql.contains(it));
                    assert!(
                        !behind || plan[0].contains("rowid>?)") || plan[0].contains("rowid<?)"),
                        "{}",
                        say()
                    );
                    seen.insert((walk, sorted));
                }
            }
        }
        assert_eq!(seen.len(), testing::WALKS, "{seen:?}");
    }
}

#[test]
fn a_question_that_takes_too_long_is_given_up() {
    let world = World::with(Limits { question: Duration::ZERO, ..Limits::default() });
    for n in 0..3000_u32 {
        world.put("d", n.to_string(), row("a"));
    }
    world.catalog.flush().unwrap();
    let scope = Scope { volume: world.volume, user: 0, visible: mediagate_policy::Filter::Everything };
    let criteria = Criteria { name_contains: Some(b"none".to_vec()), ..Criteria::default() };
    let query = Query { scopes: vec![scope], criteria, ..Query::default() };
    let errors = world.observer.counter(Counter::CatalogErrors);
    assert!(matches!(world.catalog.query(&query), Err(CatalogError::TooMuch(_))));
    assert!(matches!(world.catalog.count_found(&query), Err(CatalogError::TooMuch(_))));
    assert!(matches!(world.catalog.groups(&query, GroupBy::Bucket), Err(CatalogError::TooMuch(_))));
    assert_eq!(world.observer.counter(Counter::CatalogErrors), errors, "the catalog is well");
    assert_eq!(world.catalog.count(world.volume).unwrap(), 3000, "what the service asks itself is answered");
}

#[test]
fn readers_that_follow_one_another_do_not_keep_the_log_growing() {
    let limits = Limits { log: 4 << 20, question: Duration::from_millis(200), ..Limits::default() };
    let world = World::with(limits);
    world.put("d", "f", row("a"));
    world.catalog.flush().unwrap();
    let log = || fs::metadata(world.db().with_extension("db-wal")).map_or(0, |it| it.len());
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Each begins before the last one ends, so that one always reads from the log.
            let mut last = None;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let conn = open::open_reader(&world.db()).unwrap();
                conn.execute_batch("BEGIN; SELECT count(*) FROM volumes;").unwrap();
                drop(last.replace(conn));
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let (mut n, deadline) = (0_u32, Instant::now() + Duration::from_secs(60));
        let mut was_long = false;
        while !(was_long && log() < 4 << 20) {
            assert!(Instant::now() < deadline, "the log is as long as {}", log());
            for m in 0..50_u32 {
                world.put(format!("d{}", m % 7), format!("{n}-{m}-{}", "x".repeat(200)), row("a"));
            }
            world.catalog.flush().unwrap();
            n += 1;
            was_long |= log() > 3 << 20;
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
