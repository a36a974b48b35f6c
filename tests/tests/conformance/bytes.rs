//! One file for a long time: random reads, writes, cuts, mappings and holes against a copy in memory, as `fsx` does it, on a
//! volume that passes through, on one that the daemon serves, and under the eyes of an app that may see no location.
//!
//! `MEDIAGATE_FSX_SEEDS=500` has so many sequences instead of one.

use std::path::PathBuf;

use mediagate_tests::picture::{picture, redacted};
use mediagate_tests::{Actor, Job, World};

use crate::{APP, READER, world};

const STEPS: usize = 200;
/// No file gets longer; and beyond that a picture has nothing but filler.
const LONGEST: u64 = 200_000;
const KEEP: u32 = libc::FALLOC_FL_KEEP_SIZE.cast_unsigned();
const PUNCH: u32 = KEEP | libc::FALLOC_FL_PUNCH_HOLE.cast_unsigned();
const ZERO: u32 = libc::FALLOC_FL_ZERO_RANGE.cast_unsigned();

/// xorshift64*: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// Somewhere in a range, and often at an edge of a page.
    fn offset(&mut self, from: u64, to: u64) -> u64 {
        let at = from + self.below(to - from + 1);
        match self.below(3) {
            0 => (at / 4096 * 4096).clamp(from, to),
            _ => at,
        }
    }
}

fn seeds() -> std::ops::Range<u64> {
    match std::env::var("MEDIAGATE_FSX_SEEDS") {
        Ok(count) => 1..1 + count.parse::<u64>().expect("MEDIAGATE_FSX_SEEDS is a number"),
        Err(_) => 1..2,
    }
}

/// A file, what is in it, and who works with it.
struct Bench {
    random: Random,
    path: PathBuf,
    copy: Vec<u8>,
    app: Actor,
    file: u64,
    /// Nothing before this is changed.
    fixed: u64,
    log: Vec<String>,
}

impl Bench {
    fn new(world: &World, seed: u64, name: &str, begin: &[u8]) -> Bench {
        let path = world.shared(name);
        let mut app = Actor::start(APP);
        app.create(&path, begin).unwrap();
        let file = app.open(&path, libc::O_RDWR).unwrap();
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        Bench { random, path, copy: begin.to_vec(), app, file, fixed: begin.len() as u64, log: Vec::new() }
    }

    fn length(&self) -> u64 {
        self.copy.len() as u64
    }

    fn grow(&mut self, to: u64) {
        if self.length() < to {
            self.copy.resize(to as usize, 0);
        }
    }

    fn put(&mut self, at: u64, data: &[u8]) {
        self.grow(at + data.len() as u64);
        self.copy[at as usize..at as usize + data.len()].copy_from_slice(data);
    }

    fn data(&mut self) -> Vec<u8> {
        // No byte that means anything to a reader of pictures.
        let (length, letter) = (1 + self.random.below(20_000), b'a' + self.random.below(26) as u8);
        (0..length).map(|n| letter ^ (n % 7) as u8).collect()
    }

    /// One random step of the writer.
    fn step(&mut self) {
        let (file, length) = (self.file, self.length());
        let at = self.random.offset(self.fixed, length.max(self.fixed).min(LONGEST - 20_000));
        let data = self.data();
        let end = at + data.len() as u64;
        let app = &mut self.app;
        match self.random.below(15) {
            0..=2 => {
                self.log.push(format!("write {at} {}", data.len()));
                assert_eq!(app.write(file, Some(at), &data).unwrap(), data.len() as u64);
                self.put(at, &data);
            }
            3 => {
                let at = self.random.offset(self.fixed, LONGEST - 20_000);
                self.log.push(format!("write behind {at} {}", data.len()));
                app.write(file, Some(at), &data).unwrap();
                self.put(at, &data);
            }
            4 => {
                let handle = app.open(&self.path, libc::O_WRONLY | libc::O_APPEND).unwrap();
                if length + data.len() as u64 <= LONGEST {
                    self.log.push(format!("append {}", data.len()));
                    app.write(handle, None, &data).unwrap();
                    self.copy.extend(&data);
                }
                app.close(handle);
            }
            5..=6 if end <= length => {
                let sync = self.random.below(2) == 0;
                self.log.push(format!("map write {at} {} {sync}", data.len()));
                app.job(Job::MapWrite { file, offset: at, data: data.clone(), sync }).unwrap();
                self.put(at, &data);
            }
            7 => {
                let size = self.random.offset(self.fixed, LONGEST);
                self.log.push(format!("truncate {size}"));
                app.job(Job::Truncate { file, size }).unwrap();
                self.copy.resize(size as usize, 0);
            }
            8 => {
                self.log.push(format!("punch {at} {}", data.len()));
                app.job(Job::Allocate { file, mode: PUNCH, offset: at, length: data.len() as u64 }).unwrap();
                let (at, end) = (at.min(length) as usize, end.min(length) as usize);
                self.copy[at..end].fill(0);
            }
            9 => {
                self.log.push(format!("zero {at} {}", data.len()));
                app.job(Job::Allocate { file, mode: ZERO, offset: at, length: data.len() as u64 }).unwrap();
                self.put(at, &vec![0; data.len()]);
            }
            10 => {
                let mode = if self.random.below(2) == 0 { KEEP } else { 0 };
                self.log.push(format!("allocate {mode} {at} {}", data.len()));
                app.job(Job::Allocate { file, mode, offset: at, length: data.len() as u64 }).unwrap();
                if mode == 0 {
                    self.grow(end);
                }
            }
            11 if end <= length => {
                // Not onto itself.
                let to = self.random.offset(end, LONGEST);
                if to + data.len() as u64 <= LONGEST {
                    self.log.push(format!("copy {at} {to} {}", data.len()));
                    let copied = app.job_number(Job::CopyRange {
                        from: file,
                        from_offset: at,
                        to: file,
                        to_offset: to,
                        length: data.len(),
                    });
                    assert_eq!(copied.unwrap(), data.len() as u64);
                    let moved = self.copy[at as usize..end as usize].to_vec();
                    self.put(to, &moved);
                }
            }
            12 => {
                self.log.push("reopen".to_owned());
                app.close(file);
                let direct = if self.random.below(4) == 0 { libc::O_SYNC } else { 0 };
                self.file = app.open(&self.path, libc::O_RDWR | direct).unwrap();
            }
            13 => {
                self.log.push("sync".to_owned());
                app.job(Job::Sync { file }).unwrap();
            }
            _ => self.check_part(),
        }
    }

    /// The writer reads a part, by a call or through a mapping.
    fn check_part(&mut self) {
        let at = self.random.below(self.length());
        let length = (1 + self.random.below(30_000)).min(self.length() - at) as usize;
        let expected = self.copy[at as usize..at as usize + length].to_vec();
        let read = match self.random.below(3) {
            0 => {
                let private = self.random.below(2) == 0;
                self.app.job_bytes(Job::MapRead { file: self.file, offset: at, length, private }).unwrap()
            }
            _ => self.app.read(self.file, at, length).unwrap(),
        };
        self.same("a part", at, &expected, &read);
    }

    fn same(&self, what: &str, at: u64, expected: &[u8], got: &[u8]) {
        if expected == got {
            return;
        }
        let wrong =
            expected.iter().zip(got).position(|(a, b)| a != b).unwrap_or(expected.len().min(got.len()));
        let last: Vec<&String> = self.log.iter().rev().take(15).collect();
        panic!(
            "{what} at {at}: {} bytes expected, {} got, the first wrong one is {wrong}; after (newest first) {last:#?}",
            expected.len(),
            got.len()
        );
    }

    /// Size and bytes, by a fresh open of the writer, and on the lower file system.
    fn check_all(&mut self, lower: &std::path::Path) {
        let stat = self.app.stat(&self.path).unwrap();
        assert_eq!(stat.size, self.length(), "{:?}", self.log.last());
        let read = self.app.read_all(&self.path).unwrap();
        self.same("all", 0, &self.copy, &read);
        self.app.job(Job::Sync { file: self.file }).unwrap();
        self.same("the lower file", 0, &self.copy, &std::fs::read(lower).unwrap());
    }
}

fn alone(passthrough: bool) {
    for seed in seeds() {
        let mut world = world(passthrough);
        let mut bench = Bench::new(&world, seed, "Download/f.bin", b"x");
        bench.fixed = 0;
        let lower = world.lower("Download/f.bin");
        for step in 0..STEPS {
            bench.step();
            if step % 40 == 39 {
                println!("seed {seed}: {} steps, {} bytes", step + 1, bench.length());
                bench.check_all(&lower);
            }
        }
        drop(bench);
        assert_eq!(world.daemon().stat("open.daemon") == 0, passthrough);
        assert_eq!(world.daemon().stat("fuse.panics"), 0);
    }
}

#[test]
fn random_bytes_passed_through() {
    alone(true);
}

#[test]
fn random_bytes_served_by_the_daemon() {
    alone(false);
}

/// The owner writes a picture behind its head, where the location is; another app without the right reads it all the time, the
/// same bytes but for the location.
#[test]
fn random_bytes_of_a_picture_read_without_its_location() {
    for (seed, passthrough) in seeds().flat_map(|seed| [(seed, true), (seed, false)]) {
        let mut world = world(passthrough);
        let mut bench = Bench::new(&world, seed, "DCIM/f.jpg", &picture(seed as u8, true, 3000));
        let head = redacted(&bench.copy);
        let lower = world.lower("DCIM/f.jpg");
        let mut reader = Actor::start(READER);
        for step in 0..STEPS {
            bench.step();
            if step % 3 == 0 {
                let file = reader.open(&bench.path, libc::O_RDONLY).unwrap();
                let mut expected = bench.copy.clone();
                expected[..head.len()].copy_from_slice(&head);
                let at = bench.random.below(expected.len() as u64);
                let length = (1 + bench.random.below(50_000)).min(expected.len() as u64 - at) as usize;
                let read = match bench.random.below(3) {
                    0 => reader.job_bytes(Job::MapRead { file, offset: at, length, private: false }).unwrap(),
                    _ => reader.read(file, at, length).unwrap(),
                };
                reader.close(file);
                bench.same("the redacted view", at, &expected[at as usize..at as usize + length], &read);
                assert_eq!(reader.stat(&bench.path).unwrap().size, bench.length());
            }
            if step % 40 == 39 {
                bench.check_all(&lower);
            }
        }
        drop((bench, reader));
        assert!(world.daemon().stat("open.daemon.redacted_view") > 0);
        assert_eq!(world.daemon().stat("fuse.panics"), 0);
    }
}
