//! What is done about every request, whatever it asks: it is counted, kept in the table of those in flight, and a panic stops here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use fuser::{INodeNo, InitFlags, KernelConfig, ReplyEmpty, ReplyEntry, Request};

use super::busy_poll::{BusyPoll, Look};
use super::reply::{reply_entry, wire};
use crate::observe::Counter;
use crate::ops::{Entry, OpError};
use crate::passthrough::Interface;
use crate::volume::Volume;

/// A volume, as the FUSE library wants it.
#[derive(Debug)]
pub(super) struct VolumeFs {
    pub(super) volume: Arc<Volume>,
    /// Whether to ask for passthrough.
    pub(super) passthrough: bool,
    /// Told once INIT was answered what the kernel gave.
    pub(super) negotiated: Arc<OnceLock<Interface>>,
    /// Looks for the next request.
    pub(super) busy_poll: Arc<BusyPoll>,
}

/// Counts a request of `(uid, pid)`, keeps it in the table of those in flight while `work` answers it, and stops a panic: `work`
/// has taken the reply, whose drop answers EIO.
pub(super) fn handle<T>(
    volume: &Volume,
    (uid, pid): (u32, u32),
    counter: Counter,
    ino: INodeNo,
    work: impl FnOnce(&Volume) -> T,
) {
    let observer = &volume.observer;
    observer.count(counter);
    let _flight = observer.inflight.enter(counter.name(), ino.0, uid, pid);
    if catch_unwind(AssertUnwindSafe(|| work(volume))).is_err() {
        observer.count(Counter::Panics);
        log::error!("op={} node={} uid={uid}: panicked, answered EIO", counter.name(), ino.0);
    }
}

/// Asks for passthrough as the kernel offers it.
pub(super) fn negotiate(config: &mut KernelConfig, stacked: bool) -> Option<Interface> {
    let minor = config.kernel_abi().1;
    // By asking for them: the library's `capabilities` leaves out bits that it has no name for, as Android's.
    let takes = |bit| config.add_capabilities(InitFlags::from_bits_retain(bit)).is_ok();
    let interface = Interface::offered(takes, minor)?;
    if interface == Interface::Upstream {
        // 2 lets the lower file system be stacked itself, 1 keeps this mount usable as a lower one of overlayfs.
        config.set_max_stack_depth(if stacked { 2 } else { 1 }).ok()?;
    }
    Some(interface)
}

impl VolumeFs {
    /// [`handle`], and then a look for the next request: whoever waits for this one has its answer from `work`.
    pub(super) fn handle<T>(
        &self,
        request: &Request,
        counter: Counter,
        ino: INodeNo,
        work: impl FnOnce(&Volume) -> T,
    ) {
        let burst = self.busy_poll.arrived();
        handle(&self.volume, (request.uid(), request.pid()), counter, ino, work);
        match self.busy_poll.answered(burst) {
            Some(Look::Met) => self.volume.observer.count(Counter::PollsMet),
            Some(Look::InVain) => self.volume.observer.count(Counter::PollsInVain),
            Some(Look::Taken) | None => {}
        }
    }

    /// A request that is answered by yes or no.
    pub(super) fn empty(
        &self,
        request: &Request,
        counter: Counter,
        ino: INodeNo,
        reply: ReplyEmpty,
        work: impl FnOnce(&Volume) -> Result<(), OpError>,
    ) {
        self.handle(request, counter, ino, |volume| match work(volume) {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(wire(&error)),
        });
    }

    /// A request that is answered by what a name stands for.
    pub(super) fn entry(
        &self,
        request: &Request,
        counter: Counter,
        ino: INodeNo,
        reply: ReplyEntry,
        work: impl FnOnce(&Volume) -> Result<Entry, OpError>,
    ) {
        self.handle(request, counter, ino, |volume| match work(volume) {
            Ok(entry) => reply_entry(reply, &entry),
            Err(error) => reply.error(wire(&error)),
        });
    }
}
