//! Who may ask what over the interface: the real client, run under real uids.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

use mediagate_tests::{World, actor::program, as_app};

use crate::{CAMERA, OTHER, world};

/// Runs the client as `uid`.
fn cli_as(world: &mut World, uid: u32, arguments: &[&str]) -> Output {
    Command::new(program("mediagate-tested"))
        .args(["--connect", world.daemon().address()])
        .args(arguments)
        .uid(uid)
        .gid(uid)
        .output()
        .unwrap()
}

#[test]
fn an_app_may_ask_about_itself_and_nothing_else() {
    let mut world = world();
    let path = world.shared("DCIM/a.jpg");
    as_app(CAMERA, {
        let path = path.clone();
        move || fs::write(path, b"x").unwrap()
    });
    let (path, mount) = (path.display().to_string(), world.path("more").display().to_string());
    let (own, others) = (CAMERA.to_string(), OTHER.to_string());
    let explained = cli_as(&mut world, CAMERA, &["--json", "explain", "--uid", &own, "read", &path]);
    let answer: serde_json::Value = serde_json::from_slice(&explained.stdout).unwrap();
    assert_eq!((&answer["allowed"], explained.status.code()), (&true.into(), Some(0)), "{answer}");
    let refused: serde_json::Value = {
        let output = cli_as(&mut world, OTHER, &["--json", "explain", "--uid", &others, "write", &path]);
        serde_json::from_slice(&output.stdout).unwrap()
    };
    assert_eq!(
        (&refused["allowed"], refused["errno"].as_str()),
        (&false.into(), Some("EACCES")),
        "{refused}"
    );
    assert_eq!(refused["facts"].as_array().map(Vec::len), Some(0), "an app is told no facts: {refused}");

    let listed = cli_as(&mut world, CAMERA, &["--json", "package", "list"]);
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed: Vec<serde_json::Value> = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["name"], "com.example.camera");

    let forbidden: &[&[&str]] = &[
        &["explain", "--uid", &others, "read", &path],
        &["explain", "--uid", "0", "read", &path],
        &["volume", "list"],
        &["volume", "attach", "more", "--kind", "public", "--lower", "/tmp", "--mount", &mount],
        &["volume", "detach", "external_primary"],
        &["package", "install", "com.example.new", "--app-id", "10199"],
        &["package", "remove", "com.example.other"],
        &["permission", "grant", "com.example.camera", "READ_MEDIA_IMAGES"],
        &["permission", "revoke", "com.example.other", "READ_MEDIA_IMAGES"],
        &["appop", "set", "com.example.camera", "MANAGE_EXTERNAL_STORAGE", "allow"],
        &["stats"],
        &["dump"],
        &["run-as", "com.example.other", "--", "true"],
    ];
    for arguments in forbidden {
        let output = cli_as(&mut world, CAMERA, arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.starts_with("mediagate: ") && said.len() > 20, "{arguments:?}: {said}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
    }
    // Nothing of it happened; and root may.
    assert_eq!(world.daemon().stat("volumes"), 1);
    world.daemon().cli(&["permission", "revoke", "com.example.other", "READ_MEDIA_IMAGES"]);
    let path = world.shared("DCIM/a.jpg");
    as_app(OTHER, move || assert!(fs::read(path).is_err()));
}

#[test]
fn run_as_runs_with_the_apps_uid() {
    let mut world = world();
    let photo = world.shared("DCIM/a.jpg").display().to_string();
    let script = format!("printf pixels > '{photo}' && id -u && id -G");
    let said = world.daemon().cli(&["run-as", "com.example.camera", "--", "sh", "-c", &script]);
    assert_eq!(said, "10101\n10101\n");
    let other = world.daemon().try_cli(&["run-as", "com.example.other", "--", "cat", &photo]);
    assert_eq!(other.stdout, b"pixels");
    let refused = world.daemon().try_cli(&[
        "run-as",
        "com.example.other",
        "--",
        "sh",
        "-c",
        &format!(": >> '{photo}'"),
    ]);
    assert_ne!(refused.status.code(), Some(0));
    let said = world.daemon().cli(&["run-as", "com.example.camera", "--user", "10", "--", "id", "-u"]);
    assert_eq!(said, "1010101\n");
    let status = |world: &mut World, arguments: &[&str]| world.daemon().try_cli(arguments).status.code();
    assert_eq!(status(&mut world, &["run-as", "com.example.camera", "--", "sh", "-c", "exit 7"]), Some(7));
    assert_eq!(status(&mut world, &["run-as", "com.example.none", "--", "true"]), Some(1));
    assert_eq!(status(&mut world, &["run-as", "com.example.camera", "--user", "11", "--", "true"]), Some(1));
    assert_eq!(status(&mut world, &["run-as", "com.example.camera", "--", "/no/such/program"]), Some(127));
    assert_eq!(status(&mut world, &["run-as", "com.example.camera", "--", "/etc/passwd"]), Some(126));
}

#[test]
fn a_service_that_is_not_there_is_exit_3() {
    let nobody = Command::new(program("mediagate-tested"))
        .args(["--connect", "unix:///nonexistent/mediagate.sock", "stats"])
        .output()
        .unwrap();
    assert_eq!(nobody.status.code(), Some(3));
    assert!(!nobody.stderr.is_empty());
}
