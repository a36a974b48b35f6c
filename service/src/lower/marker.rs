//! What tells one file system from another one that is mounted at the same place: a card's own number.
#![allow(unsafe_code)] // Two ioctls that no crate wraps.

use std::fmt::Write as _;
use std::os::fd::BorrowedFd;

use rustix::ioctl::{Getter, ioctl, opcode};

/// `FS_IOC_GETFSUUID` (include/uapi/linux/fs.h, since Linux 6.9).
const GET_UUID: rustix::ioctl::Opcode = opcode::read::<Uuid>(0x15, 0);
/// `FAT_IOCTL_GET_VOLUME_ID` (include/uapi/linux/msdos_fs.h).
const GET_FAT_ID: rustix::ioctl::Opcode = opcode::read::<u32>(b'r', 0x13);

/// `struct fsuuid2`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Uuid {
    length: u8,
    bytes: [u8; 16],
}

/// The file system's own number, as text; `None` where it has none or the kernel does not tell.
pub(super) fn marker(dir: BorrowedFd<'_>) -> Option<String> {
    // SAFETY: the kernel writes one __u32, into memory that `Getter` holds for it (fs/fat/dir.c, fat_dir_ioctl). Other file
    // systems do not know the number of the request and write nothing.
    let fat = unsafe { ioctl(dir, Getter::<GET_FAT_ID, u32>::new()) };
    if let Ok(id) = fat {
        return Some(format!("fat {:04X}-{:04X}", id >> 16, id & 0xffff));
    }
    // SAFETY: the kernel writes one `struct fsuuid2`, of which `Uuid` has the layout (fs/ioctl.c, ioctl_getfsuuid).
    let uuid = unsafe { ioctl(dir, Getter::<GET_UUID, Uuid>::new()) }.ok()?;
    let bytes = uuid.bytes.get(..usize::from(uuid.length))?;
    bytes.iter().any(|byte| *byte != 0).then(|| {
        bytes.iter().fold("uuid ".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    })
}
