//! What the watch costs.

use std::fs;
use std::os::unix::ffi::OsStringExt;

use mediagate_tests::Job;

use super::*;

/// User and system time of the service so far.
fn cpu(world: &mut World) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", world.daemon().pid())).unwrap();
    let rest = stat.rsplit(')').next().unwrap();
    // utime and stime, in ticks of 10 ms.
    let ticks: u64 = rest.split_whitespace().skip(11).take(2).map(|it| it.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// Ten thousand creates and removes through the mount, with each way to watch and with none.
#[test]
#[ignore = "measures"]
fn of_creating_through_the_mount() {
    const COUNT: usize = 10_000;
    for round in 0..3 {
        for how in [WatchConfig::Off, WatchConfig::Fanotify, WatchConfig::Inotify] {
            let mut world = watched(how);
            let mut app = world.app(FILES);
            let dir = world.shared("Download/many");
            app.mkdir(&dir).unwrap();
            let before = cpu(&mut world);
            let begin = Instant::now();
            app.job(Job::CreateMany {
                dir: dir.clone().into_os_string().into_vec(),
                prefix: "letter".into(),
                suffix: ".txt".into(),
                count: COUNT,
            })
            .unwrap();
            let took = begin.elapsed();
            std::thread::sleep(Duration::from_millis(500));
            let used = cpu(&mut world) - before;
            eprintln!("round {round} {how:?}: {COUNT} creates in {took:?}, the service used {used:?}");
        }
    }
}

/// Files that a host process makes behind the mount.
#[test]
#[ignore = "measures"]
fn of_creating_behind_the_mount() {
    const COUNT: usize = 10_000;
    for how in [WatchConfig::Off, WatchConfig::Fanotify, WatchConfig::Inotify] {
        let mut world = watched(how);
        let before = cpu(&mut world);
        let begin = Instant::now();
        for number in 0..COUNT {
            write(world.lower(format!("Download/{number}.txt")), b"x");
        }
        let took = begin.elapsed();
        std::thread::sleep(Duration::from_secs(2));
        let used = cpu(&mut world) - before;
        eprintln!("{how:?}: {COUNT} files behind the mount in {took:?}, the service used {used:?}");
    }
}
