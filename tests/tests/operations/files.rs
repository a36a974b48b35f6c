//! Reading, writing and what else open files are for. Each check runs twice: on a volume with passthrough, and on one
//! where the daemon serves everything.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;

use mediagate_tests::{Package, World, as_app};
use rustix::fs::{FallocateFlags, SeekFrom as Whence, copy_file_range, fallocate, seek};
use rustix::io::Errno;

use crate::APP;

/// Runs `check` with a directory in the mount, as the app.
fn both_ways(check: fn(PathBuf)) {
    for passthrough in [true, false] {
        let mut world = World::new(&[Package::new("com.example.app", APP)]);
        world.config.volumes[0].passthrough = passthrough;
        world.start();
        let dir = world.shared("Download");
        as_app(APP, move || check(dir));
        let by_daemon = world.daemon().stat("fuse.requests.write");
        assert_eq!(by_daemon == 0, passthrough, "{by_daemon} writes came to the daemon");
        assert_eq!(world.daemon().stat("fuse.panics"), 0);
    }
}

fn new(path: PathBuf) -> File {
    File::options().read(true).write(true).create_new(true).open(path).unwrap()
}

#[test]
fn read_write_seek_append_truncate() {
    both_ways(|dir| {
        let path = dir.join("a.bin");
        let mut file = new(path.clone());
        file.write_all(b"0123456789").unwrap();
        file.seek(SeekFrom::Start(2)).unwrap();
        file.write_all(b"ab").unwrap();
        file.write_all_at(b"tail", 20).unwrap();
        assert_eq!(file.seek(SeekFrom::End(-4)).unwrap(), 20);
        assert_eq!(fs::read(&path).unwrap(), b"01ab456789\0\0\0\0\0\0\0\0\0\0tail");
        assert_eq!(fs::metadata(&path).unwrap().len(), 24);

        let mut append = File::options().append(true).open(&path).unwrap();
        append.write_all(b"1").unwrap();
        file.write_all_at(b"2", 25).unwrap();
        append.write_all(b"3").unwrap();
        assert_eq!(&fs::read(&path).unwrap()[24..], b"123");

        file.set_len(3).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"01a");
        nix::unistd::truncate(&path, 5).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"01a\0\0");
        drop(File::create(&path).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        assert_eq!(file.read_at(&mut [0; 8], 0).unwrap(), 0);
        // Past every end.
        assert_eq!(file.read_at(&mut [0; 8], 1 << 40).unwrap(), 0);
        let read_only = File::open(&path).unwrap();
        assert_eq!(crate::errno(read_only.write_at(b"x", 0)), libc::EBADF);
        assert_eq!(crate::errno(read_only.set_len(9)), libc::EINVAL);
    });
}

#[test]
fn sparse_files_and_fallocate() {
    both_ways(|dir| {
        let file = new(dir.join("a.bin"));
        file.write_all_at(b"x", 0).unwrap();
        file.write_all_at(b"y", 1 << 20).unwrap();
        assert_eq!(seek(&file, Whence::Data(0)).unwrap(), 0);
        let hole = seek(&file, Whence::Hole(0)).unwrap();
        assert!(hole < 1 << 20, "{hole}");
        assert_eq!(seek(&file, Whence::Data(hole)).unwrap(), 1 << 20);
        assert_eq!(seek(&file, Whence::Data(1 << 30)).unwrap_err(), Errno::NXIO);

        fallocate(&file, FallocateFlags::empty(), 0, 2 << 20).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 2 << 20);
        fallocate(&file, FallocateFlags::KEEP_SIZE, 0, 4 << 20).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 2 << 20);
        let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        fallocate(&file, punch, 0, 4096).unwrap();
        let mut first = [1];
        file.read_exact_at(&mut first, 0).unwrap();
        assert_eq!(first, [0]);
        fallocate(&file, FallocateFlags::ZERO_RANGE, 1 << 20, 4096).unwrap();
        file.read_exact_at(&mut first, 1 << 20).unwrap();
        assert_eq!(first, [0]);
        let read_only = File::open(dir.join("a.bin")).unwrap();
        assert_eq!(fallocate(&read_only, FallocateFlags::empty(), 0, 1).unwrap_err(), Errno::BADF);
    });
}

#[test]
fn copies_within_and_out() {
    both_ways(|dir| {
        let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        let (from, to) = (new(dir.join("from.bin")), new(dir.join("to.bin")));
        from.write_all_at(&content, 0).unwrap();
        let (mut at, mut into) = (1000, 5);
        let mut left = content.len() - 1000;
        while left > 0 {
            let copied = copy_file_range(&from, Some(&mut at), &to, Some(&mut into), left).unwrap();
            assert!(copied > 0);
            left -= copied;
        }
        let copy = fs::read(dir.join("to.bin")).unwrap();
        assert_eq!((&copy[..5], &copy[5..]), (&[0; 5][..], &content[1000..]));
        // sendfile(2) and splice(2) stand behind these.
        assert_eq!(fs::copy(dir.join("from.bin"), dir.join("again.bin")).unwrap(), content.len() as u64);
        assert_eq!(fs::read(dir.join("again.bin")).unwrap(), content);
        let mut piped = Vec::new();
        File::open(dir.join("again.bin")).unwrap().read_to_end(&mut piped).unwrap();
        assert_eq!(piped, content);
    });
}

#[test]
fn syncs() {
    both_ways(|dir| {
        let mut file = new(dir.join("a.bin"));
        file.write_all(b"x").unwrap();
        file.sync_data().unwrap();
        file.sync_all().unwrap();
        File::open(dir.join("a.bin")).unwrap().sync_all().unwrap();
        File::open(&dir).unwrap().sync_all().unwrap();
        File::open(&dir).unwrap().sync_data().unwrap();
        rustix::fs::syncfs(&file).unwrap();
        let mut synchronous =
            File::options().write(true).custom_flags(libc::O_SYNC).open(dir.join("a.bin")).unwrap();
        synchronous.write_all(b"y").unwrap();
        assert_eq!(fs::read(dir.join("a.bin")).unwrap(), b"y");
    });
}

/// An open file stays what it was: renamed, removed, or replaced.
#[test]
fn open_files_outlive_their_names() {
    both_ways(|dir| {
        let path = dir.join("a.bin");
        let file = new(path.clone());
        file.write_all_at(b"one", 0).unwrap();
        fs::rename(&path, dir.join("b.bin")).unwrap();
        file.write_all_at(b"two", 3).unwrap();
        assert_eq!(fs::read(dir.join("b.bin")).unwrap(), b"onetwo");
        fs::write(dir.join("c.bin"), b"other").unwrap();
        fs::rename(dir.join("c.bin"), dir.join("b.bin")).unwrap();
        assert_eq!(fs::read(dir.join("b.bin")).unwrap(), b"other");
        fs::remove_file(dir.join("b.bin")).unwrap();
        file.write_all_at(b"three", 6).unwrap();
        file.set_len(8).unwrap();
        let mut held = vec![0; 8];
        file.read_exact_at(&mut held, 0).unwrap();
        assert_eq!(held, b"onetwoth");
        let meta = file.metadata().unwrap();
        assert_eq!(meta.len(), 8);
        // What programs do to temporary files that they have unlinked.
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        file.set_modified(at).unwrap();
        assert_eq!(file.metadata().unwrap().modified().unwrap(), at);
        file.set_permissions(meta.permissions()).unwrap();
        file.sync_all().unwrap();
        let link =
            format!("/proc/self/task/{}/fd/{}", rustix::thread::gettid().as_raw_nonzero(), file.as_raw_fd());
        assert_eq!(fs::read(link).unwrap(), b"onetwoth");
        assert!(fs::read_dir(&dir).unwrap().next().is_none());
    });
}
