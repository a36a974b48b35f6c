use super::*;
use crate::permission::AppOps;

/// A package from a terse description: `MODE:OP` words set app ops, others are permissions.
fn package(target_sdk: u32, words: &str) -> PackageFacts {
    let mut app_ops = AppOps::default();
    let mut permissions = PermissionSet::EMPTY;
    for word in words.split_whitespace() {
        match word.split_once(':') {
            Some((mode, op)) => app_ops.set(op.parse().unwrap(), mode.parse().unwrap()),
            None => permissions.insert(word.parse().unwrap()),
        }
    }
    PackageFacts {
        name: "com.example".into(),
        target_sdk,
        permissions,
        app_ops,
        requests_legacy_storage: false,
        requests_raw_access: None,
        scoped_storage: None,
        instant: false,
    }
}

fn traits(target_sdk: u32, words: &str) -> Traits {
    Principal::new(Uid(10_123), &[package(target_sdk, words)]).traits
}

fn all(classes: &[Traits]) -> Traits {
    classes.iter().fold(Traits::NONE, |all, it| all.with(*it))
}

const READ_ALL: [Traits; 3] = [Traits::READ_AUDIO, Traits::READ_VIDEO, Traits::READ_IMAGES];

#[test]
fn tells_the_kinds_apart() {
    let package = [package(34, "")];
    for (uid, packages, kind) in [
        (0, &[][..], PrincipalKind::Root),
        (0, &package[..], PrincipalKind::Root),
        (100_000, &[][..], PrincipalKind::NoPackage),
        (1_000_000, &package[..], PrincipalKind::App),
        (2000, &package[..], PrincipalKind::Shell),
        (102_000, &[][..], PrincipalKind::NoPackage),
        (1_002_000, &package[..], PrincipalKind::App),
        (1000, &[][..], PrincipalKind::System),
        (1000, &package[..], PrincipalKind::App),
        (9_999, &[][..], PrincipalKind::System),
        (1_001_023, &[][..], PrincipalKind::NoPackage),
        (10_000, &[][..], PrincipalKind::NoPackage),
        (10_000, &package[..], PrincipalKind::App),
        (90_000, &package[..], PrincipalKind::Isolated),
        (1_099_999, &[][..], PrincipalKind::Isolated),
        (u32::MAX, &[][..], PrincipalKind::NoPackage),
    ] {
        assert_eq!(Principal::new(Uid(uid), packages).kind, kind, "{uid}");
    }
}

#[test]
fn who_has_no_package_has_no_class() {
    for uid in [1000, 10_000, 90_000] {
        assert_eq!(Principal::new(Uid(uid), &[]).traits, Traits::REDACTION_NEEDED);
    }
    let isolated = Principal::new(Uid(99_000), &[package(34, "MANAGE_EXTERNAL_STORAGE ACCESS_MTP")]);
    assert_eq!((isolated.traits, isolated.mount_mode), (Traits::REDACTION_NEEDED, MountMode::Default));
    assert_eq!(Principal::new(Uid::ROOT, &[]).traits, Traits::NONE);
    assert_eq!(Principal::new(Uid::SHELL, &[]).traits, Traits::NONE);
}

#[test]
fn managers_by_op_then_by_permission() {
    let is_manager = |words| traits(34, words).has(Traits::MANAGER);
    assert!(is_manager("MANAGE_EXTERNAL_STORAGE"));
    assert!(is_manager("allow:MANAGE_EXTERNAL_STORAGE"));
    assert!(!is_manager("MANAGE_EXTERNAL_STORAGE deny:MANAGE_EXTERNAL_STORAGE"));
    assert!(!is_manager("MANAGE_EXTERNAL_STORAGE ignore:MANAGE_EXTERNAL_STORAGE"));
    assert!(!is_manager(""));
}

#[test]
fn legacy_storage_by_target_sdk_and_op() {
    let is_legacy = |sdk, words| traits(sdk, words).has(Traits::LEGACY);
    assert!(is_legacy(28, ""));
    assert!(!is_legacy(28, "ignore:LEGACY_STORAGE"));
    assert!(!is_legacy(29, ""));
    assert!(is_legacy(34, "allow:LEGACY_STORAGE"));
    assert!(!is_legacy(35, "allow:LEGACY_STORAGE"));
    assert!(is_legacy(35, "allow:NO_ISOLATED_STORAGE"));
    let requesting = |sdk, words| {
        let package = PackageFacts { requests_legacy_storage: true, ..package(sdk, words) };
        Principal::new(Uid(10_123), &[package]).traits.has(Traits::LEGACY)
    };
    assert!(requesting(29, ""));
    assert!(!requesting(29, "deny:LEGACY_STORAGE"));
    assert!(!requesting(30, ""));
}

#[test]
fn compat_changes_that_agree_overrule_target_sdk_and_ops() {
    let is_legacy = |scoped_storage, sdk, words| {
        let package = PackageFacts { scoped_storage, ..package(sdk, words) };
        Principal::new(Uid(10_123), &[package]).traits.has(Traits::LEGACY)
    };
    assert!(!is_legacy(Some(true), 28, "allow:LEGACY_STORAGE allow:NO_ISOLATED_STORAGE"));
    assert!(is_legacy(Some(false), 36, "deny:LEGACY_STORAGE deny:NO_ISOLATED_STORAGE"));
    assert!(is_legacy(None, 28, "") && !is_legacy(None, 36, ""));
}

#[test]
fn legacy_permissions_need_permission_and_op() {
    let both = "READ_EXTERNAL_STORAGE WRITE_EXTERNAL_STORAGE";
    let writes = all(&[Traits::WRITE_AUDIO, Traits::WRITE_VIDEO, Traits::WRITE_IMAGES]);
    let full = traits(28, both);
    assert!(full.has(all(&[Traits::LEGACY_READ, Traits::LEGACY_WRITE])) && full.has(writes));
    let reader = traits(28, &format!("{both} ignore:WRITE_EXTERNAL_STORAGE"));
    assert!(reader.has(Traits::LEGACY_READ) && !reader.has(Traits::LEGACY_WRITE));
    let writer = traits(28, &format!("{both} ignore:READ_EXTERNAL_STORAGE"));
    assert!(!writer.has(Traits::LEGACY_READ) && writer.has(Traits::LEGACY_WRITE));
    let none = traits(28, "allow:READ_EXTERNAL_STORAGE allow:WRITE_EXTERNAL_STORAGE");
    assert!(!none.has(Traits::LEGACY_READ) && !none.has(Traits::LEGACY_WRITE));
    assert!(!traits(30, both).has(Traits::WRITE_IMAGES));
}

#[test]
fn reading_media_by_target_sdk() {
    let read =
        |sdk, words: &str| READ_ALL.into_iter().filter(|it| traits(sdk, words).has(*it)).collect::<Vec<_>>();
    assert_eq!(read(32, "READ_EXTERNAL_STORAGE"), READ_ALL);
    assert_eq!(read(33, "READ_EXTERNAL_STORAGE"), []);
    assert_eq!(read(33, "READ_MEDIA_IMAGES"), [Traits::READ_IMAGES]);
    assert_eq!(read(32, "READ_MEDIA_IMAGES"), []);
    assert_eq!(read(33, "READ_MEDIA_IMAGES READ_MEDIA_VIDEO READ_MEDIA_AUDIO"), READ_ALL);
    assert_eq!(read(33, "READ_MEDIA_IMAGES READ_MEDIA_AUDIO ignore:READ_MEDIA_IMAGES"), [Traits::READ_AUDIO]);
    assert_eq!(read(33, "allow:READ_MEDIA_VIDEO"), []);
    assert_eq!(read(32, "READ_EXTERNAL_STORAGE deny:READ_EXTERNAL_STORAGE"), []);
    let without_images = [Traits::READ_AUDIO, Traits::READ_VIDEO];
    assert_eq!(read(32, "READ_EXTERNAL_STORAGE ignore:READ_MEDIA_IMAGES"), without_images);
    assert_eq!(read(28, "READ_EXTERNAL_STORAGE ignore:READ_MEDIA_IMAGES"), READ_ALL);
    assert_eq!(read(28, "READ_EXTERNAL_STORAGE deny:READ_MEDIA_IMAGES deny:LEGACY_STORAGE"), without_images);
}

#[test]
fn selected_photos_stay_when_more_is_permitted() {
    let selected = |sdk, words: &str| traits(sdk, words).has(Traits::USER_SELECTED);
    let permission = "READ_MEDIA_VISUAL_USER_SELECTED";
    assert!(selected(34, permission));
    assert!(selected(33, &format!("{permission} READ_MEDIA_AUDIO")));
    assert!(!selected(32, permission));
    assert!(selected(34, &format!("{permission} READ_MEDIA_IMAGES")));
    assert!(!selected(34, "READ_MEDIA_IMAGES"));
    assert!(!selected(34, &format!("{permission} ignore:{permission}")));
}

#[test]
fn galleries_by_op() {
    let gallery = |sdk, words| traits(sdk, words).has(Traits::GALLERY);
    assert!(gallery(34, "allow:WRITE_MEDIA_IMAGES"));
    assert!(gallery(34, "allow:WRITE_MEDIA_VIDEO"));
    assert!(!gallery(34, "allow:WRITE_MEDIA_AUDIO"));
    assert!(!gallery(28, "allow:WRITE_MEDIA_IMAGES"));
    assert!(gallery(28, "allow:WRITE_MEDIA_IMAGES WRITE_EXTERNAL_STORAGE"));
    let images = traits(34, "allow:WRITE_MEDIA_IMAGES");
    assert!(images.has(Traits::WRITE_IMAGES) && !images.has(Traits::WRITE_VIDEO));
    assert!(traits(34, "allow:WRITE_MEDIA_AUDIO").has(Traits::WRITE_AUDIO));
}

#[test]
fn originals_need_access_media_location() {
    let redacted = |sdk, words| traits(sdk, words).has(Traits::REDACTION_NEEDED);
    assert!(redacted(34, ""));
    assert!(!redacted(34, "ACCESS_MEDIA_LOCATION"));
    assert!(redacted(34, "ACCESS_MEDIA_LOCATION ignore:ACCESS_MEDIA_LOCATION"));
    assert!(redacted(34, "allow:ACCESS_MEDIA_LOCATION"));
    assert!(!redacted(34, "allow:ACCESS_MEDIA_LOCATION READ_MEDIA_VISUAL_USER_SELECTED"));
    assert!(redacted(34, "READ_MEDIA_VISUAL_USER_SELECTED"));
    assert!(redacted(32, "allow:ACCESS_MEDIA_LOCATION READ_MEDIA_VISUAL_USER_SELECTED"));
}

#[test]
fn raw_access_by_manifest_then_by_target_sdk() {
    let raw = |sdk, words, flag| {
        let package = PackageFacts { requests_raw_access: flag, ..package(sdk, words) };
        Principal::new(Uid(10_123), &[package]).traits.has(Traits::RAW_ACCESS)
    };
    let (manager, gallery) = ("MANAGE_EXTERNAL_STORAGE", "allow:WRITE_MEDIA_IMAGES WRITE_EXTERNAL_STORAGE");
    assert!(raw(30, manager, None) && !raw(31, manager, None));
    assert!(raw(31, manager, Some(true)) && !raw(30, manager, Some(false)));
    assert!(raw(28, gallery, None), "a legacy writer");
    assert!(!raw(29, gallery, None) && !raw(30, gallery, None), "scoped galleries");
    assert!(raw(34, gallery, Some(true)) && !raw(28, gallery, Some(false)));
    assert!(!raw(28, "", Some(true)));
}

#[test]
fn mount_modes_by_permission() {
    let mode = |words| Principal::new(Uid(10_123), &[package(34, words)]).mount_mode;
    assert_eq!(mode(""), MountMode::Default);
    assert_eq!(mode("INSTALL_PACKAGES"), MountMode::Installer);
    assert_eq!(mode("allow:REQUEST_INSTALL_PACKAGES"), MountMode::Installer);
    assert_eq!(mode("REQUEST_INSTALL_PACKAGES"), MountMode::Default);
    assert_eq!(mode("INSTALL_PACKAGES ACCESS_MTP"), MountMode::AndroidWritable);
    assert_eq!(mode("WRITE_MEDIA_STORAGE"), MountMode::Default);
}

#[test]
fn shared_uids_share_permissions_but_not_the_first_packages_flags() {
    let first = package(34, "READ_MEDIA_AUDIO");
    let second = PackageFacts {
        name: "com.example.second".into(),
        ..package(28, "READ_MEDIA_IMAGES allow:MANAGE_EXTERNAL_STORAGE allow:REQUEST_INSTALL_PACKAGES")
    };
    let shared = Principal::new(Uid(10_123), &[first, second]);
    assert!(shared.traits.has(all(&[Traits::READ_AUDIO, Traits::READ_IMAGES])));
    assert!(!shared.traits.has(Traits::LEGACY) && !shared.traits.has(Traits::MANAGER));
    assert_eq!(shared.mount_mode, MountMode::Installer);
    assert_eq!(shared.first_package().map(|it| &**it), Some("com.example"));
    assert!(shared.is_owner("com.example.second") && !shared.is_owner("com.example.Second"));
}
