//! What a caller without the right to see locations gets, through the mount of a real service, by every way to the bytes.
//! The pictures say in each byte of a location that it is one (`picture::SECRET`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod classes;
mod cost;
mod hostile;
mod links;
mod paths;
mod race;
mod writing;

use std::time::Duration;

use mediagate_tests::{Package, World};

const CAMERA: &str = "com.example.camera";
const MAP: &str = "com.example.map";
const FRAME: &str = "com.example.frame";
const EDITOR: &str = "com.example.editor";
const MAP_UID: u32 = 10102;
const FRAME_UID: u32 = 10103;

/// Who owns the pictures; who may see where they were taken; who may not; who may write them all.
fn packages() -> [Package; 4] {
    [
        Package::new(CAMERA, 10101),
        Package::new(MAP, 10102).permissions(&["READ_MEDIA_IMAGES", "ACCESS_MEDIA_LOCATION"]),
        Package::new(FRAME, FRAME_UID).permissions(&["READ_MEDIA_IMAGES"]),
        Package::new(EDITOR, 10104)
            .permissions(&["MANAGE_EXTERNAL_STORAGE"])
            .app_op("MANAGE_EXTERNAL_STORAGE", "allow"),
    ]
}

/// Caches last for ever: what is shown stale stays stale.
fn world() -> World {
    let mut world = World::new(&packages());
    world.config.volumes[0].cache_seconds = Some(-1);
    world.start();
    world
}

/// Until what is found in a file may be remembered.
fn settle() {
    std::thread::sleep(Duration::from_millis(100));
}
