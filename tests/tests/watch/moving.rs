//! Renames behind the mount.

use std::fs;

use super::*;

fn exchange(one: &Path, other: &Path) {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
}

#[test]
fn a_file_is_renamed() {
    in_each_way(|world, app| {
        let (old, new) = (world.shared("Download/old.txt"), world.shared("DCIM/new.txt"));
        app.create(&old, b"content").unwrap();
        assert_eq!((size(app, &old), size(app, &new)), (Ok(7), Err(ENOENT)));
        let open = app.open(&old, libc::O_RDONLY).unwrap();
        fs::rename(world.lower("Download/old.txt"), world.lower("DCIM/new.txt")).unwrap();
        soon("the old name", || size(app, &old) == Err(ENOENT));
        soon("the new name", || size(app, &new) == Ok(7));
        assert_eq!(app.stat(&new).unwrap().ino, app.stat_open(open).unwrap().ino);
        assert_eq!(app.read(open, 0, 10).unwrap(), b"content");
    });
}

#[test]
fn a_file_is_replaced_by_a_rename() {
    in_each_way(|world, app| {
        let (path, lower) = (world.shared("Download/a.txt"), world.lower("Download/a.txt"));
        app.create(&path, b"0").unwrap();
        for round in 1..6 {
            assert_eq!(size(app, &path), Ok(round));
            let new = world.lower("Download/.new");
            write(&new, &vec![b'x'; round as usize + 1]);
            fs::rename(new, &lower).unwrap();
            soon("the new one", || size(app, &path) == Ok(round + 1));
            assert_eq!(app.read_all(&path).unwrap().len() as u64, round + 1);
        }
    });
}

#[test]
fn a_directory_is_renamed_with_all_that_is_in_it() {
    in_each_way(|world, app| {
        app.mkdir(world.shared("Download/a")).unwrap();
        app.mkdir(world.shared("Download/a/b")).unwrap();
        app.create(world.shared("Download/a/b/x.txt"), b"x").unwrap();
        let (old, new) = (world.shared("Download/a/b/x.txt"), world.shared("Music/c/b/x.txt"));
        assert_eq!((size(app, &old), size(app, &new)), (Ok(1), Err(ENOENT)));
        fs::rename(world.lower("Download/a"), world.lower("Music/c")).unwrap();
        soon("the old place", || size(app, &old) == Err(ENOENT));
        soon("the new place", || size(app, &new) == Ok(1));
        // What happens there is seen there.
        assert_eq!(size(app, world.shared("Music/c/b/y.txt")), Err(ENOENT));
        write(world.lower("Music/c/b/y.txt"), b"yy");
        soon("a new file there", || size(app, world.shared("Music/c/b/y.txt")) == Ok(2));
        // And what an app does there is where it should be.
        app.create(world.shared("Music/c/b/z.txt"), b"zzz").unwrap();
        assert_eq!(fs::read(world.lower("Music/c/b/z.txt")).unwrap(), b"zzz");
        // Out of the volume, and back.
        fs::rename(world.lower("Music/c"), world.path("out")).unwrap();
        soon("that it is out", || size(app, &new) == Err(ENOENT));
        write(world.path("out/b/x.txt"), b"changed outside");
        fs::rename(world.path("out"), world.lower("Music/c")).unwrap();
        soon("that it is back", || size(app, &new) == Ok(15));
    });
}

#[test]
fn two_directories_change_places() {
    in_each_way(|world, app| {
        for (dir, content) in [("a", &b"1"[..]), ("b", b"22")] {
            app.mkdir(world.shared(format!("Download/{dir}"))).unwrap();
            app.create(world.shared(format!("Download/{dir}/x.txt")), content).unwrap();
        }
        let lower = |name: &str| world.lower(format!("Download/{name}"));
        let sizes =
            |app: &mut Actor| ["a", "b"].map(|dir| size(app, world.shared(format!("Download/{dir}/x.txt"))));
        assert_eq!(sizes(app), [Ok(1), Ok(2)]);
        exchange(&lower("a"), &lower("b"));
        soon("exchanged", || sizes(app) == [Ok(2), Ok(1)]);
        for (from, to) in [("a", "t"), ("b", "a"), ("t", "b")] {
            fs::rename(lower(from), lower(to)).unwrap();
        }
        soon("exchanged in three steps", || sizes(app) == [Ok(1), Ok(2)]);
        assert_eq!(app.list(world.shared("Download")).unwrap(), ["a", "b"]);
    });
}

#[test]
fn a_file_becomes_a_directory_and_a_directory_a_file() {
    in_each_way(|world, app| {
        let (path, lower) = (world.shared("Download/x"), world.lower("Download/x"));
        app.create(&path, b"file").unwrap();
        assert_eq!(size(app, &path), Ok(4));
        fs::remove_file(&lower).unwrap();
        fs::create_dir(&lower).unwrap();
        write(lower.join("below"), b"below");
        soon("a directory", || size(app, path.join("below")) == Ok(5));
        fs::remove_dir_all(&lower).unwrap();
        write(&lower, b"a file");
        soon("a file", || size(app, &path) == Ok(6));
        assert_eq!(size(app, path.join("below")), Err(libc::ENOTDIR));
    });
}

/// The directory of a user, which stands in the mount's root.
#[test]
fn a_users_directory_goes_and_comes_back() {
    in_each_way(|world, app| {
        let path = world.shared("Download/a.txt");
        app.create(&path, b"a").unwrap();
        let root = world.config.volumes[0].lower.clone();
        fs::rename(root.join("0"), root.join("away")).unwrap();
        soon("gone", || size(app, &path) == Err(ENOENT));
        fs::rename(root.join("away"), root.join("0")).unwrap();
        soon("back", || size(app, &path) == Ok(1));
    });
}

/// Ids of rows stay where the whole rename was seen; the owner, which is on the file, in any case.
#[test]
fn what_an_app_owns_stays_its_own() {
    in_each_way(|world, _| {
        let mut camera = world.app(CAMERA);
        camera.create(world.shared("DCIM/a.jpg"), b"mine").unwrap();
        fs::create_dir(world.lower("DCIM/sub")).unwrap();
        fs::rename(world.lower("DCIM/a.jpg"), world.lower("DCIM/sub/b.jpg")).unwrap();
        soon("there", || camera.can_write(world.shared("DCIM/sub/b.jpg")).is_ok());
        fs::rename(world.lower("DCIM/sub"), world.lower("DCIM/bus")).unwrap();
        soon("there", || camera.can_write(world.shared("DCIM/bus/b.jpg")).is_ok());
        assert_eq!(camera.list(world.shared("DCIM/bus")).unwrap(), ["b.jpg"]);
        let mut stranger = world.app(FILES);
        assert_eq!(stranger.list(world.shared("DCIM")).unwrap(), ["bus"]);
    });
}

/// Through another mount of the same file system.
#[test]
fn changes_by_a_bind_mount() {
    use nix::mount::{MntFlags, MsFlags, mount, umount2};
    in_each_way(|world, app| {
        let other = world.path("bind");
        fs::create_dir(&other).unwrap();
        let none: Option<&str> = None;
        mount(Some(&world.lower("Download")), &other, none, MsFlags::MS_BIND, none).unwrap();
        let path = world.shared("Download/a.txt");
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            assert_eq!(size(app, &path), Err(ENOENT));
            write(other.join("a.txt"), b"bound");
            soon("made", || size(app, &path) == Ok(5));
            fs::rename(other.join("a.txt"), other.join("b.txt")).unwrap();
            soon("renamed", || size(app, &path) == Err(ENOENT));
        }));
        umount2(&other, MntFlags::MNT_DETACH).unwrap();
        seen.unwrap();
    });
}
