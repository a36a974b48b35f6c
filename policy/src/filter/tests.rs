use super::*;
use crate::object::{Kind, VolumeKind};
use crate::permission::{AppOp, AppOps, OpMode, Permission};
use crate::principal::{PackageFacts, Uid, UserId};

const COLUMNS: Columns<'_> = Columns {
    owner: "owner",
    media_type: "media_type",
    trashed: "trashed",
    grants: "grants",
    dir: "dir",
    name: "name",
};

fn package(target_sdk: u32, permissions: &[Permission]) -> PackageFacts {
    PackageFacts {
        name: "org.own".into(),
        target_sdk,
        permissions: permissions.iter().copied().collect(),
        app_ops: AppOps::default(),
        requests_legacy_storage: false,
        requests_raw_access: None,
        scoped_storage: None,
        instant: false,
    }
}

fn app(target_sdk: u32, permissions: &[Permission]) -> Principal {
    Principal::new(Uid(10_100), &[package(target_sdk, permissions)])
}

fn in_directory(who: &Principal, path: &str) -> Filter {
    let (volume, user, path) = (VolumeKind::Emulated, Some(UserId(0)), path.as_bytes());
    listing_filter(who, &Object { volume, user, path, mount_root: false, kind: Kind::Directory, row: None })
}

#[test]
fn classes_that_bypass_need_no_condition() {
    let manager = app(34, &[Permission::ManageExternalStorage]);
    let legacy = app(28, &[Permission::ReadExternalStorage]);
    for who in [&manager, &legacy, &Principal::new(Uid::ROOT, &[]), &Principal::new(Uid::SHELL, &[])] {
        assert_eq!(in_directory(who, ""), Filter::Everything);
    }
    assert_eq!(in_directory(&app(34, &[]), "Android/media/ORG.own/d"), Filter::Everything);
    assert_eq!(in_directory(&app(28, &[]), "DCIM"), Filter::Nothing);
    assert_eq!(in_directory(&manager, "Android/data/org.other"), Filter::Nothing);
    assert_eq!(in_directory(&Principal::new(Uid(10_999), &[]), "DCIM"), Filter::Nothing);
    let elsewhere = app(34, &[Permission::ReadMediaImages]);
    let theirs = Principal { uid: Uid(1_010_100), ..elsewhere };
    assert_eq!(in_directory(&theirs, "DCIM"), Filter::Nothing);
}

#[test]
fn a_filter_says_what_rows_it_wants() {
    let who = app(34, &[Permission::ReadMediaImages, Permission::ReadMediaVisualUserSelected]);
    let published = |filter| Filter::All(vec![filter, Filter::Published]);
    let selected =
        Filter::All(vec![Filter::OfTypes(MediaTypes::VISUAL), Filter::Granted(FileGrants::SELECTED)]);
    let rows = vec![
        Filter::OwnedBy(vec!["org.own".into()]),
        published(Filter::Granted(FileGrants::WRITE)),
        published(Filter::OfTypes(MediaTypes::IMAGE)),
        published(Filter::Granted(FileGrants::READ)),
        published(selected),
    ];
    assert_eq!(in_directory(&who, "DCIM"), Filter::Any(rows.clone()));
    let own_media = Filter::InMediaDirectoryOf(vec!["org.own".into()]);
    for path in ["", "Android", "Android/media"] {
        assert_eq!(
            in_directory(&who, path),
            Filter::Any([&rows[..], std::slice::from_ref(&own_media)].concat())
        );
    }
    assert_eq!(in_directory(&app(28, &[]), ""), own_media);
}

#[test]
fn a_gallery_sees_pictures_in_any_state() {
    let mut gallery = package(34, &[]);
    gallery.app_ops.set(AppOp::WriteMediaImages, OpMode::Allow);
    let Filter::Any(ways) = in_directory(&Principal::new(Uid(10_100), &[gallery]), "DCIM") else { panic!() };
    let (images, visual) = (Filter::OfTypes(MediaTypes::IMAGE), Filter::OfTypes(MediaTypes::VISUAL));
    let in_any_state = Filter::Any(vec![visual, Filter::Published]);
    assert!(ways.contains(&Filter::All(vec![images, in_any_state])), "{ways:?}");
}

#[test]
fn sql_binds_every_name() {
    let hostile: Arc<str> = "x') OR 1 --".into();
    let filter = Filter::Any(vec![
        Filter::OwnedBy(vec![Arc::clone(&hostile), "org.own".into()]),
        Filter::InMediaDirectoryOf(vec![hostile]),
    ]);
    let (sql, values) = filter.to_sql(&COLUMNS);
    assert_eq!(
        sql,
        "((owner IS NOT NULL AND owner IN (?, ?)) OR \
         ((lower(substr(CAST(dir || name || '/' AS TEXT), 1, length(?))) = ?)))"
    );
    let prefix = Value::Text("/android/media/x') or 1 --/".into());
    let owners = [Value::Text("x') OR 1 --".into()), Value::Text("org.own".into())];
    assert_eq!(values, [&owners[..], &[prefix.clone(), prefix]].concat());
}

/// That SQLite reads this as [`crate::name_state`] reads names is tested where SQLite is at hand.
#[test]
fn sql_reads_the_state_from_the_name() {
    let filter = Filter::All(vec![Filter::Published, Filter::Granted(FileGrants::READ)]);
    let (sql, values) = filter.to_sql(&COLUMNS);
    assert_eq!(
        sql,
        "((NOT trashed AND NOT (lower(substr(CAST(name AS TEXT), 1, 9)) IN ('.pending-', '.trashed-') \
         AND ltrim(substr(CAST(name AS TEXT), 10), '0123456789') <> substr(CAST(name AS TEXT), 10) \
         AND substr(ltrim(substr(CAST(name AS TEXT), 10), '0123456789'), 1, 1) = '-' \
         AND ltrim(substr(CAST(name AS TEXT), 10), '0123456789') <> '-')) AND (grants & ? = ?))"
    );
    assert_eq!(values, [Value::Integer(2), Value::Integer(2)]);
}

#[test]
fn conditions_are_read_as_they_say() {
    let (trashed, plain) = (
        Row {
            owner: None,
            media_type: crate::MediaType::Image,
            pending: false,
            trashed: true,
            grants: FileGrants::READ,
        },
        Row {
            owner: Some("org.own"),
            media_type: crate::MediaType::None,
            pending: false,
            trashed: false,
            grants: FileGrants::NONE,
        },
    );
    let own = Filter::OwnedBy(vec!["org.other".into(), "org.own".into()]);
    let media = Filter::InMediaDirectoryOf(vec!["org.own".into()]);
    for (filter, of_trashed, of_plain) in [
        (Filter::Everything, true, true),
        (Filter::Nothing, false, false),
        (own.clone(), false, true),
        (Filter::OfTypes(MediaTypes::IMAGE), true, false),
        (Filter::Granted(FileGrants::READ), true, false),
        (Filter::Published, false, true),
        (Filter::All(vec![own.clone(), Filter::Published]), false, true),
        (Filter::All(vec![own.clone(), Filter::Nothing]), false, false),
        (Filter::Any(vec![own, Filter::Nothing]), false, true),
        (media, false, false),
    ] {
        assert_eq!(filter.matches(&trashed, b"DCIM/a.jpg"), of_trashed, "{filter:?}");
        assert_eq!(filter.matches(&plain, b"DCIM/a.jpg"), of_plain, "{filter:?}");
        assert!(!filter.matches(&plain, b"Android/data/org.own/a.jpg"), "{filter:?}");
    }
    let media = Filter::InMediaDirectoryOf(vec!["org.own".into()]);
    assert!(
        media.matches(&plain, b"android/MEDIA/Org.Own/d/a.jpg")
            && media.matches(&plain, b"Android/media/org.own")
    );
    assert!(!media.matches(&plain, b"Android/media/org.other/org.own"));
    assert!(!Filter::Published.matches(&plain, b"DCIM/.pending-1-a.jpg"));
}

#[test]
fn sql_has_a_mark_for_each_value_and_is_balanced() {
    for permissions in [&[][..], &[Permission::ReadMediaAudio, Permission::ReadMediaVisualUserSelected]] {
        for path in ["", "DCIM"] {
            let (sql, values) = in_directory(&app(34, permissions), path).to_sql(&COLUMNS);
            assert_eq!(sql.matches('?').count(), values.len(), "{sql}");
            assert_eq!(sql.matches('(').count(), sql.matches(')').count(), "{sql}");
        }
    }
    assert_eq!(Filter::Everything.to_sql(&COLUMNS), ("(1)".into(), vec![]));
    assert_eq!(Filter::Nothing.to_sql(&COLUMNS), ("(0)".into(), vec![]));
    let (sql, values) = Filter::OfTypes(MediaTypes::VISUAL).to_sql(&COLUMNS);
    assert_eq!(
        (sql.as_str(), values),
        ("(media_type IN (?, ?))", vec![Value::Integer(1), Value::Integer(3)])
    );
    let (sql, values) = Filter::Granted(FileGrants::WRITE).to_sql(&COLUMNS);
    assert_eq!((sql.as_str(), values), ("(grants & ? = ?)", vec![Value::Integer(6), Value::Integer(6)]));
}
