//! Every touch of the lower file system.
//!
//! Names are resolved by the kernel beneath the volume's root and never through a symbolic link, a magic link
//! or a mount (`openat2` with `RESOLVE_BENEATH | NO_SYMLINKS | NO_MAGICLINKS | NO_XDEV`), so whatever a process
//! on the lower side does to the tree, an app never gets a byte from outside it. There is no fallback for
//! kernels without `openat2`. What was opened is compared with what was meant ([`Id`]) by the callers.
//!
//! Nothing here knows nodes, policy or SQL, and nothing here takes a lock.

mod dir;
mod error;
mod handle;
mod mark;
mod marker;
mod meta;
mod project;
mod root;
mod written;
mod xattr;

#[cfg(test)]
mod tests;

pub use dir::{DirEntry, each_entry, is_dot, read_dir, read_listing};
pub use error::LowerError;
pub use handle::Handle;
pub use mark::{Mark, Series, mark, series, set_mark, set_series};
pub use meta::{FileKind, Id, Meta, Stamp};
pub use root::{Access, Root, Time};
pub use written::write_out;
pub use xattr::{clear_owner, owner, set_owner};
