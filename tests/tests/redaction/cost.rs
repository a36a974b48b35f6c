//! What redaction costs. Numbers, not limits: `cargo test --release -p mediagate-tests --test redaction -- --ignored --nocapture --test-threads=1 cost`.

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use mediagate_tests::as_app;
use mediagate_tests::picture::picture;
use rustix::fs::{Advice, fadvise};
use rustix::thread::{CpuSet, sched_setaffinity};

use super::*;

const LENGTH: usize = 5 << 20;
const FILES: usize = 100;
const ROUNDS: usize = 300;
const BLOCKS: [usize; 5] = [4 << 10, 16 << 10, 64 << 10, 128 << 10, 1 << 20];

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn timed(mut work: impl FnMut()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

/// Reads all of a file in pieces as long as the buffer.
fn read_through(file: &File, buffer: &mut [u8]) {
    let mut at = 0;
    while let Ok(n @ 1..) = file.read_at(buffer, at) {
        black_box(&buffer[..n]);
        at += n as u64;
    }
}

/// From here on the calling thread runs on one processor.
fn stay_on_one_processor() {
    let mut one = CpuSet::new();
    one.set(0);
    sched_setaffinity(None, &one).unwrap();
}

/// A file whose cached pages are single ones, whatever its file system would make of them: read without readahead.
fn in_single_pages(path: &Path, content: &[u8]) -> File {
    std::fs::write(path, content).unwrap();
    let file = File::open(path).unwrap();
    file.sync_all().unwrap();
    fadvise(&file, 0, None, Advice::DontNeed).unwrap();
    fadvise(&file, 0, None, Advice::Random).unwrap();
    read_through(&file, &mut [0; 4096]);
    file
}

/// Milliseconds with three digits.
fn ms(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}

#[test]
#[ignore = "a measurement"]
fn redaction_cost() {
    let mut world = world();
    let put = |name: &str| -> Vec<PathBuf> {
        let names = (0..FILES).map(|n| format!("DCIM/{name}{n}.jpg"));
        let put = |(n, name): (usize, String)| {
            std::fs::write(world.lower(&name), picture(n as u8, true, LENGTH)).unwrap();
            world.shared(name)
        };
        names.enumerate().map(put).collect()
    };
    let paths = put("");
    // A look begins with writing out what is not on the disk yet (docs/adr/0008).
    for n in 0..FILES {
        File::open(world.lower(format!("DCIM/{n}.jpg"))).unwrap().sync_all().unwrap();
    }
    let unwritten = put("new-");
    settle();
    let opened = |uid: u32, paths: &[PathBuf]| {
        let paths = paths.to_vec();
        as_app(uid, move || {
            ms(median(paths.iter().map(|it| timed(|| drop(File::open(it).unwrap()))).collect()))
        })
    };
    println!("first open of a located picture, without the right: {}", opened(FRAME_UID, &paths));
    println!("the same of one that is not written out yet:        {}", opened(FRAME_UID, &unwritten));
    println!("repeated open, without the right:                   {}", opened(FRAME_UID, &paths));
    println!("open, with the right:                               {}", opened(MAP_UID, &paths));

    let small = world.path("small-pages");
    let (redacted, original) = (paths[0].clone(), paths[1].clone());
    let open_as = |uid: u32, path: PathBuf| as_app(uid, move || File::open(path).unwrap());
    // The views of different files: one name leads to one view at a time.
    let files = [
        ("redacted", open_as(FRAME_UID, redacted)),
        ("original", open_as(MAP_UID, original)),
        ("bare", File::open(world.lower("DCIM/0.jpg")).unwrap()),
        (
            "bare, in single pages",
            in_single_pages(&small, &std::fs::read(world.lower("DCIM/0.jpg")).unwrap()),
        ),
    ];
    let requests = |world: &mut World| {
        world.daemon().numbers(["fuse.requests.read", "fuse.requests.getattr", "fuse.requests.open"])
    };
    files.iter().for_each(|(_, file)| read_through(file, &mut vec![0; 128 << 10]));
    let before = requests(&mut world);
    let rows: Vec<String> = std::thread::spawn(move || {
        stay_on_one_processor();
        BLOCKS.map(|block| row(&files, block)).into()
    })
    .join()
    .unwrap();
    println!("warm sequential reads of 5 MiB on one processor, GiB/s (and of bare):");
    rows.iter().for_each(|row| println!("{row}"));
    let [reads, others @ ..] = requests(&mut world);
    let reads = reads - before[0];
    println!("READs meanwhile: {reads}");
    assert_eq!(others, before[1..], "no other request was sent");
    // A kernel that makes room before there is none (DAMON) drops a page now and then, which is read again.
    let pages = (BLOCKS.len() * ROUNDS * LENGTH / 4096) as i64;
    assert!(reads <= pages / 10_000, "{reads} READs for {pages} pages that the kernel had");
}

/// The speeds of one block size; the files take turns, so that what else the machine does meets all of them.
fn row(files: &[(&str, File); 4], block: usize) -> String {
    let mut buffer = vec![0; block];
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        for ((_, file), times) in files.iter().zip(&mut times) {
            times.push(timed(|| read_through(file, &mut buffer)));
        }
    }
    let times = times.map(|it| median(it).as_secs_f64());
    let speed = |n: usize| LENGTH as f64 / times[n] / f64::from(1 << 30);
    let all = files
        .iter()
        .enumerate()
        .map(|(n, (name, _))| format!("{name} {:.1} ({:.2})", speed(n), times[2] / times[n]));
    format!("{:>5} KiB: {}", block >> 10, all.collect::<Vec<_>>().join(", "))
}

/// What it takes to find where a crafted file ends, and where one tells its location that has as many pieces as are looked at.
#[test]
#[ignore = "a measurement"]
fn look_cost() {
    let world = world();
    let length = 4_u64 << 30;
    let head = picture(1, true, 400);
    let head = &head[..head.len() - 2];
    let mut jpeg_of_pieces = head[..2].to_vec();
    jpeg_of_pieces.extend([0xff, 0xe5, 0, 2].repeat((1 << 20) - 100));
    let mut pieces_of_two = b"\0\0\0\x10ftypisom\0\0\x02\0".to_vec();
    pieces_of_two.extend(b"\0\0\0\x08free".repeat((1 << 20) - 100));
    let mut noise: Vec<u8> =
        (0..60 << 20).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    // No markers, but what stands for a byte that looks like one.
    noise.chunks_mut(2).for_each(|it| it[1] = if it[0] == 0xff { 0 } else { it[1] & 0x7f });
    for (name, content, length) in [
        ("a JPEG of 4 GiB without an end", head, length),
        ("a JPEG of 60 MiB with an end", &[head, &noise[..], &[0xff, 0xd9]].concat()[..], 0),
        ("a JPEG of a million segments", &jpeg_of_pieces[..], 0),
        ("a film of a million boxes", &pieces_of_two[..], 0),
        (
            "a film of 4 GiB of one box that is longer",
            b"\0\0\0\x10ftypisom\0\0\x02\0\0\0\0\x01mdat\xff\0\0\0\0\0\0\0",
            length,
        ),
    ] {
        let extension = if content.starts_with(&[0xff]) { "jpg" } else { "mp4" };
        let at = world.lower(format!("DCIM/x.{extension}"));
        std::fs::write(&at, content).unwrap();
        File::options().write(true).open(&at).unwrap().set_len(length.max(content.len() as u64)).unwrap();
        settle();
        let path = world.shared(format!("DCIM/x.{extension}"));
        let (time, done) = as_app(FRAME_UID, move || {
            let mut done = None;
            (timed(|| done = Some(File::open(&path).is_ok())), done.unwrap())
        });
        println!("{name}: {}, {}", ms(time), if done { "opened" } else { "refused" });
        std::fs::remove_file(at).unwrap();
    }
}
