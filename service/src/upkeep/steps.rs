//! The steps of maintenance (MediaProvider's `onIdleMaintenance`), but for those that have a file of their own.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::maintenance::Means;
use super::{Place, expired, marks};
use crate::catalog::CatalogError;

/// A step: does it and says what it did.
pub(super) type Step = fn(&Work<'_>) -> Result<String, CatalogError>;

/// All of them, in order.
pub(super) const STEPS: [(&str, Step); 7] = [
    ("expired", expired::expired),
    ("packages", packages),
    ("users", users),
    ("volumes", volumes),
    ("tombstones", tombstones),
    ("marks", marks::marks),
    ("catalog", catalog),
];

const DAY: i64 = 24 * 3600;
/// A volume that was not attached for so long is forgotten.
const FORGOTTEN: i64 = 30 * DAY;
/// When volumes were last looked for longer ago than that, the clock is not believed to have gone on evenly since. What
/// was known of a card that cannot carry its owners is not to be had again.
const LEAP: i64 = 7 * DAY;
/// For so long clients can ask what is gone.
const TOLD: i64 = 30 * DAY;
/// Tombstones that are kept, however young.
const TOMBSTONES: usize = 100_000;

/// What a step works with.
pub(super) struct Work<'a> {
    pub(super) means: &'a Means,
    pub(super) done: &'a AtomicU64,
    pub(super) failed: &'a AtomicU64,
}

impl Work<'_> {
    /// The step is to end.
    pub(super) fn is_cancelled(&self) -> bool {
        self.means.cancel.load(Relaxed)
    }

    /// So many things were done.
    pub(super) fn did(&self, count: u64) {
        self.done.fetch_add(count, Relaxed);
    }

    /// Something could not be done.
    pub(super) fn could_not(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    /// The volumes whose files can be counted on: those that are indexed and not suddenly empty.
    pub(super) fn places(&self) -> Vec<Place> {
        let mut places = (self.means.places)();
        places.retain(|it| it.indexed && !it.emptied);
        places
    }

    pub(super) fn count(&self) -> u64 {
        self.done.load(Relaxed)
    }
}

/// Files whose owners are not installed any more become nobody's (`pruneStalePackages`).
fn packages(work: &Work<'_>) -> Result<String, CatalogError> {
    let catalog = &work.means.catalog;
    let mut after = String::new();
    while let Some(owner) = catalog.next_owner(&after)?.filter(|_| !work.is_cancelled()) {
        if !work.means.identity.is_installed(&owner) && has_more_than_its_place(work, &owner)? {
            work.means.departing.clear(&owner)?;
            while !work.means.departing.settle(&owner, Duration::from_millis(200)) && !work.is_cancelled() {}
            work.did(1);
        }
        after = owner;
    }
    Ok(format!("files of {} packages that are not installed made nobody's", work.count()))
}

/// Not all rows of a package are its own by their place, where they stay so.
fn has_more_than_its_place(work: &Work<'_>, owner: &str) -> Result<bool, CatalogError> {
    let places = work.places();
    let mut after = 0;
    loop {
        let page = work.means.catalog.rows_of_package(owner, after, 512)?;
        let Some(last) = page.last() else { return Ok(false) };
        after = last.id;
        for entry in &page {
            let place = places.iter().find(|it| it.volume.key == entry.key.volume);
            if place.is_some_and(|it| it.volume.owner_by_place(&entry.key).as_deref() != Some(owner)) {
                return Ok(true);
            }
        }
    }
}

/// Rows of users that a volume does not serve any more.
fn users(work: &Work<'_>) -> Result<String, CatalogError> {
    let catalog = &work.means.catalog;
    let mut count = 0_u64;
    for place in work.places() {
        let users = &place.volume.users;
        let mut after = -1;
        while let Some(user) = catalog.next_user(place.volume.key, after)?.filter(|_| !work.is_cancelled()) {
            if !users.is_empty() && !users.contains(&user) {
                work.did(catalog.remove_user_on(place.volume.key, user)?);
                count += 1;
            }
            after = i64::from(user);
        }
    }
    Ok(format!("{} rows of {count} users forgotten", work.count()))
}

/// For how long a volume was not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absence {
    Short,
    Long,
    /// Nobody looked for so long, or the clock was changed: it counts from now on.
    Unknown,
}

/// Of a volume that was there at `seen`, when volumes were looked for at `last_looked` and now.
fn absence(seen: i64, last_looked: i64, now: i64) -> Absence {
    if seen >= now - FORGOTTEN {
        Absence::Short
    } else if last_looked < now - LEAP || seen == 0 {
        // That of a catalog of before volumes were seen is not known, either.
        Absence::Unknown
    } else {
        Absence::Long
    }
}

/// Volumes that were not there for long (`pruneRecentVolumes`). Those that are there are seen now.
fn volumes(work: &Work<'_>) -> Result<String, CatalogError> {
    let catalog = &work.means.catalog;
    let places = (work.means.places)();
    let last_looked = catalog.volumes()?.iter().map(|it| it.seen).max().unwrap_or(0);
    for place in &places {
        catalog.saw_volume(place.volume.key)?;
    }
    let now = (work.means.clock)();
    let mut count = 0_u64;
    for known in catalog.volumes()? {
        let attached = (work.means.places)().iter().any(|it| it.volume.key == known.key);
        if attached || work.is_cancelled() {
            continue;
        }
        match absence(known.seen, last_looked, now) {
            Absence::Short => {}
            Absence::Long => {
                work.did(catalog.remove_volume(known.key)?);
                count += 1;
            }
            Absence::Unknown => catalog.saw_volume(known.key)?,
        }
    }
    Ok(format!("{count} volumes with {} rows forgotten", work.count()))
}

fn tombstones(work: &Work<'_>) -> Result<String, CatalogError> {
    let before = (work.means.clock)() - TOLD;
    work.did(work.means.catalog.prune_tombstones(before, TOMBSTONES)?);
    Ok(format!("{} tombstones pruned", work.count()))
}

fn catalog(work: &Work<'_>) -> Result<String, CatalogError> {
    work.means.catalog.tidy(&work.means.cancel)?;
    Ok("checked, and its log folded in".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_leaps_makes_no_volume_forgotten() {
        let now = 1_000 * DAY;
        let of = |seen: i64, last_looked: i64| absence(now - seen * DAY, now - last_looked * DAY, now);
        assert_eq!(of(29, 1), Absence::Short);
        assert_eq!(of(31, 1), Absence::Long);
        // Thirty days ahead, or the service was off.
        assert_eq!((of(31, 30), of(31, 8)), (Absence::Unknown, Absence::Unknown));
        assert_eq!(of(-30, -30), Absence::Short, "and back again");
        assert_eq!(absence(0, now - DAY, now), Absence::Unknown);
    }
}
