//! Putting the pieces together, and taking them apart in order.
//!
//! # Threads
//! `fuser-N` workers for each volume; `notifier` for each volume; `catalog` the one writer; `scanner`, `facts-*` and `facts` for each volume
//! while its index is being mended; `watchdog`; the interface's own.

mod control;
mod dump;
mod grants;
mod links;
mod locations;
mod notify;
mod private;
mod run;
mod scan;
mod sessions;
mod store;
mod upkeep;
mod volumes;
mod watchdog;

use std::sync::{Arc, OnceLock};

use anyhow::Context;
use parking_lot::Mutex;

use crate::access::{Access, Grants};
use crate::binder::{self, Serving};
use crate::catalog::Catalog;
use crate::config::{Config, PackageConfig};
use crate::control::Control;
use crate::identity::{Identity, profiles, sources};
use crate::observe::{Gauge, Observer};
use crate::passthrough::{Budget, Limits};
use crate::redaction::{Parsers, RangeSource};
use crate::upkeep::{Departing, Maintenance};

pub use run::run_command;
use volumes::Volumes;
use watchdog::Watchdog;

/// Entries that listings may hold, at some 60 bytes each.
const LISTED: Limits = Limits { total: 4_000_000, per_uid: 500_000 };

/// What the pieces share.
#[derive(Debug)]
pub(crate) struct Shared {
    config: Config,
    observer: Arc<Observer>,
    catalog: Arc<Catalog>,
    identity: Arc<Identity>,
    access: Arc<Access>,
    budget: Arc<Budget>,
    handles: Arc<Budget>,
    listed: Arc<Budget>,
    ranges: Arc<dyn RangeSource>,
    volumes: Volumes,
    observers: store::observe::Observers,
    turns: store::turns::Turns,
    departing: Arc<Departing>,
    /// Which worker looks for requests.
    polling: crate::fuse::Turn,
    /// The series of ids that volumes take part in.
    series: OnceLock<u64>,
    /// Locked to ask it something; there from the end of the start to the beginning of the stop.
    maintenance: Mutex<Option<Maintenance>>,
}

/// A running service. Stopped by [`Service::stop`] or when dropped.
#[derive(Debug)]
pub struct Service {
    shared: Arc<Shared>,
    // Dropped in this order: first nobody may call any more.
    serving: Option<Serving>,
    upkeep: Option<upkeep::Upkeep>,
    _watchdog: Watchdog,
}

impl Service {
    /// Opens the catalog, mounts the volumes and serves the interface. If anything fails, what was begun is undone.
    ///
    /// Sets the process's umask to 0: modes of lower files are the service's own, not its parent's.
    pub fn start(config: Config) -> anyhow::Result<Service> {
        Self::start_with(config, Arc::new(Parsers))
    }

    /// Like [`Service::start`], with another finder of location data.
    pub fn start_with(config: Config, ranges: Arc<dyn RangeSource>) -> anyhow::Result<Service> {
        nix::sys::stat::umask(nix::sys::stat::Mode::empty());
        run::raise_descriptor_limit();
        let observer = Arc::new(Observer::default());
        let state_dir = &config.service.state_dir;
        let catalog = Catalog::open(state_dir, Arc::clone(&observer))
            .with_context(|| format!("cannot open the catalog in {}", state_dir.display()))?;
        let identity = Identity::new(sources(&config), overlay(&catalog)?, profiles(&config.users))?;
        let grants = Arc::new(Grants::default());
        let access = Arc::new(Access::new(Arc::clone(&identity), grants, Arc::clone(&observer)));
        grants::load(&catalog, &access).context("cannot read the grants")?;
        grants::follow_rows(&access, &catalog);
        let departing = Departing::new(Arc::clone(&catalog), Arc::clone(&identity), Arc::clone(&observer));
        follow_departures(&identity, &departing, &access, &catalog);
        let limits = &config.service.backing_files;
        let limits = Limits { total: limits.max, per_uid: limits.max_per_uid };
        let shared = Arc::new(Shared {
            access,
            budget: Budget::new(limits, Gauge::BackingFiles, Arc::clone(&observer)),
            handles: Budget::new(run::handle_limits(), Gauge::Handles, Arc::clone(&observer)),
            listed: Budget::new(LISTED, Gauge::ListedEntries, Arc::clone(&observer)),
            volumes: Volumes::default(),
            observers: store::observe::Observers::default(),
            turns: store::turns::Turns::default(),
            departing,
            polling: crate::fuse::Turn::default(),
            series: OnceLock::new(),
            maintenance: Mutex::new(None),
            identity,
            catalog,
            observer,
            ranges,
            config,
        });
        let weak = Arc::downgrade(&shared);
        shared.identity.on_mixing(Box::new(move || {
            if let Some(shared) = weak.upgrade() {
                shared.volumes.all().iter().for_each(|attached| attached.volume.forget_top());
            }
        }));
        let upkeep = upkeep::start(&shared)?;
        for volume in &shared.config.volumes {
            shared.attach(volume).with_context(|| format!("volume {:?}", volume.name))?;
        }
        let control: Arc<dyn Control> = Arc::clone(&shared) as Arc<dyn Control>;
        let serving = match shared.config.service.listen.as_slice() {
            [] => None,
            addresses => Some(binder::serve(addresses, control)?),
        };
        let volumes = Arc::downgrade(&shared);
        let watchdog = Watchdog::start(Arc::clone(&shared.observer), move || {
            let Some(shared) = volumes.upgrade() else { return };
            shared.volumes.all().iter().for_each(|it| it.volume.passthrough.let_go());
        })?;
        Ok(Service { shared, serving, upkeep: Some(upkeep), _watchdog: watchdog })
    }

    /// What clients can ask of it, in this process.
    pub fn control(&self) -> Arc<dyn Control> {
        Arc::clone(&self.shared) as Arc<dyn Control>
    }

    /// Unmounts everything and closes the catalog.
    pub fn stop(self) {
        drop(self);
    }

    /// Whether every volume's index has been brought up to date since it was attached.
    pub fn is_indexed(&self) -> bool {
        self.control().volumes().iter().all(|volume| volume.indexed)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving = None;
        let maintenance = self.shared.maintenance.lock().take();
        drop(maintenance);
        self.upkeep = None;
        self.shared.volumes.detach_all();
        self.shared.catalog.close();
    }
}

/// Has what a package owns and was granted go when it does, whoever removes it.
fn follow_departures(
    identity: &Identity,
    departing: &Arc<Departing>,
    access: &Arc<Access>,
    catalog: &Arc<Catalog>,
) {
    let (access, catalog) = (Arc::downgrade(access), Arc::downgrade(catalog));
    let departing = Arc::downgrade(departing);
    identity.on_departures(Box::new(move |gone, is_installed| {
        let (Some(access), Some(catalog)) = (access.upgrade(), catalog.upgrade()) else { return };
        if let Some(departing) = departing.upgrade() {
            upkeep::leave(&departing, gone);
        }
        let gone = access.grants().retain_apps(is_installed);
        if !gone.is_empty() {
            catalog.drop_grants(gone);
        }
        // A catalog that fails says so itself, and is asked for each open by a link.
        for (package, user) in catalog.link_readers().unwrap_or_default() {
            if !is_installed(&package, user) {
                catalog.drop_link_reader(&package, user);
            }
        }
    }));
}

/// The packages that were changed at run time, as stored.
fn overlay(catalog: &Catalog) -> anyhow::Result<Vec<(String, Option<PackageConfig>)>> {
    let mut overlay = Vec::new();
    for (name, record) in catalog.packages()? {
        let package = match record.as_deref().map(serde_json::from_str) {
            None => None,
            Some(Ok(package)) => Some(package),
            Some(Err(error)) => {
                // Without its record the package has what its source gives it, which may be more than it had: it is
                // taken for removed until it is installed again.
                log::error!("package={name}: its stored record cannot be read ({error}); install it again");
                None
            }
        };
        overlay.push((name, package));
    }
    Ok(overlay)
}
