//! How the open handles of one inode are served, from its first OPEN to its last RELEASE.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use nix::errno::Errno;
use parking_lot::Mutex;

use super::budget::{Budget, Exhausted, Ticket};
use super::device::{Backing, BackingDevice, Interface};
use super::warm::{Fate, Room, Warm};
use crate::observe::{Counter, Gauge, Observer};

/// Calls of [`Passthrough::let_go`] that a parked file stays for.
const TURNS: u8 = 5;

/// How one open is served.
#[derive(Clone, Debug)]
pub enum IoMode {
    /// By the kernel, from this backing file.
    Kernel(Arc<Registered>),
    /// By the daemon, through the kernel's page cache.
    Daemon,
}

/// A backing file, and its place in the budget unless it is parked.
#[derive(Debug)]
pub struct Registered {
    backing: Backing,
    ticket: Mutex<Option<Ticket>>,
    observer: Arc<Observer>,
}

impl Registered {
    /// The number to answer OPEN with.
    pub fn id(&self) -> u32 {
        self.backing.id()
    }

    /// Gives its place in the budget back, or takes one.
    fn charge(&self, ticket: Option<Ticket>) {
        let parked = ticket.is_none();
        let before = std::mem::replace(&mut *self.ticket.lock(), ticket);
        if before.is_none() != parked {
            self.observer.shift(Gauge::BackingParked, if parked { 1 } else { -1 });
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        if self.ticket.get_mut().is_none() {
            self.observer.shift(Gauge::BackingParked, -1);
        }
    }
}

/// What the last handle of a file leaves, or what was parked. Dropping it may close a backing file: do it without a lock.
pub type Parked = (Option<IoMode>, Option<Arc<OwnedFd>>);

/// The state of one inode.
///
/// Without open handles `mode` and `fd` are there only while the state is parked (see `super::warm`).
#[derive(Debug, Default)]
pub struct IoState {
    opens: u32,
    mode: Option<IoMode>,
    /// A descriptor of the lower file: what requests on open but removed files work with.
    fd: Option<Arc<OwnedFd>>,
    /// The list of parked files has an entry for this one.
    listed: bool,
    /// Calls of [`Passthrough::let_go`] since it was used last.
    age: u8,
    /// It was spared once since it was used last.
    spared: bool,
}

impl IoState {
    /// A descriptor (usually `O_PATH`) of the lower file, while it is open or parked.
    pub fn fd(&self) -> Option<Arc<OwnedFd>> {
        self.fd.clone()
    }

    /// There are open handles, and the kernel serves them.
    pub fn is_open_by_kernel(&self) -> bool {
        self.opens > 0 && matches!(self.mode, Some(IoMode::Kernel(_)))
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

    /// One open less. If it was the last, what that leaves is returned, or parked if `park` is true and the kernel
    /// served it. The flag is true if the list of parked files wants an entry for this one.
    #[must_use = "dropping it under the lock would hold the lock across an ioctl"]
    pub fn leave(&mut self, park: bool) -> (Parked, bool) {
        self.opens = self.opens.saturating_sub(1);
        if self.opens > 0 {
            return ((None, None), false);
        }
        match &self.mode {
            Some(IoMode::Kernel(registered)) if park => {
                registered.charge(None);
                (self.age, self.spared) = (0, false);
                ((None, None), !std::mem::replace(&mut self.listed, true))
            }
            _ => (self.take(), false),
        }
    }

    /// Takes out what is parked.
    #[must_use = "dropping it under the lock would hold the lock across an ioctl"]
    pub fn unpark(&mut self) -> Parked {
        if self.opens == 0 { self.take() } else { (None, None) }
    }

    fn take(&mut self) -> Parked {
        (self.mode.take(), self.fd.take())
    }

    fn is_parked(&self) -> bool {
        self.opens == 0 && self.mode.is_some()
    }

    /// For who needs room: a parked file goes unless it was used since it was asked last.
    pub(super) fn evict(&mut self) -> Fate {
        if self.is_parked() && !std::mem::replace(&mut self.spared, true) {
            return Fate::Stays;
        }
        self.listed = false;
        Fate::Goes(self.unpark())
    }

    /// As time goes by: a parked file goes when it was not used for some turns.
    pub(super) fn grow_old(&mut self) -> Fate {
        if self.is_parked() && self.age < TURNS {
            self.age += 1;
            return Fate::Stays;
        }
        self.listed = false;
        Fate::Goes(self.unpark())
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
    warm: Warm,
    budget: Arc<Budget>,
    observer: Arc<Observer>,
}

impl Passthrough {
    /// Off until [`Passthrough::enable`].
    pub fn new(budget: Arc<Budget>, room: Room, observer: Arc<Observer>) -> Passthrough {
        Passthrough {
            device: Mutex::new(None),
            hopeless: AtomicBool::new(false),
            warm: Warm::new(room),
            budget,
            observer,
        }
    }

    /// One open of `io` less. `stays` says that the file is still there to be opened again.
    pub fn leave(&self, io: &Arc<Mutex<IoState>>, stays: bool) {
        let (left, wants_entry) = io.lock().leave(stays && self.warm.is_on() && !self.is_one_shot());
        drop(left);
        if wants_entry {
            self.warm.push(Arc::downgrade(io));
        }
    }

    /// Starts or stops keeping backing files beyond their last open. Only for who lets go of files that are moved or
    /// removed behind the mount, too (`File::cool_down`).
    pub fn keep_warm(&self, on: bool) {
        self.warm.turn(on);
    }

    /// Lets go of backing files that were not used for some seconds. To be called once a second.
    pub fn let_go(&self) {
        self.warm.let_go();
    }

    /// Lets go of every backing file that no handle uses.
    pub fn let_go_of_all(&self) {
        self.warm.clear();
    }

    /// The connection negotiated passthrough and this is its device.
    pub fn enable(&self, device: Arc<dyn BackingDevice>) {
        *self.device.lock() = Some(device);
    }

    /// `upstream` or `legacy`, or `off` and why.
    pub fn describe(&self) -> &'static str {
        match self.interface() {
            _ if self.hopeless.load(Relaxed) => "off: the kernel refuses backing files on this mount",
            Some(interface) => interface.name(),
            None => "off: not negotiated",
        }
    }

    /// The interface in use.
    pub fn interface(&self) -> Option<Interface> {
        self.device.lock().as_ref().map(|device| device.interface())
    }

    /// Whether files are handed to the kernel for all that is done with them.
    pub fn is_upstream(&self) -> bool {
        !self.hopeless.load(Relaxed) && self.interface() == Some(Interface::Upstream)
    }

    /// Whether each open needs a registration of its own: then [`Passthrough::join_once`] is how it is served.
    pub fn is_one_shot(&self) -> bool {
        self.interface() == Some(Interface::Legacy)
    }

    /// Like [`Passthrough::join`], where a registration serves one open: `opened` is the lower file as the app is to have it, if it
    /// could be opened so.
    pub fn join_once(
        &self,
        io: &Mutex<IoState>,
        fd: &Arc<OwnedFd>,
        opened: Option<Arc<OwnedFd>>,
        uid: u32,
    ) -> IoMode {
        let by_daemon = {
            let state = io.lock();
            state.opens > 0 && matches!(state.mode, Some(IoMode::Daemon))
        };
        let registered = match opened {
            _ if by_daemon => Err(RefusedBy::InodeInDaemonMode),
            Some(opened) => self.register(&opened, uid).map(Arc::new),
            None => Err(RefusedBy::Failed),
        };
        let wanted = registered.as_ref().map_or(IoMode::Daemon, |it| IoMode::Kernel(Arc::clone(it)));
        // The first open decides for all, as it does upstream: pages that the daemon fills know nothing of what the
        // kernel writes past them.
        let mode = io.lock().join(wanted, fd);
        match (mode, registered) {
            (IoMode::Kernel(_), Ok(registered)) => {
                self.observer.count(Counter::OpenPassthrough);
                self.observer.count(Counter::BackingRegistered);
                IoMode::Kernel(registered)
            }
            (_, Ok(_)) => {
                self.count_refusal(RefusedBy::InodeInDaemonMode);
                IoMode::Daemon
            }
            (_, Err(cause)) => {
                self.count_refusal(cause);
                IoMode::Daemon
            }
        }
    }

    /// Decides how an open of the original view by `uid` is served, and counts it. `fd` refers to the lower file.
    /// Undo with [`IoState::leave`].
    pub fn join(&self, io: &Mutex<IoState>, fd: &Arc<OwnedFd>, uid: u32) -> IoMode {
        let parked = io.lock().is_parked();
        if parked && let Some(mode) = self.reuse(io, uid) {
            return mode;
        }
        let shared = {
            let mut state = io.lock();
            if state.opens > 0 { state.mode.clone().map(|mode| state.join(mode, fd)) } else { None }
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
        // other's registration is closed when `wanted` is dropped. What is parked by then is nobody's.
        let (mode, parked) = {
            let mut state = io.lock();
            let parked = state.unpark();
            (state.join(wanted.clone(), fd), parked)
        };
        drop(parked);
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

    /// Takes a parked backing file into use, if `uid` may have one more and it is still there.
    fn reuse(&self, io: &Mutex<IoState>, uid: u32) -> Option<IoMode> {
        let ticket = self.budget.take(uid, 1).ok()?;
        let mode = {
            let mut state = io.lock();
            let mode = if state.is_parked() { state.mode.clone() } else { None };
            if let Some(IoMode::Kernel(registered)) = &mode {
                registered.charge(Some(ticket));
                state.opens = 1;
            }
            mode?
        };
        self.observer.count(Counter::OpenPassthrough);
        self.observer.count(Counter::BackingReused);
        Some(mode)
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
        if usize::try_from(self.observer.gauge(Gauge::BackingParked)).is_ok_and(|n| n > self.warm.room()) {
            self.warm.trim();
        }
        let ticket = self.budget.take(uid, 1).map_err(|exhausted| match exhausted {
            Exhausted::Uid => RefusedBy::UidBudget,
            Exhausted::Total => RefusedBy::TotalBudget,
        })?;
        match Backing::register(&device, fd.as_fd()) {
            Ok(backing) => {
                let (ticket, observer) = (Mutex::new(Some(ticket)), Arc::clone(&self.observer));
                Ok(Registered { backing, ticket, observer })
            }
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
