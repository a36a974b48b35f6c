//! Making, removing and listing directories.

use std::fs::{self, File};
use std::mem::MaybeUninit;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir, SeekFrom, mkdirat, openat, seek, unlinkat};

use crate::log::Log;

fn mkdir(path: &Path) -> rustix::io::Result<()> {
    mkdirat(CWD, path, Mode::from_raw_mode(0o755))
}

fn rmdir(path: &Path) -> rustix::io::Result<()> {
    unlinkat(CWD, path, AtFlags::REMOVEDIR)
}

fn unlink(path: &Path) -> rustix::io::Result<()> {
    unlinkat(CWD, path, AtFlags::empty())
}

/// Names as `getdents64(2)` gives them, in its order.
fn entries(dir: &File) -> rustix::io::Result<Vec<(String, u64)>> {
    let mut buffer = [MaybeUninit::uninit(); 512];
    let mut raw = RawDir::new(dir, &mut buffer);
    let mut found = Vec::new();
    while let Some(entry) = raw.next() {
        let entry = entry?;
        found.push((entry.file_name().to_str().unwrap().to_owned(), entry.next_entry_cookie()));
    }
    Ok(found)
}

fn names(dir: &File) -> rustix::io::Result<Vec<String>> {
    let mut names: Vec<String> = entries(dir)?.into_iter().map(|it| it.0).collect();
    names.sort();
    Ok(names)
}

pub(crate) fn making_and_removing(dir: &Path, log: &mut Log) {
    let at = |name: &str| dir.join(name);
    let links = |path: &Path| fs::metadata(path).map(|it| it.nlink());
    fs::write(at("f"), b"x").unwrap();
    log.call("made", mkdir(&at("d")));
    log.value("links of a new one", links(&at("d")));
    log.call("made with a slash behind", mkdir(&at("slash/")));
    for (what, path) in [
        ("one that is there", "d"),
        ("one that is a file", "f"),
        ("in nothing", "none/d"),
        ("in a file", "f/d"),
        ("dot", "d/."),
        ("dot dot", "d/.."),
        ("in dot dot", "d/../e"),
    ] {
        log.call(&format!("make {what}"), mkdir(&at(path)));
    }
    mkdir(&at("d/in")).unwrap();
    log.value("links of one with a directory", links(&at("d")));
    fs::write(at("d/file"), b"x").unwrap();
    log.value("links of one with a file, too", links(&at("d")));
    for (what, path) in [
        ("what is not there", "none"),
        ("a file", "f"),
        ("a file with a slash behind", "f/"),
        ("what is in a file", "f/d"),
        ("one that is not empty", "d"),
        ("dot", "d/."),
        ("dot dot", "d/in/.."),
        ("an empty one with a slash behind", "slash/"),
    ] {
        log.call(&format!("remove {what}"), rmdir(&at(path)));
    }
    for (what, path) in [
        ("a directory", "d"),
        ("what is not there", "none"),
        ("a file with a slash behind", "f/"),
        ("dot", "d/."),
        ("what is in a file", "f/x"),
    ] {
        log.call(&format!("unlink {what}"), unlink(&at(path)));
    }
    rmdir(&at("d/in")).unwrap();
    log.value("links of one whose directory is gone", links(&at("d")));
}

pub(crate) fn listing(dir: &Path, log: &mut Log) {
    for number in 0..40 {
        fs::write(dir.join(format!("{number:02}")), b"").unwrap();
    }
    let open = File::open(dir).unwrap();
    let all = entries(&open).unwrap();
    let is_dot = |name: &str| name.starts_with('.');
    log.fact("how many", all.iter().filter(|it| !is_dot(&it.0)).count());
    log.fact(
        "each once",
        all.iter().map(|it| &it.0).collect::<std::collections::BTreeSet<_>>().len() == all.len(),
    );
    log.fact("it and its parent", all.iter().filter(|it| is_dot(&it.0)).count());
    log.value("read on at the end", entries(&open).map(|it| it.len()));
    // telldir and seekdir: what was behind a position is behind it, if nothing changed.
    for position in [0, 7, 20] {
        seek(&open, SeekFrom::Start(all[position].1)).unwrap();
        let rest: Vec<String> = entries(&open).unwrap().into_iter().map(|it| it.0).collect();
        let expected: Vec<String> = all[position + 1..].iter().map(|it| it.0.clone()).collect();
        log.fact(&format!("from position {position}"), rest == expected);
    }
    // POSIX leaves open whether what is made or removed after the directory was opened shows up; what stays must, once.
    seek(&open, SeekFrom::Start(0)).unwrap();
    let mut buffer = [MaybeUninit::uninit(); 256];
    let mut raw = RawDir::new(&open, &mut buffer);
    let mut found = Vec::new();
    let mut step = 0;
    while let Some(entry) = raw.next() {
        found.push(entry.unwrap().file_name().to_str().unwrap().to_owned());
        if step < 10 {
            fs::remove_file(dir.join(format!("{:02}", 20 + step))).unwrap();
            fs::write(dir.join(format!("new-{step}")), b"").unwrap();
        }
        step += 1;
    }
    let stays = |name: &String| name.len() == 2 && !is_dot(name) && !("20".."30").contains(&name.as_str());
    let mut staying: Vec<String> = found.into_iter().filter(stays).collect();
    staying.sort();
    let expected: Vec<String> =
        (0..40).filter(|n| !(20..30).contains(n)).map(|n| format!("{n:02}")).collect();
    log.fact("what stays is listed once", staying == expected);
    // A program that removes what it lists, as `rm -r` does.
    let mut rounds = 0;
    loop {
        let names: Vec<_> = fs::read_dir(dir).unwrap().map(|it| it.unwrap().path()).take(7).collect();
        if names.is_empty() {
            break;
        }
        names.into_iter().for_each(|name| fs::remove_file(name).unwrap());
        rounds += 1;
    }
    log.fact("removed in rounds", rounds);
    log.call("a file is not listed", {
        fs::write(dir.join("f"), b"").unwrap();
        openat(CWD, dir.join("f"), OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())
    });
}

/// A directory whose name is gone while it is open.
pub(crate) fn removed(dir: &Path, log: &mut Log) {
    let path = dir.join("d");
    mkdir(&path).unwrap();
    let open = File::open(&path).unwrap();
    log.call("removed", rmdir(&path));
    log.value("its links", open.metadata().map(|it| it.nlink()));
    log.call("a file in it", openat(&open, "f", OFlags::CREATE | OFlags::WRONLY, Mode::from_raw_mode(0o600)));
    log.call("a directory in it", mkdirat(&open, "d", Mode::from_raw_mode(0o700)));
    log.value("listed", names(&open));
    log.call("its parent", openat(&open, "..", OFlags::RDONLY, Mode::empty()));
    mkdir(&path).unwrap();
    fs::write(path.join("f"), b"x").unwrap();
    log.call("the new one's file by the old one", openat(&open, "f", OFlags::RDONLY, Mode::empty()));
    log.value(
        "the new one",
        names(&File::open(&path).unwrap())
            .map(|it| it.len() - it.iter().filter(|it| it.starts_with('.')).count()),
    );
}

/// Far down, and back up by handles.
pub(crate) fn depth(dir: &Path, log: &mut Log) {
    let mut path = dir.to_owned();
    for level in 0..100 {
        path.push(format!("level {level}"));
        mkdir(&path).unwrap();
    }
    log.call("a file far down", fs::write(path.join("f"), b"deep"));
    log.call("moved up", fs::rename(path.join("f"), dir.join("f")));
    log.value("it is there", fs::read(dir.join("f")));
    let deep = File::open(&path).unwrap();
    log.call("the top is renamed", fs::rename(dir.join("level 0"), dir.join("top")));
    let made = openat(&deep, "g", OFlags::CREATE | OFlags::WRONLY, Mode::from_raw_mode(0o600));
    log.call("a file by a handle of far down", made);
    let renamed = path.strip_prefix(dir.join("level 0")).unwrap();
    log.call("found by the new path", fs::metadata(dir.join("top").join(renamed).join("g")));
    log.call("not by the old one", fs::metadata(path.join("g")));
    log.call("all removed", fs::remove_dir_all(dir.join("top")));
    log.call(
        "a file in what is removed",
        openat(&deep, "h", OFlags::CREATE | OFlags::WRONLY, Mode::from_raw_mode(0o600)),
    );
}
