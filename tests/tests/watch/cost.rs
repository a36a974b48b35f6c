//! What the watch costs.

use std::os::unix::ffi::OsStringExt;

use mediagate_tests::Job;

use super::*;

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
            let before = world.daemon().cpu();
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
            let used = world.daemon().cpu() - before;
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
        let before = world.daemon().cpu();
        let begin = Instant::now();
        for number in 0..COUNT {
            write(world.lower(format!("Download/{number}.txt")), b"x");
        }
        let took = begin.elapsed();
        std::thread::sleep(Duration::from_secs(2));
        let used = world.daemon().cpu() - before;
        eprintln!("{how:?}: {COUNT} files behind the mount in {took:?}, the service used {used:?}");
    }
}
