//! The policy's listing filter means the same in SQL: on random worlds, SQLite lets through what the filter does.

use std::collections::BTreeSet;

use mediagate_policy::{Columns, Kind, Object, Operation, Value, decide, is_never_indexed, listing_filter};
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value as Bound;

use world::{ThingSpec, caller, raw_thing, thing};

#[path = "../../../../policy/tests/properties/world.rs"]
#[allow(dead_code, reason = "the policy crate's own tests use all of it")]
mod world;

const COLUMNS: Columns<'_> = Columns {
    owner: "owner",
    media_type: "media_type",
    trashed: "trashed",
    grants: "grants",
    dir: "dir",
    name: "name",
};

/// What an index has a row for; no file system has names with a zero byte.
fn is_indexed(thing: &ThingSpec) -> bool {
    let object = thing.object();
    object.row.is_some() && !is_never_indexed(object.path) && !object.path.contains(&0)
}

/// In the same tree.
fn is_beside(thing: &ThingSpec, other: &ThingSpec) -> bool {
    let tree = |it: &ThingSpec| (it.object().volume, it.object().user, it.mount_root);
    tree(thing) == tree(other)
}

fn table(things: &[ThingSpec]) -> Connection {
    let db = Connection::open_in_memory().unwrap();
    // As in `schema`, with what is granted to the caller in a column of its own.
    db.execute_batch(
        "CREATE TABLE files (id INTEGER, dir BLOB, name BLOB, owner TEXT, media_type INTEGER, trashed INTEGER,
            grants INTEGER) STRICT",
    )
    .unwrap();
    for (id, thing) in things.iter().enumerate() {
        let object = thing.object();
        let Some(row) = object.row.filter(|_| is_indexed(thing)) else { continue };
        let (dir, name) = match object.path.iter().rposition(|it| *it == b'/') {
            Some(slash) => ([b"/", &object.path[..=slash]].concat(), &object.path[slash + 1..]),
            None => (b"/".to_vec(), object.path),
        };
        let values = (id as i64, dir, name, row.owner, row.media_type as u8, row.trashed, row.grants.bits());
        db.execute("INSERT INTO files VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", values).unwrap();
    }
    db
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_lets_through_what_the_decision_allows(
        caller in caller(),
        things in prop::collection::vec(prop_oneof![4 => thing(), 1 => raw_thing()], 60),
    ) {
        let who = caller.principal();
        let db = table(&things);
        for (at, tree) in things.iter().enumerate() {
            // One tree for each user and volume there is.
            if things[..at].iter().any(|it| is_beside(it, tree)) || tree.mount_root {
                continue;
            }
            let root = Object { path: b"", kind: Kind::Directory, row: None, ..tree.object() };
            let (condition, values) = listing_filter(&who, &root).to_sql(&COLUMNS);
            let values = values.into_iter().map(|it| match it {
                Value::Integer(number) => Bound::Integer(number),
                Value::Text(text) => Bound::Text(text.to_string()),
            });
            let mut query = db.prepare(&format!("SELECT id FROM files WHERE {condition}")).unwrap();
            let ids = query.query_map(rusqlite::params_from_iter(values), |row| row.get(0)).unwrap();
            let found: BTreeSet<i64> = ids.map(Result::unwrap).collect();
            for (id, thing) in things.iter().enumerate().filter(|(_, it)| is_beside(it, tree)) {
                let object = thing.object();
                let allowed = is_indexed(thing) && decide(&who, &object, Operation::ListEntry).is_allowed();
                prop_assert_eq!(found.contains(&(id as i64)), allowed, "{:?} by {}", thing, condition);
            }
        }
    }
}
