//! Renaming files and directories (`renameForFuse`).

use super::case::{Case, Mode};
use crate::decision::{Decision, Errno, Grant};
use crate::path::{AndroidDir, Place};
use crate::reason::Reason;

pub(super) fn rename(old: &Case<'_>, new: &Case<'_>, replaced: Option<&Case<'_>>) -> Decision {
    if let Some(decision) = private(old, new) {
        return decision;
    }
    if !new.has_portable_names() {
        return refuse(Reason::NameNotPortable);
    }
    if let Some(reason) = unchecked(old, new) {
        let closed = Decision::deny(Reason::PackageTreesStay, Errno::Eacces);
        return if becomes_package_tree(new) { closed } else { Decision::allow(reason, Grant::default()) };
    }
    if old.is_legacy() {
        return Decision::deny(Reason::LegacyWithoutPermission, Errno::Eacces);
    }
    if let Some(refusal) = immovable(old.place).or_else(|| out_of_reach(old.place, new.place)) {
        return refusal;
    }
    if !old.is_file() {
        return Decision::allow(Reason::ChildrenDecide, Grant { check_children: true, ..Grant::default() });
    }
    checked_file(old, new, replaced)
}

/// A file below a directory whose rename said [`Grant::check_children`].
pub(super) fn move_along(old: &Case<'_>, new: &Case<'_>) -> Decision {
    if let Some(decision) = private(old, new) {
        return decision;
    }
    if let Some(reason) = unchecked(old, new) {
        return Decision::allow(reason, Grant::default());
    }
    if old.is_legacy() {
        return Decision::deny(Reason::LegacyWithoutPermission, Errno::Eacces);
    }
    if let Some(refusal) = out_of_reach(old.place, new.place) {
        return refusal;
    }
    checked_file(old, new, None)
}

fn refuse(reason: Reason) -> Decision {
    Decision::deny(reason, Errno::Eperm)
}

/// Other packages' private directories, and the trees that hold all of them: renaming `Android/data` would
/// carry everybody's files to where a manager reads them.
fn private(old: &Case<'_>, new: &Case<'_>) -> Option<Decision> {
    if old.is_others_private() || new.is_others_private() {
        return Some(Decision::deny(Reason::OthersPrivateDirectory, Errno::Eacces));
    }
    let holds_private = matches!(old.place, Place::AndroidTop(dir) if dir != AndroidDir::Media);
    (holds_private && old.bypass(Mode::Write) != Some(Reason::MountModeWritable))
        .then_some(Decision::deny(Reason::PackageTreesStay, Errno::Eacces))
}

/// What is renamed onto `Android`, or onto a tree in it that holds packages' private directories, becomes those
/// directories, with whatever the caller has put into them and keeps open there. In the original they are mount points.
fn becomes_package_tree(new: &Case<'_>) -> bool {
    let is_tree = match new.place {
        Place::Android => true,
        Place::AndroidTop(dir) => dir != AndroidDir::Media,
        _ => false,
    };
    is_tree && new.bypass(Mode::Write) != Some(Reason::MountModeWritable)
}

/// The caller's class covers both names.
fn unchecked(old: &Case<'_>, new: &Case<'_>) -> Option<Reason> {
    if old.has_raw_access() {
        return Some(Reason::RawAccess);
    }
    let reason = old.bypass(Mode::Write)?;
    new.bypass(Mode::Write).map(|_| reason)
}

fn immovable(old: Place<'_>) -> Option<Decision> {
    match old {
        Place::Top { default: Some(_) } => Some(refuse(Reason::DefaultDirectoryStays)),
        Place::AndroidTop(_) => Some(refuse(Reason::PackageTreesStay)),
        _ => None,
    }
}

/// Places that nothing is renamed into, or out of.
fn out_of_reach(old: Place<'_>, new: Place<'_>) -> Option<Decision> {
    match new {
        Place::Root | Place::Top { .. } | Place::Android => return Some(refuse(Reason::NotIntoRoot)),
        Place::AndroidPackage { dir: AndroidDir::Media, itself: false, .. } | Place::Below { .. } => {}
        Place::AndroidTop(_) | Place::AndroidPackage { .. } | Place::AndroidOther => {
            return Some(refuse(Reason::NotIntoAndroid));
        }
    }
    // The caller's own private directory: another mount in the original, so mv falls back to copying.
    matches!(old, Place::AndroidPackage { dir, .. } if dir != AndroidDir::Media)
        .then_some(Decision::deny(Reason::OutOfPrivateDirectory, Errno::Exdev))
}

fn checked_file(old: &Case<'_>, new: &Case<'_>, replaced: Option<&Case<'_>>) -> Decision {
    if let Some(refusal) = unfit(old.place, new) {
        return refusal;
    }
    let Some(row) = old.what.row else { return refuse(Reason::NotIndexed) };
    let Some(reason) = old.row_writable(&row) else { return refuse(Reason::NotYoursToRename) };
    if replaced.is_some_and(|it| !may_replace(it)) {
        return refuse(Reason::ReplacesOthersFile);
    }
    Decision::allow(reason, Grant::default())
}

/// §2.6. Below a top-level name that is no default directory no type is checked, but only what is there
/// already moves around there.
fn unfit(old: Place<'_>, new: &Case<'_>) -> Option<Decision> {
    match new.place {
        Place::Below { default: Some(directory) } => {
            (!directory.accepts(new.mime())).then_some(refuse(Reason::TypeUnfit))
        }
        Place::Below { default: None } => {
            let stays = matches!(old, Place::Below { default: None });
            (!stays).then_some(refuse(Reason::NoFilesHere))
        }
        _ => None,
    }
}

/// A file that nobody has indexed may be anybody's.
fn may_replace(replaced: &Case<'_>) -> bool {
    replaced.bypass(Mode::Write).is_some()
        || replaced.what.row.is_some_and(|row| replaced.row_writable(&row).is_some())
}
