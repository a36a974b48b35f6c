//! The columns: one caller for each class of mediaprovider.md §2.2 and §2.11.

use mediagate_policy::{AppId, AppOp, AppOps, OpMode, PackageFacts, Permission, PermissionSet, Uid};
use serde::Serialize;

use super::OWN;
use super::objects::OWN_USER;

/// The first of two packages that share a uid.
const BESIDE_OWN: &str = "com.example.app.first";

/// A caller.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Caller {
    /// What the reference calls it.
    pub id: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its uid in user 0.
    pub uid: u32,
    /// Target SDK of its package; none for a caller without one.
    pub target_sdk: Option<u32>,
    /// What was granted to it.
    #[serde(serialize_with = "permission_names")]
    pub permissions: &'static [Permission],
    /// App ops that are allowed.
    #[serde(serialize_with = "op_names")]
    pub app_ops: &'static [AppOp],
    /// `requestLegacyExternalStorage` of its manifest.
    pub requests_legacy_storage: bool,
    /// `requestRawExternalStorageAccess` of its manifest.
    pub requests_raw_access: Option<bool>,
    /// Both compat changes about scoped storage set alike: on, or off.
    pub scoped_storage: Option<bool>,
    /// Another package, which was granted nothing, has the same uid and comes first.
    pub shares_uid: bool,
    /// An instant app.
    pub instant: bool,
}

// serde hands over the field itself.
fn permission_names<S: serde::Serializer>(all: &&'static [Permission], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(all.iter().map(|it| it.name()))
}

fn op_names<S: serde::Serializer>(all: &&'static [AppOp], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(all.iter().map(|it| it.name()))
}

impl Caller {
    /// What is installed under its uid.
    pub(super) fn packages(&self) -> Vec<PackageFacts> {
        let mut app_ops = AppOps::default();
        self.app_ops.iter().for_each(|op| app_ops.set(*op, OpMode::Allow));
        let package = |target_sdk| PackageFacts {
            name: OWN.into(),
            target_sdk,
            permissions: self.permissions.iter().copied().collect(),
            app_ops,
            requests_legacy_storage: self.requests_legacy_storage,
            requests_raw_access: self.requests_raw_access,
            scoped_storage: self.scoped_storage,
            instant: self.instant,
        };
        let package = self.target_sdk.map(package);
        let first = package.iter().filter(|_| self.shares_uid).map(|it| PackageFacts {
            name: BESIDE_OWN.into(),
            permissions: PermissionSet::EMPTY,
            ..it.clone()
        });
        first.chain(package.clone()).collect()
    }

    /// The uid that it calls with.
    pub(super) fn uid(&self) -> Uid {
        Uid::of(OWN_USER, AppId(self.uid))
    }
}

const APP: Caller = Caller {
    id: "N",
    about: "app without a permission",
    uid: 10_101,
    target_sdk: Some(34),
    permissions: &[],
    app_ops: &[],
    requests_legacy_storage: false,
    requests_raw_access: None,
    scoped_storage: None,
    shares_uid: false,
    instant: false,
};
const ALL_MEDIA: &[Permission] =
    &[Permission::ReadMediaImages, Permission::ReadMediaVideo, Permission::ReadMediaAudio];
const GALLERY: Caller = Caller {
    id: "G",
    about: "system gallery",
    app_ops: &[AppOp::WriteMediaImages, AppOp::WriteMediaVideo],
    ..APP
};
const LEGACY: Caller = Caller { target_sdk: Some(28), ..APP };
const READ_AND_WRITE: &[Permission] = &[Permission::ReadExternalStorage, Permission::WriteExternalStorage];
const HOST: Caller = Caller { target_sdk: None, ..APP };

pub(super) fn all() -> Vec<Caller> {
    vec![
        APP,
        Caller {
            id: "R",
            about: "app with READ_EXTERNAL_STORAGE, target SDK up to 32",
            target_sdk: Some(32),
            permissions: &[Permission::ReadExternalStorage],
            ..APP
        },
        Caller { id: "R3", about: "app with every READ_MEDIA permission", permissions: ALL_MEDIA, ..APP },
        Caller {
            id: "RL",
            about: "as R3, and sees locations (ACCESS_MEDIA_LOCATION)",
            permissions: &[
                Permission::ReadMediaImages,
                Permission::ReadMediaVideo,
                Permission::ReadMediaAudio,
                Permission::AccessMediaLocation,
            ],
            ..APP
        },
        Caller {
            id: "Ri",
            about: "app with READ_MEDIA_IMAGES only",
            permissions: &[Permission::ReadMediaImages],
            ..APP
        },
        Caller {
            id: "U",
            about: "app that sees the photos which the user selects",
            permissions: &[Permission::ReadMediaVisualUserSelected],
            ..APP
        },
        Caller { id: "LN", about: "legacy app without a permission", ..LEGACY },
        Caller {
            id: "LR",
            about: "legacy app with READ_EXTERNAL_STORAGE",
            target_sdk: Some(29),
            permissions: &[Permission::ReadExternalStorage],
            requests_legacy_storage: true,
            ..APP
        },
        Caller {
            id: "LW",
            about: "legacy app with READ_ and WRITE_EXTERNAL_STORAGE",
            permissions: READ_AND_WRITE,
            ..LEGACY
        },
        Caller {
            id: "Lw",
            about: "legacy app with WRITE_EXTERNAL_STORAGE only",
            permissions: &[Permission::WriteExternalStorage],
            ..LEGACY
        },
        Caller {
            id: "Cs",
            about: "as LW, but both compat changes make its storage scoped",
            permissions: READ_AND_WRITE,
            scoped_storage: Some(true),
            ..LEGACY
        },
        Caller {
            id: "Cl",
            about: "target SDK 34, but both compat changes make it a legacy app",
            permissions: READ_AND_WRITE,
            scoped_storage: Some(false),
            ..APP
        },
        GALLERY,
        Caller {
            id: "Gr",
            about: "system gallery with raw access",
            requests_raw_access: Some(true),
            ..GALLERY
        },
        Caller { id: "Gi", about: "gallery of images only", app_ops: &[AppOp::WriteMediaImages], ..GALLERY },
        Caller { id: "M", about: "manager of all files", app_ops: &[AppOp::ManageExternalStorage], ..APP },
        Caller { id: "I", about: "installer", permissions: &[Permission::InstallPackages], ..APP },
        Caller {
            id: "Io",
            about: "installer by its app op",
            app_ops: &[AppOp::RequestInstallPackages],
            ..APP
        },
        Caller {
            id: "W",
            about: "MTP, and in its place the download and documents providers",
            permissions: &[Permission::AccessMtp],
            ..APP
        },
        Caller {
            id: "De",
            about: "delegator: may name another owner to the media store, and is like N here",
            permissions: &[Permission::Backup, Permission::UpdateDeviceStats],
            ..APP
        },
        Caller {
            id: "Sh",
            about: "second of two packages with one uid, with READ_MEDIA_IMAGES",
            permissions: &[Permission::ReadMediaImages],
            shares_uid: true,
            ..APP
        },
        Caller { id: "Co", about: "package of the system: uid below 10000", uid: 1073, ..APP },
        Caller {
            id: "IA",
            about: "instant app, whatever it was granted",
            permissions: ALL_MEDIA,
            instant: true,
            ..APP
        },
        Caller { id: "S", about: "shell", uid: 2000, ..HOST },
        Caller { id: "0", about: "root", uid: 0, ..HOST },
        Caller { id: "D", about: "a daemon: uid below 10000 without a package", uid: 1023, ..HOST },
        Caller { id: "X", about: "an isolated process", uid: 99_001, ..HOST },
        Caller { id: "NP", about: "a uid that no package has", uid: 19_999, ..HOST },
    ]
}
