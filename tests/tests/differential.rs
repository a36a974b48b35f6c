//! An app that does as it likes with its own files cannot tell the mount from a bare directory: the same random calls give
//! the same results, errnos, sizes and contents.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use mediagate_tests::actor::{Ask, Stat};
use mediagate_tests::{Actor, Errno, Job, Package, World};

const APP: &str = "com.example.app";
const OPS: usize = 1500;
/// Some are a file here and a directory there, some are neither.
const NAMES: [&str; 8] = ["a.txt", "b.bin", "c.jpg", "d", "e", "F", "name with spaces", "ü.mp4"];
const SLOTS: usize = 6;

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// A path of one to three names; names meant for directories come first.
    fn path(&mut self) -> PathBuf {
        let mut path = PathBuf::new();
        for _ in 0..self.pick(&[0, 0, 0, 1, 1, 2]) {
            path.push(self.pick(&["d", "e", "F", "d", "e", "a.txt"]));
        }
        path.push(self.pick(&NAMES));
        path
    }
}

/// One call, with paths relative to either place.
#[derive(Clone, Debug)]
enum Op {
    Open { slot: usize, path: PathBuf, flags: i32 },
    Close { slot: usize },
    Read { slot: usize, offset: u64, length: usize },
    Write { slot: usize, offset: Option<u64>, byte: u8, length: usize },
    Truncate { slot: usize, size: u64 },
    MapWrite { slot: usize, byte: u8 },
    StatOpen { slot: usize },
    ReadAll { path: PathBuf },
    Stat { path: PathBuf },
    List { path: PathBuf },
    Mkdir { path: PathBuf },
    Rmdir { path: PathBuf },
    Unlink { path: PathBuf },
    Rename { from: PathBuf, to: PathBuf, no_replace: bool },
    TruncatePath { path: PathBuf, size: u64 },
    Times { path: PathBuf, seconds: i64 },
    Mknod { path: PathBuf },
    Access { path: PathBuf },
}

fn random_op(random: &mut Random) -> Op {
    let (slot, path) = (random.below(SLOTS), random.path());
    let small = |random: &mut Random| random.pick(&[0, 1, 100, 4095, 4096, 4097, 10_000, 70_000]);
    match random.below(34) {
        0..=5 => {
            let access = random.pick(&[libc::O_RDONLY, libc::O_WRONLY, libc::O_RDWR, libc::O_RDWR]);
            let create = random.pick(&[0, libc::O_CREAT, libc::O_CREAT, libc::O_CREAT | libc::O_EXCL]);
            let more = random.pick(&[0, 0, 0, libc::O_TRUNC, libc::O_APPEND, libc::O_NOFOLLOW]);
            // O_RDONLY | O_TRUNC is unspecified by POSIX.
            let more = if access == libc::O_RDONLY && more == libc::O_TRUNC { 0 } else { more };
            Op::Open { slot, path, flags: access | create | more }
        }
        6 => Op::Close { slot },
        7..=8 => Op::Read { slot, offset: small(random), length: 20_000 },
        9..=12 => {
            let offset = if random.below(3) == 0 { Some(small(random)) } else { None };
            Op::Write { slot, offset, byte: random.next() as u8, length: small(random) as usize }
        }
        13 => Op::Truncate { slot, size: small(random) },
        14 => Op::MapWrite { slot, byte: random.next() as u8 },
        15 => Op::StatOpen { slot },
        16..=17 => Op::ReadAll { path },
        18..=19 => Op::Stat { path },
        20..=21 => Op::List { path: if random.below(3) == 0 { PathBuf::new() } else { path } },
        22..=23 => Op::Mkdir { path },
        24 => Op::Rmdir { path },
        25..=26 => Op::Unlink { path },
        27..=29 => Op::Rename { from: path, to: random.path(), no_replace: random.below(4) == 0 },
        30 => Op::TruncatePath { path, size: small(random) },
        31 => Op::Times { path, seconds: random.below(2_000_000_000) as i64 },
        32 => Op::Mknod { path },
        _ => Op::Access { path },
    }
}

/// What a call gave, as far as it must be the same.
#[derive(Debug, PartialEq)]
enum Seen {
    Done,
    Number(u64),
    Bytes(Vec<u8>),
    Names(Vec<Vec<u8>>),
    /// Type, size of files, links.
    Stat(u32, u64, u64),
}

/// One of the two places, and what the app has open there.
struct Side {
    app: Actor,
    root: PathBuf,
    slots: [Option<u64>; SLOTS],
}

impl Side {
    fn at(&self, path: &Path) -> PathBuf {
        if path.as_os_str().is_empty() { self.root.clone() } else { self.root.join(path) }
    }

    fn bytes_at(&self, path: &Path) -> Vec<u8> {
        std::os::unix::ffi::OsStringExt::into_vec(self.at(path).into_os_string())
    }

    fn slot(&self, slot: usize) -> u64 {
        // A number that is not open: EBADF on both sides.
        self.slots[slot].unwrap_or(u64::MAX)
    }

    fn run(&mut self, op: &Op) -> Result<Seen, Errno> {
        let done = Ok(Seen::Done);
        match op {
            Op::Open { slot, path, flags } => {
                let file = self.app.open(self.at(path), *flags)?;
                if let Some(old) = self.slots[*slot].replace(file) {
                    self.app.close(old);
                }
                done
            }
            Op::Close { slot } => {
                if let Some(old) = self.slots[*slot].take() {
                    self.app.close(old);
                }
                done
            }
            Op::Read { slot, offset, length } => {
                self.app.read(self.slot(*slot), *offset, *length).map(Seen::Bytes)
            }
            Op::Write { slot, offset, byte, length } => {
                self.app.write(self.slot(*slot), *offset, &vec![*byte; *length]).map(Seen::Number)
            }
            Op::Truncate { slot, size } => {
                self.app.job(Job::Truncate { file: self.slot(*slot), size: *size })?;
                done
            }
            Op::MapWrite { slot, byte } => {
                let file = self.slot(*slot);
                // A store beyond the end is a signal.
                let length = self.app.stat_open(file)?.size as usize;
                if length > 0 {
                    let data = vec![*byte; length.min(5000)];
                    self.app.job(Job::MapWrite { file, offset: 0, data, sync: true })?;
                }
                done
            }
            Op::StatOpen { slot } => self.app.stat_open(self.slot(*slot)).map(seen_stat),
            Op::ReadAll { path } => self.app.read_all(self.at(path)).map(Seen::Bytes),
            Op::Stat { path } => self.app.stat(self.at(path)).map(seen_stat),
            Op::List { path } => self.app.list_bytes(self.at(path)).map(Seen::Names),
            Op::Mkdir { path } => self.app.mkdir(self.at(path)).map(|()| Seen::Done),
            Op::Rmdir { path } => self.app.rmdir(self.at(path)).map(|()| Seen::Done),
            Op::Unlink { path } => self.app.unlink(self.at(path)).map(|()| Seen::Done),
            Op::Rename { from, to, no_replace } => {
                let flags = if *no_replace { libc::RENAME_NOREPLACE } else { 0 };
                self.app.rename_with(self.at(from), self.at(to), flags).map(|()| Seen::Done)
            }
            Op::TruncatePath { path, size } => {
                let path = self.bytes_at(path);
                self.app.act(&Ask::Truncate { path, size: *size }).map(|()| Seen::Done)
            }
            Op::Times { path, seconds } => {
                let path = self.bytes_at(path);
                self.app.act(&Ask::Utimes { path, seconds: *seconds }).map(|()| Seen::Done)
            }
            Op::Mknod { path } => {
                let path = self.bytes_at(path);
                self.app.act(&Ask::Mknod { path, mode: libc::S_IFREG | 0o600 }).map(|()| Seen::Done)
            }
            Op::Access { path } => self.app.access(self.at(path), libc::F_OK).map(|()| Seen::Done),
        }
    }
}

fn seen_stat(stat: Stat) -> Seen {
    let kind = stat.mode & libc::S_IFMT;
    Seen::Stat(kind, if kind == libc::S_IFREG { stat.size } else { 0 }, stat.nlink)
}

/// Every file and directory below, with contents.
fn tree(root: &Path, below: &Path, all: &mut Vec<(PathBuf, Option<Vec<u8>>)>) {
    let mut entries: Vec<_> = std::fs::read_dir(root.join(below)).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = below.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            all.push((path.clone(), None));
            tree(root, &path, all);
        } else {
            let bytes = std::fs::read(root.join(&path)).unwrap();
            all.push((path, Some(bytes)));
        }
    }
}

fn compare(seed: u64, passthrough: bool, cache_seconds: Option<i32>) {
    let mut world = World::new(&[Package::new(APP, 10101)]);
    world.config.volumes[0].passthrough = passthrough;
    world.config.volumes[0].cache_seconds = cache_seconds;
    world.start();
    let bare = world.path("bare");
    std::fs::create_dir(&bare).unwrap();
    std::fs::set_permissions(&bare, std::fs::Permissions::from_mode(0o777)).unwrap();
    let mut mounted = Side { app: world.app(APP), root: world.shared("Download/diff"), slots: [None; SLOTS] };
    mounted.app.mkdir(&mounted.root).unwrap();
    let mut plain = Side { app: world.app(APP), root: bare, slots: [None; SLOTS] };
    let lower = world.lower("Download/diff");

    let mut random = Random(seed);
    let mut done: Vec<Op> = Vec::new();
    let (mut good, mut bad) = (0, 0);
    for number in 0..OPS {
        let op = random_op(&mut random);
        // Only files have times that an app may set (SETATTR is a check for writing, and a directory is none to write).
        if matches!(&op, Op::Times { path, .. } if plain.at(path).is_dir()) {
            continue;
        }
        let context = |done: &[Op]| {
            let last: Vec<String> = done.iter().rev().take(12).rev().map(|op| format!("{op:?}")).collect();
            format!(
                "seed {seed} passthrough={passthrough} cache={cache_seconds:?} op {number}: {op:?}\nafter\n{}",
                last.join("\n")
            )
        };
        let (expected, got) = (plain.run(&op), mounted.run(&op));
        if expected != got {
            panic!("{}\nbare directory: {}\nmount: {}", context(&done), brief(&expected), brief(&got));
        }
        match expected {
            Ok(_) => good += 1,
            Err(_) => bad += 1,
        }
        // What is shown is what is below, to the nanosecond.
        if let (Op::Stat { path }, Ok(_)) = (&op, &got) {
            let shown = mounted.app.stat(mounted.at(path)).unwrap();
            let below = std::fs::symlink_metadata(lower.join(path)).unwrap();
            assert_eq!(
                shown.mtime,
                (below.mtime(), below.mtime_nsec().cast_unsigned()),
                "{}",
                context(&done)
            );
        }
        done.push(op);
        if number % 250 == 249 || number + 1 == OPS {
            let (mut expected, mut got) = (Vec::new(), Vec::new());
            tree(&plain.root, Path::new(""), &mut expected);
            tree(&lower, Path::new(""), &mut got);
            let names = |tree: &[(PathBuf, _)]| tree.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
            assert_eq!(names(&expected), names(&got), "seed {seed} op {number}: names");
            assert!(expected == got, "seed {seed} op {number}: contents");
        }
    }
    assert!(good > OPS / 5 && bad > OPS / 10, "the sequence says something: {good} done, {bad} refused");
}

fn brief(seen: &Result<Seen, Errno>) -> String {
    let text = format!("{seen:?}");
    if text.len() > 300 {
        format!("{}… ({} characters)", text.chars().take(300).collect::<String>(), text.len())
    } else {
        text
    }
}

#[test]
fn passed_through_and_cached_for_ever() {
    [1, 2].into_iter().for_each(|seed| compare(seed, true, Some(-1)));
}

#[test]
fn passed_through_and_never_cached() {
    compare(4, true, Some(0));
}

#[test]
fn served_by_the_daemon_and_cached_for_ever() {
    compare(5, false, None);
}

#[test]
fn served_by_the_daemon_and_cached_for_a_second() {
    compare(7, false, Some(1));
}
