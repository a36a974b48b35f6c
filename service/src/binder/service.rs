//! The AIDL object. Each method is four steps: authorise, convert, call, convert back.
//!
//! The first line of every method asks [`authz`]; nothing of the call is looked at before.

use std::os::fd::AsFd as _;
use std::sync::Arc;

use mediagate_aidl as aidl;

use super::authz::{self, Right};
use super::platform::{self, BinderResult, ParcelFileDescriptor, SIBinder, Status, Strong};
use super::store::StoreBinder;
use super::{convert, field, scans, upkeep};
use crate::control::{Control, ControlError};

/// Packages in one answer of `listPackages`: with some hundred permissions each they still fit the 1 MiB that all
/// kernel binder transactions to a process share (`BINDER_VM_SIZE`, libbinder's ProcessState.cpp).
const PACKAGES_PER_PAGE: usize = 32;
/// Grants in one answer of `listGrants`: with paths of 4096 bytes they still fit.
const GRANTS_PER_PAGE: usize = 64;
/// Bytes of a dump sent; String16 doubles them.
const DUMP_MAX: usize = 192 * 1024;

/// A uid is its user times this, plus an app id.
const PER_USER: u32 = 100_000;

/// The service behind the AIDL.
pub(super) struct Binder {
    control: Arc<dyn Control>,
    store: StoreBinder<SIBinder>,
}

impl Binder {
    pub(super) fn new(control: Arc<dyn Control>) -> Self {
        Binder { store: StoreBinder::served(Arc::clone(&control)), control }
    }

    /// The whole dump, for who may see it.
    pub(super) fn dump_text(&self) -> BinderResult<String> {
        authz::require(&*self.control, Right::Dump)?;
        Ok(self.state())
    }

    fn state(&self) -> String {
        let mut text = "CALLS OF THE INTERFACE IN FLIGHT (oldest first)\n".to_owned();
        for it in platform::calls() {
            text += &format!("  {} uid={} age_ms={}\n", it.what, it.uid, it.since.elapsed().as_millis());
        }
        text += "OBSERVERS BY UID\n";
        for (uid, all, slow) in self.store.observers().by_uid() {
            text += &format!("  {uid}: {all}, of which {slow} cannot be called just now\n");
        }
        text + &self.control.dump()
    }
}

impl aidl::IMediagate for Binder {
    fn listVolumes(&self) -> BinderResult<Vec<aidl::VolumeStatus>> {
        authz::require(&*self.control, Right::Administer)?;
        self.control.volumes().iter().map(|v| convert::volume_status_to_wire(v).map_err(ours)).collect()
    }

    fn attachVolume(&self, volume: &aidl::VolumeSpec) -> BinderResult<()> {
        authz::require(&*self.control, Right::Administer)?;
        let volume = convert::volume_from_wire(volume).map_err(status)?;
        self.control.attach_volume(volume).map_err(status)
    }

    fn detachVolume(&self, name: &str) -> BinderResult<()> {
        authz::require(&*self.control, Right::Administer)?;
        let name = field::name("volume's name", name).map_err(status)?;
        self.control.detach_volume(name).map_err(status)
    }

    fn startSession(
        &self,
        id: &str,
        device: &ParcelFileDescriptor,
        upper: &[u8],
        lower: &[u8],
    ) -> BinderResult<()> {
        authz::require(&*self.control, Right::Administer)?;
        let session = convert::session_from_wire(id, device.as_fd(), upper, lower).map_err(status)?;
        self.control.start_session(session).map_err(status)
    }

    fn endSession(&self, id: &str) -> BinderResult<()> {
        authz::require(&*self.control, Right::Administer)?;
        let id = field::name("session's id", id).map_err(status)?;
        self.control.end_session(id).map_err(status)
    }

    fn volumeStateChanged(&self, id: &str, state: aidl::VolumeState) -> BinderResult<()> {
        authz::require(&*self.control, Right::Administer)?;
        let id = field::name("session's id", id).map_err(status)?;
        let state = convert::state_from_wire(state).map_err(status)?;
        self.control.volume_state_changed(id, state).map_err(status)
    }

    fn bindPrivateStorage(&self, mount_namespace: &ParcelFileDescriptor, uid: i32) -> BinderResult<()> {
        authz::require(&*self.control, Right::Administer)?;
        let uid = field::unsigned("uid", uid).map_err(status)?;
        let namespace = field::taken_over(mount_namespace.as_fd()).map_err(status)?;
        self.control.bind_private_storage(namespace, uid).map_err(status)
    }

    fn freeCache(&self) -> BinderResult<i64> {
        authz::require(&*self.control, Right::Administer)?;
        let freed = self.control.free_cache().map_err(status)?;
        Ok(i64::try_from(freed).unwrap_or(i64::MAX))
    }

    fn listPackages(&self, after: &str) -> BinderResult<Vec<aidl::PackageStatus>> {
        let caller = authz::caller(&*self.control)?;
        let mut packages = self.control.packages();
        packages.retain(|p| caller.admin || p.uids.contains(&caller.uid));
        packages.retain(|p| p.package.name.as_str() > after);
        packages.sort_by(|a, b| a.package.name.cmp(&b.package.name));
        packages.truncate(PACKAGES_PER_PAGE);
        packages.iter().map(|p| convert::package_status_to_wire(p).map_err(ours)).collect()
    }

    fn installPackage(&self, spec: &aidl::PackageSpec) -> BinderResult<()> {
        authz::require(&*self.control, Right::Administer)?;
        let package = convert::package_from_wire(spec).map_err(status)?;
        self.control.install_package(package).map_err(status)
    }

    fn removePackage(&self, package: &str) -> BinderResult<()> {
        authz::require(&*self.control, Right::Administer)?;
        let package = field::name("package's name", package).map_err(status)?;
        self.control.remove_package(package).map_err(status)
    }

    fn setPermission(&self, package: &str, permission: &str, granted: bool) -> BinderResult<()> {
        authz::require(&*self.control, Right::Administer)?;
        let package = field::name("package's name", package).map_err(status)?;
        let permission = field::name("permission", permission).map_err(status)?;
        self.control.set_permission(package, permission, granted).map_err(status)
    }

    fn setAppOp(&self, package: &str, op: &str, mode: aidl::AppOpMode) -> BinderResult<()> {
        authz::require(&*self.control, Right::Administer)?;
        let package = field::name("package's name", package).map_err(status)?;
        let op = field::name("app op", op).map_err(status)?;
        let mode = convert::mode_from_wire(mode).map_err(status)?;
        self.control.set_app_op(package, op, mode).map_err(status)
    }

    fn addGrant(&self, grant: &aidl::GrantSpec) -> BinderResult<()> {
        authz::require(&*self.control, Right::Administer)?;
        let grant = convert::grant_from_wire(grant).map_err(status)?;
        self.control.add_grant(&grant).map_err(status)
    }

    fn listGrants(&self, package: Option<&str>, after: i64) -> BinderResult<Vec<aidl::GrantStatus>> {
        let caller = authz::caller(&*self.control)?;
        let only = package.map(|it| field::name("package's name", it)).transpose().map_err(status)?;
        let (packages, user) = match (caller.admin, only) {
            (true, None) => (None, None),
            (true, Some(only)) => (Some(vec![only.to_owned()]), None),
            (false, only) => {
                let mut own = self.control.packages_of_uid(caller.uid);
                own.retain(|name| only.is_none_or(|only| only == name));
                (Some(own), Some(caller.uid / PER_USER))
            }
        };
        let page = self.control.grants(packages.as_deref(), user, after, GRANTS_PER_PAGE).map_err(status)?;
        page.into_iter().map(|grant| convert::grant_status_to_wire(grant).map_err(ours)).collect()
    }

    fn removeGrant(&self, package: &str, user: i32, path: Option<&[u8]>) -> BinderResult<i32> {
        authz::require(&*self.control, Right::Administer)?;
        let package = field::name("package's name", package).map_err(status)?;
        let user = field::unsigned("user", user).map_err(status)?;
        let path = path.map(|path| field::path_bytes("the path", path)).transpose().map_err(status)?;
        let removed = self.control.remove_grants(package, user, path.as_deref()).map_err(status)?;
        Ok(i32::try_from(removed).unwrap_or(i32::MAX))
    }

    fn scan(&self, path: Option<&[u8]>) -> BinderResult<Vec<aidl::ScanStatus>> {
        let caller = authz::caller(&*self.control)?;
        let path = path.map(|path| field::path_bytes("the path", path)).transpose().map_err(status)?;
        let scans = match (caller.admin, &path) {
            (true, path) => self.control.scan(path.as_deref()),
            (false, Some(path)) => self.control.scan_file_for(caller.uid, path),
            (false, None) => {
                authz::require(&*self.control, Right::Administer)?;
                return Ok(Vec::new());
            }
        };
        scans.map_err(status)?.into_iter().map(|scan| scans::to_wire(scan).map_err(ours)).collect()
    }

    fn scanProgress(&self) -> BinderResult<Vec<aidl::ScanStatus>> {
        authz::require(&*self.control, Right::Administer)?;
        self.control.scans().into_iter().map(|scan| scans::to_wire(scan).map_err(ours)).collect()
    }

    fn cancelScan(&self, volume: &str, ticket: i64) -> BinderResult<()> {
        authz::require(&*self.control, Right::Administer)?;
        let volume = field::name("volume's name", volume).map_err(status)?;
        self.control.cancel_scan(volume, u64::try_from(ticket).unwrap_or(0)).map_err(status)
    }

    fn redactedPath(&self, path: &[u8], reader: Option<&str>, user: i32) -> BinderResult<Vec<u8>> {
        let caller = authz::caller(&*self.control)?;
        let path = field::path_bytes("the path", path).map_err(status)?;
        let reader = match reader {
            None => None,
            Some(reader) => {
                let user = field::unsigned("user", user).map_err(status)?;
                if user != caller.uid / PER_USER {
                    authz::require(&*self.control, Right::Administer)?;
                }
                Some((field::name("package's name", reader).map_err(status)?, user))
            }
        };
        let uid = (!caller.admin).then_some(caller.uid);
        self.control.redacted_path(uid, &path, reader).map_err(status)
    }

    fn clearPackage(&self, package: &str) -> BinderResult<()> {
        authz::require(&*self.control, Right::Administer)?;
        let package = field::name("package's name", package).map_err(status)?;
        self.control.clear_package(package).map_err(status)
    }

    fn maintain(&self) -> BinderResult<aidl::MaintenanceStatus> {
        authz::require(&*self.control, Right::Administer)?;
        upkeep::to_wire(self.control.maintain().map_err(status)?).map_err(ours)
    }

    fn maintenanceProgress(&self) -> BinderResult<Option<aidl::MaintenanceStatus>> {
        authz::require(&*self.control, Right::Administer)?;
        self.control.maintenance().map(|run| upkeep::to_wire(run).map_err(ours)).transpose()
    }

    fn cancelMaintenance(&self) -> BinderResult<()> {
        authz::require(&*self.control, Right::Administer)?;
        self.control.cancel_maintenance().map_err(status)
    }

    fn explain(&self, request: &aidl::ExplainRequest) -> BinderResult<aidl::Explanation> {
        let caller = authz::require_about(&*self.control, request.uid)?;
        let request = convert::request_from_wire(request).map_err(status)?;
        let mut answer = self.control.explain(&request).map_err(status)?;
        if !caller.admin {
            // They may say who owns a file of others, which an app cannot see otherwise.
            answer.facts.clear();
        }
        Ok(convert::explanation_to_wire(answer))
    }

    fn mediaStore(&self) -> BinderResult<Strong<dyn aidl::IMediaStore>> {
        authz::caller(&*self.control)?;
        Ok(self.store.handle())
    }

    fn stats(&self) -> BinderResult<Vec<aidl::Stat>> {
        authz::require(&*self.control, Right::Administer)?;
        Ok(self.control.stats().into_iter().map(convert::stat_to_wire).collect())
    }

    fn dumpState(&self) -> BinderResult<String> {
        authz::require(&*self.control, Right::Administer)?;
        Ok(cut(self.state()))
    }
}

fn cut(mut text: String) -> String {
    if text.len() > DUMP_MAX {
        let whole = text.len();
        let end = (0..=DUMP_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push_str(&format!("\n… cut off here: {whole} bytes in all\n"));
    }
    text
}

/// An error of the service as its caller gets it.
pub(super) fn status(error: ControlError) -> Status {
    let code = match &error {
        ControlError::NotFound(_) => aidl::ErrorCode::NOT_FOUND,
        ControlError::AlreadyExists(_) => aidl::ErrorCode::ALREADY_EXISTS,
        ControlError::Invalid(_) => aidl::ErrorCode::INVALID,
        ControlError::Failed(_) => aidl::ErrorCode::FAILED,
        ControlError::Denied(message) => return platform::denied(message),
    };
    platform::failed(code.0, &error.to_string())
}

/// An answer that the wire cannot carry is our failure, not a wrong argument.
pub(super) fn ours(error: ControlError) -> Status {
    status(ControlError::Failed(format!("cannot send the answer: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_dump_is_cut_between_characters_and_says_so() {
        assert_eq!(cut("short".to_owned()), "short");
        let long = "ä".repeat(DUMP_MAX);
        let cut = cut(long);
        assert!(cut.len() < DUMP_MAX + 100);
        assert!(cut.ends_with(&format!("{} bytes in all\n", 2 * DUMP_MAX)));
    }
}
