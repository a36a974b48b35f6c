//! Nodes: what the kernel knows of a volume, and where each is on the lower file system.
//!
//! A node is (lower file, view). Its id is the lower inode number, so that it can be recomputed after a restart;
//! the redacted view of a file sets the top bit; the FUSE root is 1. Both views share one [`File`].
//!
//! # Life
//! A [`File`] enters the [`Table`] with the kernel's first lookup and leaves when the kernel has forgotten both
//! views and nothing refers to it any more: children hold their parent, handles and requests hold their file.
//!
//! # Locks
//! In this order, and none is held across a system call: a table shard, then a file's place. Each is a leaf for
//! everybody outside this module.

mod file;
mod handles;
mod id;
mod pages;
mod table;

#[cfg(test)]
mod tests;

pub use file::{Exposed, File, Owner, Writing};
pub use handles::Handles;
pub use id::{NodeId, View};
pub use pages::{Pages, Token};
pub use table::{Found, Table};
