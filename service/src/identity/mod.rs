//! Who calls: from the uid of a FUSE request to a [`Principal`].
//!
//! Reading is lock-free: [`Identity::principal`] loads the current `table::Table` and looks the uid up. Every
//! change builds a new table and puts it in place before it returns, so whatever is decided after the return sees
//! it. Only uids that packages have are kept, so hostile uids cost no memory.
//!
//! One lock, `state`, orders changes and reloads. It is held while a change is written down and while sources are
//! read, so that the table, the overlay and what was stored never disagree about the order; nobody on a request's way
//! takes it. It is taken before any lock of the catalog and never while one is held.

mod error;
mod packages_list;
mod record;
mod source;
mod table;
mod watch;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::sync::{Arc, OnceLock, Weak};

use arc_swap::ArcSwap;
use mediagate_policy::{AppId, PackageFacts, Principal, Profiles, Uid, UserId};
use parking_lot::Mutex;

use crate::config::{PackageConfig, check_app_op, check_op_mode, check_package, check_permission};
use crate::control::PackageStatus;

pub use error::{IdentityError, PersistError};
pub use packages_list::PackagesListSource;
pub use record::{PackageRecord, Users};
pub use source::{ConfigSource, PackageSource, profiles, sources};
pub use table::Mix;
use table::{Overlay, RUNTIME, Table, merge};
pub use watch::WatchGuard;

/// Writes a change down before it takes effect: the package's name and its record as it has to be handed to
/// [`Identity::new`] next time (`None`: removed). Must not call back into [`Identity`].
pub type Persist<'a> = &'a dyn Fn(&str, Option<&PackageConfig>) -> Result<(), PersistError>;

/// A package, and the user that it left; `None` for all.
pub type Gone = (Arc<str>, Option<u32>);

/// Called before a change takes effect, with the packages that leave by it, and what says whether a package will be
/// installed for a user after it. Must not call back into [`Identity`].
pub type Departures = Box<dyn Fn(&[Gone], &dyn Fn(&str, u32) -> bool) + Send + Sync>;

/// All packages and what their uids may do.
pub struct Identity {
    table: ArcSwap<Table>,
    sources: Vec<Box<dyn PackageSource>>,
    profiles: Arc<Profiles>,
    state: Mutex<State>,
    departures: OnceLock<Departures>,
    mixing: OnceLock<Box<dyn Fn() + Send + Sync>>,
    watches: Mutex<Vec<WatchGuard>>,
}

struct State {
    /// What each source loaded last.
    loaded: Vec<Vec<PackageRecord>>,
    overlay: Overlay,
    /// What both come to.
    installed: Vec<PackageRecord>,
    /// Those that are nobody's yet: see [`Identity::withhold`].
    withheld: BTreeSet<Gone>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let table = self.table.load();
        f.debug_struct("Identity")
            .field("epoch", &table.epoch)
            .field("packages", &table.packages.len())
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// Loads all sources and watches them from then on. `overlay` are the changes of earlier runs, as they were
    /// given to [`Persist`]. A source whose file does not exist yet has no packages until it does.
    pub fn new(
        sources: Vec<Box<dyn PackageSource>>,
        overlay: Vec<(String, Option<PackageConfig>)>,
        profiles: Profiles,
    ) -> Result<Arc<Identity>, IdentityError> {
        let profiles = Arc::new(profiles);
        let state = State {
            loaded: vec![Vec::new(); sources.len()],
            overlay: overlay.into_iter().collect(),
            installed: Vec::new(),
            withheld: BTreeSet::new(),
        };
        let identity = Arc::new(Identity {
            table: ArcSwap::from_pointee(Table::build(0, Vec::new(), &profiles)),
            sources,
            profiles,
            state: Mutex::new(state),
            departures: OnceLock::new(),
            mixing: OnceLock::new(),
            watches: Mutex::new(Vec::new()),
        });
        // Watched before the first load, so that no change falls between the two.
        for source in &identity.sources {
            let weak = Arc::downgrade(&identity);
            if let Some(watch) = source.watch(Box::new(move || refresh(&weak)))? {
                identity.watches.lock().push(watch);
            }
        }
        for error in identity.refresh() {
            match error {
                IdentityError::Read { file, cause } if cause.kind() == ErrorKind::NotFound => {
                    log::warn!("{}: does not exist yet; its packages are known once it does", file.display());
                }
                other => return Err(other),
            }
        }
        Ok(identity)
    }

    /// Who `uid` is. Never fails; a uid without a package has a principal without one.
    pub fn principal(&self, uid: u32) -> Arc<Principal> {
        self.table.load().principal(uid)
    }

    /// Who `uid` is, of which packages, among which users.
    pub fn describe(&self, uid: u32) -> (Arc<Principal>, Vec<PackageFacts>, Arc<Profiles>) {
        self.table.load().describe(uid)
    }

    /// In what callers differ where a path begins.
    pub fn mix(&self) -> Mix {
        self.table.load().mix
    }

    /// Has `mixing` called whenever callers have come to differ in more than before; once. Must not call back.
    pub fn on_mixing(&self, mixing: Box<dyn Fn() + Send + Sync>) {
        let _ = self.mixing.set(mixing);
    }

    /// Grows with every change. What was decided for a principal loaded *after* this number was read holds for it.
    pub fn epoch(&self) -> u64 {
        self.table.load().epoch
    }

    /// Reads all sources again. A source that cannot be read keeps the packages it had; the others are renewed.
    pub fn reload(&self) -> Result<(), IdentityError> {
        self.refresh().into_iter().next().map_or(Ok(()), Err)
    }

    /// All packages, in the order that decides which is first for its uid.
    pub fn packages(&self) -> Vec<PackageStatus> {
        let table = self.table.load();
        let status = |record: &PackageRecord| {
            let package = record.to_config(&table.known_users);
            let app_id = AppId(record.app_id);
            let uids = package.users.iter().map(|user| Uid::of(UserId(*user), app_id).0).collect();
            PackageStatus { package, uids, source: record.source.to_owned() }
        };
        table.packages.iter().map(status).collect()
    }

    /// Names of the packages of `uid`; the first is "the caller's package".
    pub fn packages_of_uid(&self, uid: u32) -> Vec<String> {
        self.principal(uid).packages.iter().map(|name| name.to_string()).collect()
    }

    /// Installs a package, or replaces what is known of one.
    pub fn install(&self, package: &PackageConfig, persist: Persist<'_>) -> Result<(), IdentityError> {
        let mut package = check_package(package).map_err(IdentityError::Invalid)?;
        let name = package.name.clone();
        let mut state = self.state.lock();
        let sourced = state.loaded.iter().flatten().find(|it| *it.facts.name == *name);
        match sourced.filter(|it| it.users == Users::Every) {
            Some(record) if package.app_id == 0 || package.app_id == record.app_id => follow(&mut package),
            Some(record) => {
                return Err(IdentityError::Taken(format!(
                    "package {name:?} has the app id {} in {}, which cannot be changed here; install it with that one",
                    record.app_id, record.source
                )));
            }
            None if package.app_id == 0 => {
                return Err(IdentityError::Invalid(format!(
                    "package {name:?} needs an app id; give one from 10000 to 19999"
                )));
            }
            None if package.users.is_empty() => {
                return Err(IdentityError::Invalid(format!(
                    "package {name:?} needs a user; give for example 0"
                )));
            }
            None => {
                if let Some(other) = self.table.load().holder(package.app_id, &name, package.shared_uid) {
                    return Err(IdentityError::Taken(format!(
                        "app id {} is {:?}'s; give another, or say shared_uid of both packages",
                        package.app_id, other.facts.name
                    )));
                }
            }
        }
        self.change(&mut state, &name, Some(package), persist)
    }

    /// Removes a package. One that a source lists stays hidden until it is installed again.
    pub fn remove(&self, package: &str, persist: Persist<'_>) -> Result<(), IdentityError> {
        let mut state = self.state.lock();
        if self.table.load().package(package).is_none() {
            return Err(IdentityError::NoSuchPackage(package.to_owned()));
        }
        self.change(&mut state, package, None, persist)
    }

    /// Grants or revokes a permission (bare or full name).
    pub fn set_permission(
        &self,
        package: &str,
        permission: &str,
        granted: bool,
        persist: Persist<'_>,
    ) -> Result<(), IdentityError> {
        let permission = check_permission(permission).map_err(IdentityError::Invalid)?;
        self.edit(package, persist, |facts| match granted {
            true => facts.permissions.insert(permission),
            false => facts.permissions.remove(permission),
        })
    }

    /// Sets the mode (`default`, `allow`, `ignore`, `deny`) of an app op.
    pub fn set_app_op(
        &self,
        package: &str,
        op: &str,
        mode: &str,
        persist: Persist<'_>,
    ) -> Result<(), IdentityError> {
        let op = check_app_op(op).map_err(IdentityError::Invalid)?;
        let mode = check_op_mode(mode).map_err(IdentityError::Invalid)?;
        self.edit(package, persist, |facts| facts.app_ops.set(op, mode))
    }

    /// Runs `f` if the package is installed for the user, which it stays meanwhile. `f` must not call back.
    pub fn while_installed<T>(
        &self,
        package: &str,
        user: u32,
        f: impl FnOnce() -> T,
    ) -> Result<T, IdentityError> {
        let _state = self.state.lock();
        let table = self.table.load();
        let record =
            table.package(package).ok_or_else(|| IdentityError::NoSuchPackage(package.to_owned()))?;
        if !record.users.contains(UserId(user)) {
            return Err(IdentityError::NotForUser(package.to_owned(), user));
        }
        Ok(f())
    }

    /// Has `departures` called from now on; once.
    pub fn on_departures(&self, departures: Departures) {
        // A second one would be a second service around one identity.
        let _ = self.departures.set(departures);
    }

    /// From when this returns nobody is this package (in this user), installed or not, until [`Identity::release`]. A
    /// package that leaves is withheld by that: what is still to be taken from it must not become that of the one of its
    /// name that is installed next. `and` is run with that, so that no package leaves, comes or is released in between; it
    /// must not call back.
    pub fn withhold(&self, gone: impl IntoIterator<Item = Gone>, and: impl FnOnce()) {
        let mut state = self.state.lock();
        state.withheld.extend(gone);
        and();
        self.publish(&mut state);
    }

    /// Takes [`Identity::withhold`] back if `may` says so, which no package leaves, comes or is withheld after; says
    /// whether it did. `may` must not call back.
    pub fn release(&self, gone: &Gone, may: impl FnOnce() -> bool) -> bool {
        let mut state = self.state.lock();
        let released = may();
        if released && state.withheld.remove(gone) {
            self.publish(&mut state);
        }
        released
    }

    /// Whether a package is installed for any user, withheld or not.
    pub fn is_installed(&self, package: &str) -> bool {
        self.state.lock().installed.iter().any(|it| *it.facts.name == *package)
    }

    fn edit(
        &self,
        name: &str,
        persist: Persist<'_>,
        edit: impl FnOnce(&mut PackageFacts),
    ) -> Result<(), IdentityError> {
        let mut state = self.state.lock();
        let table = self.table.load();
        let current = table.package(name).ok_or_else(|| IdentityError::NoSuchPackage(name.to_owned()))?;
        let mut edited = current.clone();
        edit(&mut edited.facts);
        if edited == *current {
            return Ok(());
        }
        let mut package = edited.to_config(&table.known_users);
        // Where the uid comes from stays as it is: a source that drops the package, or moves it, is to be heard.
        if current.source != RUNTIME {
            follow(&mut package);
        }
        self.change(&mut state, name, Some(package), persist)
    }

    /// Writes a change down, then makes it.
    fn change(
        &self,
        state: &mut State,
        name: &str,
        package: Option<PackageConfig>,
        persist: Persist<'_>,
    ) -> Result<(), IdentityError> {
        persist(name, package.as_ref())
            .map_err(|cause| IdentityError::Persist { package: name.to_owned(), cause })?;
        state.overlay.insert(name.to_owned(), package);
        self.publish(state);
        Ok(())
    }

    /// Loads every source; returns those failures that there were.
    fn refresh(&self) -> Vec<IdentityError> {
        let mut state = self.state.lock();
        let mut failures = Vec::new();
        for (source, loaded) in self.sources.iter().zip(&mut state.loaded) {
            match source.load() {
                Ok(packages) => *loaded = packages,
                Err(error) => failures.push(error),
            }
        }
        self.publish(&mut state);
        failures
    }

    /// Puts the table of `state` in place, if it is another one. The caller holds the lock on `state`.
    fn publish(&self, state: &mut State) {
        let installed = merge(&state.loaded, &state.overlay);
        if installed != state.installed {
            let gone = gone(&state.installed, &installed);
            state.withheld.extend(gone.iter().cloned());
            if let Some(departures) = self.departures.get() {
                departures(&gone, &|package, user| {
                    let record = installed.iter().find(|it| *it.facts.name == *package);
                    record.is_some_and(|it| it.users.contains(UserId(user)))
                });
            }
            state.installed = installed;
        }
        let current = self.table.load();
        let packages = record::without(&state.installed, &state.withheld);
        if packages != current.packages {
            let next = Table::build(current.epoch + 1, packages, &self.profiles);
            let (before, after) = (current.mix, next.mix);
            let mixes = after.users && !before.users || after.instant && !before.instant;
            self.table.store(Arc::new(next));
            if let Some(mixing) = self.mixing.get().filter(|_| mixes) {
                mixing();
            }
        }
    }
}

/// Which packages of `before` are not, or not for all their users, in `after`.
fn gone(before: &[PackageRecord], after: &[PackageRecord]) -> Vec<Gone> {
    let mut gone = Vec::new();
    for old in before {
        let name = &old.facts.name;
        match (after.iter().find(|it| it.facts.name == *name), &old.users) {
            (None, _) => gone.push((Arc::clone(name), None)),
            (Some(new), Users::Only(users)) => {
                let left = users.iter().filter(|user| !new.users.contains(UserId(**user)));
                gone.extend(left.map(|user| (Arc::clone(name), Some(*user))));
            }
            (Some(_), Users::Every) => {}
        }
    }
    gone
}

/// Makes `package` a change that leaves app id and users to the source.
fn follow(package: &mut PackageConfig) {
    package.app_id = 0;
    package.users.clear();
    package.shared_uid = false;
}

/// What a source's watch calls.
fn refresh(identity: &Weak<Identity>) {
    if let Some(identity) = identity.upgrade() {
        for error in identity.refresh() {
            log::warn!("{error}; its last packages are kept");
        }
    }
}
