//! Workers that look for the next request before they sleep: what comes in a burst is found so, and who has nothing to do sleeps.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use super::*;

/// Enough that looking would show, if it did not end.
const IDLE: Duration = Duration::from_secs(1);

fn polling(longest_us: u32) -> World {
    started(|config| config.service.busy_poll_us = longest_us)
}

/// Requests that follow each other: the kernel knows none of these names.
fn burst(world: &mut World, name: &str) {
    let mut app = world.app(OWNER);
    for number in 0..500 {
        app.stat(world.shared(format!("Download/missing-{name}-{number}"))).unwrap_err();
    }
}

/// How often looking was worth it, and how often it was not.
fn looks(world: &mut World) -> (i64, i64) {
    (world.daemon().stat("fuse.busy_polls.met"), world.daemon().stat("fuse.busy_polls.in_vain"))
}

#[test]
fn bursts_are_met_and_then_everybody_sleeps() {
    assert!(std::thread::available_parallelism().unwrap().get() > 1, "two processors are needed");
    let mut world = polling(1000);
    // Where others want the processors too, most looks are given up.
    let begin = Instant::now();
    for time in 0.. {
        burst(&mut world, &time.to_string());
        if looks(&mut world).0 >= 100 {
            break;
        }
        assert!(begin.elapsed() < 6 * PATIENCE, "{:?}", looks(&mut world));
    }
    std::thread::sleep(Duration::from_millis(100));
    let before = (looks(&mut world), world.daemon().cpu());
    std::thread::sleep(IDLE);
    let after = (looks(&mut world), world.daemon().cpu());
    // The kernel may send a FORGET whenever it wants memory.
    assert!(after.0.0 - before.0.0 < 10 && after.0.1 - before.0.1 < 10, "{before:?} {after:?}");
    let spent = after.1.saturating_sub(before.1);
    assert!(spent < IDLE / 4, "{spent:?} of {IDLE:?} without anything to do");
}

#[test]
fn nobody_looks_where_it_is_turned_off() {
    let mut world = polling(0);
    burst(&mut world, "once");
    assert_eq!(looks(&mut world), (0, 0));
}

#[test]
fn nobody_looks_on_a_single_processor() {
    let here = Pid::from_raw(0);
    let all = sched_getaffinity(here).unwrap();
    let first = (0..CpuSet::count()).find(|cpu| all.is_set(*cpu).unwrap()).unwrap();
    let mut one = CpuSet::new();
    one.set(first).unwrap();
    // Of this thread, and of what it starts.
    sched_setaffinity(here, &one).unwrap();
    let mut world = polling(1000);
    sched_setaffinity(here, &all).unwrap();
    burst(&mut world, "once");
    assert_eq!(looks(&mut world), (0, 0));
}

/// A single worker looks for requests itself, and is there for them.
#[test]
fn a_single_worker_looks_and_serves() {
    let mut world = started(|config| {
        config.service.busy_poll_us = 1000;
        config.service.threads = Some(1);
    });
    burst(&mut world, "once");
    let mut app = world.app(OWNER);
    app.create(world.shared("Download/served.txt"), b"served").unwrap();
    assert_eq!(app.read_all(world.shared("Download/served.txt")).unwrap(), b"served");
}
