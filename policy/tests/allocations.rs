//! A decision allocates nothing: it stands in the path of every open.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(unsafe_code, reason = "a counting allocator has to implement GlobalAlloc")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use mediagate_policy::{
    AccessMask, AppOp, AppOps, FileGrants, Kind, MediaType, Object, OpMode, Operation, PackageFacts,
    Permission, Principal, Profiles, Row, Uid, UserId, UserKind, VolumeKind, decide,
};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to `System` unchanged; counting touches a thread-local without a destructor only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's obligations are those of `System::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's obligations are those of `System::dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn app(user: u32, target_sdk: u32, permissions: &[Permission], ops: &[AppOp]) -> Principal {
    let mut app_ops = AppOps::default();
    ops.iter().for_each(|op| app_ops.set(*op, OpMode::Allow));
    let package = PackageFacts {
        name: "org.own".into(),
        target_sdk,
        permissions: permissions.iter().copied().collect(),
        app_ops,
        requests_legacy_storage: false,
        requests_raw_access: None,
        scoped_storage: None,
        instant: false,
    };
    let profiles: Profiles = [(UserId(11), UserKind::Clone { parent: UserId(0) })].into_iter().collect();
    Principal::new(Uid(user * 100_000 + 10_100), &[package]).in_profiles(&profiles)
}

/// One caller of every class that has a bypass or a way of its own.
fn callers() -> Vec<Principal> {
    vec![
        app(0, 34, &[], &[]),
        app(0, 34, &[Permission::ReadMediaImages], &[]),
        app(0, 34, &[Permission::ReadMediaVisualUserSelected], &[]),
        app(0, 28, &[], &[]),
        app(0, 28, &[Permission::ReadExternalStorage, Permission::WriteExternalStorage], &[]),
        app(0, 34, &[], &[AppOp::WriteMediaImages, AppOp::WriteMediaVideo]),
        app(0, 34, &[], &[AppOp::ManageExternalStorage]),
        app(0, 34, &[Permission::InstallPackages], &[]),
        app(0, 34, &[Permission::AccessMtp], &[]),
        app(11, 34, &[Permission::ReadMediaImages], &[]),
        app(10, 34, &[Permission::ReadMediaImages], &[]),
        Principal::new(Uid::ROOT, &[]),
        Principal::new(Uid::SHELL, &[]),
        Principal::new(Uid(99_001), &[]),
    ]
}

#[test]
fn a_decision_allocates_nothing() {
    let callers = callers();
    let paths = [
        "DCIM/Camera/a.JPG",
        "DCIM/.pending-1999999999-a.jpg",
        "Music/AlbumArt_{a}_Small.jpg",
        "Download/a.unknown-extension",
        "Android/media/org.own/f",
        "Android/data/org.other/f",
        "Andr\u{200d}oid/data/x/y",
        "Android/obb",
        "Android/sandbox/org.own/d/f",
        ".transforms/synthetic/x",
        "Foo",
    ];
    let rows = ["org.own", "org.other"].into_iter().flat_map(|owner| {
        [FileGrants::NONE, FileGrants::SELECTED, FileGrants::READ, FileGrants::WRITE].map(|grants| {
            let (pending, trashed) = (false, false);
            Row { owner: Some(owner), media_type: MediaType::Image, pending, trashed, grants }
        })
    });
    let rows: Vec<Row<'_>> = rows.collect();
    let access = |read, write, execute| Operation::Access(AccessMask { read, write, execute });
    let before = ALLOCATIONS.get();
    let (mut allowed, mut asked) = (0, 0);
    for who in &callers {
        let mut ask = |what: &Object<'_>, op| {
            asked += 1;
            allowed += u32::from(decide(who, what, op).is_allowed());
        };
        for (path, volume) in
            paths.iter().flat_map(|it| [(it, VolumeKind::Emulated), (it, VolumeKind::Public)])
        {
            let user = (volume == VolumeKind::Emulated).then_some(UserId(0));
            let (path, mount_root) = (path.as_bytes(), false);
            let directory = Object { volume, user, path, mount_root, kind: Kind::Directory, row: None };
            let root =
                Object { user: None, path: b"", mount_root: volume == VolumeKind::Emulated, ..directory };
            for what in [directory, root] {
                for op in [
                    Operation::Lookup,
                    Operation::GetAttr,
                    access(false, false, false),
                    access(true, false, true),
                    access(false, true, false),
                    Operation::SetAttr,
                    Operation::OpenDir,
                    Operation::MakeDir,
                    Operation::RemoveDir,
                    Operation::ListEntry,
                    Operation::Rename {
                        to: Object { path: b"DCIM/d", ..directory },
                        replaced: Some(directory),
                    },
                ] {
                    ask(&what, op);
                }
            }
            for row in rows.iter().copied().map(Some).chain([None]) {
                let what = Object { kind: Kind::File, row, ..directory };
                let to = Object { row: None, ..what };
                for op in [
                    Operation::Lookup,
                    Operation::GetAttr,
                    access(false, false, false),
                    access(true, true, false),
                    access(false, false, true),
                    Operation::SetAttr,
                    Operation::OpenRead,
                    Operation::OpenWrite,
                    Operation::Create,
                    Operation::ListEntry,
                    Operation::Unlink,
                    Operation::Symlink,
                    Operation::Link,
                    Operation::Xattr,
                    Operation::Rename { to, replaced: Some(what) },
                    Operation::Rename { to: Object { path: b"DCIM/b.jpg", ..to }, replaced: None },
                    Operation::MoveWithParent { to },
                ] {
                    ask(&what, op);
                }
            }
        }
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
    assert!(asked > 30_000 && allowed > asked / 4, "only {allowed} of {asked} were allowed");
}
