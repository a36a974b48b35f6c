//! A process on the lower side swaps a directory for a link that leads outside, all the time.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use mediagate_tests::become_app;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::{CAMERA, GALLERY, MANAGER, SECRET, everything, is_well, names, outside};

const FOR: Duration = Duration::from_secs(5);
/// No operation takes longer.
const BOUND: Duration = Duration::from_secs(10);

/// One app's thread: what it is doing, and since when (in milliseconds from the start).
struct Worker {
    since: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<(u64, u64)>,
}

fn start(uid: u32, album: PathBuf, stop: Arc<AtomicBool>, begin: Instant) -> Worker {
    let since = Arc::new(AtomicU64::new(0));
    let at = Arc::clone(&since);
    let thread = std::thread::spawn(move || {
        become_app(uid);
        let (mut good, mut bad) = (0, 0);
        let mut round = 0_u64;
        while !stop.load(Relaxed) {
            at.store(u64::try_from(begin.elapsed().as_millis()).unwrap(), Relaxed);
            match work(uid, &album, round) {
                Ok(()) => good += 1,
                Err(_) => bad += 1,
            }
            round += 1;
        }
        at.store(u64::MAX, Relaxed);
        (good, bad)
    });
    Worker { since, thread }
}

fn work(uid: u32, album: &Path, round: u64) -> std::io::Result<()> {
    let (new, moved) = (album.join(format!("{uid}-new.jpg")), album.join(format!("{uid}-moved.jpg")));
    match round % 8 {
        0 | 1 => {
            let content = fs::read(album.join("a.jpg"))?;
            assert_ne!(content, SECRET, "read from outside");
        }
        2 => {
            let content = fs::read(album.join("deeper/a.jpg"))?;
            assert_ne!(content, SECRET, "read from outside");
        }
        3 => fs::write(new, b"mine")?,
        4 => fs::rename(new, moved)?,
        5 => {
            let names = names(album)?;
            assert!(!names.contains(&b"secret.jpg".to_vec()), "listed from outside");
        }
        6 => {
            fs::create_dir(album.join(format!("{uid}-dir")))?;
            fs::remove_dir(album.join(format!("{uid}-dir")))?;
        }
        _ => {
            assert!(fs::metadata(album.join("secret.jpg")).is_err(), "found outside");
            fs::remove_file(moved)?;
        }
    }
    Ok(())
}

#[test]
fn a_directory_swapped_for_a_symlink_never_leads_outside() {
    let mut world = crate::not_started();
    // A name that the kernel keeps for a second would be looked up five times in the whole race.
    world.config.volumes[0].cache_seconds = Some(0);
    world.start();
    let outside = outside(&world);
    let before = everything(&outside);
    let (album, lower) = (world.shared("DCIM/album"), world.lower("DCIM/album"));
    let made = album.join("deeper");
    mediagate_tests::as_app(CAMERA, move || {
        fs::create_dir_all(&made).unwrap();
        for path in [made.join("a.jpg"), made.with_file_name("a.jpg")] {
            fs::write(path, b"inside").unwrap();
        }
    });
    let link = world.lower("DCIM/link");
    symlink(&outside, &link).unwrap();

    let (begin, stop) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let workers: Vec<Worker> = [CAMERA, GALLERY, MANAGER, 0]
        .into_iter()
        .map(|uid| start(uid, album.clone(), Arc::clone(&stop), begin))
        .collect();
    let mut swaps = 0_u64;
    while begin.elapsed() < FOR {
        for _ in 0..20 {
            renameat_with(CWD, &lower, CWD, &link, RenameFlags::EXCHANGE).unwrap();
            swaps += 1;
            // Longer and shorter than the walk of a request.
            std::thread::sleep(Duration::from_micros(swaps * 37 % 400));
        }
        let now = u64::try_from(begin.elapsed().as_millis()).unwrap();
        for worker in &workers {
            let since = worker.since.load(Relaxed);
            assert!(
                since == u64::MAX || now.saturating_sub(since) < BOUND.as_millis() as u64,
                "an app hangs"
            );
        }
    }
    stop.store(true, Relaxed);
    let end = Instant::now();
    let (mut good, mut bad) = (0, 0);
    for worker in workers {
        while !worker.thread.is_finished() {
            assert!(end.elapsed() < BOUND, "an app hangs");
            std::thread::sleep(Duration::from_millis(5));
        }
        let (went, failed) = worker.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (good, bad) = (good + went, bad + failed);
    }
    println!("{swaps} swaps, {good} operations went well, {bad} met the link");
    assert!(good > 100 && bad > 100, "the race did not happen: {good} good, {bad} bad of {swaps} swaps");
    assert_eq!(everything(&outside), before, "changed outside");
    is_well(&mut world);
}
