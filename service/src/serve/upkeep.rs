//! Maintenance and departures, as clients ask for them.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::Shared;
use crate::access::now;
use crate::catalog::Departure;
use crate::control::{ControlError, MaintenanceStatus, MaintenanceStep};
use crate::identity::Gone;
use crate::upkeep::{Departing, Maintenance, Marker, Place, Places, RunStatus, Worker};

/// How long a call waits for files to be taken away: the client waits for 30 s.
const PATIENCE: Duration = Duration::from_secs(20);

/// The threads. Dropped before the volumes go.
#[derive(Debug)]
pub(super) struct Upkeep {
    _departing: Worker,
    _marker: Marker,
}

pub(super) fn start(shared: &Arc<Shared>) -> std::io::Result<Upkeep> {
    let weak = Arc::downgrade(shared);
    let places: Places = Arc::new(move || weak.upgrade().map(|shared| places(&shared)).unwrap_or_default());
    let departing = shared.departing.start(Arc::clone(&places))?;
    let marker = Marker::start(Arc::clone(&shared.catalog), Arc::clone(&places))?;
    let hours = shared.config.service.maintenance_hours;
    let every = (hours > 0).then(|| Duration::from_secs(u64::from(hours) * 3600));
    let maintenance = Maintenance::start(&shared.departing, places, now, every)?;
    *shared.maintenance.lock() = Some(maintenance);
    Ok(Upkeep { _departing: departing, _marker: marker })
}

fn places(shared: &Shared) -> Vec<Place> {
    let place = |it: &Arc<super::volumes::Attached>| Place {
        volume: Arc::clone(&it.volume),
        mount: it.config.mount.clone(),
        indexed: it.indexed.load(Relaxed),
        emptied: it.scanner.as_ref().is_some_and(crate::scanner::Scanner::is_emptied),
    };
    shared.volumes.all().iter().map(place).collect()
}

/// What leaves by a change of packages is recorded before the change takes effect.
pub(super) fn leave(departing: &Departing, gone: &[Gone]) {
    let gone: Vec<Departure> =
        gone.iter().map(|(package, user)| Departure { package: Arc::clone(package), user: *user }).collect();
    if gone.is_empty() {
        return;
    }
    if let Err(error) = departing.leave(&gone) {
        log::error!(
            "packages that left were not written down ({error}); `mediagate maintain` finds their files"
        );
    }
}

impl Shared {
    /// Waits until the package of this name may be installed.
    pub(super) fn let_leave(&self, package: &str) -> Result<(), ControlError> {
        if self.departing.settle(package, PATIENCE) {
            return Ok(());
        }
        Err(ControlError::Failed(format!(
            "the files of an earlier {package:?} are still being made nobody's; install it again in a while \
             (`upkeep.departing` in `mediagate stats` says how many packages are waited for)"
        )))
    }

    pub(super) fn clear(&self, package: &str) -> Result<(), ControlError> {
        if !self.identity.is_installed(package) {
            return Err(ControlError::NotFound(format!(
                "package {package:?} is not installed; `package list` shows those that are"
            )));
        }
        let failed = |error: crate::catalog::CatalogError| ControlError::Failed(error.to_string());
        self.departing.clear(package).map_err(failed)?;
        let gone = self.access.grants().retain_apps(|name, _| name != package);
        if !gone.is_empty() {
            self.catalog.remove_grants(gone).map_err(failed)?;
        }
        // It goes on if that takes longer, and the package is nobody until then.
        self.departing.settle(package, PATIENCE);
        Ok(())
    }

    pub(super) fn begin_maintenance(&self) -> Result<MaintenanceStatus, ControlError> {
        let maintenance = self.maintenance.lock();
        let run = maintenance.as_ref().map(Maintenance::request);
        run.map(status).ok_or_else(|| ControlError::Failed("the service is starting or stopping".into()))
    }

    pub(super) fn last_maintenance(&self) -> Option<MaintenanceStatus> {
        self.maintenance.lock().as_ref().and_then(Maintenance::status).map(status)
    }

    pub(super) fn end_maintenance(&self) -> Result<(), ControlError> {
        if self.maintenance.lock().as_ref().is_some_and(Maintenance::cancel) {
            Ok(())
        } else {
            Err(ControlError::NotFound("no maintenance waits or goes on".into()))
        }
    }
}

fn status(run: RunStatus) -> MaintenanceStatus {
    let step = |it: crate::upkeep::StepStatus| MaintenanceStep {
        name: it.name.to_owned(),
        phase: it.phase.to_owned(),
        done: it.done,
        failed: it.failed,
        said: it.said,
    };
    MaintenanceStatus {
        number: run.number,
        phase: run.phase.to_owned(),
        millis: u64::try_from(run.took.as_millis()).unwrap_or(u64::MAX),
        steps: run.steps.into_iter().map(step).collect(),
    }
}
