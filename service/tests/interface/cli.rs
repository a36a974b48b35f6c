//! The built binary against a made-up service: what it prints, and its exit codes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::fake::APP;
use crate::service::Service;

pub(crate) fn mediagate(uri: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mediagate"));
    command.env("MEDIAGATE_URI", uri).env_remove("MEDIAGATE_LOG");
    command
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("it exits")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn run(service: &Service, line: &str) -> Output {
    mediagate(&service.uri).args(line.split(' ')).output().unwrap()
}

fn text(service: &Service, line: &str) -> String {
    let output = run(service, line);
    assert_eq!(code(&output), 0, "{line}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn data(service: &Service, line: &str) -> Value {
    serde_json::from_str(&text(service, &format!("{line} --json"))).unwrap()
}

#[test]
fn volumes_come_and_go() {
    let service = Service::start();
    text(
        &service,
        "volume attach sd --kind emulated --lower /l --mount /m --user 0 --user 10 --cache-seconds -1",
    );
    let attached = service.state().volumes[0].clone();
    assert_eq!((attached.users, attached.cache_seconds, attached.passthrough), (vec![0, 10], Some(-1), true));

    let table = text(&service, "volume list");
    assert!(table.starts_with("NAME  KIND"), "{table}");
    assert!(table.contains("0,10"), "{table}");
    let list = data(&service, "volume list");
    let expected = json!([{
        "name": "sd", "kind": "emulated", "lower": "/l", "mount": "/m", "users": [0, 10],
        "passthrough": "upstream", "watch": "fanotify", "xattrs": true, "indexed": false, "emptied": false,
    }]);
    assert_eq!(list, expected);

    assert_eq!(data(&service, "volume detach sd"), json!({ "ok": true }));
    assert_eq!(data(&service, "volume list"), json!([]));
}

#[test]
fn paths_that_are_not_utf8_arrive_whole() {
    let service = Service::start();
    let mut command = mediagate(&service.uri);
    command.args(["volume", "attach", "sd", "--kind", "public", "--mount", "/m", "--lower"]);
    let output = command.arg(OsStr::from_bytes(b"/l\xff\n")).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(service.state().volumes[0].lower.as_os_str().as_bytes(), b"/l\xff\n");

    let mut command = mediagate(&service.uri);
    command.args(["explain", "--json", "--uid", "10101", "read"]);
    let output = command.arg(OsStr::from_bytes(b"/p\\\xff")).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["path"], r"/p\\\xff");
    assert_eq!(service.state().calls[0], format!("explain 10101 read {:?}", b"/p\\\xff"));
}

#[test]
fn relative_paths_are_those_of_the_caller() {
    let service = Service::start();
    let mut command = mediagate(&service.uri);
    command.current_dir("/usr").args(["volume", "attach", "sd", "--kind", "public"]);
    assert_eq!(code(&command.args(["--lower", "l", "--mount", "m"]).output().unwrap()), 0);
    assert_eq!(service.state().volumes[0].lower.to_str(), Some("/usr/l"));
}

#[test]
fn packages_come_and_go() {
    let service = Service::start();
    text(
        &service,
        "package install com.example.files --app-id 10101 --user 0 --user 10 --permission READ_MEDIA_IMAGES \
         --app-op MANAGE_EXTERNAL_STORAGE=allow --legacy-storage --raw-access false --scoped-storage true --target-sdk 29 --instant",
    );
    let expected = json!([{
        "name": "com.example.files", "app_id": 10101, "users": [0, 10], "target_sdk": 29,
        "permissions": ["READ_MEDIA_IMAGES"], "app_ops": { "MANAGE_EXTERNAL_STORAGE": "allow" },
        "request_legacy_storage": true, "request_raw_access": false, "scoped_storage": true, "instant": true,
        "uids": [10101, 1010101], "source": "runtime",
    }]);
    assert_eq!(data(&service, "package list"), expected);
    let table = text(&service, "package list");
    assert!(table.contains("10101,1010101"), "{table}");
    text(&service, "package remove com.example.files");
    assert_eq!(data(&service, "package list"), json!([]));
}

#[test]
fn grants_come_and_go() {
    let service = Service::start().with_apps();
    text(&service, "grant add com.example.camera /f --write --expires 2000000000");
    text(&service, "grant add com.example.camera /g --selected --user 10");
    let mut command = mediagate(&service.uri);
    command.args(["grant", "add", "com.example.gallery", "--for", "170s"]);
    assert_eq!(code(&command.arg(OsStr::from_bytes(b"/p\\\xff")).output().unwrap()), 0);

    let list = data(&service, "grant list");
    let first = json!({
        "id": 1, "package": "com.example.camera", "user": 0, "kind": "write", "volume": "sd", "path": "/f",
        "expires": 2_000_000_000_i64, "created": 1_700_000_000,
    });
    assert_eq!(list[0], first);
    assert_eq!(
        (&list[1]["user"], &list[1]["kind"], &list[1]["expires"]),
        (&json!(10), &json!("selected"), &json!(null))
    );
    assert_eq!((&list[2]["path"], &list[2]["kind"]), (&json!(r"/p\\\xff"), &json!("read")));
    let table = text(&service, "grant list --package com.example.gallery");
    assert!(table.contains("in 2m") && table.contains(r"/p\\\xff") && !table.contains("camera"), "{table}");

    assert_eq!(data(&service, "grant remove com.example.camera /f"), json!({ "ok": true, "removed": 1 }));
    let again = run(&service, "grant remove com.example.camera /f");
    assert_eq!((code(&again), stderr(&again).as_str()), (1, "mediagate: no grant on it\n"));
    assert!(text(&service, "grant remove com.example.camera --all --user 10").starts_with("1 of"));
    assert_eq!(data(&service, "grant list").as_array().unwrap().len(), 1);
}

#[test]
fn permissions_and_app_ops_are_set() {
    let service = Service::start().with_apps();
    text(&service, "permission grant com.example.camera READ_MEDIA_VIDEO");
    text(&service, "permission revoke com.example.camera READ_MEDIA_VIDEO");
    text(&service, "appop set com.example.camera MANAGE_EXTERNAL_STORAGE deny");
    let expected = [
        "permission com.example.camera READ_MEDIA_VIDEO true",
        "permission com.example.camera READ_MEDIA_VIDEO false",
        "appop com.example.camera MANAGE_EXTERNAL_STORAGE deny",
    ];
    assert_eq!(service.state().calls, expected);
}

#[test]
fn explain_answers_for_a_uid_and_for_a_package() {
    let service = Service::start().with_apps();
    let answer = data(&service, "explain --package com.example.camera read /storage/emulated/0/a.jpg");
    let expected = json!({
        "uid": APP, "operation": "read", "path": "/storage/emulated/0/a.jpg", "to": null, "allowed": false,
        "errno": "EACCES", "rule": "others-media", "because": "it belongs to another app", "redacted": false,
        "needs": ["READ_MEDIA_IMAGES"],
        "facts": [["owner", "com.example.gallery"]],
    });
    assert_eq!(answer, expected);
    let text = text(&service, "explain --uid 10101 rename /a --to /b");
    assert!(text.starts_with("rename /a to /b by uid 10101: refused with EACCES\n"), "{text}");

    let output = run(&service, "explain --package com.example.camera --user 10 read /a");
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("--user"), "{}", stderr(&output));
    assert_eq!(code(&run(&service, "explain --package com.example.none read /a")), 1);
}

#[test]
fn stats_and_dump() {
    let service = Service::start();
    let expected = json!([
        { "name": "fuse.requests.lookup", "value": 42, "gauge": false },
        { "name": "node.live", "value": 7, "gauge": true },
    ]);
    assert_eq!(data(&service, "stats"), expected);
    let table = text(&service, "stats");
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["NAME", "VALUE", "KIND"]);
    assert_eq!(rows[2], ["node.live", "7", "gauge"]);
    let dump = text(&service, "dump");
    assert!(dump.starts_with("CALLS OF THE INTERFACE") && dump.ends_with("\nvolumes: 0\n"), "{dump}");
    let as_json = data(&service, "dump");
    assert!(as_json["dump"].as_str().unwrap().ends_with("\nvolumes: 0\n"), "{as_json}");
}

#[test]
fn an_app_is_told_no_and_why() {
    let service = Service::start().with_apps();
    let as_app =
        |line: &str| mediagate(&service.uri).args(line.split(' ')).uid(APP).gid(APP).output().unwrap();
    for line in [
        "volume list",
        "volume attach sd --kind public --lower /l --mount /m",
        "volume detach sd",
        "package install p --app-id 1",
        "package remove com.example.gallery",
        "permission grant com.example.camera X",
        "appop set com.example.camera X allow",
        "stats",
        "dump",
        "explain --uid 10102 read /a",
    ] {
        let output = as_app(line);
        assert_eq!(code(&output), 1, "{line}");
        assert!(stderr(&output).starts_with("mediagate: not allowed: uid 10101"), "{}", stderr(&output));
    }
    let packages = as_app("package list --json");
    let packages: Value = serde_json::from_slice(&packages.stdout).unwrap();
    assert_eq!(packages.as_array().unwrap().len(), 1);
    assert_eq!(code(&as_app("explain --package com.example.camera read /a")), 0);
    // It does not see that there is such a package.
    assert_eq!(code(&as_app("explain --package com.example.gallery read /a")), 1);
}

#[test]
fn exit_codes_are_those_of_the_contract() {
    let service = Service::start();
    assert_eq!(code(&run(&service, "volume detach none")), 1);
    assert_eq!(code(&run(&service, "volume")), 2);
    assert_eq!(code(&run(&service, "ask")), 2);
    assert_eq!(code(&run(&service, "explain --uid 4294967295 read /a")), 2);
    assert_eq!(code(&run(&service, "stats --connect tcp://x")), 2);
    assert_eq!(code(&run(&service, "--help")), 0);
    assert_eq!(code(&run(&service, "--version")), 0);

    let nowhere = format!("unix://{}/none.sock", service.dir().display());
    let output = mediagate(&nowhere).arg("stats").output().unwrap();
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("mediagate serve"), "{}", stderr(&output));
    assert!(output.stdout.is_empty());
}

#[test]
fn the_configuration_says_where_the_service_is() {
    let service = Service::start();
    let config = service.dir().join("m.toml");
    let toml = format!("[service]\nstate_dir = \"/s\"\nlisten = [\"{}\"]\n", service.uri);
    std::fs::write(&config, toml).unwrap();
    let with = |file: &std::path::Path| {
        let mut command = mediagate("");
        command.arg("stats").arg("--config").arg(file).output().unwrap()
    };
    assert_eq!(code(&with(&config)), 0);
    assert_eq!(code(&with(&service.dir().join("none.toml"))), 2);
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let service = Service::start();
    let mut child = mediagate(&service.uri)
        .arg("stats")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
}
