//! Apps that call the store through the command line, as `run-as` starts it.

use std::path::PathBuf;
use std::process::Output;

use mediagate_tests::{Actor, Package, World};
use serde_json::Value;

pub(crate) const CAMERA: &str = "com.example.camera";
pub(crate) const APP: &str = "com.example.app";
pub(crate) const GALLERY: &str = "com.example.gallery";
pub(crate) const PICKER: &str = "com.example.picker";
pub(crate) const MANAGER: &str = "com.example.manager";

/// A camera that owns files and sees locations, an app that holds nothing, one that may see everybody's pictures and
/// videos, one that is shown what is selected, and a file manager.
pub(crate) fn world() -> World {
    World::started(&[
        Package::new(CAMERA, 10101).permissions(&["ACCESS_MEDIA_LOCATION"]),
        Package::new(APP, 10102),
        Package::new(GALLERY, 10103).permissions(&["READ_MEDIA_IMAGES", "READ_MEDIA_VIDEO"]),
        Package::new(PICKER, 10104).permissions(&["READ_MEDIA_VISUAL_USER_SELECTED"]),
        Package::new(MANAGER, 10105)
            .permissions(&["MANAGE_EXTERNAL_STORAGE"])
            .app_op("MANAGE_EXTERNAL_STORAGE", "allow"),
    ])
}

/// The program where any uid can start it.
pub(crate) fn program(world: &World) -> PathBuf {
    let program = world.path("mediagate");
    if !program.exists() {
        std::fs::copy(mediagate_tests::actor::program("mediagate-tested"), &program).unwrap();
    }
    program
}

/// The command line as an app, or as root.
pub(crate) fn call(world: &mut World, package: Option<&str>, line: &[&str]) -> Output {
    let Some(package) = package else { return world.daemon().try_cli(line) };
    let program = program(world);
    let address = world.daemon().address().to_owned();
    let mut all = vec!["run-as", package, "--", program.to_str().unwrap(), "--connect", &address];
    all.extend_from_slice(line);
    world.daemon().try_cli(&all)
}

/// The answer as JSON.
pub(crate) fn ask(world: &mut World, package: Option<&str>, line: &[&str]) -> Value {
    let mut line = line.to_vec();
    line.push("--json");
    let output = call(world, package, &line);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{package:?} {line:?}: {said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{line:?}: {e}: {:?}", output.stdout))
}

/// What the command fails with.
pub(crate) fn fails(world: &mut World, package: Option<&str>, line: &[&str]) -> String {
    let output = call(world, package, line);
    assert!(!output.status.success(), "{package:?} {line:?}: {:?}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

/// The names that a query finds, in order.
pub(crate) fn names(world: &mut World, package: Option<&str>, options: &[&str]) -> Vec<String> {
    let line = [&["query"][..], options].concat();
    let found = ask(world, package, &line);
    found.as_array().unwrap().iter().map(|it| it["display_name"].as_str().unwrap().to_owned()).collect()
}

/// The id of the file at a path in user 0's tree.
pub(crate) fn id(world: &mut World, file: &str) -> String {
    let path = world.shared(file);
    let all = ask(world, None, &["query", "--pending", "include", "--trashed", "include"]);
    let found = all.as_array().unwrap().iter().find(|it| it["path"] == path.to_str().unwrap());
    found.unwrap_or_else(|| panic!("{file} is not in {all}"))["id"].to_string()
}

/// What became of each file.
pub(crate) fn results(world: &mut World, package: Option<&str>, line: &[&str]) -> Vec<String> {
    let all = ask(world, package, line);
    all.as_array().unwrap().iter().map(|it| it["result"].as_str().unwrap().to_owned()).collect()
}

/// One file of each kind, the camera's.
pub(crate) fn fill(world: &World, camera: &mut Actor) {
    for file in ["DCIM/a.jpg", "Movies/b.mp4", "Music/c.mp3", "Download/d.pdf"] {
        camera.create(world.shared(file), b"content").unwrap();
    }
}
