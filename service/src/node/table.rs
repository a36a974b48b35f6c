//! The table of files that the kernel knows, with its lookup counts.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;

use super::file::File;
use super::id::{NodeId, View};
use crate::lower::{Id, LowerError, Meta};
use crate::observe::{Gauge, Observer};

/// Enough that two workers rarely meet.
const SHARDS: usize = 64;

#[derive(Debug)]
struct Slot {
    file: Arc<File>,
    /// Lookups that the kernel has not forgotten: of the original and of the redacted view.
    lookups: [u64; 2],
}

impl Slot {
    /// Nothing but the table holds it: no lookup, no child, no handle, no request.
    fn is_idle(&self) -> bool {
        self.lookups == [0, 0] && Arc::strong_count(&self.file) == 1
    }
}

/// That many forgotten files in a shard are looked through at once.
const MANY_WAITING: usize = 1024;

#[derive(Debug, Default)]
struct Shard {
    slots: HashMap<u64, Slot>,
    /// Keys whose lookups are forgotten while something still held the file.
    waiting: HashSet<u64>,
}

impl Shard {
    /// Takes out the files in waiting that nothing holds any more.
    fn take_idle(&mut self) -> Vec<Slot> {
        let mut idle = Vec::new();
        for key in std::mem::take(&mut self.waiting) {
            match self.slots.get(&key) {
                Some(slot) if slot.is_idle() => idle.extend(self.slots.remove(&key)),
                Some(slot) if slot.lookups == [0, 0] => {
                    self.waiting.insert(key);
                }
                _ => {}
            }
        }
        idle
    }
}

/// All files of one volume that the kernel knows.
#[derive(Debug)]
pub struct Table {
    root: Arc<File>,
    shards: Vec<Mutex<Shard>>,
    observer: Arc<Observer>,
}

impl Table {
    /// A table that knows the root.
    pub fn new(root: &Meta, observer: Arc<Observer>) -> Table {
        Table {
            root: Arc::new(File::new(root.id, root.kind, NodeId::ROOT, None, b"")),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
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
        self.shard(node).lock().slots.get(&node.key()).map(|slot| Arc::clone(&slot.file))
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
            all.extend(shard.lock().slots.values().map(|slot| Arc::clone(&slot.file)));
        }
        all
    }

    /// The names in a directory that are known.
    pub fn names_in(&self, dir: &Arc<File>) -> Vec<Box<[u8]>> {
        let mut names = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock();
            let files = shard.slots.values().map(|slot| &slot.file);
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
        let shard = self.shard(node).lock();
        shard.slots.get(&node.key()).is_some_and(|slot| slot.lookups[node.view() as usize] > 0)
    }

    /// The file that was found as `name` in `parent`, with one lookup counted: answer it with
    /// [`Found::answer`], or drop it to take the count back.
    pub fn enter(&self, parent: &Arc<File>, name: &[u8], meta: &Meta) -> Result<Found<'_>, LowerError> {
        if meta.id == self.root.id {
            return Err(LowerError::NotServed);
        }
        let node = NodeId::of(meta.id.ino, View::Original)?;
        let fresh = || Arc::new(File::new(meta.id, meta.kind, node, Some(Arc::clone(parent)), name));
        let mut replaced = None;
        let file = {
            let mut shard = self.shard(node).lock();
            let slot = shard.slots.entry(node.key()).or_insert_with(|| {
                self.observer.shift(Gauge::Nodes, 1);
                Slot { file: fresh(), lookups: [0, 0] }
            });
            if slot.file.id != meta.id {
                // The inode number was used again: the kernel drops the old inode when it sees the new generation
                // (fs/fuse/inode.c, fuse_iget), and the FORGET of the old one still comes under this id.
                replaced = Some(std::mem::replace(&mut slot.file, fresh()));
            }
            slot.lookups[View::Original as usize] += 1;
            Arc::clone(&slot.file)
        };
        self.observer.shift(Gauge::Lookups, 1);
        if let Some(old) = replaced {
            old.mark_removed();
        }
        if file.is_at(parent, name) {
            file.revive();
        } else if !file.is_other_spelling(parent, name) {
            // What is known under another spelling may keep its name: where the lower file system takes both. The caller
            // finds out (`is_other_spelling`).
            file.move_to(parent, name);
        }
        Ok(Found { table: self, node, file: Some(file), answered: false })
    }

    /// The file that was found as `name` in `parent`, for a request that has no business with what the kernel knows: the
    /// known one if it is known right there, else one that nobody else will ever see.
    pub fn peek(&self, parent: &Arc<File>, name: &[u8], meta: &Meta) -> Result<Arc<File>, LowerError> {
        let node = NodeId::of(meta.id.ino, View::Original)?;
        let known = self.find(meta.id).filter(|file| file.is_at(parent, name) && !file.is_removed());
        let made = || Arc::new(File::new(meta.id, meta.kind, node, Some(Arc::clone(parent)), name));
        Ok(known.unwrap_or_else(made))
    }

    /// The kernel forgot `n` lookups of `node`.
    pub fn forget(&self, node: NodeId, n: u64) {
        if node == NodeId::ROOT {
            return;
        }
        let mut dropped = Vec::new();
        {
            let mut shard = self.shard(node).lock();
            let Some(slot) = shard.slots.get_mut(&node.key()) else { return };
            let count = &mut slot.lookups[node.view() as usize];
            let taken = n.min(*count);
            *count -= taken;
            self.observer.shift(Gauge::Lookups, -i64::try_from(taken).unwrap_or(i64::MAX));
            if slot.is_idle() {
                dropped.extend(shard.slots.remove(&node.key()));
            } else if slot.lookups == [0, 0] {
                shard.waiting.insert(node.key());
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
            let mut above = slot.file.parent();
            drop(slot);
            while let Some(parent) = above {
                above = self.reap(parent);
            }
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
            let slot = shard.slots.get(&node.key())?;
            let ours = Arc::ptr_eq(&slot.file, &file) && Arc::strong_count(&file) == 2;
            if !ours || slot.lookups != [0, 0] {
                return None;
            }
            self.observer.shift(Gauge::Nodes, -1);
            shard.slots.remove(&node.key())
        };
        let parent = file.parent();
        drop(gone);
        drop(file);
        parent
    }

    fn shard(&self, node: NodeId) -> &Mutex<Shard> {
        // Inode numbers of neighbours are consecutive: the low bits spread them.
        &self.shards[node.key() as usize % SHARDS]
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
            && let Some(slot) = self.table.shard(node).lock().slots.get_mut(&node.key())
        {
            slot.lookups[View::Original as usize] -= 1;
            slot.lookups[view as usize] += 1;
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
