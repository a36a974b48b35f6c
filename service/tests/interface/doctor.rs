//! `doctor` on whatever machine this is.

use crate::cli::{code, mediagate};
use crate::fake::volume;
use crate::service::Service;

#[test]
fn doctor_agrees_with_itself() {
    let output = mediagate("unix:///nobody").args(["doctor", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let can_mount = report["can_mount"].as_bool().unwrap();
    assert_eq!(code(&output), i32::from(!can_mount));
    for check in report["checks"].as_array().unwrap() {
        let state = check["state"].as_str().unwrap();
        assert!(["ok", "missing", "unknown"].contains(&state), "{check}");
        assert_eq!(check["remedy"].as_str().unwrap().is_empty(), state == "ok", "{check}");
    }
    let text = mediagate("unix:///nobody").arg("doctor").output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    assert_eq!(text.contains("This machine can mount volumes."), can_mount, "{text}");
}

#[test]
fn doctor_says_which_passthrough_a_running_service_uses() {
    let service = Service::start();
    let said = || {
        let output = mediagate(&service.uri).arg("doctor").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().find(|it| it.contains("passthrough in use")).map(str::to_owned).unwrap_or_default()
    };
    assert!(said().starts_with("unknown "), "{}", said());
    service.client().attach_volume(&volume("sd")).unwrap();
    assert!(said().starts_with("ok ") && said().ends_with(" sd: upstream"), "{}", said());
}

#[test]
fn an_app_is_told_what_it_lacks() {
    use std::os::unix::process::CommandExt as _;
    let output = mediagate("").arg("doctor").uid(10_101).gid(10_101).output().unwrap();
    assert_eq!(code(&output), 1);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("missing  mount privilege"), "{text}");
    assert!(text.contains("run as root"), "{text}");
}
