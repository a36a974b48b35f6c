//! `doctor` on whatever machine this is.

use crate::cli::{code, mediagate};

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
fn an_app_is_told_what_it_lacks() {
    use std::os::unix::process::CommandExt as _;
    let output = mediagate("").arg("doctor").uid(10_101).gid(10_101).output().unwrap();
    assert_eq!(code(&output), 1);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("missing  mount privilege"), "{text}");
    assert!(text.contains("run as root"), "{text}");
}
