//! What a configuration holds once it is read: plain data, no checks.
//!
//! The same types travel over the control interface and into the catalog, hence serde.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The whole configuration file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The `[service]` table.
    pub service: ServiceConfig,
    /// The `[[user]]` tables: users that are profiles, or restricted.
    #[serde(default, rename = "user", skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserConfig>,
    /// The `[[volume]]` tables.
    #[serde(default, rename = "volume")]
    pub volumes: Vec<VolumeConfig>,
    /// The `[[package]]` tables.
    #[serde(default, rename = "package")]
    pub packages: Vec<PackageConfig>,
}

/// `[service]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// Where `catalog.db` lives.
    pub state_dir: PathBuf,
    /// Addresses the interface is served at: `unix:///path` or `binder://name`.
    #[serde(default)]
    pub listen: Vec<String>,
    /// Behaviour profile; `android` is the one there is.
    #[serde(default)]
    pub policy_profile: PolicyProfile,
    /// Android's `packages.list`, if packages come from there; watched for changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages_list: Option<PathBuf>,
    /// uids that may administer. Default: root and system.
    #[serde(default = "default_admin_uids")]
    pub admin_uids: Vec<u32>,
    /// FUSE worker threads of each volume; default: one per CPU, at least 2, at most 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// Microseconds for which a worker that has answered one of several requests in a row looks for the next one before it
    /// sleeps; 0: not at all. Without effect where the service has a single processor.
    #[serde(default = "default_busy_poll_us")]
    pub busy_poll_us: u32,
    /// Hours between runs of maintenance; 0: on command only.
    #[serde(default = "default_maintenance_hours")]
    pub maintenance_hours: u32,
    /// Give lower files the project ids by which Android counts space by media type and by app.
    #[serde(default)]
    pub quota_projects: bool,
    /// Bounds of the backing files that passthrough may use.
    #[serde(default)]
    pub backing_files: BackingFilesConfig,
}

/// Longer than apps take between two requests of a burst, and shorter than waking an idle processor takes.
pub(super) fn default_busy_poll_us() -> u32 {
    50
}

/// Once a day, as Android's idle job does (IdleService.java).
pub(super) fn default_maintenance_hours() -> u32 {
    24
}

/// `[service.backing_files]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BackingFilesConfig {
    /// Most backing files in all; an open past the bound is served by the daemon.
    pub max: u32,
    /// Most backing files registered for opens of one uid.
    pub max_per_uid: u32,
}

impl Default for BackingFilesConfig {
    fn default() -> Self {
        BackingFilesConfig { max: 65_536, max_per_uid: 16_384 }
    }
}

pub(super) fn default_admin_uids() -> Vec<u32> {
    vec![0, 1000]
}

/// Which system's behaviour the policy follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyProfile {
    /// Android's MediaProvider.
    #[default]
    Android,
}

/// `[[user]]`. Users that have none are full users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserConfig {
    /// The user's number.
    pub id: u32,
    /// Full user or profile.
    #[serde(default)]
    pub kind: UserKindConfig,
    /// Whose profile it is; profiles only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// False: the restriction `DISALLOW_USB_FILE_TRANSFER`.
    #[serde(default = "default_true", skip_serializing_if = "is_true")]
    pub usb_file_transfer: bool,
}

/// Kind of a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserKindConfig {
    /// A person's own.
    #[default]
    Full,
    /// A profile with second copies of its parent's apps, which shares media with it.
    Clone,
    /// A managed profile.
    Work,
}

/// `[[volume]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeConfig {
    /// Volume name, e.g. `external_primary`: lower-case letters, digits, `_`, `-` and `.`.
    pub name: String,
    /// Emulated or public.
    pub kind: VolumeKindConfig,
    /// Lower directory.
    pub lower: PathBuf,
    /// Mount point.
    pub mount: PathBuf,
    /// Users served; emulated volumes only. Default: `[0]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<u32>,
    /// `user:group` (names or numbers) that own new lower files; default: the lower root's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether approved opens are handed to the kernel. Default: true.
    #[serde(default = "default_true")]
    pub passthrough: bool,
    /// How long the kernel may trust names and attributes, in seconds: 0 never, -1 for ever. Default: for ever while the
    /// lower tree is watched, else 1, as others may change it behind the mount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_seconds: Option<i32>,
    /// How changes behind the mount are noticed.
    #[serde(default)]
    pub watch: WatchConfig,
}

/// How changes of the lower tree behind the mount are noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WatchConfig {
    /// By fanotify where that is possible, else by inotify.
    #[default]
    Auto,
    /// One mark for the whole lower file system.
    Fanotify,
    /// One watch for each directory.
    Inotify,
    /// Not at all.
    Off,
}

pub(super) fn default_true() -> bool {
    true
}

/// Kind of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VolumeKindConfig {
    /// `<lower>/<user>/…` shown as `<mount>/<user>/…`.
    Emulated,
    /// `<lower>/…` shown as `<mount>/…`.
    Public,
}

/// `[[package]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageConfig {
    /// Package name.
    pub name: String,
    /// App id; the uid in a user is `user * 100000 + app_id`. 0 stands for "what the package source says": app id
    /// and users are then not this record's business (`packages.list`, changes made at run time).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub app_id: u32,
    /// Users it is installed for. Default: `[0]`.
    #[serde(default = "default_users")]
    pub users: Vec<u32>,
    /// True when it may have its app id together with other packages, all of which must say so.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shared_uid: bool,
    /// Target SDK level.
    #[serde(default = "default_target_sdk")]
    pub target_sdk: u32,
    /// Granted permissions, with or without `android.permission.`.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// App-op modes by name.
    #[serde(default)]
    pub app_ops: BTreeMap<String, String>,
    /// `requestLegacyExternalStorage` in its manifest.
    #[serde(default)]
    pub request_legacy_storage: bool,
    /// `requestRawExternalStorageAccess` in its manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_raw_access: Option<bool>,
    /// What the compat changes about scoped storage say where both are set alike: on, or off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scoped_storage: Option<bool>,
    /// True for an instant app, which has no shared storage.
    #[serde(default, skip_serializing_if = "is_false")]
    pub instant: bool,
}

impl PackageConfig {
    /// A package of user 0 with no permission and every default.
    pub fn new(name: impl Into<String>, app_id: u32) -> PackageConfig {
        PackageConfig {
            name: name.into(),
            app_id,
            users: default_users(),
            shared_uid: false,
            target_sdk: default_target_sdk(),
            permissions: Vec::new(),
            app_ops: BTreeMap::new(),
            request_legacy_storage: false,
            request_raw_access: None,
            scoped_storage: None,
            instant: false,
        }
    }
}

pub(super) fn default_users() -> Vec<u32> {
    vec![0]
}

pub(super) fn default_target_sdk() -> u32 {
    34
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

fn is_false(value: &bool) -> bool {
    !*value
}

fn is_true(value: &bool) -> bool {
    *value
}
