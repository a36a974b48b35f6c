//! Old, new, broken and foreign files; clean and unclean ends.

use std::os::unix::fs::{FileExt as _, PermissionsExt as _};

use super::super::{migrate, schema};
use super::*;

fn schema_of(conn: &rusqlite::Connection) -> Vec<(String, String)> {
    conn.prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

fn set_aside_in(dir: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("corrupt-"))
        .collect();
    names.sort();
    names
}

#[test]
fn the_directory_is_made_for_the_service_alone() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("deep/state");
    let catalog = Catalog::open(&state, Arc::default()).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    for name in ["catalog.db", "catalog.db-wal", "catalog.lock"] {
        assert_eq!(mode(&state.join(name)), 0o600, "{name}");
    }
    drop(catalog);
    assert!(!state.join("catalog.db-wal").exists(), "an orderly end leaves no log behind");
}

#[test]
fn a_file_in_the_way_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    fs::write(&state, "").unwrap();
    let error = Catalog::open(&state, Arc::default()).unwrap_err().to_string();
    assert!(error.contains(state.to_str().unwrap()) && error.contains("state_dir"), "{error}");
}

#[test]
fn one_service_per_state_directory() {
    let world = World::new();
    assert!(matches!(Catalog::open(world.dir.path(), Arc::default()), Err(CatalogError::InUse { .. })));
    world.catalog.close();
    Catalog::open(world.dir.path(), Arc::default()).unwrap();
}

#[test]
fn a_new_volume_needs_a_reconcile_and_a_clean_end_keeps_what_was_reconciled() {
    let world = World::new();
    assert!(world.catalog.needs_reconcile(world.volume).unwrap());
    world.catalog.set_reconciled(world.volume).unwrap();
    assert!(!world.catalog.needs_reconcile(world.volume).unwrap());
    let other = world.catalog.volume("other", "public").unwrap();
    assert_eq!(world.ask("SELECT value FROM meta WHERE key = 'clean'"), 0);
    world.catalog.close();
    let again = Catalog::open(world.dir.path(), Arc::default()).unwrap();
    assert!(!again.needs_reconcile(world.volume).unwrap());
    assert!(again.needs_reconcile(other).unwrap());
}

#[test]
fn generations_go_on_where_they_were() {
    let world = World::new();
    world.put("d", "f", row("a"));
    let before = world.ask("SELECT generation_modified FROM files");
    world.catalog.close();
    let again = Catalog::open(world.dir.path(), Arc::default()).unwrap();
    again.upsert_now(world.key("d", "f"), row("b")).unwrap();
    assert!(world.ask("SELECT generation_modified FROM files") > before);
}

#[test]
fn garbage_is_put_aside_with_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let garbage = vec![b'x'; 5000];
    fs::write(dir.path().join("catalog.db"), &garbage).unwrap();
    fs::write(dir.path().join("catalog.db-wal"), "old log").unwrap();
    let catalog = Catalog::open(dir.path(), Arc::default()).unwrap();
    let volume = catalog.volume("v", "public").unwrap();
    assert!(catalog.needs_reconcile(volume).unwrap());
    let aside = set_aside_in(dir.path());
    assert_eq!(aside.len(), 2, "{aside:?}");
    assert_eq!(fs::read(dir.path().join(&aside[0])).unwrap(), garbage);
    assert_eq!(fs::read(dir.path().join(&aside[1])).unwrap(), b"old log");
}

#[test]
fn damage_inside_is_put_aside() {
    let world = World::new();
    world.put("d", "f", row("a"));
    world.catalog.close();
    let mut bytes = fs::read(world.db()).unwrap();
    // All but the header, which alone still looks like a database.
    bytes[100..].fill(0xAA);
    fs::write(world.db(), &bytes).unwrap();
    let again = Catalog::open(world.dir.path(), Arc::default()).unwrap();
    assert_eq!(again.count(world.volume).unwrap(), 0);
    assert_eq!(set_aside_in(world.dir.path()).len(), 1);
}

#[test]
fn damage_found_while_running_is_put_aside_at_the_next_start() {
    let world = World::new();
    for n in 0..2000_u32 {
        world.put("d", n.to_string(), row("a"));
    }
    world.catalog.close();
    let observer = Arc::new(Observer::default());
    let damaged = Catalog::open(world.dir.path(), Arc::clone(&observer)).unwrap();
    // After the opening, which looks a database of this size over.
    let file = fs::File::options().write(true).open(world.db()).unwrap();
    let length = usize::try_from(file.metadata().unwrap().len()).unwrap();
    // The small tables are in the first pages; the files are behind them.
    let from = length / 2;
    file.write_all_at(&vec![0xAA; length - from], from as u64).unwrap();
    assert!(damaged.list_dir(world.volume, 0, b"d").is_err());
    assert!(observer.counter(Counter::CatalogErrors) > 0);
    damaged.close();
    let clean: i64 = rusqlite::Connection::open(world.db())
        .unwrap()
        .query_row("SELECT value FROM meta WHERE key = 'clean'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(clean, 0, "what is damaged does not count as closed in order");
    assert!(set_aside_in(world.dir.path()).is_empty());

    let fresh = Catalog::open(world.dir.path(), Arc::default()).unwrap();
    let volume = fresh.volume("external_primary", "emulated").unwrap();
    assert!(fresh.list_dir(volume, 0, b"d").unwrap().is_empty());
    assert!(fresh.needs_reconcile(volume).unwrap());
    assert_eq!(set_aside_in(world.dir.path()).len(), 1);
    fresh.close();
    Catalog::open(world.dir.path(), Arc::default()).unwrap();
    assert_eq!(set_aside_in(world.dir.path()).len(), 1, "put aside once");
}

#[test]
fn a_newer_catalog_is_refused_and_not_touched() {
    // With the version in the file, and with the version still in the log only.
    for checkpointed in [true, false] {
        let source = tempfile::tempdir().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let conn = rusqlite::Connection::open(source.path().join("catalog.db")).unwrap();
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
        conn.execute_batch("CREATE TABLE future (x); PRAGMA user_version = 4711").unwrap();
        if checkpointed {
            conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        }
        let names = ["catalog.db", "catalog.db-wal"];
        for name in names {
            fs::copy(source.path().join(name), dir.path().join(name)).unwrap();
        }
        let contents = || names.map(|name| fs::read(dir.path().join(name)).unwrap());
        let before = contents();
        let error = Catalog::open(dir.path(), Arc::default()).unwrap_err();
        assert!(matches!(error, CatalogError::Newer { found: 4711, .. }), "{error}");
        assert!(error.to_string().contains("4711"), "{error}");
        assert_eq!(contents(), before);
        assert!(set_aside_in(dir.path()).is_empty());
    }
}

#[test]
fn every_older_version_becomes_the_newest() {
    let mut fresh = rusqlite::Connection::open_in_memory().unwrap();
    migrate::migrate(&mut fresh, schema::STEPS).unwrap();
    for version in 0..=schema::STEPS.len() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("catalog.db");
        let mut old = rusqlite::Connection::open(&path).unwrap();
        migrate::migrate(&mut old, &schema::STEPS[..version]).unwrap();
        drop(old);
        let catalog = Catalog::open(dir.path(), Arc::default()).unwrap();
        let volume = catalog.volume("v", "public").unwrap();
        catalog.upsert_now(key(volume, "d", "f"), row("a")).unwrap();
        assert_eq!(catalog.count(volume).unwrap(), 1);
        catalog.close();
        let now = rusqlite::Connection::open(&path).unwrap();
        assert_eq!(migrate::version(&now).unwrap(), migrate::newest(schema::STEPS));
        assert_eq!(schema_of(&now), schema_of(&fresh));
    }
}

#[test]
fn the_migrator_runs_what_is_missing_and_nothing_twice() {
    let steps = [
        "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);",
        "ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 2; INSERT INTO t VALUES (3, 4);",
        "UPDATE t SET b = b * 10;",
    ];
    for from in 0..=steps.len() {
        let mut conn = rusqlite::Connection::open_in_memory().unwrap();
        migrate::migrate(&mut conn, &steps[..from]).unwrap();
        migrate::migrate(&mut conn, &steps).unwrap();
        migrate::migrate(&mut conn, &steps).unwrap();
        let sum: i64 = conn.query_row("SELECT sum(a * 100 + b) FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!((migrate::version(&conn).unwrap(), sum), (3, 460));
    }
}

#[test]
fn a_failing_step_leaves_the_version_before_it() {
    let mut conn = rusqlite::Connection::open_in_memory().unwrap();
    let steps = ["CREATE TABLE t (a);", "INSERT INTO t VALUES (1); INSERT INTO nowhere VALUES (1);"];
    assert!(migrate::migrate(&mut conn, &steps).is_err());
    let rows: i64 = conn.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
    assert_eq!((migrate::version(&conn).unwrap(), rows), (1, 0));
}

/// The files of a catalog that is closed, in another directory.
fn backup(world: &World) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::copy(world.db(), copy.path().join("catalog.db")).unwrap();
    copy
}

#[test]
fn a_backup_that_was_put_back_is_noticed() {
    let world = World::new();
    world.put("d", "f", row("a"));
    world.catalog.set_reconciled(world.volume).unwrap();
    world.catalog.close();
    let old = backup(&world);
    let again = Catalog::open(world.dir.path(), Arc::default()).unwrap();
    let (since, session) = again.version().unwrap();
    assert!(!again.needs_reconcile(world.volume).unwrap(), "an orderly end, and nobody was here since");
    again.upsert_now(world.key("d", "g"), row("a")).unwrap();
    let seen = again.version().unwrap().0;
    again.close();
    fs::copy(old.path().join("catalog.db"), world.db()).unwrap();
    let back = Catalog::open(world.dir.path(), Arc::default()).unwrap();
    assert!(back.needs_reconcile(world.volume).unwrap());
    let (generation, same) = back.version().unwrap();
    assert!(generation > seen && same == session);
    for known in [since, seen] {
        assert!(back.changes_since(&Query::default(), known).unwrap().start_over);
    }
    assert!(!back.changes_since(&Query::default(), generation).unwrap().start_over);
}

#[test]
fn after_an_end_that_was_none_clients_begin_anew() {
    let world = World::new();
    world.catalog.upsert_now(world.key("d", "f"), row("a")).unwrap();
    let seen = world.catalog.version().unwrap().0;
    let copy = backup(&world);
    for name in ["catalog.db-wal", "catalog.epoch"] {
        fs::copy(world.dir.path().join(name), copy.path().join(name)).unwrap();
    }
    let killed = Catalog::open(copy.path(), Arc::default()).unwrap();
    assert!(killed.changes_since(&Query::default(), seen).unwrap().start_over);
}
