//! A client of the binder driver that knows include/uapi/linux/android/binder.h and nothing else: no code of the service's,
//! nor of the library that it is built with.
#![allow(unsafe_code, reason = "ioctls and a mapping of the driver's")]

use std::fs::File;
use std::num::NonZeroUsize;
use std::os::fd::AsRawFd;

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

const DEVICE: &str = "/dev/binderfs/binder";
/// The service manager's handle.
pub(crate) const MANAGER: u32 = 0;
/// Where the method codes of an interface begin (`FIRST_CALL_TRANSACTION`).
pub(crate) const FIRST: u32 = 1;
/// `PING_TRANSACTION` and `INTERFACE_TRANSACTION`, which every object answers.
pub(crate) const PING: u32 = u32::from_be_bytes(*b"_PNG");
pub(crate) const INTERFACE: u32 = u32::from_be_bytes(*b"_NTF");
/// `TF_ONE_WAY`; `TF_STATUS_CODE` on a reply; `TF_ACCEPT_FDS`.
pub(crate) const ONE_WAY: u32 = 1;
const STATUS: u32 = 8;
const ACCEPT_FDS: u32 = 16;

/// `struct binder_write_read`.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct WriteRead {
    write_size: u64,
    write_consumed: u64,
    write_buffer: u64,
    read_size: u64,
    read_consumed: u64,
    read_buffer: u64,
}

nix::ioctl_readwrite!(write_read, b'b', 1, WriteRead);
nix::ioctl_readwrite!(version, b'b', 9, i32);

/// The kind, number and size of a command are in it, as in an ioctl's number (include/uapi/asm-generic/ioctl.h).
const fn command(kind: u8, number: u32, size: u32, direction: u32) -> u32 {
    direction << 30 | size << 16 | (kind as u32) << 8 | number
}
const TO_DRIVER: u32 = 1;
const FROM_DRIVER: u32 = 2;
const TRANSACTION_SIZE: u32 = 64;
const BC_TRANSACTION: u32 = command(b'c', 0, TRANSACTION_SIZE, TO_DRIVER);
const BC_FREE_BUFFER: u32 = command(b'c', 3, 8, TO_DRIVER);
const BC_ACQUIRE: u32 = command(b'c', 5, 4, TO_DRIVER);
const BR_REPLY: u32 = command(b'r', 3, TRANSACTION_SIZE, FROM_DRIVER);
const BR_DEAD_REPLY: u32 = command(b'r', 5, 0, 0);
const BR_TRANSACTION_COMPLETE: u32 = command(b'r', 6, 0, 0);
const BR_FAILED_REPLY: u32 = command(b'r', 17, 0, 0);

/// What became of a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The object's answer.
    Reply(Vec<u8>),
    /// The object, or the library around it, refused with this `status_t`.
    Status(i32),
    /// A one-way transaction is on its way.
    Sent,
    /// The driver did not deliver it.
    Failed,
    /// Nobody is there.
    Dead,
}

/// The driver, opened: to it, a process of its own.
#[derive(Debug)]
pub(crate) struct Driver {
    file: File,
    buffer: std::ptr::NonNull<libc::c_void>,
    size: NonZeroUsize,
}

// SAFETY: the mapping is read only, by `&self`, and goes with the value.
unsafe impl Send for Driver {}

impl Driver {
    /// Opens it; answers find room in `size` bytes.
    pub(crate) fn open(size: usize) -> Driver {
        let file = File::options().read(true).write(true).open(DEVICE).unwrap();
        let mut found = 0;
        // SAFETY: the command writes one i32.
        unsafe { version(file.as_raw_fd(), &raw mut found) }.unwrap();
        assert_eq!(found, 8, "BINDER_CURRENT_PROTOCOL_VERSION");
        let size = NonZeroUsize::new(size).unwrap();
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let buffer = unsafe { mmap(None, size, ProtFlags::PROT_READ, flags, &file, 0) }.unwrap();
        Driver { file, buffer, size }
    }

    /// Writes commands and reads answers, if `read` has room for any.
    fn exchange(&self, write: &[u8], read: &mut [u8]) -> usize {
        let mut both = WriteRead {
            write_size: write.len() as u64,
            write_consumed: 0,
            write_buffer: write.as_ptr() as u64,
            read_size: read.len() as u64,
            read_consumed: 0,
            read_buffer: read.as_mut_ptr() as u64,
        };
        loop {
            // SAFETY: the structure names two buffers with their sizes, which outlive the call.
            match unsafe { write_read(self.file.as_raw_fd(), &raw mut both) } {
                Ok(_) => return both.read_consumed as usize,
                Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => panic!("BINDER_WRITE_READ: {errno}"),
            }
        }
    }

    /// What the driver put into the mapping.
    fn received(&self, at: u64, size: u64) -> Vec<u8> {
        let offset = (at as usize).checked_sub(self.buffer.as_ptr() as usize).unwrap();
        assert!(offset + size as usize <= self.size.get());
        // SAFETY: inside of the mapping, which lives as long as `self`; the driver changes no buffer before it is freed.
        unsafe { std::slice::from_raw_parts(at as *const u8, size as usize) }.to_vec()
    }

    /// Sends a transaction, and waits for nothing.
    pub(crate) fn send(&self, handle: u32, code: u32, flags: u32, parcel: &Parcel) {
        self.exchange(&transaction(handle, code, flags, parcel), &mut []);
    }

    /// Sends a transaction and waits for what becomes of it. Handles in the answer are kept.
    pub(crate) fn transact(&self, handle: u32, code: u32, flags: u32, parcel: &Parcel) -> Outcome {
        let mut write = transaction(handle, code, flags, parcel);
        loop {
            let mut read = [0; 512];
            let length = self.exchange(&write, &mut read);
            write.clear();
            let mut rest = &read[..length];
            while let Some((head, after)) = rest.split_first_chunk::<4>() {
                let what = u32::from_ne_bytes(*head);
                let size = (what >> 16 & 0x3fff) as usize;
                let (body, after) = after.split_at(size);
                rest = after;
                match what {
                    BR_REPLY => return self.reply(body),
                    BR_DEAD_REPLY => return Outcome::Dead,
                    BR_FAILED_REPLY => return Outcome::Failed,
                    BR_TRANSACTION_COMPLETE if flags & ONE_WAY != 0 => return Outcome::Sent,
                    _ => {}
                }
            }
        }
    }

    fn reply(&self, body: &[u8]) -> Outcome {
        let number = |at: usize| u64::from_ne_bytes(body[at..at + 8].try_into().unwrap());
        let flags = u32::from_ne_bytes(body[20..24].try_into().unwrap());
        let (size, offsets_size, at, offsets) = (number(32), number(40), number(48), number(56));
        let data = self.received(at, size);
        let mut write = Vec::new();
        for offset in self.received(offsets, offsets_size).chunks(8) {
            // A flat_binder_object: kind, flags, handle. Kept before the buffer that holds it goes.
            let object = u64::from_ne_bytes(offset.try_into().unwrap()) as usize;
            write.extend(BC_ACQUIRE.to_ne_bytes());
            write.extend(&data[object + 8..object + 12]);
        }
        write.extend(BC_FREE_BUFFER.to_ne_bytes());
        write.extend(at.to_ne_bytes());
        self.exchange(&write, &mut []);
        if flags & STATUS != 0 {
            return Outcome::Status(i32::from_ne_bytes(data[..4].try_into().unwrap()));
        }
        Outcome::Reply(data)
    }

    /// The handle of a service, from the service manager's `getService`.
    pub(crate) fn service(&self, name: &str) -> u32 {
        let mut parcel = Parcel::to("android.os.IServiceManager");
        parcel.string(name);
        self.object(MANAGER, FIRST, &parcel)
    }

    /// The handle that a call is answered with.
    pub(crate) fn object(&self, handle: u32, code: u32, parcel: &Parcel) -> u32 {
        match self.transact(handle, code, 0, parcel) {
            // An AIDL status of no exception, then a flat_binder_object.
            Outcome::Reply(data) if data.len() >= 16 && data[..4] == [0; 4] => {
                let handle = u32::from_ne_bytes(data[12..16].try_into().unwrap());
                assert_ne!(handle, 0, "there is no such object");
                handle
            }
            other => panic!("{other:?} is no object"),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `open`, used by nobody any more.
        let _ = unsafe { munmap(self.buffer, self.size.get()) };
    }
}

fn transaction(handle: u32, code: u32, flags: u32, parcel: &Parcel) -> Vec<u8> {
    let mut write = BC_TRANSACTION.to_ne_bytes().to_vec();
    for number in [u64::from(handle), 0] {
        write.extend(number.to_ne_bytes());
    }
    for number in [code, flags | ACCEPT_FDS, 0, 0] {
        write.extend(number.to_ne_bytes());
    }
    let (data, offsets) = (&parcel.data, &parcel.offsets);
    for number in [data.len(), offsets.len() * 8, data.as_ptr() as usize, offsets.as_ptr() as usize] {
        write.extend((number as u64).to_ne_bytes());
    }
    write
}

/// The data of a transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parcel {
    pub(crate) data: Vec<u8>,
    /// Where objects are in it.
    pub(crate) offsets: Vec<u64>,
}

impl Parcel {
    /// One for an interface: its token is first (`Parcel::writeInterfaceToken`, frameworks/native/libs/binder/Parcel.cpp).
    pub(crate) fn to(interface: &str) -> Parcel {
        let mut parcel = Parcel::default();
        // No strict mode, no work source, the system's header.
        for number in [0, u32::MAX, u32::from_be_bytes(*b"SYST")] {
            parcel.data.extend(number.to_ne_bytes());
        }
        parcel.string(interface);
        parcel
    }

    pub(crate) fn number(&mut self, number: i32) {
        self.data.extend(number.to_ne_bytes());
    }

    /// A String16: how many units, the units, a zero, and zeroes to a multiple of four bytes.
    pub(crate) fn string(&mut self, text: &str) {
        let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
        self.number(units.len() as i32 - 1);
        self.data.extend(units.iter().flat_map(|unit| unit.to_ne_bytes()));
        self.data.resize(self.data.len().next_multiple_of(4), 0);
    }

    /// A flat_binder_object of this process, which answers nothing, and what the library writes behind one: its stability.
    pub(crate) fn own_object(&mut self, number: u32) {
        self.offsets.push(self.data.len() as u64);
        // BINDER_TYPE_BINDER; flags; what names it to this process, twice.
        for number in [u32::from_be_bytes(*b"sb*\x85"), 0, number, 0, number, 0] {
            self.data.extend(number.to_ne_bytes());
        }
        // Stability::Vintf in the low half (Stability.h).
        self.number(0b11_1111);
    }

    /// A flat_binder_object for a descriptor of this process.
    pub(crate) fn descriptor(&mut self, fd: i32) {
        self.offsets.push(self.data.len() as u64);
        // BINDER_TYPE_FD; flags; the descriptor, padded to a pointer; a cookie.
        for number in [u32::from_be_bytes(*b"fd*\x85"), 0, fd.cast_unsigned(), 0, 0, 0] {
            self.data.extend(number.to_ne_bytes());
        }
    }
}
