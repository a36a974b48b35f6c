//! Reading through an io_uring.
#![allow(unsafe_code, reason = "what the kernel writes to by itself has no safe wrapper")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use io_uring::{IoUring, opcode, types};

/// `IORING_OP_READ` of `length` bytes from `offset`.
pub fn read(file: BorrowedFd<'_>, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut data = vec![0; length];
    let mut ring = IoUring::new(2)?;
    let size = u32::try_from(length).map_err(io::Error::other)?;
    let read = opcode::Read::new(types::Fd(file.as_raw_fd()), data.as_mut_ptr(), size).offset(offset);
    // SAFETY: `data` and `file` outlive the request: it is waited for before either goes.
    unsafe { ring.submission().push(&read.build()) }.map_err(io::Error::other)?;
    ring.submit_and_wait(1)?;
    let done = ring.completion().next().ok_or_else(|| io::Error::other("nothing completed"))?.result();
    let n = usize::try_from(done).map_err(|_| io::Error::from_raw_os_error(-done))?;
    data.truncate(n);
    Ok(data)
}
