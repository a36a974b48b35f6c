//! Connecting to a Unix socket.

use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use mediagate_aidl as aidl;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use rsbinder::rpc::transport::UnixTransport;
use rsbinder::rpc::{FileDescriptorTransportMode, RpcSession, RpcTransport as _};
use rsbinder::{FromIBinder as _, StatusCode, Strong};

use super::address::private_socket;
use super::client::{CONNECT, MOUNT};
use super::rpc::WIRE_VERSION;

/// How much of the time for connecting may be spent on waiting in line: a refusal then says so before the time is up.
const QUEUE: Duration = Duration::from_millis(4500);

pub(super) fn connect_unix(path: &Path) -> Result<Strong<dyn aidl::IMediagate>, String> {
    // Whoever may use it does not wait behind apps; whoever may not, or finds none, waits in line.
    let found = connect_stream(&private_socket(path), None).or_else(|_| connect_stream(path, Some(QUEUE)));
    let stream = found.map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => "there is no such socket".to_owned(),
        io::ErrorKind::ConnectionRefused => "nobody listens on the socket".to_owned(),
        io::ErrorKind::WouldBlock => "too many clients are waiting".to_owned(),
        _ => e.to_string(),
    })?;
    let session = || -> rsbinder::Result<Strong<dyn aidl::IMediagate>> {
        let transport = UnixTransport::from_stream(stream)?;
        transport.set_read_timeout(Some(CONNECT))?;
        transport.set_write_timeout(Some(CONNECT))?;
        let session = RpcSession::connect_android13plus_fd(
            Box::new(transport),
            WIRE_VERSION,
            FileDescriptorTransportMode::Unix,
        )?;
        // The longest wait of all: each call has its own, shorter one around it.
        session.set_timeout(Some(MOUNT));
        <dyn aidl::IMediagate>::try_from(session.get_root()?)
    };
    session().map_err(|status| match status {
        StatusCode::DeadObject => {
            "it hung up at once, as it does on a uid that connects too often; wait a moment".to_owned()
        }
        other => format!("it does not answer as mediagate does ({other})"),
    })
}

/// Connects. A full backlog is `WouldBlock` at once or after `patience`, where a plain connect would hang (unix(7)).
///
/// Waiting is left to the kernel, not done by trying again: it lets those who wait in one by one in the order they
/// came (`unix_wait_for_peer`, net/unix/af_unix.c), while one who sleeps between tries meets a backlog that others
/// have filled again.
pub(super) fn connect_stream(path: &Path, patience: Option<Duration>) -> io::Result<UnixStream> {
    let flags = match patience {
        Some(_) => SockFlag::SOCK_CLOEXEC,
        None => SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
    };
    let stream = UnixStream::from(socket(AddressFamily::Unix, SockType::Stream, flags, None)?);
    // SO_SNDTIMEO, which bounds connecting, too.
    stream.set_write_timeout(patience)?;
    connect(stream.as_raw_fd(), &UnixAddr::new(path)?)?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}
