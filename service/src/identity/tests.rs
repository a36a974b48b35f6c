use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mediagate_policy::{PrincipalKind, UserRelation};

use super::*;
use crate::config::{UserConfig, UserKindConfig};

/// What [`Persist`] was given, in order; handed back to [`Identity::new`] it is the next run's overlay.
#[derive(Default)]
struct Stored(Mutex<Vec<(String, Option<PackageConfig>)>>);

impl Stored {
    fn persist(&self) -> impl Fn(&str, Option<&PackageConfig>) -> Result<(), PersistError> {
        |name, package| {
            self.0.lock().push((name.to_owned(), package.cloned()));
            Ok(())
        }
    }
}

fn kept(_: &str, _: Option<&PackageConfig>) -> Result<(), PersistError> {
    Ok(())
}

fn lost(_: &str, _: Option<&PackageConfig>) -> Result<(), PersistError> {
    Err("disk full".into())
}

fn package(name: &str, app_id: u32, users: &[u32]) -> PackageConfig {
    PackageConfig { users: users.to_vec(), ..PackageConfig::new(name, app_id) }
}

fn shared(name: &str, app_id: u32, users: &[u32]) -> PackageConfig {
    PackageConfig { shared_uid: true, ..package(name, app_id, users) }
}

fn configured(packages: &[PackageConfig]) -> Vec<Box<dyn PackageSource>> {
    vec![Box::new(ConfigSource::new(packages))]
}

fn identity(packages: &[PackageConfig]) -> Arc<Identity> {
    Identity::new(configured(packages), Vec::new(), Profiles::default()).unwrap()
}

fn listed(file: &Path, packages: &[PackageConfig]) -> Arc<Identity> {
    Identity::new(vec![Box::new(PackagesListSource::new(file, packages))], Vec::new(), Profiles::default())
        .unwrap()
}

fn names(identity: &Identity) -> Vec<String> {
    identity.packages().into_iter().map(|it| it.package.name).collect()
}

fn status(identity: &Identity, name: &str) -> PackageStatus {
    identity.packages().into_iter().find(|it| it.package.name == name).unwrap()
}

fn permissions(identity: &Identity, name: &str) -> Vec<String> {
    status(identity, name).package.permissions
}

fn until(what: &str, done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < Duration::from_secs(1), "not within a second: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Replaces `file` as the package manager does.
fn replace(file: &Path, text: &str) {
    let new = file.with_extension("tmp");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, file).unwrap();
}

#[test]
fn packages_are_found_by_uid_for_the_users_that_have_them() {
    let identity = identity(&[package("com.a", 10_001, &[0, 10]), package("com.b", 10_002, &[10])]);
    assert_eq!(identity.packages_of_uid(10_001), ["com.a"]);
    assert_eq!(identity.packages_of_uid(1_010_001), ["com.a"]);
    assert_eq!(identity.packages_of_uid(10_002), Vec::<String>::new());
    assert_eq!(identity.packages_of_uid(1_010_002), ["com.b"]);
    assert_eq!(identity.packages_of_uid(1_110_001), Vec::<String>::new());
    assert_eq!(status(&identity, "com.a").uids, [10_001, 1_010_001]);
    assert_eq!(status(&identity, "com.a").source, "config");
    assert!(Arc::ptr_eq(&identity.principal(10_001), &identity.principal(10_001)), "built once");
}

#[test]
fn every_uid_has_the_principal_that_the_policy_makes_of_it() {
    let identity = identity(&[package("com.a", 10_001, &[0, 10])]);
    for user in [0, 10] {
        for app_id in [0, 1000, 1023, 2000, 9999, 10_002, 19_999, 50_001, 90_000, 99_000, 99_999] {
            let uid = user * 100_000 + app_id;
            let principal = identity.principal(uid);
            assert_eq!(*principal, Principal::new(Uid(uid), &[]), "uid {uid}");
            assert!(principal.packages.is_empty() && identity.packages_of_uid(uid).is_empty());
        }
    }
    assert_eq!(identity.principal(u32::MAX).uid, Uid(u32::MAX));
}

#[test]
fn hostile_uids_leave_nothing_behind() {
    let identity = identity(&[package("com.a", 10_001, &[0])]);
    for uid in (0..u32::MAX).step_by(65_537) {
        drop(identity.principal(uid));
    }
    let first = identity.principal(77_777);
    assert_eq!(Arc::strong_count(&first), 1, "nobody else holds it");
}

#[test]
fn the_first_of_a_shared_uid_is_the_callers_package() {
    let identity = identity(&[
        shared("com.z", 10_001, &[0]),
        shared("com.a", 10_001, &[0, 10]),
        package("com.m", 10_002, &[0]),
    ]);
    assert_eq!(identity.packages_of_uid(10_001), ["com.z", "com.a"]);
    assert_eq!(identity.packages_of_uid(1_010_001), ["com.a"], "the other is not there for user 10");
    assert_eq!(&**identity.principal(10_001).first_package().unwrap(), "com.z");
    identity.set_permission("com.z", "DUMP", true, &kept).unwrap();
    assert_eq!(identity.packages_of_uid(10_001), ["com.z", "com.a"], "a change keeps the order");
}

#[test]
fn changes_are_seen_stored_and_found_again() {
    let stored = Stored::default();
    let config = [package("com.a", 10_001, &[0]), package("com.b", 10_002, &[0])];
    let identity = identity(&config);
    let before = identity.epoch();
    identity.set_permission("com.a", "android.permission.DUMP", true, &stored.persist()).unwrap();
    identity.set_permission("com.a", "BACKUP", true, &stored.persist()).unwrap();
    identity.set_permission("com.a", "DUMP", false, &stored.persist()).unwrap();
    identity.set_app_op("com.a", "android:legacy_storage", "allow", &stored.persist()).unwrap();
    identity.install(&package("com.c", 10_003, &[0, 10]), &stored.persist()).unwrap();
    identity.set_permission("com.c", "BACKUP", true, &stored.persist()).unwrap();
    identity.remove("com.b", &stored.persist()).unwrap();
    assert_eq!(identity.epoch(), before + 7);
    assert_eq!(names(&identity), ["com.a", "com.c"]);
    assert_eq!(permissions(&identity, "com.a"), ["BACKUP"]);
    assert_eq!(status(&identity, "com.a").package.app_ops["LEGACY_STORAGE"], "allow");
    assert_eq!(status(&identity, "com.c").source, "runtime");
    assert_eq!(identity.packages_of_uid(1_010_003), ["com.c"]);
    assert!(identity.packages_of_uid(10_002).is_empty());

    let again = Identity::new(configured(&config), stored.0.into_inner(), Profiles::default()).unwrap();
    assert_eq!(again.packages(), identity.packages());

    again.install(&config[1], &kept).unwrap();
    assert_eq!(names(&again), ["com.a", "com.b", "com.c"], "installed again");
}

#[test]
fn what_changes_nothing_is_not_a_change() {
    let stored = Stored::default();
    let identity = identity(&[package("com.a", 10_001, &[0])]);
    let before = identity.epoch();
    identity.set_permission("com.a", "DUMP", false, &stored.persist()).unwrap();
    identity.set_app_op("com.a", "LEGACY_STORAGE", "default", &stored.persist()).unwrap();
    identity.reload().unwrap();
    assert_eq!(identity.epoch(), before);
    assert!(stored.0.lock().is_empty());
}

#[test]
fn what_cannot_be_stored_does_not_happen() {
    let identity = identity(&[package("com.a", 10_001, &[0])]);
    let (before, epoch) = (identity.packages(), identity.epoch());
    for result in [
        identity.set_permission("com.a", "DUMP", true, &lost),
        identity.set_app_op("com.a", "LEGACY_STORAGE", "allow", &lost),
        identity.install(&package("com.b", 10_002, &[0]), &lost),
        identity.remove("com.a", &lost),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(&error, IdentityError::Persist { .. }), "{error:?}");
        assert!(error.to_string().contains("disk full"), "{error}");
    }
    identity.reload().unwrap();
    assert_eq!((identity.packages(), identity.epoch()), (before, epoch));
}

#[test]
fn senseless_changes_are_refused_with_what_to_give_instead() {
    let stored = Stored::default();
    let persist = stored.persist();
    let identity = identity(&[package("com.a", 10_001, &[0]), shared("com.s", 10_005, &[0])]);
    let bad = |change: PackageConfig| identity.install(&change, &persist).unwrap_err();
    let mut odd = package("com.b", 10_002, &[0]);
    odd.permissions = vec!["DUMPP".into()];
    for (error, part) in [
        (identity.set_permission("com.a", "DUMPP", true, &persist).unwrap_err(), "did you mean \"DUMP\"?"),
        (identity.set_app_op("com.a", "LEGACY", "allow", &persist).unwrap_err(), "write one of"),
        (identity.set_app_op("com.a", "LEGACY_STORAGE", "yes", &persist).unwrap_err(), "write one of"),
        (bad(odd), "did you mean \"DUMP\"?"),
        (bad(package("com..b", 10_002, &[0])), "a package's name"),
        (bad(package("com.b", 0, &[0])), "needs an app id"),
        (bad(package("com.b", 2000, &[0])), "the shell's"),
        (bad(package("com.b", 99_000, &[0])), "isolated"),
        (bad(package("com.b", 10_002, &[])), "needs a user"),
        (bad(package("com.b", 10_002, &[21_474])), "from 0 to 21473"),
        (bad(package("com.b", 10_002, &[0, 0])), "twice"),
    ] {
        assert!(matches!(error, IdentityError::Invalid(_)), "{error:?}");
        assert!(error.to_string().contains(part), "no {part:?} in {error}");
    }
    for taken in
        [package("com.b", 10_001, &[10]), shared("com.b", 10_001, &[0]), package("com.b", 10_005, &[0])]
    {
        assert!(matches!(bad(taken), IdentityError::Taken(_)));
    }
    for error in
        [identity.remove("com.b", &persist), identity.set_permission("com.b", "DUMP", true, &persist)]
    {
        assert!(matches!(error, Err(IdentityError::NoSuchPackage(_))));
    }
    assert!(stored.0.lock().is_empty());
    identity.install(&shared("com.t", 10_005, &[0]), &persist).unwrap();
    assert_eq!(identity.packages_of_uid(10_005), ["com.s", "com.t"]);
}

#[test]
fn the_configuration_keeps_its_app_ids_over_changes_of_earlier_runs() {
    let stored = Stored::default();
    let first = identity(&[package("com.a", 10_001, &[0])]);
    first.set_permission("com.a", "DUMP", true, &stored.persist()).unwrap();
    first.install(&package("com.r", 10_009, &[0]), &stored.persist()).unwrap();
    let overlay = stored.0.into_inner();

    let moved = [package("com.a", 10_002, &[0, 10]), package("com.new", 10_009, &[0])];
    let next = Identity::new(configured(&moved), overlay.clone(), Profiles::default()).unwrap();
    assert_eq!(status(&next, "com.a").uids, [10_002, 1_010_002]);
    assert_eq!(permissions(&next, "com.a"), ["DUMP"]);
    assert_eq!(next.packages_of_uid(10_009), ["com.new"], "no uid with a stranger's permissions");

    let without = Identity::new(configured(&[]), overlay, Profiles::default()).unwrap();
    assert_eq!(names(&without), ["com.r"], "a change of a package that is gone makes none");
}

#[test]
fn a_package_of_the_configuration_can_be_replaced_and_then_removed() {
    let stored = Stored::default();
    let config = [package("com.a", 10_001, &[0])];
    let identity = identity(&config);
    identity.install(&package("com.a", 10_002, &[10]), &stored.persist()).unwrap();
    identity.set_permission("com.a", "DUMP", true, &stored.persist()).unwrap();
    assert_eq!(status(&identity, "com.a").uids, [1_010_002]);
    assert!(identity.packages_of_uid(10_001).is_empty());
    let again = Identity::new(configured(&config), stored.0.into_inner(), Profiles::default()).unwrap();
    assert_eq!(again.packages(), identity.packages());
    identity.remove("com.a", &kept).unwrap();
    assert!(identity.packages().is_empty());
}

#[test]
fn a_new_packages_list_applies_within_a_second() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("packages.list");
    let mut camera = PackageConfig::new("com.camera", 0);
    camera.permissions = vec!["READ_MEDIA_IMAGES".into()];
    let identity = listed(&file, &[camera, PackageConfig::new("com.absent", 0)]);
    assert!(identity.packages().is_empty(), "no file yet");

    replace(&file, "com.camera 10001 0 /d\ncom.other 10002 0 /d\n");
    until("the first list", || names(&identity) == ["com.camera", "com.other"]);
    assert_eq!(permissions(&identity, "com.camera"), ["READ_MEDIA_IMAGES"]);
    assert!(permissions(&identity, "com.other").is_empty());
    for user in [0, 10, 11] {
        assert_eq!(identity.packages_of_uid(user * 100_000 + 10_001), ["com.camera"]);
    }
    assert_eq!(status(&identity, "com.other").source, "packages.list");

    let epoch = identity.epoch();
    std::fs::remove_file(&file).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert!(matches!(identity.reload(), Err(IdentityError::Read { .. })));
    assert_eq!(identity.packages_of_uid(10_001), ["com.camera"], "the last list holds");
    assert_eq!(identity.epoch(), epoch);

    replace(&file, "com.other 10002 0 /d\ncom.camera 10003 0 /d\ncom.sharer 10002 0 /d\n");
    until("the next list", || identity.packages_of_uid(10_003) == ["com.camera"]);
    assert!(identity.packages_of_uid(10_001).is_empty());
    assert_eq!(identity.packages_of_uid(10_002), ["com.other", "com.sharer"], "the list's order");
    assert!(identity.epoch() > epoch);
}

#[test]
fn a_list_decides_who_exists_whatever_was_changed_here() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("packages.list");
    replace(&file, "com.a 10001 0 /d\ncom.b 10002 0 /d\n");
    let stored = Stored::default();
    let identity = listed(&file, &[]);
    identity.set_permission("com.a", "DUMP", true, &stored.persist()).unwrap();
    identity.remove("com.b", &stored.persist()).unwrap();
    assert_eq!(names(&identity), ["com.a"]);
    let mut wrong = package("com.b", 10_077, &[0]);
    assert!(matches!(identity.install(&wrong, &kept), Err(IdentityError::Taken(_))));
    wrong.app_id = 10_002;
    identity.install(&wrong, &stored.persist()).unwrap();
    assert_eq!(names(&identity), ["com.a"], "what it left has not been put in order");
    identity.release(&("com.b".into(), None), || true);
    assert_eq!(names(&identity), ["com.a", "com.b"]);
    assert_eq!(status(&identity, "com.b").source, "packages.list");

    replace(&file, "com.stranger 10001 0 /d\n");
    until("the next list", || names(&identity) == ["com.stranger"]);
    assert!(permissions(&identity, "com.stranger").is_empty(), "a uid's next owner inherits nothing");
    let again = Identity::new(
        vec![Box::new(PackagesListSource::new(&file, &[]))],
        stored.0.into_inner(),
        Profiles::default(),
    )
    .unwrap();
    assert_eq!(names(&again), ["com.stranger"]);
}

/// Readers on three threads; `turn` is odd while a change is under way and even after it has returned. A reader
/// between two equal even turns has read what the last change left.
#[test]
fn a_reader_after_the_return_sees_the_change() {
    const ROUNDS: u64 = 2000;
    let a = package("com.a", 10_001, &[0]);
    let identity = identity(&[a.clone(), package("com.b", 10_002, &[0])]);
    let (stop, turn, settled) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut last = 0;
                while !stop.load(Ordering::SeqCst) {
                    let before = turn.load(Ordering::SeqCst);
                    let epoch = identity.epoch();
                    let count = identity.principal(10_001).packages.len() as u64;
                    let after = turn.load(Ordering::SeqCst);
                    assert!(epoch >= last, "the epoch never goes back");
                    last = epoch;
                    if before == after && before % 2 == 0 {
                        assert_eq!(count, (before / 2 + 1) % 2, "turn {before}");
                        settled.fetch_add(1, Ordering::SeqCst);
                    }
                    assert_eq!(identity.principal(10_002).packages.len(), 1, "never away");
                }
            });
        }
        for round in 0..ROUNDS {
            turn.fetch_add(1, Ordering::SeqCst);
            match round % 2 {
                0 => identity.remove("com.a", &kept).unwrap(),
                _ => {
                    identity.install(&a, &kept).unwrap();
                    identity.release(&("com.a".into(), None), || true);
                }
            }
            turn.fetch_add(1, Ordering::SeqCst);
            let granted = round % 2 == 0;
            identity.set_permission("com.b", "DUMP", granted, &kept).unwrap();
            assert_eq!(permissions(&identity, "com.b").len(), usize::from(granted));
            if round % 100 == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        stop.store(true, Ordering::SeqCst);
    });
    assert!(settled.into_inner() > 0);
    assert_eq!(identity.epoch(), 1 + 2 * ROUNDS);
}

#[test]
fn an_identity_that_is_dropped_takes_its_watch_along() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("packages.list");
    replace(&file, "com.a 10001 0 /d\n");
    let identity = listed(&file, &[]);
    let weak = Arc::downgrade(&identity);
    replace(&file, "com.a 10002 0 /d\n");
    drop(identity);
    until("the last reference goes", || weak.upgrade().is_none());
}

#[test]
fn departures_are_told_before_they_count() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("packages.list");
    std::fs::write(&file, "com.a 10001 0 /data default none 0\n").unwrap();
    let identity = listed(&file, &[]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (noting, asking) = (Arc::clone(&seen), Arc::downgrade(&identity));
    identity.on_departures(Box::new(move |_, is_installed| {
        let still =
            asking.upgrade().is_some_and(|it| it.principal(10001).packages.iter().any(|it| &**it == "com.a"));
        let asked = [("com.a", 0), ("com.b", 0), ("com.b", 10)];
        noting.lock().push((still, asked.map(|(package, user)| is_installed(package, user))));
    }));
    identity.install(&package("com.b", 10002, &[10]), &kept).unwrap();
    assert_eq!(*seen.lock(), [(true, [true, false, true])]);
    assert!(matches!(identity.while_installed("com.b", 0, || ()), Err(IdentityError::NotForUser(..))));
    assert!(matches!(identity.while_installed("com.c", 0, || ()), Err(IdentityError::NoSuchPackage(_))));
    assert_eq!(identity.while_installed("com.b", 10, || 7).unwrap(), 7);
    identity.remove("com.b", &kept).unwrap();
    // The package manager lists one less.
    std::fs::write(&file, "com.other 10009 0 /data default none 0\n").unwrap();
    until("the file was read again", || seen.lock().len() >= 3);
    assert_eq!(seen.lock()[1..3], [(true, [true, false, false]), (true, [false, false, false])]);
}

fn user(id: u32, kind: UserKindConfig, parent: Option<u32>) -> UserConfig {
    UserConfig { id, kind, parent, usb_file_transfer: id != 13 }
}

#[test]
fn profiles_are_known_of_every_uid() {
    let users = [
        user(10, UserKindConfig::Full, None),
        user(11, UserKindConfig::Clone, Some(0)),
        user(12, UserKindConfig::Work, Some(0)),
        user(13, UserKindConfig::Full, None),
    ];
    let packages = [package("com.example.camera", 10_101, &[0, 10, 11])];
    let identity = Identity::new(configured(&packages), Vec::new(), profiles(&users)).unwrap();
    let relation = |uid: u32, user: u32| identity.principal(uid).relation_to(UserId(user));
    // Uids of packages, of none, of daemons: who asks does not matter.
    for app_id in [10_101, 19_999, 1_023] {
        assert_eq!(relation(app_id, 11), UserRelation::SharesMedia);
        assert_eq!(relation(1_100_000 + app_id, 0), UserRelation::SharesMedia);
        assert_eq!(relation(app_id, 12), UserRelation::AcrossWork);
        assert_eq!(relation(1_200_000 + app_id, 0), UserRelation::AcrossWork);
        assert_eq!(relation(1_000_000 + app_id, 0), UserRelation::Other);
        assert_eq!(relation(1_100_000 + app_id, 12), UserRelation::Other);
    }
    // A change of packages forgets nothing of it.
    identity.set_permission("com.example.camera", "DUMP", true, &kept).unwrap();
    assert_eq!(relation(1_110_101, 0), UserRelation::SharesMedia);
    // Whoever is the shell: it is the tree that is closed.
    for shell in [2_000, 1_302_000] {
        assert_eq!(identity.principal(shell).closed_to_usb, [UserId(13)]);
    }
}

#[test]
fn an_instant_app_stays_one_when_its_permissions_change() {
    let app = PackageConfig { instant: true, ..package("com.example.app", 10_101, &[0]) };
    let identity = identity(&[app]);
    identity.set_permission("com.example.app", "ACCESS_MTP", true, &kept).unwrap();
    assert_eq!(identity.principal(10_101).kind, PrincipalKind::Instant);
    identity.install(&package("com.example.app", 10_101, &[0]), &kept).unwrap();
    assert_eq!(identity.principal(10_101).kind, PrincipalKind::App);
}

#[test]
fn it_is_said_when_callers_come_that_are_to_find_nothing() {
    let identity = identity(&[package("com.example.camera", 10_101, &[0])]);
    let said = Arc::new(AtomicU64::new(0));
    let counting = Arc::clone(&said);
    identity.on_mixing(Box::new(move || {
        counting.fetch_add(1, Ordering::Relaxed);
    }));
    let instant = PackageConfig { instant: true, ..package("com.example.instant", 10_102, &[0]) };
    for (change, users, has_instant, times) in [
        (package("com.example.other", 10_103, &[0]), false, false, 0),
        (instant, false, true, 1),
        (package("com.example.other", 10_103, &[0, 10]), true, true, 2),
        (package("com.example.third", 10_104, &[0, 11]), true, true, 2),
    ] {
        identity.install(&change, &kept).unwrap();
        assert_eq!(identity.mix(), Mix { users, instant: has_instant }, "{}", change.name);
        assert_eq!(said.load(Ordering::Relaxed), times, "{}", change.name);
    }
}

#[test]
fn who_left_is_withheld_until_released_also_when_it_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("packages.list");
    std::fs::write(&file, "com.a 10001 0 /data/a default none 0\n").unwrap();
    let identity = listed(&file, &[]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noting = Arc::clone(&seen);
    identity.on_departures(Box::new(move |gone, _| noting.lock().extend(gone.iter().cloned())));
    let is = |uid: u32, name: &str| identity.principal(uid).packages.iter().any(|it| **it == *name);
    identity.install(&package("com.b", 10002, &[0, 10]), &kept).unwrap();
    assert!(is(10002, "com.b") && is(1_010_002, "com.b") && seen.lock().is_empty());

    // From one user.
    identity.install(&package("com.b", 10002, &[0]), &kept).unwrap();
    let left_ten: Gone = ("com.b".into(), Some(10));
    assert_eq!(std::mem::take(&mut *seen.lock()), std::slice::from_ref(&left_ten));
    identity.install(&package("com.b", 10002, &[0, 10]), &kept).unwrap();
    assert!(is(10002, "com.b") && !is(1_010_002, "com.b") && identity.is_installed("com.b"));
    identity.release(&left_ten, || true);
    assert!(is(1_010_002, "com.b"));

    // From all, by command and by its source.
    identity.remove("com.b", &kept).unwrap();
    identity.install(&package("com.b", 10002, &[0]), &kept).unwrap();
    assert!(!is(10002, "com.b"));
    identity.release(&("com.b".into(), None), || true);
    assert!(is(10002, "com.b"));
    std::fs::write(&file, "com.other 10009 0 /d\n").unwrap();
    identity.reload().unwrap();
    assert_eq!(*seen.lock(), [("com.b".into(), None), ("com.a".into(), None)]);

    // A package that stays is withheld as well, and is not thought to have left.
    seen.lock().clear();
    identity.withhold([("com.b".into(), None)], || ());
    assert!(!is(10002, "com.b") && seen.lock().is_empty());
    assert!(!identity.release(&("com.b".into(), None), || false) && !is(10002, "com.b"));
    identity.release(&("com.b".into(), None), || true);
    assert!(is(10002, "com.b") && seen.lock().is_empty());
}
