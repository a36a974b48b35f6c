//! What the administrator does in the model: grants, permissions, packages.

use std::collections::BTreeSet;

use mediagate_policy::{OpMode, is_never_indexed};

use super::{Entry, Mistake, Model};
use crate::op::{Op, Who};

impl Model {
    /// What is done through the interface; false if it is refused.
    pub(super) fn administer(&mut self, op: &Op) -> bool {
        match *op {
            Op::Give(who, path, kind) => match self.entry(path) {
                Some(Entry::File(number)) if !is_never_indexed(path.as_bytes()) => {
                    let is_installed = self.installed.contains_key(&who);
                    is_installed && {
                        self.grants.insert((who, number, kind));
                        true
                    }
                }
                _ => false,
            },
            Op::Take(who, path) => {
                let Some(Entry::File(number)) = self.entry(path) else { return false };
                let before = self.grants.len();
                self.grants.retain(|(holder, file, _)| (*holder, *file) != (who, number));
                self.grants.len() < before
            }
            Op::Permission(who, permission, holds) => {
                let Some(facts) = self.installed.get_mut(&who) else { return false };
                let permission = permission.parse().unwrap();
                if holds {
                    facts.permissions.insert(permission);
                } else {
                    facts.permissions.remove(permission);
                }
                true
            }
            Op::Allow(who, op, allowed) => {
                let Some(facts) = self.installed.get_mut(&who) else { return false };
                facts.app_ops.set(op.parse().unwrap(), if allowed { OpMode::Allow } else { OpMode::Default });
                true
            }
            _ => unreachable!("{op:?}"),
        }
    }

    /// A package leaves. What is never indexed keeps its owner: nobody else can use it but the package of that name.
    pub(super) fn disown(&mut self, who: Who) {
        self.grants.retain(|(holder, ..)| *holder != who);
        if self.mistake == Some(Mistake::PackagesComeBackToTheirFiles) {
            return;
        }
        let indexed: BTreeSet<usize> = self
            .tree
            .iter()
            .filter(|(path, _)| !is_never_indexed(path.as_bytes()))
            .filter_map(|(_, entry)| if let Entry::File(number) = entry { Some(*number) } else { None })
            .collect();
        for number in indexed {
            let file = &mut self.files[number];
            file.owner = file.owner.filter(|owner| *owner != who.package());
        }
    }
}
