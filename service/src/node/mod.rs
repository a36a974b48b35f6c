//! Nodes: what the kernel knows of a volume, and where each is on the lower file system.
//!
//! A node is (lower file, view). Its id is the lower inode number, so that it can be recomputed after a restart;
//! the redacted view of a file sets the top bit, the forced view (that of a link) another; the FUSE root is 1. All views share
//! one [`File`]. The directories that lead to links are no files: see [`VirtualDir`].
//!
//! # Life
//! A [`File`] enters the [`Table`] with the kernel's first lookup and leaves when the kernel has forgotten all
//! views and nothing refers to it any more: children hold their parent, handles and requests hold their file.
//!
//! # Locks
//! In this order, and none is held across a system call: a table shard or the table of links, then a file's place. Each is a leaf for
//! everybody outside this module. That of a file's silence ([`File::hush`]) comes before its I/O state's, and is held while the watch
//! marks the file: what it says must be so.

mod dir;
mod file;
mod handles;
mod id;
mod kept;
mod pages;
mod table;
mod writing;

#[cfg(test)]
mod tests;

pub use dir::OpenDir;
pub use file::{Exposed, File, Owner};
pub use handles::Handles;
pub use id::{NodeId, View, VirtualDir};
pub use kept::{KeptListing, Listing};
pub use pages::{Pages, Token};
pub use table::{Found, Table};
pub use writing::{Hushed, Writing};
