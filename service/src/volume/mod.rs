//! A volume: its lower root, the nodes and handles over it, and what they need to decide.
//!
//! The FUSE adapter and [`crate::ops`] work on a `Volume`; it knows neither.

mod acting;
mod behind;
mod disown;
mod error;
mod facts;
mod gate;
mod handle;
mod held;
mod index;
mod indexed;
mod location;
mod marks;
mod moves;
mod notice;
mod projects;
mod shown;
mod slots;
mod snapshot;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

use mediagate_policy::VolumeKind;
use nix::sys::utsname::uname;

use crate::access::Access;
use crate::catalog::{Catalog, VolumeKey};
use crate::kernel::keeps_listings_too_long;
use crate::lower::{LowerError, Meta, Root};
use crate::node::{Handles, Table};
use crate::observe::{Gauge, Observer};
use crate::passthrough::{Budget, Passthrough, Room};
use crate::redaction::Located;

pub use crate::node::Hushed;
pub use acting::{Acting, uid_of};
pub use behind::{BehindDir, Change, Found};
pub use error::OpError;
pub use gate::{Gate, Moving};
pub use handle::{DirHandle, FileHandle};
pub use index::Looked;
pub use location::{Redaction, Resting, Sight};
pub use moves::{Listening, Look, Moves, Went};
pub use notice::{KernelCache, Notice, Notices};
pub use shown::Showing;
pub use snapshot::{Listed, Snapshot};

/// Everything a volume is made from.
#[derive(Debug)]
pub struct Parts {
    /// Volume name.
    pub name: String,
    /// Emulated or public.
    pub kind: VolumeKind,
    /// Users served; emulated volumes only.
    pub users: Vec<u32>,
    /// The lower tree.
    pub lower: Root,
    /// How long the kernel may trust names and attributes: seconds, negative for ever; `None` for as long as the watch
    /// allows.
    pub cache_seconds: Option<i32>,
    /// The volume's key in the catalog.
    pub key: VolumeKey,
    /// The index.
    pub catalog: Arc<Catalog>,
    /// Decisions.
    pub access: Arc<Access>,
    /// Finds location data.
    pub located: Located,
    /// Bounds of backing files, over all volumes.
    pub budget: Arc<Budget>,
    /// How many backing files may outlive their last open for a while.
    pub room: Room,
    /// How many directories may be kept open.
    pub held_dirs: usize,
    /// Bounds of open handles, over all volumes.
    pub handles: Arc<Budget>,
    /// Bounds of the entries that listings hold, over all volumes.
    pub listed: Arc<Budget>,
    /// Numbers.
    pub observer: Arc<Observer>,
}

/// A volume that can be mounted.
#[derive(Debug)]
pub struct Volume {
    /// Volume name.
    pub name: String,
    /// Emulated or public.
    pub kind: VolumeKind,
    /// Users served; emulated volumes only.
    pub users: Vec<u32>,
    /// The lower tree.
    pub lower: Root,
    /// The volume's key in the catalog.
    pub key: VolumeKey,
    /// The index.
    pub catalog: Arc<Catalog>,
    /// Decisions.
    pub access: Arc<Access>,
    /// Finds location data.
    pub located: Located,
    /// Numbers.
    pub observer: Arc<Observer>,
    /// What the kernel knows.
    pub nodes: Table,
    /// Open files.
    pub files: Handles<FileHandle>,
    /// Open directories.
    pub dirs: Handles<DirHandle>,
    /// Backing files.
    pub passthrough: Arc<Passthrough>,
    /// Bounds of open handles, over all volumes.
    pub handles: Arc<Budget>,
    /// Bounds of the entries that listings hold, over all volumes.
    pub listed: Arc<Budget>,
    /// Keeps checked renames true.
    pub gate: Gate,
    /// Names that are being put somewhere.
    pub moves: Moves,
    /// Tells the kernel what it should forget.
    pub notices: Notices,
    held: held::Held,
    cache_seconds: Option<i32>,
    watched: AtomicBool,
    /// Owners are asked of the files: the rows may be of another time.
    doubted: AtomicBool,
    indexed: indexed::Indexed,
    shown: slots::Slots,
    /// What the kernel keeps of listings is dropped where that is said.
    keeps_listings: bool,
    owner_changes: AtomicU64,
    /// The series of ids that files are marked with; 0 where they are not.
    series: AtomicU64,
}

impl Volume {
    /// Puts a volume together.
    pub fn new(parts: Parts) -> Result<Volume, LowerError> {
        let root = Meta::of(parts.lower.as_fd())?;
        Ok(Volume {
            nodes: Table::new(&root, Arc::clone(&parts.observer)),
            files: Handles::new(Gauge::FileHandles, Arc::clone(&parts.observer)),
            dirs: Handles::new(Gauge::DirHandles, Arc::clone(&parts.observer)),
            passthrough: Arc::new(Passthrough::new(parts.budget, parts.room, Arc::clone(&parts.observer))),
            notices: Notices::default(),
            gate: Gate::default(),
            moves: Moves::default(),
            held: held::Held::new(parts.held_dirs),
            handles: parts.handles,
            listed: parts.listed,
            name: parts.name,
            kind: parts.kind,
            users: parts.users,
            lower: parts.lower,
            key: parts.key,
            catalog: parts.catalog,
            access: parts.access,
            located: parts.located,
            observer: parts.observer,
            cache_seconds: parts.cache_seconds,
            watched: AtomicBool::new(false),
            doubted: AtomicBool::new(false),
            indexed: indexed::Indexed::default(),
            shown: slots::Slots::new(shown::PLACES),
            keeps_listings: uname().is_ok_and(|it| !keeps_listings_too_long(&it.release().to_string_lossy())),
            owner_changes: AtomicU64::new(0),
            series: AtomicU64::new(0),
        })
    }

    /// Files are marked with the ids of their rows.
    pub fn is_marked(&self) -> bool {
        self.series.load(Relaxed) != 0
    }

    /// The rows may be older than what was last known: a power cut takes commits back, and so does a backup. Where files carry
    /// their owners, no row is believed to know one until [`Volume::trust_rows`].
    pub fn doubt_rows(&self) {
        self.doubted.store(self.lower.has_xattrs(), Release);
    }

    /// All files were looked at.
    pub fn trust_rows(&self) {
        self.doubted.store(false, Release);
    }

    /// Whether owners are to be asked of the files.
    pub fn doubts_rows(&self) -> bool {
        self.doubted.load(Acquire)
    }

    /// True while every change of the lower tree is heard of.
    pub fn is_watched(&self) -> bool {
        self.watched.load(Acquire)
    }

    /// From now on, every change of the lower tree is heard of, or not any more. What the kernel was told before is not
    /// taken back by this: [`Volume::forget_everything`] does.
    pub fn set_watched(&self, watched: bool) {
        if self.watched.swap(watched, Release) != watched {
            self.observer.shift(Gauge::Watched, if watched { 1 } else { -1 });
            self.passthrough.keep_warm(watched);
            self.held.clear();
        }
    }
}
