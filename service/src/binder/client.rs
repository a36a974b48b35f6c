//! The other end of the interface: what the command line talks through.
//!
//! A service that is dead, stopped or overloaded costs a bounded time. rsbinder bounds the waits on a socket, but
//! not those on kernel binder, so every call runs on a thread of its own that is waited for with a deadline; a thread
//! that misses it is left behind with its connection, and the client is of no more use.

use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use mediagate_aidl as aidl;

use super::address::{Address, AddressError};
use super::platform::{self, BinderResult, Failure, ParcelFileDescriptor, Status, Strong};
use super::server::driver;
use super::store_client::StoreClient;
use super::{convert, field, scans, upkeep};
use crate::config::{PackageConfig, VolumeConfig};
use crate::control::{
    ControlError, ExplainRequest, Explanation, GrantSpec, GrantStatus, MaintenanceStatus, PackageStatus,
    ScanStatus, Stat, VolumeStatus,
};

/// How long connecting may take, the handshake included.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// How long an ordinary call may take.
pub(super) const CALL: Duration = Duration::from_secs(30);
/// How long mounting and unmounting may take.
pub(super) const MOUNT: Duration = Duration::from_secs(120);

/// Why a call did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The text names no address.
    #[error("{0}")]
    Address(#[from] AddressError),
    /// Nobody answers, or not as mediagate does.
    #[error(
        "cannot reach mediagate at {address}: {reason}; start it with `mediagate serve`, or say where it is with \
         --connect or MEDIAGATE_URI"
    )]
    Unreachable {
        /// Where we tried.
        address: Address,
        /// What happened.
        reason: String,
    },
    /// The connection broke or the time ran out during a call, which may or may not have been carried out.
    #[error("lost mediagate at {address} during the call: {reason}; see whether it still runs")]
    Lost {
        /// Where it was.
        address: Address,
        /// What happened.
        reason: String,
    },
    /// The caller may not do that.
    #[error("not allowed: {0}")]
    Denied(String),
    /// The service answered with an error of its own.
    #[error("{0}")]
    Failed(#[from] ControlError),
}

/// A connection to a running service.
pub struct Client {
    address: Address,
    service: Strong<dyn aidl::IMediagate>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Client {
    /// Connects to the service at `uri`.
    pub fn connect(uri: &str) -> Result<Self, ClientError> {
        let address: Address = uri.parse()?;
        let target = address.clone();
        let found = within(CONNECT, move || match &target {
            Address::Unix(path) => platform::connect_unix(path),
            Address::Kernel(name) => connect_kernel(name),
        });
        match found.unwrap_or_else(|| Err(format!("no answer within {} s", CONNECT.as_secs()))) {
            Ok(service) => Ok(Client { address, service }),
            Err(reason) => Err(ClientError::Unreachable { address, reason }),
        }
    }

    /// All attached volumes.
    pub fn volumes(&self) -> Result<Vec<VolumeStatus>, ClientError> {
        let volumes = self.call(CALL, |s| s.listVolumes())?;
        Ok(volumes.into_iter().map(convert::volume_status_from_wire).collect::<Result<_, _>>()?)
    }

    /// Attaches and mounts a volume.
    pub fn attach_volume(&self, volume: &VolumeConfig) -> Result<(), ClientError> {
        let volume = convert::volume_to_wire(volume)?;
        self.call(MOUNT, move |s| s.attachVolume(&volume))
    }

    /// Unmounts and detaches a volume.
    pub fn detach_volume(&self, name: &str) -> Result<(), ClientError> {
        let name = name.to_owned();
        self.call(MOUNT, move |s| s.detachVolume(&name))
    }

    /// Has a volume served that the caller has mounted with `device`.
    pub fn start_session(
        &self,
        id: &str,
        device: OwnedFd,
        upper: &Path,
        lower: &Path,
    ) -> Result<(), ClientError> {
        let (id, device) = (id.to_owned(), ParcelFileDescriptor::from(device));
        let [upper, lower] = [upper, lower].map(|it| it.as_os_str().as_bytes().to_vec());
        self.call(MOUNT, move |s| s.startSession(&id, &device, &upper, &lower))
    }

    /// Ends a session.
    pub fn end_session(&self, id: &str) -> Result<(), ClientError> {
        let id = id.to_owned();
        self.call(MOUNT, move |s| s.endSession(&id))
    }

    /// Says what becomes of the volume of a session: a number of `VolumeState` in the AIDL.
    pub fn volume_state_changed(&self, id: &str, state: i32) -> Result<(), ClientError> {
        let id = id.to_owned();
        self.call(MOUNT, move |s| s.volumeStateChanged(&id, aidl::VolumeState(state)))
    }

    /// Has the private directories of a uid's packages bound in a mount namespace.
    pub fn bind_private_storage(&self, namespace: OwnedFd, uid: u32) -> Result<(), ClientError> {
        let namespace = ParcelFileDescriptor::from(namespace);
        let uid = field::signed("uid", uid)?;
        self.call(MOUNT, move |s| s.bindPrivateStorage(&namespace, uid))
    }

    /// Has given back what is only kept to be faster; says how many bytes of storage that made free.
    pub fn free_cache(&self) -> Result<u64, ClientError> {
        Ok(self.call(CALL, |s| s.freeCache())?.max(0).cast_unsigned())
    }

    /// All packages the caller may see.
    pub fn packages(&self) -> Result<Vec<PackageStatus>, ClientError> {
        let mut all: Vec<PackageStatus> = Vec::new();
        loop {
            let after = all.last().map(|last| last.package.name.clone()).unwrap_or_default();
            let from = after.clone();
            let page = self.call(CALL, move |s| s.listPackages(&from))?;
            let Some(last) = page.last() else {
                return Ok(all);
            };
            if last.spec.name <= after {
                let reason = "the pages of its package list do not end".to_owned();
                return Err(ClientError::Failed(ControlError::Failed(reason)));
            }
            for status in page {
                all.push(convert::package_status_from_wire(status)?);
            }
        }
    }

    /// Installs a package or replaces it.
    pub fn install_package(&self, package: &PackageConfig) -> Result<(), ClientError> {
        let spec = convert::package_to_wire(package)?;
        self.call(CALL, move |s| s.installPackage(&spec))
    }

    /// Removes a package from all users.
    pub fn remove_package(&self, name: &str) -> Result<(), ClientError> {
        let name = name.to_owned();
        self.call(CALL, move |s| s.removePackage(&name))
    }

    /// Grants or revokes a permission.
    pub fn set_permission(&self, package: &str, permission: &str, granted: bool) -> Result<(), ClientError> {
        let (package, permission) = (package.to_owned(), permission.to_owned());
        self.call(CALL, move |s| s.setPermission(&package, &permission, granted))
    }

    /// Sets an app op's mode.
    pub fn set_app_op(&self, package: &str, op: &str, mode: &str) -> Result<(), ClientError> {
        let mode = convert::mode_to_wire(mode)?;
        let (package, op) = (package.to_owned(), op.to_owned());
        self.call(CALL, move |s| s.setAppOp(&package, &op, mode))
    }

    /// Grants one file to an app.
    pub fn add_grant(&self, grant: &GrantSpec) -> Result<(), ClientError> {
        let grant = convert::grant_to_wire(grant)?;
        self.call(CALL, move |s| s.addGrant(&grant))
    }

    /// All grants that the caller may see, oldest first, or those of one package.
    pub fn grants(&self, package: Option<&str>) -> Result<Vec<GrantStatus>, ClientError> {
        let mut all: Vec<GrantStatus> = Vec::new();
        loop {
            let after = all.last().map_or(0, |last| last.id);
            let package = package.map(str::to_owned);
            let page = self.call(CALL, move |s| s.listGrants(package.as_deref(), after))?;
            let Some(last) = page.last() else {
                return Ok(all);
            };
            if last.id <= after {
                let reason = "the pages of its list of grants do not end".to_owned();
                return Err(ClientError::Failed(ControlError::Failed(reason)));
            }
            for grant in page {
                all.push(convert::grant_status_from_wire(grant)?);
            }
        }
    }

    /// Removes what an app holds on one file, or on all; says how many grants that were.
    pub fn remove_grants(&self, package: &str, user: u32, path: Option<&[u8]>) -> Result<u32, ClientError> {
        let (package, path, user) =
            (package.to_owned(), path.map(<[u8]>::to_vec), field::user_to_wire(user)?);
        let removed = self.call(CALL, move |s| s.removeGrant(&package, user, path.as_deref()))?;
        Ok(field::unsigned("number of grants", removed)?)
    }

    /// Scans one file, or begins scans of a directory, or of every volume without a path.
    pub fn scan(&self, path: Option<&[u8]>) -> Result<Vec<ScanStatus>, ClientError> {
        let path = path.map(<[u8]>::to_vec);
        let begun = self.call(CALL, move |s| s.scan(path.as_deref()))?;
        Ok(begun.into_iter().map(scans::from_wire).collect::<Result<_, _>>()?)
    }

    /// Scans that wait, run, or were over not long ago.
    pub fn scans(&self) -> Result<Vec<ScanStatus>, ClientError> {
        let scans = self.call(CALL, |s| s.scanProgress())?;
        Ok(scans.into_iter().map(scans::from_wire).collect::<Result<_, _>>()?)
    }

    /// Cancels a scan.
    pub fn cancel_scan(&self, volume: &str, ticket: u64) -> Result<(), ClientError> {
        let (volume, ticket) = (volume.to_owned(), i64::try_from(ticket).unwrap_or(i64::MAX));
        self.call(CALL, move |s| s.cancelScan(&volume, ticket))
    }

    /// A path that shows a file without its location; with `reader`, a package in one of its users, for that one too.
    pub fn redacted_path(&self, path: &[u8], reader: Option<(&str, u32)>) -> Result<Vec<u8>, ClientError> {
        let path = path.to_vec();
        let user = field::user_to_wire(reader.map_or(0, |(_, user)| user))?;
        let reader = reader.map(|(package, _)| package.to_owned());
        self.call(CALL, move |s| s.redactedPath(&path, reader.as_deref(), user))
    }

    /// Takes a package's files and grants away.
    pub fn clear_package(&self, name: &str) -> Result<(), ClientError> {
        let name = name.to_owned();
        self.call(CALL, move |s| s.clearPackage(&name))
    }

    /// Begins maintenance, or joins the run that there is.
    pub fn maintain(&self) -> Result<MaintenanceStatus, ClientError> {
        Ok(upkeep::from_wire(self.call(CALL, |s| s.maintain())?)?)
    }

    /// The run of maintenance that waits, goes on, or was last.
    pub fn maintenance(&self) -> Result<Option<MaintenanceStatus>, ClientError> {
        Ok(self.call(CALL, |s| s.maintenanceProgress())?.map(upkeep::from_wire).transpose()?)
    }

    /// Cancels maintenance.
    pub fn cancel_maintenance(&self) -> Result<(), ClientError> {
        self.call(CALL, |s| s.cancelMaintenance())
    }

    /// Decides without performing anything.
    pub fn explain(&self, request: &ExplainRequest) -> Result<Explanation, ClientError> {
        let request = convert::request_to_wire(request)?;
        Ok(convert::explanation_from_wire(self.call(CALL, move |s| s.explain(&request))?))
    }

    /// All counters and gauges.
    pub fn stats(&self) -> Result<Vec<Stat>, ClientError> {
        Ok(self.call(CALL, |s| s.stats())?.into_iter().map(convert::stat_from_wire).collect())
    }

    /// The state of the service as text.
    pub fn dump(&self) -> Result<String, ClientError> {
        self.call(CALL, |s| s.dumpState())
    }

    /// The store.
    pub fn store(&self) -> Result<StoreClient<'_>, ClientError> {
        Ok(StoreClient::new(self, self.call(CALL, |s| s.mediaStore())?))
    }

    /// Whether the service can call this process.
    pub(super) fn is_called(&self) -> bool {
        matches!(self.address, Address::Kernel(_))
    }

    pub(super) fn call<T: Send + 'static>(
        &self,
        limit: Duration,
        method: impl FnOnce(&dyn aidl::IMediagate) -> BinderResult<T> + Send + 'static,
    ) -> Result<T, ClientError> {
        let service = self.service.clone();
        self.within(limit, move || method(&*service))
    }

    pub(super) fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce() -> BinderResult<T> + Send + 'static,
    ) -> Result<T, ClientError> {
        match within(limit, work) {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(status)) => Err(self.error(&status)),
            None => Err(self.lost(format!("no answer within {} s", limit.as_secs()))),
        }
    }

    fn lost(&self, reason: String) -> ClientError {
        ClientError::Lost { address: self.address.clone(), reason }
    }

    fn error(&self, status: &Status) -> ClientError {
        let (failure, message) = platform::failure(status);
        match failure {
            Failure::Denied => ClientError::Denied(message),
            Failure::Ours(code) => ClientError::Failed(match aidl::ErrorCode(code) {
                aidl::ErrorCode::NOT_FOUND => ControlError::NotFound(message),
                aidl::ErrorCode::ALREADY_EXISTS => ControlError::AlreadyExists(message),
                aidl::ErrorCode::INVALID => ControlError::Invalid(message),
                _ => ControlError::Failed(message),
            }),
            Failure::Dead => self.lost("it ended the connection".to_owned()),
            Failure::Broken => self.lost(message),
            Failure::Other => ClientError::Failed(ControlError::Failed(message)),
        }
    }
}

/// Runs `work` on a thread; `None` when it is not done in time.
fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = mpsc::channel();
    std::thread::Builder::new()
        .name("binder-call".to_owned())
        .spawn(move || {
            // Nobody listens any more when the time was up.
            let _ = done.send(work());
        })
        .ok()?;
    result.recv_timeout(limit).ok()
}

fn connect_kernel(name: &str) -> Result<Strong<dyn aidl::IMediagate>, String> {
    if driver().is_none() {
        return Err("this machine has no binder device".to_owned());
    }
    platform::find(name)?.ok_or_else(|| "the service manager knows no such name".to_owned())
}
