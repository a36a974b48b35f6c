//! Facts of files, read in the background.
//!
//! There is no list of files to be read in memory: the catalog knows whose facts are not of their present version
//! (`Catalog::unscanned`), in any number and after any crash. What there is is a bell. Whoever changes rows may ring it,
//! and the catalog's own feed does; a thread then goes through the catalog's list, a page at a time, and hands files to a
//! few workers of low priority. Ringing never waits, and a ring while the list is gone through leads to one more pass.
//!
//! Locks: `state` is a leaf, held for a few assignments.

use std::fs::File;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use mediagate_policy::Kind;
use parking_lot::{Condvar, Mutex};

use super::metadata::{Context, Problem, extract, is_read};
use crate::access::Subject;
use crate::catalog::{At, Entry, FileKey, FileRow, FoundFacts, Stamp};
use crate::lower::{FileKind, LowerError, Meta, Root};
use crate::observe::Counter;
use crate::volume::Volume;

/// Files in one page of work.
const PAGE: usize = 256;
/// How long writes may gather before their files are read: a file is often written more than once.
const GATHER: Duration = Duration::from_millis(100);
/// Commits that may wait to be heard of; more of them are one.
const HEARD: usize = 64;
/// How much nicer than others the threads are (setpriority(2)).
const NICE: i32 = 10;

/// What is waited for.
#[derive(Debug, Default)]
struct State {
    /// Rings so far.
    rung: u64,
    /// Rings that were seen to.
    answered: u64,
    stop: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    stop: AtomicBool,
    read: AtomicU64,
    unreadable: AtomicU64,
}

/// Reads the facts of a volume's files as they change. Stops when dropped.
#[derive(Debug)]
pub struct Refresher {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Refresher {
    /// Starts it: everything that the catalog says is missing is read from now on.
    ///
    /// # Errors
    ///
    /// When there can be no more threads.
    pub fn start(volume: &Arc<Volume>) -> std::io::Result<Refresher> {
        let shared = Arc::new(Shared::default());
        let mut threads = Vec::new();
        let workers = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 4);
        let (work, todo) = bounded::<Entry>(workers * 2);
        let (done, finished) = bounded::<()>(PAGE);
        for _ in 0..workers {
            let (volume, shared) = (Arc::clone(volume), Arc::clone(&shared));
            let (todo, done) = (todo.clone(), done.clone());
            threads.push(spawn("facts", move || {
                for entry in &todo {
                    if !shared.stop.load(Relaxed) {
                        read_one(&volume, &entry, &shared);
                    }
                    if done.send(()).is_err() {
                        return;
                    }
                }
            })?);
        }
        let heard = volume.catalog.subscribe(HEARD);
        let (volume, shared_too) = (Arc::clone(volume), Arc::clone(&shared));
        threads.push(spawn("facts-bell", move || {
            let refresher = Sweeper { volume, shared: shared_too, work, finished };
            refresher.run();
        })?);
        let shared_too = Arc::clone(&shared);
        threads.push(spawn("facts-feed", move || {
            while !shared_too.stop.load(Relaxed) {
                match heard.recv_timeout(Duration::from_millis(500)) {
                    Ok(_) => shared_too.ring(),
                    Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
                    Err(crossbeam_channel::RecvTimeoutError::Disconnected) => return,
                }
            }
        })?);
        let refresher = Refresher { shared, threads };
        refresher.ring();
        Ok(refresher)
    }

    /// Some rows may have changed. Never waits.
    pub fn ring(&self) {
        self.shared.ring();
    }

    /// Waits until everything that was to be read before the call was looked at, or `stop`.
    pub fn settle(&self, stop: &AtomicBool) {
        let wanted = self.shared.ring_now();
        let mut state = self.shared.state.lock();
        while state.answered < wanted && !state.stop && !stop.load(Relaxed) {
            self.shared.changed.wait_for(&mut state, Duration::from_millis(100));
        }
    }

    /// Files whose facts were read so far, and how many of them could not be understood.
    pub fn numbers(&self) -> (u64, u64) {
        (self.shared.read.load(Relaxed), self.shared.unreadable.load(Relaxed))
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        self.shared.stop.store(true, Relaxed);
        self.shared.state.lock().stop = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                log::error!("a thread that reads facts panicked");
            }
        }
    }
}

impl Shared {
    fn ring(&self) {
        self.ring_now();
    }

    fn ring_now(&self) -> u64 {
        let mut state = self.state.lock();
        state.rung += 1;
        self.changed.notify_all();
        state.rung
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.into()).spawn(move || {
        // Of this thread: on Linux each has its own. Without it all is as right, only less polite.
        let _ = rustix::process::setpriority_process(None, NICE);
        run();
    })
}

/// Goes through the catalog's list.
struct Sweeper {
    volume: Arc<Volume>,
    shared: Arc<Shared>,
    work: Sender<Entry>,
    finished: Receiver<()>,
}

impl Sweeper {
    fn run(self) {
        loop {
            {
                let mut state = self.shared.state.lock();
                while state.rung == state.answered && !state.stop {
                    self.shared.changed.wait(&mut state);
                }
                let until = Instant::now() + GATHER;
                while !state.stop && !self.shared.changed.wait_until(&mut state, until).timed_out() {}
                if state.stop {
                    return;
                }
            }
            let seen = self.shared.state.lock().rung;
            // What is queued is to be seen too.
            let catalog = &self.volume.catalog;
            let swept = catalog.flush_volume(self.volume.key).and_then(|()| self.sweep());
            // Until what was found is in the catalog the files stand on its list: the next pass would read them again.
            let outcome = swept.and(catalog.settle());
            if let Err(error) = outcome {
                log::debug!("volume={}: facts are not read now: {error}", self.volume.name);
            }
            self.shared.state.lock().answered = seen;
            self.shared.changed.notify_all();
        }
    }

    fn sweep(&self) -> Result<(), crate::catalog::CatalogError> {
        let catalog = &self.volume.catalog;
        let mut after = 0;
        loop {
            let page = catalog.unscanned(self.volume.key, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            let mut sent = 0;
            for entry in page {
                if self.shared.stop.load(Relaxed) || self.work.send(entry).is_err() {
                    break;
                }
                sent += 1;
            }
            for _ in 0..sent {
                if self.finished.recv().is_err() {
                    return Ok(());
                }
            }
            if self.shared.stop.load(Relaxed) {
                return Ok(());
            }
            // Requests write too: the queue is theirs before it is ours.
            catalog.flush_volume(self.volume.key)?;
        }
    }
}

/// A file as the index knows it.
struct Known<'a> {
    at: At,
    key: &'a FileKey,
    row: &'a FileRow,
}

impl Known<'_> {
    fn is_version(&self, volume: &Volume, meta: &Meta) -> bool {
        let same_file = self.row.is_of(meta.id.ino, meta.id.generation) || !volume.lower.has_xattrs();
        same_file && self.row.size == meta.size && self.row.mtime_ns == meta.mtime_ns()
    }
}

/// Reads the facts of the file at `key`, of which the index has `row`, at once. `Some` if they were read: whether as a
/// whole.
pub(super) fn read_now(volume: &Volume, key: &FileKey, row: &FileRow) -> Option<bool> {
    look_into(volume, &Known { at: At::Key(key.clone()), key, row }).ok().flatten()
}

fn read_one(volume: &Volume, entry: &Entry, shared: &Shared) {
    match look_into(volume, &Known { at: At::Id(entry.id), key: &entry.key, row: &entry.row }) {
        Ok(read) => {
            shared.read.fetch_add(u64::from(read.is_some()), Relaxed);
            shared.unreadable.fetch_add(u64::from(read == Some(false)), Relaxed);
        }
        Err(error) if error.is_not_found() => {
            // Who removes or moves it through the mount tells the index too; this is for what went behind it.
            let (look, path) = (volume.moves.look(), volume.lower_path(&entry.key));
            if volume.lower.open_path(&path).is_err_and(LowerError::is_not_found) {
                let (key, row) = (entry.key.clone(), &entry.row);
                volume.moves.if_gone(look, &path, || volume.catalog.remove_gone(key, row.ino, row.birth));
            }
        }
        Err(error) => log::debug!("volume={}: a file's facts cannot be read: {error}", volume.name),
    }
}

fn look_into(volume: &Volume, known: &Known<'_>) -> Result<Option<bool>, LowerError> {
    let path = volume.lower_path(known.key);
    let fd = volume.lower.open_path(&path)?;
    let before = Meta::of(fd.as_fd())?;
    if before.kind != FileKind::File {
        return Err(LowerError::NotServed);
    }
    if !known.is_version(volume, &before) {
        correct(volume, known, path, &fd, &before);
        return Ok(None);
    }
    let mut found = FoundFacts {
        file: known.at.clone(),
        ino: known.row.ino,
        stamp: Stamp { size: known.row.size, mtime_ns: known.row.mtime_ns },
        facts: Default::default(),
        location: None,
    };
    let mut whole = true;
    if is_read(&known.row.mime) && before.size > 0 {
        let mut file = File::from(Root::reopen_unnoticed(fd.as_fd())?);
        let modified_ms = Some(before.mtime_ns().div_euclid(1_000_000));
        let extracted = extract(&mut file, &Context { mime: &known.row.mime, modified_ms });
        if let Some(problem) = &extracted.problem {
            whole = false;
            let panicked = matches!(problem, Problem::Panicked);
            volume.observer.count(if panicked { Counter::FactsPanics } else { Counter::FactsFailed });
            log::debug!("volume={} file={:?}: {problem}", volume.name, String::from_utf8_lossy(&path));
        }
        let after = Meta::of(fd.as_fd())?;
        if (after.size, after.mtime_ns()) != (before.size, before.mtime_ns()) {
            // It was written meanwhile, and is read again when the index has heard of that.
            correct(volume, known, path, &fd, &after);
            return Ok(None);
        }
        found.facts = extracted.facts;
        found.location = extracted.location;
    }
    volume.count_media(fd.as_fd(), known.key.user, known.row.media_type);
    volume.observer.count(Counter::FactsRead);
    volume.catalog.set_media_facts(found);
    Ok(Some(whole))
}

/// The index does not say what there is. Who has it open for writing will tell when it is closed; nobody else will.
fn correct(volume: &Volume, known: &Known<'_>, path: Vec<u8>, fd: &impl AsFd, meta: &Meta) {
    if volume.nodes.find(meta.id).is_some_and(|file| file.has_writers()) {
        return;
    }
    let Some(subject) = Subject::new(volume.kind, path, Kind::File) else { return };
    if known.row.is_of(meta.id.ino, meta.id.generation) || !volume.lower.has_xattrs() {
        return volume.tell_version_of(known.row, &subject, fd.as_fd(), meta);
    }
    let hidden = super::hidden::is_hidden(volume, &subject);
    if let Ok(owner) = volume.recorded_owner(&subject, fd.as_fd()) {
        volume.index_again(fd.as_fd(), &subject, owner, meta, hidden, Some(known.row));
    }
}
