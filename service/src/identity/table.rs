//! The table of packages at one moment: built from sources and run-time changes, then only read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use mediagate_policy::{AppId, PackageFacts, Principal, Profiles, Uid, UserId};

use crate::config::PackageConfig;

use super::record::{PackageRecord, Users, facts};

/// Changes made at run time, by package name: `Some` overrides what the sources say (with an `app_id` of 0 only
/// permissions and the like, otherwise app id and users too), `None` hides the package.
pub(super) type Overlay = BTreeMap<String, Option<PackageConfig>>;

/// What `package list` says of a package that only the overlay has.
pub(super) const RUNTIME: &str = "runtime";

/// In what callers differ already where a path begins: some of them are to find nothing at all there, which what the kernel
/// keeps for the others must not undo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mix {
    /// There are apps of several users.
    pub users: bool,
    /// There are instant apps.
    pub instant: bool,
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) epoch: u64,
    /// In source order, then those of run time by name.
    pub(super) packages: Vec<PackageRecord>,
    /// Users for whom principals have been built in advance.
    pub(super) known_users: Vec<u32>,
    pub(super) mix: Mix,
    profiles: Arc<Profiles>,
    by_uid: HashMap<u32, Arc<Principal>>,
    by_app_id: HashMap<u32, Vec<usize>>,
}

impl Table {
    pub(super) fn build(epoch: u64, packages: Vec<PackageRecord>, profiles: &Arc<Profiles>) -> Table {
        let mut users: BTreeSet<u32> = profiles.users().map(|user| user.0).chain([0]).collect();
        let mut by_app_id: HashMap<u32, Vec<usize>> = HashMap::new();
        for (index, package) in packages.iter().enumerate() {
            by_app_id.entry(package.app_id).or_default().push(index);
            if let Users::Only(only) = &package.users {
                users.extend(only);
            }
        }
        let known_users: Vec<u32> = users.into_iter().collect();
        // Packages that come without users may be anybody's, unless it was said which users there are.
        let anybodys =
            packages.iter().any(|it| it.users == Users::Every) && profiles.users().next().is_none();
        let mix = Mix {
            users: anybodys || known_users.len() > 1,
            instant: packages.iter().any(|it| it.facts.instant),
        };
        let profiles = Arc::clone(profiles);
        let mut table =
            Table { epoch, packages, known_users, mix, profiles, by_uid: HashMap::new(), by_app_id };
        let mut by_uid = HashMap::new();
        for app_id in table.by_app_id.keys() {
            for user in &table.known_users {
                let uid = Uid::of(UserId(*user), AppId(*app_id));
                let packages = table.of_uid(uid);
                if !packages.is_empty() {
                    by_uid.insert(uid.0, Arc::new(table.made(uid, &packages)));
                }
            }
        }
        table.by_uid = by_uid;
        table
    }

    /// The packages of `uid`; the first is "the caller's package".
    fn of_uid(&self, uid: Uid) -> Vec<PackageFacts> {
        let indices = self.by_app_id.get(&uid.app_id().0).map_or(&[][..], Vec::as_slice);
        let packages = indices.iter().filter_map(|index| self.packages.get(*index));
        packages.filter(|it| it.users.contains(uid.user())).map(|it| it.facts.clone()).collect()
    }

    pub(super) fn principal(&self, uid: u32) -> Arc<Principal> {
        match self.by_uid.get(&uid) {
            Some(principal) => Arc::clone(principal),
            // Not kept: whoever can choose uids would fill the table.
            None => Arc::new(self.made(Uid(uid), &self.of_uid(Uid(uid)))),
        }
    }

    pub(super) fn describe(&self, uid: u32) -> (Arc<Principal>, Vec<PackageFacts>, Arc<Profiles>) {
        (self.principal(uid), self.of_uid(Uid(uid)), Arc::clone(&self.profiles))
    }

    fn made(&self, uid: Uid, packages: &[PackageFacts]) -> Principal {
        Principal::new(uid, packages).in_profiles(&self.profiles)
    }

    pub(super) fn package(&self, name: &str) -> Option<&PackageRecord> {
        self.packages.iter().find(|it| &*it.facts.name == name)
    }

    /// A package that already has `app_id` and would not share it with `name`, which shares if `shares`.
    pub(super) fn holder(&self, app_id: u32, name: &str, shares: bool) -> Option<&PackageRecord> {
        let indices = self.by_app_id.get(&app_id)?;
        let others = indices.iter().filter_map(|index| self.packages.get(*index));
        others.into_iter().find(|it| &*it.facts.name != name && !(shares && it.shared_uid))
    }
}

/// All packages there are, given what each source loaded and what was changed at run time. An earlier source wins
/// a name, and a source wins an app id from a package of run time.
pub(super) fn merge(loaded: &[Vec<PackageRecord>], overlay: &Overlay) -> Vec<PackageRecord> {
    let mut merged = Merged::default();
    for record in loaded.iter().flatten() {
        match overlay.get(&*record.facts.name) {
            None => merged.add(record.clone()),
            Some(None) => {}
            Some(Some(change)) => merged.add(overridden(record, change)),
        }
    }
    let sourced: BTreeSet<&str> = loaded.iter().flatten().map(|it| &*it.facts.name).collect();
    for (name, change) in overlay {
        // Without an app id of its own it is a change of a package that is not there (any more).
        if let Some(package) = change.as_ref().filter(|it| it.app_id != 0)
            && !sourced.contains(name.as_str())
        {
            merged.add(PackageRecord::of(package, RUNTIME));
        }
    }
    merged.packages
}

fn overridden(record: &PackageRecord, change: &PackageConfig) -> PackageRecord {
    let facts = PackageFacts { name: Arc::clone(&record.facts.name), ..facts(change) };
    // The package manager's uids are a fact; no setting of ours changes them.
    if change.app_id == 0 || record.users == Users::Every {
        return PackageRecord { facts, ..record.clone() };
    }
    PackageRecord { facts, ..PackageRecord::of(change, RUNTIME) }
}

#[derive(Default)]
struct Merged {
    packages: Vec<PackageRecord>,
    names: BTreeSet<Arc<str>>,
    /// Whether the packages that have an app id share it.
    app_ids: HashMap<u32, bool>,
}

impl Merged {
    fn add(&mut self, record: PackageRecord) {
        let name = &record.facts.name;
        if self.names.contains(name) {
            return;
        }
        match self.app_ids.get(&record.app_id) {
            Some(shares) if !(*shares && record.shared_uid) => {
                log::warn!(
                    "package {name:?} ({}) is ignored: another package has its app id {}; give it another one, or \
                     shared_uid = true in both",
                    record.source,
                    record.app_id
                );
                return;
            }
            _ => self.app_ids.insert(record.app_id, record.shared_uid),
        };
        self.names.insert(Arc::clone(name));
        self.packages.push(record);
    }
}
