//! A directory that did not change for a while is listed by the kernel for those who are shown all of it: by them alone, and no longer
//! than it stays so.

use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use rustix::fs::{Advice, Mode, OFlags, RawDir, SeekFrom, fadvise, open, seek};

use super::*;

const COUNT: usize = 300;

/// An album of the camera's with `COUNT` pictures.
struct Album {
    world: World,
    path: PathBuf,
}

impl Album {
    fn new() -> Album {
        let world = world();
        let path = world.shared("Download/trip/album");
        let dir = path.clone();
        as_app(CAMERA, move || {
            fs::create_dir_all(&dir).unwrap();
            for number in 0..COUNT {
                fs::write(dir.join(format!("{number:03}.jpg")), b"x").unwrap();
            }
        });
        let album = Album { world, path };
        album.settle();
        album
    }

    /// Lets the clock of the lower file system move on, so that a change can be told from the last one.
    fn settle(&self) {
        let meta = fs::metadata(self.world.lower("Download/trip/album")).unwrap();
        let changed = SystemTime::UNIX_EPOCH
            + Duration::new(meta.ctime().cast_unsigned(), meta.ctime_nsec().try_into().unwrap());
        while changed.elapsed().is_ok_and(|it| it < Duration::from_millis(2100)) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn seen(&self, uid: u32) -> Vec<String> {
        seen(uid, &self.path)
    }

    /// How many names the uid sees, and how often it was asked for them.
    fn asked(&mut self, uid: u32) -> (usize, i64) {
        let before = self.requests();
        let seen = self.seen(uid).len();
        (seen, self.requests() - before)
    }

    fn requests(&mut self) -> i64 {
        let requests = self.world.daemon().requests();
        ["readdir", "readdirplus"].iter().map(|it| requests.get(*it).copied().unwrap_or(0)).sum()
    }

    fn open(&self, uid: u32) -> OwnedFd {
        let path = self.path.clone();
        as_app(uid, move || open(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap())
    }

    fn cli(&mut self, arguments: &[&str]) {
        self.world.daemon().cli(arguments);
    }
}

/// The next names of an open directory: as many as fit in so many bytes at once, or all.
fn names(dir: &OwnedFd, buffer: usize, all: bool) -> Vec<String> {
    let mut buffer = vec![MaybeUninit::uninit(); buffer];
    let mut raw = RawDir::new(dir, &mut buffer);
    let mut names = Vec::new();
    while let Some(entry) = raw.next() {
        let name = entry.unwrap().file_name().to_str().unwrap().to_owned();
        if name != "." && name != ".." {
            names.push(name);
        }
        if !all && raw.is_buffer_empty() {
            break;
        }
    }
    names
}

fn from_the_beginning(dir: &OwnedFd) -> Vec<String> {
    seek(dir, SeekFrom::Start(0)).unwrap();
    names(dir, 4096, true)
}

/// The kernel loses what it keeps, as it does where memory is short.
fn let_pages_go(dir: &OwnedFd) {
    fadvise(dir, 0, None, Advice::DontNeed).unwrap();
}

#[test]
fn it_is_asked_for_once() {
    let mut album = Album::new();
    let (count, requests) = album.asked(CAMERA);
    assert!(count == COUNT && requests > 0, "{requests} requests");
    for uid in [CAMERA, MANAGER, CAMERA] {
        assert_eq!(album.asked(uid), (COUNT, 0), "uid {uid}");
    }
    // They see all that is here, and not all that there might be.
    assert_eq!(album.asked(GALLERY).0, COUNT);
    assert_eq!(album.asked(GALLERY), (COUNT, 0));
    // Who sees nothing is answered by the service, each time, and takes nothing away from the others.
    for _ in 0..3 {
        let (count, requests) = album.asked(OTHER);
        assert!(count == 0 && requests > 0, "{count} names by {requests} requests");
    }
    for uid in [CAMERA, GALLERY, MANAGER] {
        assert_eq!(album.asked(uid), (COUNT, 0), "uid {uid}");
    }
}

/// The service decides about each open, whatever was decided before.
#[test]
fn what_is_kept_is_for_those_who_are_shown_all_now() {
    let mut album = Album::new();
    for _ in 0..2 {
        assert_eq!(album.seen(GALLERY).len(), COUNT);
        album.cli(&["permission", "revoke", "com.example.gallery", "READ_MEDIA_IMAGES"]);
        assert_eq!(album.seen(GALLERY), [""; 0]);
        assert_eq!(album.seen(CAMERA).len(), COUNT);
        album.cli(&["permission", "grant", "com.example.gallery", "READ_MEDIA_IMAGES"]);
    }
    // What is hidden from galleries is not hidden from who made it.
    assert_eq!(album.seen(GALLERY).len(), COUNT);
    fs::write(album.world.lower("Download/trip/.nomedia"), b"").unwrap();
    let_caches_expire();
    assert_eq!(album.seen(GALLERY), [""; 0]);
    assert_eq!(album.seen(CAMERA).len(), COUNT);
    // The files are nobody's when the camera's data are cleared.
    fs::remove_file(album.world.lower("Download/trip/.nomedia")).unwrap();
    let_caches_expire();
    album.cli(&["package", "clear", "com.example.camera"]);
    assert_eq!(album.seen(CAMERA), [""; 0]);
    for uid in [GALLERY, MANAGER] {
        assert_eq!(album.seen(uid).len(), COUNT, "uid {uid}");
    }
}

#[test]
fn changes_show_at_once() {
    let mut album = Album::new();
    let all = [CAMERA, GALLERY, MANAGER];
    for (round, change) in (0..).zip(["made", "removed", "renamed", "made behind", "removed behind"]) {
        album.settle();
        for uid in all.iter().chain(&all) {
            assert_eq!(album.seen(*uid).len(), COUNT, "uid {uid}, before one is {change}");
        }
        let (path, lower) = (album.path.clone(), album.world.lower("Download/trip/album"));
        let expected = match change {
            "made" => {
                write(CAMERA, path.join("new.jpg"));
                [COUNT + 1; 3]
            }
            "removed" => {
                as_app(CAMERA, move || fs::remove_file(path.join("000.jpg")).unwrap());
                [COUNT - 1; 3]
            }
            "renamed" => {
                as_app(CAMERA, move || fs::rename(path.join("001.jpg"), path.join("000.txt")).unwrap());
                // It is no picture any more.
                [COUNT, COUNT - 1, COUNT]
            }
            "made behind" => {
                fs::write(lower.join("behind.jpg"), b"x").unwrap();
                [COUNT, COUNT + 1, COUNT + 1]
            }
            _ => {
                fs::remove_file(lower.join("002.jpg")).unwrap();
                [COUNT - 1; 3]
            }
        };
        for _ in 0..2 {
            for (uid, expected) in all.iter().zip(expected) {
                let seen = album.seen(*uid);
                assert_eq!(seen.len(), expected, "round {round}: uid {uid}, one was {change}");
            }
        }
        album = Album::new();
    }
}

/// What comes while somebody has the directory open, and is not for him, does not come to him by what others fill in.
#[test]
fn an_open_directory_shows_nothing_of_others() {
    let album = Album::new();
    for pages in [true, false] {
        let mine = album.open(CAMERA);
        assert_eq!(from_the_beginning(&mine).len(), COUNT);
        let secret = format!("secret {pages}.txt");
        write(OTHER, album.path.join(&secret));
        for _ in 0..2 {
            assert!(album.seen(MANAGER).contains(&secret));
            if !pages {
                let_pages_go(&mine);
            }
            assert!(!from_the_beginning(&mine).contains(&secret));
        }
        drop(mine);
        album.settle();
        for _ in 0..2 {
            assert!(album.seen(MANAGER).contains(&secret));
            assert_eq!(album.seen(CAMERA).len(), COUNT);
            assert_eq!(album.seen(OTHER), std::slice::from_ref(&secret));
        }
        as_app(OTHER, {
            let path = album.path.join(&secret);
            move || fs::remove_file(path).unwrap()
        });
        album.settle();
    }
}

/// Who is shown less than when the directory was opened does not fill that in for the others.
#[test]
fn less_than_all_is_nothing_for_others() {
    let mut album = Album::new();
    for _ in 0..2 {
        assert_eq!(album.seen(GALLERY).len(), COUNT);
    }
    let held = album.open(GALLERY);
    album.cli(&["permission", "revoke", "com.example.gallery", "READ_MEDIA_IMAGES"]);
    let_pages_go(&held);
    assert_eq!(from_the_beginning(&held), [""; 0]);
    for round in 0..2 {
        for uid in [CAMERA, MANAGER] {
            assert_eq!(album.seen(uid).len(), COUNT, "uid {uid}, round {round}");
        }
    }
    drop(held);
    for round in 0..2 {
        for uid in [CAMERA, MANAGER] {
            assert_eq!(album.seen(uid).len(), COUNT, "uid {uid}, round {round}");
        }
    }
}

/// What is mounted over on the lower side is nowhere to be found until it is not any more.
#[test]
fn what_is_covered_comes_back() {
    let album = Album::new();
    let covered = album.world.lower("Download/trip/album/covered");
    fs::create_dir(&covered).unwrap();
    album.settle();
    mount(Some("none"), &covered, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    for _ in 0..2 {
        album.seen(MANAGER);
    }
    umount2(&covered, MntFlags::empty()).unwrap();
    for uid in [MANAGER, CAMERA, MANAGER] {
        assert_eq!(album.seen(uid).len(), COUNT + 1, "uid {uid}");
    }
}

/// As `rm -r` does: what is removed while the listing goes on, and what the kernel has lost meanwhile, keeps nothing from being listed.
#[test]
fn a_listing_goes_on_where_it_was() {
    for forgets in [false, true] {
        let album = Album::new();
        for uid in [CAMERA, MANAGER, CAMERA] {
            assert_eq!(album.seen(uid).len(), COUNT);
        }
        let dir = album.open(CAMERA);
        let mut found = Vec::new();
        loop {
            let some = names(&dir, 600, false);
            if some.is_empty() {
                break;
            }
            let paths: Vec<_> = some.iter().map(|name| album.path.join(name)).collect();
            as_app(CAMERA, move || paths.iter().for_each(|path| fs::remove_file(path).unwrap()));
            if forgets {
                let_pages_go(&dir);
            }
            found.extend(some);
        }
        found.sort();
        let expected: Vec<_> = (0..COUNT).map(|number| format!("{number:03}.jpg")).collect();
        assert_eq!(found, expected, "the kernel forgets: {forgets}");
        let path = album.path.clone();
        as_app(CAMERA, move || fs::remove_dir(path).unwrap());
    }
}
