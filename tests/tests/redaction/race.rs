//! Fifty located pictures, two kinds of readers, and one who rewrites them, with and without a location, in every way that
//! editors do it. `MEDIAGATE_RACE_SECONDS` makes it longer than it is by default.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Instant;

use mediagate_tests::become_app;
use mediagate_tests::picture::{picture, redacted, tells};

use super::*;

const PICTURES: usize = 50;
const LENGTH: usize = 40_000;
/// So long may what was open before show what is over; the machine may be busy with other things.
const SOON: Duration = Duration::from_millis(500);

fn seconds() -> u64 {
    std::env::var("MEDIAGATE_RACE_SECONDS").ok().and_then(|it| it.parse().ok()).unwrap_or(6)
}

fn bytes(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut data = Vec::with_capacity(LENGTH + 1);
    file.read_to_end(&mut data).map(|_| data)
}

/// Puts `new` in place of what is there; in one of three ways.
fn rewrite(path: &Path, new: &[u8], how: u64) -> std::io::Result<()> {
    match how % 3 {
        0 => OpenOptions::new().write(true).truncate(true).open(path)?.write_all(new),
        1 => {
            let file = OpenOptions::new().write(true).open(path)?;
            for (n, piece) in new.chunks(1500).enumerate() {
                file.write_all_at(piece, n as u64 * 1500)?;
            }
            file.set_len(new.len() as u64)
        }
        _ => {
            let beside = path.with_extension("tmp.jpg");
            File::create(&beside)?.write_all(new)?;
            std::fs::rename(beside, path)
        }
    }
}

struct Race {
    paths: Vec<PathBuf>,
    stop: AtomicBool,
    rounds: [AtomicU64; 3],
}

impl Race {
    fn is_on(&self, who: usize) -> bool {
        self.rounds[who].fetch_add(1, SeqCst);
        !self.stop.load(SeqCst)
    }

    /// Sees no location, ever, and never an error.
    fn watch(&self, seed: u64) {
        let mut at = seed;
        let mut held: Option<File> = None;
        while self.is_on(0) {
            at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let path = &self.paths[(at >> 33) as usize % PICTURES];
            let mut file = File::open(path).unwrap_or_else(|error| panic!("open {path:?}: {error}"));
            let data = bytes(&mut file).unwrap_or_else(|error| panic!("read {path:?}: {error}"));
            assert!(!tells(&data), "{path:?} told its location");
            if let Some(held) = &held {
                let mut data = vec![0; LENGTH + 1];
                let n = held.read_at(&mut data, 0).unwrap();
                assert!(!tells(&data[..n]), "an open picture told its location");
            }
            // Of the redacted view only: one that tells nothing when it is opened is shown as it is to its end.
            if at >> 40 & 7 == 0 {
                held = Some(file).filter(|_| data.starts_with(&[0xff, 0xd8]) && has_gps(&data));
            }
        }
    }

    fn look_on(&self) {
        let mut at = 0;
        while self.is_on(1) {
            at += 1;
            let data = bytes(&mut File::open(&self.paths[at % PICTURES]).unwrap()).unwrap();
            assert!(data.len() <= LENGTH);
        }
    }

    /// What is written is what is seen by who opens it after that.
    fn edit(&self, check: impl Fn(&Path) -> Vec<u8>) {
        let mut round = 0;
        while self.is_on(2) {
            round += 1;
            let path = &self.paths[(round * 7) as usize % PICTURES];
            let new = picture(round as u8, round % 4 != 3, LENGTH - (round % 5) as usize * 100);
            rewrite(path, &new, round).unwrap();
            assert!(check(path) == redacted(&new), "round {round}: an old picture of {path:?}");
        }
    }
}

/// The tag that leads to the GPS directory is not hidden.
fn has_gps(data: &[u8]) -> bool {
    data.windows(4).any(|it| it == [0x88, 0x25, 0, 4])
}

/// A thread that is an app.
fn app<T: Send + 'static>(uid: u32, work: impl FnOnce() -> T + Send + 'static) -> std::thread::JoinHandle<T> {
    std::thread::spawn(move || {
        become_app(uid);
        work()
    })
}

#[test]
fn no_reader_without_the_right_ever_sees_a_location_or_an_error_or_an_old_picture() {
    let mut world = world();
    let mut camera = world.app(CAMERA);
    let paths: Vec<_> = (0..PICTURES).map(|n| world.shared(format!("DCIM/{n}.jpg"))).collect();
    for (n, path) in paths.iter().enumerate() {
        camera.create(path, &picture(n as u8, true, LENGTH)).unwrap();
    }
    let race = Arc::new(Race { paths, stop: AtomicBool::new(false), rounds: Default::default() });
    let mut apps: Vec<_> = (0..2)
        .map(|seed| {
            let race = Arc::clone(&race);
            app(FRAME_UID, move || race.watch(seed))
        })
        .collect();
    let looking = Arc::clone(&race);
    apps.push(app(10102, move || looking.look_on()));
    // The editor asks a reader without the right what it sees now.
    let (ask, asked) = std::sync::mpsc::channel::<PathBuf>();
    let (answer, answered) = std::sync::mpsc::channel();
    let asking = app(FRAME_UID, move || {
        for path in asked {
            answer.send(bytes(&mut File::open(path).unwrap()).unwrap()).unwrap();
        }
    });
    let editing = Arc::clone(&race);
    apps.push(app(10104, move || {
        editing.edit(|path| {
            ask.send(path.to_owned()).unwrap();
            answered.recv().unwrap()
        });
    }));
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(seconds()) && apps.iter().all(|it| !it.is_finished()) {
        std::thread::sleep(Duration::from_millis(50));
    }
    race.stop.store(true, SeqCst);
    for app in apps.into_iter().chain([asking]) {
        app.join().unwrap();
    }
    let rounds = race.rounds.each_ref().map(|it| it.load(SeqCst));
    println!("readers without the right, with it, rewrites: {rounds:?}");
    assert!(rounds.iter().all(|it| *it > 20), "all of them got somewhere: {rounds:?}");
    let daemon = world.daemon();
    for name in ["redaction.reads_while_written", "redaction.reads_blanked", "open.stale", "notify.sent"] {
        println!("{name}: {}", daemon.stat(name));
    }
    assert_eq!(daemon.stat("redaction.writers_beside_readers"), 0);
}

#[test]
fn what_was_open_before_follows_soon() {
    let world = world();
    let path = world.shared("DCIM/a.jpg");
    world.app(CAMERA).create(&path, &picture(0, true, LENGTH)).unwrap();
    settle();
    let mut editor = world.app(EDITOR);
    let mut frame = world.app(FRAME);
    let held = frame.open(&path, libc::O_RDONLY).unwrap();
    for seed in 1..30 {
        frame.read(held, 0, LENGTH).unwrap();
        let new = picture(seed, true, LENGTH);
        let file = editor.open(&path, libc::O_WRONLY).unwrap();
        editor.write(file, Some(0), &new).unwrap();
        editor.close(file);
        let begin = Instant::now();
        while frame.read(held, 0, LENGTH).unwrap() != redacted(&new) {
            assert!(begin.elapsed() < SOON, "seed {seed}: what was open shows an old picture");
        }
    }
}
