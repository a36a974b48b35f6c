//! Writing ids and favourites on files, behind what changes: once a minute, and as a step of maintenance.
//!
//! The catalog remembers up to which generation that is done, so a pass costs what changed. What was marked before and is
//! so still costs reading one attribute. While there is a file that could not be marked the next pass begins where this one
//! did.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;

use super::steps::Work;
use super::{Place, Places};
use crate::catalog::{Catalog, CatalogError, VolumeKey};

/// How long changes may gather.
const PERIOD: Duration = Duration::from_secs(60);
/// Rows in one page of work.
const PAGE: usize = 512;
/// One pass at a time, so that what is remembered does not go back.
static PASS: Mutex<()> = Mutex::new(());

/// Writes marks now and then. Stops when dropped.
#[derive(Debug)]
pub struct Marker {
    stop: Option<Sender<()>>,
    cancel: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Marker {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// When there can be no more threads.
    pub fn start(catalog: Arc<Catalog>, places: Places) -> std::io::Result<Marker> {
        let (stop, stopped) = bounded::<()>(0);
        let cancel = Arc::new(AtomicBool::new(false));
        let cancelled = Arc::clone(&cancel);
        let thread = std::thread::Builder::new().name("marks".into()).spawn(move || {
            while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = pass(&catalog, &places, &cancelled, &|_| {}) {
                    log::debug!("ids are not written down now: {error}");
                }
            }
        })?;
        Ok(Marker { stop: Some(stop), cancel, thread: Some(thread) })
    }
}

impl Drop for Marker {
    fn drop(&mut self) {
        self.cancel.store(true, Relaxed);
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub(super) fn marks(work: &Work<'_>) -> Result<String, CatalogError> {
    let means = work.means;
    pass(&means.catalog, &means.places, &means.cancel, &|marked| {
        if marked { work.did(1) } else { work.could_not() }
    })?;
    Ok(format!("{} files marked with their ids", work.count()))
}

/// Goes over what changed since the last pass. `each` hears of every file that was marked, or could not be.
fn pass(
    catalog: &Catalog,
    places: &Places,
    cancel: &AtomicBool,
    each: &dyn Fn(bool),
) -> Result<(), CatalogError> {
    let _one = PASS.lock();
    let volumes: Vec<VolumeKey> = places().iter().map(|it| it.volume.key).collect();
    for volume in volumes {
        let place = || places().into_iter().find(|it| it.volume.key == volume && it.volume.is_marked());
        let Some(first) = place() else { continue };
        first.volume.write_series();
        catalog.flush_volume(volume)?;
        let until = catalog.version()?.0;
        let since = catalog.marked(volume)?;
        let users = match first.volume.users.as_slice() {
            [] => vec![0],
            users => users.to_vec(),
        };
        drop(first);
        let mut whole = true;
        if until > since {
            for user in users {
                whole &= tree(catalog, (volume, user), since, &place, cancel, each)?;
            }
        }
        if whole && until != since {
            catalog.set_marked(volume, until)?;
        }
    }
    Ok(())
}

/// True if all of it was gone through and marked.
fn tree(
    catalog: &Catalog,
    (volume, user): (VolumeKey, u32),
    since: i64,
    place: &dyn Fn() -> Option<Place>,
    cancel: &AtomicBool,
    each: &dyn Fn(bool),
) -> Result<bool, CatalogError> {
    let mut after = (since, i64::MAX);
    let mut whole = true;
    loop {
        let page = catalog.changed_rows(volume, user, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(whole) };
        after = (last.generation_modified, last.id);
        let Some(place) = place() else { return Ok(false) };
        for entry in &page {
            if cancel.load(Relaxed) {
                return Ok(false);
            }
            match place.volume.write_mark(entry) {
                Ok(true) => each(true),
                Ok(false) => {}
                Err(error) => {
                    log::debug!("volume={}: a file is not marked with its id: {error}", place.volume.name);
                    each(false);
                    whole = false;
                }
            }
        }
    }
}
