//! File handles, the system calls that open without a name.
#![allow(unsafe_code, reason = "no crate wraps these system calls")]

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use mediagate_tests::as_app;

use crate::{CAMERA, OTHER, is_well, world};

/// `struct file_handle` with room for any handle.
#[repr(C)]
struct Handle {
    bytes: u32,
    kind: i32,
    data: [u8; 128],
}

/// `name_to_handle_at(2)`, then `open_by_handle_at(2)` beneath `path`'s own mount; the first error.
fn reopen(path: &Path) -> std::io::Result<()> {
    let name = CString::new(path.as_os_str().as_bytes()).unwrap();
    let mut handle = Handle { bytes: 128, kind: 0, data: [0; 128] };
    let mut mount = 0_i32;
    let handle = &raw mut handle;
    // SAFETY: the name ends in NUL, and the handle has the room that it says.
    let named = unsafe {
        libc::syscall(libc::SYS_name_to_handle_at, libc::AT_FDCWD, name.as_ptr(), handle, &raw mut mount, 0)
    };
    if named < 0 {
        return Err(std::io::Error::last_os_error());
    }
    let dir = std::fs::File::open(path.parent().unwrap())?;
    // SAFETY: the kernel wrote the handle that it reads here.
    let opened = unsafe {
        let dir = std::os::fd::AsRawFd::as_raw_fd(&dir);
        libc::syscall(libc::SYS_open_by_handle_at, dir, handle, libc::O_RDONLY)
    };
    if opened < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

#[test]
fn apps_cannot_open_by_handle() {
    let mut world = world();
    let photo = world.shared("DCIM/a.jpg");
    let path = photo.clone();
    as_app(CAMERA, move || std::fs::write(path, b"x").unwrap());
    for uid in [CAMERA, OTHER] {
        let photo = photo.clone();
        // It takes CAP_DAC_READ_SEARCH.
        as_app(uid, move || assert_eq!(reopen(&photo).unwrap_err().raw_os_error(), Some(libc::EPERM)));
    }
    is_well(&mut world);
}
