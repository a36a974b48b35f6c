//! The table of files that the kernel knows, with its lookup counts.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use parking_lot::Mutex;

use super::file::File;
use super::id::{NodeId, View};
use crate::lower::{Id, LowerError, Meta};
use crate::observe::{Gauge, Observer};

/// Enough that two workers rarely meet.
const SHARDS: usize = 64;

/// A file in the table, to be found by its inode number.
#[derive(Debug)]
struct Slot(Arc<File>);

impl Slot {
    /// Nothing but the table holds it: no lookup, no child, no handle, no request.
    fn is_idle(&self) -> bool {
        self.0.is_forgotten() && Arc::strong_count(&self.0) == 1
    }
}

impl Borrow<u64> for Slot {
    fn borrow(&self) -> &u64 {
        &self.0.id.ino
    }
}

impl Hash for Slot {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.ino.hash(state);
    }
}

impl PartialEq for Slot {
    fn eq(&self, other: &Slot) -> bool {
        self.0.id.ino == other.0.id.ino
    }
}

impl Eq for Slot {}

/// That many forgotten files in a shard are looked through at once.
const MANY_WAITING: usize = 1024;

#[derive(Debug, Default)]
struct Shard {
    slots: HashSet<Slot>,
    /// Inode numbers of files whose lookups are forgotten while something still held the file.
    waiting: HashSet<u64>,
}

impl Shard {
    /// Takes out the files in waiting that nothing holds any more.
    fn take_idle(&mut self) -> Vec<Slot> {
        let mut idle = Vec::new();
        for key in std::mem::take(&mut self.waiting) {
            match self.slots.get(&key) {
                Some(slot) if slot.is_idle() => idle.extend(self.slots.take(&key)),
                Some(slot) if slot.0.is_forgotten() => {
                    self.waiting.insert(key);
                }
                _ => {}
            }
        }
        idle
    }
}

/// A file whose forced view the kernel knows. It keeps the file in the table, so that all views share it.
#[derive(Debug)]
struct Link {
    file: Arc<File>,
    lookups: u64,
}

/// All files of one volume that the kernel knows.
#[derive(Debug)]
pub struct Table {
    root: Arc<File>,
    shards: Vec<Mutex<Shard>>,
    /// By inode number. Few files have links, so a slot need not have room for one.
    links: Mutex<HashMap<u64, Link>>,
    observer: Arc<Observer>,
}

impl Table {
    /// A table that knows the root.
    pub fn new(root: &Meta, observer: Arc<Observer>) -> Table {
        Table {
            root: Arc::new(File::new(root.id, root.kind, None, b"")),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            links: Mutex::default(),
            observer,
        }
    }

    /// The root.
    pub fn root(&self) -> &Arc<File> {
        &self.root
    }

    /// The file of a node the kernel names; `None` if the kernel should not know it.
    pub fn get(&self, node: NodeId) -> Option<Arc<File>> {
        if node == NodeId::ROOT {
            return Some(Arc::clone(&self.root));
        }
        if node.virtual_dir().is_some() {
            return None;
        }
        if node.view() == View::Forced {
            return self.links.lock().get(&node.ino()).map(|link| Arc::clone(&link.file));
        }
        self.shard(node).lock().slots.get(&node.ino()).map(|slot| Arc::clone(&slot.0))
    }

    /// The file of a lower inode, if it is known.
    pub fn find(&self, id: Id) -> Option<Arc<File>> {
        let node = NodeId::of(id.ino, View::Original).ok()?;
        self.get(node).filter(|file| file.id == id)
    }

    /// Every file that the kernel knows, and the root. Looks at all of them: for what is rare.
    pub fn all(&self) -> Vec<Arc<File>> {
        let mut all = vec![Arc::clone(&self.root)];
        for shard in &self.shards {
            all.extend(shard.lock().slots.iter().map(|slot| Arc::clone(&slot.0)));
        }
        all
    }

    /// The names in a directory that are known.
    pub fn names_in(&self, dir: &Arc<File>) -> Vec<Box<[u8]>> {
        let mut names = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock();
            let files = shard.slots.iter().map(|slot| &slot.0);
            let inside = files.filter(|file| file.parent().is_some_and(|parent| Arc::ptr_eq(&parent, dir)));
            names.extend(inside.map(|file| Box::from(&*file.name())));
        }
        names
    }

    /// True while the kernel holds lookups of exactly this node, in its view.
    pub fn is_known(&self, node: NodeId) -> bool {
        if node == NodeId::ROOT {
            return true;
        }
        if node.view() == View::Forced {
            return node.virtual_dir().is_some() || self.links.lock().contains_key(&node.ino());
        }
        let shard = self.shard(node).lock();
        shard.slots.get(&node.ino()).is_some_and(|slot| slot.0.lookups(node.view()) > 0)
    }

    /// The file that was found as `name` in `parent`, with one lookup counted: answer it with
    /// [`Found::answer`], or drop it to take the count back.
    ///
    /// What is known in `parent` under another name keeps that: this may be another spelling of it, as only the lower file
    /// system can say. The caller asks ([`crate::volume::Volume::enter`]).
    pub fn enter(&self, parent: &Arc<File>, name: &[u8], meta: &Meta) -> Result<Found<'_>, LowerError> {
        if meta.id == self.root.id {
            return Err(LowerError::NotServed);
        }
        let node = NodeId::of(meta.id.ino, View::Original)?;
        let fresh = || Arc::new(File::new(meta.id, meta.kind, Some(Arc::clone(parent)), name));
        let mut replaced = None;
        let file = {
            let mut shard = self.shard(node).lock();
            let known = shard.slots.get(&meta.id.ino).map(|slot| Arc::clone(&slot.0));
            let file = match known {
                Some(file) if file.id == meta.id => file,
                old => {
                    let file = fresh();
                    match old {
                        // The inode number was used again: the kernel drops the old inode when it sees the new
                        // generation (fs/fuse/inode.c, fuse_iget), and the FORGET of the old one still comes under
                        // this id.
                        Some(old) => {
                            for view in [View::Original, View::Redacted] {
                                file.add_lookups(view, old.lookups(view));
                            }
                            replaced = Some(old);
                        }
                        None => self.observer.shift(Gauge::Nodes, 1),
                    }
                    shard.slots.replace(Slot(Arc::clone(&file)));
                    file
                }
            };
            file.add_lookups(View::Original, 1);
            file
        };
        self.observer.shift(Gauge::Lookups, 1);
        if let Some(old) = replaced {
            old.mark_removed();
        }
        if file.is_at(parent, name) {
            file.revive();
        } else if file.is_removed() || !file.is_in(parent) {
            file.move_to(parent, name);
        }
        Ok(Found { table: self, node, file: Some(file), answered: false })
    }

    /// The file that was found as `name` in `parent`, for a request that has no business with what the kernel knows: the
    /// known one if it is known right there, else one that nobody else will ever see.
    pub fn peek(&self, parent: &Arc<File>, name: &[u8], meta: &Meta) -> Result<Arc<File>, LowerError> {
        // What cannot be served has no node.
        NodeId::of(meta.id.ino, View::Original)?;
        let known = self.find(meta.id).filter(|file| file.is_at(parent, name) && !file.is_removed());
        let made = || Arc::new(File::new(meta.id, meta.kind, Some(Arc::clone(parent)), name));
        Ok(known.unwrap_or_else(made))
    }

    /// Counts a lookup of the forced view of a file that was entered: the id to answer with.
    pub fn enter_link(&self, file: &Arc<File>) -> NodeId {
        let node = file.node().in_view(View::Forced);
        let replaced = {
            let mut links = self.links.lock();
            let link = links.entry(node.ino()).or_insert_with(|| Link { file: Arc::clone(file), lookups: 0 });
            link.lookups += 1;
            // The inode number was used again: see `enter`.
            (!Arc::ptr_eq(&link.file, file)).then(|| std::mem::replace(&mut link.file, Arc::clone(file)))
        };
        self.observer.shift(Gauge::Lookups, 1);
        self.reap_upwards(replaced);
        node
    }

    fn forget_link(&self, node: NodeId, n: u64) {
        let gone = {
            let mut links = self.links.lock();
            let Some(link) = links.get_mut(&node.ino()) else { return };
            let taken = n.min(link.lookups);
            link.lookups -= taken;
            self.observer.shift(Gauge::Lookups, -i64::try_from(taken).unwrap_or(i64::MAX));
            if link.lookups == 0 { links.remove(&node.ino()) } else { None }
        };
        self.reap_upwards(gone.map(|link| link.file));
    }

    /// The kernel forgot `n` lookups of `node`.
    pub fn forget(&self, node: NodeId, n: u64) {
        if node == NodeId::ROOT || node.virtual_dir().is_some() {
            return;
        }
        if node.view() == View::Forced {
            return self.forget_link(node, n);
        }
        let mut dropped = Vec::new();
        {
            let mut shard = self.shard(node).lock();
            let Some(slot) = shard.slots.get(&node.ino()) else { return };
            let taken = slot.0.take_lookups(node.view(), n);
            self.observer.shift(Gauge::Lookups, -i64::try_from(taken).unwrap_or(i64::MAX));
            if slot.is_idle() {
                dropped.extend(shard.slots.take(&node.ino()));
            } else if slot.0.is_forgotten() {
                shard.waiting.insert(node.ino());
                if shard.waiting.len() >= MANY_WAITING {
                    dropped.append(&mut shard.take_idle());
                }
            }
        }
        self.observer.shift(Gauge::Nodes, -i64::try_from(dropped.len()).unwrap_or(0));
        self.drop_all(dropped);
    }

    /// Takes away every file that nothing holds any more. Files usually leave with their last FORGET; this is for
    /// those that something still held then.
    pub fn sweep(&self) {
        // A pass frees children, the next one their parents.
        loop {
            let mut dropped = Vec::new();
            for shard in &self.shards {
                dropped.append(&mut shard.lock().take_idle());
            }
            if dropped.is_empty() {
                return;
            }
            self.observer.shift(Gauge::Nodes, -i64::try_from(dropped.len()).unwrap_or(0));
            drop(dropped);
        }
    }

    /// Dropping a file may free its parents, which then are nobody's either.
    fn drop_all(&self, dropped: Vec<Slot>) {
        for slot in dropped {
            let above = slot.0.parent();
            drop(slot);
            self.reap_upwards(above);
        }
    }

    fn reap_upwards(&self, mut file: Option<Arc<File>>) {
        while let Some(last) = file {
            file = self.reap(last);
        }
    }

    /// Takes `file` away if only the table and the caller hold it and the kernel has forgotten it. Returns its parent
    /// if it went.
    fn reap(&self, file: Arc<File>) -> Option<Arc<File>> {
        let node = file.node();
        if node == NodeId::ROOT {
            return None;
        }
        let gone = {
            let mut shard = self.shard(node).lock();
            let slot = shard.slots.get(&node.ino())?;
            let ours = Arc::ptr_eq(&slot.0, &file) && Arc::strong_count(&file) == 2;
            if !ours || !file.is_forgotten() {
                return None;
            }
            self.observer.shift(Gauge::Nodes, -1);
            shard.slots.take(&node.ino())
        };
        let parent = file.parent();
        drop(gone);
        drop(file);
        parent
    }

    fn shard(&self, node: NodeId) -> &Mutex<Shard> {
        // Inode numbers of neighbours are consecutive: the low bits spread them.
        &self.shards[node.ino() as usize % SHARDS]
    }
}

/// A file that was looked up and is not answered yet.
#[derive(Debug)]
pub struct Found<'a> {
    table: &'a Table,
    node: NodeId,
    /// Present until dropped.
    file: Option<Arc<File>>,
    answered: bool,
}

impl Found<'_> {
    /// The file.
    pub fn file(&self) -> &Arc<File> {
        self.file.as_ref().unwrap_or(&self.table.root)
    }

    /// The id to answer with: the kernel now holds one lookup of `view`.
    pub fn answer(mut self, view: View) -> NodeId {
        let node = self.node.in_view(view);
        if view != View::Original
            && let Some(slot) = self.table.shard(node).lock().slots.get(&node.ino())
        {
            let taken = slot.0.take_lookups(View::Original, 1);
            slot.0.add_lookups(view, taken);
        }
        self.answered = true;
        node
    }
}

impl Drop for Found<'_> {
    fn drop(&mut self) {
        // First our reference, so that the table can see that it is the only one left.
        self.file = None;
        if !self.answered {
            self.table.forget(self.node, 1);
        }
    }
}
