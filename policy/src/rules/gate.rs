//! The gate before every family: trees that are closed, names that are hidden, callers without a package, and
//! the shell.

use super::Rule;
use super::case::Case;
use super::everyone::nothing_executes;
use crate::decision::{Decision, Errno, Grant, ListScope};
use crate::object::{Kind, Object, VolumeKind};
use crate::operation::Operation;
use crate::path::{Place, below_service_directory, is_synthetic, name_depends_on_caller};
use crate::principal::PrincipalKind;
use crate::profile::UserRelation;
use crate::reason::Reason;

/// In the order in which they are asked.
pub(super) const RULES: &[Rule] = &[
    wrong_kind,
    other_user,
    service_directory,
    mount_root,
    volume_root,
    others_private_directory,
    nothing_executes,
    shell,
    no_package,
];

/// The operation asks about a name and attributes only.
fn is_look(op: Operation<'_>) -> bool {
    match op {
        Operation::Lookup | Operation::GetAttr | Operation::ListEntry => true,
        Operation::Access(mask) => !(mask.read || mask.write || mask.execute),
        _ => false,
    }
}

/// The kernel never asks for these; refusing them keeps the rules behind the gate from meeting a mixed object.
fn wrong_kind(case: &Case<'_>, op: Operation<'_>) -> Option<Decision> {
    let wanted = match op {
        Operation::OpenRead
        | Operation::OpenWrite
        | Operation::Create
        | Operation::Unlink
        | Operation::MoveWithParent { .. } => Kind::File,
        Operation::MakeDir | Operation::RemoveDir | Operation::OpenDir => Kind::Directory,
        _ => return None,
    };
    (case.what.kind != wanted).then_some(Decision::deny(Reason::WrongKind, Errno::Einval))
}

/// §2.10. The system's uids may look into every tree; an app that runs under one looks, and is an app otherwise: what
/// a listing shows it is no look.
fn other_user(case: &Case<'_>, op: Operation<'_>) -> Option<Decision> {
    if case.what.volume == VolumeKind::Public || case.what.mount_root {
        return None;
    }
    let Some(user) = case.what.user else {
        return Some(Decision::deny(Reason::NotInATree, Errno::Enoent));
    };
    let looks = is_look(op) && op != Operation::ListEntry;
    let is_system = case.is_core() && (looks || case.who.kind != PrincipalKind::App);
    if is_system || case.who.kind == PrincipalKind::Shell {
        return None;
    }
    match case.who.relation_to(user) {
        UserRelation::Own | UserRelation::SharesMedia => None,
        UserRelation::AcrossWork => Some(Decision::deny(Reason::WorkProfile, Errno::Eacces)),
        UserRelation::Other => Some(Decision::deny(Reason::OtherUser, Errno::Eacces)),
    }
}

/// The volume root, or the directory above the users.
fn is_root_of_tree(what: &Object<'_>) -> bool {
    what.mount_root || what.path.is_empty()
}

/// §1.5: below `.transforms`, only names of `synthetic` are looked up, and nothing else is done. Who would write to what is
/// found there hears that it is not for writing (T3).
fn service_directory(case: &Case<'_>, op: Operation<'_>) -> Option<Decision> {
    let closed = |what: &Object<'_>, looks: bool| {
        below_service_directory(what.path).is_some() && (!looks || name_depends_on_caller(what.path))
    };
    let looks = is_look(op) && op != Operation::ListEntry;
    let to_closed = match op {
        Operation::Rename { to, .. } | Operation::MoveWithParent { to } => closed(&to, false),
        _ => false,
    };
    let writes = match op {
        Operation::OpenWrite | Operation::SetAttr => true,
        Operation::Access(mask) => mask.write,
        _ => false,
    };
    let errno = if writes && is_synthetic(case.what.path) { Errno::Eacces } else { Errno::Enoent };
    (closed(case.what, looks) || to_closed).then_some(Decision::deny(Reason::ServiceDirectory, errno))
}

/// The directory above the users: entered, but not listed.
fn mount_root(case: &Case<'_>, op: Operation<'_>) -> Option<Decision> {
    if !case.what.mount_root || case.who.kind == PrincipalKind::Shell {
        return None;
    }
    let enters = matches!(op, Operation::Access(mask) if mask.execute && !mask.read && !mask.write);
    Some(match op {
        Operation::ListEntry => Decision::deny(Reason::MountRootClosed, Errno::Eperm),
        _ if is_look(op) || enters => Decision::allow(Reason::NamesAreVisible, Grant::default()),
        Operation::OpenDir | Operation::Access(_) => Decision::deny(Reason::MountRootClosed, Errno::Eperm),
        Operation::SetAttr => Decision::deny(Reason::MountRootClosed, Errno::Eacces),
        _ => Decision::deny(Reason::VolumeRootStays, Errno::Enoent),
    })
}

/// Making, removing or renaming a volume root is an operation on the directory above it, which no app reaches.
fn volume_root(case: &Case<'_>, op: Operation<'_>) -> Option<Decision> {
    let is_root = match op {
        Operation::Create | Operation::MakeDir | Operation::RemoveDir | Operation::Unlink => {
            is_root_of_tree(case.what)
        }
        Operation::Rename { to, .. } | Operation::MoveWithParent { to } => {
            is_root_of_tree(case.what) || is_root_of_tree(&to)
        }
        _ => false,
    };
    (is_root && case.who.kind != PrincipalKind::Shell)
        .then_some(Decision::deny(Reason::VolumeRootStays, Errno::Enoent))
}

/// §1.5, §2.3. Renames have their own errno and are decided with the family.
fn others_private_directory(case: &Case<'_>, op: Operation<'_>) -> Option<Decision> {
    if matches!(op, Operation::Rename { .. } | Operation::MoveWithParent { .. })
        || matches!(case.who.kind, PrincipalKind::Shell | PrincipalKind::System)
        || !case.is_others_private()
    {
        return None;
    }
    let Place::AndroidPackage { dir, itself, .. } = case.place else { return None };
    // The daemon keeps apps from `data` and `obb`; what passes it is the provider's to refuse.
    let by_daemon = dir.is_private() && !case.is_core();
    let is_file_entry = op == Operation::ListEntry && case.is_file();
    // A look is a question to the parent, so the package directory itself is visible.
    let sees = is_look(op) && !is_file_entry && (itself || !by_daemon);
    if sees || !by_daemon && case.who.kind != PrincipalKind::App {
        return None;
    }
    // §2.5: of what the provider refuses of these, it says no more.
    let by_attribute = match op {
        Operation::SetAttr => true,
        Operation::Access(_) => case.is_file(),
        _ => false,
    };
    let errno = if by_attribute && !by_daemon { Errno::Eacces } else { Errno::Enoent };
    Some(Decision::deny(Reason::OthersPrivateDirectory, errno))
}

/// The shell is root's equal but for names, which the original lets nobody but root choose freely (§1.7).
fn shell(case: &Case<'_>, op: Operation<'_>) -> Option<Decision> {
    if case.who.kind != PrincipalKind::Shell {
        return None;
    }
    let portable = match op {
        Operation::Create => case.has_portable_names(),
        Operation::Rename { to, .. } => case.of_same_caller(&to).has_portable_names(),
        _ => true,
    };
    if !portable {
        return Some(Decision::deny(Reason::NameNotPortable, Errno::Eperm));
    }
    // What of the shell's goes through the provider fails with its question about permissions (§1.7, §2.11).
    let through_provider = match op {
        Operation::Unlink => Some(Errno::Eperm),
        Operation::Create | Operation::Rename { .. } => Some(Errno::Efault),
        _ => None,
    };
    // It is the provider that is asked, hence the user whose tree it is; a public volume's is that of who asks.
    let provider = case.what.user.unwrap_or(case.who.user());
    if let Some(errno) = through_provider.filter(|_| case.who.closed_to_usb.contains(&provider)) {
        return Some(Decision::deny(Reason::NoUsbTransfer, errno));
    }
    let scope = if op == Operation::OpenDir { ListScope::Everything } else { ListScope::default() };
    Some(Decision::allow(Reason::Shell, Grant { scope, ..Grant::default() }))
}

/// §2.1: whoever has no package can look, and nothing else.
fn no_package(case: &Case<'_>, op: Operation<'_>) -> Option<Decision> {
    if case.who.kind == PrincipalKind::App {
        return None;
    }
    let errno = match op {
        Operation::ListEntry | Operation::OpenDir => Errno::Eperm,
        _ if is_look(op) => return None,
        _ => Errno::Efault,
    };
    Some(Decision::deny(Reason::NoPackage, errno))
}
