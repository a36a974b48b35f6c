//! The first things that must work.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use mediagate_tests::{Package, World};
use nix::sys::signal::Signal;

#[test]
fn an_app_creates_and_another_sees_what_it_may() {
    let mut world = World::started(&[
        Package::new("com.example.camera", 10101),
        Package::new("com.example.gallery", 10102).permissions(&["READ_MEDIA_IMAGES"]),
        Package::new("com.example.other", 10103),
    ]);
    let (mut camera, mut gallery, mut other) =
        (world.app("com.example.camera"), world.app("com.example.gallery"), world.app("com.example.other"));
    let photo = world.shared("DCIM/a.jpg");
    camera.create(&photo, b"pixels").unwrap();
    assert_eq!(gallery.read_all(&photo).unwrap(), b"pixels");
    assert_eq!(other.read_all(&photo).unwrap_err().0, libc::EACCES);
    assert_eq!(gallery.list(world.shared("DCIM")).unwrap(), ["a.jpg"]);
    assert_eq!(other.list(world.shared("DCIM")).unwrap(), [""; 0]);
    assert_eq!(world.daemon().stop(Signal::SIGTERM).code(), Some(0));
    assert!(!photo.exists(), "unmounted");
}
