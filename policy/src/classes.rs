//! The caller classes of mediaprovider.md §2.2: from a uid and its packages to a [`Principal`].
//!
//! Permissions belong to the uid: packages that share one share what any of them was granted, as Android's
//! package manager has it. Target SDK, manifest flags and app ops are those of the first package (§2.1), except
//! that any package may be an installer.

use std::sync::Arc;

use crate::permission::{AppOp, OpMode, Permission, PermissionSet};
use crate::principal::{MountMode, PackageFacts, Principal, PrincipalKind, Traits, Uid};

/// Last target SDK for which legacy storage can be asked for (Android 14).
const LAST_LEGACY_SDK: u32 = 34;
/// Last target SDK that gets legacy storage without asking (Android 9).
const LAST_SDK_BEFORE_SCOPED: u32 = 28;
/// The SDK that may ask for it in its manifest (Android 10).
const OPT_OUT_SDK: u32 = 29;
/// First target SDK with one read permission for each media type (Android 13).
const MEDIA_PERMISSIONS_SDK: u32 = 33;
/// Last target SDK whose managers have raw access unless they say otherwise (Android 11).
const LAST_RAW_MANAGER_SDK: u32 = 30;
/// The same for galleries (Android 10).
const LAST_RAW_GALLERY_SDK: u32 = 29;

impl Principal {
    /// Works out the caller classes of mediaprovider.md §2.2 for `uid`.
    ///
    /// `packages` are all installed packages of the uid, in the package manager's order; the first one is "the
    /// caller's package", whose target SDK and flags count (§2.1).
    pub fn new(uid: Uid, packages: &[PackageFacts]) -> Principal {
        let kind = kind_of(uid, packages);
        let (traits, mount_mode) = match (kind, packages.first()) {
            (PrincipalKind::Root, _) => (Traits::NONE, MountMode::PassThrough),
            (PrincipalKind::Shell, _) => (Traits::NONE, MountMode::AndroidWritable),
            (PrincipalKind::App, Some(first)) => {
                let facts = UidFacts {
                    first,
                    permissions: packages.iter().flat_map(|it| it.permissions.iter()).collect(),
                };
                (facts.traits(), mount_mode(facts.permissions, packages))
            }
            (PrincipalKind::App | PrincipalKind::System, _)
            | (PrincipalKind::Isolated | PrincipalKind::Instant | PrincipalKind::NoPackage, _) => {
                (Traits::REDACTION_NEEDED, MountMode::Default)
            }
        };
        let packages = packages.iter().map(|package| Arc::clone(&package.name)).collect();
        Principal {
            uid,
            kind,
            packages,
            traits,
            mount_mode,
            relatives: Vec::new(),
            closed_to_usb: Vec::new(),
        }
    }
}

fn kind_of(uid: Uid, packages: &[PackageFacts]) -> PrincipalKind {
    // Of root, the shell and daemons the uid itself counts, not its app id (§1.5, §1.7): a uid namespace's root is often a
    // multiple of 100000, and nobody's root here.
    if uid == Uid::ROOT {
        PrincipalKind::Root
    } else if uid == Uid::SHELL {
        PrincipalKind::Shell
    } else if uid.app_id().is_isolated() {
        PrincipalKind::Isolated
    } else if packages.iter().any(|it| it.instant) {
        PrincipalKind::Instant
    } else if !packages.is_empty() {
        PrincipalKind::App
    } else if uid.is_core() {
        PrincipalKind::System
    } else {
        PrincipalKind::NoPackage
    }
}

/// Who gets which mount mode (`StorageManagerService.getMountModeInternal`). The providers that are
/// [`MountMode::AndroidWritable`] by their authority on Android get it here from `ACCESS_MTP`, and nobody gets
/// [`MountMode::PassThrough`] from a permission: it stands for the service that owns the lower file system.
fn mount_mode(permissions: PermissionSet, packages: &[PackageFacts]) -> MountMode {
    if permissions.has(Permission::AccessMtp) {
        MountMode::AndroidWritable
    } else if permissions.has(Permission::InstallPackages)
        || packages.iter().any(|it| it.app_ops.is_allowed(AppOp::RequestInstallPackages))
    {
        MountMode::Installer
    } else {
        MountMode::Default
    }
}

struct UidFacts<'a> {
    first: &'a PackageFacts,
    permissions: PermissionSet,
}

impl UidFacts<'_> {
    fn traits(&self) -> Traits {
        let legacy = self.is_legacy();
        let legacy_read =
            legacy && self.is_granted(Permission::ReadExternalStorage, AppOp::ReadExternalStorage);
        let legacy_write =
            legacy && self.is_granted(Permission::WriteExternalStorage, AppOp::WriteExternalStorage);
        let read_audio = self.may_read(Permission::ReadMediaAudio, AppOp::ReadMediaAudio);
        let read_video = self.may_read(Permission::ReadMediaVideo, AppOp::ReadMediaVideo);
        let read_images = self.may_read(Permission::ReadMediaImages, AppOp::ReadMediaImages);
        let writes_images = self.has_op(AppOp::WriteMediaImages);
        let writes_video = self.has_op(AppOp::WriteMediaVideo);
        let manager = self.is_manager();
        let gallery = (writes_images || writes_video) && (!legacy || legacy_write);
        [
            (manager, Traits::MANAGER),
            (legacy, Traits::LEGACY),
            (legacy_read, Traits::LEGACY_READ),
            (legacy_write, Traits::LEGACY_WRITE),
            (read_audio, Traits::READ_AUDIO),
            (read_video, Traits::READ_VIDEO),
            (read_images, Traits::READ_IMAGES),
            (self.has_selected_photos(), Traits::USER_SELECTED),
            (legacy_write || self.has_op(AppOp::WriteMediaAudio), Traits::WRITE_AUDIO),
            (legacy_write || writes_video, Traits::WRITE_VIDEO),
            (legacy_write || writes_images, Traits::WRITE_IMAGES),
            (gallery, Traits::GALLERY),
            (!self.sees_locations(), Traits::REDACTION_NEEDED),
            (self.has_raw_access(manager, gallery, legacy_write), Traits::RAW_ACCESS),
        ]
        .into_iter()
        .filter(|(holds, _)| *holds)
        .fold(Traits::NONE, |all, (_, class)| all.with(class))
    }

    fn targets(&self, sdk: u32) -> bool {
        self.first.target_sdk >= sdk
    }

    fn has_op(&self, op: AppOp) -> bool {
        self.first.app_ops.is_allowed(op)
    }

    /// True unless the app op takes away what the permission gives.
    fn op_agrees(&self, op: AppOp) -> bool {
        matches!(self.first.app_ops.mode(op), OpMode::Default | OpMode::Allow)
    }

    fn is_granted(&self, permission: Permission, op: AppOp) -> bool {
        self.permissions.has(permission) && self.op_agrees(op)
    }

    fn is_manager(&self) -> bool {
        match self.first.app_ops.mode(AppOp::ManageExternalStorage) {
            OpMode::Allow => true,
            OpMode::Default => self.permissions.has(Permission::ManageExternalStorage),
            OpMode::Ignore | OpMode::Deny => false,
        }
    }

    /// The `LEGACY_STORAGE` op, with what the platform would set it to where nobody has.
    fn has_legacy_op(&self) -> bool {
        let target = self.first.target_sdk;
        match self.first.app_ops.mode(AppOp::LegacyStorage) {
            OpMode::Allow => target <= LAST_LEGACY_SDK,
            OpMode::Default => {
                target <= LAST_SDK_BEFORE_SCOPED
                    || target == OPT_OUT_SDK && self.first.requests_legacy_storage
            }
            OpMode::Ignore | OpMode::Deny => false,
        }
    }

    fn is_legacy(&self) -> bool {
        match self.first.scoped_storage {
            Some(is_scoped) => !is_scoped,
            None => self.has_legacy_op() || self.has_op(AppOp::NoIsolatedStorage),
        }
    }

    /// Below SDK 33 one permission covers all media, and the op of the type does too, unless the legacy op
    /// overrules it (`PermissionUtils.checkAppOpAllowingLegacy`).
    fn may_read(&self, permission: Permission, op: AppOp) -> bool {
        if self.targets(MEDIA_PERMISSIONS_SDK) {
            self.is_granted(permission, op)
        } else {
            self.is_granted(Permission::ReadExternalStorage, AppOp::ReadExternalStorage)
                && (self.op_agrees(op) || self.has_legacy_op())
        }
    }

    fn has_selected_photos(&self) -> bool {
        self.targets(MEDIA_PERMISSIONS_SDK)
            && self.is_granted(Permission::ReadMediaVisualUserSelected, AppOp::ReadMediaVisualUserSelected)
    }

    /// Holds `ACCESS_MEDIA_LOCATION`, or declares it (which its op at "allow" stands for) and was granted
    /// selected photos, with which Android grants it along.
    fn sees_locations(&self) -> bool {
        self.is_granted(Permission::AccessMediaLocation, AppOp::AccessMediaLocation)
            || self.has_op(AppOp::AccessMediaLocation) && self.has_selected_photos()
    }

    fn has_raw_access(&self, manager: bool, gallery: bool, legacy_write: bool) -> bool {
        let by_default = match (manager, gallery) {
            (true, _) => self.first.target_sdk <= LAST_RAW_MANAGER_SDK,
            // Scoped galleries never had it (§2.4).
            (false, true) => legacy_write && self.first.target_sdk <= LAST_RAW_GALLERY_SDK,
            (false, false) => return false,
        };
        self.first.requests_raw_access.unwrap_or(by_default)
    }
}

#[cfg(test)]
mod tests;
