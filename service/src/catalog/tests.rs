//! The catalog from outside: what is written is found again.

use super::*;

#[test]
fn what_is_written_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(dir.path(), Arc::default()).unwrap();
    let volume = catalog.volume("external_primary", "emulated").unwrap();
    let key = FileKey { volume, user: 0, dir: b"DCIM".to_vec(), name: b"a.jpg".to_vec() };
    let row = FileRow {
        owner: Some("com.example.camera".into()),
        mime: "image/jpeg".into(),
        media_type: 1,
        pending: false,
        trashed: false,
        ino: 7,
        size: 8,
        mtime_ns: 9,
    };
    catalog.upsert(key.clone(), row.clone());
    catalog.flush().unwrap();
    assert_eq!(catalog.file(&key).unwrap(), Some(row));
}

/// How SQLite will run every statement: nothing may walk over all files.
#[test]
fn no_statement_scans_the_files() {
    let dir = tempfile::tempdir().unwrap();
    Catalog::open(dir.path(), Arc::default()).unwrap().close();
    let conn = rusqlite::Connection::open(dir.path().join("catalog.db")).unwrap();
    for (name, sql) in sql::ALL {
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> =
            statement.raw_query().mapped(|row| row.get(3)).collect::<Result<_, _>>().unwrap();
        println!("{name}: {plan:?}");
        assert!(!plan.iter().any(|step| step.starts_with("SCAN files")), "{name}: {plan:?}");
    }
}
