//! The catalog from outside, by subject.

mod batches;
mod calls;
mod crash;
mod facts;
mod filter;
mod grants;
mod lives;
mod migrations;
mod model;
mod opening;
mod owned;
mod plans;
mod querying;
mod queueing;

use std::fs;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::*;
use crate::observe::Counter;

/// A catalog in a directory of its own.
struct World {
    dir: TempDir,
    observer: Arc<Observer>,
    catalog: Arc<Catalog>,
    volume: VolumeKey,
}

impl World {
    fn new() -> World {
        World::with(Limits::default())
    }

    fn with(limits: Limits) -> World {
        let dir = tempfile::tempdir().unwrap();
        let observer = Arc::new(Observer::default());
        let catalog = Catalog::open_with(dir.path(), Arc::clone(&observer), limits).unwrap();
        let volume = catalog.volume("external_primary", "emulated").unwrap();
        World { dir, observer, catalog, volume }
    }

    fn key(&self, dir: impl AsRef<[u8]>, name: impl AsRef<[u8]>) -> FileKey {
        key(self.volume, dir, name)
    }

    fn put(&self, dir: impl AsRef<[u8]>, name: impl AsRef<[u8]>, row: FileRow) {
        self.catalog.upsert(self.key(dir, name), row);
    }

    fn get(&self, dir: impl AsRef<[u8]>, name: impl AsRef<[u8]>) -> Option<FileRow> {
        self.catalog.flush().unwrap();
        self.catalog.file(&self.key(dir, name)).unwrap()
    }

    /// `dir/name` of everything at or below `dir`, in order.
    fn tree(&self, dir: &[u8]) -> Vec<Vec<u8>> {
        self.catalog.flush().unwrap();
        let mut all = Vec::new();
        let mut note = |dir: &[u8], name: &[u8], _: &FileRow| {
            all.push([dir, if dir.is_empty() { b"" } else { b"/" }, name].concat());
        };
        self.catalog.for_each_below(self.volume, 0, dir, &mut note).unwrap();
        all
    }

    fn db(&self) -> std::path::PathBuf {
        self.dir.path().join("catalog.db")
    }

    /// One number out of the file itself.
    fn ask(&self, sql: &str) -> i64 {
        self.catalog.flush().unwrap();
        rusqlite::Connection::open(self.db()).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn key(volume: VolumeKey, dir: impl AsRef<[u8]>, name: impl AsRef<[u8]>) -> FileKey {
    FileKey { volume, user: 0, dir: dir.as_ref().to_vec(), name: name.as_ref().to_vec() }
}

fn row(owner: &str) -> FileRow {
    FileRow {
        owner: Some(owner.into()),
        mime: "image/jpeg".into(),
        media_type: 1,
        pending: false,
        trashed: false,
        expires: None,
        ino: 7,
        birth: 3,
        size: 8,
        mtime_ns: 9,
    }
}

/// What a plain name says.
fn renamed(mime: &'static str, media_type: u8) -> Renamed {
    Renamed { mime: mime.into(), media_type, pending: false, trashed: false, expires: None }
}
