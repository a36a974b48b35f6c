//! Apps' private directories at native speed: what vold and zygote do on a device, in the mount namespace of one process.
//!
//! Over `Android/data` and `Android/obb` of a volume's mount a small read-only tmpfs is mounted, in that namespace only, with the
//! lower directories of the process's own packages bound below it. Below them the kernel serves the lower file system; no
//! request comes to the daemon. Everything else of the volume is as it was. See ADR 12, also for what comes in place of
//! the binds where a kernel can put a lower directory behind a FUSE inode ([`inode_backing`]).
//!
//! # Invariants
//! * A namespace that is not made for the process is refused, and what is mounted in it never reaches another one: the
//!   volume's mount there is made a slave before anything is mounted on it.
//! * All or nothing: what was mounted before a failure is taken away again.
//! * What is bound is what was opened beneath the volume's root, through no link and across no mount.
//!
//! # Threads and locks
//! One call at a time ([`bind`] holds a lock of its own while it goes on); its work is done by a thread of its own, which goes
//! to the namespace and ends there. That thread waits for file systems, the volume's own among them, and so it is nobody's
//! who serves that. It holds nothing but descriptors.

mod bind;
mod give;
mod inode;
mod namespace;
mod places;
mod raw;

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use parking_lot::Mutex;
use rustix::io::Errno;

pub use inode::{InodeBacking, inode_backing};
pub use namespace::look_at_init;

/// How long the work in a namespace may take: there may be many files to be given to the app the first time.
const PATIENCE: Duration = Duration::from_secs(100);

/// What a process is to have of one volume.
#[derive(Debug)]
pub struct Storage {
    /// The device number of the volume's mount.
    pub device: u64,
    /// The user's directory below the mount's root.
    pub user: String,
    /// The directories below that which hold packages' own ones.
    pub dirs: Vec<&'static str>,
    /// Its packages.
    pub packages: Vec<Package>,
}

/// The private directories of a package on one volume.
#[derive(Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its lower directories (`O_PATH`), in the order of [`Storage::dirs`].
    pub dirs: Vec<OwnedFd>,
}

/// Why nothing was bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrivateError {
    /// The descriptor is something else.
    #[error("the descriptor is of no mount namespace; open /proc/PID/ns/mnt of the process")]
    NoNamespace,
    /// It is the service's namespace, or that of the first process.
    #[error(
        "that mount namespace is everybody's, and everybody would lose sight of the other packages; unshare one for the process"
    )]
    Everybodys,
    /// The volumes are not mounted there.
    #[error("no emulated volume of the user is mounted in that mount namespace")]
    NotThere,
    /// Another uid has its directories there.
    #[error("that mount namespace holds the private directories of {0:?} already; unshare another one")]
    Taken(String),
    /// Something else is in the way.
    #[error("something else is mounted over {0:?} in that mount namespace; unmount it there")]
    Occupied(String),
    /// A system call failed.
    #[error("cannot {what}: {errno}")]
    Os {
        /// What was tried.
        what: String,
        /// What was answered.
        errno: Errno,
    },
    /// The work is not done in time.
    #[error("the file systems of that mount namespace do not answer within {} s; nothing stays mounted", PATIENCE.as_secs())]
    Late,
}

fn os(what: impl Into<String>) -> impl FnOnce(Errno) -> PrivateError {
    move |errno| PrivateError::Os { what: what.into(), errno }
}

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Makes `storage` that of the processes in a mount namespace, which run as `uid`. Where it is so already nothing is changed.
pub fn bind(namespace: BorrowedFd<'_>, uid: u32, storage: Vec<Storage>) -> Result<(), PrivateError> {
    namespace::check(namespace)?;
    let namespace = namespace
        .try_clone_to_owned()
        .map_err(|error| os("take the descriptor over")(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
    let Some(_turn) = ONE_AT_A_TIME.try_lock_for(PATIENCE) else { return Err(PrivateError::Late) };
    let (done, result) = std::sync::mpsc::sync_channel(0);
    let work = move || {
        let mut work = bind::Work::new(namespace, uid);
        let result = work.run(&storage);
        // Nobody waits any more, and has been told that it failed.
        if done.send(result).is_err() {
            work.undo();
        }
    };
    let thread = std::thread::Builder::new().name("private".to_owned()).spawn(work);
    thread.map_err(|error| os("start a thread")(Errno::from_io_error(&error).unwrap_or(Errno::AGAIN)))?;
    result.recv_timeout(PATIENCE).unwrap_or(Err(PrivateError::Late))
}
