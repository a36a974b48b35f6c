//! The bound on how many files a package may own and still make new ones.

use mediagate::catalog::{FileKey, FileRow};
use nix::sys::signal::Signal;

use super::{CAMERA, NOTES, catalog, world};

const BOUND: u32 = 1_000_000;

/// `cargo test -p mediagate-tests --test life -- --ignored owns_a_million`.
#[test]
#[ignore = "writes a million rows, which takes minutes"]
fn a_package_that_owns_a_million_files_makes_no_more() {
    let mut world = world();
    world.app(CAMERA).create(world.shared("Download/before.txt"), b"x").unwrap();
    assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
    let index = catalog(&world);
    // Of a card that is not there, so that nobody looks whether the files are.
    let volume = index.volume("card", "public").unwrap();
    for number in 0..BOUND {
        let key = FileKey { volume, user: 0, dir: b"Download".into(), name: number.to_string().into() };
        let row = FileRow {
            owner: Some(CAMERA.into()),
            mime: "text/plain".into(),
            media_type: 6,
            pending: false,
            trashed: false,
            expires: None,
            ino: number.into(),
            birth: 1,
            size: 1,
            mtime_ns: 1,
        };
        index.upsert(key, row);
        if number % 4096 == 0 {
            index.flush().unwrap();
        }
    }
    index.flush().unwrap();
    index.close();
    drop(index);
    world.start_over();
    let (mut camera, mut notes) = (world.app(CAMERA), world.app(NOTES));
    let new = world.shared("Download/after.txt");
    assert_eq!(camera.create(&new, b"x").unwrap_err().0, libc::EFAULT);
    camera.can_write(world.shared("Download/before.txt")).unwrap();
    camera.mkdir(world.shared("Download/dir")).unwrap();
    notes.create(&new, b"x").unwrap();
    let uid = camera.uid.to_string();
    let other = world.shared("Download/other.txt");
    let said = world.daemon().cli(&["explain", "create", other.to_str().unwrap(), "--uid", &uid]);
    assert!(said.contains("EFAULT") && said.contains("owns-too-many-files"), "{said}");
}
