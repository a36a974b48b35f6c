//! Listings beside changes of what their callers may see: whoever lists after a right was taken away is shown nothing by it, whatever was
//! found out, kept or on its way before.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use mediagate_tests::Actor;

use super::*;

const PICTURES: usize = 40;
const ROUNDS: usize = 40;

/// Longer than a directory must rest for its listing to be kept.
const REST: Duration = Duration::from_millis(2200);

fn picture(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("{number:02}.jpg"))
}

/// Pictures of the camera's that have rested.
fn album(dir: &Path, count: usize) {
    let dir = dir.to_owned();
    as_app(CAMERA, move || {
        fs::create_dir_all(&dir).unwrap();
        for number in 0..count {
            fs::write(picture(&dir, number), b"x").unwrap();
        }
    });
    std::thread::sleep(REST);
}

/// What may be seen right now; while it changes, either may be.
#[derive(Default)]
struct Right {
    /// Even while it does not change.
    turn: AtomicUsize,
    ended: AtomicBool,
}

impl Right {
    /// Changes it so often with `give`, which is told whether to give or to take; it was given before, and is taken at the end.
    fn change(&self, mut give: impl FnMut(bool)) {
        for round in 0..ROUNDS {
            self.turn.fetch_add(1, SeqCst);
            give(round % 2 == 1);
            self.turn.fetch_add(1, SeqCst);
            std::thread::sleep(Duration::from_millis(15));
        }
        self.ended.store(true, SeqCst);
    }

    /// Lists as `uid` until it ends: how often with the right, and how often without, each time as `shown` says.
    fn watch(&self, uid: u32, dir: &Path, shown: impl Fn(bool) -> usize) -> [usize; 2] {
        let (mut app, mut with) = (Actor::start(uid), [0; 2]);
        while !self.ended.load(SeqCst) {
            let before = self.turn.load(SeqCst);
            let count = app.list(dir).unwrap().len();
            if self.turn.load(SeqCst) == before && before.is_multiple_of(2) {
                let has = before.is_multiple_of(4);
                assert_eq!(count, shown(has), "uid {uid}, turn {before}, with the right: {has}");
                with[usize::from(has)] += 1;
            }
        }
        with
    }
}

/// Two who have the right to see all of so many pictures in turns, one who needs none, and one who never has it.
fn race(world: &mut World, dir: &Path, count: usize, changing: u32, give: impl Fn(&mut World, bool)) {
    let right = Right::default();
    std::thread::scope(|scope| {
        let right = &right;
        let some = |has: bool| if has { count } else { 0 };
        let listing = [changing, changing].map(|uid| scope.spawn(move || right.watch(uid, dir, some)));
        scope.spawn(move || right.watch(CAMERA, dir, |_| count));
        scope.spawn(move || right.watch(PLAYER, dir, |_| 0));
        right.change(|has| give(world, has));
        for thread in listing {
            let [without, with] = thread.join().unwrap();
            assert!(without > 0 && with > 0, "{without} listings without the right, {with} with it");
        }
    });
}

#[test]
fn a_permission_that_is_taken_away_and_given_back() {
    let mut world = world();
    let dir = world.shared("Download/album");
    album(&dir, PICTURES);
    race(&mut world, &dir, PICTURES, GALLERY, |world, give| {
        let verb = if give { "grant" } else { "revoke" };
        world.daemon().cli(&["permission", verb, "com.example.gallery", "READ_MEDIA_IMAGES"]);
    });
}

/// That its holder is shown all there is by a grant is remembered for nobody.
#[test]
fn a_grant_that_is_taken_away_and_given_back() {
    let mut world = world();
    let dir = world.shared("Download/album");
    album(&dir, 1);
    let path = picture(&dir, 0);
    let give = |world: &mut World, give: bool| {
        let verb = if give { "add" } else { "remove" };
        world.daemon().cli(&["grant", verb, "com.example.other", path.to_str().unwrap()]);
    };
    give(&mut world, true);
    race(&mut world, &dir, 1, OTHER, give);
}

/// The package's data are cleared while the volume is not there; its files become nobody's some time after it is attached, and until
/// then it is no package that asks.
#[test]
fn files_that_become_nobodys_on_a_volume_that_comes_later() {
    let mut world = world();
    let (lower, mount) = (world.path("card"), world.path("mnt-card"));
    fs::create_dir(&lower).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (lower_at, mount_at) = (text(&lower), text(&mount));
    let attach = ["volume", "attach", "card", "--kind", "public", "--lower", &lower_at, "--mount", &mount_at];
    world.daemon().cli(&attach);
    let dir = mount.join("DCIM/album");
    album(&dir, PICTURES);
    for _ in 0..2 {
        assert_eq!(seen(CAMERA, &dir).len(), PICTURES);
    }
    world.daemon().cli(&["volume", "detach", "card"]);
    world.daemon().cli(&["package", "clear", "com.example.camera"]);
    world.daemon().cli(&attach);
    let (begin, mut app) = (Instant::now(), Actor::start(CAMERA));
    loop {
        match app.list(&dir) {
            Ok(names) => {
                assert_eq!(names, [""; 0]);
                break;
            }
            Err(errno) => assert_eq!(errno.0, libc::EPERM),
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "it is withheld for ever");
    }
    for uid in [GALLERY, MANAGER, GALLERY] {
        assert_eq!(seen(uid, &dir).len(), PICTURES, "uid {uid}");
    }
    assert_eq!(seen(CAMERA, &dir), [""; 0]);
    world.daemon().cli(&["volume", "detach", "card"]);
}
