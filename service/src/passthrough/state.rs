//! How the open handles of one inode are served, from its first OPEN to its last RELEASE.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use nix::errno::Errno;
use parking_lot::Mutex;

use super::budget::{Budget, Exhausted, Ticket};
use super::device::{Backing, BackingDevice};
use crate::observe::{Counter, Observer};

/// How one open is served.
#[derive(Clone, Debug)]
pub enum IoMode {
    /// By the kernel, from this backing file.
    Kernel(Arc<Registered>),
    /// By the daemon, through the kernel's page cache.
    Daemon,
}

/// A backing file, its place in the budget, and the descriptor that it belongs to.
#[derive(Debug)]
pub struct Registered {
    backing: Backing,
    _ticket: Ticket,
}

impl Registered {
    /// The number to answer OPEN with.
    pub fn id(&self) -> u32 {
        self.backing.id()
    }
}

/// The state of one inode.
#[derive(Debug, Default)]
pub struct IoState {
    opens: u32,
    mode: Option<IoMode>,
    /// A descriptor of the lower file: what requests on open but removed files work with.
    fd: Option<Arc<OwnedFd>>,
}

impl IoState {
    /// A descriptor (usually `O_PATH`) of the lower file, while it is open.
    pub fn fd(&self) -> Option<Arc<OwnedFd>> {
        self.fd.clone()
    }

    /// One open more that the daemon serves in any case.
    pub fn join_daemon(&mut self, fd: &Arc<OwnedFd>) {
        self.join(IoMode::Daemon, fd);
    }

    /// One open more, served as `wanted` unless the inode is already being served: then as that is.
    fn join(&mut self, wanted: IoMode, fd: &Arc<OwnedFd>) -> IoMode {
        self.opens += 1;
        self.fd.get_or_insert_with(|| Arc::clone(fd));
        self.mode.get_or_insert(wanted).clone()
    }

    /// One open less. What it returns is dropped by the caller, outside of the lock: it may close a backing file.
    #[must_use = "dropping it under the lock would hold the lock across an ioctl"]
    pub fn leave(&mut self) -> (Option<IoMode>, Option<Arc<OwnedFd>>) {
        self.opens = self.opens.saturating_sub(1);
        if self.opens == 0 { (self.mode.take(), self.fd.take()) } else { (None, None) }
    }
}

/// Why an open was not handed to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedBy {
    /// The volume or the kernel does without.
    Off,
    /// The redacted view is always served by the daemon.
    RedactedView,
    /// Another open of the inode is being served by the daemon.
    InodeInDaemonMode,
    /// The uid's share is used up.
    UidBudget,
    /// All are used up.
    TotalBudget,
    /// EPERM: no CAP_SYS_ADMIN, or the connection did not negotiate it.
    NotPermitted,
    /// ELOOP: the lower file system is stacked too deeply.
    Stacking,
    /// EMFILE, ENFILE, ENOMEM.
    NoResources,
    /// Any other answer.
    Failed,
}

impl RefusedBy {
    /// The counter of this cause.
    pub const fn counter(self) -> Counter {
        match self {
            RefusedBy::Off => Counter::DaemonOff,
            RefusedBy::RedactedView => Counter::DaemonRedacted,
            RefusedBy::InodeInDaemonMode => Counter::DaemonMode,
            RefusedBy::UidBudget => Counter::DaemonBudgetUid,
            RefusedBy::TotalBudget => Counter::DaemonBudgetTotal,
            RefusedBy::NotPermitted => Counter::DaemonNotPermitted,
            RefusedBy::Stacking => Counter::DaemonStacking,
            RefusedBy::NoResources => Counter::DaemonNoResources,
            RefusedBy::Failed => Counter::DaemonRegisterFailed,
        }
    }

    fn of(errno: Errno) -> RefusedBy {
        match errno {
            Errno::EPERM => RefusedBy::NotPermitted,
            Errno::ELOOP => RefusedBy::Stacking,
            Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM => RefusedBy::NoResources,
            _ => RefusedBy::Failed,
        }
    }
}

/// Passthrough on one volume.
#[derive(Debug)]
pub struct Passthrough {
    device: Mutex<Option<Arc<dyn BackingDevice>>>,
    /// Set when the kernel said that it will never work on this mount.
    hopeless: AtomicBool,
    budget: Arc<Budget>,
    observer: Arc<Observer>,
}

impl Passthrough {
    /// Off until [`Passthrough::enable`].
    pub fn new(budget: Arc<Budget>, observer: Arc<Observer>) -> Passthrough {
        Passthrough { device: Mutex::new(None), hopeless: AtomicBool::new(false), budget, observer }
    }

    /// The connection negotiated passthrough and this is its device.
    pub fn enable(&self, device: Arc<dyn BackingDevice>) {
        *self.device.lock() = Some(device);
    }

    /// `upstream`, or `off` and why.
    pub fn describe(&self) -> &'static str {
        if self.hopeless.load(Relaxed) {
            "off: the kernel refuses backing files on this mount"
        } else if self.device.lock().is_some() {
            "upstream"
        } else {
            "off: not negotiated"
        }
    }

    /// Decides how an open of the original view by `uid` is served, and counts it. `fd` refers to the lower file.
    /// Undo with [`IoState::leave`].
    pub fn join(&self, io: &Mutex<IoState>, fd: &Arc<OwnedFd>, uid: u32) -> IoMode {
        let shared = {
            let mut state = io.lock();
            state.mode.clone().map(|mode| state.join(mode, fd))
        };
        let (wanted, cause) = match shared {
            Some(mode) => {
                match &mode {
                    IoMode::Kernel(_) => {
                        self.observer.count(Counter::OpenPassthrough);
                        self.observer.count(Counter::BackingReused);
                    }
                    IoMode::Daemon => self.count_refusal(RefusedBy::InodeInDaemonMode),
                }
                return mode;
            }
            None => match self.register(fd, uid) {
                Ok(registered) => (IoMode::Kernel(Arc::new(registered)), None),
                Err(cause) => (IoMode::Daemon, Some(cause)),
            },
        };
        // Two first opens may have come here at once: the one that takes the lock first decides for both, and the
        // other's registration is closed when `wanted` is dropped.
        let mode = io.lock().join(wanted.clone(), fd);
        match (&mode, &wanted) {
            (IoMode::Kernel(used), IoMode::Kernel(own)) if Arc::ptr_eq(used, own) => {
                self.observer.count(Counter::OpenPassthrough);
                self.observer.count(Counter::BackingRegistered);
            }
            (IoMode::Kernel(_), _) => {
                self.observer.count(Counter::OpenPassthrough);
                self.observer.count(Counter::BackingReused);
            }
            (IoMode::Daemon, _) => self.count_refusal(cause.unwrap_or(RefusedBy::InodeInDaemonMode)),
        }
        mode
    }

    /// Counts an open that the daemon serves.
    pub fn count_refusal(&self, cause: RefusedBy) {
        self.observer.count(Counter::OpenDaemon);
        self.observer.count(cause.counter());
    }

    fn register(&self, fd: &Arc<OwnedFd>, uid: u32) -> Result<Registered, RefusedBy> {
        if self.hopeless.load(Relaxed) {
            return Err(RefusedBy::Off);
        }
        let device = self.device.lock().clone().ok_or(RefusedBy::Off)?;
        let ticket = self.budget.take(uid, 1).map_err(|exhausted| match exhausted {
            Exhausted::Uid => RefusedBy::UidBudget,
            Exhausted::Total => RefusedBy::TotalBudget,
        })?;
        match Backing::register(&device, fd.as_fd()) {
            Ok(backing) => Ok(Registered { backing, _ticket: ticket }),
            Err(errno) => {
                let cause = RefusedBy::of(errno);
                if matches!(cause, RefusedBy::NotPermitted | RefusedBy::Stacking)
                    && !self.hopeless.swap(true, Relaxed)
                {
                    log::warn!(
                        "passthrough is off for this mount: the kernel answered {errno} (EPERM: it needs \
                         CAP_SYS_ADMIN in the initial user namespace; ELOOP: the lower file system is stacked)"
                    );
                }
                Err(cause)
            }
        }
    }
}
