//! A Unix socket transport that takes no long messages.
//!
//! rsbinder takes messages of up to 64 MiB, so that an app could make the service hold gigabytes for its connections.
//! A reader of a message asks for all that is left of it at once, so the length of that request is where to refuse:
//! before any of the body is read, and so before the memory for it is touched.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

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
}

impl Bounded {
    /// Bounds `socket`, whose peer is an administrator or not: those hand over devices.
    pub(super) fn new(socket: UnixTransport, admin: bool) -> Self {
        Bounded { socket, descriptors: AtomicUsize::new(if admin { usize::MAX } else { OF_APPS }) }
    }

    fn check(buf: &[u8]) -> RpcResult<()> {
        if buf.len() > MESSAGE_MAX {
            return Err(RpcError::FrameTooLarge { declared: buf.len(), max: MESSAGE_MAX });
        }
        Ok(())
    }
}

impl RpcTransport for Bounded {
    fn recv_raw(&self, buf: &mut [u8]) -> RpcResult<usize> {
        Self::check(buf)?;
        self.socket.recv_raw(buf)
    }

    fn recv_raw_with_fds(&self, buf: &mut [u8]) -> RpcResult<(usize, Vec<OwnedFd>)> {
        Self::check(buf)?;
        let (length, mut descriptors) = self.socket.recv_raw_with_fds(buf)?;
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
