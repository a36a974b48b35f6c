//! Mounting and unmounting.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fuser::{BackgroundSession, Config, INodeNo, MountOption, Notifier, Session, SessionACL};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, umount2};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags};

use super::busy_poll::{BusyPoll, Turn};
use super::request::VolumeFs;
use crate::mountinfo::mounts;
use crate::passthrough::{FuseDevice, Interface, LegacyDevice};
use crate::volume::{KernelCache, Notice, Volume};

/// Why a volume could not be mounted.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// The mount point cannot be used.
    #[error("cannot use the mount point {}: {source}", path.display())]
    MountPoint {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The descriptor, or what is mounted, is not what a session begins with.
    #[error("cannot serve {}: {reason}", path.display())]
    NoSession {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The kernel or the library refused.
    #[error(
        "cannot mount at {}: {source} (`mediagate doctor` says what this machine lacks)",
        path.display()
    )]
    Refused {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// How a volume is served.
#[derive(Clone, Debug)]
pub struct Serving {
    /// Workers.
    pub threads: usize,
    /// Whether to ask the kernel for passthrough.
    pub passthrough: bool,
    /// How long a worker looks for the next request of a burst before it sleeps; zero: not at all.
    pub busy_poll: Duration,
    /// Shared by all volumes.
    pub turn: Turn,
}

/// A mounted volume. Unmounted by [`Mounted::unmount`], or when dropped.
#[derive(Debug)]
pub struct Mounted {
    session: Option<BackgroundSession>,
    path: PathBuf,
    device: u64,
    /// Mounted by us, not by who has the session.
    own: bool,
}

#[derive(Debug)]
struct Kernel {
    notifier: Notifier,
    /// Where it is mounted, and the device number of that mount.
    path: PathBuf,
    device: u64,
}

impl Kernel {
    fn at(path: &Path, device: u64) -> impl FnOnce(Notifier) -> Kernel {
        let path = path.to_owned();
        move |notifier| Kernel { notifier, path, device }
    }
}

/// As which a volume is mounted.
const FLAGS: MsFlags =
    MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC).union(MsFlags::MS_NOATIME);

/// The device number of what is mounted at `path`, without a request to it.
fn device(path: impl AsFd) -> rustix::io::Result<u64> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::from_bits_retain(libc::AT_STATX_DONT_SYNC.cast_unsigned());
    let found = rustix::fs::statx(path, c"", flags, StatxFlags::empty())?;
    Ok(rustix::fs::makedev(found.stx_dev_major, found.stx_dev_minor))
}

fn open_root(path: &Path) -> rustix::io::Result<OwnedFd> {
    rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

impl KernelCache for Kernel {
    fn forget(&self, notice: &Notice) -> std::io::Result<()> {
        match notice {
            // A negative offset means: attributes only (fs/fuse/inode.c, fuse_reverse_inval_inode).
            Notice::Attributes(node) => self.notifier.inval_inode(INodeNo(node.0), -1, 0),
            Notice::Contents(node) => self.notifier.inval_inode(INodeNo(node.0), 0, 0),
            Notice::Entry(node, name) => {
                self.notifier.inval_entry(INodeNo(node.0), OsStrExt::from_bytes(name))
            }
        }
    }

    /// A remount that changes nothing drops all unused names (fs/super.c, reconfigure_super: shrink_dcache_sb).
    fn forget_unused(&self) -> std::io::Result<()> {
        let root = open_root(&self.path)?;
        if device(&root)? != self.device {
            // Something else is mounted there by now.
            return Err(std::io::ErrorKind::NotFound.into());
        }
        let link = format!("/proc/self/fd/{}", root.as_raw_fd());
        let none: Option<&str> = None;
        Ok(nix::mount::mount(none, link.as_str(), none, MsFlags::MS_REMOUNT | FLAGS, none)?)
    }
}

/// Takes away a mount that a killed run left behind: everything there answers ENOTCONN.
pub fn clear_stale_mount(path: &Path) -> std::io::Result<()> {
    while let Err(error) = std::fs::metadata(path) {
        match error.raw_os_error() {
            Some(libc::ENOTCONN) => {
                log::info!("mount={}: left over from an earlier run, unmounting it", path.display());
                umount2(path, MntFlags::MNT_DETACH)?;
            }
            Some(libc::ENOENT) => return Ok(()),
            _ => return Err(error),
        }
    }
    Ok(())
}

/// Mounts `volume` at `path`, which is made if it is missing, and serves it.
pub fn mount(volume: &Arc<Volume>, path: &Path, serving: &Serving) -> Result<Mounted, MountError> {
    let unusable = |source| MountError::MountPoint { path: path.to_owned(), source };
    clear_stale_mount(path).map_err(unusable)?;
    std::fs::create_dir_all(path).map_err(unusable)?;

    let filesystem = filesystem(volume, serving);
    let told = Told::of(&filesystem);
    let refused = |source| MountError::Refused { path: path.to_owned(), source };
    let session = Session::new(filesystem, path, &config(&volume.name, serving.threads)).map_err(refused)?;
    let root = open_root(path).map_err(|errno| refused(errno.into()))?;
    let device = device(&root).map_err(|errno| refused(errno.into()))?;
    drop(root);
    begin(volume, session, &told, Kernel::at(path, device), true)
}

/// How long the kernel's first message may take to be there. It is there once mount(2) has returned.
const GREETING: u16 = 2000;

/// Serves `volume` over `fuse`, with which somebody else has mounted it at `path`.
pub fn take_over(
    volume: &Arc<Volume>,
    fuse: OwnedFd,
    path: &Path,
    serving: &Serving,
) -> Result<Mounted, MountError> {
    let wrong = |reason: String| MountError::NoSession { path: path.to_owned(), reason };
    let is_fuse = rustix::fs::fstat(&fuse).is_ok_and(|stat| stat.st_rdev == rustix::fs::makedev(10, 229));
    if !is_fuse {
        return Err(wrong("the descriptor is not of /dev/fuse".to_owned()));
    }
    // Nobody serves it yet: whatever asks the file system itself would wait for us.
    let device = fuse_mounted_at(path)
        .ok_or_else(|| wrong("no FUSE file system is mounted there, as this service sees it".to_owned()))?;
    // Reading would wait for ever if another has read the kernel's first message.
    let mut waiting = [PollFd::new(fuse.as_fd(), PollFlags::POLLIN)];
    let there = poll(&mut waiting, PollTimeout::from(GREETING)).is_ok_and(|ready| ready > 0);
    if !there || waiting[0].revents() != Some(PollFlags::POLLIN) {
        return Err(wrong("the descriptor was not mounted with, or was read from already".to_owned()));
    }
    let refused = |source| MountError::Refused { path: path.to_owned(), source };
    let flags = rustix::fs::fcntl_getfl(&fuse).map_err(|errno| refused(errno.into()))?;
    rustix::fs::fcntl_setfl(&fuse, flags - OFlags::NONBLOCK).map_err(|errno| refused(errno.into()))?;
    let filesystem = filesystem(volume, serving);
    let told = Told::of(&filesystem);
    let session = Session::from_fd(filesystem, fuse, SessionACL::All, config(&volume.name, serving.threads))
        .map_err(refused)?;
    begin(volume, session, &told, Kernel::at(path, device), false)
}

/// The device number of the FUSE file system that is on top at `path`, by what the kernel says of the mounts.
fn fuse_mounted_at(path: &Path) -> Option<u64> {
    let text = std::fs::read("/proc/self/mountinfo").ok()?;
    let found = mounts(&text).rfind(|it| it.at == path.as_os_str().as_bytes())?;
    (found.kind == "fuse" || found.kind.starts_with("fuse.")).then_some(found.device)
}

fn filesystem(volume: &Arc<Volume>, serving: &Serving) -> VolumeFs {
    VolumeFs {
        volume: Arc::clone(volume),
        passthrough: serving.passthrough,
        negotiated: Arc::default(),
        busy_poll: Arc::new(BusyPoll::new(serving.busy_poll, serving.turn.clone())),
    }
}

/// What a file system has in common with who mounts it: the library takes the file system itself.
struct Told {
    negotiated: Arc<OnceLock<Interface>>,
    busy_poll: Arc<BusyPoll>,
}

impl Told {
    fn of(filesystem: &VolumeFs) -> Told {
        Told { negotiated: Arc::clone(&filesystem.negotiated), busy_poll: Arc::clone(&filesystem.busy_poll) }
    }
}

fn config(name: &str, threads: usize) -> Config {
    let mut config = Config::default();
    config.mount_options = vec![
        MountOption::FSName(format!("mediagate:{name}")),
        MountOption::Subtype("mediagate".into()),
        MountOption::NoSuid,
        MountOption::NoDev,
        MountOption::NoExec,
        MountOption::NoAtime,
    ];
    config.acl = SessionACL::All;
    config.n_threads = Some(threads);
    config.clone_fd = true;
    config
}

/// Serves what the kernel has been answered for.
fn begin(
    volume: &Arc<Volume>,
    session: Session<VolumeFs>,
    told: &Told,
    kernel: impl FnOnce(Notifier) -> Kernel,
    own: bool,
) -> Result<Mounted, MountError> {
    let kernel = kernel(session.notifier());
    let (path, device_number) = (kernel.path.clone(), kernel.device);
    let refused = |source| MountError::Refused { path: path.clone(), source };
    if told.busy_poll.is_on() {
        told.busy_poll.begin(session.as_fd().try_clone_to_owned().map_err(refused)?);
    }
    if let Some(interface) = told.negotiated.get() {
        let device = session.as_fd().try_clone_to_owned().map_err(refused)?;
        volume.passthrough.enable(match interface {
            Interface::Upstream => Arc::new(FuseDevice(device)),
            Interface::Legacy => Arc::new(LegacyDevice(device)),
        });
    }
    volume.notices.start(kernel, Arc::clone(&volume.observer)).map_err(refused)?;
    let session = session.spawn().map_err(refused)?;
    Ok(Mounted { session: Some(session), path, device: device_number, own })
}

impl Mounted {
    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The device number of its file system.
    pub fn device(&self) -> u64 {
        self.device
    }

    /// Unmounts. Nobody can reach the volume by its path any more when this returns; files that are still open stay
    /// usable until they are closed or the process ends.
    pub fn unmount(mut self) {
        self.detach();
    }

    fn detach(&mut self) {
        let Some(session) = self.session.take() else { return };
        if self.own {
            match unmount_and_wait(session) {
                Some(Ok(())) => return,
                // EBUSY: a file is open. Its user goes on; the workers end with the last such file, or with the process.
                Some(Err(error)) => log::info!("mount={}: {error}; detaching it", self.path.display()),
                // The same goes for namespaces where it is in use: they have mounts of it that are theirs.
                None if fuse_mounted_at(&self.path) != Some(self.device) => {
                    return log::info!("mount={}: other namespaces have it still", self.path.display());
                }
                None => log::warn!("mount={}: does not go; detaching it", self.path.display()),
            }
        } else {
            // The workers end when the last mount of it goes, which is not for us to wait for: there may be others, in
            // the namespaces of apps.
            drop(session);
            if fuse_mounted_at(&self.path) != Some(self.device) {
                return;
            }
        }
        match umount2(&self.path, MntFlags::MNT_DETACH) {
            // EINVAL: somebody unmounted it already.
            Ok(()) | Err(Errno::EINVAL) => {}
            Err(error) => log::error!("mount={}: cannot unmount: {error}", self.path.display()),
        }
    }
}

/// How long the workers may take to end once the mount is gone: there is nothing left for them to do.
const END: Duration = Duration::from_secs(1);

/// Unmounts, and waits until the workers have ended; `None` if they do not, as while another namespace has the mount.
fn unmount_and_wait(session: BackgroundSession) -> Option<std::io::Result<()>> {
    let (done, result) = std::sync::mpsc::channel();
    let wait = move || {
        // Nobody waits for it any more, then.
        let _ = done.send(session.umount_and_join());
    };
    match std::thread::Builder::new().name("unmount".to_owned()).spawn(wait) {
        Ok(_) => result.recv_timeout(END).ok(),
        Err(error) => Some(Err(error)),
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        self.detach();
    }
}
