//! Handing approved opens to the kernel: backing files, and the rules for mixing ways of serving one inode.
//!
//! Upstream kernels allow one backing file for each FUSE inode and refuse, with EIO at open(2), to mix passthrough
//! opens of an inode with others (fs/fuse/iomode.c). So each file carries an [`IoState`] from its first OPEN to its
//! last RELEASE: all opens meanwhile are served the way the first one was, and share its backing file.
//!
//! The backing file is registered once, from whatever descriptor the open came with. With the last open it is
//! parked for some seconds (`warm`) and then closed. It goes with a descriptor of ours, so there are never more
//! backing files than our descriptors; [`Budget`] bounds those in use for each uid and in all, and a bound of their own
//! those that are parked. A registration that fails never fails the open: the daemon serves it, and the cause is counted.
//!
//! Android's kernels before 6.12 have an older interface ([`Interface::Legacy`]): each OPEN has a registration of its own, made from a
//! descriptor that is open as the app is to have it. Nothing is shared or parked there.
//!
//! # Locks
//! A file's `io` mutex is held to look at and change the state only, never across the ioctls. The budget's locks may be
//! taken under it.

mod budget;
mod device;
mod state;
mod warm;

#[cfg(test)]
mod tests;

pub use budget::{Budget, Exhausted, Limits, Ticket};
pub use device::{Backing, BackingDevice, FuseDevice, Interface, LegacyDevice};
pub use state::{IoMode, IoState, Parked, Passthrough, RefusedBy};
pub use warm::Room;
