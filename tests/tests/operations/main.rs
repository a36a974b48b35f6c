//! Every operation that a program can do on a file system, through the mount, held against what the same calls do on
//! the lower one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attributes;
mod directories;
mod files;
mod locks;
mod refused;

use mediagate_tests::{Package, World};

/// Creates files and owns them.
const APP: u32 = 10101;
/// May read pictures.
const READER: u32 = 10102;

fn world() -> World {
    World::started(&[
        Package::new("com.example.app", APP),
        Package::new("com.example.reader", READER).permissions(&["READ_MEDIA_IMAGES"]),
    ])
}

/// The errno of a result that must be an error.
fn errno<T: std::fmt::Debug>(result: std::io::Result<T>) -> i32 {
    result.unwrap_err().raw_os_error().unwrap()
}
