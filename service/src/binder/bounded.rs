//! A Unix socket transport that takes no long messages.
//!
//! rsbinder takes messages of up to 64 MiB, so that an app could make the service hold gigabytes for its connections.
//! A reader of a message asks for all that is left of it at once, so the length of that request is where to refuse:
//! before any of the body is read, and so before the memory for it is touched.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rsbinder::rpc::transport::UnixTransport;
use rsbinder::rpc::{PeerIdentity, RpcError, RpcResult, RpcTransport};

/// Longest message taken: the size of kernel binder's buffer for all transactions of a process (`BINDER_VM_SIZE`,
/// libbinder's ProcessState.cpp), so that a client that works here works there.
pub(super) const MESSAGE_MAX: usize = 1024 * 1024;

/// The transport; descriptors that come with a message are closed.
pub(super) struct Bounded(pub(super) UnixTransport);

impl RpcTransport for Bounded {
    fn recv_raw(&self, buf: &mut [u8]) -> RpcResult<usize> {
        if buf.len() > MESSAGE_MAX {
            return Err(RpcError::FrameTooLarge { declared: buf.len(), max: MESSAGE_MAX });
        }
        self.0.recv_raw(buf)
    }

    fn send_raw(&self, buf: &[u8]) -> RpcResult<()> {
        self.0.send_raw(buf)
    }

    fn send_raw_draining(
        &self,
        buf: &[u8],
        fds: &[BorrowedFd<'_>],
        drain: &mut dyn FnMut() -> RpcResult<()>,
    ) -> RpcResult<()> {
        self.0.send_raw_draining(buf, fds, drain)
    }

    // Descriptors go out only: what is received is received without them.
    fn supports_fd_passing(&self) -> bool {
        self.0.supports_fd_passing()
    }

    fn send_raw_with_fds(&self, buf: &[u8], fds: &[BorrowedFd<'_>]) -> RpcResult<()> {
        self.0.send_raw_with_fds(buf, fds)
    }

    // Sessions do not use whole frames.
    fn send_frame(&self, _buf: &[u8]) -> RpcResult<()> {
        Err(RpcError::Protocol("frames are not used on this socket"))
    }

    fn recv_frame(&self) -> RpcResult<Vec<u8>> {
        Err(RpcError::Protocol("frames are not used on this socket"))
    }

    fn peer_identity(&self) -> PeerIdentity {
        self.0.peer_identity()
    }

    fn describe(&self) -> &str {
        self.0.describe()
    }

    fn set_read_timeout(&self, timeout: Option<Duration>) -> RpcResult<()> {
        self.0.set_read_timeout(timeout)
    }

    fn set_write_timeout(&self, timeout: Option<Duration>) -> RpcResult<()> {
        self.0.set_write_timeout(timeout)
    }

    fn peer_closed(&self) -> Option<bool> {
        self.0.peer_closed()
    }

    fn shutdown_handle(&self) -> Option<Box<dyn FnOnce() + Send>> {
        self.0.shutdown_handle()
    }

    fn shutdown(&self) -> RpcResult<()> {
        self.0.shutdown()
    }
}
