//! What the vectors do not show: objects the kernel never asks about, users, shared uids, views and reasons.

use super::*;
use crate::decision::{Errno, Outcome};
use crate::mime::MediaType;
use crate::object::{FileGrants, Kind, Row, VolumeKind};
use crate::permission::{AppOp, AppOps, OpMode, Permission};
use crate::principal::{AppId, PackageFacts, Uid, UserId};
use crate::reason::Reason;

fn package(name: &str, permissions: &[Permission]) -> PackageFacts {
    PackageFacts {
        name: name.into(),
        target_sdk: 34,
        permissions: permissions.iter().copied().collect(),
        app_ops: AppOps::default(),
        requests_legacy_storage: false,
        requests_raw_access: None,
        scoped_storage: None,
        instant: false,
    }
}

fn app(user: u32, permissions: &[Permission]) -> Principal {
    Principal::new(Uid::of(UserId(user), AppId(10_100)), &[package("org.own", permissions)])
}

fn object(path: &str, kind: Kind) -> Object<'_> {
    let path = path.as_bytes();
    let (volume, user) = (VolumeKind::Emulated, Some(UserId(0)));
    Object { volume, user, path, mount_root: false, kind, row: None }
}

fn file<'a>(path: &'a str, owner: &'a str, media_type: MediaType) -> Object<'a> {
    let row =
        Row { owner: Some(owner), media_type, pending: false, trashed: false, grants: FileGrants::NONE };
    Object { row: Some(row), ..object(path, Kind::File) }
}

fn image<'a>(path: &'a str, owner: &'a str) -> Object<'a> {
    file(path, owner, MediaType::Image)
}

#[track_caller]
fn assert_denied(decision: Decision, reason: Reason, errno: Errno) {
    assert_eq!(decision, Decision::deny(reason, errno));
}

#[track_caller]
fn assert_allowed(decision: Decision, reason: Reason) {
    assert!(
        matches!(decision, Decision { outcome: Outcome::Allow(_), reason: by } if by == reason),
        "{decision:?}"
    );
}

#[test]
fn operations_on_the_wrong_kind_are_refused() {
    let (manager, directory) =
        (app(0, &[Permission::ManageExternalStorage]), object("DCIM", Kind::Directory));
    let moved = Operation::MoveWithParent { to: object("Pictures/d", Kind::Directory) };
    for op in [Operation::OpenRead, Operation::OpenWrite, Operation::Create, Operation::Unlink, moved] {
        assert_denied(decide(&manager, &directory, op), Reason::WrongKind, Errno::Einval);
    }
    let file = image("DCIM/a.jpg", "org.own");
    for op in [Operation::MakeDir, Operation::RemoveDir, Operation::OpenDir] {
        assert_denied(decide(&manager, &file, op), Reason::WrongKind, Errno::Einval);
    }
}

#[test]
fn an_emulated_path_without_a_user_is_nowhere() {
    let nowhere = Object { user: None, ..image("DCIM/a.jpg", "org.own") };
    let manager = app(0, &[Permission::ManageExternalStorage]);
    for op in [Operation::Lookup, Operation::OpenRead] {
        assert_denied(decide(&manager, &nowhere, op), Reason::NotInATree, Errno::Enoent);
    }
    let public = Object { volume: VolumeKind::Public, ..nowhere };
    assert_allowed(decide(&manager, &public, Operation::OpenRead), Reason::Manager);
}

#[test]
fn system_uids_of_the_first_user_only_look_into_other_trees() {
    let theirs = Object { user: Some(UserId(10)), ..image("DCIM/a.jpg", "org.own") };
    let system = |user| Principal::new(Uid::of(UserId(user), AppId(1023)), &[]);
    assert_allowed(decide(&system(0), &theirs, Operation::Lookup), Reason::NamesAreVisible);
    assert_allowed(decide(&system(10), &theirs, Operation::Lookup), Reason::NamesAreVisible);
    assert_denied(decide(&system(11), &theirs, Operation::Lookup), Reason::OtherUser, Errno::Eacces);
    assert_allowed(decide(&app(10, &[]), &theirs, Operation::OpenRead), Reason::OwnFile);
    // A package of the system looks too; it neither lists nor opens there, whatever it was granted.
    let package = Principal::new(Uid::SYSTEM, &[package("android", &[Permission::ReadMediaImages])]);
    assert_allowed(decide(&package, &theirs, Operation::Lookup), Reason::NamesAreVisible);
    for op in [Operation::ListEntry, Operation::OpenRead] {
        assert_denied(decide(&package, &theirs, op), Reason::OtherUser, Errno::Eacces);
    }
    assert_eq!(listing_filter(&package, &Object { kind: Kind::Directory, ..theirs }), crate::Filter::Nothing);
    let shell = Principal::new(Uid::SHELL, &[]);
    assert_allowed(decide(&shell, &theirs, Operation::OpenRead), Reason::Shell);
    let private = Object { path: b"Android/data/org.own/f", ..theirs };
    assert_denied(
        decide(&system(10), &private, Operation::Lookup),
        Reason::OthersPrivateDirectory,
        Errno::Enoent,
    );
    for app_id in [0, 2000] {
        let nobody = Principal::new(Uid::of(UserId(11), AppId(app_id)), &[]);
        assert_denied(decide(&nobody, &theirs, Operation::OpenRead), Reason::OtherUser, Errno::Eacces);
    }
}

#[test]
fn a_system_package_sees_names_everywhere_and_opens_what_it_may() {
    let system = Principal::new(Uid::SYSTEM, &[package("android", &[Permission::ReadMediaImages])]);
    let private = object("Android/data/org.own/x", Kind::File);
    assert_allowed(decide(&system, &private, Operation::Lookup), Reason::NamesAreVisible);
    let denied = decide(&system, &private, Operation::OpenRead);
    assert_denied(denied, Reason::OthersPrivateDirectory, Errno::Enoent);
    assert_allowed(
        decide(&system, &image("DCIM/a.jpg", "org.x"), Operation::OpenRead),
        Reason::MediaPermission,
    );
}

#[test]
fn packages_of_a_shared_uid_own_together() {
    let shared = Principal::new(Uid(10_100), &[package("org.first", &[]), package("org.second", &[])]);
    for path in ["DCIM/a.jpg", "DCIM/.trashed-1-a.jpg", "DCIM/.pending-1-a.jpg"] {
        let theirs = image(path, "org.second");
        assert_allowed(decide(&shared, &theirs, Operation::OpenWrite), Reason::OwnFile);
        assert_allowed(decide(&shared, &theirs, Operation::ListEntry), Reason::OwnFile);
        assert_eq!(decide(&shared, &theirs, Operation::Lookup).grant().map(|it| it.redact), Ok(false));
    }
    let private = object("Android/data/ORG.second/x", Kind::File);
    assert_allowed(decide(&shared, &private, Operation::OpenRead), Reason::OwnPackageDirectory);
}

#[test]
fn the_view_is_the_callers_before_anything_is_opened() {
    let redacted = |who: &Principal, what: &Object<'_>, op| decide(who, what, op).grant().map(|it| it.redact);
    let theirs = image("DCIM/a.jpg", "org.other");
    for op in [Operation::Lookup, Operation::GetAttr] {
        assert_eq!(redacted(&app(0, &[]), &theirs, op), Ok(true));
        assert_eq!(redacted(&app(0, &[Permission::AccessMediaLocation]), &theirs, op), Ok(false));
        assert_eq!(redacted(&app(0, &[Permission::ManageExternalStorage]), &theirs, op), Ok(false));
        assert_eq!(redacted(&app(0, &[]), &image("DCIM/a.jpg", "org.own"), op), Ok(false));
        assert_eq!(redacted(&app(0, &[]), &object("DCIM", Kind::Directory), op), Ok(false));
        assert_eq!(redacted(&Principal::new(Uid(1023), &[]), &theirs, op), Ok(true));
        assert_eq!(redacted(&Principal::new(Uid::ROOT, &[]), &theirs, op), Ok(false));
    }
}

#[test]
fn an_audio_writer_changes_others_audio_but_not_what_is_unpublished() {
    let mut package = package("org.own", &[]);
    package.app_ops.set(AppOp::WriteMediaAudio, OpMode::Allow);
    let who = Principal::new(Uid(10_100), &[package]);
    for media in [MediaType::Audio, MediaType::Playlist, MediaType::Subtitle] {
        let theirs = file("Music/a", "org.other", media);
        for op in [Operation::OpenRead, Operation::OpenWrite, Operation::Unlink] {
            assert_allowed(decide(&who, &theirs, op), Reason::MediaWriteOp);
        }
    }
    let trashed = file("Music/.trashed-1-a.mp3", "org.other", MediaType::Audio);
    assert_denied(decide(&who, &trashed, Operation::OpenRead), Reason::OthersTrashed, Errno::Eacces);
    assert_denied(decide(&who, &trashed, Operation::ListEntry), Reason::OthersTrashed, Errno::Eacces);
    let video = file("Movies/a.mp4", "org.other", MediaType::Video);
    assert_denied(decide(&who, &video, Operation::OpenWrite), Reason::OthersFileReadOnly, Errno::Eacces);
    assert_denied(decide(&who, &video, Operation::OpenRead), Reason::OthersVideo, Errno::Eacces);
}

#[test]
fn spellings_that_fold_to_android_data_are_android_data() {
    let manager = app(0, &[Permission::ManageExternalStorage]);
    for path in ["Andro\u{200d}id/data/org.other/x", "ANDROID/da\u{ad}ta/org.other/x"] {
        let denied = decide(&manager, &object(path, Kind::File), Operation::OpenRead);
        assert_denied(denied, Reason::OthersPrivateDirectory, Errno::Enoent);
    }
}

#[test]
fn refusals_name_the_type_that_is_closed() {
    let who = app(0, &[]);
    for (media, reason) in [
        (MediaType::Image, Reason::OthersImage),
        (MediaType::Video, Reason::OthersVideo),
        (MediaType::Audio, Reason::OthersAudio),
        (MediaType::Playlist, Reason::OthersAudio),
        (MediaType::Subtitle, Reason::OthersSubtitle),
        (MediaType::Document, Reason::OthersFile),
    ] {
        let theirs = file("Download/a", "org.other", media);
        assert_denied(decide(&who, &theirs, Operation::OpenRead), reason, Errno::Eacces);
    }
    let reader = app(0, &[Permission::ReadMediaImages]);
    let denied = decide(&reader, &image("DCIM/a.jpg", "org.other"), Operation::OpenWrite);
    assert_denied(denied, Reason::OthersFileReadOnly, Errno::Eacces);
}

#[test]
fn nothing_is_renamed_into_the_services_directory() {
    let manager = app(0, &[Permission::ManageExternalStorage]);
    let own = image("DCIM/a.jpg", "org.own");
    for path in [".transforms", ".transforms/a.jpg", ".transforms/synthetic/a.jpg"] {
        let to = object(path, Kind::File);
        for op in [Operation::Rename { to, replaced: None }, Operation::MoveWithParent { to }] {
            assert_denied(decide(&manager, &own, op), Reason::ServiceDirectory, Errno::Enoent);
        }
    }
}

/// What is given by link is not for writing; the rest is not there.
#[test]
fn the_services_directory_says_of_links_alone_that_they_are_read_only() {
    let manager = app(0, &[Permission::ManageExternalStorage]);
    for (path, kind, errno) in [
        (".transforms", Kind::Directory, Errno::Enoent),
        (".transforms/synthetic", Kind::Directory, Errno::Enoent),
        (".transforms/other/redacted", Kind::Directory, Errno::Enoent),
        (".transforms/synthetic/redacted", Kind::Directory, Errno::Eacces),
        (".transforms/a.jpg", Kind::File, Errno::Enoent),
        (".transforms/synthetic/a.jpg", Kind::File, Errno::Eacces),
    ] {
        let set = decide(&manager, &object(path, kind), Operation::SetAttr);
        assert_denied(set, Reason::ServiceDirectory, errno);
        if kind == Kind::File {
            let write = decide(&manager, &object(path, kind), Operation::OpenWrite);
            assert_denied(write, Reason::ServiceDirectory, errno);
            let remove = decide(&manager, &object(path, kind), Operation::Unlink);
            assert_denied(remove, Reason::ServiceDirectory, Errno::Enoent);
        }
    }
}

#[test]
fn access_grants_no_view() {
    let reader = app(0, &[Permission::ReadMediaImages]);
    let mask = crate::AccessMask { read: true, write: false, execute: false };
    let theirs = image("DCIM/a.jpg", "org.other");
    assert_eq!(decide(&reader, &theirs, Operation::Access(mask)).grant(), Ok(crate::Grant::default()));
    assert!(decide(&reader, &theirs, Operation::OpenRead).grant().is_ok_and(|it| it.redact));
}

#[test]
fn a_refused_name_says_what_is_wrong_with_it() {
    let create = |path| decide(&app(0, &[]), &object(path, Kind::File), Operation::Create);
    assert_denied(create("DCIM/a.pdf"), Reason::TypeUnfit, Errno::Eperm);
    assert_denied(create("Foo/a.pdf"), Reason::NoFilesHere, Errno::Eperm);
    assert_denied(create("Download/a:b"), Reason::NameNotPortable, Errno::Eperm);
}

#[test]
fn a_moved_file_must_fit_where_it_lands() {
    let who = app(0, &[]);
    let own = file("Download/d/a.pdf", "org.own", MediaType::Document);
    let along = |to| decide(&who, &own, Operation::MoveWithParent { to });
    assert_allowed(along(object("Documents/d/a.pdf", Kind::File)), Reason::OwnFile);
    assert_denied(along(object("Pictures/d/a.pdf", Kind::File)), Reason::TypeUnfit, Errno::Eperm);
    let private = object("Android/data/org.other/a.pdf", Kind::File);
    assert_denied(along(private), Reason::OthersPrivateDirectory, Errno::Eacces);
    assert_denied(along(object("Android/data/x", Kind::File)), Reason::OthersPrivateDirectory, Errno::Eacces);
    let other_tree = Object { user: Some(UserId(10)), ..object("Download/d/a.pdf", Kind::File) };
    assert_denied(along(other_tree), Reason::AcrossTrees, Errno::Exdev);
}

#[test]
fn a_legacy_app_without_a_permission_has_nothing_to_list_or_to_move() {
    let legacy = PackageFacts { target_sdk: 28, ..package("org.own", &[]) };
    let who = Principal::new(Uid(10_100), &[legacy]);
    let own = image("DCIM/d/a.jpg", "org.own");
    let along = Operation::MoveWithParent { to: object("Pictures/d/a.jpg", Kind::File) };
    for op in [Operation::ListEntry, along] {
        assert_denied(decide(&who, &own, op), Reason::LegacyWithoutPermission, Errno::Eacces);
    }
    let directory = decide(&who, &object("DCIM/d", Kind::Directory), Operation::SetAttr);
    assert_denied(directory, Reason::LegacyWithoutPermission, Errno::Eacces);
}

#[test]
fn the_mount_root_is_entered_but_not_read() {
    let root = Object { user: None, mount_root: true, ..object("", Kind::Directory) };
    let who = app(0, &[Permission::ManageExternalStorage]);
    for (read, write, execute, enters) in
        [(false, false, true, true), (true, false, true, false), (false, true, true, false)]
    {
        let mask = crate::AccessMask { read, write, execute };
        assert_eq!(decide(&who, &root, Operation::Access(mask)).is_allowed(), enters, "{mask:?}");
    }
    assert_denied(decide(&who, &root, Operation::ListEntry), Reason::MountRootClosed, Errno::Eperm);
}

#[test]
fn the_first_app_uid_is_an_apps() {
    let private = object("Android/data/org.other/x", Kind::File);
    let looks = |uid| decide(&Principal::new(Uid(uid), &[]), &private, Operation::Lookup).is_allowed();
    assert!(looks(9_999) && !looks(10_000));
}

/// Callers, places and operations that many rules are about at once.
fn disputed() -> Vec<(Principal, Object<'static>, Operation<'static>)> {
    let instant = PackageFacts { instant: true, ..package("org.own", &[]) };
    let mut callers = vec![app(0, &[]), app(10, &[Permission::ManageExternalStorage])];
    callers.push(app(0, &[Permission::AccessMtp, Permission::InstallPackages]));
    callers.push(Principal::new(Uid(10_100), &[instant]));
    callers.push(Principal::new(Uid::SYSTEM, &[package("android", &[])]));
    callers.extend(
        [0, 2000, 1_002_000, 1023, 1_001_023, 19_999, 99_001].map(|uid| Principal::new(Uid(uid), &[])),
    );
    let paths = [
        "",
        "DCIM",
        "DCIM/a.jpg",
        "Android",
        "Android/data",
        "Android/data/org.other",
        "Android/obb/org.other/x",
        "Android/data/org.own/x",
        ".transforms",
        ".transforms/x",
        ".transforms/synthetic/x",
        "a:b",
    ];
    let mut objects = Vec::new();
    for path in paths {
        for kind in [Kind::File, Kind::Directory] {
            for user in [Some(UserId(0)), Some(UserId(10)), None] {
                objects.push(Object { user, ..object(path, kind) });
            }
            objects.push(Object { volume: VolumeKind::Public, user: None, ..object(path, kind) });
        }
    }
    objects.push(Object { user: None, mount_root: true, ..object("", Kind::Directory) });
    let mask = |read, write, execute| Operation::Access(crate::AccessMask { read, write, execute });
    let mut operations = vec![
        Operation::Lookup,
        Operation::GetAttr,
        Operation::OpenRead,
        Operation::OpenWrite,
        Operation::SetAttr,
        Operation::Create,
        Operation::MakeDir,
        Operation::RemoveDir,
        Operation::OpenDir,
        Operation::ListEntry,
        Operation::Unlink,
        Operation::Symlink,
        Operation::Link,
        Operation::Xattr,
        mask(false, false, false),
        mask(true, false, false),
        mask(false, true, false),
        mask(false, false, true),
    ];
    for to in ["DCIM/b.jpg", "", ".transforms/x", "Android/data/org.other/x"] {
        for user in [Some(UserId(0)), Some(UserId(10)), None] {
            let to = Object { user, ..object(to, Kind::File) };
            operations.extend([Operation::Rename { to, replaced: None }, Operation::MoveWithParent { to }]);
        }
    }
    let mut all = Vec::new();
    for who in &callers {
        for what in &objects {
            all.extend(operations.iter().map(|op| (who.clone(), *what, *op)));
        }
    }
    all
}

/// Of all rules that are about a case the first one decides, whatever the later ones would say, and where none is the
/// family does: there is no case without a rule, and none with two answers.
#[test]
fn the_first_rule_that_is_about_a_case_decides_it() {
    let rules: Vec<Rule> = everyone::RULES.iter().chain(gate::RULES).copied().collect();
    // How often a rule decided against what a later one would have said.
    let mut overruled = vec![0; rules.len()];
    for (who, what, op) in disputed() {
        let case = Case::new(&who, &what);
        let said: Vec<Option<Decision>> = rules.iter().map(|rule| rule(&case, op)).collect();
        let first = said.iter().position(Option::is_some);
        let expected = first.and_then(|at| said[at]).unwrap_or_else(|| by_operation(&case, op));
        assert_eq!(decide(&who, &what, op), expected, "{who:?} {what:?} {op:?}");
        assert_ne!(expected.reason, Reason::NoRule, "{who:?} {what:?} {op:?}");
        if let Some(at) = first {
            let later = said[at + 1..].iter().flatten();
            overruled[at] += usize::from(later.clone().any(|it| it.outcome != expected.outcome));
        }
    }
    // The order matters of every rule but the last: there is a case that a later one would decide otherwise.
    assert!(overruled[..rules.len() - 1].iter().all(|times| *times > 0), "{overruled:?}");
}

#[test]
fn default_directories_are_known_in_the_spellings_of_a_file_system_that_folds_case() {
    let who = app(0, &[]);
    for path in ["DC\u{200d}IM/a.jpg", "Picture\u{17f}/a.jpg", "dCiM/a.jpg"] {
        assert_allowed(decide(&who, &object(path, Kind::File), Operation::Create), Reason::TypeFits);
    }
    let directory = object("Mu\u{ad}sic", Kind::Directory);
    assert_allowed(decide(&who, &directory, Operation::MakeDir), Reason::DefaultDirectory);
    let renamed = Operation::Rename { to: object("DCIM/m", Kind::Directory), replaced: None };
    assert_denied(decide(&who, &directory, renamed), Reason::DefaultDirectoryStays, Errno::Eperm);
    // Letters that no file system folds to ASCII ones.
    let dotless = object("P\u{131}ctures/a.jpg", Kind::File);
    assert_denied(decide(&who, &dotless, Operation::Create), Reason::NoFilesHere, Errno::Eperm);
}
