//! What an open costs before it touches the file: who calls, what they hold, and the decision. `cargo bench -p mediagate
//! --bench access`. The aim is less than a microsecond for all of it, however much is granted.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use mediagate::access::{Access, FileId, Grant, GrantKind, Grants, RowFacts, Subject};
use mediagate::config::PackageConfig;
use mediagate::identity::{ConfigSource, Identity};
use mediagate::observe::Observer;
use mediagate_policy::{Kind, MediaType, Operation, Profiles, VolumeKind};

/// As many as one app may have of a kind.
const GRANTS: i64 = 5000;
const APP: &str = "com.example.app";

fn file(number: i64) -> FileId {
    FileId { volume: 1, ino: 1000 + number.cast_unsigned(), generation: 7 }
}

fn access(held: i64) -> Access {
    let mut app = PackageConfig::new(APP, 10_101);
    app.permissions = vec!["READ_MEDIA_VISUAL_USER_SELECTED".to_owned()];
    let sources: Vec<Box<dyn mediagate::identity::PackageSource>> = vec![Box::new(ConfigSource::new(&[app]))];
    let identity = match Identity::new(sources, Vec::new(), Profiles::default()) {
        Ok(identity) => identity,
        Err(error) => unreachable!("a configuration without a mistake: {error}"),
    };
    let grants = Grants::default();
    let grant = |number| Grant {
        id: number + 1,
        package: APP.into(),
        user: 0,
        kind: GrantKind::Selected,
        file: file(number),
        row: number,
        expires: Some(i64::MAX - 1),
    };
    let Ok(()) = grants.reload(|| Ok::<_, Infallible>((0..held).map(grant).collect()));
    Access::new(identity, Arc::new(grants), Arc::new(Observer::default()))
}

fn subject(number: i64) -> Subject {
    let path = b"0/DCIM/Camera/IMG_20240101_120000.jpg".to_vec();
    let facts = RowFacts {
        owner: Some("com.example.camera".into()),
        media_type: MediaType::Image,
        file: Some(file(number)),
    };
    match Subject::new(VolumeKind::Emulated, path, Kind::File) {
        Some(subject) => subject.with_row(Some(facts)),
        None => unreachable!("a path in user 0's tree"),
    }
}

fn opens(c: &mut Criterion) {
    let mut group = c.benchmark_group("before an open");
    for held in [0, 1, GRANTS] {
        let access = access(held);
        let (granted, other) = (subject(held / 2), subject(GRANTS + 1));
        group.bench_function(format!("who, {held} grants"), |b| b.iter(|| access.who(black_box(10_101))));
        for (name, subject) in [("a file with a grant", &granted), ("another file", &other)] {
            group.bench_function(format!("check {name}, {held} grants"), |b| {
                b.iter(|| {
                    let who = access.who(black_box(10_101));
                    access.check(&who, black_box(subject), Operation::OpenRead).is_ok()
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, opens);
criterion_main!(benches);
