//! The life of a file: what removed packages, time, lost catalogs and sudden ends do to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bound;
mod cards;
mod ids;
mod kills;
mod maintenance;
mod packages;
mod recovery;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use mediagate::catalog::{Catalog, Entry, FileKey, Projection};
use mediagate::observe::Observer;
use mediagate_tests::{Package, World};

const CAMERA: &str = "com.example.camera";
const NOTES: &str = "com.example.notes";
const FILES: &str = "com.example.files";

fn packages() -> [Package; 3] {
    [
        Package::new(CAMERA, 10101),
        Package::new(NOTES, 10102),
        Package::new(FILES, 10103).app_op("MANAGE_EXTERNAL_STORAGE", "allow"),
    ]
}

fn world() -> World {
    let mut world = World::started(&packages());
    world.daemon().wait_until_indexed();
    world
}

fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

/// What a lower file says of its owner.
fn owner_of(path: &Path) -> Option<String> {
    let mut value = [0; 256];
    match rustix::fs::getxattr(path, "user.mediagate.owner", &mut value) {
        Ok(length) => Some(String::from_utf8(value[..length].to_vec()).unwrap()),
        Err(rustix::io::Errno::NODATA) => None,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The catalog's own file, while no service runs.
fn catalog(world: &World) -> Arc<Catalog> {
    Catalog::open(&world.config.service.state_dir, Arc::new(Observer::default())).unwrap()
}

/// The row of a file of user 0.
fn row(catalog: &Catalog, path: &str) -> Option<Entry> {
    let volume = catalog.volume("external_primary", "emulated").unwrap();
    let (dir, name) = path.rsplit_once('/').unwrap();
    let key = FileKey { volume, user: 0, dir: dir.into(), name: name.into() };
    catalog.entry(&key.into(), Projection::default()).unwrap()
}
