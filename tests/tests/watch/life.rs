//! Where nothing can be watched, and the end of a watch.

use std::fs;

use super::*;

#[test]
fn without_a_watch_the_kernel_asks_every_second() {
    let mut world = watched(WatchConfig::Off);
    assert_eq!(watching(&mut world), "off: by configuration");
    assert_eq!(world.daemon().stat("watch.volumes"), 0);
    let mut app = world.app(FILES);
    let path = world.shared("Download/a.txt");
    assert_eq!(size(&mut app, &path), Err(ENOENT));
    write(world.lower("Download/a.txt"), b"a");
    std::thread::sleep(LONGER);
    assert_eq!(size(&mut app, &path), Ok(1));
    write(world.lower("Download/a.txt"), b"longer");
    std::thread::sleep(LONGER);
    assert_eq!(size(&mut app, &path), Ok(6));
}

#[test]
fn dump_says_what_watches() {
    let mut world = watched(WatchConfig::Auto);
    assert!(world.daemon().cli(&["dump"]).contains("watch=\"fanotify\""));
    assert_eq!(world.daemon().stat("watch.volumes"), 1);
}

/// Threads of the service that are called so.
fn threads(world: &mut World, name: &str) -> usize {
    let tasks = fs::read_dir(format!("/proc/{}/task", world.daemon().pid())).unwrap();
    tasks
        .filter(|task| {
            let comm = task.as_ref().unwrap().path().join("comm");
            fs::read_to_string(comm).unwrap_or_default().trim() == name
        })
        .count()
}

/// Descriptors of the service of such a kind.
pub(super) fn queues(world: &mut World) -> usize {
    let fds = fs::read_dir(format!("/proc/{}/fd", world.daemon().pid())).unwrap();
    fds.filter(|fd| {
        let link = fs::read_link(fd.as_ref().unwrap().path()).unwrap_or_default();
        link.to_string_lossy().contains("notify")
    })
    .count()
}

/// On a file system of its own, which can be unmounted once nothing watches it.
#[test]
fn a_detached_volume_leaves_nothing_behind() {
    use nix::mount::{MntFlags, MsFlags, mount, umount2};
    for how in [WatchConfig::Fanotify, WatchConfig::Inotify] {
        let mut world = watched(WatchConfig::Off);
        let lower = world.path("tmpfs");
        fs::create_dir(&lower).unwrap();
        let none: Option<&str> = None;
        mount(Some("tmpfs"), &lower, Some("tmpfs"), MsFlags::empty(), none).unwrap();
        let (before, before_queues) = (threads(&mut world, "watch"), queues(&mut world));
        let mount_point = world.path("mnt-tmpfs");
        let word = if how == WatchConfig::Fanotify { "fanotify" } else { "inotify" };
        let (lower_text, mount_text) = (lower.to_str().unwrap(), mount_point.to_str().unwrap());
        let attach =
            ["volume", "attach", "tmp", "--kind", "public", "--lower", lower_text, "--mount", mount_text];
        for _ in 0..3 {
            world.daemon().cli(&[&attach[..], &["--watch", word]].concat());
            // A thread gives itself its name once it runs.
            soon("a watch", || threads(&mut world, "watch") == before + 1);
            let mut app = world.app(FILES);
            assert_eq!(size(&mut app, mount_point.join("a")), Err(ENOENT));
            assert_eq!(size(&mut app, mount_point.join("Download/a")), Err(ENOENT));
            write(lower.join("a"), b"a");
            // What is missing in the root of a volume is asked for again after a second in any case.
            std::thread::sleep(LONGER);
            assert_eq!(size(&mut app, mount_point.join("a")), Ok(1));
            fs::create_dir_all(lower.join("Download")).unwrap();
            write(lower.join("Download/a"), b"ab");
            soon("below", || size(&mut app, mount_point.join("Download/a")) == Ok(2));
            fs::remove_file(lower.join("Download/a")).unwrap();
            fs::remove_file(lower.join("a")).unwrap();
            soon("gone", || size(&mut app, mount_point.join("a")) == Err(ENOENT));
            world.daemon().cli(&["volume", "detach", "tmp"]);
            assert_eq!(threads(&mut world, "watch"), before);
            assert_eq!(queues(&mut world), before_queues);
        }
        // EBUSY, if anything held it.
        let unmounted = umount2(&lower, MntFlags::empty());
        let _ = umount2(&lower, MntFlags::MNT_DETACH);
        unmounted.unwrap();
    }
}

/// A FUSE file system may change without this kernel knowing of it.
#[test]
fn a_lower_tree_that_is_a_mount_of_ours_is_not_trusted() {
    let mut world = watched(WatchConfig::Auto);
    let second = world.path("second");
    let lower = world.shared("Download");
    let added = world.daemon().try_cli(&[
        "volume",
        "attach",
        "stacked",
        "--kind",
        "public",
        "--lower",
        lower.to_str().unwrap(),
        "--mount",
        second.to_str().unwrap(),
    ]);
    // Volumes may not overlap: nothing is served that cannot be watched.
    assert!(!added.status.success());
    assert_eq!(world.daemon().stat("watch.volumes"), 1);
}
