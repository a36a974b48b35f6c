//! What SQLite will do for each statement, and that there are no others.

use super::super::open;
use super::*;
use rusqlite::config::DbConfig;

/// Statement by statement, how each is run.
fn plans(conn: &rusqlite::Connection) -> HashMap<&'static str, Vec<String>> {
    let plan = |sql: &str| -> Vec<String> {
        let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        explain.raw_query().mapped(|row| row.get(3)).collect::<Result<_, _>>().unwrap()
    };
    sql::ALL.iter().map(|(name, sql)| (*name, plan(sql))).collect()
}

#[test]
fn no_statement_walks_over_all_files() {
    let world = World::new();
    for n in 0..3000_u32 {
        world.put(format!("d{}", n % 7), n.to_string(), row(if n % 100 == 0 { "rare" } else { "common" }));
    }
    world.catalog.close();
    let conn = rusqlite::Connection::open(world.db()).unwrap();
    functions::teach(&conn).unwrap();
    for analysed in [false, true] {
        if analysed {
            conn.execute_batch("ANALYZE").unwrap();
        }
        let plans = plans(&conn);
        for (name, plan) in &plans {
            assert!(!plan.iter().any(|step| step.starts_with("SCAN files")), "{name}: {plan:?}");
            // There are few volumes, and many of everything else.
            if !name.starts_with("VOLUME_") {
                assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{name}: {plan:?}");
            }
        }
        let hot = "SEARCH files USING COVERING INDEX files_listing (volume_id=? AND user_id=? AND dir=?";
        assert_eq!(plans["FILE_GET"], [format!("{hot} AND name=?)")]);
        assert_eq!(plans["DIR_LIST"], [format!("{hot})")]);
        assert_eq!(plans["DIR_OWNERS"], [format!("{hot})")]);
    }
}

#[test]
fn all_sql_is_where_the_plans_are_checked() {
    let sources = [
        include_str!("../batch.rs"),
        include_str!("../changes.rs"),
        include_str!("../departures.rs"),
        include_str!("../grants.rs"),
        include_str!("../ids.rs"),
        include_str!("../life.rs"),
        include_str!("../links.rs"),
        include_str!("../media.rs"),
        include_str!("../mod.rs"),
        include_str!("../open.rs"),
        include_str!("../owned.rs"),
        include_str!("../queue.rs"),
        include_str!("../query/cursor.rs"),
        include_str!("../query/run.rs"),
        include_str!("../reader.rs"),
        include_str!("../rows.rs"),
        include_str!("../trees.rs"),
        include_str!("../write.rs"),
        include_str!("../writer.rs"),
    ];
    for source in sources {
        for verb in ["\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE ", "\"WITH "] {
            assert!(!source.contains(verb), "{verb} outside sql.rs");
        }
    }
}

#[test]
fn every_connection_is_guarded() {
    let world = World::new();
    let reader = open::open_reader(&world.db()).unwrap();
    assert!(reader.execute_batch("DELETE FROM files").is_err(), "a reader can write");
    world.catalog.close();
    let files = Files::of(world.dir.path());
    let (writer, _) = open::open_writer(&files, &Limits::default()).unwrap();
    for conn in [&reader, &writer] {
        assert!(conn.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG).unwrap());
        assert!(conn.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY).unwrap());
    }
    let ask = |pragma: &str| writer.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((ask("synchronous"), ask("foreign_keys")), (1, 1));
    let mode: String = writer.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}
