//! What redaction costs. Numbers, not limits: `cargo test --release -p mediagate-tests --test redaction -- --ignored --nocapture cost`.

use std::hint::black_box;
use std::time::Instant;

use mediagate_tests::as_app;
use mediagate_tests::picture::picture;

use super::*;

const LENGTH: usize = 5 << 20;
const FILES: usize = 100;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn timed(mut work: impl FnMut()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

/// Reads all of a file in pieces of 128 KiB.
fn read_through(file: &std::fs::File, buffer: &mut [u8]) {
    use std::os::unix::fs::FileExt as _;
    let mut at = 0;
    while let Ok(n @ 1..) = file.read_at(buffer, at) {
        black_box(&buffer[..n]);
        at += n as u64;
    }
}

#[test]
#[ignore = "a measurement"]
fn redaction_cost() {
    let mut world = world();
    let paths: Vec<_> = (0..FILES).map(|n| world.shared(format!("DCIM/{n}.jpg"))).collect();
    for n in 0..FILES {
        std::fs::write(world.lower(format!("DCIM/{n}.jpg")), picture(n as u8, true, LENGTH)).unwrap();
    }
    settle();
    let lower = world.lower("DCIM/0.jpg");
    let opened = |uid: u32, paths: &[std::path::PathBuf]| {
        let paths = paths.to_vec();
        as_app(uid, move || {
            median(paths.iter().map(|it| timed(|| drop(std::fs::File::open(it).unwrap()))).collect())
        })
    };
    let through = |uid: u32, path: std::path::PathBuf| {
        as_app(uid, move || {
            let file = std::fs::File::open(path).unwrap();
            let mut buffer = vec![0; 128 << 10];
            read_through(&file, &mut buffer);
            let times = (0..100).map(|_| timed(|| read_through(&file, &mut buffer)));
            median(times.collect())
        })
    };
    println!("first open of a located picture, without the right:  {:?}", opened(FRAME_UID, &paths));
    println!("repeated open, without the right:                    {:?}", opened(FRAME_UID, &paths));
    println!("open, with the right:                                {:?}", opened(10102, &paths));
    let redacted = through(FRAME_UID, paths[0].clone());
    let before = world.daemon().stat("fuse.requests.read");
    let original = through(10102, paths[0].clone());
    let reads = world.daemon().stat("fuse.requests.read") - before;
    let native = through(0, lower);
    let rate = |time: Duration| LENGTH as f64 / time.as_secs_f64() / f64::from(1 << 20);
    println!("warm sequential read, redacted:  {:8.0} MiB/s", rate(redacted));
    println!("warm sequential read, original:  {:8.0} MiB/s, {reads} READ requests", rate(original));
    println!("warm sequential read, bare:      {:8.0} MiB/s", rate(native));
    println!("redacted against bare:           {:8.3}", native.as_secs_f64() / redacted.as_secs_f64());
    assert_eq!(reads, 0);
}
