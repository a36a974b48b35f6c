//! What a listing shows to whom: own and readable files, files that came behind the mount, `.nomedia`, pending and
//! trashed names, hidden directories.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod failing;
mod hidden;
mod kept;
mod racing;
mod visible;

use std::path::Path;

use mediagate_tests::{Package, World, as_app};

const CAMERA: u32 = 10101;
/// May read pictures.
const GALLERY: u32 = 10102;
/// May read music.
const PLAYER: u32 = 10103;
/// May nothing.
const OTHER: u32 = 10104;
/// May everything.
const MANAGER: u32 = 10105;

fn packages() -> [Package; 5] {
    [
        Package::new("com.example.camera", CAMERA),
        Package::new("com.example.gallery", GALLERY).permissions(&["READ_MEDIA_IMAGES"]),
        Package::new("com.example.player", PLAYER).permissions(&["READ_MEDIA_AUDIO"]),
        Package::new("com.example.other", OTHER),
        Package::new("com.example.files", MANAGER).app_op("MANAGE_EXTERNAL_STORAGE", "allow"),
    ]
}

fn world() -> World {
    World::started(&packages())
}

/// Sorted names as the uid sees them.
fn seen(uid: u32, dir: impl AsRef<Path>) -> Vec<String> {
    let dir = dir.as_ref().to_owned();
    as_app(uid, move || {
        let mut names: Vec<String> = std::fs::read_dir(&dir)
            .unwrap_or_else(|error| panic!("uid {uid}: {}: {error}", dir.display()))
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    })
}

/// Whether the uid can open it for reading; the errno if not.
fn reads(uid: u32, path: impl AsRef<Path>) -> Result<(), i32> {
    let path = path.as_ref().to_owned();
    as_app(uid, move || match std::fs::File::open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.raw_os_error().unwrap()),
    })
}

fn write(uid: u32, path: impl AsRef<Path>) {
    let path = path.as_ref().to_owned();
    as_app(uid, move || std::fs::write(path, b"x").unwrap());
}

/// Longer than it takes for a change behind the mount to be believed.
fn let_caches_expire() {
    std::thread::sleep(std::time::Duration::from_millis(1100));
}
