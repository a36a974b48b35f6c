//! One file for each operation, free of any protocol: decide, touch the lower file system, keep nodes and the index in
//! step. The FUSE adapter decodes, calls one of these, and replies.

mod access;
mod attr;
mod create;
mod dirs;
mod explain;
mod grant;
mod io;
mod links;
mod list;
mod lookup;
mod open;
mod opendir;
mod owners;
mod redacted;
mod rename;
mod space;
mod types;
mod unlink;

pub use access::access;
pub use attr::{SetAttr, getattr, setattr};
pub use create::{create, mknod};
pub use dirs::{mkdir, rmdir};
pub use explain::{explain, is_nothing};
pub use grant::{Grantable, grant_place, grantable};
pub use io::{allocate, copy_range, fsync, fsync_dir, kernel_copies, read, seek, write};
pub use links::make_link;
pub use list::plus_entry;
pub use lookup::lookup;
pub use open::{OpenRequest, open, open_may_wait, release};
pub use opendir::{listing, opendir, releasedir};
pub use rename::rename;
pub use space::statfs;
pub use types::{Caller, Created, Entry, LookupReply, Opened};
pub use unlink::unlink;

pub use crate::volume::OpError;
