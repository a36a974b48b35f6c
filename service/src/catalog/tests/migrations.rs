//! Catalogs of older programs, with what they held.

use super::super::{functions, migrate, schema};
use super::*;

/// What a program of the version wrote: everything that its schema could hold.
fn old_catalog(version: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut old = rusqlite::Connection::open(dir.path().join("catalog.db")).unwrap();
    migrate::migrate(&mut old, &schema::STEPS[..version]).unwrap();
    old.execute_batch(
        "INSERT INTO volumes (id, name, kind, reconciled) VALUES (3, 'external_primary', 'emulated', 1), (9, 'card', 'public', 0);
         INSERT INTO packages VALUES ('p', '{}'), ('q', NULL);
         UPDATE meta SET value = 6 WHERE key = 'generation';",
    )
    .unwrap();
    let places = [(40, 3, 0, "/d/", "f"), (41, 3, 10, "/", "f"), (77, 9, 0, "/a/b/", "%")];
    for (id, volume, user, dir, name) in places {
        old.execute(
            "INSERT INTO files (id, volume_id, user_id, dir, name, owner, mime, media_type, pending, trashed, ino, size,
                mtime_ns, generation_added, generation_modified)
             VALUES (?1, ?2, ?3, CAST(?4 AS BLOB), CAST(?5 AS BLOB), 'a', 'image/jpeg', 1, 0, 1, 7, 8, 9000000000, 4, 5)",
            (id, volume, user, dir, name),
        )
        .unwrap();
    }
    if version >= 3 {
        old.execute_batch(
            "UPDATE files SET added = 9, bucket = bucket_of(volume_id, user_id, dir), birth = 3 * (id = 77)",
        )
        .unwrap();
    }
    if version >= 2 {
        old.execute_batch(
            "INSERT INTO grants (id, package, user_id, file_id, kind, birth, created) VALUES (5, 'p', 0, 77, 1, 3, 1)",
        )
        .unwrap();
    }
    if version >= 3 {
        old.execute_batch(
            "UPDATE files SET added = 9, bucket = bucket_of(volume_id, user_id, dir), birth = (id = 77) * 3",
        )
        .unwrap();
    }
    dir
}

#[test]
fn rows_of_every_older_version_are_kept() {
    for version in 1..schema::STEPS.len() {
        let dir = old_catalog(version);
        let catalog = Catalog::open(dir.path(), Arc::default()).unwrap();
        let volume = catalog.volume("external_primary", "emulated").unwrap();
        let card = catalog.volume("card", "public").unwrap();
        assert_eq!((volume.number(), card.number()), (3, 9));
        assert!(!catalog.needs_reconcile(volume).unwrap() && catalog.needs_reconcile(card).unwrap());
        let was = FileRow { trashed: true, mtime_ns: 9_000_000_000, birth: 0, ..row("a") };
        let birth = if version >= 2 { 3 } else { 0 };
        for (file, id, birth) in [
            (key(volume, "d", "f"), 40, 0),
            (FileKey { user: 10, ..key(volume, "", "f") }, 41, 0),
            (key(card, "a/b", "%"), 77, birth),
        ] {
            assert_eq!(catalog.file(&file).unwrap(), Some(FileRow { birth, ..was.clone() }));
            let entry = catalog.entry(&file.clone().into(), Projection::default()).unwrap().unwrap();
            assert_eq!(
                (entry.id, entry.added, entry.generation_added, entry.generation_modified),
                (id, 9, 4, 5)
            );
            let stored = [&b"/"[..], &file.dir, if file.dir.is_empty() { b"" } else { b"/" }].concat();
            assert_eq!(entry.bucket, functions::bucket_of(file.volume.number(), file.user, &stored));
            assert_eq!((entry.key, entry.favorite, entry.taken_ms), (file, false, None));
        }
        assert_eq!(
            catalog.packages().unwrap(),
            [("p".to_owned(), Some("{}".to_owned())), ("q".to_owned(), None)]
        );
        let grants = catalog.grants().unwrap();
        assert_eq!(
            grants.iter().map(|it| (it.id, it.file)).collect::<Vec<_>>(),
            &[(5, 77)][..usize::from(version >= 2)]
        );
        assert_eq!(catalog.unscanned(volume, 0, 9).unwrap().len(), 2);
        assert!(catalog.new_id() > 77);
        assert_eq!(catalog.version().unwrap().0, 6);
        let changes = catalog.changes_since(&Query::default(), 5).unwrap();
        assert!(changes.start_over, "before version 7 nobody noted whose it was that went");
        catalog.close();
        let conn = rusqlite::Connection::open(dir.path().join("catalog.db")).unwrap();
        assert!(!conn.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap());
        let verdict: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(verdict, "ok");
    }
}

#[test]
fn a_step_that_breaks_references_is_not_taken() {
    let mut conn = rusqlite::Connection::open_in_memory().unwrap();
    let steps = [
        "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a REFERENCES a (id));",
        "INSERT INTO b VALUES (1);",
    ];
    assert!(migrate::migrate(&mut conn, &steps).is_err());
    assert_eq!(migrate::version(&conn).unwrap(), 1);
    let enforced: bool = conn.pragma_query_value(None, "foreign_keys", |row| row.get(0)).unwrap();
    assert!(enforced);
}
