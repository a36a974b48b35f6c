//! Files whose name says that there can be no location in them: the smallest number of requests that there is.

use super::*;
use mediagate_tests::Job;
use nix::sys::statfs::{EXT4_SUPER_MAGIC, TMPFS_MAGIC};

fn every_operation(kind: &str) {
    let mut world = world();
    let mut app = world.app(OWNER);
    directory(&world, &mut app, kind);
    let files = paths(&world, kind, kind);

    // The first of all opens for writing asks for a capability, and the first close(2) flushes: once for a mount.
    app.create(world.shared(format!("Download/{kind}/first.{kind}")), b"first").unwrap();

    costs(&mut world, "create, write, close", &["lookup", "create", "release"], |_| {
        for path in &files {
            app.create(path, &[b'x'; 4096]).unwrap();
        }
    });
    costs(&mut world, "the first stat after a write", &["getattr"], |_| {
        stat_each(&mut app, &files);
    });
    costs(&mut world, "a warm stat", &[], |_| {
        stat_each(&mut app, &files);
    });
    costs(&mut world, "open, read, close", &["open", "release"], |_| read_each(&mut app, &files));
    costs(&mut world, "open for writing, write, close", &["open", "release"], |_| {
        for path in &files {
            let file = app.open(path, libc::O_WRONLY).unwrap();
            app.write(file, Some(0), b"changed").unwrap();
            app.close(file);
        }
    });

    let open: Vec<u64> = files.iter().map(|path| app.open(path, libc::O_RDWR).unwrap()).collect();
    costs(&mut world, "pread, pwrite and loads and stores of a file that is open", &[], |_| {
        for file in &open {
            app.read(*file, 0, 4096).unwrap();
            app.write(*file, Some(0), &[b'y'; 4096]).unwrap();
            app.job(Job::MapWrite { file: *file, offset: 0, data: vec![b'z'; 64], sync: false }).unwrap();
            app.job(Job::MapRead { file: *file, offset: 0, length: 4096, private: false }).unwrap();
        }
    });
    let mut copy_each = || {
        for pair in open.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let job = Job::CopyRange { from, from_offset: 0, to, to_offset: 100, length: 4096 };
            assert_eq!(app.job_number(job).unwrap(), 4096);
        }
    };
    // The first asks.
    copy_each();
    let lower = nix::sys::statfs::statfs(&world.path("lower")).unwrap().filesystem_type();
    if [EXT4_SUPER_MAGIC, TMPFS_MAGIC].contains(&lower) {
        costs(&mut world, "copy_file_range where no file shares what it holds", &[], |_| copy_each());
    } else {
        println!("not looked at: copy_file_range, as the lower file system is neither ext4 nor tmpfs");
    }
    costs(&mut world, "the last close", &["release"], |_| open.iter().for_each(|file| app.close(*file)));

    let renamed = paths(&world, kind, &format!("new.{kind}"));
    costs(&mut world, "rename", &["lookup", "rename"], |_| {
        for (from, to) in files.iter().zip(&renamed) {
            app.rename(from, to).unwrap();
        }
    });
    costs(&mut world, "unlink", &["unlink"], |_| {
        renamed.iter().for_each(|path| app.unlink(path).unwrap());
    });
    let mut missing = || {
        renamed.iter().for_each(|path| assert_eq!(app.stat(path).unwrap_err().0, libc::ENOENT));
    };
    // The kernel does not take it from the unlink that there is nothing (fs/fuse/dir.c, fuse_entry_unlinked).
    costs(&mut world, "stat of a missing name", &["lookup"], |_| missing());
    costs(&mut world, "stat of a missing name, again", &[], |_| missing());
    let requests = world.daemon().requests();
    assert!(requests["xattr"] <= 1 && requests["flush"] <= 1, "{requests:?}");
}

#[test]
fn text() {
    every_operation("txt");
}

#[test]
fn a_document() {
    every_operation("pdf");
}

#[test]
fn an_app_that_may_do_everything_pays_the_same() {
    let mut world = world();
    let mut owner = world.app(OWNER);
    directory(&world, &mut owner, "shared");
    let files = paths(&world, "shared", "txt");
    files.iter().for_each(|path| owner.create(path, &[b'x'; 4096]).unwrap());
    stat_each(&mut owner, &files);
    let mut manager = world.app(MANAGER);
    costs(&mut world, "open, read, close", &["open", "release"], |_| read_each(&mut manager, &files));
}
