//! What would turn a refusal into a yes, found by asking again: each permission, app op and grant by itself.

use mediagate_policy::{AppOp, Decision, FileGrants, OpMode, Permission, Row};

use super::callers::Caller;
use super::objects::Thing;
use super::{OWN, Op};

/// Grants, and how they are called.
const GRANTS: [(&str, FileGrants); 3] = [
    ("selected by the user", FileGrants::SELECTED),
    ("a read grant on the file", FileGrants::READ),
    ("a write grant on the file", FileGrants::WRITE),
];

pub(super) fn of(caller: &Caller, thing: &Thing, op: Op, decision: Decision) -> Vec<String> {
    let Some(package) = caller.package().filter(|_| !decision.is_allowed()) else { return Vec::new() };
    let mut changes = Vec::new();
    for permission in Permission::ALL.iter().filter(|it| !package.permissions.has(**it)) {
        let mut with = package.clone();
        with.permissions.insert(*permission);
        if thing.decide(&caller.with(Some(&with)), thing.grants, op).is_allowed() {
            changes.push(permission.name().to_owned());
        }
    }
    for app_op in AppOp::ALL.iter().filter(|it| !package.app_ops.is_allowed(**it)) {
        let mut with = package.clone();
        with.app_ops.set(*app_op, OpMode::Allow);
        // An op that stands for a permission of the same name says nothing new.
        let is_new = !changes.iter().any(|it| it == app_op.name());
        if is_new && thing.decide(&caller.with(Some(&with)), thing.grants, op).is_allowed() {
            changes.push(format!("app op {app_op}"));
        }
    }
    let who = caller.principal();
    let grants = GRANTS.iter().filter(|_| thing.row.is_some());
    for (name, grant) in grants {
        if thing.decide(&who, thing.grants.with(*grant), op).is_allowed() {
            changes.push((*name).to_owned());
        }
    }
    let mut owned = thing.clone();
    owned.row = owned.row.map(|row| Row { owner: Some(OWN), ..row });
    if owned.row != thing.row && owned.decide(&who, thing.grants, op).is_allowed() {
        changes.push("being the owner".to_owned());
    }
    changes
}
