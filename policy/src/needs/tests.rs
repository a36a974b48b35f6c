use super::*;
use crate::mime::MediaType;
use crate::object::VolumeKind;
use crate::profile::UserKind;

fn package(words: &[Permission]) -> PackageFacts {
    PackageFacts {
        name: "org.own".into(),
        target_sdk: 34,
        permissions: words.iter().copied().collect(),
        app_ops: AppOps::default(),
        requests_legacy_storage: false,
        requests_raw_access: None,
        scoped_storage: None,
        instant: false,
    }
}

fn profiles() -> Profiles {
    let users = [(UserId(11), UserKind::Clone { parent: UserId(0) }), (UserId(10), UserKind::Full)];
    users.into_iter().collect::<Profiles>().without_usb_file_transfer(UserId(10))
}

fn object(path: &str) -> Object<'_> {
    let (volume, user, path) = (VolumeKind::Emulated, Some(UserId(0)), path.as_bytes());
    Object { volume, user, path, mount_root: false, kind: Kind::File, row: None }
}

fn others(path: &str) -> Object<'_> {
    let media_type = media_type_at(path.as_bytes(), false);
    let owner = Some("org.other");
    let row = Row { owner, media_type, pending: false, trashed: false, grants: FileGrants::NONE };
    Object { row: Some(row), ..object(path) }
}

fn needs(uid: u32, packages: &[PackageFacts], what: Object<'_>, op: Operation<'_>) -> Vec<String> {
    let question = Question { uid: Uid(uid), packages, profiles: &profiles(), what, op };
    question.needs().iter().map(Need::to_string).collect()
}

fn of_app(what: Object<'_>, op: Operation<'_>) -> Vec<String> {
    needs(10_100, &[package(&[])], what, op)
}

#[test]
fn what_reads_anothers_picture() {
    assert_eq!(
        of_app(others("DCIM/a.jpg"), Operation::OpenRead),
        [
            "READ_MEDIA_IMAGES",
            "MANAGE_EXTERNAL_STORAGE",
            "ACCESS_MTP",
            "app op WRITE_MEDIA_IMAGES",
            "app op WRITE_MEDIA_VIDEO",
            "a read grant on the file",
            "a write grant on the file",
            "being the owner",
        ]
    );
    let selecting = [package(&[Permission::ReadMediaVisualUserSelected])];
    let needs = needs(10_100, &selecting, others("DCIM/a.jpg"), Operation::OpenRead);
    assert!(needs.contains(&"the user to select the file".to_owned()), "{needs:?}");
}

#[test]
fn nothing_is_needed_for_what_is_allowed_and_nothing_helps_against_what_nobody_may() {
    let own = Object {
        row: others("DCIM/a.jpg").row.map(|it| Row { owner: Some("org.own"), ..it }),
        ..others("DCIM/a.jpg")
    };
    assert_eq!(of_app(own, Operation::OpenWrite), [""; 0]);
    assert_eq!(of_app(own, Operation::Xattr), [""; 0]);
    assert_eq!(of_app(object("DCIM/l"), Operation::Symlink), [""; 0]);
    assert_eq!(needs(99_001, &[], others("DCIM/a.jpg"), Operation::OpenRead), [""; 0], "an isolated process");
}

/// An op that was set against a permission is what is missing, and not the permission.
#[test]
fn a_permission_that_an_op_takes_away_is_not_asked_for() {
    let mut package = package(&[Permission::ReadMediaImages]);
    package.app_ops.set(AppOp::ReadMediaImages, OpMode::Ignore);
    let needs = needs(10_100, &[package], others("DCIM/a.jpg"), Operation::OpenRead);
    assert!(needs.contains(&"app op READ_MEDIA_IMAGES".to_owned()), "{needs:?}");
    assert!(!needs.contains(&"READ_MEDIA_IMAGES".to_owned()), "{needs:?}");
}

#[test]
fn whose_tree_it_is() {
    let theirs = Object { user: Some(UserId(10)), ..others("DCIM/a.jpg") };
    let app = [package(&[Permission::ReadMediaImages])];
    assert_eq!(needs(10_100, &app, theirs, Operation::OpenRead), ["a caller of user 10"]);
    // Which would not be enough here.
    assert_eq!(of_app(theirs, Operation::OpenRead), [""; 0]);
    let shell = |op| needs(2000, &[], theirs, op);
    assert_eq!(shell(Operation::Unlink), ["lifting DISALLOW_USB_FILE_TRANSFER of the user"]);
    assert_eq!(shell(Operation::OpenRead), [""; 0]);
}

#[test]
fn who_asks() {
    let file = object("Android/data/org.other/f");
    let needs_of = of_app(file, Operation::OpenRead);
    assert_eq!(needs_of, ["ACCESS_MTP", "being the package org.other"]);
    let instant = PackageFacts { instant: true, ..package(&[Permission::ReadMediaImages]) };
    assert_eq!(
        needs(10_100, &[instant], others("DCIM/a.jpg"), Operation::OpenRead),
        ["installing the instant app"]
    );
    let made = Object { kind: Kind::Directory, ..object("DCIM/d") };
    assert_eq!(needs(10_100, &[], made, Operation::MakeDir), ["an installed package with this uid"]);
}

#[test]
fn what_state_it_is_in() {
    let reader = [package(&[Permission::ReadMediaImages])];
    let publish = "the owner to publish the file, or to take it out of the trash".to_owned();
    for path in ["DCIM/.pending-1999999999-a.jpg", "DCIM/.trashed-1999999999-a.jpg"] {
        let needs = needs(10_100, &reader, others(path), Operation::OpenRead);
        assert!(
            needs.contains(&publish) && !needs.contains(&"a read grant on the file".to_owned()),
            "{needs:?}"
        );
    }
    let unindexed = needs(10_100, &reader, object("DCIM/a.jpg"), Operation::OpenRead);
    assert!(unindexed.contains(&"a scan of the file".to_owned()), "{unindexed:?}");
    // A document that nobody owns opens no more than one that is not known.
    let unindexed = needs(10_100, &reader, object("Download/a.pdf"), Operation::OpenRead);
    assert!(!unindexed.contains(&"a scan of the file".to_owned()), "{unindexed:?}");
}

#[test]
fn where_it_may_be_made() {
    let path = |path, op| {
        of_app(object(path), op).into_iter().filter(|it| it.starts_with("the path")).collect::<Vec<_>>()
    };
    assert_eq!(path("DCIM/a.pdf", Operation::Create), ["the path Download/a.pdf instead"]);
    assert_eq!(path("DCIM/a?.jpg", Operation::Create), ["the path DCIM/a_.jpg instead"]);
    assert_eq!(path("DCIM/a?.pdf", Operation::Create), ["the path Download/a_.pdf instead"]);
    let taken = of_app(others("DCIM/a.jpg"), Operation::Create);
    assert!(
        taken.contains(&"the index to forget the name, under which there is no file".to_owned()),
        "{taken:?}"
    );
    let own = |path| Object {
        row: Some(Row { owner: Some("org.own"), ..others("x.jpg").row.unwrap() }),
        ..object(path)
    };
    let move_to = |from, to, replaced| of_app(own(from), Operation::Rename { to, replaced });
    assert!(
        move_to("DCIM/a.jpg", object("Music/a.jpg"), None)
            .contains(&"the path Download/a.jpg instead".to_owned())
    );
    let out = move_to("Android/data/org.own/a.jpg", object("DCIM/a.jpg"), None);
    assert!(out.contains(&"copying the file and deleting the old one".to_owned()), "{out:?}");
    let over = move_to("DCIM/a.jpg", object("DCIM/b.jpg"), Some(others("DCIM/b.jpg")));
    assert!(over.contains(&"a write grant on the file that is replaced".to_owned()), "{over:?}");
    assert!(over.contains(&"being the owner of the file that is replaced".to_owned()), "{over:?}");
    assert_eq!(MediaType::Image, own("a.jpg").row.unwrap().media_type);
}

#[test]
fn needs_that_mean_nothing_are_not_answered() {
    let app = [package(&[])];
    let profiles = profiles();
    let question = |what, op| Question { uid: Uid(10_100), packages: &app, profiles: &profiles, what, op };
    let look = question(object("DCIM/a.jpg"), Operation::Lookup);
    for need in [Need::Copy, Need::Ownership, Need::GrantOnReplaced, Need::Path(b"Download/a".to_vec())] {
        assert_eq!(look.with(&need), None, "{need:?}");
    }
    let nobody = Question { packages: &[], ..look };
    assert_eq!(nobody.with(&Need::Permission(Permission::Dump)), None);
}

/// What would be so is asked about whole: the row of before does not speak for a file that is published, or is elsewhere.
#[test]
fn a_need_changes_the_row_too() {
    let reader = [package(&[Permission::ReadMediaImages])];
    let publish = "the owner to publish the file, or to take it out of the trash".to_owned();
    for (name, pending) in [("DCIM/.pending-99-a.jpg", true), ("DCIM/.trashed-99-a.jpg", false)] {
        let row = others("DCIM/a.jpg").row.map(|it| Row { pending, trashed: !pending, ..it });
        let needs = needs(10_100, &reader, Object { row, ..object(name) }, Operation::OpenRead);
        assert!(needs.contains(&publish), "{name}: {needs:?}");
    }
    let elsewhere = of_app(others("Music/a.jpg"), Operation::Create);
    assert!(elsewhere.contains(&"the path Download/a.jpg instead".to_owned()), "{elsewhere:?}");
    let own =
        Object { row: others("x.jpg").row.map(|it| Row { owner: Some("org.own"), ..it }), ..object("") };
    let from = Object { path: b"Android/data/org.own/a.jpg", ..own };
    let copy = of_app(from, Operation::Rename { to: others("DCIM/a.jpg"), replaced: None });
    assert!(copy.contains(&"copying the file and deleting the old one".to_owned()), "{copy:?}");
}
