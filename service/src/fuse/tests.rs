//! What a kernel is answered, byte by byte: these tests are the kernel, at the other end of a socket
//! (include/uapi/linux/fuse.h).

use std::io::{Read as _, Write as _};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex as StdMutex};

use fuser::{Config, Filesystem, INodeNo, KernelConfig, OpenFlags, ReplyOpen, Request, Session, SessionACL};
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use parking_lot::Mutex;

use super::opened::reply_opened;
use super::request::negotiate;
use crate::observe::{Gauge, Observer};
use crate::ops::Opened;
use crate::passthrough::{BackingDevice, Budget, Interface, IoMode, IoState, Limits, Passthrough, Room};

/// Opcodes, and flags of INIT: that there are more in a second word; of an open: that a number comes with it.
const INIT: u32 = 26;
const OPEN: u32 = 14;
const INIT_EXT: u32 = 1 << 30;
const FOPEN_PASSTHROUGH: u32 = 1 << 7;

/// A legacy kernel's device: each registration has a number of its own.
#[derive(Debug)]
struct OneShot(Mutex<u32>);

impl BackingDevice for OneShot {
    fn open(&self, _file: BorrowedFd<'_>) -> Result<u32, Errno> {
        let mut next = self.0.lock();
        *next += 1;
        Ok(*next)
    }

    fn close(&self, _id: u32) -> Result<(), Errno> {
        Ok(())
    }

    fn interface(&self) -> Interface {
        Interface::Legacy
    }
}

/// Negotiates and answers opens as a volume does.
struct Probe {
    negotiated: Arc<StdMutex<Option<Interface>>>,
    passthrough: Passthrough,
    io: Mutex<IoState>,
}

impl Filesystem for Probe {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> std::io::Result<()> {
        *self.negotiated.lock().unwrap() = negotiate(config, false);
        Ok(())
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let lower: Arc<OwnedFd> = Arc::new(std::fs::File::open("/dev/null").unwrap().into());
        let mode = self.passthrough.join_once(&self.io, &lower, Some(Arc::clone(&lower)), 1);
        assert!(matches!(mode, IoMode::Kernel(_)));
        reply_opened(reply, Ok(Opened { handle: 0x0102_0304_0506_0708, mode, keep_cache: false }));
    }
}

fn probe() -> Probe {
    let observer = Arc::new(Observer::default());
    let budget = |gauge| Budget::new(Limits { total: 10, per_uid: 10 }, gauge, Arc::clone(&observer));
    let room = Room { descriptors: 0, handles: budget(Gauge::Handles), volumes: 1 };
    let passthrough = Passthrough::new(budget(Gauge::BackingFiles), room, Arc::clone(&observer));
    passthrough.enable(Arc::new(OneShot(Mutex::new(40))));
    Probe { negotiated: Arc::default(), passthrough, io: Mutex::default() }
}

/// The kernel's end.
struct Kernel(std::fs::File);

impl Kernel {
    fn send(&mut self, opcode: u32, body: &[u32]) {
        let length = 40 + 4 * body.len() as u32;
        // fuse_in_header: length, opcode, unique, node, uid, gid, pid, nothing.
        let words = [length, opcode, 7, 0, 1, 0, 0, 0, 1, 0];
        let message: Vec<u8> = words.iter().chain(body).flat_map(|word| word.to_ne_bytes()).collect();
        self.0.write_all(&message).unwrap();
    }

    /// The words of an answer behind fuse_out_header.
    fn answer(&mut self) -> Vec<u32> {
        let mut answer = vec![0; 4096];
        let length = self.0.read(&mut answer).unwrap();
        let words: Vec<u32> =
            answer[..length].chunks_exact(4).map(|it| u32::from_ne_bytes(it.try_into().unwrap())).collect();
        assert_eq!(words[..4], [length as u32, 0, 7, 0], "length, no error, the question's number");
        words[4..].to_vec()
    }
}

/// Shakes hands as a kernel of this minor version with these flags; what was negotiated, INIT's answer and that of an OPEN.
fn shake(minor: u32, flags: [u32; 2]) -> (Option<Interface>, Vec<u32>, Vec<u32>) {
    let (ours, theirs) =
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap();
    let mut kernel = Kernel(ours.into());
    // fuse_init_in: version, read-ahead, flags; from 7.36 on more of them, and room.
    let mut body = vec![7, minor, 1 << 17, flags[0]];
    if minor >= 36 {
        body.push(flags[1]);
        body.resize(16, 0);
    }
    kernel.send(INIT, &body);
    let probe = probe();
    let negotiated = Arc::clone(&probe.negotiated);
    let session = Session::from_fd(probe, theirs, SessionACL::All, Config::default()).unwrap();
    let init = kernel.answer();
    let serving = std::thread::spawn(move || session.run());
    kernel.send(OPEN, &[0, 0]);
    let open = kernel.answer();
    drop(kernel);
    // It ends somehow: a device does not.
    let _ = serving.join();
    let negotiated = *negotiated.lock().unwrap();
    (negotiated, init, open)
}

/// Places of fuse_init_out's words.
const FLAGS: usize = 3;
const FLAGS2: usize = 8;
const STACK_DEPTH: usize = 9;

#[test]
fn a_legacy_kernel_from_7_36_on_is_answered_with_bit_63() {
    let (negotiated, init, _) = shake(39, [INIT_EXT, 1 << 31]);
    assert_eq!(negotiated, Some(Interface::Legacy));
    assert_eq!((init.len(), init[0]), (16, 7));
    assert_ne!(init[FLAGS] & INIT_EXT, 0, "there are more flags");
    assert_eq!((init[FLAGS] & 1 << 31, init[FLAGS2]), (0, 1 << 31));
    assert_eq!(init[STACK_DEPTH], 0, "which an older kernel does not know");
}

#[test]
fn an_older_legacy_kernel_is_answered_with_bit_31() {
    let (negotiated, init, _) = shake(34, [1 << 31, 0]);
    assert_eq!(negotiated, Some(Interface::Legacy));
    assert_ne!(init[FLAGS] & 1 << 31, 0);
}

#[test]
fn a_kernel_with_the_upstream_interface_is_answered_with_that() {
    // FUSE_PASSTHROUGH is bit 37.
    let (negotiated, init, _) = shake(41, [INIT_EXT, 1 << 5]);
    assert_eq!(negotiated, Some(Interface::Upstream));
    assert_eq!((init[FLAGS2], init[STACK_DEPTH]), (1 << 5, 1));
    let (negotiated, init, _) = shake(41, [INIT_EXT, 0]);
    assert_eq!((negotiated, init[FLAGS2]), (None, 0));
}

/// fuse_open_out: the handle, flags, and what was padding once: `passthrough_fh` here, `backing_id` upstream.
#[test]
fn an_open_is_answered_with_the_number_of_its_registration() {
    for (minor, flags) in [(39, [INIT_EXT, 1 << 31]), (34, [1 << 31, 0])] {
        let (_, _, open) = shake(minor, flags);
        assert_eq!(open, [0x0506_0708, 0x0102_0304, FOPEN_PASSTHROUGH, 41], "7.{minor}");
    }
}
