use std::os::fd::AsFd;
use std::os::unix::fs::symlink;

use rustix::io::Errno;

use super::*;

fn tree() -> (tempfile::TempDir, Root) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("in")).unwrap();
    std::fs::create_dir(dir.path().join("in/sub")).unwrap();
    std::fs::write(dir.path().join("in/sub/file"), "inside").unwrap();
    std::fs::write(dir.path().join("outside"), "secret").unwrap();
    let root = Root::open(&dir.path().join("in"), None).unwrap();
    (dir, root)
}

#[test]
fn a_path_is_resolved_beneath_the_root() {
    let (_dir, root) = tree();
    let file = root.open_path(b"sub/file").unwrap();
    assert_eq!(Meta::of(file.as_fd()).unwrap().size, 6);
}

#[test]
fn dot_dot_and_absolute_paths_do_not_leave_the_root() {
    let (_dir, root) = tree();
    for path in [&b"../outside"[..], b"sub/../../outside", b"/etc/passwd"] {
        assert_eq!(root.open_path(path).unwrap_err(), LowerError::Escapes, "{path:?}");
    }
}

#[test]
fn a_symlink_is_never_followed_wherever_it_points() {
    let (dir, root) = tree();
    symlink("../outside", dir.path().join("in/out")).unwrap();
    symlink("sub", dir.path().join("in/alias")).unwrap();
    symlink("/proc/self/root", dir.path().join("in/magic")).unwrap();
    assert_eq!(root.open_path(b"alias/file").unwrap_err(), LowerError::Escapes);
    assert!(root.open_path(b"magic/etc").is_err());
    // The link itself can be opened with O_PATH but is nothing that is served.
    for name in [&b"out"[..], b"alias"] {
        let served = root.open_path(name).and_then(|fd| Meta::of(fd.as_fd()));
        assert!(served.is_err_and(LowerError::is_not_found), "{name:?}");
    }
    assert!(Meta::at(root.as_fd(), b"out").is_err());
    let listed = read_dir(root.open_dir_for_reading(b"").unwrap().as_fd()).unwrap();
    assert_eq!(listed.iter().map(|e| &*e.name).collect::<Vec<_>>(), [b"sub"]);
}

#[test]
fn pipes_and_sockets_are_not_served() {
    let (dir, root) = tree();
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("in/socket")).unwrap();
    nix::unistd::mkfifo(&dir.path().join("in/pipe"), nix::sys::stat::Mode::from_bits_truncate(0o600))
        .unwrap();
    assert_eq!(Meta::at(root.as_fd(), b"pipe").unwrap_err(), LowerError::NotServed);
    assert_eq!(Meta::at(root.as_fd(), b"socket").unwrap_err(), LowerError::NotServed);
}

#[test]
fn create_never_opens_what_is_there() {
    let (_dir, root) = tree();
    let sub = root.open_dir(b"sub").unwrap();
    assert_eq!(root.create(sub.as_fd(), b"file").unwrap_err(), LowerError::Os(Errno::EXIST));
    root.create(sub.as_fd(), b"new").unwrap();
    assert_eq!(Meta::at(sub.as_fd(), b"new").unwrap().mode & 0o111, 0);
}

#[test]
fn ownership_is_kept_on_the_file() {
    let (_dir, root) = tree();
    assert!(root.has_xattrs(), "the temporary directory's file system must keep user attributes");
    let file = root.open_path(b"sub/file").unwrap();
    assert_eq!(owner(file.as_fd()).unwrap(), None);
    set_owner(file.as_fd(), "com.example.a").unwrap();
    assert_eq!(owner(file.as_fd()).unwrap().as_deref(), Some("com.example.a"));
    clear_owner(file.as_fd()).unwrap();
    clear_owner(file.as_fd()).unwrap();
    assert_eq!(owner(file.as_fd()).unwrap(), None);
}

#[test]
fn a_garbled_owner_names_nobody() {
    let (_dir, root) = tree();
    let file = root.open_path(b"sub/file").unwrap();
    let link = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    for value in [&[0xff, 0xfe][..], b"", &[b'a'; 300]] {
        rustix::fs::setxattr(&link, "user.mediagate.owner", value, rustix::fs::XattrFlags::empty()).unwrap();
        assert_eq!(owner(file.as_fd()).unwrap(), None, "{value:?}");
    }
}

#[test]
fn the_id_outlives_a_rename_and_not_the_file() {
    let (_dir, root) = tree();
    let sub = root.open_dir(b"sub").unwrap();
    let before = Meta::at(sub.as_fd(), b"file").unwrap().id;
    root.rename((sub.as_fd(), b"file"), (root.as_fd(), b"moved"), true).unwrap();
    assert_eq!(Meta::at(root.as_fd(), b"moved").unwrap().id, before);
    root.unlink(root.as_fd(), b"moved").unwrap();
    root.create(sub.as_fd(), b"file").unwrap();
    assert_ne!(Meta::at(sub.as_fd(), b"file").unwrap().id, before);
}

#[test]
fn default_directories_are_made_once() {
    let (dir, root) = tree();
    root.prepare_user(b"0", &["DCIM", "Music"], 1000).unwrap();
    assert!(dir.path().join("in/0/DCIM").is_dir());
    std::fs::remove_dir(dir.path().join("in/0/DCIM")).unwrap();
    root.prepare_user(b"0", &["DCIM", "Music"], 1000).unwrap();
    assert!(!dir.path().join("in/0/DCIM").exists(), "what the user removed stays removed");
}

#[test]
fn names_of_any_bytes_work() {
    let (_dir, root) = tree();
    for name in [&[0xff, 0x80, b'\n'][..], &[b'n'; 255]] {
        root.create(root.as_fd(), name).unwrap();
        assert!(Meta::at(root.as_fd(), name).is_ok());
    }
    assert_eq!(root.create(root.as_fd(), &[b'n'; 256]).unwrap_err(), LowerError::Os(Errno::NAMETOOLONG));
}
