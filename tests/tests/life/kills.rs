//! The service is killed in the middle of everything. MEDIAGATE_KILL_ROUNDS says how often.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mediagate_tests::index::says_what_is_there;
use mediagate_tests::{Actor, Errno};
use nix::sys::signal::Signal;

use super::{CAMERA, NOTES, catalog, owner_of, row, world};

/// xorshift: what is done has to be different in each round, and the same for a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }
}

/// What an app was told of its files, by path from its directory.
#[derive(Default)]
struct Told {
    files: BTreeMap<String, Vec<u8>>,
    dirs: Vec<String>,
    /// What the operation that was not answered was about.
    open: Vec<String>,
    operations: usize,
}

impl Told {
    fn is_open(&self, path: &str) -> bool {
        self.open.iter().any(|it| path == it || path.starts_with(&format!("{it}/")))
    }
}

/// Does things until the service is gone.
fn work(app: &mut Actor, root: &Path, seed: u64) -> Told {
    let mut random = Random(seed | 1);
    let mut told = Told { dirs: vec!["d".to_owned()], ..Told::default() };
    app.mkdir(root.join("d")).unwrap();
    for number in 0..1_000_000_usize {
        match step(app, root, &mut told, &mut random, number) {
            Ok(()) => told.operations += 1,
            Err(error) => {
                assert!(matches!(error.0, libc::ENOTCONN | libc::ECONNABORTED | libc::EIO), "{error:?}");
                return told;
            }
        }
    }
    panic!("the service was never killed");
}

fn step(
    app: &mut Actor,
    root: &Path,
    told: &mut Told,
    random: &mut Random,
    number: usize,
) -> Result<(), Errno> {
    let some = |told: &Told, random: &mut Random| -> Option<String> {
        let count = told.files.len();
        (count > 0).then(|| told.files.keys().nth(random.below(count)).unwrap().clone())
    };
    let dir = told.dirs[random.below(told.dirs.len())].clone();
    match random.below(10) {
        0..=3 => {
            let path = format!("{dir}/f{number}.txt");
            told.open = vec![path.clone()];
            let file = app.open(root.join(&path), libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY)?;
            let content = path.clone().into_bytes();
            // The descriptor is the kernel's: this goes on even if the service is gone.
            app.write(file, None, &content).unwrap();
            app.close(file);
            told.files.insert(path, content);
        }
        4 | 5 => {
            let Some(from) = some(told, random) else { return Ok(()) };
            let to = if random.below(3) == 0 {
                format!("{dir}/.trashed-1900000000-t{number}.txt")
            } else {
                format!("{dir}/r{number}.txt")
            };
            told.open = vec![from.clone(), to.clone()];
            app.rename(root.join(&from), root.join(&to))?;
            let content = told.files.remove(&from).unwrap();
            told.files.insert(to, content);
        }
        6 => {
            let Some(path) = some(told, random) else { return Ok(()) };
            told.open = vec![path.clone()];
            app.unlink(root.join(&path))?;
            told.files.remove(&path);
        }
        7 => {
            let path = format!("d{number}");
            told.open = vec![path.clone()];
            app.mkdir(root.join(&path))?;
            told.dirs.push(path);
        }
        8 => {
            let to = format!("m{number}");
            told.open = vec![dir.clone(), to.clone()];
            app.rename(root.join(&dir), root.join(&to))?;
            told.dirs.retain(|it| *it != dir);
            told.dirs.push(to.clone());
            let prefix = format!("{dir}/");
            let moved: Vec<String> =
                told.files.keys().filter(|it| it.starts_with(&prefix)).cloned().collect();
            for path in moved {
                let content = told.files.remove(&path).unwrap();
                told.files.insert(path.replacen(&dir, &to, 1), content);
            }
        }
        _ => {
            let Some(path) = some(told, random) else { return Ok(()) };
            told.open = vec![path.clone()];
            let file = app.open(root.join(&path), libc::O_WRONLY | libc::O_TRUNC)?;
            let content = format!("again {number}").into_bytes();
            app.write(file, None, &content).unwrap();
            app.close(file);
            told.files.insert(path, content);
        }
    }
    told.open.clear();
    Ok(())
}

#[test]
fn killed_at_any_moment_nothing_that_was_answered_is_lost() {
    let rounds: u64 = std::env::var("MEDIAGATE_KILL_ROUNDS").map_or(6, |it| it.parse().unwrap());
    let mut world = world();
    for round in 0..rounds {
        let dirs: [(&str, String); 2] =
            [(CAMERA, format!("Download/camera{round}")), (NOTES, format!("Documents/notes{round}"))];
        let mut apps: Vec<(Actor, PathBuf)> =
            dirs.iter().map(|(app, dir)| (world.app(app), world.shared(dir))).collect();
        for (app, dir) in &mut apps {
            app.mkdir(&*dir).unwrap();
        }
        let told: Vec<Told> = std::thread::scope(|scope| {
            let workers: Vec<_> = apps
                .iter_mut()
                .zip(1_u64..)
                .map(|((app, dir), n)| {
                    scope.spawn(move || work(app, dir, (round * 2 + n).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
                })
                .collect();
            let pause = 40 + Random(round + 1).below(400) as u64 + round * 7 % 50;
            std::thread::sleep(Duration::from_millis(pause));
            world.daemon().stop(Signal::SIGKILL);
            workers.into_iter().map(|it| it.join().unwrap()).collect()
        });
        // What was answered is there, before anything else runs.
        for ((app, dir), told) in dirs.iter().zip(&told) {
            for (path, content) in told.files.iter().filter(|it| !told.is_open(it.0)) {
                let lower = world.lower(dir).join(path);
                assert_eq!(&std::fs::read(&lower).unwrap(), content, "round {round}: {}", lower.display());
                assert_eq!(owner_of(&lower).as_deref(), Some(*app), "round {round}: {}", lower.display());
            }
            for made in told.dirs.iter().filter(|it| !told.is_open(it)) {
                assert!(world.lower(dir).join(made).is_dir(), "round {round}: {made}");
            }
        }
        world.start_over();
        world.daemon().wait_until_indexed();
        says_what_is_there(&mut world);
        let catalog = catalog(&world);
        catalog.tidy(&std::sync::atomic::AtomicBool::new(false)).unwrap();
        let mut operations = 0;
        for ((app, dir), told) in dirs.iter().zip(&told) {
            operations += told.operations;
            for path in told.files.keys().filter(|it| !told.is_open(it)) {
                let entry = row(&catalog, &format!("{dir}/{path}"));
                let owner = entry.and_then(|it| it.row.owner);
                assert_eq!(owner.as_deref(), Some(*app), "round {round}: {path}");
            }
        }
        assert!(operations > 10, "round {round}: {operations}");
        catalog.close();
        world.start();
        world.daemon().wait_until_indexed();
    }
}
