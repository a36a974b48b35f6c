//! `rename(2)` and `renameat2(2)`.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat, renameat_with};

use crate::files::new;
use crate::log::Log;

fn rename(dir: &Path, from: &str, to: &str) -> rustix::io::Result<()> {
    renameat(CWD, dir.join(from), CWD, dir.join(to))
}

pub(crate) fn files(dir: &Path, log: &mut Log) {
    fs::create_dir(dir.join("d")).unwrap();
    fs::write(dir.join("a"), b"a").unwrap();
    for (what, from, to) in [
        ("nothing", "none", "b"),
        ("the empty name", "", "b"),
        ("to the empty name", "a", ""),
        ("into nothing", "a", "none/b"),
        ("into a file", "a", "a/b"),
        ("onto itself", "a", "a"),
        ("onto a directory", "a", "d"),
        ("with a slash behind", "a/", "b"),
        ("to a name with a slash behind", "a", "b/"),
        ("dot", "d/.", "b"),
        ("onto dot", "a", "d/."),
        ("dot dot", "d/..", "b"),
        ("onto dot dot", "a", "d/.."),
    ] {
        log.call(what, rename(dir, from, to));
    }
    let held = new(&dir.join("b"), b"was b");
    let moved = File::open(dir.join("a")).unwrap();
    let before = moved.metadata().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(12));
    log.call("over a file", rename(dir, "a", "b"));
    log.value("what is there", fs::read(dir.join("b")));
    log.call("what was there by its old name", fs::metadata(dir.join("a")));
    let mut five = [0; 5];
    log.value("what was replaced and is open", held.read_at(&mut five, 0).map(|_| five));
    let after = moved.metadata().unwrap();
    log.fact("the same file", (before.ino(), before.mtime_nsec()) == (after.ino(), after.mtime_nsec()));
    log.fact(
        "its status changed",
        (before.ctime(), before.ctime_nsec()) < (after.ctime(), after.ctime_nsec()),
    );
    log.call("into a directory", rename(dir, "b", "d/b"));
    log.call("and back", rename(dir, "d/b", "a"));
    log.call("between two open directories", {
        let (top, sub) = (File::open(dir).unwrap(), File::open(dir.join("d")).unwrap());
        renameat(&top, "a", &sub, "c")
    });
    log.value("it is", fs::read(dir.join("d/c")));
}

pub(crate) fn directories(dir: &Path, log: &mut Log) {
    for path in ["a", "a/in", "empty", "full"] {
        fs::create_dir(dir.join(path)).unwrap();
    }
    for path in ["f", "a/file", "full/file"] {
        fs::write(dir.join(path), path).unwrap();
    }
    for (what, from, to) in [
        ("into itself", "a", "a/b"),
        ("into what is below it", "a", "a/in/b"),
        ("onto what is below it", "a", "a/in"),
        ("onto its parent", "a/in", "a"),
        ("onto a file", "a", "f"),
        ("onto a full one", "a", "full"),
        ("onto itself", "a", "a"),
        ("a file onto it", "f", "a"),
        ("to a name with a slash behind", "empty", "moved/"),
    ] {
        log.call(what, rename(dir, from, to));
    }
    let open = new(&dir.join("a/open"), b"1");
    let links = || fs::metadata(dir).map(|it| it.nlink());
    log.value("links of the parent", links());
    log.call("over an empty one", rename(dir, "a", "moved"));
    log.value("links of the parent then", links());
    log.value("what is open below goes on", open.write_at(b"2", 1));
    log.value("and is at its new path", fs::read(dir.join("moved/open")));
    log.call("nothing is at the old one", fs::metadata(dir.join("a/open")));
    log.call("into another", rename(dir, "moved", "full/moved"));
    log.value("what is in it", fs::read(dir.join("full/moved/file")));
}

pub(crate) fn flags(dir: &Path, log: &mut Log) {
    for name in ["a", "b"] {
        fs::write(dir.join(name), name).unwrap();
    }
    let with = |from: &str, to: &str, flags| renameat_with(CWD, dir.join(from), CWD, dir.join(to), flags);
    log.call("not over another", with("a", "b", RenameFlags::NOREPLACE));
    log.call("not over itself", with("a", "a", RenameFlags::NOREPLACE));
    log.call("to a free name", with("a", "c", RenameFlags::NOREPLACE));
    log.call("exchanged", with("c", "b", RenameFlags::EXCHANGE));
    log.call("exchanged with nothing", with("c", "none", RenameFlags::EXCHANGE));
    log.call("exchanged and not replaced", with("c", "b", RenameFlags::EXCHANGE | RenameFlags::NOREPLACE));
    log.call("with a flag that there is not", with("c", "b", RenameFlags::from_bits_retain(1 << 20)));
}
