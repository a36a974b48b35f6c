//! One lower file or directory that the kernel knows.

use std::os::fd::OwnedFd;
use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use once_cell::race::OnceBox;
use parking_lot::{Mutex, RwLock};

use super::dir::OpenDir;
use super::id::{NodeId, View};
use super::kept::Kept;
use super::pages::Pages;
use super::writing::Writers;
use crate::lower::{FileKind, Id};
use crate::passthrough::IoState;

/// No path that the kernel can resolve has more components (`PATH_MAX` / 2). Bounds every walk up: two directories
/// that the lower side moves into each other while they are looked up could otherwise make a circle.
const DEEPEST: usize = 2048;
/// Bytes that most paths fit into.
const USUAL_PATH: usize = 128;

/// Who owns a file, once it has been looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Not looked up yet.
    Unknown,
    /// Nobody.
    Nobody,
    /// This package.
    Package(Arc<str>),
}

impl From<Option<Arc<str>>> for Owner {
    fn from(owner: Option<Arc<str>>) -> Self {
        owner.map_or(Owner::Nobody, Owner::Package)
    }
}

/// Parent and name, of which the root has neither, and the owner: under one lock, as there are many files.
#[derive(Debug)]
struct Place {
    parent: Option<Arc<File>>,
    name: Box<[u8]>,
    /// Once that is known.
    owner: Option<Arc<str>>,
}

/// What is known of the redacted views.
#[derive(Debug, Default)]
struct RedactedView {
    pages: Pages,
    forced_pages: Pages,
    /// How the open handles of the forced view are served: by the daemon, but it knows that there are some. Kept here as few
    /// files have links.
    forced_io: Arc<Mutex<IoState>>,
    /// When an open was last told to look the name up again because callers are to be told apart.
    parted: Mutex<Option<Instant>>,
}

/// What only directories have, and files that were opened, changed or removed. The kernel knows many more.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// Lookups of the redacted view that the kernel has not forgotten.
    redacted_lookups: AtomicU64,
    /// The path it had when its name went: what is decided about it later must not follow its directory around.
    last_path: Mutex<Vec<u8>>,
    pub(super) writers: Writers,
    /// Open handles that show the file as it is to who may see no location, as there is none.
    exposed: AtomicU32,
    /// For files that have one.
    redacted: OnceLock<Box<RedactedView>>,
    /// How the open handles of the original and of the redacted view are served at the moment.
    io: OnceLock<[Arc<Mutex<IoState>>; 2]>,
    directory: Option<Directory>,
}

/// What only directories have.
#[derive(Debug, Default)]
struct Directory {
    /// Whether it contains a `.nomedia`, and when that was last looked at.
    nomedia: Mutex<Option<(bool, Instant)>>,
    /// Whether names in it have several spellings.
    folds: OnceLock<bool>,
    /// Open on the lower file system.
    held: ArcSwapOption<OpenDir>,
    kept: Kept,
}

/// A lower file or directory.
#[derive(Debug)]
pub struct File {
    /// Which lower file it is.
    pub id: Id,
    /// Its kind.
    pub kind: FileKind,
    is_root: bool,
    /// Whether the owner was looked up; changes with it.
    owner_known: AtomicBool,
    removed: AtomicBool,
    /// The kernel may hold a name for it that it does not ask about.
    named: AtomicBool,
    place: RwLock<Place>,
    /// Lookups of the original view that the kernel has not forgotten.
    lookups: AtomicU64,
    used: OnceBox<Used>,
}

impl File {
    /// A file, or the root, which is in no directory.
    pub(super) fn new(id: Id, kind: FileKind, parent: Option<Arc<File>>, name: &[u8]) -> File {
        let file = File {
            id,
            kind,
            is_root: parent.is_none(),
            owner_known: AtomicBool::new(false),
            removed: AtomicBool::new(false),
            named: AtomicBool::new(false),
            place: RwLock::new(Place { parent, name: name.into(), owner: None }),
            lookups: AtomicU64::new(0),
            used: OnceBox::new(),
        };
        if kind == FileKind::Directory {
            let used = Used { directory: Some(Directory::default()), ..Used::default() };
            // Nobody else has it yet.
            let _ = file.used.set(Box::new(used));
        }
        file
    }

    pub(super) fn used(&self) -> &Used {
        self.used.get_or_init(Box::default)
    }

    pub(super) fn writers(&self) -> Option<&Writers> {
        self.used.get().map(|used| &used.writers)
    }

    fn directory(&self) -> Option<&Directory> {
        self.used.get().and_then(|used| used.directory.as_ref())
    }

    /// What the kernel keeps of a directory's listing.
    pub(super) fn kept(&self) -> Option<&Kept> {
        self.directory().map(|it| &it.kept)
    }

    fn redacted(&self) -> &RedactedView {
        self.used().redacted.get_or_init(Box::default)
    }

    /// The id of its original view.
    pub fn node(&self) -> NodeId {
        if self.is_root { NodeId::ROOT } else { NodeId::of_served(self.id.ino) }
    }

    /// The lookups of a view, original or redacted, that the kernel has not forgotten. They change with the file's shard
    /// locked.
    pub(super) fn lookups(&self, view: View) -> u64 {
        match view {
            View::Original => self.lookups.load(Relaxed),
            _ => self.used.get().map_or(0, |used| used.redacted_lookups.load(Relaxed)),
        }
    }

    pub(super) fn add_lookups(&self, view: View, n: u64) {
        match view {
            View::Original => self.lookups.fetch_add(n, Relaxed),
            _ if n == 0 => 0,
            _ => self.used().redacted_lookups.fetch_add(n, Relaxed),
        };
    }

    /// Takes `n` of them away, or as many as there are; how many that is.
    pub(super) fn take_lookups(&self, view: View, n: u64) -> u64 {
        let taken = n.min(self.lookups(view));
        if taken > 0 {
            let all = if view == View::Original { &self.lookups } else { &self.used().redacted_lookups };
            all.fetch_sub(taken, Relaxed);
        }
        taken
    }

    /// True if the kernel has forgotten the original and the redacted view.
    pub(super) fn is_forgotten(&self) -> bool {
        self.lookups(View::Original) == 0 && self.lookups(View::Redacted) == 0
    }

    /// Path below the volume's lower root: bytes, no leading slash; empty for the root.
    ///
    /// Ancestors are read one after another: a rename meanwhile gives a path that never was. Whoever uses the path
    /// on the lower file system checks that it led to the file that was meant.
    pub fn path(&self) -> Vec<u8> {
        if self.is_removed() { self.used().last_path.lock().clone() } else { self.live_path() }
    }

    fn live_path(&self) -> Vec<u8> {
        // From the last byte to the first, so that one buffer serves whatever the depth is.
        let mut backwards = Vec::with_capacity(USUAL_PATH);
        let mut above = self.step(&mut backwards);
        for _ in 0..DEEPEST {
            let Some(file) = above else { break };
            above = file.step(&mut backwards);
        }
        // What stands before the first name.
        backwards.pop();
        backwards.reverse();
        backwards
    }

    /// Puts its name and what separates it from its parent's behind `backwards`, unless it is the root; its parent.
    fn step(&self, backwards: &mut Vec<u8>) -> Option<Arc<File>> {
        let place = self.place.read();
        let parent = place.parent.clone()?;
        backwards.extend(place.name.iter().rev());
        backwards.push(b'/');
        Some(parent)
    }

    /// How the open handles of a view are served at the moment.
    pub fn io(&self, view: View) -> &Arc<Mutex<IoState>> {
        let [original, redacted] = self.used().io.get_or_init(Default::default);
        match view {
            View::Original => original,
            View::Redacted => redacted,
            View::Forced => &self.redacted().forced_io,
        }
    }

    /// A descriptor of the lower file, while any handle of it is open, and a little longer.
    pub fn open_fd(&self) -> Option<Arc<OwnedFd>> {
        let used = self.used.get()?;
        let forced = used.redacted.get().map(|views| &views.forced_io);
        used.io.get().into_iter().flatten().chain(forced).find_map(|io| io.lock().fd())
    }

    /// True while the kernel passes reads and writes through.
    pub fn is_passed_through(&self) -> bool {
        let io = self.used.get().and_then(|used| used.io.get());
        io.is_some_and(|[original, _]| original.lock().is_open_by_kernel())
    }

    /// Lets go of what is kept for the next open.
    pub fn cool_down(&self) {
        for io in self.used.get().and_then(|used| used.io.get()).into_iter().flatten() {
            let parked = io.lock().unpark();
            drop(parked);
        }
    }

    /// The directory it is in; `None` for the root.
    pub fn parent(&self) -> Option<Arc<File>> {
        self.place.read().parent.clone()
    }

    /// Its name; empty for the root.
    pub fn name(&self) -> Box<[u8]> {
        self.place.read().name.clone()
    }

    /// True for `tree` itself and for everything below it.
    pub fn is_within(self: &Arc<File>, tree: &Arc<File>) -> bool {
        let mut above = Some(Arc::clone(self));
        for _ in 0..DEEPEST {
            let Some(file) = above else { return false };
            if Arc::ptr_eq(&file, tree) {
                return true;
            }
            above = file.parent();
        }
        false
    }

    /// True when it is known at exactly this place.
    pub fn is_at(&self, parent: &Arc<File>, name: &[u8]) -> bool {
        let place = self.place.read();
        *place.name == *name && place.parent.as_ref().is_some_and(|known| Arc::ptr_eq(known, parent))
    }

    /// True when it is known in this directory, under this name or another.
    pub fn is_in(&self, parent: &Arc<File>) -> bool {
        self.place.read().parent.as_ref().is_some_and(|known| Arc::ptr_eq(known, parent))
    }

    /// True when it is known in this directory under another name than this. What the directory finds under both is another
    /// spelling.
    pub fn is_known_otherwise(&self, parent: &Arc<File>, name: &[u8]) -> bool {
        self.is_in(parent) && *self.place.read().name != *name
    }

    /// True when it is known in this directory under what differs from this name in case alone. A file system may fold more
    /// than that: [`File::is_known_otherwise`] is for what it has answered.
    pub fn is_other_spelling(&self, parent: &Arc<File>, name: &[u8]) -> bool {
        self.is_known_otherwise(parent, name) && is_same_but_for_case(&self.place.read().name, name)
    }

    /// Records that it is now known at this place. A place inside itself is refused (it could only come from a lower
    /// tree that changed under a lookup) as paths would never end.
    pub fn move_to(self: &Arc<File>, parent: &Arc<File>, name: &[u8]) {
        if parent.is_within(self) {
            return;
        }
        let old = {
            let mut place = self.place.write();
            place.name = name.into();
            place.parent.replace(Arc::clone(parent))
        };
        // It may be the last reference to a long chain: dropped without the lock.
        drop(old);
        self.revive();
    }

    /// It was found under its name again.
    pub(super) fn revive(&self) {
        self.removed.store(false, Release);
    }

    /// Its name is gone; open handles go on, and it stays known by the path that it has now.
    pub fn mark_removed(&self) {
        if self.is_removed() {
            return;
        }
        let path = self.live_path();
        *self.used().last_path.lock() = path;
        self.removed.store(true, Release);
        // Or its space would not come back before long.
        self.cool_down();
        self.let_go();
    }

    /// True once its name is gone.
    pub fn is_removed(&self) -> bool {
        self.removed.load(Acquire)
    }

    /// Who owns it, as far as that has been looked up.
    pub fn owner(&self) -> Owner {
        self.owner_in(&self.place.read())
    }

    fn owner_in(&self, place: &Place) -> Owner {
        if self.owner_known.load(Relaxed) { place.owner.clone().into() } else { Owner::Unknown }
    }

    /// Remembers who owns it.
    pub fn set_owner(&self, owner: Owner) {
        self.put_owner(&mut self.place.write(), owner);
    }

    fn put_owner(&self, place: &mut Place, owner: Owner) {
        self.owner_known.store(owner != Owner::Unknown, Relaxed);
        place.owner = match owner {
            Owner::Package(package) => Some(package),
            Owner::Nobody | Owner::Unknown => None,
        };
    }

    /// Remembers who owns it unless that is known already: for what was read before somebody else may have written.
    pub fn learn_owner(&self, owner: Owner) -> Owner {
        let mut place = self.place.write();
        if !self.owner_known.load(Relaxed) {
            self.put_owner(&mut place, owner);
        }
        self.owner_in(&place)
    }

    /// From now on, and until the guard is dropped, somebody who may see no location sees the file as it is.
    pub fn expose(self: &Arc<File>) -> Exposed {
        self.used().exposed.fetch_add(1, SeqCst);
        Exposed(Arc::clone(self))
    }

    /// True while somebody who may see no location sees the file as it is.
    pub fn is_exposed(&self) -> bool {
        self.used.get().is_some_and(|used| used.exposed.load(SeqCst) > 0)
    }

    /// What the kernel has in its cache of a redacted view.
    pub fn pages(&self, view: View) -> &Pages {
        let views = self.redacted();
        if view == View::Forced { &views.forced_pages } else { &views.pages }
    }

    /// An open is told to look the name up again: callers are to be told apart from now on.
    pub fn set_parted(&self) {
        *self.redacted().parted.lock() = Some(Instant::now());
    }

    /// True if that was less than `fresh` ago.
    pub fn was_parted(&self, fresh: Duration) -> bool {
        let redacted = self.used.get().and_then(|used| used.redacted.get());
        let parted = redacted.and_then(|view| *view.parted.lock());
        parted.is_some_and(|at| at.elapsed() < fresh)
    }

    /// Remembers whether the kernel may hold a name for it that it does not ask about. True if it was so before.
    pub fn set_named(&self, named: bool) -> bool {
        // Mostly nothing changes: then no cache line is taken from another worker.
        if self.named.load(Relaxed) == named { named } else { self.named.swap(named, Relaxed) }
    }

    /// Whether names in the directory have several spellings, which `look` finds out the first time.
    pub fn folds(&self, look: impl FnOnce() -> bool) -> bool {
        self.directory().is_some_and(|it| *it.folds.get_or_init(look))
    }

    /// Whether the directory holds a `.nomedia`, if that was looked at less than `fresh` ago.
    pub fn nomedia(&self, fresh: Duration) -> Option<bool> {
        let known = self.directory().and_then(|it| *it.nomedia.lock());
        known.filter(|(_, seen)| seen.elapsed() < fresh).map(|(there, _)| there)
    }

    /// Remembers whether the directory holds a `.nomedia`; `None` forgets.
    pub fn set_nomedia(&self, there: Option<bool>) {
        if let Some(directory) = self.directory() {
            *directory.nomedia.lock() = there.map(|there| (there, Instant::now()));
        }
    }

    /// The directory on the lower file system, if it is kept open.
    pub fn held(&self) -> Option<Arc<OpenDir>> {
        self.directory().and_then(|it| it.held.load_full())
    }

    /// Keeps the directory open. False if it is open already, or not to be kept as it was removed.
    pub fn hold(&self, fd: Arc<OpenDir>) -> bool {
        let Some(directory) = self.directory() else { return false };
        if self.is_removed() || directory.held.swap(Some(fd)).is_some() {
            return false;
        }
        // Whoever removes it meanwhile looks for a descriptor after having said so.
        if self.is_removed() {
            directory.held.store(None);
        }
        true
    }

    /// Closes the directory, if it is kept open.
    pub fn let_go(&self) {
        if let Some(directory) = self.directory() {
            directory.held.store(None);
        }
    }
}

/// Somebody who may see no location sees a file as it is.
#[derive(Debug)]
pub struct Exposed(Arc<File>);

impl Drop for Exposed {
    fn drop(&mut self) {
        self.0.used().exposed.fetch_sub(1, SeqCst);
    }
}

fn is_same_but_for_case(one: &[u8], other: &[u8]) -> bool {
    let text = |name| std::str::from_utf8(name).ok().map(|name| name.chars().flat_map(char::to_lowercase));
    let folded = text(one).zip(text(other)).is_some_and(|(one, other)| one.eq(other));
    folded || one.eq_ignore_ascii_case(other)
}
