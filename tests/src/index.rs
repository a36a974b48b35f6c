//! What the catalog of a world says, against the lower tree.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mediagate::catalog::{Catalog, FileRow};
use mediagate::observe::Observer;
use nix::sys::signal::Signal;

use crate::world::World;

/// All rows by path, read from the catalog's own file after an orderly stop.
pub fn rows(world: &mut World) -> BTreeMap<String, FileRow> {
    assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
    let catalog = Catalog::open(&world.config.service.state_dir, Arc::new(Observer::default()))
        .expect("the index and the lower tree");
    let volume = catalog.volume("external_primary", "emulated").expect("the index and the lower tree");
    let mut rows = BTreeMap::new();
    let mut note = |dir: &[u8], name: &[u8], row: &FileRow| {
        let path = Path::new(std::str::from_utf8(dir).expect("the index and the lower tree"))
            .join(std::str::from_utf8(name).expect("the index and the lower tree"));
        rows.insert(path.into_os_string().into_string().expect("the index and the lower tree"), row.clone());
    };
    catalog.for_each_below(volume, 0, b"", &mut note).expect("the index and the lower tree");
    catalog.close();
    rows
}

/// Path and inode number of every lower file.
pub fn files(root: &Path) -> BTreeMap<String, u64> {
    let mut dirs: Vec<PathBuf> = vec![root.to_owned()];
    let mut files = BTreeMap::new();
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).expect("the index and the lower tree") {
            let entry = entry.expect("the index and the lower tree");
            if entry.file_type().expect("the index and the lower tree").is_dir() {
                dirs.push(entry.path());
            } else {
                let path = entry
                    .path()
                    .strip_prefix(root)
                    .expect("the index and the lower tree")
                    .to_str()
                    .expect("the index and the lower tree")
                    .to_owned();
                files.insert(path, entry.metadata().expect("the index and the lower tree").ino());
            }
        }
    }
    files
}

/// Stops the service and compares: every file has its row, and every row its file.
pub fn says_what_is_there(world: &mut World) {
    let rows = rows(world);
    let indexed: BTreeMap<String, u64> = rows.iter().map(|(path, row)| (path.clone(), row.ino)).collect();
    let files = files(&world.lower(""));
    let wrong: Vec<_> = indexed.iter().filter(|(path, ino)| files.get(*path) != Some(ino)).take(5).collect();
    let missing: Vec<_> =
        files.iter().filter(|(path, ino)| indexed.get(*path) != Some(ino)).take(5).collect();
    assert!(
        wrong.is_empty() && missing.is_empty(),
        "rows without their file: {wrong:?}\nfiles without their row: {missing:?}"
    );
    for (path, row) in rows {
        let meta = std::fs::metadata(world.lower(&path)).expect("the index and the lower tree");
        assert_eq!((row.size, row.mtime_ns), (meta.len(), meta.mtime() * 1_000_000_000 + meta.mtime_nsec()));
    }
}
