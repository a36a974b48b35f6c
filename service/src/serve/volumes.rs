//! The attached volumes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use mediagate_policy::VolumeKind;
use parking_lot::RwLock;

use super::Shared;
use super::run::descriptors;
use crate::config::{VolumeConfig, VolumeKindConfig, resolve_owner};
use crate::fuse::{Mounted, mount};
use crate::lower::Root;
use crate::observe::{Gauge, Observer};
use crate::passthrough::Room;
use crate::scanner::reconcile;
use crate::volume::{Parts, Volume};

/// What the kernel takes for "for ever": it adds this to its clock, so it must not be the largest number there is.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// One attached volume.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) config: VolumeConfig,
    pub(super) volume: Arc<Volume>,
    pub(super) indexed: Arc<AtomicBool>,
    mounted: Option<Mounted>,
    reconcile: Option<Reconcile>,
}

#[derive(Debug)]
struct Reconcile {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Attached {
    fn detach(mut self, observer: &Observer) {
        if let Some(reconcile) = self.reconcile.take() {
            reconcile.stop.store(true, Relaxed);
            if reconcile.thread.join().is_err() {
                log::error!("volume={}: bringing its index up to date panicked", self.config.name);
            }
        }
        if let Some(mounted) = self.mounted.take() {
            mounted.unmount();
        }
        observer.shift(Gauge::Volumes, -1);
        log::info!("volume={}: detached", self.config.name);
    }
}

/// The attached volumes, in the order they were attached.
///
/// # Locks
/// The list is locked to read and change it; never while a volume is mounted or unmounted. `changing` orders attaches
/// and detaches.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    changing: parking_lot::Mutex<()>,
    list: RwLock<Vec<Arc<Attached>>>,
}

impl Volumes {
    pub(super) fn all(&self) -> Vec<Arc<Attached>> {
        self.list.read().clone()
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<Attached>> {
        self.list.read().iter().find(|it| it.config.name == name).cloned()
    }

    pub(super) fn detach_all(&self) {
        let _changing = self.changing.lock();
        let all = std::mem::take(&mut *self.list.write());
        for attached in all.into_iter().rev() {
            detach(attached);
        }
    }
}

/// Somebody may be looking at it right now; they let go at once.
fn detach(mut attached: Arc<Attached>) {
    let observer = Arc::clone(&attached.volume.observer);
    loop {
        match Arc::try_unwrap(attached) {
            Ok(attached) => return attached.detach(&observer),
            Err(shared) => attached = shared,
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

impl Shared {
    /// Attaches and mounts a volume whose configuration was checked.
    pub(super) fn attach(&self, config: &VolumeConfig) -> anyhow::Result<()> {
        let _changing = self.volumes.changing.lock();
        anyhow::ensure!(
            self.volumes.find(&config.name).is_none(),
            "a volume {:?} is attached already",
            config.name
        );
        let owner = config.owner.as_deref().map(resolve_owner).transpose().map_err(anyhow::Error::msg)?;
        let lower = Root::open(&config.lower, owner)
            .with_context(|| format!("cannot use the lower directory {}", config.lower.display()))?;
        let (kind, kind_name, users) = match config.kind {
            VolumeKindConfig::Emulated if config.users.is_empty() => {
                (VolumeKind::Emulated, "emulated", vec![0])
            }
            VolumeKindConfig::Emulated => (VolumeKind::Emulated, "emulated", config.users.clone()),
            VolumeKindConfig::Public => (VolumeKind::Public, "public", Vec::new()),
        };
        let ttl = match u64::try_from(config.cache_seconds) {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => FOR_EVER,
        };
        let volume = Arc::new(Volume::new(Parts {
            name: config.name.clone(),
            kind,
            users,
            lower,
            ttl,
            key: self.catalog.volume(&config.name, kind_name)?,
            catalog: Arc::clone(&self.catalog),
            access: Arc::clone(&self.access),
            ranges: Arc::clone(&self.ranges),
            budget: Arc::clone(&self.budget),
            room: Room {
                descriptors: descriptors(),
                handles: Arc::clone(&self.handles),
                volumes: self.config.volumes.len().max(1),
            },
            handles: Arc::clone(&self.handles),
            listed: Arc::clone(&self.listed),
            observer: Arc::clone(&self.observer),
        })?);
        volume.prepare().context("cannot make the users' directories")?;
        let cpus = std::thread::available_parallelism().map_or(2, usize::from);
        let threads = self.config.service.threads.unwrap_or_else(|| cpus.clamp(2, 8));
        let mounted = mount(&volume, &config.mount, threads, config.passthrough)?;
        log::info!(
            "volume={} mount={} passthrough={:?} xattrs={}: attached",
            config.name,
            config.mount.display(),
            volume.passthrough.describe(),
            volume.lower.has_xattrs()
        );
        let indexed = Arc::new(AtomicBool::new(false));
        let reconcile = start_reconcile(&volume, &indexed)?;
        let attached = Attached {
            config: config.clone(),
            volume,
            indexed,
            mounted: Some(mounted),
            reconcile: Some(reconcile),
        };
        self.observer.shift(Gauge::Volumes, 1);
        self.volumes.list.write().push(Arc::new(attached));
        Ok(())
    }

    /// Unmounts and detaches. False if there is no such volume.
    pub(super) fn detach(&self, name: &str) -> bool {
        let _changing = self.volumes.changing.lock();
        let attached = {
            let mut list = self.volumes.list.write();
            let Some(position) = list.iter().position(|it| it.config.name == name) else { return false };
            list.remove(position)
        };
        detach(attached);
        true
    }
}

/// Brings the index up to date beside the volume's work. Whatever the catalog says of itself: nobody watched the lower tree
/// while the volume was not attached.
fn start_reconcile(volume: &Arc<Volume>, indexed: &Arc<AtomicBool>) -> anyhow::Result<Reconcile> {
    // Asked here for what the answer leaves behind: writes that are lost from now on are not made good by this pass.
    let behind = volume.catalog.needs_reconcile(volume.key)?;
    let stop = Arc::new(AtomicBool::new(false));
    let (volume, indexed, stopping) = (Arc::clone(volume), Arc::clone(indexed), Arc::clone(&stop));
    let thread = std::thread::Builder::new().name("reconcile".into()).spawn(move || {
        let begin = std::time::Instant::now();
        match reconcile(&volume, &stopping) {
            Ok(done) if !stopping.load(Relaxed) => {
                let catalog = &volume.catalog;
                let reconciled = match behind {
                    true => catalog.flush().and_then(|()| catalog.set_reconciled(volume.key)),
                    false => catalog.flush(),
                };
                // Files that left the index behind the mount took their grants with them.
                if let Err(error) = reconciled.and_then(|()| super::grants::load(catalog, &volume.access)) {
                    log::error!("volume={}: {error}", volume.name);
                }
                indexed.store(true, Relaxed);
                log::info!(
                    "volume={} files={} added={} removed={} failed={} ms={}: index is up to date",
                    volume.name,
                    done.files,
                    done.added,
                    done.removed,
                    done.failed,
                    begin.elapsed().as_millis()
                );
            }
            Ok(_) => {}
            Err(error) => log::error!(
                "volume={}: its index could not be brought up to date ({error}); files are indexed when they are \
                 seen, and the next start tries again",
                volume.name
            ),
        }
    })?;
    Ok(Reconcile { stop, thread })
}
