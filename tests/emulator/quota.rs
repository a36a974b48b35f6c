//! Limits of projects: no crate wraps them.
#![allow(unsafe_code, reason = "quotactl(2) with a structure of the kernel's")]

use std::ffi::CString;
use std::path::Path;

/// `PRJQUOTA` (include/uapi/linux/quota.h).
const PROJECT: libc::c_int = 2;

/// Limits what a project may hold on the file system that is mounted at `mount`.
pub(crate) fn limit(mount: &Path, project: u32, bytes: u64) {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    let device = mounts
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(_, rest)| rest.starts_with(&format!("{} ", mount.display())))
        .map(|(device, _)| CString::new(device).unwrap())
        .unwrap();
    // SAFETY: all zeroes is a value of this structure of numbers.
    let mut limits: libc::dqblk = unsafe { std::mem::zeroed() };
    limits.dqb_bhardlimit = bytes / 1024;
    limits.dqb_valid = libc::QIF_BLIMITS;
    let command = libc::QCMD(libc::Q_SETQUOTA, PROJECT);
    // SAFETY: the path ends with a NUL and the structure is the one that the command takes; both outlive the call.
    let result = unsafe {
        libc::quotactl(
            command,
            device.as_ptr(),
            project.cast_signed(),
            (&raw mut limits).cast::<libc::c_char>(),
        )
    };
    assert_eq!(result, 0, "{device:?}: {}", std::io::Error::last_os_error());
}
