//! What POSIX and Linux say of files and directories, done by an app in a directory of its own on the mount and in a bare
//! directory on the same lower file system. Both must say the same, call by call, but for the differences that
//! [`allowed`] lists with their reasons.
//!
//! `tests/differential` does random calls of every kind, `tests/operations` what the service does about them; here is what
//! neither meets: the corners that the standard names, and what programs do with the bytes of one file for a long time
//! ([`bytes`]). `tests/conformance/run` has other people's programs do the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod allowed;
mod bytes;
mod directories;
mod files;
mod log;
mod metadata;
mod rename;
mod together;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use log::Log;
use mediagate_tests::{Package, World, as_app};

/// Does as it likes with its own files.
const APP: u32 = 10101;
/// Reads pictures, without their location.
const READER: u32 = 10102;

fn world(passthrough: bool) -> World {
    let mut world = World::new(&[
        Package::new("com.example.app", APP),
        Package::new("com.example.reader", READER).permissions(&["READ_MEDIA_IMAGES", "READ_MEDIA_VIDEO"]),
    ]);
    world.config.volumes[0].passthrough = passthrough;
    world.start();
    world
}

type Chapter = (&'static str, fn(&Path, &mut Log));

/// Everything that is asked, in chapters that each begin in an empty directory.
const CHAPTERS: &[Chapter] = &[
    ("open", files::opening),
    ("names", files::names),
    ("read and write", files::reading_and_writing),
    ("sizes", files::sizes),
    ("large", files::large),
    ("blocks", files::blocks),
    ("unlinked", files::unlinked),
    ("mkdir and rmdir", directories::making_and_removing),
    ("listing", directories::listing),
    ("removed directory", directories::removed),
    ("depth", directories::depth),
    ("rename", rename::files),
    ("rename directories", rename::directories),
    ("rename flags", rename::flags),
    ("links", metadata::links),
    ("modes", metadata::modes),
    ("times", metadata::times),
    ("what changes times", metadata::marks),
    ("attributes", metadata::attributes),
    ("locks", together::locks),
    ("inotify", together::notifications),
];

/// All that was said in a directory.
fn transcript(dir: &Path) -> Vec<(String, String)> {
    let mut said = Vec::new();
    for (chapter, work) in CHAPTERS {
        let dir = dir.join(chapter.replace(' ', "-"));
        let log = as_app(APP, {
            let work = *work;
            move || {
                std::fs::create_dir(&dir).unwrap();
                let mut log = Log::default();
                work(&dir, &mut log);
                log
            }
        });
        said.extend(log.lines.into_iter().map(|(what, outcome)| (format!("{chapter}: {what}"), outcome)));
    }
    said
}

fn conforms(passthrough: bool) {
    let mut world = world(passthrough);
    let bare = world.path("bare");
    std::fs::create_dir(&bare).unwrap();
    std::fs::set_permissions(&bare, std::fs::Permissions::from_mode(0o777)).unwrap();
    let (expected, got) = (transcript(&bare), transcript(&world.shared("Download")));
    assert_eq!(expected.len(), got.len());
    let mut wrong = Vec::new();
    let mut seen = Vec::new();
    for ((what, expected), (also, got)) in expected.iter().zip(&got) {
        assert_eq!(what, also);
        let listed = allowed::at(passthrough).find(|(known, ..)| known == what);
        seen.extend(listed.map(|it| it.0));
        match listed {
            None if expected == got => {}
            None => wrong.push(format!("{what}: {got} where the bare directory says {expected}")),
            // Other lower file systems than ext4 may be like the mount here.
            Some((_, allowed, _)) if allowed == got => {}
            Some((_, allowed, why)) => {
                wrong.push(format!(
                    "{what}: {got} and not {allowed} ({why}); the bare directory says {expected}"
                ));
            }
        }
    }
    for (what, ..) in allowed::at(passthrough).filter(|(what, ..)| !seen.contains(what)) {
        wrong.push(format!("{what}: nobody asks that any more"));
    }
    assert!(wrong.is_empty(), "passthrough={passthrough}:\n{}", wrong.join("\n"));
    assert_eq!(world.daemon().stat("fuse.panics"), 0);
}

#[test]
fn passed_through() {
    conforms(true);
}

#[test]
fn served_by_the_daemon() {
    conforms(false);
}
