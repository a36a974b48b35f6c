//! Everything that the command line asks for, by kernel binder, of the service that init has started.

use mediagate_tests::Actor;

use crate::{BINDER, CAMERA, CAMERA_UID, LOWER, SHARED, SOCKET, cli, json, numbers, try_cli};

const GALLERY: &str = "com.example.gallery";
const GALLERY_UID: u32 = 10_102;

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn a_package_comes_gets_a_permission_and_a_grant_and_goes() {
    let mut camera = Actor::start(CAMERA_UID);
    let photo = format!("{SHARED}/DCIM/tour.jpg");
    camera.create(&photo, b"\xff\xd8\xff a photo").unwrap();
    assert!(std::fs::exists(format!("{LOWER}/DCIM/tour.jpg")).unwrap());

    cli(BINDER, &["package", "install", GALLERY, "--app-id", "10102", "--user", "0", "--target-sdk", "34"]);
    let mut gallery = Actor::start(GALLERY_UID);
    assert!(gallery.can_read(&photo).is_err(), "it holds nothing yet");
    let why = json(BINDER, &["explain", "--package", GALLERY, "read", &photo]);
    assert_eq!((&why["uid"], &why["allowed"]), (&GALLERY_UID.into(), &false.into()), "{why}");

    cli(BINDER, &["permission", "grant", GALLERY, "READ_MEDIA_IMAGES"]);
    gallery.can_read(&photo).unwrap();
    let why = json(BINDER, &["explain", "--package", GALLERY, "read", &photo]);
    assert_eq!(why["allowed"], true, "{why}");
    cli(BINDER, &["permission", "revoke", GALLERY, "READ_MEDIA_IMAGES"]);
    assert!(gallery.can_read(&photo).is_err());

    cli(BINDER, &["grant", "add", GALLERY, &photo]);
    gallery.can_read(&photo).unwrap();
    let grants = json(BINDER, &["grant", "list", "--package", GALLERY]);
    assert_eq!((grants.as_array().unwrap().len(), &grants[0]["kind"]), (1, &"read".into()), "{grants}");
    cli(BINDER, &["grant", "remove", GALLERY, &photo]);
    assert!(gallery.can_read(&photo).is_err());

    cli(BINDER, &["appop", "set", GALLERY, "MANAGE_EXTERNAL_STORAGE", "allow"]);
    let dump = cli(BINDER, &["dump"]);
    assert!(dump.contains(GALLERY) && dump.contains("external_primary"), "{dump}");
    cli(BINDER, &["package", "remove", GALLERY]);
    camera.unlink(&photo).unwrap();
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn both_addresses_are_one_service() {
    cli(SOCKET, &["package", "install", "com.example.both", "--app-id", "10103", "--user", "0"]);
    for address in [BINDER, SOCKET] {
        let packages = json(address, &["package", "list"]);
        let names: Vec<_> =
            packages.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"com.example.both") && names.contains(&CAMERA), "{address}: {names:?}");
    }
    cli(BINDER, &["package", "remove", "com.example.both"]);
    assert!(!try_cli(SOCKET, &["package", "remove", "com.example.both"]).status.success());
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn bytes_go_by_the_daemon() {
    let mut camera = Actor::start(CAMERA_UID);
    let film = format!("{SHARED}/DCIM/tour.mp4");
    let served = ["fuse.requests.read", "fuse.requests.write", "open.daemon"];
    let before = numbers(served);
    let data: Vec<u8> = (0..1_u32 << 13).flat_map(u32::to_le_bytes).collect();
    camera.create(&film, &data).unwrap();
    assert!(camera.read_all(&film).unwrap() == data);
    assert_eq!(numbers(served), before, "{served:?}");
    camera.unlink(&film).unwrap();
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn doctor_says_that_binder_is_there() {
    let report = json(BINDER, &["doctor"]);
    let check = report["checks"].as_array().unwrap().iter().find(|it| it["name"] == "binder");
    let check = check.unwrap_or_else(|| panic!("{report}"));
    assert_eq!(check["state"], "ok", "{check}");
    assert!(check["found"].as_str().unwrap().contains("/dev/binderfs/binder"), "{check}");
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn a_name_that_nobody_has_is_an_answer() {
    let output = try_cli("binder://mediagate.nobody", &["stats"]);
    assert_eq!(output.status.code(), Some(3));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("no such name"), "{error}");
}
