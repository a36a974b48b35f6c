//! What clients may ask of the service.

use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::Shared;
use super::volumes::{Attached, Source};
use crate::config::{PackageConfig, VolumeConfig, check_volume};
use crate::control::store::Store;
use crate::control::{
    Control, ControlError, ExplainRequest, Explanation, GrantSpec, GrantStatus, MaintenanceStatus,
    PackageStatus, ScanStatus, SessionRequest, Stat, VolumeState, VolumeStatus,
};
use crate::identity::PersistError;
use crate::observe::Gauge;
use crate::watch::Watch;

impl Shared {
    fn persist(&self, name: &str, package: Option<&PackageConfig>) -> Result<(), PersistError> {
        let json = package.map(serde_json::to_string).transpose()?;
        Ok(self.catalog.store_package(name, json.as_deref())?)
    }

    /// The volume that an absolute path is on, and the path below its lower root.
    pub(super) fn locate<'a>(&self, path: &'a [u8]) -> Result<(Arc<Attached>, &'a [u8]), ControlError> {
        self.volumes
            .all()
            .into_iter()
            .find_map(|it| Some((below(path, it.config.mount.as_os_str().as_bytes())?, it)))
            .map(|(rest, it)| (it, rest))
            .ok_or_else(|| {
                let path = String::from_utf8_lossy(path);
                ControlError::NotFound(format!(
                    "{path} is on no attached volume; `volume list` shows the mounts"
                ))
            })
    }
}

/// What of `path` is below `mount`.
fn below<'a>(path: &'a [u8], mount: &[u8]) -> Option<&'a [u8]> {
    match path.strip_prefix(mount)? {
        [] => Some(&[]),
        [b'/', rest @ ..] => Some(rest),
        _ => None,
    }
}

impl Control for Shared {
    fn volumes(&self) -> Vec<VolumeStatus> {
        let status = |it: &Arc<Attached>| VolumeStatus {
            name: it.config.name.clone(),
            kind: if it.volume.users.is_empty() { "public" } else { "emulated" }.to_owned(),
            lower: it.config.lower.to_string_lossy().into_owned(),
            mount: it.config.mount.to_string_lossy().into_owned(),
            users: it.volume.users.clone(),
            passthrough: if it.config.passthrough {
                it.volume.passthrough.describe().to_owned()
            } else {
                "off: by configuration".to_owned()
            },
            watch: it.watch.as_ref().map_or_else(|| "off: detaching".to_owned(), Watch::describe),
            xattrs: it.volume.lower.has_xattrs(),
            indexed: it.indexed.load(Relaxed),
            emptied: it.scanner.as_ref().is_some_and(crate::scanner::Scanner::is_emptied),
        };
        self.volumes.all().iter().map(status).collect()
    }

    fn attach_volume(&self, volume: VolumeConfig) -> Result<(), ControlError> {
        let changing = self.volumes.changing();
        if self.volumes.find(&volume.name).is_some() {
            return Err(ControlError::AlreadyExists(format!(
                "a volume {:?} is attached already; detach it first",
                volume.name
            )));
        }
        let attached: Vec<_> = self.volumes.all().iter().map(|it| it.config.clone()).collect();
        let volume = check_volume(&volume, &attached).map_err(ControlError::Invalid)?;
        self.attach_from(&changing, &volume, Source::Own)
            .map_err(|error| ControlError::Failed(format!("{error:#}")))
    }

    fn detach_volume(&self, name: &str) -> Result<(), ControlError> {
        if self.detach(name) {
            Ok(())
        } else {
            Err(ControlError::NotFound(format!(
                "no volume {name:?} is attached; `volume list` shows those that are"
            )))
        }
    }

    fn start_session(&self, session: SessionRequest) -> Result<(), ControlError> {
        self.begin_session(session)
    }

    fn end_session(&self, id: &str) -> Result<(), ControlError> {
        self.finish_session(id)
    }

    fn volume_state_changed(&self, id: &str, state: VolumeState) -> Result<(), ControlError> {
        self.follow_session(id, state)
    }

    fn bind_private_storage(&self, namespace: OwnedFd, uid: u32) -> Result<(), ControlError> {
        self.bind_private(namespace, uid)
    }

    fn free_cache(&self) -> Result<u64, ControlError> {
        for attached in self.volumes.all().iter() {
            attached.volume.passthrough.let_go_of_all();
            attached.volume.let_go_of_dirs();
        }
        self.catalog.give_back().map_err(|error| ControlError::Failed(error.to_string()))
    }

    fn packages(&self) -> Vec<PackageStatus> {
        self.identity.packages()
    }

    fn install_package(&self, package: PackageConfig) -> Result<(), ControlError> {
        self.let_leave(&package.name)?;
        Ok(self.identity.install(&package, &|name, package| self.persist(name, package))?)
    }

    fn remove_package(&self, name: &str) -> Result<(), ControlError> {
        Ok(self.identity.remove(name, &|name, package| self.persist(name, package))?)
    }

    fn set_permission(&self, package: &str, permission: &str, granted: bool) -> Result<(), ControlError> {
        let persist = |name: &str, package: Option<&PackageConfig>| self.persist(name, package);
        Ok(self.identity.set_permission(package, permission, granted, &persist)?)
    }

    fn set_app_op(&self, package: &str, op: &str, mode: &str) -> Result<(), ControlError> {
        let persist = |name: &str, package: Option<&PackageConfig>| self.persist(name, package);
        Ok(self.identity.set_app_op(package, op, mode, &persist)?)
    }

    fn packages_of_uid(&self, uid: u32) -> Vec<String> {
        self.identity.packages_of_uid(uid)
    }

    fn add_grant(&self, grant: &GrantSpec) -> Result<(), ControlError> {
        self.give(grant)
    }

    fn grants(
        &self,
        packages: Option<&[String]>,
        user: Option<u32>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<GrantStatus>, ControlError> {
        self.given(packages, user, after, limit)
    }

    fn remove_grants(&self, package: &str, user: u32, path: Option<&[u8]>) -> Result<usize, ControlError> {
        self.take_back(package, user, path)
    }

    fn scan(&self, path: Option<&[u8]>) -> Result<Vec<ScanStatus>, ControlError> {
        self.begin_scan(path)
    }

    fn scan_file_for(&self, uid: u32, path: &[u8]) -> Result<Vec<ScanStatus>, ControlError> {
        self.begin_scan_for(uid, path)
    }

    fn scans(&self) -> Vec<ScanStatus> {
        self.all_scans()
    }

    fn cancel_scan(&self, volume: &str, ticket: u64) -> Result<(), ControlError> {
        self.end_scan(volume, ticket)
    }

    fn media_store(self: Arc<Self>) -> Arc<dyn Store> {
        self
    }

    fn redacted_path(
        &self,
        uid: Option<u32>,
        path: &[u8],
        reader: Option<(&str, u32)>,
    ) -> Result<Vec<u8>, ControlError> {
        self.link(uid, path, reader)
    }

    fn clear_package(&self, name: &str) -> Result<(), ControlError> {
        self.clear(name)
    }

    fn maintain(&self) -> Result<MaintenanceStatus, ControlError> {
        self.begin_maintenance()
    }

    fn maintenance(&self) -> Option<MaintenanceStatus> {
        self.last_maintenance()
    }

    fn cancel_maintenance(&self) -> Result<(), ControlError> {
        self.end_maintenance()
    }

    fn explain(&self, request: &ExplainRequest) -> Result<Explanation, ControlError> {
        let (attached, path) = self.locate(&request.path)?;
        let to = match &request.to {
            None => None,
            Some(to) => {
                let (other, to) = self.locate(to)?;
                if !Arc::ptr_eq(&other, &attached) {
                    return Err(ControlError::Invalid(
                        "the new name is on another volume: the kernel answers EXDEV without asking".into(),
                    ));
                }
                Some(to)
            }
        };
        crate::ops::explain(&attached.volume, request, path, to)
    }

    fn stats(&self) -> Vec<Stat> {
        let volumes = self.volumes.all();
        volumes.iter().for_each(|it| it.volume.nodes.sweep());
        for (gauge, name) in [(Gauge::PassthroughUpstream, "upstream"), (Gauge::PassthroughLegacy, "legacy")]
        {
            let using = volumes.iter().filter(|it| it.volume.passthrough.describe() == name).count();
            self.observer.set(gauge, i64::try_from(using).unwrap_or(i64::MAX));
        }
        self.observer.stats()
    }

    fn dump(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = self.dump_to(&mut out);
        out
    }

    fn admin_uids(&self) -> Vec<u32> {
        self.config.service.admin_uids.clone()
    }
}
