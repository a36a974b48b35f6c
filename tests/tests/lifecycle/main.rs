//! Starting, stopping, crashing, misconfiguring; several volumes and users; who may ask what of the interface.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod authority;
mod configuration;
mod signals;
mod stats;
mod volumes;

use mediagate_tests::{Package, World};

const CAMERA: u32 = 10101;
const OTHER: u32 = 10103;

fn packages() -> [Package; 2] {
    [
        Package::new("com.example.camera", CAMERA).users(&[0, 10]),
        Package::new("com.example.other", OTHER).permissions(&["READ_MEDIA_IMAGES"]).users(&[0, 10]),
    ]
}

fn world() -> World {
    World::started(&packages())
}

/// The errno of a result that must be an error.
fn errno<T: std::fmt::Debug>(result: std::io::Result<T>) -> i32 {
    result.unwrap_err().raw_os_error().unwrap()
}

/// The line of `/proc/mounts` for a mount point, as its fields.
fn mounted(at: &std::path::Path) -> Option<Vec<String>> {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    let line = mounts.lines().find(|line| line.split(' ').nth(1) == at.to_str())?;
    Some(line.split(' ').map(str::to_owned).collect())
}
