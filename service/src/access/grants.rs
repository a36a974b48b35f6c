//! Grants on single files, as decisions need them: in memory, without SQL and without a lock.
//!
//! A grant belongs to an app (a package in one of its users) and to a lower file: inode number *and* generation, so that
//! a rename keeps it and a later file with the same inode number never has it. What is kept is an immutable map behind
//! an atomic pointer: package → user → inode → what it holds. An app without grants costs one look into the outer map.
//! A change copies the outer map (one pointer a package) and the table of the one app it is about.
//!
//! The catalog holds the grants over restarts; whoever calls [`Grants::add`] and [`Grants::remove`] hands in what
//! writes there, and the map changes only after that succeeded.
//!
//! # Memory
//! Entries have 80 bytes, in a table that is at least 7/16 full: at most 190 bytes for a file of an app, however many
//! kinds of grants it has on it. With the bounds below an app costs at most 3 MiB.
//!
//! What the catalog loses with the rows of files is lost here once that is committed ([`Grants::lose`]), so that nothing is in
//! force that is neither listed nor can be taken back, nor the other way round. A file that is removed or replaced through
//! the mount loses its grants before that is answered ([`Grants::forget`]).
//!
//! # Locks
//! `changing` orders [`Grants::add`], [`Grants::remove`] and [`Grants::reload`], and is held while they write. No
//! request from the kernel takes it, nor does the thread that writes: what files lose, they lose by [`Grants::forget`] and
//! [`Grants::lose`], which are lock-free. It is taken after the lock of [`crate::identity`] and before those of the catalog.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use mediagate_policy::FileGrants;
use parking_lot::Mutex;

/// Most files that may be selected for an app; beyond that the oldest selection goes (MediaProvider keeps as many in
/// `media_grants`, mediaprovider.md §3.3).
const MOST_SELECTED: usize = 5000;
/// Most grants of each other kind for an app; beyond that one is refused.
const MOST_OTHERS: usize = 5000;
/// When a grant ends that does not.
const NEVER: i64 = i64::MAX;

/// What a grant allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantKind {
    /// What [`FileGrants::SELECTED`] says.
    Selected,
    /// What [`FileGrants::READ`] says.
    Read,
    /// What [`FileGrants::WRITE`] says.
    Write,
}

impl GrantKind {
    /// Every one, by its number.
    pub const ALL: [GrantKind; 3] = [GrantKind::Selected, GrantKind::Read, GrantKind::Write];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            GrantKind::Selected => "selected",
            GrantKind::Read => "read",
            GrantKind::Write => "write",
        }
    }

    fn bits(self) -> FileGrants {
        match self {
            GrantKind::Selected => FileGrants::SELECTED,
            GrantKind::Read => FileGrants::READ,
            GrantKind::Write => FileGrants::WRITE,
        }
    }
}

/// A lower file, among those of all volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    /// The volume's number in the catalog.
    pub volume: i64,
    /// Inode number.
    pub ino: u64,
    /// Tells it from other files that had this number before.
    pub generation: u64,
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its number; a newer grant has a larger one.
    pub id: i64,
    /// The package.
    pub package: Arc<str>,
    /// The user in which the package has it.
    pub user: u32,
    /// What it allows.
    pub kind: GrantKind,
    /// The lower file.
    pub file: FileId,
    /// The file's row in the catalog.
    pub row: i64,
    /// When it ends, in seconds since 1970.
    pub expires: Option<i64>,
}

/// A grant that is asked for.
#[derive(Clone, Debug)]
pub struct NewGrant<'a> {
    /// The package.
    pub package: &'a str,
    /// The user in which the package gets it.
    pub user: u32,
    /// What it allows.
    pub kind: GrantKind,
    /// The lower file.
    pub file: FileId,
    /// When it ends, in seconds since 1970.
    pub expires: Option<i64>,
}

/// Which grants of an app are meant: those on the file of a row of the catalog, and those on a lower file. The two are one
/// file, unless something happened behind the mount that the catalog has not heard of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meant {
    /// The row.
    pub row: Option<i64>,
    /// The lower file.
    pub file: Option<FileId>,
}

/// Why a grant was not given.
#[derive(Debug, thiserror::Error)]
pub enum GrantError<E> {
    /// The app has as many as one may have.
    #[error(
        "package {package:?} has {MOST_OTHERS} grants to {kind} already; remove some, or give it a permission"
    )]
    TooMany {
        /// The package.
        package: String,
        /// The kind's word.
        kind: &'static str,
    },
    /// It could not be written down.
    #[error(transparent)]
    Persist(E),
}

/// One kind of grant on one file; `id` 0 means that there is none.
#[derive(Clone, Copy, Debug, Default)]
struct Term {
    id: i64,
    expires: i64,
}

impl Term {
    fn is_on(self, now: i64) -> bool {
        self.id != 0 && now < self.expires
    }
}

/// What an app holds on one file.
#[derive(Clone, Copy, Debug)]
struct Held {
    generation: u64,
    row: i64,
    /// By kind.
    terms: [Term; 3],
}

impl Held {
    fn ids(&self) -> impl Iterator<Item = i64> + '_ {
        self.terms.iter().map(|term| term.id).filter(|id| *id != 0)
    }
}

/// What one app holds: by volume and inode number.
type OfApp = HashMap<(i64, u64), Held>;
/// By package, then by user: few packages are in many users.
type Map = HashMap<Arc<str>, Vec<(u32, Arc<OfApp>)>>;

/// What a caller holds, as of one moment. Allocates only for a shared uid of which several packages hold something.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    first: Option<Arc<OfApp>>,
    others: Vec<Arc<OfApp>>,
}

impl Holdings {
    /// Whether nothing at all is held, or was.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// What is granted on a file now.
    pub fn on(&self, file: FileId) -> FileGrants {
        self.on_at(file, now)
    }

    fn on_at(&self, file: FileId, now: impl Fn() -> i64) -> FileGrants {
        let mut all = FileGrants::NONE;
        for app in self.first.iter().chain(&self.others) {
            let Some(held) = app.get(&(file.volume, file.ino)) else { continue };
            if held.generation == file.generation {
                let now = now();
                for (kind, _) in GrantKind::ALL.iter().zip(held.terms).filter(|(_, term)| term.is_on(now)) {
                    all = all.with(kind.bits());
                }
            }
        }
        all
    }
}

/// All grants.
#[derive(Debug, Default)]
pub struct Grants {
    map: ArcSwap<Map>,
    /// The number of the newest grant.
    changing: Mutex<i64>,
    /// The number of the grant that is being added, which was stored and may not be in the map yet; else 0.
    adding: AtomicI64,
    /// A grant that went while it was being added.
    lost: AtomicI64,
    /// Those in whose place it comes: they go in the moment in which it is there, and not before.
    replaced: ArcSwap<Vec<i64>>,
}

impl Grants {
    /// What these packages hold in a user.
    pub fn of(&self, packages: &[Arc<str>], user: u32) -> Holdings {
        let map = self.map.load();
        if map.is_empty() {
            return Holdings::default();
        }
        let mut apps = packages.iter().filter_map(|package| app(&map, package, user)).cloned();
        Holdings { first: apps.next(), others: apps.collect() }
    }

    /// Takes over what was stored. Calls `load` with changes kept out.
    pub fn reload<E>(&self, load: impl FnOnce() -> Result<Vec<Grant>, E>) -> Result<(), E> {
        let mut newest = self.changing.lock();
        let grants = load()?;
        *newest = grants.iter().map(|grant| grant.id).fold(*newest, i64::max);
        let mut apps: HashMap<(Arc<str>, u32), OfApp> = HashMap::new();
        for grant in grants {
            insert(apps.entry((Arc::clone(&grant.package), grant.user)).or_default(), &grant);
        }
        let mut map = Map::new();
        for ((package, user), app) in apps {
            map.entry(package).or_default().push((user, Arc::new(app)));
        }
        self.map.store(Arc::new(map));
        Ok(())
    }

    /// Adds a grant, in place of the one of its kind that the app has on the file. `persist` gets it with the
    /// numbers of those that go, and gives back the number of the file's row. In force when this returns.
    pub fn add<E>(
        &self,
        new: &NewGrant<'_>,
        persist: impl FnOnce(&Grant, &[i64]) -> Result<i64, E>,
    ) -> Result<(), GrantError<E>> {
        let mut newest = self.changing.lock();
        let gone = match app(&self.map.load(), new.package, new.user) {
            Some(app) => room(app, new)?,
            None => Vec::new(),
        };
        let mut grant = Grant {
            id: *newest + 1,
            package: new.package.into(),
            user: new.user,
            kind: new.kind,
            file: new.file,
            row: 0,
            expires: new.expires,
        };
        // Whatever becomes of it, its number is used up.
        *newest = grant.id;
        self.adding.store(grant.id, SeqCst);
        self.replaced.store(Arc::new(gone.clone()));
        let stored = persist(&grant, &gone);
        if let Ok(row) = stored {
            grant.row = row;
            let gone = gone.iter().copied().collect();
            self.change(new.package, new.user, |app| {
                drop_ids(app, &gone);
                insert(app, &grant);
            });
        }
        self.adding.store(0, SeqCst);
        self.replaced.store(Arc::default());
        // Whoever loses it from now on finds it in the map; who lost it before left word.
        if self.lost.load(SeqCst) == grant.id {
            self.lose(&[grant.id]);
        }
        stored.map(drop).map_err(GrantError::Persist)
    }

    /// Removes what an app holds on one file, or on all files. `persist` gets the numbers. Says how many there were, without
    /// those that had ended. None is in force when this returns.
    pub fn remove<E>(
        &self,
        package: &str,
        user: u32,
        on: Option<Meant>,
        persist: impl FnOnce(Vec<i64>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let _changing = self.changing.lock();
        let Some(app) = app(&self.map.load(), package, user).cloned() else { return Ok(0) };
        let now = now();
        let is_meant = |key: &(i64, u64), held: &Held| {
            on.is_none_or(|on| {
                let is_file =
                    |file: FileId| (file.volume, file.ino) == *key && file.generation == held.generation;
                on.row == Some(held.row) || on.file.is_some_and(is_file)
            })
        };
        let meant = app.iter().filter(|(key, held)| is_meant(key, held));
        let terms: Vec<Term> = meant.flat_map(|(_, held)| held.terms).filter(|term| term.id != 0).collect();
        let ids: Vec<i64> = terms.iter().map(|term| term.id).collect();
        if !ids.is_empty() {
            persist(ids.clone())?;
            self.lose(&ids);
        }
        Ok(terms.into_iter().filter(|term| term.is_on(now)).count())
    }

    /// A file is gone: nobody holds anything on it any more. A later file with its inode number is another one, and keeps
    /// what is held on it, however late this comes.
    pub fn forget(&self, file: FileId) {
        let key = (file.volume, file.ino);
        let has = |app: &OfApp| app.get(&key).is_some_and(|held| held.generation == file.generation);
        if !self.map.load().values().flatten().any(|(_, app)| has(app)) {
            return;
        }
        self.map.rcu(|map| {
            let mut map = Map::clone(map);
            for (_, app) in map.values_mut().flatten().filter(|(_, app)| has(app)) {
                Arc::make_mut(app).remove(&key);
            }
            keep_holders(&mut map);
            map
        });
    }

    /// Grants that are no longer stored, whoever has them.
    pub fn lose(&self, ids: &[i64]) {
        let adding = self.adding.load(SeqCst);
        if adding != 0 && ids.contains(&adding) {
            self.lost.store(adding, SeqCst);
        }
        let replaced = self.replaced.load();
        let ids: HashSet<i64> = ids.iter().copied().filter(|id| !replaced.contains(id)).collect();
        let has = |app: &OfApp| app.values().flat_map(Held::ids).any(|id| ids.contains(&id));
        if !self.map.load().values().flatten().any(|(_, app)| has(app)) {
            return;
        }
        self.map.rcu(|map| {
            let mut map = Map::clone(map);
            for (_, app) in map.values_mut().flatten().filter(|(_, app)| has(app)) {
                drop_ids(Arc::make_mut(app), &ids);
            }
            keep_holders(&mut map);
            map
        });
    }

    /// True if anything is granted on a file of the volume.
    pub fn any_on(&self, volume: i64) -> bool {
        let map = self.map.load();
        map.values().flatten().any(|(_, app)| app.keys().any(|(it, _)| *it == volume))
    }

    /// Drops what those apps hold that `is_installed` does not know. Gives back the numbers, for the catalog.
    pub fn retain_apps(&self, is_installed: impl Fn(&str, u32) -> bool) -> Vec<i64> {
        let map = self.map.load();
        let gone: Vec<(&Arc<str>, u32, &Arc<OfApp>)> = map
            .iter()
            .flat_map(|(package, users)| users.iter().map(move |(user, app)| (package, *user, app)))
            .filter(|(package, user, _)| !is_installed(package, *user))
            .collect();
        for (package, user, _) in &gone {
            self.change(package, *user, HashMap::clear);
        }
        gone.iter().flat_map(|(_, _, app)| app.values()).flat_map(Held::ids).collect()
    }

    /// The grants of one package, or of all, that are in force, oldest first.
    pub fn list(&self, package: Option<&str>, user: Option<u32>) -> Vec<Grant> {
        let (map, now) = (self.map.load(), now());
        let mut all = Vec::new();
        for (package, users) in map.iter().filter(|(name, _)| package.is_none_or(|only| *only == ***name)) {
            for (user, app) in users.iter().filter(|(it, _)| user.is_none_or(|only| only == *it)) {
                for ((volume, ino), held) in app.iter() {
                    let file = FileId { volume: *volume, ino: *ino, generation: held.generation };
                    let on = GrantKind::ALL.into_iter().zip(held.terms).filter(|(_, term)| term.is_on(now));
                    all.extend(on.map(|(kind, term)| Grant {
                        id: term.id,
                        package: Arc::clone(package),
                        user: *user,
                        kind,
                        file,
                        row: held.row,
                        expires: (term.expires != NEVER).then_some(term.expires),
                    }));
                }
            }
        }
        all.sort_unstable_by_key(|grant| grant.id);
        all
    }

    /// Puts a changed table of one app in place.
    fn change(&self, package: &str, user: u32, change: impl Fn(&mut OfApp)) {
        self.map.rcu(|map| {
            let mut map = Map::clone(map);
            let mut users = map.remove(package).unwrap_or_default();
            let mut table = match users.iter().position(|(it, _)| *it == user) {
                Some(at) => users.swap_remove(at).1,
                None => Arc::default(),
            };
            change(Arc::make_mut(&mut table));
            if !table.is_empty() {
                users.push((user, table));
            }
            if !users.is_empty() {
                map.insert(package.into(), users);
            }
            map
        });
    }
}

fn app<'a>(map: &'a Map, package: &str, user: u32) -> Option<&'a Arc<OfApp>> {
    map.get(package)?.iter().find(|(it, _)| *it == user).map(|(_, app)| app)
}

/// The grants that go when `new` comes: the one it replaces, those on an earlier file with its inode number, those
/// that have ended, and the oldest selection if there are too many.
fn room<E>(app: &OfApp, new: &NewGrant<'_>) -> Result<Vec<i64>, GrantError<E>> {
    let (kind, now) = (new.kind as usize, now());
    let mut gone: Vec<i64> = app
        .values()
        .flat_map(|held| held.terms)
        .filter(|it| it.id != 0 && !it.is_on(now))
        .map(|it| it.id)
        .collect();
    if let Some(held) = app.get(&(new.file.volume, new.file.ino)) {
        let replaced = |term: &Term| held.generation != new.file.generation || term.id == held.terms[kind].id;
        gone.extend(held.terms.iter().filter(|term| term.is_on(now) && replaced(term)).map(|term| term.id));
    }
    let others = app.values().map(|held| held.terms[kind].id).filter(|id| *id != 0 && !gone.contains(id));
    let mut others: Vec<i64> = others.collect();
    if new.kind == GrantKind::Selected {
        others.sort_unstable();
        let too_many = (others.len() + 1).saturating_sub(MOST_SELECTED);
        gone.extend(others.into_iter().take(too_many));
    } else if others.len() >= MOST_OTHERS {
        return Err(GrantError::TooMany { package: new.package.to_owned(), kind: new.kind.word() });
    }
    Ok(gone)
}

fn insert(app: &mut OfApp, grant: &Grant) {
    let generation = grant.file.generation;
    let fresh = Held { generation, row: grant.row, terms: Default::default() };
    let held = app.entry((grant.file.volume, grant.file.ino)).or_insert(fresh);
    if held.generation != generation {
        *held = fresh;
    }
    held.row = grant.row;
    held.terms[grant.kind as usize] = Term { id: grant.id, expires: grant.expires.unwrap_or(NEVER) };
}

/// Nothing is kept of who holds nothing.
fn keep_holders(map: &mut Map) {
    map.retain(|_, users| {
        users.retain(|(_, app)| !app.is_empty());
        !users.is_empty()
    });
}

fn drop_ids(app: &mut OfApp, ids: &HashSet<i64>) {
    if ids.is_empty() {
        return;
    }
    app.retain(|_, held| {
        for term in held.terms.iter_mut().filter(|term| ids.contains(&term.id)) {
            *term = Term::default();
        }
        held.terms.iter().any(|term| term.id != 0)
    });
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(NEVER)
}

#[cfg(test)]
#[path = "grants_tests.rs"]
mod tests;
