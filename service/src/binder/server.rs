//! Listening: one object at every configured address.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::address::{Address, AddressError};
use super::platform::{self, Listening, Registered, SIBinder};
use super::service::Binder;
use crate::control::Control;

/// Where binder drivers live: the plain device, and binderfs as Android mounts it.
const BINDER_DEVICES: [&str; 2] = ["/dev/binderfs/binder", "/dev/binder"];

/// The binder device of this machine, if it has one.
pub fn driver() -> Option<&'static str> {
    BINDER_DEVICES.into_iter().find(|device| Path::new(device).exists())
}

/// Why the interface could not be served.
#[derive(Debug, thiserror::Error)]
pub enum BinderError {
    /// An entry of `service.listen` is no address.
    #[error("service.listen: {0}")]
    Address(#[from] AddressError),
    /// Another process answers on the socket.
    #[error("another service answers on {}; stop it, or give this one another address in service.listen", .0.display())]
    InUse(PathBuf),
    /// Something else than a socket has the name.
    #[error("{} exists and is no socket; move it away, or choose another address in service.listen", .0.display())]
    NotASocket(PathBuf),
    /// The socket or its directory could not be made.
    #[error("cannot listen at {}: {source}; the directory must be writable for the service", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The platform's library serves kernel binder only.
    #[error("cannot serve unix://{}: this build serves kernel binder only; give service.listen binder://NAME", .0.display())]
    NoSockets(PathBuf),
    /// There is no binder driver.
    #[error(
        "cannot serve {0}: this machine has no binder device (/dev/binderfs/binder or /dev/binder); load the \
         binder_linux module or mount binderfs, or listen at a unix:// address instead"
    )]
    NoDriver(Address),
    /// The driver or the service manager refused.
    #[error(
        "cannot serve {address}: {reason}; a service manager must be running on the binder device and allow the name"
    )]
    Kernel {
        /// The address.
        address: Address,
        /// rsbinder's status.
        reason: String,
    },
}

/// The interface being served. Dropping it ends the sessions and removes the sockets; a name at a service manager
/// goes when the process does, since binder has no way to take it back.
#[derive(Debug)]
#[must_use = "the interface is served for as long as this lives"]
pub struct Serving {
    sockets: Vec<Listening>,
    kernel: Vec<Registered>,
}

impl Serving {
    /// The number of addresses served.
    pub fn addresses(&self) -> usize {
        self.sockets.len() + self.kernel.len()
    }

    /// The paths of the Unix sockets, two of each address.
    pub fn sockets(&self) -> impl Iterator<Item = &Path> {
        self.sockets.iter().flat_map(Listening::paths)
    }
}

/// Serves `control` at every address of `uris`. Either all are served or none.
pub fn serve(uris: &[String], control: Arc<dyn Control>) -> Result<Serving, BinderError> {
    let addresses = uris.iter().map(|uri| uri.parse()).collect::<Result<Vec<Address>, _>>()?;
    platform::note_calls();
    let root = platform::new_mediagate(Binder::new(Arc::clone(&control)));
    let mut serving = Serving { sockets: Vec::new(), kernel: Vec::new() };
    // A name at the service manager is there for good, in the place of whoever had it: last, when all else has worked.
    let (kernel, unix): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| matches!(address, Address::Kernel(_)));
    for address in unix.into_iter().chain(kernel) {
        match &address {
            Address::Unix(path) => serving.sockets.push(platform::listen(path, &root, &control)?),
            Address::Kernel(name) => serving.kernel.push(serve_kernel(&address, name, root.clone())?),
        }
        log::info!("serving {address}");
    }
    Ok(serving)
}

fn serve_kernel(address: &Address, name: &str, root: SIBinder) -> Result<Registered, BinderError> {
    if driver().is_none() {
        return Err(BinderError::NoDriver(address.clone()));
    }
    platform::register(name, root).map_err(|reason| BinderError::Kernel { address: address.clone(), reason })
}
