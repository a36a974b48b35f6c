//! Ends that nobody announced.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;

const DIRECTORY: &str = "MEDIAGATE_TEST_CRASH_DIRECTORY";

fn check_sound(dir: &Path) {
    let conn = rusqlite::Connection::open(dir.join("catalog.db")).unwrap();
    let verdict: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

#[test]
fn a_copy_of_a_running_catalog_opens_as_after_a_crash() {
    let world = World::new();
    world.catalog.set_reconciled(world.volume).unwrap();
    for n in 0..100_u32 {
        world.put("d", n.to_string(), row("a"));
    }
    world.catalog.flush().unwrap();
    let copy = tempfile::tempdir().unwrap();
    for name in ["catalog.db", "catalog.db-wal"] {
        fs::copy(world.dir.path().join(name), copy.path().join(name)).unwrap();
    }
    let crashed = Catalog::open(copy.path(), Arc::default()).unwrap();
    assert_eq!(crashed.count(world.volume).unwrap(), 100);
    assert!(crashed.needs_reconcile(world.volume).unwrap());
    crashed.set_reconciled(world.volume).unwrap();
    crashed.close();
    check_sound(copy.path());
    let again = Catalog::open(copy.path(), Arc::default()).unwrap();
    assert!(!again.needs_reconcile(world.volume).unwrap());
}

/// The victim of the test below: writes, and says after each commit how far it is.
#[test]
#[ignore = "run by a_killed_process_loses_nothing_it_had_committed"]
fn victim() {
    let Some(dir) = std::env::var_os(DIRECTORY) else { return };
    let catalog = Catalog::open(Path::new(&dir), Arc::default()).unwrap();
    let volume = catalog.volume("v", "public").unwrap();
    catalog.set_reconciled(volume).unwrap();
    for n in 0_u32.. {
        catalog.upsert(key(volume, "d", n.to_string()), row("a"));
        if n % 50 == 0 {
            catalog.flush().unwrap();
            println!("committed {n}");
        }
    }
}

#[test]
fn a_killed_process_loses_nothing_it_had_committed() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "catalog::tests::crash::victim"])
        .env(DIRECTORY, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut committed = None;
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut note = |line: String| {
        if let Some(n) = line.strip_prefix("committed ") {
            committed = n.parse::<u32>().ok().or(committed);
        }
        committed >= Some(2000)
    };
    while let Some(Ok(line)) = lines.next() {
        if note(line) {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it still said before it died was committed, too. The last line may be cut short.
    let mut rest: Vec<String> = lines.map_while(Result::ok).collect();
    rest.pop();
    for line in rest {
        note(line);
    }
    let committed = committed.unwrap();
    assert!(committed >= 2000);

    let catalog = Catalog::open(dir.path(), Arc::default()).unwrap();
    let volume = catalog.volume("v", "public").unwrap();
    let rows = catalog.list_dir(volume, 0, b"d").unwrap();
    assert!((0..=committed).all(|n| rows.contains_key(n.to_string().as_bytes())), "of {committed}");
    assert!(catalog.needs_reconcile(volume).unwrap());
    catalog.close();
    check_sound(dir.path());
}
