//! Ctrl-C, SIGTERM and SIGHUP, waited for instead of being died of: the volume has to be unmounted first.

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// The blocked signals. They stay blocked to the end of the process.
pub(super) struct Signals {
    set: SigSet,
}

impl Signals {
    /// Blocks them for this thread and all that it starts.
    pub(super) fn block() -> Signals {
        let mut set = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            set.add(signal);
        }
        if let Err(why) = set.thread_block() {
            log::warn!("signals cannot be blocked ({why}): an interrupted demo leaves its mount behind");
        }
        Signals { set }
    }

    /// True when one of them has arrived. It stays pending for [`Self::wait`] to find.
    pub(super) fn arrived(&self) -> bool {
        // `sigpending` has no wrapper in nix; a signalfd becomes readable while one is pending.
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use std::os::fd::AsFd;
        let Ok(fd) = SignalFd::with_flags(&self.set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK) else {
            return false;
        };
        poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO)
            .is_ok_and(|ready| ready > 0)
    }

    /// Waits for one of them.
    pub(super) fn wait(&self) {
        while self.set.wait().is_err_and(|why| why == nix::errno::Errno::EINTR) {}
    }
}
