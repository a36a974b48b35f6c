//! Apps' private directories in the mount namespaces of their processes ([`crate::private`]): which they are, and that they
//! are there.

use std::os::fd::OwnedFd;

use mediagate_policy::{MountMode, PrincipalKind, Uid, VolumeKind};

use super::Shared;
use super::store::mount::{Mount, WorkError};
use super::volumes::Attached;
use crate::control::ControlError;
use crate::observe::Counter;
use crate::private::{self, Package, PrivateError, Storage};
use crate::volume::Acting;

impl Shared {
    /// Binds the private directories of a uid's packages in a mount namespace. No FUSE worker may call this: it works through
    /// the mounts.
    pub(super) fn bind_private(&self, namespace: OwnedFd, uid: u32) -> Result<(), ControlError> {
        use std::os::fd::AsFd as _;
        let principal = self.identity.principal(uid);
        let packages: Vec<String> = principal.packages.iter().map(ToString::to_string).collect();
        if packages.is_empty() || principal.kind != PrincipalKind::App {
            return Err(ControlError::NotFound(format!(
                "uid {uid} is no app with storage of its own; `package list` shows those there are"
            )));
        }
        let dirs = dirs_of(principal.mount_mode);
        if dirs.is_empty() {
            return Err(ControlError::Invalid(format!(
                "uid {uid} works on all packages' directories, and finds them through the mount"
            )));
        }
        let user = Uid(uid).user().0;
        let mut storage = Vec::new();
        for attached in self.volumes.all() {
            let volume = &attached.volume;
            if volume.kind == VolumeKind::Emulated && volume.users.contains(&user) {
                storage.push(prepare(&attached, user, uid, &packages, &dirs)?);
            }
        }
        if storage.is_empty() {
            return Err(ControlError::NotFound(format!("no emulated volume serves user {user}")));
        }
        private::bind(namespace.as_fd(), uid, storage)?;
        self.observer.count(Counter::PrivateBound);
        log::info!("uid={uid} packages={}: private directories are bound", packages.join(","));
        Ok(())
    }
}

/// The directories of which a caller has its own packages' only. An installer works on all of `Android/obb` (vold,
/// remountUid: MOUNT_EXTERNAL_INSTALLER), so that stays as it is.
fn dirs_of(mode: MountMode) -> Vec<&'static str> {
    match mode {
        MountMode::Default => vec!["Android/data", "Android/obb"],
        MountMode::Installer => vec!["Android/data"],
        MountMode::AndroidWritable | MountMode::PassThrough => Vec::new(),
    }
}

/// Makes the directories through the mount, as everybody else makes directories, so that the kernel and the index know them and
/// they are counted as the app's; then opens what they are below it.
fn prepare(
    attached: &std::sync::Arc<Attached>,
    user: u32,
    uid: u32,
    packages: &[String],
    dirs: &[&'static str],
) -> Result<Storage, ControlError> {
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        ControlError::Failed(format!("volume {:?}: {what}: {error}", attached.config.name))
    };
    let made = |error: WorkError| failed("cannot make a private directory", &error);
    let mount = Mount::at(attached).map_err(made)?;
    let all: Vec<String> = dirs.iter().map(|dir| format!("{user}/{dir}")).collect();
    all.iter().try_for_each(|dir| mount.make_dirs(dir.as_bytes())).map_err(made)?;
    let mut found = Vec::new();
    for name in packages {
        let mut opened = Vec::new();
        for dir in &all {
            let path = format!("{dir}/{name}");
            let acting = Acting::for_uid(uid);
            mount.make_dirs(path.as_bytes()).map_err(made)?;
            drop(acting);
            let dir = attached.volume.lower.open_dir(path.as_bytes());
            opened.push(
                dir.map_err(|error| failed(&format!("cannot use {path:?} of the lower directory"), &error))?,
            );
        }
        found.push(Package { name: name.clone(), dirs: opened });
    }
    let device = attached.device().ok_or_else(|| failed("cannot be used", &"it is being detached"))?;
    Ok(Storage { device, user: user.to_string(), dirs: dirs.to_vec(), packages: found })
}

impl From<PrivateError> for ControlError {
    fn from(error: PrivateError) -> ControlError {
        let message = error.to_string();
        match error {
            PrivateError::NoNamespace
            | PrivateError::Everybodys
            | PrivateError::NotThere
            | PrivateError::Taken(_)
            | PrivateError::Occupied(_) => ControlError::Invalid(message),
            PrivateError::Os { .. } | PrivateError::Late => ControlError::Failed(message),
        }
    }
}
