//! Mounting and unmounting.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Acquire};

use fuser::{BackgroundSession, Config, INodeNo, MountOption, Notifier, Session, SessionACL};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, umount2};
use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags};

use super::filesystem::VolumeFs;
use crate::passthrough::FuseDevice;
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

/// A mounted volume. Unmounted by [`Mounted::unmount`], or when dropped.
#[derive(Debug)]
pub struct Mounted {
    session: Option<BackgroundSession>,
    path: PathBuf,
}

#[derive(Debug)]
struct Kernel {
    notifier: Notifier,
    /// Where it is mounted, and the device number of that mount.
    path: PathBuf,
    device: u64,
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

/// Mounts `volume` at `path`, which is made if it is missing, and serves it with `threads` workers.
pub fn mount(
    volume: &Arc<Volume>,
    path: &Path,
    threads: usize,
    passthrough: bool,
) -> Result<Mounted, MountError> {
    let unusable = |source| MountError::MountPoint { path: path.to_owned(), source };
    clear_stale_mount(path).map_err(unusable)?;
    std::fs::create_dir_all(path).map_err(unusable)?;

    let mut config = Config::default();
    config.mount_options = vec![
        MountOption::FSName(format!("mediagate:{}", volume.name)),
        MountOption::Subtype("mediagate".into()),
        MountOption::NoSuid,
        MountOption::NoDev,
        MountOption::NoExec,
        MountOption::NoAtime,
    ];
    config.acl = SessionACL::All;
    config.n_threads = Some(threads);
    config.clone_fd = true;

    let refused = |source| MountError::Refused { path: path.to_owned(), source };
    let negotiated = Arc::new(AtomicBool::new(false));
    let filesystem =
        VolumeFs { volume: Arc::clone(volume), passthrough, negotiated: Arc::clone(&negotiated) };
    let session = Session::new(filesystem, path, &config).map_err(refused)?;
    if negotiated.load(Acquire) {
        let device = session.as_fd().try_clone_to_owned().map_err(refused)?;
        volume.passthrough.enable(Arc::new(FuseDevice(device)));
    }
    let root = open_root(path).map_err(|errno| refused(errno.into()))?;
    let device = device(&root).map_err(|errno| refused(errno.into()))?;
    drop(root);
    let kernel = Kernel { notifier: session.notifier(), path: path.to_owned(), device };
    volume.notices.start(kernel, Arc::clone(&volume.observer)).map_err(refused)?;
    let session = session.spawn().map_err(refused)?;
    Ok(Mounted { session: Some(session), path: path.to_owned() })
}

impl Mounted {
    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Unmounts. Nobody can reach the volume by its path any more when this returns; files that are still open stay
    /// usable until they are closed or the process ends.
    pub fn unmount(mut self) {
        self.detach();
    }

    fn detach(&mut self) {
        let Some(session) = self.session.take() else { return };
        let Err(error) = session.umount_and_join() else { return };
        // EBUSY: a file is open. Its user goes on; the workers end with the last such file, or with the process.
        log::info!("mount={}: {error}; detaching it", self.path.display());
        match umount2(&self.path, MntFlags::MNT_DETACH) {
            // EINVAL: somebody unmounted it already.
            Ok(()) | Err(Errno::EINVAL) => {}
            Err(error) => log::error!("mount={}: cannot unmount: {error}", self.path.display()),
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        self.detach();
    }
}
