//! Checks of single values. Each returns the checked value or a complaint that says what to write instead; where
//! the value came from (a line of the file, a control call) is the caller's business.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use mediagate_policy::{AppId, AppOp, OpMode, Permission};
use nix::unistd::{Group, User};

use super::suggest;
use super::types::{PackageConfig, UserKindConfig, VolumeConfig, VolumeKindConfig, WatchConfig};

/// Largest user id whose uids, `user * 100000 + 99999`, fit the positive half of 32 bits, as Android needs them.
pub(super) const MAX_USER: u32 = 21_473;
/// `AID_SYSTEM`, the smallest uid that packages have.
const MIN_APP_ID: u32 = 1000;
/// `AID_SHELL`: its storage access is decided before any package is looked at.
const SHELL: u32 = 2000;
/// Bounds of `cache_seconds`.
pub(super) const CACHE_SECONDS: (i64, i64) = (-1, 86_400);
/// Bounds of `threads`.
pub(super) const THREADS: (i64, i64) = (1, 64);
/// Bounds of `busy_poll_us`: up to a millisecond, after which a sleep costs nothing that anybody would feel.
pub(super) const BUSY_POLL_US: (i64, i64) = (0, 1000);
/// Bounds of `maintenance_hours`: up to a year.
pub(super) const MAINTENANCE_HOURS: (i64, i64) = (0, 8760);
/// Bounds of `target_sdk`; 10000 is Android's `CUR_DEVELOPMENT`.
pub(super) const TARGET_SDK: (i64, i64) = (1, 10_000);
/// `sun_path` holds 108 bytes with the final NUL (unix(7)); the name of the administrators' socket ends in `.admin`.
const MAX_SOCKET_PATH: usize = 101;
/// Longest service name that Android's servicemanager takes (ServiceManager.cpp, `isValidServiceName`).
const MAX_SERVICE_NAME: usize = 127;
/// Longest package name that Android's package manager takes (`FrameworkParsingPackageUtils`, MAX_FILE_NAME_SIZE).
const MAX_PACKAGE_NAME: usize = 223;
const MAX_VOLUME_NAME: usize = 64;

pub(super) fn volume_name(name: &str) -> Result<(), String> {
    let allowed = |byte: char| byte.is_ascii_lowercase() || byte.is_ascii_digit() || "_-.".contains(byte);
    if name.is_empty() || name.len() > MAX_VOLUME_NAME || name.starts_with('.') {
        return Err(format!(
            "a volume's name has 1 to {MAX_VOLUME_NAME} characters and does not begin with a dot; write for \
             example name = \"external_primary\""
        ));
    }
    if name.chars().all(allowed) {
        return Ok(());
    }
    let better: String =
        name.chars().map(|it| it.to_ascii_lowercase()).map(|it| if allowed(it) { it } else { '_' }).collect();
    Err(format!(
        "a volume's name may hold lower-case letters, digits, \"_\", \"-\" and \".\" only; write for example \
         name = {better:?}"
    ))
}

/// Android's rule (`FrameworkParsingPackageUtils.validateName`): segments of letters, digits and underscores, each
/// beginning with a letter, separated by dots. A single segment is taken too: `android` is a package.
pub(crate) fn package_name(name: &str) -> Result<(), String> {
    let segment = |text: &str| {
        text.starts_with(|it: char| it.is_ascii_alphabetic())
            && text.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
    };
    if name.len() <= MAX_PACKAGE_NAME && name.split('.').all(segment) {
        return Ok(());
    }
    Err(format!(
        "a package's name has parts of letters, digits and \"_\" that begin with a letter and are separated by \
         dots, at most {MAX_PACKAGE_NAME} characters in all; write for example name = \"com.example.camera\""
    ))
}

pub(super) fn app_id(app_id: u32) -> Result<(), String> {
    let last = AppId::FIRST_ISOLATED.0 - 1;
    if app_id == SHELL {
        return Err(format!(
            "app_id {SHELL} is the shell's, which needs no package; write one from 10000 to 19999"
        ));
    }
    if !(MIN_APP_ID..=last).contains(&app_id) {
        return Err(format!(
            "app_id {app_id} cannot be a package's (they have {MIN_APP_ID} to {last}; isolated processes, from \
             {} on, have no package); write one from 10000 to 19999, as installed apps have",
            AppId::FIRST_ISOLATED.0
        ));
    }
    Ok(())
}

/// Whether packages can have `app_id`, whoever says so (the package manager lists the shell's package too).
pub(crate) fn is_package_app_id(app_id: u32) -> bool {
    app_id >= MIN_APP_ID && !AppId(app_id).is_isolated()
}

pub(crate) fn permission(name: &str) -> Result<Permission, String> {
    name.parse().map_err(|_| {
        let bare = name.strip_prefix("android.permission.").unwrap_or(name);
        let instead = suggest::instead(bare, Permission::ALL.iter().map(|it| it.name()));
        format!("permission {name:?} is not one that shared storage looks at; {instead}")
    })
}

pub(crate) fn app_op(name: &str) -> Result<AppOp, String> {
    name.parse().map_err(|_| {
        let bare = name.strip_prefix("android:").unwrap_or(name);
        let instead = suggest::instead(bare, AppOp::ALL.iter().map(|it| it.name()));
        format!("app op {name:?} is not one that shared storage looks at; {instead}")
    })
}

pub(crate) fn op_mode(name: &str) -> Result<OpMode, String> {
    const ALL: [OpMode; 4] = [OpMode::Default, OpMode::Allow, OpMode::Ignore, OpMode::Deny];
    name.parse().map_err(|_| {
        let instead = suggest::instead(name, ALL.iter().map(|it| it.name()));
        format!("app-op mode {name:?} does not exist; {instead}")
    })
}

pub(super) fn user_kind(name: &str) -> Result<UserKindConfig, String> {
    match name {
        "full" => Ok(UserKindConfig::Full),
        "clone" => Ok(UserKindConfig::Clone),
        "work" => Ok(UserKindConfig::Work),
        _ => Err(format!(
            "kind {name:?} does not exist; {}",
            suggest::instead(name, ["full", "clone", "work"].into_iter())
        )),
    }
}

pub(super) fn volume_kind(name: &str) -> Result<VolumeKindConfig, String> {
    match name {
        "emulated" => Ok(VolumeKindConfig::Emulated),
        "public" => Ok(VolumeKindConfig::Public),
        _ => Err(format!(
            "kind {name:?} does not exist; {}",
            suggest::instead(name, ["emulated", "public"].into_iter())
        )),
    }
}

pub(crate) fn watch(name: &str) -> Result<WatchConfig, String> {
    match name {
        "auto" => Ok(WatchConfig::Auto),
        "fanotify" => Ok(WatchConfig::Fanotify),
        "inotify" => Ok(WatchConfig::Inotify),
        "off" => Ok(WatchConfig::Off),
        _ => Err(format!(
            "watch {name:?} does not exist; {}",
            suggest::instead(name, ["auto", "fanotify", "inotify", "off"].into_iter())
        )),
    }
}

/// An absolute path in which every component is a name.
pub(super) fn path(key: &str, path: &Path) -> Result<(), String> {
    if !path.is_absolute() {
        return Err(format!("{key} {path:?} is not an absolute path; write it from \"/\" on"));
    }
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(format!("{key} {path:?} holds a NUL character, which no path can; leave it out"));
    }
    if path.components().any(|it| it == Component::ParentDir) {
        return Err(format!("{key} {path:?} holds \"..\"; write the path it leads to"));
    }
    Ok(())
}

/// A lower directory: a good path that leads to a directory.
pub(super) fn lower(lower: &Path) -> Result<(), String> {
    path("lower", lower)?;
    match std::fs::metadata(lower) {
        Ok(meta) if meta.is_dir() => Ok(()),
        Ok(_) => Err(format!("lower {lower:?} is not a directory; write the directory that holds the files")),
        // Whoever cannot look (a client reading the configuration for its listen address) cannot judge either.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(format!(
            "lower {lower:?} does not exist; create it (mkdir -p) or write the directory that holds the files"
        )),
        Err(error) => {
            Err(format!("lower {lower:?} cannot be used: {error}; write a directory that can be read"))
        }
    }
}

/// The `packages.list` file: it may appear later, the directory that is watched for it may not.
pub(super) fn packages_list(file: &Path) -> Result<(), String> {
    path("packages_list", file)?;
    match file.parent() {
        Some(parent) if parent.is_dir() && !file.is_dir() => Ok(()),
        _ => Err(format!(
            "packages_list {file:?} must be a file in a directory that exists; on Android write \
             packages_list = \"/data/system/packages.list\", elsewhere leave it out"
        )),
    }
}

/// A listen address; for a Unix socket also its path.
pub(super) fn listen(address: &str) -> Result<Option<&Path>, String> {
    if let Some(socket) = address.strip_prefix("unix://") {
        let socket = Path::new(socket);
        path("the socket's path", socket).map_err(|complaint| {
            format!("listen {address:?}: {complaint}, e.g. \"unix:///run/mediagate/mediagate.sock\"")
        })?;
        if socket.file_name().is_none() {
            return Err(format!(
                "listen {address:?} names no file; write e.g. \"unix:///run/mediagate/mediagate.sock\""
            ));
        }
        if socket.as_os_str().len() > MAX_SOCKET_PATH {
            return Err(format!(
                "listen {address:?}: a socket's path has at most {MAX_SOCKET_PATH} bytes; write a shorter one, e.g. \
                 \"unix:///run/mediagate/mediagate.sock\""
            ));
        }
        return Ok(Some(socket));
    }
    if let Some(name) = address.strip_prefix("binder://") {
        let good = |it: char| it.is_ascii_alphanumeric() || "_-./".contains(it);
        if !name.is_empty() && name.len() <= MAX_SERVICE_NAME && name.chars().all(good) {
            return Ok(None);
        }
        return Err(format!(
            "listen {address:?}: a binder service's name has 1 to {MAX_SERVICE_NAME} letters, digits, \"_\", \"-\", \".\" \
             and \"/\"; write e.g. \"binder://mediagate\""
        ));
    }
    Err(format!(
        "listen {address:?} is not an address; write \"unix:///run/mediagate/mediagate.sock\" or \"binder://mediagate\""
    ))
}

/// The uid and gid of `user:group`, each a name or a number.
pub fn resolve_owner(owner: &str) -> Result<(u32, u32), String> {
    let Some((user, group)) = owner.split_once(':') else {
        return Err(format!(
            "owner {owner:?} names no group; write owner = \"user:group\", names or numbers, e.g. \"media_rw:media_rw\""
        ));
    };
    let uid = id(user, |name| User::from_name(name).map(|it| it.map(|it| it.uid.as_raw())));
    let gid = id(group, |name| Group::from_name(name).map(|it| it.map(|it| it.gid.as_raw())));
    let unknown = |what: &str, name: &str| {
        format!(
            "owner {owner:?}: this system has no {what} {name:?}; write one it has, or its number, e.g. \
             owner = \"1023:1023\""
        )
    };
    Ok((uid.ok_or_else(|| unknown("user", user))?, gid.ok_or_else(|| unknown("group", group))?))
}

fn id(text: &str, named: impl Fn(&str) -> nix::Result<Option<u32>>) -> Option<u32> {
    if text.bytes().next().is_some_and(|byte| byte.is_ascii_digit()) {
        // All ones means "leave it as it is" to chown(2).
        return text.parse().ok().filter(|id| *id != u32::MAX);
    }
    // A name with a NUL makes the lookup fail, as any other error does: the name is then not known.
    if text.is_empty() { None } else { named(text).ok().flatten() }
}

/// Checks a package that came over the control interface and brings its names into the form used everywhere
/// (bare permission and app-op names, each once). An `app_id` of 0 is for the caller to judge.
pub(crate) fn package(package: &PackageConfig) -> Result<PackageConfig, String> {
    package_name(&package.name)?;
    if package.app_id != 0 {
        app_id(package.app_id)?;
    }
    let mut users = BTreeSet::new();
    for user in &package.users {
        if *user > MAX_USER {
            return Err(format!("user {user} is out of range; give one from 0 to {MAX_USER}"));
        }
        if !users.insert(*user) {
            return Err(format!("user {user} is there twice; give it once"));
        }
    }
    let sdk = i64::from(package.target_sdk);
    if !(TARGET_SDK.0..=TARGET_SDK.1).contains(&sdk) {
        return Err(format!(
            "target_sdk {sdk} is out of range; give one from {} to {}",
            TARGET_SDK.0, TARGET_SDK.1
        ));
    }
    let permissions: BTreeSet<Permission> =
        package.permissions.iter().map(|name| permission(name)).collect::<Result<_, _>>()?;
    let mut app_ops = std::collections::BTreeMap::new();
    for (name, mode) in &package.app_ops {
        let op = app_op(name)?;
        if app_ops.insert(op.name().to_owned(), op_mode(mode)?.name().to_owned()).is_some() {
            return Err(format!("app op {op} is there twice; give it once"));
        }
    }
    Ok(PackageConfig {
        permissions: permissions.iter().map(|it| it.name().to_owned()).collect(),
        app_ops,
        ..package.clone()
    })
}

/// Checks a volume that came over the control interface, alone and against those that are attached, and fills in
/// what depends on other settings.
pub fn volume(volume: &VolumeConfig, attached: &[VolumeConfig]) -> Result<VolumeConfig, String> {
    volume_name(&volume.name)?;
    if attached.iter().any(|other| other.name == volume.name) {
        return Err(format!(
            "volume {:?} is attached already; detach it first or choose another name",
            volume.name
        ));
    }
    lower(&volume.lower)?;
    path("mount", &volume.mount)?;
    let mut users = BTreeSet::new();
    for user in &volume.users {
        if *user > MAX_USER || !users.insert(*user) {
            return Err(format!(
                "user {user} is there twice or out of range; give each from 0 to {MAX_USER} once"
            ));
        }
    }
    if let Some(owner) = &volume.owner {
        resolve_owner(owner)?;
    }
    if let Some(cache) = volume.cache_seconds.map(i64::from)
        && !(CACHE_SECONDS.0..=CACHE_SECONDS.1).contains(&cache)
    {
        return Err(format!(
            "cache_seconds {cache} is out of range; give -1 (for ever) to {}",
            CACHE_SECONDS.1
        ));
    }
    let mut checked = volume.clone();
    match volume.kind {
        VolumeKindConfig::Public if !volume.users.is_empty() => return Err(users_on_public()),
        VolumeKindConfig::Emulated if volume.users.is_empty() => checked.users = vec![0],
        VolumeKindConfig::Public | VolumeKindConfig::Emulated => {}
    }
    overlaps(volume, Some(&volume.mount), attached.iter())?;
    Ok(checked)
}

/// Checks a volume that somebody else has mounted. Of its mount only the path is looked at: nobody serves it yet, and who asks
/// what is there would wait for ever.
pub fn session(volume: &VolumeConfig, attached: &[VolumeConfig]) -> Result<(), String> {
    volume_name(&volume.name)?;
    lower(&volume.lower)?;
    path("mount", &volume.mount)?;
    if let Some(user) = volume.users.iter().find(|user| **user > MAX_USER) {
        return Err(format!("user {user} is out of range; give one from 0 to {MAX_USER}"));
    }
    let inside = |a: &Path, b: &Path| a.starts_with(b) || b.starts_with(a);
    if let Some(other) = attached.iter().find(|it| inside(&it.mount, &volume.mount)) {
        return Err(format!(
            "{:?} and the mount of volume {:?} lie within one another",
            volume.mount, other.name
        ));
    }
    // Users have trees of their own in one lower directory, each with a session of its own.
    let apart = |it: &&VolumeConfig| {
        let emulated = [it.kind, volume.kind] == [VolumeKindConfig::Emulated; 2];
        emulated && it.lower == volume.lower && it.users.iter().all(|user| !volume.users.contains(user))
    };
    overlaps(volume, None, attached.iter().filter(|it| !apart(it)))
}

fn overlaps<'a>(
    volume: &VolumeConfig,
    mount: Option<&Path>,
    others: impl Iterator<Item = &'a VolumeConfig>,
) -> Result<(), String> {
    let mut map = super::overlap::Map::default();
    for other in others {
        map.add(&other.name, Some(&other.lower), Some(&other.mount));
    }
    let index = map.add(&volume.name, Some(&volume.lower), mount);
    match map.collisions().into_iter().find(|it| it.volume == index) {
        Some(collision) => Err(collision.text),
        None => Ok(()),
    }
}

pub(super) fn users_on_public() -> String {
    "users are for emulated volumes, a public one serves every user; leave users out or write kind = \"emulated\""
        .to_owned()
}
