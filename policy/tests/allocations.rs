//! A decision allocates nothing: it stands in the path of every open.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(unsafe_code, reason = "a counting allocator has to implement GlobalAlloc")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use mediagate_policy::{
    AppOps, FileGrants, Kind, MediaType, Object, Operation, PackageFacts, Permission, Principal, Row, Uid,
    UserId, VolumeKind, decide,
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

#[test]
fn a_decision_allocates_nothing() {
    let package = PackageFacts {
        name: "org.own".into(),
        target_sdk: 34,
        permissions: [Permission::ReadMediaImages].into_iter().collect(),
        app_ops: AppOps::default(),
        requests_legacy_storage: false,
        requests_raw_access: None,
        instant: false,
    };
    let who = Principal::new(Uid(10_100), &[package]);
    let row = Row {
        owner: Some("org.own"),
        media_type: MediaType::Image,
        pending: false,
        trashed: false,
        grants: FileGrants::NONE,
    };
    let paths = [
        "DCIM/Camera/a.JPG",
        "Download/a.unknown-extension",
        "Android/data/org.other/f",
        "Andr\u{200d}oid/data/x/y",
    ];
    let before = ALLOCATIONS.get();
    let mut allowed = 0;
    for path in paths {
        let what = Object {
            volume: VolumeKind::Emulated,
            user: Some(UserId(0)),
            path: path.as_bytes(),
            mount_root: false,
            kind: Kind::File,
            row: Some(row),
        };
        let to = Object { row: None, ..what };
        for op in [
            Operation::Lookup,
            Operation::OpenRead,
            Operation::OpenWrite,
            Operation::Create,
            Operation::ListEntry,
            Operation::Unlink,
            Operation::Rename { to, replaced: Some(what) },
        ] {
            allowed += u32::from(decide(&who, &what, op).is_allowed());
        }
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
    assert!(allowed > 8, "only {allowed} were allowed");
}
