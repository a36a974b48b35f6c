//! Random callers and objects, with names that matter to the rules often enough.

use std::sync::Arc;

use mediagate_policy::{
    AppId, AppOp, AppOps, FileGrants, Kind, MediaType, MediaTypes, Object, OpMode, PackageFacts, Permission,
    PermissionSet, Principal, Profiles, Row, Uid, UserId, UserKind, VolumeKind,
};
use proptest::prelude::*;

pub(crate) const OWN: &str = "org.own";
/// Shares the uid with [`OWN`] where there is such a package.
const SIBLING: &str = "org.sibling";
const OTHER: &str = "org.other";

/// An installed app's id, and one of the system's own.
const APP: u32 = 10_100;
const CORE: u32 = 1_001;

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
    name: String,
    user: u32,
    app_id: u32,
    instant: bool,
    target_sdk: u32,
    pub(crate) permissions: PermissionSet,
    pub(crate) app_ops: AppOps,
    requests_legacy_storage: bool,
    requests_raw_access: Option<bool>,
    scoped_storage: Option<bool>,
    /// Another package of the same uid, which comes after this one, and what was granted to it.
    sibling: Option<PermissionSet>,
}

impl CallerSpec {
    pub(crate) fn plain() -> CallerSpec {
        CallerSpec {
            name: OWN.to_owned(),
            user: 0,
            app_id: APP,
            instant: false,
            target_sdk: 34,
            permissions: PermissionSet::EMPTY,
            app_ops: AppOps::default(),
            requests_legacy_storage: false,
            requests_raw_access: None,
            scoped_storage: None,
            sibling: None,
        }
    }

    /// The same app, but not installed.
    pub(crate) fn as_instant(&self) -> CallerSpec {
        CallerSpec { instant: true, ..self.clone() }
    }

    /// The same app, installed.
    pub(crate) fn as_installed(&self) -> CallerSpec {
        CallerSpec { instant: false, ..self.clone() }
    }

    /// The same app as a user has it.
    pub(crate) fn of_user(&self, user: UserId) -> CallerSpec {
        CallerSpec { user: user.0, ..self.clone() }
    }

    /// The same app under another name.
    pub(crate) fn named(&self, name: &str) -> CallerSpec {
        CallerSpec { name: name.to_owned(), ..self.clone() }
    }

    pub(crate) fn uid(&self) -> Uid {
        Uid::of(UserId(self.user), AppId(self.app_id))
    }

    pub(crate) fn packages(&self) -> Vec<PackageFacts> {
        let first = PackageFacts {
            name: Arc::from(self.name.as_str()),
            target_sdk: self.target_sdk,
            permissions: self.permissions,
            app_ops: self.app_ops,
            requests_legacy_storage: self.requests_legacy_storage,
            requests_raw_access: self.requests_raw_access,
            scoped_storage: self.scoped_storage,
            instant: self.instant,
        };
        let second = self.sibling.map(|permissions| PackageFacts {
            name: Arc::from(SIBLING),
            permissions,
            ..first.clone()
        });
        std::iter::once(first).chain(second).collect()
    }

    pub(crate) fn principal(&self) -> Principal {
        Principal::new(self.uid(), &self.packages()).in_profiles(&profiles())
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

    /// The same file as one of the caller's first package.
    pub(crate) fn own(&self) -> ThingSpec {
        let row = self.row.clone().map(|row| RowSpec { owner: Some(OWN), ..row });
        ThingSpec { row, ..self.clone() }
    }

    /// The same file as the index has it that was scanned and belongs to nobody.
    pub(crate) fn scanned(&self) -> ThingSpec {
        let media_type = mediagate_policy::media_type_at(&self.path, false);
        let (pending, trashed, grants) = (false, false, FileGrants::NONE);
        ThingSpec { row: Some(RowSpec { owner: None, media_type, pending, trashed, grants }), ..self.clone() }
    }

    /// The same file under its plain name.
    pub(crate) fn published(&self) -> ThingSpec {
        let slash = self.path.iter().rposition(|it| *it == b'/').map_or(0, |at| at + 1);
        let (dir, name) = self.path.split_at(slash);
        let plain = mediagate_policy::ExpiringName::parse(name).map_or(name, |it| it.plain);
        let row = self.row.clone().map(|row| RowSpec { pending: false, trashed: false, ..row });
        ThingSpec { path: [dir, plain].concat(), row, ..self.clone() }
    }

    /// Another place in the same tree, with nothing there.
    pub(crate) fn nothing_at(&self, path: &[u8]) -> ThingSpec {
        ThingSpec { path: path.to_vec(), row: None, ..self.clone() }
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
    let granted =
        |most| prop::sample::subsequence(Permission::ALL, 0..=most).prop_map(PermissionSet::from_iter);
    let app_ops = prop::collection::vec((prop::sample::select(AppOp::ALL), mode), 0..4);
    let app_id = prop_oneof![6 => Just(APP), 1 => Just(CORE)];
    let scoped_storage = prop_oneof![8 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))];
    let storage = (any::<bool>(), any::<Option<bool>>(), scoped_storage);
    let who = (user(), app_id, prop::bool::weighted(0.03), prop::option::weighted(0.2, granted(2)));
    (who, 27u32..37, granted(4), app_ops, storage).prop_map(|(who, target_sdk, permissions, ops, storage)| {
        let (user, app_id, instant, sibling) = who;
        let (requests_legacy_storage, requests_raw_access, scoped_storage) = storage;
        let mut app_ops = AppOps::default();
        ops.into_iter().for_each(|(op, mode)| app_ops.set(op, mode));
        CallerSpec {
            name: OWN.to_owned(),
            user,
            app_id,
            instant,
            target_sdk,
            permissions,
            app_ops,
            requests_legacy_storage,
            requests_raw_access,
            scoped_storage,
            sibling,
        }
    })
}

/// An app that was given nothing: no permission, no app op, and no legacy storage.
pub(crate) fn bare() -> impl Strategy<Value = CallerSpec> {
    let scoped_storage = prop_oneof![3 => Just(None), 1 => Just(Some(true))];
    let storage = (any::<bool>(), any::<Option<bool>>(), scoped_storage);
    (user(), 30u32..37, any::<bool>(), storage).prop_map(|(user, target_sdk, shares_uid, storage)| {
        let (requests_legacy_storage, requests_raw_access, scoped_storage) = storage;
        CallerSpec {
            user,
            target_sdk,
            requests_legacy_storage,
            requests_raw_access,
            scoped_storage,
            sibling: shares_uid.then_some(PermissionSet::EMPTY),
            ..CallerSpec::plain()
        }
    })
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
    const NAMES: [&str; 24] = [
        OWN,
        SIBLING,
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
    let owner = prop::sample::select(&[None, Some(OWN), Some(SIBLING), Some(OTHER)][..]);
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
