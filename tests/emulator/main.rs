//! What needs a kernel with binder, and lower file systems that are not everywhere. `tests/emulator/run` boots one and
//! runs these there, one at a time; elsewhere they are ignored.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod death;
mod driver;
mod fat;
mod hostile;
mod identity;
mod lowers;
#[path = "../../service/tests/interface/methods.rs"]
#[allow(dead_code)]
mod methods;
mod quota;
mod raw;
mod tour;

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use mediagate_tests::actor::program;

/// Where init's service listens, by kernel binder and beside it.
const BINDER: &str = "binder://mediagate";
const SOCKET: &str = "unix:///run/mediagate/mediagate.sock";
/// Its volume's mount and the lower directory, of user 0.
const SHARED: &str = "/storage/emulated/0";
const LOWER: &str = "/data/media/0";
/// The app of `packages.list`.
const CAMERA: &str = "com.example.camera";
const CAMERA_UID: u32 = 10_101;

/// Longest wait for anything: the guest is an emulated machine on a busy one.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the command line at an address.
fn try_cli(address: &str, arguments: &[&str]) -> Output {
    Command::new(program("mediagate-tested")).args(["--connect", address]).args(arguments).output().unwrap()
}

fn cli(address: &str, arguments: &[&str]) -> String {
    let output = try_cli(address, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(address: &str, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&cli(address, &[arguments, &["--json"]].concat())).unwrap()
}

/// Numbers of `stats`, of one moment.
fn numbers<const N: usize>(names: [&str; N]) -> [i64; N] {
    let stats = json(BINDER, &["stats"]);
    names.map(|name| {
        let found = stats.as_array().unwrap().iter().find(|it| it["name"] == name);
        found.and_then(|it| it["value"].as_i64()).unwrap_or_else(|| panic!("no number {name}"))
    })
}

/// The file systems that a test is to try: the short run takes the first only.
fn places(all: [&'static str; 2]) -> Vec<&'static str> {
    let count = if std::env::var_os("EMULATOR_SHORT").is_some() { 1 } else { 2 };
    all.into_iter().take(count).collect()
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < PATIENCE, "still not: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
