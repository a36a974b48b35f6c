//! The columns: one caller for each class of mediaprovider.md §2.2 and §2.11.

use mediagate_policy::{AppId, AppOp, AppOps, OpMode, PackageFacts, Permission, Uid};
use serde::Serialize;

use super::OWN;
use super::objects::OWN_USER;

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
    pub(super) fn package(&self) -> Option<PackageFacts> {
        let mut app_ops = AppOps::default();
        self.app_ops.iter().for_each(|op| app_ops.set(*op, OpMode::Allow));
        Some(PackageFacts {
            name: OWN.into(),
            target_sdk: self.target_sdk?,
            permissions: self.permissions.iter().copied().collect(),
            app_ops,
            requests_legacy_storage: self.requests_legacy_storage,
            requests_raw_access: self.requests_raw_access,
            scoped_storage: None,
            instant: self.instant,
        })
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
        Caller { id: "R33", about: "app with every READ_MEDIA permission", permissions: ALL_MEDIA, ..APP },
        Caller {
            id: "RL",
            about: "as R33, and sees locations (ACCESS_MEDIA_LOCATION)",
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
        Caller { id: "LN", about: "legacy app without a permission", target_sdk: Some(28), ..APP },
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
            target_sdk: Some(28),
            permissions: &[Permission::ReadExternalStorage, Permission::WriteExternalStorage],
            ..APP
        },
        GALLERY,
        Caller {
            id: "Gr",
            about: "system gallery with raw access",
            requests_raw_access: Some(true),
            ..GALLERY
        },
        Caller { id: "M", about: "manager of all files", app_ops: &[AppOp::ManageExternalStorage], ..APP },
        Caller { id: "I", about: "installer", permissions: &[Permission::InstallPackages], ..APP },
        Caller {
            id: "W",
            about: "MTP, and in its place the download and documents providers",
            permissions: &[Permission::AccessMtp],
            ..APP
        },
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
        Caller { id: "X", about: "an isolated process, or an uninstalled app", uid: 99_001, ..HOST },
    ]
}
