//! Making nobody's what was a package's, when it is removed or its data are cleared.
//!
//! From when a package leaves until nothing is its own any more, `identity` withholds it: nobody is that package, so
//! nobody is its files' owner, however many of them still say so. What is to be done is in the catalog before that, and is
//! taken up again by the next run, or when the volume is attached again. So whoever comes back under the same name owns
//! nothing (MediaProvider: CTS testAppReinstallInvalidation).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::{Place, Places};
use crate::catalog::{Catalog, CatalogError, Departure, VolumeKey};
use crate::identity::Identity;
use crate::observe::{Counter, Gauge, Observer};

/// Rows in one page of work.
const PAGE: usize = 512;
/// Passes over a volume: files that are renamed during one are met by the next.
const PASSES: usize = 16;
/// How long requests that began before the package left are waited for.
const REQUESTS: Duration = Duration::from_secs(5);
/// Requests that make a file somebody's.
const OWNING: [&str; 3] = [Counter::Create.name(), Counter::Mknod.name(), Counter::Rename.name()];
/// How often what cannot be waited for is looked at.
const PERIOD: Duration = Duration::from_millis(5);

/// Packages that left and whose files are not all nobody's yet.
#[derive(Debug)]
pub struct Departing {
    catalog: Arc<Catalog>,
    identity: Arc<Identity>,
    observer: Arc<Observer>,
    /// Taken after the lock of `identity`, under which packages leave and are released.
    todo: Mutex<Todo>,
    changed: Condvar,
    stop: AtomicBool,
}

#[derive(Debug, Default)]
struct Todo {
    /// With when it left. What is here is withheld, until after it is not.
    left: BTreeMap<Departure, Instant>,
    /// Those that have files on volumes which are being attached: whatever is done for them elsewhere is not enough.
    attaching: Vec<Departure>,
}

impl Todo {
    fn concerns(&self, package: &str) -> bool {
        self.left.keys().chain(&self.attaching).any(|it| *it.package == *package)
    }
}

/// The thread that does the work. Stops when dropped; what is left is done by the next run.
#[derive(Debug)]
pub struct Worker {
    departing: Arc<Departing>,
    thread: Option<JoinHandle<()>>,
}

impl Departing {
    /// With nothing to do.
    pub fn new(catalog: Arc<Catalog>, identity: Arc<Identity>, observer: Arc<Observer>) -> Arc<Departing> {
        Arc::new(Departing {
            catalog,
            identity,
            observer,
            todo: Mutex::default(),
            changed: Condvar::new(),
            stop: AtomicBool::new(false),
        })
    }

    /// What it works with.
    pub(super) fn parts(&self) -> (Arc<Catalog>, Arc<Identity>, Arc<Observer>) {
        (Arc::clone(&self.catalog), Arc::clone(&self.identity), Arc::clone(&self.observer))
    }

    /// Records that packages left and has their files taken away. They are withheld already.
    ///
    /// # Errors
    ///
    /// When the catalog cannot record it; the work is done nevertheless, if the service goes on.
    pub fn leave(&self, gone: &[Departure]) -> Result<(), CatalogError> {
        let recorded = self.catalog.depart(gone.to_vec());
        self.add(gone.iter().cloned());
        recorded
    }

    /// Has a package that stays installed begin anew, without its files.
    ///
    /// # Errors
    ///
    /// As [`Departing::leave`], and then nothing is done.
    pub fn clear(&self, package: &str) -> Result<(), CatalogError> {
        let gone = Departure { package: package.into(), user: None };
        self.catalog.depart(vec![gone.clone()])?;
        self.identity.withhold([(Arc::clone(&gone.package), None)], || self.add([gone]));
        Ok(())
    }

    /// Withholds the packages that left and still have files on this volume, which is about to be attached. They are to be
    /// given to [`Departing::resume`] when it is, or could not be.
    ///
    /// # Errors
    ///
    /// When the catalog fails.
    pub fn withhold(&self, volume: VolumeKey) -> Result<Vec<Departure>, CatalogError> {
        let open: Vec<Departure> =
            self.catalog.departures()?.into_iter().filter(|(key, _)| *key == volume).map(|it| it.1).collect();
        if !open.is_empty() {
            let gone = open.iter().map(|it| (Arc::clone(&it.package), it.user));
            self.identity.withhold(gone, || self.todo.lock().attaching.extend(open.iter().cloned()));
        }
        Ok(open)
    }

    /// Has the files of packages that left taken away from all volumes that are attached.
    pub fn resume(&self, open: Vec<Departure>) {
        if open.is_empty() {
            return;
        }
        let mut todo = self.todo.lock();
        for gone in open {
            if let Some(index) = todo.attaching.iter().position(|it| *it == gone) {
                todo.attaching.swap_remove(index);
            }
            todo.left.insert(gone, Instant::now());
        }
        self.tell(&todo);
    }

    /// Waits until nothing is a package's that left; false when that takes longer than `patience`.
    pub fn settle(&self, package: &str, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut todo = self.todo.lock();
        while todo.concerns(package) {
            if self.stop.load(Relaxed) || self.changed.wait_until(&mut todo, until).timed_out() {
                return false;
            }
        }
        true
    }

    fn add(&self, gone: impl IntoIterator<Item = Departure>) {
        let mut todo = self.todo.lock();
        todo.left.extend(gone.into_iter().map(|it| (it, Instant::now())));
        self.tell(&todo);
    }

    fn tell(&self, todo: &Todo) {
        self.observer.set(Gauge::Departing, i64::try_from(todo.left.len()).unwrap_or(i64::MAX));
        self.changed.notify_all();
    }

    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// When there can be no more threads.
    pub fn start(self: &Arc<Departing>, places: Places) -> std::io::Result<Worker> {
        let departing = Arc::clone(self);
        let thread =
            std::thread::Builder::new().name("departing".into()).spawn(move || departing.run(&places))?;
        Ok(Worker { departing: Arc::clone(self), thread: Some(thread) })
    }

    fn run(&self, places: &Places) {
        while let Some((gone, since)) = self.next() {
            self.let_finish(since);
            let mut left: Vec<VolumeKey> = places().iter().map(|it| it.volume.key).collect();
            while let Some(volume) = left.pop() {
                self.leave_volume(&gone, volume, places);
            }
            if self.stop.load(Relaxed) {
                return;
            }
            // Whoever waits for it goes on only when it is released.
            let withheld = (Arc::clone(&gone.package), gone.user);
            if self.identity.release(&withheld, || Self::is_over(&self.todo.lock(), &gone, since)) {
                let mut todo = self.todo.lock();
                if todo.left.get(&gone) == Some(&since) {
                    todo.left.remove(&gone);
                }
                self.tell(&todo);
            }
        }
    }

    /// It has not left again since, nor come to light on one more volume.
    fn is_over(todo: &Todo, gone: &Departure, since: Instant) -> bool {
        todo.left.get(gone) == Some(&since) && !todo.attaching.contains(gone)
    }

    fn next(&self) -> Option<(Departure, Instant)> {
        let mut todo = self.todo.lock();
        loop {
            if self.stop.load(Relaxed) {
                return None;
            }
            if let Some((gone, since)) = todo.left.iter().find(|it| !todo.attaching.contains(it.0)) {
                return Some((gone.clone(), *since));
            }
            self.changed.wait(&mut todo);
        }
    }

    /// Waits for requests that were decided while the package was there: they may still make a file its own.
    fn let_finish(&self, since: Instant) {
        let until = Instant::now() + REQUESTS;
        while Instant::now() < until && !self.stop.load(Relaxed) {
            let flying = self.observer.inflight.snapshot();
            if !flying.iter().any(|it| it.since <= since && OWNING.contains(&it.operation)) {
                return;
            }
            std::thread::sleep(PERIOD);
        }
    }

    fn leave_volume(&self, gone: &Departure, volume: VolumeKey, places: &Places) {
        let place = || places().into_iter().find(|it| it.volume.key == volume);
        // What is not indexed yet cannot be found.
        while place().is_some_and(|it| !it.indexed && !it.emptied) && !self.stop.load(Relaxed) {
            std::thread::sleep(PERIOD);
        }
        let outcome = (|| {
            for _ in 0..PASSES {
                self.catalog.flush_volume(volume)?;
                match self.pass(gone, volume, &place)? {
                    Pass::Changed => {}
                    Pass::Clean => {
                        return self.catalog.departed(volume, gone).map(|()| true);
                    }
                    Pass::Interrupted => return Ok(true),
                    Pass::Failed => break,
                }
            }
            Ok(false)
        })();
        match outcome {
            Ok(true) => {}
            Ok(false) => log::warn!(
                "package={}: some of its files on a volume could not be made nobody's; it is tried again when the volume \
                 is attached again",
                gone.package
            ),
            Err::<_, CatalogError>(error) => log::error!(
                "package={}: its files are not all nobody's: {error}; it is tried again when the volume is attached again",
                gone.package
            ),
        }
    }

    fn pass(
        &self,
        gone: &Departure,
        volume: VolumeKey,
        place: &dyn Fn() -> Option<Place>,
    ) -> Result<Pass, CatalogError> {
        let (mut after, mut changed, mut failed) = (0, 0, false);
        if let Some(place) = place()
            && let Err(error) = place.volume.disown_known(&gone.package, gone.user)
        {
            log::debug!("package={}: a file stays its own: {error}", gone.package);
            failed = true;
        }
        loop {
            let page = self.catalog.rows_of_package(&gone.package, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.id;
            let Some(place) = place().filter(|it| !it.emptied && !self.stop.load(Relaxed)) else {
                return Ok(Pass::Interrupted);
            };
            let on_public = place.volume.users.is_empty();
            let mut rows = Vec::new();
            for entry in page {
                let of_user = gone.user.is_none_or(|user| !on_public && entry.key.user == user);
                if entry.key.volume != volume || !of_user {
                    continue;
                }
                match place.volume.disown(&entry.key, &entry.row, &gone.package) {
                    Ok(Some(owner)) if owner.as_deref() == Some(&*gone.package) => {}
                    Ok(Some(owner)) => rows.push((entry.id, owner)),
                    Ok(None) => {}
                    Err(error) => {
                        log::debug!("package={}: a file stays its own: {error}", gone.package);
                        failed = true;
                    }
                }
            }
            if !rows.is_empty() {
                let done = self.catalog.disown(&gone.package, rows)?;
                place.volume.owners_changed();
                self.observer.count_by(Counter::Disowned, done);
                changed += done;
            }
        }
        Ok(match (changed, failed) {
            (1.., _) => Pass::Changed,
            (0, true) => Pass::Failed,
            (0, false) => Pass::Clean,
        })
    }
}

/// How a pass over a volume ended.
enum Pass {
    /// Something was taken away: there may be more.
    Changed,
    Clean,
    Failed,
    /// The volume is not there, or the service stops.
    Interrupted,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.departing.stop.store(true, Relaxed);
        // Whoever is about to wait has looked at `stop` under the lock.
        drop(self.departing.todo.lock());
        self.departing.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the thread that takes files away panicked");
        }
    }
}
