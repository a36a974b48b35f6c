//! How many files each package owns, for the bound on it (MediaProvider's limit for malicious apps, mediaprovider.md §3.6).
//!
//! A package that owned `n` files when they were counted can make the rest up to the bound without being counted again,
//! whatever it removes meanwhile. So counting costs nothing: once for a package, and again when it has made that many. What
//! comes to be a package's in other ways is seen at the next count.
//!
//! Lock: `left`, not held across SQL.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::params;

use super::{Catalog, sql};

/// Nobody is counted again for less: close to the bound, who makes and removes files would be counted each time.
const AT_LEAST: u64 = 1000;

/// How long it is believed that a package owns too many files.
const FULL: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
enum Room {
    /// For so many files more.
    For(u64),
    /// For none, since then.
    Full(Instant),
}

/// What is known of packages that have made files since the start.
#[derive(Debug)]
pub(super) struct Owned {
    most: u64,
    left: Mutex<HashMap<Arc<str>, Room>>,
}

impl Owned {
    pub(super) fn new(most: u64) -> Owned {
        Owned { most, left: Mutex::default() }
    }

    /// Takes `files` from what is left of what was counted before; `None` if that does not say.
    fn take(&self, owner: &str, files: u64) -> Option<bool> {
        let mut left = self.left.lock();
        match left.get_mut(owner)? {
            Room::For(0) => None,
            Room::For(room) => {
                *room = room.saturating_sub(files);
                Some(true)
            }
            Room::Full(since) => (since.elapsed() < FULL).then_some(false),
        }
    }

    fn counted(&self, owner: &Arc<str>, owned: u64, files: u64) -> bool {
        let has_room = owned < self.most;
        let step = AT_LEAST.min(self.most / 10);
        let room = Room::For(self.most.saturating_sub(owned).max(step).saturating_sub(files));
        let room = if has_room { room } else { Room::Full(Instant::now()) };
        self.left.lock().insert(Arc::clone(owner), room);
        has_room
    }
}

impl Catalog {
    /// Whether a package may make one more file, which counts as made: false for who owns too many already. A catalog that
    /// cannot be read keeps nobody from anything.
    pub fn owns_one_more(&self, owner: &Arc<str>) -> bool {
        self.has_room(owner, 1)
    }

    /// Whether [`Catalog::owns_one_more`] would be false.
    pub fn owns_too_many(&self, owner: &Arc<str>) -> bool {
        !self.has_room(owner, 0)
    }

    fn has_room(&self, owner: &Arc<str>, files: u64) -> bool {
        if let Some(known) = self.owned.take(owner, files) {
            return known;
        }
        let most = i64::try_from(self.owned.most).unwrap_or(i64::MAX);
        let count = self.readers.with(|conn| {
            conn.prepare_cached(sql::OWNED_COUNT)?.query_row(params![owner, most], |row| row.get::<_, i64>(0))
        });
        let Ok(owned) = count else { return true };
        let has_room = self.owned.counted(owner, owned.unsigned_abs(), files);
        if !has_room {
            log::warn!("package={owner}: owns {most} files or more, and makes no new ones");
        }
        has_room
    }
}
