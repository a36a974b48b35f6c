//! What administrators and apps may ask of a running service, free of any transport.
//!
//! [`crate::binder`] decodes calls, authorises them and hands them to an implementation of [`Control`];
//! [`crate::serve::Service`] is the real one, tests bring their own.

pub mod store;

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::config::{PackageConfig, VolumeConfig};

/// Why a control call failed. Each variant has its own service-specific code on the wire.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The named volume, package or user does not exist.
    #[error("{0}")]
    NotFound(String),
    /// It exists already, or collides with something that does.
    #[error("{0}")]
    AlreadyExists(String),
    /// The arguments make no sense; says which and what to give instead.
    #[error("{0}")]
    Invalid(String),
    /// The service failed at it: a mount, a write to the catalog.
    #[error("{0}")]
    Failed(String),
    /// The caller may not do that.
    #[error("{0}")]
    Denied(String),
}

/// A volume as `volume list` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VolumeStatus {
    /// Volume name, e.g. `external_primary`.
    pub name: String,
    /// `emulated` or `public`.
    pub kind: String,
    /// Lower directory.
    pub lower: String,
    /// Where it is mounted.
    pub mount: String,
    /// Users served (empty for public volumes: all).
    pub users: Vec<u32>,
    /// `upstream` or `legacy`, or `off: <why>`.
    pub passthrough: String,
    /// `fanotify`, `inotify`, or `off: <why>`.
    pub watch: String,
    /// True when the lower file system keeps extended attributes.
    pub xattrs: bool,
    /// True once the index has been brought up to date with the lower tree since attaching.
    pub indexed: bool,
    /// True when the last scan found no file at all although the index knows some, and left its rows alone.
    #[serde(default)]
    pub emptied: bool,
}

/// A volume that somebody else has mounted and that is to be served.
#[derive(Debug)]
pub struct SessionRequest {
    /// Its id, as vold's: `emulated;0`, `public:7,1`.
    pub id: String,
    /// The descriptor of `/dev/fuse` that it was mounted with.
    pub device: OwnedFd,
    /// Where it is mounted.
    pub upper: PathBuf,
    /// The directory that holds the files.
    pub lower: PathBuf,
}

/// What becomes of the volume of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeState {
    /// Its file system is being looked at.
    Checking,
    /// Apps have it.
    Mounted,
    /// It goes, or is gone.
    Leaving,
}

/// A package as `package list` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackageStatus {
    /// What is configured or was installed.
    #[serde(flatten)]
    pub package: PackageConfig,
    /// The uids it has, one for each of its users.
    pub uids: Vec<u32>,
    /// Where it is known from: `config`, `packages.list` or `runtime`.
    pub source: String,
}

/// A question to `explain`: what would happen if `uid` did `operation` on `path`?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainRequest {
    /// The caller.
    pub uid: u32,
    /// What it does: `lookup`, `getattr`, `access-f`, `access-r`, `access-w`, `access-x`, `read`, `write`, `setattr`, `create`,
    /// `mknod`, `mkdir`, `rmdir`, `list`, `delete`, `rename`, `symlink`, `link`, `getxattr`, `setxattr`, `listxattr` or
    /// `removexattr`. What is made is made with `O_EXCL`; of a link the path is the new name.
    pub operation: String,
    /// Absolute path on a mounted volume, as bytes.
    pub path: Vec<u8>,
    /// The new name, for `rename`.
    pub to: Option<Vec<u8>>,
}

/// The answer of `explain`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Whether it would be allowed.
    pub allowed: bool,
    /// The errno's name when it would not (`EACCES`), else empty.
    pub errno: String,
    /// The rule that decided, as a stable identifier (`others-media-without-permission`).
    pub rule: String,
    /// The rule in words.
    pub because: String,
    /// What would turn a refusal into a yes, each by itself; found by asking again.
    pub needs: Vec<String>,
    /// True when the caller would see redacted bytes of a file that holds location data.
    pub redacted: bool,
    /// The facts looked at, as name and value.
    pub facts: Vec<(String, String)>,
}

/// A grant on one file that an app is to get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantSpec {
    /// The package.
    pub package: String,
    /// The user in which the package gets it.
    pub user: u32,
    /// Absolute path on a mounted volume, as bytes.
    pub path: Vec<u8>,
    /// `selected`, `read` or `write`.
    pub kind: String,
    /// When it ends, in seconds since 1970.
    pub expires: Option<i64>,
}

/// A grant as `grant list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantStatus {
    /// Its number; a newer grant has a larger one.
    pub id: i64,
    /// The package.
    pub package: String,
    /// The user in which the package has it.
    pub user: u32,
    /// `selected`, `read` or `write`.
    pub kind: String,
    /// Name of the volume.
    pub volume: String,
    /// Where the file is now, as bytes: absolute, or below the root of a volume that is not attached.
    pub path: Vec<u8>,
    /// When it ends, in seconds since 1970.
    pub expires: Option<i64>,
    /// When it was given, in seconds since 1970.
    pub created: i64,
}

/// A scan as `scan` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanStatus {
    /// Name of the volume.
    pub volume: String,
    /// The scan's number on its volume.
    pub ticket: u64,
    /// `waiting`, `walking`, `reading`, `done`, `cancelled` or `failed`.
    pub phase: String,
    /// What is scanned, as bytes: an absolute path.
    pub path: Vec<u8>,
    /// The directory that was looked at last, likewise.
    pub at: Vec<u8>,
    /// Directories looked at.
    pub directories: u64,
    /// Files looked at.
    pub files: u64,
    /// Files that the index did not know.
    pub added: u64,
    /// Files of which the index said something that was not so.
    pub changed: u64,
    /// Files that the index knew and that are gone.
    pub removed: u64,
    /// Directories and files that could not be looked at.
    pub failed: u64,
    /// Files whose facts were read.
    pub read: u64,
    /// Of these, files that could not be understood as a whole.
    pub incomplete: u64,
    /// How long it has taken, in milliseconds.
    pub millis: u64,
    /// How much of that the walk took.
    pub walk_millis: u64,
    /// There is no file although the index knows some, and so its rows were left alone.
    pub emptied: bool,
}

impl ScanStatus {
    /// Nothing more comes.
    pub fn is_over(&self) -> bool {
        matches!(self.phase.as_str(), "done" | "cancelled" | "failed")
    }
}

/// A step of maintenance as `maintain` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceStep {
    /// Its name.
    pub name: String,
    /// `waiting`, `running`, `done`, `cancelled` or `failed`.
    pub phase: String,
    /// How many things it changed.
    pub done: u64,
    /// How many it could not.
    pub failed: u64,
    /// What it did, in words.
    pub said: String,
}

/// A run of maintenance as `maintain` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceStatus {
    /// The run's number since the service was started.
    pub number: u64,
    /// `waiting`, `running`, `done`, `cancelled` or `failed`.
    pub phase: String,
    /// How long it has taken, in milliseconds.
    pub millis: u64,
    /// Its steps, in order.
    pub steps: Vec<MaintenanceStep>,
}

impl MaintenanceStatus {
    /// Nothing more comes.
    pub fn is_over(&self) -> bool {
        matches!(self.phase.as_str(), "done" | "cancelled" | "failed")
    }
}

/// One counter or gauge of `stats`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stat {
    /// Stable name, dotted: `fuse.requests.lookup`.
    pub name: String,
    /// Its value.
    pub value: i64,
    /// True for a gauge (a level), false for a counter (only ever grows).
    pub gauge: bool,
}

/// The service as its clients see it. Authorisation is the caller's business ([`crate::binder`]).
pub trait Control: Send + Sync + 'static {
    /// All attached volumes.
    fn volumes(&self) -> Vec<VolumeStatus>;
    /// Attaches and mounts a volume.
    fn attach_volume(&self, volume: VolumeConfig) -> Result<(), ControlError>;
    /// Unmounts and detaches a volume.
    fn detach_volume(&self, name: &str) -> Result<(), ControlError>;

    /// Serves a volume that somebody else has mounted.
    fn start_session(&self, session: SessionRequest) -> Result<(), ControlError>;
    /// Ends a session, and takes its mount away if it is still there.
    fn end_session(&self, id: &str) -> Result<(), ControlError>;
    /// Follows what becomes of the volume of a session.
    fn volume_state_changed(&self, id: &str, state: VolumeState) -> Result<(), ControlError>;
    /// Binds the private directories of the packages that `uid` has over the mounts of its user's emulated volumes, in a mount
    /// namespace that its processes have to themselves.
    fn bind_private_storage(&self, namespace: OwnedFd, uid: u32) -> Result<(), ControlError>;
    /// Gives back what is only kept to be faster, and says how many bytes of storage that made free.
    fn free_cache(&self) -> Result<u64, ControlError>;

    /// All packages.
    fn packages(&self) -> Vec<PackageStatus>;
    /// Installs a package or replaces it.
    fn install_package(&self, package: PackageConfig) -> Result<(), ControlError>;
    /// Removes a package from all users, and its grants.
    fn remove_package(&self, name: &str) -> Result<(), ControlError>;
    /// Grants (`true`) or revokes a permission. Takes effect for every open that starts after the return.
    fn set_permission(&self, package: &str, permission: &str, granted: bool) -> Result<(), ControlError>;
    /// Sets an app op's mode (`default`, `allow`, `ignore`, `deny`). Takes effect as a permission does.
    fn set_app_op(&self, package: &str, op: &str, mode: &str) -> Result<(), ControlError>;
    /// Names of the packages that `uid` has.
    fn packages_of_uid(&self, uid: u32) -> Vec<String>;

    /// Grants one file to an app, in place of the grant of that kind that it has on it. Takes effect as a permission
    /// does, and is stored when this returns.
    fn add_grant(&self, grant: &GrantSpec) -> Result<(), ControlError>;
    /// Up to `limit` grants in force with a number above `after`, oldest first: those of `packages`, if they are
    /// given, in `user`, if that is.
    fn grants(
        &self,
        packages: Option<&[String]>,
        user: Option<u32>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<GrantStatus>, ControlError>;
    /// Removes what an app holds on one file, or on all without a path, and says how many grants that were. Takes
    /// effect as a permission does, and is stored when this returns.
    fn remove_grants(&self, package: &str, user: u32, path: Option<&[u8]>) -> Result<usize, ControlError>;

    /// Scans one file, or has a directory, a volume, or without a path all volumes scanned; one status for each volume.
    fn scan(&self, path: Option<&[u8]>) -> Result<Vec<ScanStatus>, ControlError>;
    /// Scans one file, if `uid` may read it or it is gone.
    fn scan_file_for(&self, uid: u32, path: &[u8]) -> Result<Vec<ScanStatus>, ControlError>;
    /// Scans that wait, run, or were over not long ago, oldest first, volume after volume.
    fn scans(&self) -> Vec<ScanStatus>;
    /// Cancels a scan.
    fn cancel_scan(&self, volume: &str, ticket: u64) -> Result<(), ControlError>;
    /// The store, whose calls are for anybody.
    fn media_store(self: Arc<Self>) -> Arc<dyn store::Store>;

    /// A path that shows the file at `path` without its location to everybody who may read it and to `reader`, a package in one
    /// of its users. `uid` must be allowed to read the file, if it is given.
    fn redacted_path(
        &self,
        uid: Option<u32>,
        path: &[u8],
        reader: Option<(&str, u32)>,
    ) -> Result<Vec<u8>, ControlError>;

    /// Takes everything away from a package that stays installed: its files become nobody's, its grants go.
    fn clear_package(&self, name: &str) -> Result<(), ControlError>;
    /// Begins maintenance, or joins the run that there is.
    fn maintain(&self) -> Result<MaintenanceStatus, ControlError>;
    /// The run of maintenance that waits, goes on, or was last.
    fn maintenance(&self) -> Option<MaintenanceStatus>;
    /// Cancels the run of maintenance that waits or goes on.
    fn cancel_maintenance(&self) -> Result<(), ControlError>;

    /// Decides without performing anything.
    fn explain(&self, request: &ExplainRequest) -> Result<Explanation, ControlError>;
    /// All counters and gauges, sorted by name.
    fn stats(&self) -> Vec<Stat>;
    /// The state of the service as text for people: volumes, handles, requests in flight and their age, last errors.
    fn dump(&self) -> String;
    /// uids that may call everything.
    fn admin_uids(&self) -> Vec<u32>;
}
