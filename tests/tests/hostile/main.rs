//! Names, trees, links and flags that somebody made to break in or to break it: never a byte from outside the volume,
//! never a panic, never a hang.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod behind;
mod flags;
mod handle;
mod leaks;
mod links;
mod names;
mod race;

use std::path::{Path, PathBuf};

use mediagate_tests::{Package, World};

/// Creates media and owns it.
const CAMERA: u32 = 10101;
/// May read everybody's pictures.
const GALLERY: u32 = 10102;
/// May nothing.
const OTHER: u32 = 10103;
/// May everything.
const MANAGER: u32 = 10104;

/// What must never be read through the mount.
const SECRET: &[u8] = b"from outside";

fn world() -> World {
    let mut world = not_started();
    world.start();
    world
}

fn not_started() -> World {
    World::new(&[
        Package::new("com.example.camera", CAMERA),
        Package::new("com.example.gallery", GALLERY).permissions(&["READ_MEDIA_IMAGES"]),
        Package::new("com.example.other", OTHER),
        Package::new("com.example.files", MANAGER).app_op("MANAGE_EXTERNAL_STORAGE", "allow"),
    ])
}

/// A directory beside the volume with secrets in it.
fn outside(world: &World) -> PathBuf {
    let outside = world.path("outside");
    std::fs::create_dir_all(outside.join("deeper")).unwrap();
    for name in ["secret.jpg", "a.jpg", "deeper/a.jpg"] {
        std::fs::write(outside.join(name), SECRET).unwrap();
    }
    outside
}

/// Everything below a directory: paths and contents.
fn everything(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.push((path.clone(), Vec::new()));
            found.extend(everything(&path));
        } else {
            let content = std::fs::read(&path).unwrap();
            found.push((path, content));
        }
    }
    found.sort();
    found
}

/// Every name in a directory, as bytes, sorted.
fn names(dir: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    use std::os::unix::ffi::OsStringExt;
    let mut names: Vec<_> = std::fs::read_dir(dir)?
        .map(|entry| entry.map(|entry| entry.file_name().into_vec()))
        .collect::<Result<_, _>>()?;
    names.sort();
    Ok(names)
}

/// The errno of a result that must be an error.
fn errno<T: std::fmt::Debug>(result: std::io::Result<T>) -> i32 {
    result.unwrap_err().raw_os_error().unwrap()
}

/// The service lives, and no request made it panic.
fn is_well(world: &mut World) {
    assert_eq!(world.daemon().stat("fuse.panics"), 0);
    assert_eq!(world.daemon().stat("watchdog.slow_requests"), 0);
}

/// Longer than the kernel may keep what it knows (`cache_seconds = 1`).
fn let_caches_expire() {
    std::thread::sleep(std::time::Duration::from_millis(1100));
}
