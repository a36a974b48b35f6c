//! Mistakes in the configuration: refused with file, line and remedy, and nothing is mounted.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use mediagate_tests::{World, actor::program};

use crate::{mounted, packages, world};

/// Runs `serve`, which must end by itself.
pub(crate) fn serve(file: &Path) -> Output {
    let mut child = Command::new(program("mediagate-tested"))
        .args(["serve", "--config"])
        .arg(file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begin = std::time::Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begin.elapsed() > std::time::Duration::from_secs(20) {
            child.kill().unwrap();
            panic!("it runs");
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

#[test]
fn mistakes_are_refused_with_line_and_remedy() {
    let world = World::new(&packages());
    let at = |name: &str| world.path(name).display().to_string();
    let good = format!(
        "[service]\nstate_dir = \"{}\"\n\n[[volume]]\nname = \"external_primary\"\nkind = \"emulated\"\n\
         lower = \"{}\"\nmount = \"{}\"\n\n[[package]]\nname = \"com.example.one\"\napp_id = 10101\n",
        at("state"),
        at("lower"),
        at("mnt")
    );
    let one = |line: &str, instead: &str| good.replace(line, instead);
    let cases: [(String, usize, &str); 10] = [
        (one("state_dir =", "threads = 2\nstate_dri ="), 3, "did you mean \"state_dir\""),
        (one("kind = \"emulated\"", "kind = \"emulate\""), 6, "emulated"),
        (one(&format!("lower = \"{}\"", at("lower")), &format!("lower = \"{}\"", at("none"))), 7, "mkdir -p"),
        (
            one(&format!("mount = \"{}\"", at("mnt")), &format!("mount = \"{}\"", at("lower/mnt"))),
            7,
            "outside",
        ),
        (one("app_id = 10101", "app_id = 2000"), 12, "10000 to 19999"),
        (format!("{good}\n[[package]]\nname = \"com.example.two\"\napp_id = 10101\n"), 16, "com.example.one"),
        (format!("{good}\n[[package]]\nname = \"com.example.one\"\napp_id = 10102\n"), 15, "com.example.one"),
        (format!("{good}permissions = [\"READ_MEDIA_IMAGE\"]\n"), 13, "READ_MEDIA_IMAGES"),
        (format!("{good}users = [0\n"), 13, ""),
        (one("mount = \"", "mount = \"relative"), 8, "absolute"),
    ];
    for (text, line, remedy) in cases {
        let file = world.path("wrong.toml");
        fs::write(&file, &text).unwrap();
        let refused = serve(&file);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{said}\n{text}");
        let place = format!("{}:{line}: ", file.display());
        assert!(
            said.lines().any(|it| it.contains(&place) && it.contains(remedy)),
            "no {place}…{remedy} in:\n{said}"
        );
        assert_eq!(refused.stdout, b"");
        assert!(mounted(&world.path("mnt")).is_none());
        assert!(!world.path("state").exists(), "nothing is begun before all is checked");
    }
    let missing = serve(&world.path("no-such.toml"));
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("no-such.toml"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let world = World::new(&packages());
    let file = world.path("wrong.toml");
    fs::write(&file, "[service]\nstate_dir = \"state\"\n[[volume]]\nname = \"A\"\nkind = \"x\"\nlower = \"/none\"\nmount = \"/\"\n").unwrap();
    let said = String::from_utf8(serve(&file).stderr).unwrap();
    for line in [2, 4, 5, 6] {
        assert!(said.contains(&format!("wrong.toml:{line}: ")), "line {line} in:\n{said}");
    }
}

#[test]
fn a_mount_has_the_options_that_keep_it_harmless() {
    let world = world();
    let fields = mounted(&world.config.volumes[0].mount).unwrap();
    assert!(fields[0].contains("external_primary") && fields[2].starts_with("fuse"), "{fields:?}");
    let options: Vec<&str> = fields[3].split(',').collect();
    for option in ["rw", "nosuid", "nodev", "noexec", "noatime", "allow_other"] {
        assert!(options.contains(&option), "{option} in {options:?}");
    }
    assert!(!options.contains(&"default_permissions"), "we decide, not the mode bits");
}
