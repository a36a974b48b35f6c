//! Other lower file systems than the one of the temporary directory.

use std::path::{Path, PathBuf};

use mediagate_tests::World;
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::exercise::{Can, exercise};
use super::{apps, world};

/// A mount of the test's own, taken away in the end. Declared before the world that uses it, so that it goes after.
struct Mount(PathBuf);

impl Mount {
    fn new(kind: &str, path: &Path, options: &str) -> Mount {
        mount(Some(kind), path, Some(kind), MsFlags::empty(), Some(options))
            .unwrap_or_else(|error| panic!("this test mounts {kind}, and the kernel said {error}"));
        Mount(path.to_owned())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        umount2(&self.0, MntFlags::MNT_DETACH).unwrap();
    }
}

/// A directory for mounts; the world whose lower directory is there; the mounts.
fn over(kind: &str, options: &str) -> (World, Mount, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for name in ["lower", "upper", "work", "merged"] {
        std::fs::create_dir(at(name)).unwrap();
    }
    let options = options.replace("DIR", dir.path().to_str().unwrap());
    let mounted = Mount::new(kind, &at("merged"), &options);
    let mut world = world();
    world.config.volumes[0].lower = at("merged");
    (world, mounted, dir)
}

#[test]
fn on_overlayfs() {
    let (mut world, _mounted, dir) =
        over("overlay", "lowerdir=DIR/lower,upperdir=DIR/upper,workdir=DIR/work");
    // A file of the overlay's lower layer: the first open for writing copies it up.
    std::fs::create_dir_all(dir.path().join("lower/0/Download")).unwrap();
    std::fs::write(dir.path().join("lower/0/Download/old.txt"), "from below").unwrap();
    world.start();
    exercise(&world, Can { passthrough: true, direct: true });
    assert!(world.daemon().stat("open.passthrough") > 0);
    assert_eq!(world.daemon().stat("open.daemon"), 0, "stacked, and passed through all the same");
    let (_, mut reader) = apps(&world);
    let old = world.shared("Download/old.txt");
    assert_eq!(reader.read_all(&old).unwrap(), b"from below");
    let file = reader.open(&old, libc::O_RDWR).unwrap();
    reader.write(file, Some(5), b"BELOW").unwrap();
    assert_eq!(reader.read(file, 0, 100).unwrap(), b"from BELOW");
    reader.close(file);
    assert_eq!(reader.read_all(&old).unwrap(), b"from BELOW");
    assert_eq!(std::fs::read(world.lower("Download/old.txt")).unwrap(), b"from BELOW");
    ownership_outlives_the_catalog(&mut world);
}

#[test]
fn on_tmpfs() {
    let (mut world, _mounted, _dir) = over("tmpfs", "size=64m");
    world.start();
    exercise(&world, Can { passthrough: true, direct: true });
    assert_eq!(world.daemon().stat("open.daemon"), 0);
    ownership_outlives_the_catalog(&mut world);
}

/// Who may read a file that only its owner may read.
fn owner_only(world: &World) {
    let mut owner = world.app(super::WRITER);
    assert_eq!(owner.read_all(world.shared("Download/mine.bin")).unwrap(), b"mine");
    let mut stranger = world.app(super::STRANGER);
    assert_eq!(stranger.read_all(world.shared("Download/mine.bin")).unwrap_err().0, libc::EACCES);
}

fn ownership_outlives_the_catalog(world: &mut World) {
    world.app(super::WRITER).create(world.shared("Download/mine.bin"), b"mine").unwrap();
    owner_only(world);
    world.daemon().stop(nix::sys::signal::Signal::SIGTERM);
    std::fs::remove_dir_all(&world.config.service.state_dir).unwrap();
    world.start();
    owner_only(world);
}

/// ramfs keeps no user attributes, as vfat and exfat do not: the catalog alone knows the owners.
#[test]
fn where_files_cannot_say_who_owns_them_the_catalog_does() {
    let (mut world, _mounted, dir) = over("ramfs", "");
    world.start();
    let (mut writer, mut reader) = apps(&world);
    writer.create(world.shared("Download/mine.bin"), b"mine").unwrap();
    writer.create(world.shared("Download/draft.bin"), b"a draft").unwrap();
    writer.rename(world.shared("Download/draft.bin"), world.shared("Download/final.bin")).unwrap();
    reader.create(world.shared("Download/theirs.bin"), b"theirs").unwrap();
    let all = ["final.bin", "mine.bin"];
    assert_eq!(writer.list(world.shared("Download")).unwrap(), all);
    owner_only(&world);

    // Killed, not stopped: the row was there before the create was answered.
    writer.create(world.shared("Download/last.bin"), b"last").unwrap();
    world.daemon().stop(nix::sys::signal::Signal::SIGKILL);
    world.start();
    let all = ["final.bin", "last.bin", "mine.bin"];
    owner_only(&world);
    assert_eq!(writer.list(world.shared("Download")).unwrap(), all);
    world.daemon().wait_until_indexed();
    assert_eq!(writer.list(world.shared("Download")).unwrap(), all);
    assert_eq!(writer.read_all(world.shared("Download/theirs.bin")).unwrap_err().0, libc::EACCES);

    // Taken out and put in again: vfat makes up new inode numbers then (fs/fat/inode.c, iunique).
    world.daemon().stop(nix::sys::signal::Signal::SIGTERM);
    let merged = dir.path().join("merged");
    let again = dir.path().join("again");
    std::fs::create_dir(&again).unwrap();
    let _second = Mount::new("ramfs", &again, "");
    let copied =
        std::process::Command::new("cp").arg("-a").arg(merged.join("0")).arg(&again).status().unwrap();
    assert!(copied.success());
    world.config.volumes[0].lower = again;
    world.start();
    owner_only(&world);
    assert_eq!(writer.list(world.shared("Download")).unwrap(), all);
    world.daemon().wait_until_indexed();
    assert_eq!(writer.list(world.shared("Download")).unwrap(), all);
    assert_eq!(writer.read_all(world.shared("Download/last.bin")).unwrap(), b"last");
    assert_eq!(writer.read_all(world.shared("Download/theirs.bin")).unwrap_err().0, libc::EACCES);
    writer.unlink(world.shared("Download/last.bin")).unwrap();
    writer.rename(world.shared("Download/mine.bin"), world.shared("Download/moved.bin")).unwrap();
    assert_eq!(writer.list(world.shared("Download")).unwrap(), ["final.bin", "moved.bin"]);
}
