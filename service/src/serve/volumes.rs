//! The attached volumes.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Context;
use mediagate_policy::VolumeKind;
use parking_lot::RwLock;

use super::Shared;
use super::locations::Locations;
use super::run::descriptors;
use crate::catalog::VolumeKey;
use crate::config::{VolumeConfig, VolumeKindConfig, resolve_owner};
use crate::fuse::{Mounted, Serving, mount, take_over};
use crate::lower::Root;
use crate::observe::{Gauge, Observer};
use crate::passthrough::Room;
use crate::redaction::{Located, RangeStore};
use crate::scanner::{Area, Numbers, Scanner};
use crate::volume::{Parts, Volume};
use crate::watch::Watch;

/// One attached volume.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) config: VolumeConfig,
    /// The id of the session that it is, unless the service mounted it itself.
    pub(super) session: Option<String>,
    pub(super) volume: Arc<Volume>,
    pub(super) indexed: Arc<AtomicBool>,
    pub(super) watch: Option<Watch>,
    mounted: Option<Mounted>,
    pub(super) scanner: Option<Scanner>,
}

/// Where a volume's mount comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// The service mounts it.
    Own,
    /// Somebody else did, with this descriptor, for the session of this id.
    Device { id: String, device: OwnedFd },
}

impl Attached {
    /// The device number of its mount, as long as there is one.
    pub(super) fn device(&self) -> Option<u64> {
        self.mounted.as_ref().map(Mounted::device)
    }

    fn detach(mut self, observer: &Observer) {
        drop(self.scanner.take());
        // Before the mount goes: what stays open there is to be asked for again.
        drop(self.watch.take());
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

/// While it lives nobody else attaches or detaches.
pub(super) type Changing<'a> = parking_lot::MutexGuard<'a, ()>;

/// How many directories each volume may keep open: of a thousand descriptors a few, and never many.
fn held_dirs(descriptors: u64, volumes: usize) -> usize {
    usize::try_from(descriptors / 64).unwrap_or(usize::MAX).min(512) / volumes.max(1)
}

impl Volumes {
    pub(super) fn changing(&self) -> Changing<'_> {
        self.changing.lock()
    }

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
        self.attach_from(&self.volumes.changing(), config, Source::Own)
    }

    /// Attaches a volume whose configuration was checked, also against the volumes there are, since nothing changes them.
    pub(super) fn attach_from(
        &self,
        _changing: &Changing<'_>,
        config: &VolumeConfig,
        source: Source,
    ) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.volumes.find(&config.name).is_none(),
            "a volume {:?} is attached already",
            config.name
        );
        let owner = config.owner.as_deref().map(resolve_owner).transpose().map_err(anyhow::Error::msg)?;
        let lower = Root::open(&config.lower, owner)
            .with_context(|| format!("cannot use the lower directory {}", config.lower.display()))?
            .with_projects(self.config.service.quota_projects && config.kind == VolumeKindConfig::Emulated);
        let (kind, kind_name, users) = match config.kind {
            VolumeKindConfig::Emulated if config.users.is_empty() => {
                (VolumeKind::Emulated, "emulated", vec![0])
            }
            VolumeKindConfig::Emulated => (VolumeKind::Emulated, "emulated", config.users.clone()),
            VolumeKindConfig::Public => (VolumeKind::Public, "public", Vec::new()),
        };
        // Another card at the same place, or the place without its card, has rows of its own. An emulated volume is one, whatever
        // disk it was moved to.
        let key = match kind {
            VolumeKind::Public => {
                let marker = lower.marker().unwrap_or("no number");
                self.catalog.marked_volume(&config.name, kind_name, marker)?
            }
            VolumeKind::Emulated => self.catalog.volume(&config.name, kind_name)?,
        };
        // Before anybody can be, or make, anything there.
        let open = self.departing.withhold(key)?;
        let attached = self.attach_as(config, (lower, kind, users), key, source);
        self.departing.resume(open);
        attached
    }

    fn attach_as(
        &self,
        config: &VolumeConfig,
        (lower, kind, users): (Root, VolumeKind, Vec<u32>),
        key: VolumeKey,
        source: Source,
    ) -> anyhow::Result<()> {
        let store: Arc<dyn RangeStore> = Arc::new(Locations::new(Arc::clone(&self.catalog), key));
        // Where files cannot carry their owner (FAT) the inode numbers are made up, too (fs/fat/inode.c, fat_build_inode).
        let stable = lower.has_xattrs();
        let observer = Arc::clone(&self.observer);
        let located = Located::new(Arc::clone(&self.ranges), Some(store), stable, observer);
        let volume = Arc::new(Volume::new(Parts {
            name: config.name.clone(),
            kind,
            users,
            lower,
            cache_seconds: config.cache_seconds,
            key,
            catalog: Arc::clone(&self.catalog),
            access: Arc::clone(&self.access),
            located,
            budget: Arc::clone(&self.budget),
            room: Room {
                descriptors: descriptors(),
                handles: Arc::clone(&self.handles),
                volumes: self.config.volumes.len().max(1),
            },
            held_dirs: held_dirs(descriptors(), self.config.volumes.len()),
            handles: Arc::clone(&self.handles),
            listed: Arc::clone(&self.listed),
            observer: Arc::clone(&self.observer),
        })?);
        self.join_series(&volume)?;
        volume.prepare().context("cannot make the users' directories")?;
        // Before the kernel is told anything that it may keep, and before the index is brought up to date.
        let watch = Watch::start(&volume, config.watch)?;
        let cpus = std::thread::available_parallelism().map_or(2, usize::from);
        let threads = self.config.service.threads.unwrap_or_else(|| cpus.clamp(2, 8));
        // On a single processor nobody asks for anything while a worker looks whether somebody did.
        let busy_poll = if cpus > 1 { self.config.service.busy_poll_us } else { 0 };
        let busy_poll = Duration::from_micros(busy_poll.into());
        let turn = self.polling.clone();
        let serving = Serving { threads, passthrough: config.passthrough, busy_poll, turn };
        let (session, mounted) = match source {
            Source::Own => (None, mount(&volume, &config.mount, &serving)?),
            Source::Device { id, device } => (Some(id), take_over(&volume, device, &config.mount, &serving)?),
        };
        log::info!(
            "volume={} mount={} passthrough={:?} xattrs={} watch={:?}: attached",
            config.name,
            config.mount.display(),
            volume.passthrough.describe(),
            volume.lower.has_xattrs(),
            watch.describe()
        );
        let indexed = Arc::new(AtomicBool::new(false));
        let scanner = start_scanner(&volume, &indexed)?;
        let attached = Attached {
            config: config.clone(),
            session,
            volume,
            indexed,
            watch: Some(watch),
            mounted: Some(mounted),
            scanner: Some(scanner),
        };
        self.observer.shift(Gauge::Volumes, 1);
        self.volumes.list.write().push(Arc::new(attached));
        Ok(())
    }

    /// Ids are of one series on all volumes: that of the emulated one, which does not come from another machine.
    fn join_series(&self, volume: &Volume) -> anyhow::Result<()> {
        let joined = match (volume.kind, self.series.get()) {
            (_, Some(series)) => volume.join_series(Some(*series))?,
            (VolumeKind::Emulated, None) => volume.join_series(None)?,
            (VolumeKind::Public, None) => {
                let own = self.catalog.version()?.1.cast_unsigned().max(1);
                volume.join_series(Some(own))?
            }
        };
        if let (VolumeKind::Emulated, Some(series)) = (volume.kind, joined) {
            // Another one set it at the same time, or before.
            let _ = self.series.set(series);
        }
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
fn start_scanner(volume: &Arc<Volume>, indexed: &Arc<AtomicBool>) -> anyhow::Result<Scanner> {
    if volume.catalog.needs_reconcile(volume.key)? {
        volume.doubt_rows();
    }
    let (scanned, indexed) = (Arc::clone(volume), Arc::clone(indexed));
    let walked = move |area: &Area, done: &Numbers| {
        let (volume, catalog) = (&scanned, &scanned.catalog);
        if !area.path.is_empty() || done.emptied {
            return;
        }
        // Files that left the index behind the mount took their grants with them.
        let flushed = catalog.flush_volume(volume.key);
        if let Err(error) = flushed.and_then(|()| super::grants::load(catalog, &volume.access)) {
            log::error!("volume={}: {error}", volume.name);
        }
        indexed.store(true, Relaxed);
        log::info!(
            "volume={} files={} added={} changed={} removed={} failed={}: index is up to date",
            volume.name,
            done.files,
            done.added,
            done.changed,
            done.removed,
            done.failed,
        );
    };
    Ok(Scanner::start(volume, Box::new(walked))?)
}
