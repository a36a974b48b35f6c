//! `run-as`: whose uid the command has, what else it has, and its exit status.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output};

use crate::cli::{code, mediagate, stderr};
use crate::fake::APP;
use crate::service::Service;

fn run_as(service: &Service, words: &[&str]) -> Output {
    mediagate(&service.uri).arg("run-as").args(words).output().unwrap()
}

#[test]
fn the_command_has_the_uid_and_nothing_else() {
    let service = Service::start().with_apps();
    let output = run_as(&service, &["com.example.camera", "--", "cat", "/proc/self/status"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let status = String::from_utf8(output.stdout).unwrap();
    let field = |name: &str| -> Vec<&str> {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().collect()
    };
    assert_eq!(field("Uid:"), ["10101"; 4]);
    assert_eq!(field("Gid:"), ["10101"; 4]);
    assert_eq!(field("Groups:"), [""; 0]);
    assert_eq!(field("NoNewPrivs:"), ["1"]);
    for set in ["CapPrm:", "CapEff:", "CapAmb:"] {
        assert_eq!(field(set), ["0000000000000000"], "{set}");
    }
}

#[test]
fn no_descriptor_of_ours_is_handed_on() {
    let service = Service::start().with_apps();
    let output = run_as(&service, &["com.example.camera", "--", "ls", "/proc/self/fd"]);
    let plain = Command::new("ls").arg("/proc/self/fd").output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(String::from_utf8(output.stdout), String::from_utf8(plain.stdout));
}

#[test]
fn the_exit_status_is_the_commands() {
    let service = Service::start().with_apps();
    assert_eq!(code(&run_as(&service, &["com.example.camera", "--", "sh", "-c", "exit 42"])), 42);
    assert_eq!(code(&run_as(&service, &["com.example.camera", "--", "/nonexistent/x"])), 127);
    assert_eq!(code(&run_as(&service, &["com.example.camera", "--", "/etc/passwd"])), 126);
    assert_eq!(code(&run_as(&service, &["com.example.none", "--", "true"])), 1);
    assert_eq!(code(&run_as(&service, &["com.example.camera", "--user", "10", "--", "true"])), 1);
    assert_eq!(code(&run_as(&service, &["com.example.camera", "true"])), 2);
}

#[test]
fn who_is_not_root_is_told_so() {
    let service = Service::start().with_apps();
    let mut command = mediagate(&service.uri);
    command.args(["run-as", "com.example.camera", "--", "true"]).uid(APP).gid(APP);
    let output = command.output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("root"), "{}", stderr(&output));
}
