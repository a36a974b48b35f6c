//! Observers: who is told when files change that it may see.
//!
//! One thread takes what the catalog commits, and asks for each observer, as the caller it is of, which of the changed files
//! its query finds now: an observer hears of a file by its id, and of no file that it could not have asked for. What cannot be
//! told one by one is told as [`NoticeKind::Many`], which names a volume at most, to who sees something in the trees in which
//! it happened.
//!
//! What waits for an observer is bounded. When it is full all of it becomes one [`NoticeKind::Many`] and a number. So are the
//! observers: of each uid, and in all; when there are as many as can be, the uid that has most loses its oldest one.
//!
//! Locks: [`Observers::list`], then an observer's `waiting`; neither is held across a query. Bells are rung without the latter.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use mediagate_policy::{MediaType, Operation};
use parking_lot::{Condvar, Mutex};

use super::{Desk, failed};
use crate::access::RowFacts;
use crate::catalog::{Change, ChangeKind, Committed, FileKey, Query, Within};
use crate::control::ControlError;
use crate::control::store::{
    Bell, ChangeNotice, MediaQuery, NoticeKind, Observation, StoreCaller, Taken, Told,
};
use crate::serve::Shared;

/// Observers of one uid.
const PER_UID: usize = 64;
/// Observers of all.
const IN_ALL: usize = 1024;
/// Notices that wait for one observer.
const WAITING: usize = 512;
/// Transactions that wait for the thread.
const BEHIND: usize = 256;

/// Who observes.
#[derive(Debug, Default)]
pub(in crate::serve) struct Observers {
    list: Mutex<Listed>,
}

#[derive(Debug, Default)]
struct Listed {
    /// In the order they came.
    all: Vec<Weak<Place>>,
    running: bool,
}

impl Listed {
    fn open(&mut self) -> Vec<Arc<Place>> {
        self.all.retain(|it| it.upgrade().is_some_and(|it| !it.waiting.lock().closed));
        self.all.iter().filter_map(Weak::upgrade).collect()
    }

    /// Makes room for one of `uid`; false if it has as many as it may have.
    fn make_room(&mut self, uid: u32) -> bool {
        let open = self.open();
        let mut counts = HashMap::<u32, usize>::new();
        for it in &open {
            *counts.entry(it.caller.uid).or_default() += 1;
        }
        if counts.get(&uid).is_some_and(|it| *it >= PER_UID) {
            return false;
        }
        let greediest = counts.into_iter().max_by_key(|(_, count)| *count).map(|(uid, _)| uid);
        if open.len() >= IN_ALL
            && let Some(oldest) = open.iter().find(|it| Some(it.caller.uid) == greediest)
        {
            log::warn!("there are {IN_ALL} observers: uid {} loses one", oldest.caller.uid);
            oldest.close();
        }
        true
    }
}

/// One observer's place.
struct Place {
    caller: StoreCaller,
    query: MediaQuery,
    waiting: Mutex<Waiting>,
    came: Condvar,
    bell: Bell,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place").field("caller", &self.caller).field("waiting", &self.waiting).finish()
    }
}

#[derive(Debug, Default)]
struct Waiting {
    notices: Vec<ChangeNotice>,
    missed: u64,
    closed: bool,
}

impl Waiting {
    fn push(&mut self, new: Vec<ChangeNotice>) {
        if self.notices.len() + new.len() <= WAITING {
            self.notices.extend(new);
            return;
        }
        self.lose(&new, 0);
    }

    /// Puts one notice in the place of all that wait and of these, beside which `missed` were left out already.
    fn lose(&mut self, more: &[ChangeNotice], missed: u64) {
        let left_out = self.notices.iter().chain(more);
        let generation = left_out.clone().map(|it| it.generation).max().unwrap_or(0);
        let dropped = left_out.filter(|it| it.kind != NoticeKind::Many).count();
        let dropped = u64::try_from(dropped).unwrap_or(u64::MAX);
        self.missed = self.missed.saturating_add(missed).saturating_add(dropped);
        self.notices = vec![many(String::new(), generation)];
    }
}

impl Observation for Place {
    fn take(&self, patience: Duration) -> Taken {
        let deadline = Instant::now() + patience;
        let mut waiting = self.waiting.lock();
        while waiting.notices.is_empty() && !waiting.closed {
            if self.came.wait_until(&mut waiting, deadline).timed_out() {
                break;
            }
        }
        if waiting.closed {
            return Taken::Closed;
        }
        let notices = std::mem::take(&mut waiting.notices);
        let missed = std::mem::take(&mut waiting.missed);
        if notices.is_empty() { Taken::Nothing } else { Taken::Told((notices, missed)) }
    }

    fn give_back(&self, (notices, missed): Told) {
        let mut waiting = self.waiting.lock();
        if !waiting.closed {
            waiting.lose(&notices, missed);
        }
    }

    fn close(&self) {
        *self.waiting.lock() = Waiting { closed: true, ..Waiting::default() };
        self.came.notify_all();
        (self.bell)();
    }
}

fn many(volume: String, generation: i64) -> ChangeNotice {
    ChangeNotice { kind: NoticeKind::Many, volume, id: 0, generation }
}

/// Begins to observe; it ends when what this returns is closed or dropped.
pub(super) fn begin(
    shared: &Arc<Shared>,
    caller: StoreCaller,
    query: &MediaQuery,
    bell: Bell,
) -> Result<Arc<dyn Observation>, ControlError> {
    let place = Arc::new(Place {
        caller,
        query: MediaQuery { after: None, details: false, limit: 0, ..query.clone() },
        waiting: Mutex::default(),
        came: Condvar::new(),
        bell,
    });
    let mut list = shared.observers.list.lock();
    if !list.make_room(caller.uid) {
        return Err(ControlError::Failed(format!(
            "there are too many observers; {PER_UID} of one uid are the most"
        )));
    }
    if !list.running {
        let committed = shared.catalog.subscribe(BEHIND);
        let weak = Arc::downgrade(shared);
        std::thread::Builder::new()
            .name("observers".into())
            .spawn(move || run(&weak, &committed))
            .map_err(|error| ControlError::Failed(format!("cannot start a thread: {error}")))?;
        list.running = true;
    }
    list.all.push(Arc::downgrade(&place));
    Ok(place)
}

fn run(shared: &Weak<Shared>, committed: &Receiver<Arc<Committed>>) {
    while let Ok(committed) = committed.recv() {
        let Some(shared) = shared.upgrade() else { return };
        let places: Vec<Arc<Place>> = {
            let mut list = shared.observers.list.lock();
            let open = list.open();
            if open.is_empty() {
                list.running = false;
                return;
            }
            open
        };
        for place in places {
            tell(&shared, &place, &committed);
        }
    }
}

fn tell(shared: &Shared, place: &Place, committed: &Committed) {
    let notices = match notices(shared, place, committed) {
        Ok(notices) => notices,
        Err(error) => {
            log::warn!("uid={}: its observer is told in general terms only: {error}", place.caller.uid);
            vec![many(String::new(), committed.generation)]
        }
    };
    if notices.is_empty() {
        return;
    }
    {
        let mut waiting = place.waiting.lock();
        if waiting.closed {
            return;
        }
        waiting.push(notices);
        place.came.notify_all();
    }
    (place.bell)();
}

fn notices(shared: &Shared, place: &Place, committed: &Committed) -> Result<Vec<ChangeNotice>, ControlError> {
    // Who the caller is by now, not who it was when it began. All that is asked about is committed.
    let volumes = shared.volumes.all();
    let desk = Desk { shared, caller: place.caller, who: shared.access.who(place.caller.uid), volumes };
    let query = match desk.query(&place.query) {
        // The volume that it observes is detached.
        Err(ControlError::NotFound(_)) => return Ok(Vec::new()),
        query => query?,
    };
    // A tree of which the caller sees nothing is no scope.
    let is_asked = |volume, user| query.scopes.iter().any(|it| (it.volume, it.user) == (volume, user));
    if committed.many || committed.missed {
        let trees = committed.trees.as_ref().filter(|_| !committed.missed);
        let asked = match trees {
            Some(trees) => trees.iter().any(|(volume, user)| is_asked(*volume, *user)),
            None => !query.scopes.is_empty(),
        };
        if !asked {
            return Ok(Vec::new());
        }
        return Ok(vec![many(place.query.volume.clone().unwrap_or_default(), committed.generation)]);
    }
    let in_scope = |change: &&Change| is_asked(change.key.volume, change.key.user);
    let changes: Vec<&Change> = committed.changes.iter().filter(in_scope).collect();
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let (found, seen) = found(&desk, &query, &changes)?;
    let mut notices: Vec<ChangeNotice> = Vec::new();
    for change in changes {
        let Some(attached) = desk.attached(change.key.volume) else { continue };
        let kind = match change.kind {
            ChangeKind::Below => saw(&desk, &query, change).then_some(NoticeKind::Many),
            ChangeKind::Added if found.contains(&change.id) => Some(NoticeKind::Added),
            ChangeKind::Changed if found.contains(&change.id) => Some(NoticeKind::Changed),
            // The caller sees it, but not in what it observes: it may have gone from there.
            ChangeKind::Changed if seen.contains(&change.id) => Some(NoticeKind::Removed),
            ChangeKind::Removed => saw(&desk, &query, change).then_some(NoticeKind::Removed),
            ChangeKind::Added | ChangeKind::Changed | ChangeKind::MovedAway => None,
        };
        let Some(kind) = kind else { continue };
        let id = if kind == NoticeKind::Many { 0 } else { change.id };
        let volume = attached.config.name.clone();
        let notice = ChangeNotice { kind, volume, id, generation: committed.generation };
        if notices.last() != Some(&notice) {
            notices.push(notice);
        }
    }
    Ok(notices)
}

type Ids = std::collections::HashSet<i64>;

/// Which of the changed files the query finds, and which the caller sees at all.
fn found(desk: &Desk<'_>, query: &Query, changes: &[&Change]) -> Result<(Ids, Ids), ControlError> {
    let mut ids: Vec<i64> = changes.iter().map(|it| it.id).filter(|id| *id != 0).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok((Ids::new(), Ids::new()));
    }
    let mut anything = query.clone();
    anything.limit = None;
    let criteria = &query.criteria;
    anything.criteria = crate::catalog::Criteria {
        within: Within::Anywhere,
        ids: Some(match &criteria.ids {
            None => ids,
            Some(only) => ids.into_iter().filter(|id| only.contains(id)).collect(),
        }),
        pending: crate::catalog::Match::Include,
        trashed: crate::catalog::Match::Include,
        ..crate::catalog::Criteria::default()
    };
    let ask = |query: &Query| -> Result<Ids, ControlError> {
        let page = desk.shared.catalog.query(query).map_err(|error| failed(&error))?;
        Ok(page.entries.into_iter().map(|it| it.id).collect())
    };
    let seen = ask(&anything)?;
    let mut narrow = anything;
    narrow.criteria =
        crate::catalog::Criteria { ids: Some(seen.iter().copied().collect()), ..criteria.clone() };
    Ok((ask(&narrow)?, seen))
}

/// Whether the caller could see a file that is gone, or one of those that anything may have happened to.
fn saw(desk: &Desk<'_>, query: &Query, change: &Change) -> bool {
    let media_type = MediaType::from_number(change.media_type).unwrap_or_default();
    let criteria = &query.criteria;
    let wanted =
        criteria.types.has(media_type) && criteria.ids.as_ref().is_none_or(|ids| ids.contains(&change.id));
    let facts = RowFacts { owner: change.owner.clone(), media_type, file: None };
    let Some(attached) = desk.attached(change.key.volume).filter(|_| wanted) else { return false };
    let below = change.kind == ChangeKind::Below;
    let some = || FileKey { name: b"file".to_vec(), ..change.key.clone() };
    let key = if below { Cow::Owned(some()) } else { Cow::Borrowed(&change.key) };
    let subject = Desk::subject(attached, &key, Some(facts));
    // Which files were given to somebody is not gone through.
    (below && desk.who.holds_grants())
        || subject.is_some_and(|it| desk.shared.access.shows(&desk.who, &it, Operation::ListEntry))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notices(count: usize) -> Vec<ChangeNotice> {
        let one = |id| ChangeNotice { kind: NoticeKind::Added, volume: "v".into(), id, generation: id };
        (1..=count as i64).map(one).collect()
    }

    fn place() -> Place {
        of(1)
    }

    fn of(uid: u32) -> Place {
        Place {
            caller: StoreCaller { uid, admin: false },
            query: MediaQuery::default(),
            waiting: Mutex::default(),
            came: Condvar::new(),
            bell: Arc::new(|| ()),
        }
    }

    #[test]
    fn who_keeps_up_hears_everything() {
        let place = place();
        assert_eq!(place.take(Duration::ZERO), Taken::Nothing);
        place.waiting.lock().push(notices(WAITING));
        assert_eq!(place.take(Duration::ZERO), Taken::Told((notices(WAITING), 0)));
        assert_eq!(place.take(Duration::ZERO), Taken::Nothing);
    }

    #[test]
    fn who_does_not_hears_how_much_it_missed() {
        let place = place();
        place.waiting.lock().push(notices(WAITING));
        place.waiting.lock().push(notices(3));
        place.waiting.lock().push(notices(2));
        let Taken::Told((told, missed)) = place.take(Duration::ZERO) else { panic!("nothing") };
        assert_eq!(missed, WAITING as u64 + 3);
        assert_eq!(told[0], many(String::new(), WAITING as i64));
        assert_eq!(told[1..], notices(2));
        place.waiting.lock().push(notices(1));
        assert_eq!(place.take(Duration::ZERO), Taken::Told((notices(1), 0)));
    }

    #[test]
    fn a_closed_place_holds_nothing() {
        let place = place();
        place.waiting.lock().push(notices(1));
        place.close();
        let begin = Instant::now();
        assert_eq!(place.take(Duration::from_secs(60)), Taken::Closed);
        assert!(begin.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn what_could_not_be_told_is_counted() {
        let place = place();
        place.waiting.lock().push(notices(3));
        let Taken::Told(told) = place.take(Duration::ZERO) else { panic!("nothing") };
        place.waiting.lock().push(notices(2));
        place.give_back(told);
        assert_eq!(place.take(Duration::ZERO), Taken::Told((vec![many(String::new(), 3)], 5)));
        let again = (vec![many(String::new(), 3)], 5);
        place.give_back(again.clone());
        assert_eq!(place.take(Duration::ZERO), Taken::Told(again));
        place.close();
        place.give_back((notices(1), 0));
        assert_eq!(place.take(Duration::ZERO), Taken::Closed);
    }

    #[test]
    fn no_uid_locks_another_one_out() {
        let mut list = Listed::default();
        let mut places = Vec::new();
        let mut come = |list: &mut Listed, uid| {
            let place = Arc::new(of(uid));
            let room = list.make_room(uid);
            if room {
                list.all.push(Arc::downgrade(&place));
                places.push(place);
            }
            room
        };
        for uid in 0..(IN_ALL / PER_UID) as u32 {
            for _ in 0..PER_UID - usize::from(uid > 0) {
                assert!(come(&mut list, uid));
            }
        }
        for uid in 100..100 + (IN_ALL / PER_UID) as u32 - 1 {
            assert!(come(&mut list, uid));
        }
        assert_eq!(list.open().len(), IN_ALL);
        assert!(!come(&mut list, 0), "a uid has its share");
        assert!(come(&mut list, 999));
        assert_eq!(list.open().len(), IN_ALL);
        let closed: Vec<_> =
            places.iter().filter(|it| it.waiting.lock().closed).map(|it| it.caller.uid).collect();
        assert_eq!(closed, [0], "who has most loses its oldest");
        assert!(places[0].waiting.lock().closed);
    }
}
