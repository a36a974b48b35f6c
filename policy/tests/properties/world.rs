//! Random callers and objects, with names that matter to the rules often enough.

use std::sync::Arc;

use mediagate_policy::{
    AppId, AppOp, AppOps, FileGrants, Kind, MediaType, MediaTypes, Object, OpMode, PackageFacts, Permission,
    PermissionSet, Principal, Profiles, Row, Uid, UserId, UserKind, VolumeKind,
};
use proptest::prelude::*;

pub(crate) const OWN: &str = "org.own";
const OTHER: &str = "org.other";

/// User 11 is a clone profile of user 0, user 12 a work profile, user 10 somebody else.
const USERS: [u32; 4] = [0, 10, 11, 12];

pub(crate) fn profiles() -> Profiles {
    let parent = UserId(0);
    [(UserId(11), UserKind::Clone { parent }), (UserId(12), UserKind::Work { parent })].into_iter().collect()
}

fn user() -> impl Strategy<Value = u32> {
    prop_oneof![9 => Just(0), 3 => prop::sample::select(&USERS[..])]
}

#[derive(Clone, Debug)]
pub(crate) struct CallerSpec {
    user: u32,
    instant: bool,
    target_sdk: u32,
    pub(crate) permissions: PermissionSet,
    pub(crate) app_ops: AppOps,
    requests_legacy_storage: bool,
    requests_raw_access: Option<bool>,
}

impl CallerSpec {
    pub(crate) fn plain() -> CallerSpec {
        CallerSpec {
            user: 0,
            instant: false,
            target_sdk: 34,
            permissions: PermissionSet::EMPTY,
            app_ops: AppOps::default(),
            requests_legacy_storage: false,
            requests_raw_access: None,
        }
    }

    /// The same app, but not installed.
    pub(crate) fn as_instant(&self) -> CallerSpec {
        CallerSpec { instant: true, ..self.clone() }
    }

    pub(crate) fn principal(&self) -> Principal {
        let package = PackageFacts {
            name: Arc::from(OWN),
            target_sdk: self.target_sdk,
            permissions: self.permissions,
            app_ops: self.app_ops,
            requests_legacy_storage: self.requests_legacy_storage,
            requests_raw_access: self.requests_raw_access,
            instant: self.instant,
        };
        Principal::new(Uid::of(UserId(self.user), AppId(10_100)), &[package]).in_profiles(&profiles())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ThingSpec {
    volume: VolumeKind,
    user: u32,
    pub(crate) path: Vec<u8>,
    pub(crate) mount_root: bool,
    kind: Kind,
    row: Option<RowSpec>,
}

#[derive(Clone, Debug)]
struct RowSpec {
    owner: Option<&'static str>,
    media_type: MediaType,
    pending: bool,
    trashed: bool,
    grants: FileGrants,
}

impl ThingSpec {
    pub(crate) fn others_file(path: &str) -> ThingSpec {
        let row = RowSpec {
            owner: Some(OTHER),
            media_type: MediaType::Image,
            pending: false,
            trashed: false,
            grants: FileGrants::NONE,
        };
        ThingSpec {
            volume: VolumeKind::Emulated,
            user: 0,
            path: path.into(),
            mount_root: false,
            kind: Kind::File,
            row: Some(row),
        }
    }

    pub(crate) fn object(&self) -> Object<'_> {
        let row = self.row.as_ref().map(|row| Row {
            owner: row.owner,
            media_type: row.media_type,
            pending: row.pending,
            trashed: row.trashed,
            grants: row.grants,
        });
        Object { row, ..self.name() }
    }

    /// The same file, with one more grant to the caller.
    pub(crate) fn with_grant(&self, grant: FileGrants) -> ThingSpec {
        let row = self.row.clone().map(|row| RowSpec { grants: row.grants.with(grant), ..row });
        ThingSpec { row, ..self.clone() }
    }

    pub(crate) fn is_visual(&self) -> bool {
        self.row.as_ref().is_some_and(|row| MediaTypes::VISUAL.has(row.media_type))
    }

    /// The same file, with nothing granted to the caller.
    pub(crate) fn without_grants(&self) -> ThingSpec {
        let row = self.row.clone().map(|row| RowSpec { grants: FileGrants::NONE, ..row });
        ThingSpec { row, ..self.clone() }
    }

    /// The same thing in another user's tree.
    pub(crate) fn move_to(&mut self, user: UserId) {
        self.user = user.0;
    }

    /// The same place, not indexed.
    pub(crate) fn name(&self) -> Object<'_> {
        let emulated = self.volume == VolumeKind::Emulated;
        Object {
            volume: self.volume,
            user: (emulated && !self.mount_root).then_some(UserId(self.user)),
            path: if self.mount_root { b"" } else { &self.path },
            mount_root: emulated && self.mount_root,
            kind: if self.mount_root { Kind::Directory } else { self.kind },
            row: None,
        }
    }
}

pub(crate) fn caller() -> impl Strategy<Value = CallerSpec> {
    let mode = prop_oneof![
        6 => Just(OpMode::Default),
        2 => Just(OpMode::Allow),
        1 => Just(OpMode::Ignore),
        1 => Just(OpMode::Deny),
    ];
    let permissions = prop::sample::subsequence(Permission::ALL, 0..=4);
    let app_ops = prop::collection::vec((prop::sample::select(AppOp::ALL), mode), 0..4);
    (
        (user(), prop::bool::weighted(0.03)),
        27u32..37,
        permissions,
        app_ops,
        any::<bool>(),
        any::<Option<bool>>(),
    )
        .prop_map(
            |(
                (user, instant),
                target_sdk,
                permissions,
                ops,
                requests_legacy_storage,
                requests_raw_access,
            )| {
                let mut app_ops = AppOps::default();
                ops.into_iter().for_each(|(op, mode)| app_ops.set(op, mode));
                let permissions = permissions.into_iter().collect();
                CallerSpec {
                    user,
                    instant,
                    target_sdk,
                    permissions,
                    app_ops,
                    requests_legacy_storage,
                    requests_raw_access,
                }
            },
        )
}

/// An object whose path is made of names that rules look at.
pub(crate) fn thing() -> impl Strategy<Value = ThingSpec> {
    const TOPS: [&str; 12] = [
        "DCIM",
        "Music",
        "Movies",
        "Download",
        "Ringtones",
        "Foo",
        ".transforms",
        "Android",
        "Android/data",
        "Android/obb",
        "Android/media",
        "Android/sandbox",
    ];
    const NAMES: [&str; 23] = [
        OWN,
        OTHER,
        "d",
        ".d",
        "a.jpg",
        "b.mp4",
        "c.mp3",
        "d.pdf",
        "e.srt",
        "f",
        ".a.jpg",
        "a:b.jpg",
        ".pending-1999999999-a.jpg",
        ".trashed-1999999999-b.mp4",
        ".trashed-1-c.mp3",
        ".TRASHED-007-e.srt",
        ".pending-1-",
        ".pending-1x-a.jpg",
        ".trashed--b.mp4",
        ".pending-é-a.jpg",
        "synthetic",
        ".nomedia",
        "é.png",
    ];
    let path = prop_oneof![
        1 => Just(String::new()),
        2 => prop::sample::select(&NAMES[..]).prop_map(String::from),
        20 => (prop::sample::select(&TOPS[..]), prop::collection::vec(prop::sample::select(&NAMES[..]), 0..4))
            .prop_map(|(top, names)| [&[top][..], &names].concat().join("/")),
    ];
    with_path(path.prop_map(String::into_bytes))
}

/// An object whose path is anything at all.
pub(crate) fn raw_thing() -> impl Strategy<Value = ThingSpec> {
    let bytes = prop::collection::vec(prop_oneof![any::<u8>(), Just(b'/'), Just(b'.')], 0..300);
    let prefix = prop::sample::select(&["", "Android/data/", "DCIM/.pending-", "Android/\u{200d}data/"][..]);
    with_path((prefix, bytes).prop_map(|(prefix, bytes)| [prefix.as_bytes(), &bytes].concat()))
}

fn with_path(path: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = ThingSpec> {
    let grants = prop_oneof![
        4 => Just(FileGrants::NONE),
        1 => Just(FileGrants::SELECTED),
        1 => Just(FileGrants::READ),
        1 => Just(FileGrants::WRITE),
    ];
    let owner = prop::sample::select(&[None, Some(OWN), Some(OTHER)][..]);
    let row = (owner, 0u8..7, any::<bool>(), any::<bool>(), grants).prop_map(
        |(owner, media_type, pending, trashed, grants)| {
            let media_type = MediaType::from_number(media_type).unwrap();
            RowSpec { owner, media_type, pending, trashed, grants }
        },
    );
    (
        prop_oneof![3 => Just(VolumeKind::Emulated), 1 => Just(VolumeKind::Public)],
        user(),
        path,
        prop::bool::weighted(0.02),
        prop_oneof![3 => Just(Kind::File), 1 => Just(Kind::Directory)],
        prop::option::weighted(0.8, row),
    )
        .prop_map(|(volume, user, path, mount_root, kind, row)| {
            let row = row.filter(|_| kind == Kind::File && !mount_root);
            let mount_root = mount_root && volume == VolumeKind::Emulated;
            ThingSpec { volume, user, path, mount_root, kind, row }
        })
}
