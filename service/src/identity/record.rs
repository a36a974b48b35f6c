//! One installed package, as a source knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mediagate_policy::{AppOps, PackageFacts, Permission, PermissionSet, UserId};

use super::Gone;
use crate::config::PackageConfig;

/// The users a package is installed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Users {
    /// These.
    Only(Vec<u32>),
    /// Whoever can run it: the package manager starts a process with the package's uid only for users that have
    /// it, and does not tell us who they are (`packages.list` has one line for a package, not for each user).
    Every,
}

impl Users {
    /// True when it is installed for `user`.
    pub fn contains(&self, user: UserId) -> bool {
        match self {
            Users::Only(users) => users.contains(&user.0),
            Users::Every => true,
        }
    }
}

/// One installed package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRecord {
    /// What the policy looks at.
    pub facts: PackageFacts,
    /// Its app id.
    pub app_id: u32,
    /// Who has it.
    pub users: Users,
    /// True when other packages may have the same app id.
    pub shared_uid: bool,
    /// `config`, `packages.list` or `runtime`.
    pub source: &'static str,
}

impl PackageRecord {
    /// The record of a configured package.
    pub fn of(package: &PackageConfig, source: &'static str) -> PackageRecord {
        PackageRecord {
            facts: facts(package),
            app_id: package.app_id,
            users: Users::Only(package.users.clone()),
            shared_uid: package.shared_uid,
            source,
        }
    }

    /// The package as configuration and control interface write it; `known_users` stands for [`Users::Every`].
    pub(super) fn to_config(&self, known_users: &[u32]) -> PackageConfig {
        let facts = &self.facts;
        PackageConfig {
            name: facts.name.to_string(),
            app_id: self.app_id,
            users: match &self.users {
                Users::Only(users) => users.clone(),
                Users::Every => known_users.to_vec(),
            },
            shared_uid: self.shared_uid,
            target_sdk: facts.target_sdk,
            permissions: facts.permissions.iter().map(|it| it.name().to_owned()).collect(),
            app_ops: facts
                .app_ops
                .iter()
                .map(|(op, mode)| (op.name().to_owned(), mode.name().to_owned()))
                .collect::<BTreeMap<_, _>>(),
            request_legacy_storage: facts.requests_legacy_storage,
            request_raw_access: facts.requests_raw_access,
            scoped_storage: facts.scoped_storage,
            instant: facts.instant,
        }
    }
}

/// The packages but for those that are withheld.
pub(super) fn without(installed: &[PackageRecord], withheld: &BTreeSet<Gone>) -> Vec<PackageRecord> {
    let mut kept = installed.to_vec();
    for (name, user) in withheld {
        match user {
            None => kept.retain(|it| it.facts.name != *name),
            Some(user) => {
                for record in kept.iter_mut().filter(|it| it.facts.name == *name) {
                    if let Users::Only(users) = &mut record.users {
                        users.retain(|it| it != user);
                    }
                }
            }
        }
    }
    kept
}

/// What the policy looks at in a configured package. Names it does not know grant nothing; whoever accepts
/// configurations ([`crate::config`]) refuses them before they come here.
pub(super) fn facts(package: &PackageConfig) -> PackageFacts {
    let permissions: PermissionSet =
        package.permissions.iter().filter_map(|name| name.parse::<Permission>().ok()).collect();
    let mut app_ops = AppOps::default();
    for (op, mode) in &package.app_ops {
        if let (Ok(op), Ok(mode)) = (op.parse(), mode.parse()) {
            app_ops.set(op, mode);
        }
    }
    PackageFacts {
        name: Arc::from(package.name.as_str()),
        target_sdk: package.target_sdk,
        permissions,
        app_ops,
        requests_legacy_storage: package.request_legacy_storage,
        requests_raw_access: package.request_raw_access,
        scoped_storage: package.scoped_storage,
        instant: package.instant,
    }
}
