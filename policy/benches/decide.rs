//! What a decision costs, by class of caller and family of rules: `cargo bench -p mediagate-policy`.
//!
//! A decision stands in the path of every open, so the aim is less than a microsecond for each, and the bench fails where
//! one takes longer. Principals are built beforehand, as a service does when packages change.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use mediagate_policy::{
    AppOp, AppOps, FileGrants, Kind, Object, OpMode, Operation, PackageFacts, Permission, Principal, Row,
    Uid, UserId, VolumeKind, decide, listing_filter, media_type_at,
};

fn app(target_sdk: u32, permissions: &[Permission], ops: &[AppOp]) -> Principal {
    let mut app_ops = AppOps::default();
    ops.iter().for_each(|op| app_ops.set(*op, OpMode::Allow));
    let package = PackageFacts {
        name: "com.example.app".into(),
        target_sdk,
        permissions: permissions.iter().copied().collect(),
        app_ops,
        requests_legacy_storage: false,
        requests_raw_access: None,
        scoped_storage: None,
        instant: false,
    };
    Principal::new(Uid(10_100), &[package])
}

fn file<'a>(path: &'a str, owner: &'a str, grants: FileGrants) -> Object<'a> {
    let path = path.as_bytes();
    let media_type = media_type_at(path, false);
    let row = Row { owner: Some(owner), media_type, pending: false, trashed: false, grants };
    let (volume, user) = (VolumeKind::Emulated, Some(UserId(0)));
    Object { volume, user, path, mount_root: false, kind: Kind::File, row: Some(row) }
}

/// What a decision may take.
const AIM: Duration = Duration::from_micros(1);

/// Fails if a decision takes longer than [`AIM`], in the best of many rounds: what else the machine does is not meant.
fn keeps_the_aim(name: &str, decide: impl Fn()) {
    const EACH: u32 = 1000;
    let round = || {
        let begin = Instant::now();
        (0..EACH).for_each(|_| decide());
        begin.elapsed() / EACH
    };
    let best = (0..100).map(|_| round()).min().unwrap_or_default();
    assert!(cfg!(debug_assertions) || best < AIM, "{name}: a decision takes {best:?}");
}

fn decisions(c: &mut Criterion) {
    let plain = app(34, &[], &[]);
    let reader = app(34, &[Permission::ReadMediaImages], &[]);
    let selecting = app(34, &[Permission::ReadMediaVisualUserSelected], &[]);
    let legacy = app(28, &[Permission::ReadExternalStorage, Permission::WriteExternalStorage], &[]);
    let gallery = app(34, &[], &[AppOp::WriteMediaImages, AppOp::WriteMediaVideo]);
    let manager = app(34, &[], &[AppOp::ManageExternalStorage]);
    let provider = app(34, &[Permission::AccessMtp], &[]);
    let root = Principal::new(Uid::ROOT, &[]);

    let none = FileGrants::NONE;
    let own = file("DCIM/Camera/IMG_20240101_120000.jpg", "com.example.app", none);
    let others = file("DCIM/Camera/IMG_20240101_120000.jpg", "com.example.camera", none);
    let selected = file("DCIM/Camera/IMG_20240101_120000.jpg", "com.example.camera", FileGrants::SELECTED);
    let granted = file("Download/report.pdf", "com.example.camera", FileGrants::WRITE);
    let private = file("Android/data/com.example.camera/files/x", "com.example.camera", none);
    let directory = Object { kind: Kind::Directory, row: None, path: b"DCIM/Camera", ..own };
    let target = Object { row: None, path: b"Pictures/Album/IMG_20240101_120000.jpg", ..own };
    let fresh = Object { row: None, ..own };
    let rename = Operation::Rename { to: target, replaced: None };
    let replace = Operation::Rename { to: target, replaced: Some(Object { path: target.path, ..own }) };

    let cases: [(&str, &Principal, Object<'_>, Operation<'_>); 19] = [
        ("lookup", &plain, others, Operation::Lookup),
        ("open own", &plain, own, Operation::OpenRead),
        ("open refused", &plain, others, Operation::OpenRead),
        ("open private", &plain, private, Operation::OpenRead),
        ("open by permission", &reader, others, Operation::OpenRead),
        ("open selected", &selecting, selected, Operation::OpenRead),
        ("open granted", &plain, granted, Operation::OpenWrite),
        ("open as legacy", &legacy, others, Operation::OpenWrite),
        ("open as gallery", &gallery, others, Operation::OpenWrite),
        ("open as manager", &manager, others, Operation::OpenWrite),
        ("open as provider", &provider, others, Operation::OpenWrite),
        ("open as root", &root, others, Operation::OpenWrite),
        ("create", &plain, fresh, Operation::Create),
        ("opendir", &plain, directory, Operation::OpenDir),
        ("list entry", &reader, others, Operation::ListEntry),
        ("unlink", &plain, own, Operation::Unlink),
        ("rename", &plain, own, rename),
        ("rename as gallery", &gallery, others, rename),
        ("replace", &plain, own, replace),
    ];
    let mut group = c.benchmark_group("decide");
    for (name, who, what, op) in cases {
        let ask = || decide(black_box(who), black_box(&what), black_box(op));
        keeps_the_aim(name, || {
            black_box(ask());
        });
        group.bench_function(name, |b| b.iter(ask));
    }
    group.finish();

    let mut group = c.benchmark_group("once for many");
    group.bench_function("listing filter", |b| {
        b.iter(|| listing_filter(black_box(&reader), black_box(&directory)));
    });
    group.finish();
}

criterion_group!(benches, decisions);
criterion_main!(benches);
