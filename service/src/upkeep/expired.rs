//! Files whose time in the trash, or as pending, is over (MediaProvider's `handleExpiredItems`).
//!
//! What expired within the last week goes. What expired before that did so while nobody looked, perhaps because the clock
//! was wrong: it gets a week more. The file's name says when, as it does everywhere; the index only finds it.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use mediagate_policy::{ExpiringName, NameState};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::Place;
use super::steps::Work;
use crate::catalog::{CatalogError, Entry, VolumeKey};
use crate::observe::Counter;
use crate::volume::Acting;

const WEEK: i64 = 7 * 24 * 3600;
/// Files in one page of work.
const PAGE: usize = 256;
/// Files that could not be seen to before the step gives up.
const MOST_FAILED: usize = 4096;
/// Longest name (`NAME_MAX`).
const LONGEST: usize = 255;
/// Names that are tried for a file that stays.
const TRIES: i64 = 64;

/// What becomes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its name says that it is not due, or nothing.
    Stays,
    Goes,
    /// It gets these names to choose from.
    Extended(Vec<Vec<u8>>),
}

/// What is to become of a file of this name at `now`.
pub(super) fn fate(name: &[u8], now: i64) -> Fate {
    let Some(parsed) = ExpiringName::parse(name) else { return Fate::Stays };
    let expires = i64::try_from(parsed.expires).unwrap_or(i64::MAX);
    if expires > now {
        return Fate::Stays;
    }
    if expires > now - WEEK {
        return Fate::Goes;
    }
    let word = if parsed.state == NameState::Pending { "pending" } else { "trashed" };
    let new = |again: i64| {
        let head = format!(".{word}-{}-", now + WEEK + again);
        [head.as_bytes(), cut(parsed.plain, LONGEST.saturating_sub(head.len()))].concat()
    };
    Fate::Extended((0..TRIES).map(new).collect())
}

/// The end of a name: what tells its type is there.
fn cut(name: &[u8], most: usize) -> &[u8] {
    let mut from = name.len().saturating_sub(most);
    // Not in the middle of a character.
    while name.get(from).is_some_and(|byte| byte & 0xc0 == 0x80) {
        from += 1;
    }
    name.get(from..).unwrap_or_default()
}

pub(super) fn expired(work: &Work<'_>) -> Result<String, CatalogError> {
    let catalog = &work.means.catalog;
    let now = (work.means.clock)();
    let mut left_alone: HashSet<i64> = HashSet::new();
    let (mut deleted, mut extended) = (0_u64, 0_u64);
    loop {
        let places = work.places();
        let keys: Vec<VolumeKey> = places.iter().map(|it| it.volume.key).collect();
        for key in &keys {
            catalog.flush_volume(*key)?;
        }
        let page = catalog.expired(&keys, now, PAGE + left_alone.len())?;
        let fresh: Vec<&Entry> = page.iter().filter(|it| !left_alone.contains(&it.id)).collect();
        if fresh.is_empty() || left_alone.len() > MOST_FAILED {
            break;
        }
        for entry in fresh {
            if work.is_cancelled() {
                break;
            }
            let Some(place) = places.iter().find(|it| it.volume.key == entry.key.volume) else { continue };
            let outcome = match fate(&entry.key.name, now) {
                Fate::Stays => Ok(None),
                Fate::Goes => delete(place, entry).map(|()| Some(Counter::Expired)),
                Fate::Extended(names) => extend(place, entry, &names).map(|()| Some(Counter::Extended)),
            };
            match outcome {
                Ok(Some(what)) => {
                    work.did(1);
                    work.means.observer.count(what);
                    deleted += u64::from(what == Counter::Expired);
                    extended += u64::from(what == Counter::Extended);
                }
                Ok(None) => {
                    left_alone.insert(entry.id);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    catalog.remove_gone(entry.key.clone(), entry.row.ino, entry.row.birth);
                }
                Err(error) => {
                    log::warn!("volume={}: an expired file stays: {error}", place.volume.name);
                    work.could_not();
                    left_alone.insert(entry.id);
                }
            }
        }
        if work.is_cancelled() {
            break;
        }
    }
    Ok(format!("{deleted} files deleted, {extended} got a week more"))
}

fn path(place: &Place, entry: &Entry, name: &[u8]) -> PathBuf {
    let mut key = entry.key.clone();
    key.name = name.to_vec();
    place.mount.join(Path::new(OsStr::from_bytes(&place.volume.lower_path(&key))))
}

fn delete(place: &Place, entry: &Entry) -> io::Result<()> {
    let _as_root = Acting::for_uid(0);
    std::fs::remove_file(path(place, entry, &entry.key.name))
}

fn extend(place: &Place, entry: &Entry, names: &[Vec<u8>]) -> io::Result<()> {
    let _as_root = Acting::for_uid(0);
    let from = path(place, entry, &entry.key.name);
    for name in names {
        match renameat_with(CWD, &from, CWD, path(place, entry, name), RenameFlags::NOREPLACE) {
            Err(rustix::io::Errno::EXIST) => {}
            other => return other.map_err(io::Error::from),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn named(expires: i64) -> Vec<u8> {
        format!(".trashed-{expires}-x.jpg").into_bytes()
    }

    #[test]
    fn what_expired_this_week_goes_and_what_expired_before_gets_a_week_more() {
        assert_eq!(fate(&named(NOW + 1), NOW), Fate::Stays);
        assert_eq!(fate(&named(NOW), NOW), Fate::Goes);
        assert_eq!(fate(&named(NOW - WEEK + 1), NOW), Fate::Goes);
        for long_ago in [NOW - WEEK, 0] {
            let Fate::Extended(names) = fate(&named(long_ago), NOW) else { panic!("{long_ago}") };
            assert_eq!(names[0], named(NOW + WEEK));
            assert_eq!(names[1], named(NOW + WEEK + 1));
        }
        assert_eq!(fate(b"x.jpg", NOW), Fate::Stays);
        assert_eq!(fate(b".trashed-x.jpg", NOW), Fate::Stays);
    }

    #[test]
    fn a_longer_number_does_not_make_the_name_too_long() {
        let long = [b".pending-1-".as_slice(), "ä".repeat(120).as_bytes(), b".jpg"].concat();
        assert_eq!(long.len(), 255);
        let Fate::Extended(names) = fate(&long, NOW) else { panic!() };
        assert!(names.iter().all(|name| name.len() <= LONGEST && name.ends_with("ä.jpg".as_bytes())));
        assert!(std::str::from_utf8(&names[0]).is_ok());
        assert!(names[0].starts_with(b".pending-1800604800-"));
    }
}
