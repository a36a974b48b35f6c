//! More changes than can be followed.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;

/// More than `fs.fanotify.max_queued_events` and `fs.inotify.max_queued_events` usually are (16384).
const MANY: usize = 17_000;

#[test]
fn an_overflow_ends_in_a_look_at_everything() {
    for how in [WatchConfig::Fanotify, WatchConfig::Inotify] {
        let mut world = watched(how);
        let mut app = world.app(FILES);
        let download = world.shared("Download");
        let path = |name: &str| download.join(name);
        app.create(path("kept.txt"), b"kept").unwrap();
        app.create(path("gone.txt"), b"gone").unwrap();
        app.mkdir(path("old")).unwrap();
        app.create(path("old/a.txt"), b"a").unwrap();
        let open = app.open(path("kept.txt"), libc::O_RDONLY).unwrap();
        assert_eq!(size(&mut app, path("late.txt")), Err(ENOENT));
        assert_eq!(size(&mut app, path("gone.txt")), Ok(4));
        assert_eq!(size(&mut app, path("old/a.txt")), Ok(1));
        // Watched before the flood, where directories are.
        fs::create_dir(world.lower("Music/flood")).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let daemon = Pid::from_raw(world.daemon().pid().cast_signed());
        kill(daemon, Signal::SIGSTOP).unwrap();
        for number in 0..MANY {
            write(world.lower(format!("Music/flood/{number}")), b"");
        }
        // Nobody hears of these.
        write(world.lower("Download/late.txt"), b"late");
        write(world.lower("Download/kept.txt"), b"kept, and longer");
        fs::remove_file(world.lower("Download/gone.txt")).unwrap();
        fs::rename(world.lower("Download/old"), world.lower("Download/new")).unwrap();
        kill(daemon, Signal::SIGCONT).unwrap();
        in_time("what came", || size(&mut app, path("late.txt")) == Ok(4));
        in_time("what changed", || size(&mut app, path("kept.txt")) == Ok(16));
        in_time("what changed, where it is open", || app.stat_open(open).unwrap().size == 16);
        in_time("what went", || size(&mut app, path("gone.txt")) == Err(ENOENT));
        in_time("what moved", || size(&mut app, path("old/a.txt")) == Err(ENOENT));
        assert_eq!(size(&mut app, path("new/a.txt")), Ok(1));
        assert!(world.daemon().stat("watch.overflows") >= 1);
        assert!(world.daemon().stat("watch.rescans") >= 1);
        // Then it is as before.
        let begin = Instant::now();
        while world.daemon().stat("watch.volumes") != 1 {
            assert!(begin.elapsed() < Duration::from_secs(120), "the watch did not recover");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(size(&mut app, path("later.txt")), Err(ENOENT));
        write(world.lower("Download/later.txt"), b"later");
        in_time("what comes later", || size(&mut app, path("later.txt")) == Ok(5));
        fs::create_dir(world.lower("Download/new/dir")).unwrap();
        assert_eq!(size(&mut app, path("new/dir/x")), Err(ENOENT));
        std::thread::sleep(Duration::from_millis(200));
        write(world.lower("Download/new/dir/x"), b"x");
        soon("in a directory that came later", || size(&mut app, path("new/dir/x")) == Ok(1));
        settle(&mut world);
        says_what_is_there(&mut world);
    }
}
