//! What tells one file system from another one that is mounted at the same place: a card's own number.
#![allow(unsafe_code)] // Two ioctls that no crate wraps.

use std::fmt::Write as _;
use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::ioctl::{Getter, ioctl, opcode};

/// `FS_IOC_GETFSUUID` (include/uapi/linux/fs.h, since Linux 6.9).
const GET_UUID: rustix::ioctl::Opcode = opcode::read::<Uuid>(0x15, 0);
/// `FAT_IOCTL_GET_VOLUME_ID` (include/uapi/linux/msdos_fs.h).
const GET_FAT_ID: rustix::ioctl::Opcode = opcode::read::<u32>(b'r', 0x13);

/// Longer than any name of a disk.
const LONGEST: usize = 256;

/// `struct fsuuid2`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Uuid {
    length: u8,
    bytes: [u8; 16],
}

/// The file system's own number, as text; where it has none or the kernel does not tell (before Linux 6.9, but for FAT),
/// that of the disk it is on. `None` where that is not known, either.
pub(super) fn marker(dir: BorrowedFd<'_>) -> Option<String> {
    number(dir).or_else(|| {
        let dev = rustix::fs::fstat(dir).ok()?.st_dev;
        disk(Path::new("/sys/dev/block"), rustix::fs::major(dev), rustix::fs::minor(dev))
    })
}

/// What the maker of the disk has given it, and the number of the partition (Documentation/ABI/testing/sysfs-block; `cid` of SD
/// cards: drivers/mmc/core/sd.c).
fn disk(sysfs: &Path, major: u32, minor: u32) -> Option<String> {
    let device = sysfs.join(format!("{major}:{minor}")).canonicalize().ok()?;
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path).ok()?;
        let text = text.trim();
        (!text.is_empty() && text.len() <= LONGEST).then(|| text.to_owned())
    };
    let partition = read(&device.join("partition"));
    let whole = if partition.is_some() { device.parent()? } else { &device };
    let name = ["device/cid", "device/wwid", "wwid", "device/serial", "serial"];
    let number = name.iter().find_map(|name| read(&whole.join(name)))?;
    Some(format!("disk {number} {}", partition.as_deref().unwrap_or("0")))
}

fn number(dir: BorrowedFd<'_>) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_without_a_number_is_told_by_its_disk() {
        let sysfs = tempfile::tempdir().unwrap();
        let at = |path: &str| sysfs.path().join(path);
        for (path, text) in [
            ("devices/mmcblk1/device/cid", Some("275048534431364760d1b2f5a1013b00\n")),
            ("devices/mmcblk1/mmcblk1p2/partition", Some("2\n")),
            ("devices/sda/device/wwid", Some("  naa.5000c500a1b2c3d4\n")),
            ("devices/loop0/queue", None),
        ] {
            std::fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            text.iter().for_each(|text| std::fs::write(at(path), text).unwrap());
        }
        std::fs::create_dir(at("block")).unwrap();
        for (number, path) in
            [("179:0", "mmcblk1"), ("179:2", "mmcblk1/mmcblk1p2"), ("8:0", "sda"), ("7:0", "loop0")]
        {
            std::os::unix::fs::symlink(at("devices").join(path), at("block").join(number)).unwrap();
        }
        let found = |major, minor| disk(&at("block"), major, minor);
        assert_eq!(found(179, 0).unwrap(), "disk 275048534431364760d1b2f5a1013b00 0");
        assert_eq!(found(179, 2).unwrap(), "disk 275048534431364760d1b2f5a1013b00 2");
        assert_eq!(found(8, 0).unwrap(), "disk naa.5000c500a1b2c3d4 0");
        assert_eq!((found(7, 0), found(9, 9)), (None, None));
    }
}
