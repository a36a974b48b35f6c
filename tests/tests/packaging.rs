//! The service on a Linux machine with systemd, and as a Debian package: that the unit says what the service needs and
//! that the service says what the unit waits for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use mediagate_tests::{World, actor::program};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The values of a setting of the unit.
fn unit(setting: &str) -> Vec<String> {
    let text = read("service/systemd/mediagate.service");
    let lines = text.lines().filter_map(|line| line.strip_prefix(setting)?.strip_prefix('='));
    lines.map(str::to_owned).collect()
}

#[test]
fn a_service_manager_is_told_when_it_is_ready_and_when_it_ends() {
    let mut world = World::new(&[]);
    // Writes the configuration.
    world.start();
    world.daemon().stop(Signal::SIGTERM);
    let socket = world.path("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let told = || {
        let mut buffer = [0; 256];
        let length = manager.recv(&mut buffer).expect("nothing was said");
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    };
    let mut child = Command::new(program("mediagate-tested"))
        .args(["serve", "--config"])
        .arg(world.path("mediagate.toml"))
        .env("NOTIFY_SOCKET", &socket)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let ready = told();
    assert!(ready.lines().any(|line| line == "READY=1"), "{ready}");
    assert!(world.shared("DCIM").is_dir(), "ready is what is mounted");
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
    let stopping = told();
    assert!(stopping.lines().any(|line| line == "STOPPING=1"), "{stopping}");
    assert!(child.wait().unwrap().success());
    assert_eq!(unit("Type"), ["notify"]);
}

#[test]
fn the_unit_gives_what_the_service_keeps_and_no_namespace() {
    let sandbox = read("service/src/sandbox/mod.rs");
    let kept = sandbox.split_once("const KEPT").unwrap().1.split_once("];").unwrap().0;
    let mut kept: Vec<String> = kept
        .split("Capability::")
        .skip(1)
        .map(|it| it.split(|c: char| !c.is_ascii_uppercase() && c != '_').next().unwrap().to_owned())
        .collect();
    let mut given: Vec<String> =
        unit("CapabilityBoundingSet")[0].split_whitespace().map(str::to_owned).collect();
    kept.sort();
    given.sort();
    assert_eq!(given, kept);
    // Each of them makes systemd unshare the mount namespace (systemd.exec(5)): nobody would see what is mounted.
    for setting in [
        "PrivateDevices",
        "PrivateMounts",
        "PrivateTmp",
        "ProtectControlGroups",
        "ProtectHome",
        "ProtectKernelLogs",
        "ProtectKernelModules",
        "ProtectKernelTunables",
        "ProtectProc",
        "ProtectSystem",
        "ReadOnlyPaths",
        "ReadWritePaths",
        "InaccessiblePaths",
        "TemporaryFileSystem",
        "RootDirectory",
        "DynamicUser",
        "MountFlags",
        "PrivateUsers",
        "BindPaths",
        "NoExecPaths",
        "PrivateNetwork",
        "PrivateIPC",
    ] {
        assert_eq!(unit(setting), [""; 0], "{setting}");
    }
    // It hides openat2 behind ENOSYS: nothing could be opened beneath a volume's root.
    assert_eq!(unit("RestrictSUIDSGID"), [""; 0]);
    let config = read("service/systemd/mediagate.toml");
    for (setting, path) in [("RuntimeDirectory", "/run/"), ("StateDirectory", "/var/lib/")] {
        assert!(config.contains(&format!("{path}{}", unit(setting)[0])), "{setting}");
    }
    let limit: u64 = unit("LimitNOFILE")[0].parse().unwrap();
    assert!(limit >= 65_536);
}

#[test]
fn systemd_takes_the_unit() {
    // It looks for the program, which is not installed where the tests run.
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mediagate.service");
    let text = read("service/systemd/mediagate.service");
    std::fs::write(&file, text.replace("ExecStart=mediagate ", "ExecStart=/bin/true ")).unwrap();
    let verify = |file: &Path| {
        let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(file).output();
        let output =
            output.unwrap_or_else(|e| panic!("systemd-analyze: {e}; apt-get install systemd (.ci/run does)"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let of_ours: Vec<String> =
            said.lines().filter(|line| line.contains("mediagate.service")).map(str::to_owned).collect();
        of_ours
    };
    assert_eq!(verify(&file), [""; 0]);
    std::fs::write(&file, text.replace("RestrictRealtime=yes", "RestrictRealtime=perhaps")).unwrap();
    assert_ne!(verify(&file), [""; 0], "a value that makes no sense is found");
}

#[test]
fn the_package_has_everything_in_its_place() {
    let manifest: toml::Table = read("service/Cargo.toml").parse().unwrap();
    let deb = &manifest["package"]["metadata"]["deb"];
    let mut installed = Vec::new();
    for asset in deb["assets"].as_array().unwrap() {
        let [source, target, mode] =
            asset.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect::<Vec<_>>()[..]
        else {
            panic!("{asset}")
        };
        if source != "target/release/mediagate" {
            assert!(root().join("service").join(source).is_file(), "{source}");
        }
        assert!(mode == "644" || source.ends_with("mediagate") && mode == "755", "{source}: {mode}");
        installed.push(format!("/{target}{}", Path::new(source).file_name().unwrap().to_str().unwrap()));
    }
    assert!(installed.contains(&"/usr/bin/mediagate".to_owned()));
    for file in deb["conf-files"].as_array().unwrap() {
        assert!(installed.contains(&file.as_str().unwrap().to_owned()), "{file} is not installed");
    }
    let config = unit("ExecStart")[0].split_once("--config ").unwrap().1.to_owned();
    assert!(installed.contains(&config), "{config}");
    assert_eq!(unit("ConditionPathExists"), [config]);
    let units = &deb["systemd-units"];
    assert!(
        root()
            .join("service")
            .join(units["unit-scripts"].as_str().unwrap())
            .join("mediagate.service")
            .is_file()
    );

    // The scripts are where what starts and stops the service is put in, and make what the example's volume needs.
    let scripts = deb["maintainer-scripts"].as_str().unwrap();
    for script in ["postinst", "prerm", "postrm"] {
        let path = format!("service/{scripts}{script}");
        let text = read(&path);
        assert!(text.lines().any(|line| line == "#DEBHELPER#"), "{script}");
        assert_eq!(
            std::fs::metadata(root().join(&path)).unwrap().permissions().mode() & 0o111,
            0o111,
            "{script}"
        );
        let checked = Command::new("sh").arg("-n").arg(root().join(&path)).status().unwrap();
        assert!(checked.success(), "{script}");
    }
    let example: toml::Table = read("service/systemd/mediagate.toml").parse().unwrap();
    let lower = example["volume"][0]["lower"].as_str().unwrap();
    assert!(read(&format!("service/{scripts}postinst")).contains(&format!("-m 0700 {lower}")), "{lower}");
}
