//! Listening at a Unix address: a socket for all, and one beside it for who runs the service.

use std::fs;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rsbinder::SIBinder;

use super::address::private_socket;
use super::rpc::Listener;
use super::server::BinderError;
use super::socket::connect_stream;
use crate::control::Control;

/// Mode of the socket for everybody: callers are authorised by their uid, call by call.
const FOR_ALL: u32 = 0o666;
/// Mode of the one beside it, where root, or whoever else runs the service, has a backlog that no app can fill.
/// It gives no rights: they are the uid's here, too.
const FOR_OWNER: u32 = 0o600;

/// An address being served; dropping it ends its sessions and removes its sockets.
#[derive(Debug)]
pub(super) struct Listening {
    // Declared first, dropped first: nobody can find the sockets while their sessions end.
    files: Vec<SocketFile>,
    _listeners: Vec<Listener>,
}

impl Listening {
    /// The paths of the sockets.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|socket| socket.path.as_path())
    }
}

/// Serves `root` at `path` and beside it.
pub(super) fn listen(
    path: &Path,
    root: &SIBinder,
    control: &Arc<dyn Control>,
) -> Result<Listening, BinderError> {
    let mut listening = Listening { files: Vec::new(), _listeners: Vec::new() };
    for (path, mode) in [(path.to_owned(), FOR_ALL), (private_socket(path), FOR_OWNER)] {
        let (socket, file) = bind(&path, mode)?;
        listening.files.push(file);
        let listener = Listener::start(socket, root.clone(), Arc::clone(control))
            .map_err(|source| BinderError::Socket { path, source })?;
        listening._listeners.push(listener);
    }
    Ok(listening)
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
