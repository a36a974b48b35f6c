//! Links, modes, owners, times, and what else is known of a file.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{
    AtFlags, CWD, Dev, FallocateFlags, FileType, Mode, StatxFlags, Timespec, Timestamps, UTIME_NOW,
    UTIME_OMIT, XattrFlags, accessat, fallocate, mknodat, statx, utimensat,
};

use crate::APP;
use crate::files::new;
use crate::log::Log;

pub(crate) fn links(dir: &Path, log: &mut Log) {
    let path = dir.join("f");
    fs::write(&path, b"x").unwrap();
    fs::create_dir(dir.join("d")).unwrap();
    log.call("hard", fs::hard_link(&path, dir.join("h")));
    log.call("hard, to a directory", fs::hard_link(dir.join("d"), dir.join("hd")));
    log.call("hard, to nothing", fs::hard_link(dir.join("none"), dir.join("hn")));
    log.call("hard, over a file", fs::hard_link(&path, dir.join("f")));
    log.call("symbolic", symlink("f", dir.join("s")));
    log.call("symbolic, over a file", symlink("f", &path));
    log.call("read a file as a link", fs::read_link(&path));
    log.value("links of the file", fs::metadata(&path).map(|it| it.nlink()));
    let make = |name: &str, kind| mknodat(CWD, dir.join(name), kind, Mode::from_raw_mode(0o600), 0 as Dev);
    log.call("mknod", make("node", FileType::RegularFile));
    log.call("mknod of what is there", make("f", FileType::RegularFile));
    log.call("pipe", make("pipe", FileType::Fifo));
    log.call("device", make("device", FileType::CharacterDevice));
    log.call("socket", std::os::unix::net::UnixListener::bind(dir.join("socket")));
}

pub(crate) fn modes(dir: &Path, log: &mut Log) {
    let path = dir.join("f");
    let file = new(&path, b"#!/bin/sh\n");
    let mode = |path: &Path| fs::metadata(path).map(|it| format!("{:o}", it.mode()));
    log.value("of a new file", mode(&path));
    fs::create_dir(dir.join("d")).unwrap();
    log.value("of a new directory", mode(&dir.join("d")));
    log.call("changed", fs::set_permissions(&path, Permissions::from_mode(0o700)));
    log.value("what it is then", mode(&path));
    log.call("run", rustix::fs::access(&path, rustix::fs::Access::EXEC_OK));
    log.call("run for real", std::process::Command::new(&path).output());
    log.call("set-uid", file.set_permissions(Permissions::from_mode(0o4755)));
    log.value("what that made of it", mode(&path));
    log.call("nothing's", fs::set_permissions(dir.join("none"), Permissions::from_mode(0o600)));
    log.call("closed to everybody", fs::set_permissions(&path, Permissions::from_mode(0o000)));
    log.call("opened all the same", File::open(&path));
    log.call("a directory's", fs::set_permissions(dir.join("d"), Permissions::from_mode(0o500)));
    log.call("a file in it", fs::write(dir.join("d/f"), b"x"));
    log.call("given to itself", std::os::unix::fs::chown(&path, Some(APP), None));
    log.call("given to root", std::os::unix::fs::chown(&path, Some(0), None));
    log.value("whose it is", fs::metadata(&path).map(|it| it.uid()));
}

pub(crate) fn times(dir: &Path, log: &mut Log) {
    let path = dir.join("f");
    let file = new(&path, b"x");
    let at = |tv_sec, tv_nsec| Timespec { tv_sec, tv_nsec };
    let set = |path: &Path, last_access, last_modification| {
        utimensat(CWD, path, &Timestamps { last_access, last_modification }, AtFlags::empty())
    };
    let shown =
        || fs::metadata(&path).map(|it| ((it.atime(), it.atime_nsec()), (it.mtime(), it.mtime_nsec())));
    for (what, access, modification) in [
        ("both", at(1, 2), at(3, 999_999_999)),
        ("before 1970", at(-1, 5), at(-86_400, 1)),
        ("after 2038", at(1 << 32, 0), at((1 << 32) + 1, 7)),
        ("later than ext4 can say", at(1 << 40, 0), at(1 << 40, 0)),
        ("the first only", at(77, 0), at(0, UTIME_OMIT)),
        ("the second only", at(0, UTIME_OMIT), at(88, 1)),
        ("neither", at(0, UTIME_OMIT), at(0, UTIME_OMIT)),
        ("nanoseconds that there are not", at(0, 1_000_000_000), at(0, 0)),
        ("negative nanoseconds", at(0, -5), at(0, 0)),
    ] {
        log.call(what, set(&path, access, modification));
        log.value(&format!("{what}: shown"), shown());
    }
    log.call("nothing's", set(&dir.join("none"), at(1, 1), at(1, 1)));
    log.call("neither of nothing's", set(&dir.join("none"), at(0, UTIME_OMIT), at(0, UTIME_OMIT)));
    let old = shown().unwrap();
    log.call("now", set(&path, at(0, UTIME_OMIT), at(0, UTIME_NOW)));
    log.fact("now is later", shown().unwrap().1 > old.1);
    let nanos = Timestamps { last_access: at(5, 123_456_789), last_modification: at(6, 987_654_321) };
    log.call("by a descriptor", rustix::fs::futimens(&file, &nanos));
    log.value("by a descriptor: shown", shown());
    fs::create_dir(dir.join("d")).unwrap();
    log.call("a directory's", set(&dir.join("d"), at(1, 1), at(2, 2)));
}

/// Which calls change which times.
pub(crate) fn marks(dir: &Path, log: &mut Log) {
    let path = dir.join("f");
    let file = new(&path, &[1; 100]);
    let stamps = |path: &Path| {
        let it = fs::metadata(path).unwrap();
        ((it.mtime(), it.mtime_nsec()), (it.ctime(), it.ctime_nsec()))
    };
    let mut change = |what: &str, of: &Path, work: &dyn Fn()| {
        let before = stamps(of);
        // More than a tick of the clock that files are stamped by.
        std::thread::sleep(Duration::from_millis(12));
        work();
        let after = stamps(of);
        log.fact(&format!("{what}: content, status"), (after.0 > before.0, after.1 > before.1));
    };
    change("a read", &path, &|| drop(fs::read(&path).unwrap()));
    change("a write", &path, &|| assert_eq!(file.write_at(b"x", 0).unwrap(), 1));
    change("a write of nothing", &path, &|| assert_eq!(file.write_at(b"", 0).unwrap(), 0));
    change("a cut", &path, &|| file.set_len(50).unwrap());
    change("a cut to the same", &path, &|| file.set_len(50).unwrap());
    change("O_TRUNC", &path, &|| drop(File::options().write(true).truncate(true).open(&path).unwrap()));
    change("O_TRUNC of an empty file", &path, &|| {
        drop(File::options().write(true).truncate(true).open(&path).unwrap());
    });
    change("O_CREAT of what is there", &path, &|| {
        drop(File::options().write(true).create(true).truncate(false).open(&path).unwrap());
    });
    change("room", &path, &|| fallocate(&file, FallocateFlags::empty(), 0, 100).unwrap());
    change("chmod", &path, &|| fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap());
    change("times", &path, &|| file.set_modified(std::time::SystemTime::now()).unwrap());
    change("a file in a directory", dir, &|| fs::write(dir.join("g"), b"").unwrap());
    change("a write to a file in a directory", dir, &|| fs::write(dir.join("g"), b"x").unwrap());
    change("a rename in a directory", dir, &|| fs::rename(dir.join("g"), dir.join("h")).unwrap());
    change("a removal in a directory", dir, &|| fs::remove_file(dir.join("h")).unwrap());
    change("a directory in a directory", dir, &|| fs::create_dir(dir.join("d")).unwrap());
    change("a file moved out of a directory", dir, &|| fs::rename(dir.join("f"), dir.join("d/f")).unwrap());
    change("a directory removed in a directory", &dir.join("d"), &|| {
        fs::create_dir(dir.join("d/d")).unwrap();
        fs::remove_dir(dir.join("d/d")).unwrap();
    });
    change("what fails in a directory", dir, &|| drop(fs::create_dir(dir.join("d")).unwrap_err()));
}

pub(crate) fn attributes(dir: &Path, log: &mut Log) {
    let path = dir.join("f");
    let file = new(&path, b"x");
    let all = StatxFlags::BASIC_STATS | StatxFlags::BTIME | StatxFlags::MNT_ID;
    let x = statx(CWD, &path, AtFlags::empty(), all);
    log.value(
        "what statx knows",
        x.map(|it| {
            StatxFlags::from_bits_retain(it.stx_mask) & StatxFlags::BASIC_STATS == StatxFlags::BASIC_STATS
        }),
    );
    log.value("when it was born", x.map(|it| it.stx_mask & StatxFlags::BTIME.bits() != 0));
    log.value("where it is mounted", x.map(|it| it.stx_mask & StatxFlags::MNT_ID.bits() != 0));
    log.value("without asking again", statx(CWD, &path, AtFlags::STATX_DONT_SYNC, all).map(|it| it.stx_size));
    log.value(
        "asking again",
        statx(&file, "", AtFlags::EMPTY_PATH | AtFlags::STATX_FORCE_SYNC, all).map(|it| it.stx_size),
    );
    log.call("a flag that there is not", statx(CWD, &path, AtFlags::from_bits_retain(1 << 28), all));
    let access = |path: &Path, mask| accessat(CWD, path, mask, AtFlags::EACCESS);
    use rustix::fs::Access;
    log.call("access to what is there", access(&path, Access::EXISTS));
    log.call("access to nothing", access(&dir.join("none"), Access::EXISTS));
    log.call("access in a file", access(&dir.join("f/x"), Access::EXISTS));
    log.call("access to read and write", access(&path, Access::READ_OK | Access::WRITE_OK));
    log.call("access to the directory", access(dir, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK));
    log.call("an attribute set", rustix::fs::setxattr(&path, "user.x", b"1", XattrFlags::empty()));
    log.call("an attribute read", rustix::fs::getxattr(&path, "user.x", &mut [0; 8]));
    log.call("an attribute that there is not", rustix::fs::getxattr(&path, "user.y", &mut [0; 8]));
    log.call("attributes listed", rustix::fs::listxattr(&path, &mut [0_u8; 64]));
    log.call("flags of ext4", rustix::fs::ioctl_getflags(&file));
    let space = rustix::fs::statvfs(dir).unwrap();
    log.fact("the longest name", space.f_namemax);
    log.fact("room is known", space.f_blocks > 0 && space.f_bavail > 0);
    log.call("room of what is open", rustix::fs::fstatvfs(&file));
}
