//! How fast it is. Run by hand, on a machine that has nothing else to do, with the program as it is released:
//!
//! ```sh
//! cargo test --release -p mediagate-tests --test private -- --ignored --nocapture how_fast
//! ```
//!
//! `TMPDIR` says on which file system; on a disk that others write to, creating says more of them than of us.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mediagate_tests::as_app;

use super::*;

/// How often each measurement is taken; the median is what is said.
const ROUNDS: usize = 15;
/// Files of one measurement.
const FILES: usize = 2000;

/// What creating, writing and closing a file of 4 KiB takes, and `stat` of one.
fn measure(dir: &Path) -> [Duration; 2] {
    let at = |number: usize| dir.join(format!("{number}"));
    let content = [7; 4096];
    let begin = Instant::now();
    (0..FILES).for_each(|number| fs::write(at(number), content).unwrap());
    let created = begin.elapsed();
    let begin = Instant::now();
    (0..FILES).for_each(|number| assert_eq!(fs::metadata(at(number)).unwrap().len(), 4096));
    let looked = begin.elapsed();
    (0..FILES).for_each(|number| fs::remove_file(at(number)).unwrap());
    [created, looked].map(|it| it / FILES as u32)
}

fn median(mut all: Vec<Duration>) -> f64 {
    all.sort_unstable();
    all[all.len() / 2].as_secs_f64() * 1e6
}

#[test]
#[ignore = "measures; the command is above"]
fn how_fast() {
    let mut world = world();
    let dir = |name: &str| -> PathBuf { PathBuf::from(format!("Android/data/{GAME}/{name}")) };
    let game = Process::private(&mut world, GAME_UID);
    let (through, bound) = (world.shared(dir("through")), world.shared(dir("bound")));
    // The bare directory: the same file system, as the same uid, which nobody watches.
    let bare = world.path("bare");
    fs::create_dir(&bare).unwrap();
    std::os::unix::fs::chown(&bare, Some(GAME_UID), None).unwrap();
    as_app(GAME_UID, {
        let through = through.clone();
        move || fs::create_dir_all(through).unwrap()
    });
    game.run({
        let bound = bound.clone();
        move || fs::create_dir_all(bound).unwrap()
    });
    let mut found = [(); 3].map(|()| [Vec::new(), Vec::new()]);
    for _ in 0..ROUNDS {
        let (through, bound, bare) = (through.clone(), bound.clone(), bare.clone());
        let round = [
            as_app(GAME_UID, move || measure(&bare)),
            game.run(move || measure(&bound)),
            as_app(GAME_UID, move || measure(&through)),
        ];
        for (kept, round) in found.iter_mut().zip(round) {
            kept.iter_mut().zip(round).for_each(|(kept, it)| kept.push(it));
        }
    }
    let found = found.map(|both| both.map(median));
    println!("| | create+write 4 KiB+close, µs | of bare | stat, µs | of bare |\n|---|---|---|---|---|");
    for (name, it) in ["bare directory", "bound", "through the mount"].iter().zip(found) {
        let of = |at: usize| found[0][at] / it[at];
        println!("| {name} | {:.1} | {:.2} | {:.2} | {:.2} |", it[0], of(0), it[1], of(1));
    }
}
