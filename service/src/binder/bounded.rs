//! A Unix socket transport that takes no long messages.
//!
//! rsbinder takes messages of up to 64 MiB, so that an app could make the service hold gigabytes for its connections.
//! A reader of a message asks for all that is left of it at once, so the length of that request is where to refuse:
//! before any of the body is read, and so before the memory for it is touched.
//!
//! It keeps one-way calls that come out of order, thousands of them to an object and whatever their length, before anybody
//! is asked whether the caller may do that. No method of ours is one-way towards the service, so whoever sends such a call
//! is hung up on: the transport follows the messages, which are a header, and of a call an address, a code, flags and the
//! rest (RpcWireHeader, RpcWireTransaction: RpcWireFormat.h of frameworks/native/libs/binder).
//!
//! Lock: `frames`, held while what was read is looked at. One thread reads a connection.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::Mutex;
use rsbinder::rpc::transport::UnixTransport;
use rsbinder::rpc::{PeerIdentity, RpcError, RpcResult, RpcTransport};

/// Longest message taken: the size of kernel binder's buffer for all transactions of a process (`BINDER_VM_SIZE`,
/// libbinder's ProcessState.cpp), so that a client that works here works there.
pub(super) const MESSAGE_MAX: usize = 1024 * 1024;

/// Descriptors that a connection of an app may send in its life. None of its calls has one; who calls what it may not is to hear
/// that, though, and its call is decoded first.
const OF_APPS: usize = 8;

/// The transport.
pub(super) struct Bounded {
    socket: UnixTransport,
    /// Descriptors still taken; further ones are closed unseen, so that no app can fill the service's table of them.
    descriptors: AtomicUsize,
    /// Hands have been shaken: what comes is messages.
    greeted: Arc<AtomicBool>,
    frames: Mutex<Frames>,
}

impl Bounded {
    /// Bounds `socket`, whose peer is an administrator or not: those hand over devices. `greeted` says when messages begin.
    pub(super) fn new(socket: UnixTransport, admin: bool, greeted: Arc<AtomicBool>) -> Self {
        let descriptors = AtomicUsize::new(if admin { usize::MAX } else { OF_APPS });
        Bounded { socket, descriptors, greeted, frames: Mutex::default() }
    }

    fn follow(&self, bytes: &[u8]) -> RpcResult<()> {
        match self.greeted.load(Relaxed) && self.frames.lock().has_one_way(bytes) {
            true => Err(RpcError::Protocol("no call of this interface is one-way")),
            false => Ok(()),
        }
    }

    fn check(buf: &[u8]) -> RpcResult<()> {
        if buf.len() > MESSAGE_MAX {
            return Err(RpcError::FrameTooLarge { declared: buf.len(), max: MESSAGE_MAX });
        }
        Ok(())
    }
}

/// Bytes of a message's header, and of the part of a call that ends with its flags.
const HEADER: usize = 16;
const FLAGS_END: usize = HEADER + 16;
/// `RPC_COMMAND_TRANSACT`, and `IBinder::FLAG_ONEWAY`.
const TRANSACT: u32 = 0;
const ONE_WAY: u32 = 1;

/// Where in the messages of a connection its reader is.
#[derive(Debug, Default)]
struct Frames {
    /// The beginning of the message that is being read.
    beginning: [u8; FLAGS_END],
    /// How much of it was read, and how long it is; the latter once its header was read.
    at: usize,
    end: usize,
}

impl Frames {
    /// Whether a one-way call is among what was read.
    fn has_one_way(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let stop = match self.at {
                ..HEADER => HEADER,
                HEADER..FLAGS_END => self.end.min(FLAGS_END),
                FLAGS_END.. => self.end,
            };
            let (part, rest) = bytes.split_at(bytes.len().min(stop - self.at));
            if let Some(place) = self.beginning.get_mut(self.at..self.at + part.len()) {
                place.copy_from_slice(part);
            }
            self.at += part.len();
            bytes = rest;
            if self.at == HEADER {
                self.end = HEADER + self.word(4) as usize;
            }
            if self.at == FLAGS_END && self.word(0) == TRANSACT && self.word(FLAGS_END - 4) & ONE_WAY != 0 {
                return true;
            }
            if self.at >= HEADER && self.at == self.end {
                *self = Frames::default();
            }
        }
        false
    }

    fn word(&self, at: usize) -> u32 {
        let mut word = [0; 4];
        word.copy_from_slice(&self.beginning[at..at + 4]);
        u32::from_le_bytes(word)
    }
}

impl RpcTransport for Bounded {
    fn recv_raw(&self, buf: &mut [u8]) -> RpcResult<usize> {
        Self::check(buf)?;
        let length = self.socket.recv_raw(buf)?;
        self.follow(&buf[..length])?;
        Ok(length)
    }

    fn recv_raw_with_fds(&self, buf: &mut [u8]) -> RpcResult<(usize, Vec<OwnedFd>)> {
        Self::check(buf)?;
        let (length, mut descriptors) = self.socket.recv_raw_with_fds(buf)?;
        self.follow(&buf[..length])?;
        // One thread reads a connection.
        let left = self.descriptors.load(Relaxed);
        descriptors.truncate(left);
        self.descriptors.store(left - descriptors.len(), Relaxed);
        Ok((length, descriptors))
    }

    fn send_raw(&self, buf: &[u8]) -> RpcResult<()> {
        self.socket.send_raw(buf)
    }

    fn send_raw_draining(
        &self,
        buf: &[u8],
        fds: &[BorrowedFd<'_>],
        drain: &mut dyn FnMut() -> RpcResult<()>,
    ) -> RpcResult<()> {
        self.socket.send_raw_draining(buf, fds, drain)
    }

    fn supports_fd_passing(&self) -> bool {
        self.socket.supports_fd_passing()
    }

    fn send_raw_with_fds(&self, buf: &[u8], fds: &[BorrowedFd<'_>]) -> RpcResult<()> {
        self.socket.send_raw_with_fds(buf, fds)
    }

    // Sessions do not use whole frames.
    fn send_frame(&self, _buf: &[u8]) -> RpcResult<()> {
        Err(RpcError::Protocol("frames are not used on this socket"))
    }

    fn recv_frame(&self) -> RpcResult<Vec<u8>> {
        Err(RpcError::Protocol("frames are not used on this socket"))
    }

    fn peer_identity(&self) -> PeerIdentity {
        self.socket.peer_identity()
    }

    fn describe(&self) -> &str {
        self.socket.describe()
    }

    fn set_read_timeout(&self, timeout: Option<Duration>) -> RpcResult<()> {
        self.socket.set_read_timeout(timeout)
    }

    fn set_write_timeout(&self, timeout: Option<Duration>) -> RpcResult<()> {
        self.socket.set_write_timeout(timeout)
    }

    fn peer_closed(&self) -> Option<bool> {
        self.socket.peer_closed()
    }

    fn shutdown_handle(&self) -> Option<Box<dyn FnOnce() + Send>> {
        self.socket.shutdown_handle()
    }

    fn shutdown(&self) -> RpcResult<()> {
        self.socket.shutdown()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(command: u32, body: &[u8]) -> Vec<u8> {
        let mut message = command.to_le_bytes().to_vec();
        message.extend((body.len() as u32).to_le_bytes());
        message.extend([0; 8]);
        message.extend(body);
        message
    }

    fn call(flags: u32, rest: usize) -> Vec<u8> {
        let mut body = vec![0xff; 12];
        body.extend(flags.to_le_bytes());
        body.resize(16 + rest, 0xff);
        message(TRANSACT, &body)
    }

    #[test]
    fn a_one_way_call_is_seen_however_it_is_cut() {
        let mut good = Vec::new();
        for it in [call(0, 24), message(2, &[0xff; 16]), message(1, &[0xff; 40]), message(TRANSACT, &[1; 9])]
        {
            good.extend(it);
        }
        good.extend([call(0x10, 0), message(0, &[])].concat());
        let bad = [good.clone(), call(0x11, 100)].concat();
        for size in [1, 3, 16, 17, 32, 1000] {
            let seen = |bytes: &[u8]| {
                let mut frames = Frames::default();
                bytes.chunks(size).any(|it| frames.has_one_way(it))
            };
            assert!(!seen(&good), "{size}");
            assert!(seen(&bad), "{size}");
            assert!(!seen(&bad[..good.len() + 31]), "{size}: before its flags came");
        }
    }
}
