//! Listening: one object at every configured address.

use std::fs;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mediagate_aidl::BnMediagate;
use rsbinder::{Interface as _, SIBinder};

use super::address::{Address, AddressError, private_socket};
use super::client::connect_stream;
use super::rpc::Listener;
use super::service::Binder;
use crate::control::Control;

/// Where binder drivers live: the plain device, and binderfs as Android mounts it.
const BINDER_DEVICES: [&str; 2] = ["/dev/binderfs/binder", "/dev/binder"];

/// Mode of the socket for everybody: callers are authorised by their uid, call by call.
const FOR_ALL: u32 = 0o666;
/// Mode of the one beside it, where root, or whoever else runs the service, has a backlog that no app can fill.
/// It gives no rights: they are the uid's here, too.
const FOR_OWNER: u32 = 0o600;

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
    // Declared first, dropped first: nobody can find the socket while its sessions end.
    sockets: Vec<SocketFile>,
    /// Of each Unix address the one for all and the owner's.
    listeners: Vec<[Listener; 2]>,
    kernel: Vec<rsbinder::ServerGuard>,
}

impl Serving {
    /// The number of addresses served.
    pub fn addresses(&self) -> usize {
        self.listeners.len() + self.kernel.len()
    }

    /// The paths of the Unix sockets, two of each address.
    pub fn sockets(&self) -> impl Iterator<Item = &Path> {
        self.sockets.iter().map(|socket| socket.path.as_path())
    }
}

/// Serves `control` at every address of `uris`. Either all are served or none.
pub fn serve(uris: &[String], control: Arc<dyn Control>) -> Result<Serving, BinderError> {
    let addresses = uris.iter().map(|uri| uri.parse()).collect::<Result<Vec<Address>, _>>()?;
    let root = BnMediagate::new_binder(Binder::new(Arc::clone(&control))).as_binder();
    let mut serving = Serving { sockets: Vec::new(), listeners: Vec::new(), kernel: Vec::new() };
    // A name at the service manager is there for good, in the place of whoever had it: last, when all else has worked.
    let (kernel, unix): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| matches!(address, Address::Kernel(_)));
    for address in unix.into_iter().chain(kernel) {
        match &address {
            Address::Unix(path) => {
                let mut listen = |path: PathBuf, mode| {
                    let (socket, file) = bind(&path, mode)?;
                    serving.sockets.push(file);
                    Listener::start(socket, root.clone(), Arc::clone(&control))
                        .map_err(|source| BinderError::Socket { path, source })
                };
                let both = [listen(path.clone(), FOR_ALL)?, listen(private_socket(path), FOR_OWNER)?];
                serving.listeners.push(both);
            }
            Address::Kernel(name) => serving.kernel.push(serve_kernel(&address, name, root.clone())?),
        }
        log::info!("serving {address}");
    }
    Ok(serving)
}

fn serve_kernel(address: &Address, name: &str, root: SIBinder) -> Result<rsbinder::ServerGuard, BinderError> {
    if driver().is_none() {
        return Err(BinderError::NoDriver(address.clone()));
    }
    rsbinder::serve(rsbinder::Uri::kernel())
        .and_then(|server| server.add(name, root))
        .and_then(rsbinder::Server::spawn)
        .map_err(|status| BinderError::Kernel { address: address.clone(), reason: status.to_string() })
}

/// A bound socket's file, removed when dropped unless somebody else has the name by then.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    id: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if file_id(&self.path).ok() == Some(self.id)
            && let Err(e) = fs::remove_file(&self.path)
        {
            log::warn!("cannot remove {}: {e}", self.path.display());
        }
    }
}

fn file_id(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|meta| (meta.dev(), meta.ino()))
}

/// Binds `path` for those to connect to whom `mode` lets.
fn bind(path: &Path, mode: u32) -> Result<(UnixListener, SocketFile), BinderError> {
    let failed = |source| BinderError::Socket { path: path.to_owned(), source };
    if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
        fs::create_dir_all(parent).map_err(failed)?;
        // Whatever the umask is: who cannot search the directory cannot connect.
        fs::set_permissions(parent, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    }
    remove_stale(path)?;
    let socket = UnixListener::bind(path).map_err(failed)?;
    let file = SocketFile { path: path.to_owned(), id: file_id(path).map_err(failed)? };
    set_mode(path, mode).map_err(failed)?;
    Ok((socket, file))
}

/// Sets a socket's mode, through a descriptor so that a name swapped for a symbolic link meanwhile is not followed.
fn set_mode(socket: &Path, mode: u32) -> io::Result<()> {
    let file = fs::File::options().read(true).custom_flags(libc::O_PATH | libc::O_NOFOLLOW).open(socket)?;
    if !file.metadata()?.file_type().is_socket() {
        return Err(io::Error::other("it was replaced while being made"));
    }
    fs::set_permissions(format!("/proc/self/fd/{}", file.as_raw_fd()), fs::Permissions::from_mode(mode))
}

/// Removes what a killed run left: a socket that nobody answers on, and nothing else.
fn remove_stale(path: &Path) -> Result<(), BinderError> {
    let failed = |source| BinderError::Socket { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(failed(e)),
        Ok(meta) if !meta.file_type().is_socket() => return Err(BinderError::NotASocket(path.to_owned())),
        Ok(_) => {}
    }
    match connect_stream(path, None) {
        Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path).map_err(failed),
        // It answers, or would if its backlog were not full.
        Ok(_) => Err(BinderError::InUse(path.to_owned())),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Err(BinderError::InUse(path.to_owned())),
        Err(e) => Err(failed(e)),
    }
}
