//! What cannot be looked at is not shown as missing.

use std::ffi::OsString;
use std::fs;
use std::io;

use mediagate_tests::{World, as_app};

use crate::{GALLERY, MANAGER, let_caches_expire, seen, world};

/// How many descriptors the service may have open.
fn limit(world: &mut World, files: u32) {
    let pid = world.daemon().pid().to_string();
    let limit = format!("--nofile={files}:");
    let done = std::process::Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap();
    assert!(done.success());
}

#[test]
fn a_listing_without_descriptors_fails_and_hides_nothing() {
    const COUNT: usize = 300;
    let mut world = world();
    world.daemon().wait_until_indexed();
    let dir = world.shared("DCIM");
    for n in 0..COUNT {
        fs::write(world.lower(format!("DCIM/{n}.jpg")), b"x").unwrap();
    }
    let_caches_expire();
    // The gallery's listing asks each file for its owner, the manager's may look into them for a location.
    for uid in [GALLERY, MANAGER] {
        let (open, opened) = std::sync::mpsc::channel();
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let path = dir.clone();
        // A directory that changed just now is not listed before it is read.
        let lower = world.lower("DCIM");
        fs::set_permissions(&lower, fs::metadata(&lower).unwrap().permissions()).unwrap();
        let app = std::thread::spawn(move || {
            as_app(uid, move || {
                let listing = fs::read_dir(path).unwrap();
                open.send(()).unwrap();
                gone.recv().unwrap();
                let mut names: Vec<OsString> = Vec::new();
                for entry in listing {
                    match entry {
                        Ok(entry) => names.push(entry.file_name()),
                        Err(error) => return (names, Err::<(), io::Error>(error)),
                    }
                }
                (names, Ok(()))
            })
        });
        opened.recv().unwrap();
        limit(&mut world, 3);
        go.send(()).unwrap();
        let (names, result) = app.join().unwrap();
        limit(&mut world, 1024);
        match result {
            Err(error) => assert_eq!(error.raw_os_error(), Some(libc::EMFILE), "uid {uid}"),
            Ok(()) => {
                assert_eq!((names.len(), uid), (COUNT, MANAGER), "nothing was needed, nothing is missing")
            }
        }
        assert_eq!(seen(uid, &dir).len(), COUNT);
    }
}
