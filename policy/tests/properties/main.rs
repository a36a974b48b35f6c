//! What holds of every decision, on random callers and objects.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(test)]
mod bare;
#[cfg(test)]
mod filter;
#[cfg(test)]
mod needs;
#[cfg(test)]
mod world;

use mediagate_policy::{
    AccessMask, AndroidDir, AppId, AppOp, Decision, Errno, FileGrants, Kind, ListScope, MountMode, OpMode,
    Operation, Outcome, Permission, Place, Principal, Reason, Traits, Uid, UserId, UserRelation, decide,
    name_depends_on_caller,
};
use proptest::prelude::*;
use world::{CallerSpec, ThingSpec, caller, profiles, raw_thing, thing};

/// So many random cases for a property, few enough for every run of the tests; `PROPTEST_CASES` says how many instead.
fn cases(by_default: u32) -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => config,
        None => ProptestConfig { cases: by_default, ..config },
    }
}

fn access(read: bool, write: bool, execute: bool) -> Operation<'static> {
    Operation::Access(AccessMask { read, write, execute })
}

/// Every operation on one object.
fn operations() -> Vec<Operation<'static>> {
    vec![
        Operation::Lookup,
        Operation::GetAttr,
        access(false, false, false),
        access(true, false, false),
        access(false, true, false),
        access(true, true, false),
        access(false, false, true),
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
    ]
}

fn is_look(op: Operation<'_>) -> bool {
    matches!(op, Operation::Lookup | Operation::GetAttr) || op == access(false, false, false)
}

/// `more` lets everything that `less` lets, and shows no less.
fn is_no_less(less: Decision, more: Decision) -> bool {
    match (less.grant(), more.grant()) {
        (Err(_), _) => true,
        (Ok(_), Err(_)) => false,
        (Ok(less), Ok(more)) => {
            less.redact >= more.redact
                && less.check_children >= more.check_children
                && !(less.scope == ListScope::Everything && more.scope == ListScope::Filtered)
        }
    }
}

/// All decisions about one object and a pair of them.
fn all_decisions(who: &Principal, thing: &ThingSpec, other: &ThingSpec) -> Vec<Decision> {
    let (what, to) = (thing.object(), other.object());
    let mut all: Vec<Decision> = operations().into_iter().map(|op| decide(who, &what, op)).collect();
    all.push(decide(who, &what, Operation::Rename { to: other.name(), replaced: Some(to) }));
    all.push(decide(who, &what, Operation::Rename { to: other.name(), replaced: None }));
    all.push(decide(who, &what, Operation::MoveWithParent { to: other.name() }));
    all
}

fn grant() -> impl Strategy<Value = FileGrants> {
    prop::sample::select(&[FileGrants::SELECTED, FileGrants::READ, FileGrants::WRITE][..])
}

/// Passes over a case that the property does not speak of; there are enough others.
macro_rules! only_if {
    ($condition:expr) => {
        if !$condition {
            return Ok(());
        }
    };
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn callers_without_a_package_only_look(
        user in 0u32..100,
        app_id in prop_oneof![Just(0), Just(1023), Just(2000), 0u32..100_000],
        thing in thing(),
        to in thing(),
    ) {
        let uid = Uid::of(UserId(user), AppId(app_id));
        let who = Principal::new(uid, &[]);
        only_if!(!matches!(uid, Uid::ROOT | Uid::SHELL));
        for op in operations().into_iter().filter(|it| !is_look(*it)) {
            // Everyone may enter the directory above the users.
            let enters = thing.mount_root && op == access(false, false, true);
            prop_assert!(enters || !decide(&who, &thing.object(), op).is_allowed(), "{op:?}");
        }
        let rename = Operation::Rename { to: to.name(), replaced: None };
        prop_assert!(!decide(&who, &thing.object(), rename).is_allowed());
        let along = Operation::MoveWithParent { to: to.name() };
        prop_assert!(!decide(&who, &thing.object(), along).is_allowed());
    }

    #[test]
    fn a_permission_never_takes_an_access_away(
        caller in caller(),
        permission in prop::sample::select(Permission::ALL),
        thing in thing(),
        to in thing(),
    ) {
        let less = all_decisions(&caller.principal(), &thing, &to);
        let mut with = caller.clone();
        with.permissions.insert(permission);
        let more = all_decisions(&with.principal(), &thing, &to);
        for (less, more) in less.into_iter().zip(more) {
            prop_assert!(is_no_less(less, more), "with {permission}: {less:?} became {more:?}");
        }
    }

    /// The two ops that choose the legacy model are left out: a legacy app without a storage permission cannot
    /// even open its own files (table T2, note 1).
    #[test]
    fn an_app_op_never_takes_an_access_away(
        caller in caller(),
        op in prop::sample::select(AppOp::ALL),
        thing in thing(),
        to in thing(),
    ) {
        only_if!(!matches!(op, AppOp::LegacyStorage | AppOp::NoIsolatedStorage));
        let less = all_decisions(&caller.principal(), &thing, &to);
        let mut with = caller.clone();
        with.app_ops.set(op, OpMode::Allow);
        let more = all_decisions(&with.principal(), &thing, &to);
        for (less, more) in less.into_iter().zip(more) {
            prop_assert!(is_no_less(less, more), "with {op}: {less:?} became {more:?}");
        }
    }

    #[test]
    fn a_grant_never_takes_an_access_away(caller in caller(), grant in grant(), thing in thing(), to in thing()) {
        let who = caller.principal();
        let less = all_decisions(&who, &thing, &to);
        for (thing, to) in [(thing.with_grant(grant), to.clone()), (thing.clone(), to.with_grant(grant))] {
            let more = all_decisions(&who, &thing, &to);
            for (less, more) in less.iter().zip(more) {
                prop_assert!(is_no_less(*less, more), "with {grant:?}: {less:?} became {more:?}");
            }
        }
    }

    /// But for renaming, a decision is about one file; and a grant on what a rename replaces lets replace it, and
    /// never lets rename what the caller may not rename.
    #[test]
    fn a_grant_on_one_file_gives_nothing_on_another(
        caller in caller(),
        grant in grant(),
        thing in thing(),
        to in thing(),
    ) {
        let who = caller.principal();
        let (with, without) = (to.with_grant(grant), to.without_grants());
        let rename = |replaced: &ThingSpec| {
            let rename = Operation::Rename { to: to.name(), replaced: Some(replaced.object()) };
            decide(&who, &thing.object(), rename)
        };
        if rename(&with).is_allowed() && !rename(&without).is_allowed() {
            prop_assert_eq!(rename(&without).reason, Reason::ReplacesOthersFile);
            let alone = Operation::Rename { to: to.name(), replaced: None };
            prop_assert!(decide(&who, &thing.object(), alone).is_allowed());
        }
    }

    #[test]
    fn a_selection_lets_read_and_only_those_for_whom_the_user_selects(caller in caller(), thing in thing()) {
        let who = caller.principal();
        let without = thing.without_grants();
        let with = without.with_grant(FileGrants::SELECTED);
        for op in operations() {
            let (more, less) = (decide(&who, &with.object(), op), decide(&who, &without.object(), op));
            let reads = matches!(op, Operation::OpenRead | Operation::ListEntry) || op == access(true, false, false);
            let is_selected = who.traits.has(Traits::USER_SELECTED) && with.is_visual();
            prop_assert!(more.outcome == less.outcome || reads && is_selected, "{op:?}: {less:?} became {more:?}");
        }
    }

    /// `Android/data`, `obb` and `sandbox`. Whose names are seen differs: the system's own uids see all, and everybody
    /// those in `sandbox` and the packages' directories themselves.
    #[test]
    fn only_the_named_callers_reach_private_directories(
        caller in caller(),
        thing in thing(),
        elsewhere in thing(),
    ) {
        let who = caller.principal();
        let object = thing.object();
        let Place::AndroidPackage { dir, package, itself } = Place::of(object.path) else { return Ok(()) };
        only_if!(dir != AndroidDir::Media && !thing.mount_root);
        // In another user's tree, a clone's too, nothing is one's own.
        let in_own_tree = object.user.is_none_or(|it| it == who.user());
        let is_own = in_own_tree && who.packages.iter().any(|it| it.as_bytes().eq_ignore_ascii_case(package));
        let is_named = match who.mount_mode {
            MountMode::AndroidWritable | MountMode::PassThrough => true,
            MountMode::Installer => in_own_tree && dir == AndroidDir::Obb,
            MountMode::Default => false,
        };
        only_if!(!is_own && !is_named);
        let sees = itself || dir == AndroidDir::Sandbox || who.uid.0 < 10_000;
        for op in operations() {
            // Files are listed to nobody, directories like other names.
            let lists = op == Operation::ListEntry;
            let looks = is_look(op) && sees || lists && sees && object.kind == Kind::Directory;
            prop_assert!(looks || !decide(&who, &object, op).is_allowed(), "{op:?}");
        }
        let out = Operation::Rename { to: elsewhere.name(), replaced: None };
        prop_assert!(!decide(&who, &object, out).is_allowed());
        let to = thing.name();
        for op in [Operation::Rename { to, replaced: None }, Operation::MoveWithParent { to }] {
            prop_assert!(!decide(&who, &elsewhere.object(), op).is_allowed(), "{op:?}");
        }
    }

    /// Nor does anybody else put something in the place of the trees that hold private directories, or take those away.
    #[test]
    fn only_the_named_callers_replace_the_trees_of_private_directories(
        caller in caller(),
        thing in thing(),
        tree in prop::sample::select(&["Android", "Android/data", "android/OBB", "Android/sandbox"][..]),
    ) {
        let who = caller.principal();
        only_if!(!matches!(who.mount_mode, MountMode::AndroidWritable | MountMode::PassThrough));
        let there = thing.nothing_at(tree.as_bytes());
        let onto = Operation::Rename { to: there.name(), replaced: None };
        prop_assert!(!decide(&who, &thing.object(), onto).is_allowed());
        let directory = mediagate_policy::Object { kind: Kind::Directory, ..there.name() };
        let away = Operation::Rename { to: thing.name(), replaced: None };
        prop_assert!(!decide(&who, &directory, away).is_allowed());
    }

    #[test]
    fn what_cannot_be_looked_up_is_out_of_reach_and_not_listed(caller in caller(), thing in thing()) {
        let (who, object) = (caller.principal(), thing.object());
        only_if!(!decide(&who, &object, Operation::Lookup).is_allowed());
        for op in operations() {
            prop_assert!(!decide(&who, &object, op).is_allowed(), "{op:?}");
        }
    }

    #[test]
    fn a_full_listing_shows_nothing_that_is_closed(caller in caller(), thing in thing()) {
        let (who, object) = (caller.principal(), thing.object());
        // The names of package directories are listed to those who list Android/data, and closed all the same.
        only_if!(!matches!(Place::of(object.path), Place::AndroidPackage { itself: true, .. }));
        let Some(slash) = object.path.iter().rposition(|it| *it == b'/') else { return Ok(()) };
        let parent = mediagate_policy::Object { path: &object.path[..slash], kind: Kind::Directory, row: None, ..object };
        let open = decide(&who, &parent, Operation::OpenDir);
        only_if!(open.grant().is_ok_and(|it| it.scope == ListScope::Everything));
        let entry = decide(&who, &object, Operation::ListEntry);
        prop_assert!(entry.grant().is_ok_and(|it| !it.redact), "{entry:?}");
    }

    /// But for the gallery, which opens by name and lists by row.
    #[test]
    fn a_file_is_listed_if_and_only_if_it_opens(caller in caller(), thing in thing()) {
        let (who, object) = (caller.principal(), thing.object());
        only_if!(object.kind == Kind::File && !thing.mount_root && !who.traits.has(Traits::GALLERY));
        let listed = decide(&who, &object, Operation::ListEntry);
        let opened = decide(&who, &object, Operation::OpenRead);
        prop_assert_eq!(listed.grant().is_ok(), opened.grant().is_ok());
    }

    #[test]
    fn a_callers_view_of_a_file_does_not_depend_on_how_it_asks(caller in caller(), thing in thing()) {
        let (who, object) = (caller.principal(), thing.object());
        let view = decide(&who, &object, Operation::Lookup).grant();
        for op in [Operation::GetAttr, Operation::ListEntry, Operation::OpenRead] {
            if let (Ok(view), Ok(grant)) = (view, decide(&who, &object, op).grant()) {
                prop_assert_eq!(view.redact, grant.redact);
            }
        }
        // Who may write a file sees all of it, unless it is a legacy app that may not read.
        let reads = !who.traits.has(Traits::LEGACY_WRITE) || who.traits.has(Traits::LEGACY_READ);
        if let (true, Ok(view), Ok(_)) = (reads, view, decide(&who, &object, Operation::OpenWrite).grant()) {
            prop_assert!(!view.redact);
        }
    }

    /// A file is looked into for a location by the type of its name: whoever can give it another one gains nothing by it. But for
    /// galleries with raw access, which rename whatever there is, and write all pictures and videos anyway.
    #[test]
    fn who_may_rename_a_file_sees_all_of_it(caller in caller(), thing in thing(), to in thing()) {
        let (who, object) = (caller.principal(), thing.object());
        only_if!(object.kind == Kind::File && !thing.mount_root);
        only_if!(!(who.traits.has(Traits::GALLERY) && who.traits.has(Traits::RAW_ACCESS)));
        // Of what is not published it is the view that counts: others' open once they are.
        let sees_all = decide(&who, &object, Operation::OpenWrite).is_allowed()
            || decide(&who, &object, Operation::Lookup).grant().is_ok_and(|it| !it.redact);
        let name = to.name();
        for op in [Operation::Rename { to: name, replaced: None }, Operation::MoveWithParent { to: name }] {
            prop_assert!(sees_all || !decide(&who, &object, op).is_allowed(), "{op:?}");
        }
    }

    #[test]
    fn who_may_write_may_read(caller in caller(), thing in thing()) {
        let (who, object) = (caller.principal(), thing.object());
        only_if!(!who.traits.has(Traits::LEGACY_WRITE));
        if decide(&who, &object, Operation::OpenWrite).is_allowed() {
            prop_assert!(decide(&who, &object, Operation::OpenRead).is_allowed());
        }
    }

    #[test]
    fn ascii_case_of_a_path_changes_nothing(caller in caller(), thing in thing(), to in thing()) {
        let who = caller.principal();
        let mut shouted = thing.clone();
        shouted.path.make_ascii_uppercase();
        let plain = all_decisions(&who, &thing, &to);
        prop_assert_eq!(plain, all_decisions(&who, &shouted, &to));
    }

    #[test]
    fn users_who_share_nothing_reach_nothing_of_each_other(caller in caller(), thing in thing(), to in thing()) {
        let who = caller.principal();
        let Some(user) = thing.object().user else { return Ok(()) };
        let shares = matches!(profiles().relation(who.user(), user), UserRelation::Own | UserRelation::SharesMedia);
        only_if!(!shares);
        // A package of user 0's system is let look, as the system itself is.
        let looks_around = who.uid.0 < 10_000;
        let looks = operations().into_iter().map(is_look).chain(std::iter::repeat(false));
        for (decision, is_look) in all_decisions(&who, &thing, &to).into_iter().zip(looks) {
            prop_assert!(!decision.is_allowed() || looks_around && is_look, "{decision:?}");
        }
    }

    /// Which is what lets a kernel keep names for all of them.
    #[test]
    fn callers_of_a_user_see_the_same_names_where_that_does_not_depend_on_them(caller in caller(), thing in thing()) {
        let (who, object) = (caller.as_installed().principal(), thing.object());
        only_if!(!name_depends_on_caller(object.path));
        let plain = CallerSpec::plain().of_user(who.user()).principal();
        let other = Principal::new(Uid::of(who.user(), AppId(19_999)), &[]).in_profiles(&profiles());
        let looks = |who: &Principal| decide(who, &object, Operation::Lookup).is_allowed();
        // The system's own look into every tree.
        only_if!(object.user.is_none_or(|user| who.relation_to(user) == UserRelation::Own));
        for who in [&who, &plain, &other, &Principal::new(Uid::ROOT, &[]), &Principal::new(Uid::SHELL, &[])] {
            prop_assert!(looks(who), "{who:?}");
        }
    }

    /// What a clone profile shares is decided as in one's own tree, but for the private package directories and for
    /// names that leave the tree.
    #[test]
    fn a_clones_tree_is_decided_as_ones_own(caller in caller(), thing in thing()) {
        let mut own = thing.clone();
        let (who, theirs) = (caller.principal(), thing.object());
        let Some(user) = theirs.user else { return Ok(()) };
        only_if!(who.relation_to(user) == UserRelation::SharesMedia);
        only_if!(!matches!(Place::of(theirs.path), Place::AndroidPackage { dir, .. } if dir != AndroidDir::Media));
        only_if!(!matches!(Place::of(theirs.path), Place::AndroidTop(AndroidDir::Obb)));
        own.move_to(who.user());
        for op in operations() {
            prop_assert_eq!(decide(&who, &theirs, op), decide(&who, &own.object(), op), "{:?}", op);
        }
    }

    #[test]
    fn an_instant_app_reaches_nothing(caller in caller(), thing in thing(), to in thing()) {
        let who = caller.as_instant().principal();
        for decision in all_decisions(&who, &thing, &to) {
            prop_assert_eq!(decision.outcome, Outcome::Deny(Errno::Enoent));
        }
    }

    /// Whatever is asked, one rule answers, the same each time: the order of the rules leaves no tie and no gap.
    #[test]
    fn the_order_of_the_rules_is_total(caller in caller(), thing in raw_thing(), to in raw_thing()) {
        for who in [caller.principal(), Principal::new(Uid::ROOT, &[]), Principal::new(Uid::SHELL, &[])] {
            let decisions = all_decisions(&who, &thing, &to);
            for decision in &decisions {
                prop_assert_ne!(decision.reason, Reason::NoRule, "{:?}", decision);
                prop_assert!(!decision.reason.because().is_empty());
            }
            prop_assert_eq!(&decisions, &all_decisions(&who.clone(), &thing.clone(), &to.clone()));
        }
    }
}
