//! Locks between two processes. The kernel keeps them; nothing comes to the daemon.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use mediagate_tests::as_app;
use nix::fcntl::{FcntlArg, Flock, FlockArg, fcntl};

use crate::{APP, world};

fn record_lock(kind: i32) -> libc::flock {
    libc::flock {
        l_type: i16::try_from(kind).unwrap(),
        l_whence: i16::try_from(libc::SEEK_SET).unwrap(),
        l_start: 0,
        l_len: 10,
        l_pid: 0,
    }
}

/// Whether another process of the app gets the `flock(2)` lock.
fn another_gets_it(path: &Path) -> bool {
    Command::new("flock")
        .arg("--nonblock")
        .arg(path)
        .arg("true")
        .status()
        .expect("flock(1) of util-linux")
        .success()
}

#[test]
fn flock_is_seen_by_another_process() {
    let world = world();
    let path = world.shared("Download/a.db");
    as_app(APP, move || {
        fs::write(&path, b"0123456789").unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        assert!(another_gets_it(&path));
        let held = Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap();
        assert!(!another_gets_it(&path));
        let file = held.unlock().unwrap();
        assert!(another_gets_it(&path));
        drop(Flock::lock(file, FlockArg::LockSharedNonblock).unwrap());
        assert!(another_gets_it(&path));
    });
}

/// Open-file-description locks conflict as those of two processes do; classic ones belong to the whole process, and a
/// child is another one.
#[test]
fn record_locks_conflict() {
    let mut world = world();
    let path = world.shared("Download/a.db");
    as_app(APP, move || {
        fs::write(&path, b"0123456789").unwrap();
        let open = || File::options().read(true).write(true).open(&path).unwrap();
        let (one, two) = (open(), open());
        fcntl(&one, FcntlArg::F_OFD_SETLK(&record_lock(libc::F_WRLCK))).unwrap();
        let refused = fcntl(&two, FcntlArg::F_OFD_SETLK(&record_lock(libc::F_RDLCK)));
        assert_eq!(refused, Err(nix::Error::EAGAIN));
        fcntl(&one, FcntlArg::F_OFD_SETLK(&record_lock(libc::F_UNLCK))).unwrap();
        fcntl(&two, FcntlArg::F_OFD_SETLK(&record_lock(libc::F_RDLCK))).unwrap();
        fcntl(&one, FcntlArg::F_OFD_SETLK(&record_lock(libc::F_RDLCK))).unwrap();
        drop(two);

        // F_GETLK names the process that holds a classic lock; our own never conflict with ourselves.
        fcntl(&one, FcntlArg::F_OFD_SETLK(&record_lock(libc::F_UNLCK))).unwrap();
        fcntl(&one, FcntlArg::F_SETLK(&record_lock(libc::F_WRLCK))).unwrap();
        let three = open();
        let mut asked = record_lock(libc::F_WRLCK);
        fcntl(&three, FcntlArg::F_OFD_GETLK(&mut asked)).unwrap();
        assert_eq!(i32::from(asked.l_type), libc::F_WRLCK);
        assert_eq!(asked.l_pid, std::process::id().cast_signed());
    });
    assert_eq!(world.daemon().stat("fuse.panics"), 0);
}
