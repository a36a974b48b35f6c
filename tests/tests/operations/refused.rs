//! What shared storage does not offer.

use std::fs;

use mediagate_tests::as_app;
use rustix::fs::{CWD, Dev, FileType, Mode, XattrFlags, mknodat};
use rustix::io::Errno;

use crate::{APP, errno, world};

#[test]
fn no_links() {
    let world = world();
    let dcim = world.shared("DCIM");
    for uid in [APP, 0] {
        let dcim = dcim.clone();
        as_app(uid, move || {
            let path = dcim.join(format!("{uid}.jpg"));
            fs::write(&path, b"x").unwrap();
            assert_eq!(errno(std::os::unix::fs::symlink("/etc/passwd", dcim.join("l"))), libc::EPERM);
            assert_eq!(errno(fs::hard_link(&path, dcim.join("h.jpg"))), libc::EPERM);
            assert_eq!(errno(fs::read_link(&path)), libc::EINVAL);
        });
    }
    assert_eq!(fs::read_dir(world.lower("DCIM")).unwrap().count(), 2);
}

#[test]
fn no_extended_attributes() {
    let mut world = world();
    let path = world.shared("DCIM/a.jpg");
    for uid in [APP, 0] {
        let path = path.clone();
        as_app(uid, move || {
            fs::write(&path, b"x").unwrap();
            for name in ["user.mediagate.owner", "user.x"] {
                let no = Errno::OPNOTSUPP;
                assert_eq!(
                    rustix::fs::setxattr(&path, name, b"1", XattrFlags::empty()).unwrap_err(),
                    no,
                    "{name}"
                );
                assert_eq!(rustix::fs::getxattr(&path, name, &mut [0; 64]).unwrap_err(), no, "{name}");
                assert_eq!(rustix::fs::removexattr(&path, name).unwrap_err(), no, "{name}");
            }
            assert_eq!(rustix::fs::listxattr(&path, &mut [0_u8; 64]).unwrap_err(), Errno::OPNOTSUPP);
        });
    }
    assert!(world.daemon().stat("fuse.requests.xattr") <= 4, "the kernel asks once");
}

/// `mknod` is a create, and makes nothing but regular files.
#[test]
fn mknod_makes_files_that_may_be_created() {
    let world = world();
    let (dcim, lower) = (world.shared("DCIM"), world.lower("DCIM"));
    as_app(APP, move || {
        let mknod = |name: &str, kind, device| {
            mknodat(CWD, dcim.join(name), kind, Mode::from_raw_mode(0o666), Dev::from(device))
        };
        mknod("a.jpg", FileType::RegularFile, 0_u32).unwrap();
        fs::write(dcim.join("a.jpg"), b"mine").unwrap();
        assert_eq!(mknod("a.jpg", FileType::RegularFile, 0).unwrap_err(), Errno::EXIST);
        // DCIM takes pictures and videos.
        assert_eq!(mknod("a.pdf", FileType::RegularFile, 0).unwrap_err(), Errno::PERM);
        assert_eq!(mknod("../a.jpg", FileType::RegularFile, 0).unwrap_err(), Errno::PERM);
        for kind in [FileType::Fifo, FileType::Socket, FileType::CharacterDevice, FileType::BlockDevice] {
            assert_eq!(mknod("b.jpg", kind, 0x103).unwrap_err(), Errno::PERM, "{kind:?}");
        }
        assert_eq!(errno(std::os::unix::net::UnixListener::bind(dcim.join("c.jpg"))), libc::EPERM);
    });
    let path = world.shared("DCIM/root.jpg");
    as_app(0, move || {
        let fifo = mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o666), Dev::from(0_u32));
        assert_eq!(fifo.unwrap_err(), Errno::PERM);
    });
    let mut value = [0; 64];
    let length = rustix::fs::getxattr(lower.join("a.jpg"), "user.mediagate.owner", &mut value).unwrap();
    assert_eq!(&value[..length], b"com.example.app");
    assert_eq!(fs::read_dir(lower).unwrap().count(), 1);
}
