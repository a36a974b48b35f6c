//! The end: asked for, or not.

use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};

use mediagate_tests::as_app;
use nix::sys::signal::Signal;

use crate::{CAMERA, errno, mounted, world};

#[test]
fn signals_unmount_and_end_with_0() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut world = world();
        let mount = world.config.volumes[0].mount.clone();
        assert!(mounted(&mount).is_some());
        assert_eq!(world.daemon().stop(signal).code(), Some(0), "{signal}");
        assert!(mounted(&mount).is_none(), "{signal}");
        assert!(!world.path("socket").exists(), "the socket is left behind");
        world.start();
        assert!(world.shared("DCIM").is_dir());
    }
}

/// A process that has its working directory there, ended when dropped.
struct Guest(Child);

impl Guest {
    fn in_dir(dir: &std::path::Path) -> Guest {
        Guest(Command::new("sleep").arg("60").current_dir(dir).stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn open_files_and_working_directories_hold_nothing_up() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut world = world();
        let mount = world.config.volumes[0].mount.clone();
        let path = world.shared("DCIM/a.jpg");
        let mut held = as_app(CAMERA, move || {
            fs::write(&path, b"pixels").unwrap();
            fs::File::open(path).unwrap()
        });
        let _guest = Guest::in_dir(&world.shared("DCIM"));
        let begin = std::time::Instant::now();
        assert_eq!(world.daemon().stop(signal).code(), Some(0));
        assert!(begin.elapsed() < std::time::Duration::from_secs(10));
        assert!(mounted(&mount).is_none());
        // Passed through: the kernel goes on serving what is open.
        let mut content = String::new();
        let read = held.read_to_string(&mut content);
        assert!(read.is_err() || content == "pixels");
        // The next run is not troubled by what the last one's guests still hold.
        world.start();
        let path = world.shared("DCIM/a.jpg");
        assert_eq!(as_app(CAMERA, move || fs::read(path).unwrap()), b"pixels");
    }
}

#[test]
fn a_mount_left_by_a_killed_run_is_cleaned() {
    let mut world = world();
    let mount = world.config.volumes[0].mount.clone();
    let path = world.shared("DCIM/a.jpg");
    let held = as_app(CAMERA, move || {
        fs::write(&path, b"pixels").unwrap();
        fs::File::open(path).unwrap()
    });
    for _ in 0..2 {
        // As `start` would do, but with the mount left as the kill leaves it.
        let pid = nix::unistd::Pid::from_raw(world.daemon().pid().cast_signed());
        nix::sys::signal::kill(pid, Signal::SIGKILL).unwrap();
        let since = std::time::Instant::now();
        while errno(fs::metadata(&mount).and_then(|_| Err::<(), _>(std::io::Error::from_raw_os_error(0))))
            != libc::ENOTCONN
        {
            assert!(since.elapsed() < std::time::Duration::from_secs(10));
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(mounted(&mount).is_some());
        world.start_over();
        let path = world.shared("DCIM/a.jpg");
        assert_eq!(as_app(CAMERA, move || fs::read(path).unwrap()), b"pixels");
        let mounts = fs::read_to_string("/proc/mounts").unwrap();
        assert_eq!(mounts.lines().filter(|line| line.split(' ').nth(1) == mount.to_str()).count(), 1);
    }
    drop(held);
}

#[test]
fn two_services_do_not_share_a_state_directory() {
    let mut world = world();
    let mut second = world.config.clone();
    second.volumes[0].mount = world.path("mnt2");
    second.volumes[0].lower = world.path("lower2");
    fs::create_dir(world.path("lower2")).unwrap();
    second.service.listen = vec![format!("unix://{}", world.path("socket2").display())];
    let file = world.path("second.toml");
    fs::write(&file, second.to_toml().unwrap()).unwrap();
    let refused = crate::configuration::serve(&file);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("state") && said.contains("another"), "{said}");
    assert_eq!(refused.stdout, b"");
    assert!(mounted(&world.path("mnt2")).is_none());
    // The first one has not noticed.
    let path = world.shared("DCIM/a.jpg");
    as_app(CAMERA, move || fs::write(path, b"x").unwrap());
    assert_eq!(world.daemon().stat("fuse.panics"), 0);
}

/// A second service with a state directory of its own, on the first one's socket or mount.
#[test]
fn two_services_do_not_share_a_socket() {
    let world = world();
    let mut second = world.config.clone();
    second.service.state_dir = world.path("state2");
    second.volumes.clear();
    let file = world.path("second.toml");
    fs::write(&file, second.to_toml().unwrap()).unwrap();
    let refused = crate::configuration::serve(&file);
    assert_eq!(refused.status.code(), Some(1), "{}", String::from_utf8_lossy(&refused.stderr));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("socket"));
    assert!(world.shared("DCIM").is_dir());
}
