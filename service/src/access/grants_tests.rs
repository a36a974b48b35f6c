use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

const READ: GrantKind = GrantKind::Read;

fn file(ino: u64) -> FileId {
    FileId { volume: 1, ino, generation: 100 + ino }
}

fn new(kind: GrantKind, file: FileId) -> NewGrant<'static> {
    NewGrant { package: "p", user: 0, kind, file, expires: None }
}

/// Adds, with the inode number for the row's; says which grants went.
fn add(grants: &Grants, new: &NewGrant<'_>) -> Vec<i64> {
    let mut gone = Vec::new();
    let persist = |grant: &Grant, ids: &[i64]| {
        gone = ids.to_vec();
        Ok::<_, Infallible>(i64::try_from(grant.file.ino).unwrap())
    };
    grants.add(new, persist).unwrap();
    gone
}

fn remove(grants: &Grants, row: Option<i64>) -> usize {
    let on = row.map(|row| Meant { row: Some(row), file: None });
    grants.remove::<Infallible>("p", 0, on, |_| Ok(())).unwrap()
}

fn on(grants: &Grants, file: FileId) -> FileGrants {
    grants.of(&["other".into(), "p".into()], 0).on(file)
}

#[test]
fn a_grant_is_for_one_app_and_one_file() {
    let grants = Grants::default();
    add(&grants, &new(READ, file(1)));
    assert_eq!(on(&grants, file(1)), FileGrants::READ);
    assert_eq!(on(&grants, file(2)), FileGrants::NONE);
    assert_eq!(on(&grants, FileId { generation: 7, ..file(1) }), FileGrants::NONE, "its inode number again");
    assert_eq!(on(&grants, FileId { volume: 2, ..file(1) }), FileGrants::NONE);
    assert_eq!(grants.of(&["p".into()], 10).on(file(1)), FileGrants::NONE, "another user");
    assert_eq!(grants.of(&["q".into()], 0).on(file(1)), FileGrants::NONE, "another package");
    assert!(grants.of(&["q".into()], 0).first.is_none());
}

#[test]
fn kinds_add_up_and_go_together() {
    let grants = Grants::default();
    for kind in GrantKind::ALL {
        add(&grants, &new(kind, file(1)));
    }
    add(&grants, &new(READ, file(2)));
    assert_eq!(on(&grants, file(1)), FileGrants::SELECTED.with(FileGrants::WRITE));
    assert_eq!(remove(&grants, Some(1)), 3);
    assert_eq!((on(&grants, file(1)), on(&grants, file(2))), (FileGrants::NONE, FileGrants::READ));
    assert_eq!(remove(&grants, Some(1)), 0);
    assert_eq!(remove(&grants, None), 1);
    assert!(grants.map.load().is_empty(), "nothing is left of an app without grants");
}

#[test]
fn a_second_grant_replaces_the_first_and_a_later_file_the_earlier() {
    let grants = Grants::default();
    assert_eq!(add(&grants, &new(READ, file(1))), [0; 0]);
    assert_eq!(add(&grants, &new(READ, file(1))), [1]);
    assert_eq!(add(&grants, &new(GrantKind::Write, file(1))), [0; 0]);
    let later = FileId { generation: 7, ..file(1) };
    let mut gone = add(&grants, &new(READ, later));
    gone.sort_unstable();
    assert_eq!(gone, [2, 3]);
    assert_eq!((on(&grants, later), on(&grants, file(1))), (FileGrants::READ, FileGrants::NONE));
}

#[test]
fn a_grant_ends_when_it_says() {
    let grants = Grants::default();
    let end = now() + 1000;
    add(&grants, &NewGrant { expires: Some(end), ..new(READ, file(1)) });
    let held = grants.of(&["p".into()], 0);
    assert_eq!(held.on_at(file(1), || end - 1), FileGrants::READ, "to its last second");
    assert_eq!(held.on_at(file(1), || end), FileGrants::NONE, "exactly then");

    let ended = Grants::default();
    add(&ended, &NewGrant { expires: Some(now() - 1), ..new(READ, file(1)) });
    assert_eq!(on(&ended, file(1)), FileGrants::NONE);
    assert!(ended.list(None, None).is_empty());
    assert_eq!(add(&ended, &new(READ, file(2))), [1], "what has ended makes room");
}

#[test]
fn the_oldest_selection_makes_room_and_other_kinds_are_refused() {
    let grants = Grants::default();
    let load = (1..=MOST_SELECTED as i64).map(|id| Grant {
        id,
        package: "p".into(),
        user: 0,
        kind: GrantKind::Selected,
        file: file(id.cast_unsigned()),
        row: id,
        expires: None,
    });
    grants.reload(|| Ok::<_, Infallible>(load.clone().collect())).unwrap();
    assert_eq!(add(&grants, &new(GrantKind::Selected, file(1))), [1], "again: it is the newest now");
    assert_eq!(add(&grants, &new(GrantKind::Selected, file(9000))), [2]);
    assert_eq!(on(&grants, file(1)), FileGrants::SELECTED);
    assert_eq!(on(&grants, file(2)), FileGrants::NONE);
    assert_eq!(grants.list(None, None).len(), MOST_SELECTED);
    assert_eq!(add(&grants, &new(READ, file(9000))), [0; 0], "each kind is counted for itself");

    let others = Grants::default();
    let reads = load.map(|grant| Grant { kind: READ, ..grant });
    others.reload(|| Ok::<_, Infallible>(reads.collect())).unwrap();
    let refused = others.add(&new(READ, file(9000)), |_, _| Ok::<_, Infallible>(1));
    assert!(matches!(refused, Err(GrantError::TooMany { .. })));
    add(&others, &new(READ, file(1)));
}

#[test]
fn what_is_not_stored_is_not_granted() {
    #[derive(Debug, PartialEq, thiserror::Error)]
    #[error("full")]
    struct Full;
    let grants = Grants::default();
    let refused = grants.add(&new(READ, file(1)), |_, _| Err(Full));
    assert!(matches!(refused, Err(GrantError::Persist(Full))));
    assert_eq!(on(&grants, file(1)), FileGrants::NONE);
    add(&grants, &new(READ, file(1)));
    assert_eq!(grants.remove("p", 0, None, |_| Err(Full)), Err(Full));
    assert_eq!(on(&grants, file(1)), FileGrants::READ);
}

#[test]
fn packages_and_files_take_their_grants_along() {
    let grants = Grants::default();
    for (package, user) in [("p", 0), ("p", 10), ("q", 0)] {
        add(&grants, &NewGrant { package, user, ..new(READ, file(1)) });
    }
    assert_eq!(grants.retain_apps(|package, user| (package, user) != ("p", 10)), [2]);
    assert_eq!(grants.list(Some("p"), None).len(), 1);
    grants.forget(file(2));
    grants.forget(FileId { volume: 2, ..file(1) });
    // An earlier file that had the inode number: whoever found it gone may say so late.
    grants.forget(FileId { generation: file(1).generation + 1, ..file(1) });
    assert_eq!(grants.list(None, Some(0)).len(), 2);
    assert!(grants.any_on(1) && !grants.any_on(2));
    grants.forget(file(1));
    assert!(grants.map.load().is_empty() && !grants.any_on(1));
}

#[test]
fn a_grant_is_removed_by_its_row_or_by_its_file() {
    let grants = Grants::default();
    add(&grants, &new(READ, file(1)));
    add(&grants, &new(READ, file(2)));
    let remove =
        |row, file| grants.remove::<Infallible>("p", 0, Some(Meant { row, file }), |_| Ok(())).unwrap();
    assert_eq!(remove(None, None), 0);
    assert_eq!(remove(Some(3), Some(FileId { generation: 7, ..file(1) })), 0, "its inode number again");
    assert_eq!(remove(Some(3), Some(file(1))), 1, "its row is another's by now");
    assert_eq!(remove(Some(2), Some(file(3))), 1, "its file is elsewhere by now");
    assert!(grants.map.load().is_empty());
}

#[test]
fn what_the_catalog_loses_is_lost_at_any_time() {
    let grants = Grants::default();
    add(&grants, &new(READ, file(1)));
    add(&grants, &new(GrantKind::Write, file(1)));
    add(&grants, &NewGrant { package: "q", ..new(READ, file(2)) });
    grants.lose(&[99]);
    grants.lose(&[2]);
    assert_eq!(on(&grants, file(1)), FileGrants::READ);
    grants.lose(&[1, 3]);
    assert!(grants.map.load().is_empty());
    // Between the commit of a grant and its coming into force.
    let lost = grants.add(&new(READ, file(1)), |grant, _| {
        grants.lose(&[grant.id]);
        Ok::<_, Infallible>(1)
    });
    assert!(lost.is_ok() && grants.map.load().is_empty());
    assert_eq!(add(&grants, &new(READ, file(1))), [0; 0]);
    assert_eq!(on(&grants, file(1)), FileGrants::READ, "the next one is another");
    // One in whose place another comes is there until that one is.
    let replaced = grants.add(&new(READ, file(1)), |_, gone| {
        grants.lose(gone);
        assert_eq!(on(&grants, file(1)), FileGrants::READ);
        Ok::<_, Infallible>(1)
    });
    assert!(replaced.is_ok() && on(&grants, file(1)) == FileGrants::READ);
    assert_eq!(remove(&grants, Some(1)), 1);
}

/// What the documentation says of the memory.
#[test]
fn an_entry_is_as_small_as_said() {
    assert_eq!(size_of::<((i64, u64), Held)>(), 80);
}

#[derive(Clone, Debug)]
enum Step {
    Add(bool, usize, u64, u64),
    Remove(bool, Option<u64>),
    Forget(u64, u64),
    Uninstall(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ino = 1..4_u64;
    let step = prop_oneof![
        (any::<bool>(), 0..3_usize, ino.clone(), 0..2_u64).prop_map(|(p, k, i, g)| Step::Add(p, k, i, g)),
        (any::<bool>(), proptest::option::of(ino.clone())).prop_map(|(p, i)| Step::Remove(p, i)),
        (ino, 0..2_u64).prop_map(|(i, g)| Step::Forget(i, g)),
        any::<bool>().prop_map(Step::Uninstall),
    ];
    proptest::collection::vec(step, 0..40)
}

proptest! {
    /// Against a plain list: what is granted, and what was stored, after any changes.
    #[test]
    fn a_list_would_do_the_same(steps in steps()) {
        let name = |p: bool| if p { "p" } else { "q" };
        let grants = Grants::default();
        let mut stored: Vec<Grant> = Vec::new();
        for step in steps {
            match step {
                Step::Add(p, kind, ino, generation) => {
                    let file = FileId { volume: 1, ino, generation };
                    let new = NewGrant { package: name(p), kind: GrantKind::ALL[kind], ..new(READ, file) };
                    let persist = |grant: &Grant, gone: &[i64]| {
                        stored.retain(|it| !gone.contains(&it.id));
                        let row = i64::try_from(ino).unwrap();
                        stored.push(Grant { row, ..grant.clone() });
                        Ok::<_, Infallible>(row)
                    };
                    grants.add(&new, persist).unwrap();
                }
                Step::Remove(p, ino) => {
                    let row = ino.map(|ino| i64::try_from(ino).unwrap());
                    let persist = |ids: Vec<i64>| {
                        stored.retain(|it| !ids.contains(&it.id));
                        Ok::<_, Infallible>(())
                    };
                    let on = row.map(|row| Meant { row: Some(row), file: None });
                    grants.remove(name(p), 0, on, persist).unwrap();
                    prop_assert!(!stored.iter().any(|it| *it.package == *name(p) && row.is_none_or(|row| row == it.row)));
                }
                Step::Forget(ino, generation) => {
                    let file = FileId { volume: 1, ino, generation };
                    stored.retain(|it| it.file != file);
                    grants.forget(file);
                }
                Step::Uninstall(p) => {
                    let gone = grants.retain_apps(|package, _| package != name(p));
                    stored.retain(|it| !gone.contains(&it.id));
                    prop_assert!(!stored.iter().any(|it| *it.package == *name(p)));
                }
            }
            prop_assert_eq!(grants.list(None, None), stored.clone());
            let reloaded = Grants::default();
            reloaded.reload(|| Ok::<_, Infallible>(stored.clone())).unwrap();
            prop_assert_eq!(reloaded.list(None, None), stored.clone());
        }
    }
}
