//! The store's AIDL object, for every caller: each method says who is calling, converts, calls, converts back.
//!
//! # Observers
//! On kernel binder a thread of its own calls each observer as changes come. On a socket nobody but the client begins
//! anything, so an observer is called by the thread of a `deliver` of its own process. Either way an observer ends with its
//! process: a call that fails ends it, and so does its obituary.
//!
//! Lock: `watching`, held for bookkeeping.

use std::sync::{Arc, Weak};
use std::time::Duration;

use mediagate_aidl as aidl;
use parking_lot::Mutex;
use rsbinder::{
    BinderResult, Caller, DeathRecipient, Interface, ParcelFileDescriptor, SIBinder, Strong, WIBinder,
};

use super::authz;
use super::service::status;
use super::store_wire as wire;
use crate::control::store::{Observation, Store, StoreCaller, Told};
use crate::control::{Control, ControlError};

/// The longest a `deliver` waits.
const LONGEST: Duration = Duration::from_secs(30);
/// How often the thread of an observer looks whether it is still wanted.
const PERIOD: Duration = Duration::from_secs(5);

/// The store behind the AIDL.
pub(super) struct StoreBinder {
    control: Arc<dyn Control>,
    store: Arc<dyn Store>,
    watching: Arc<Watching>,
}

type Watching = Mutex<Vec<Watcher>>;

struct Watcher {
    observer: SIBinder,
    uid: u32,
    place: Arc<dyn Observation>,
    /// Told of the end of its process.
    _obituary: Option<Arc<Obituary>>,
}

/// Ends an observer with its process.
struct Obituary {
    watching: Weak<Watching>,
    observer: Mutex<Option<WIBinder>>,
}

impl DeathRecipient for Obituary {
    fn binder_died(&self, who: &WIBinder) {
        let Some(watching) = self.watching.upgrade() else { return };
        let dead = |it: &Watcher| SIBinder::downgrade(&it.observer) == *who;
        let mut ended = Vec::new();
        watching.lock().retain(|it| {
            let dies = dead(it);
            if dies {
                ended.push(Arc::clone(&it.place));
            }
            !dies
        });
        ended.iter().for_each(|it| it.close());
        *self.observer.lock() = None;
    }
}

impl StoreBinder {
    pub(super) fn new(control: Arc<dyn Control>) -> Self {
        let store = Arc::clone(&control).media_store();
        StoreBinder { control, store, watching: Arc::default() }
    }

    fn caller(&self) -> BinderResult<StoreCaller> {
        let caller = authz::caller(&*self.control)?;
        Ok(StoreCaller { uid: caller.uid, admin: caller.admin })
    }

    fn place(&self, caller: StoreCaller, observer: &SIBinder) -> BinderResult<Arc<dyn Observation>> {
        let watching = self.watching.lock();
        let place = watching.iter().find(|it| it.uid == caller.uid && it.observer == *observer);
        place.map(|it| Arc::clone(&it.place)).ok_or_else(|| status(unknown()))
    }

    fn forget(watching: &Watching, uid: u32, observer: &SIBinder) -> bool {
        let mut watching = watching.lock();
        let Some(at) = watching.iter().position(|it| it.uid == uid && it.observer == *observer) else {
            return false;
        };
        let ended = watching.swap_remove(at);
        drop(watching);
        ended.place.close();
        true
    }
}

fn unknown() -> ControlError {
    ControlError::NotFound("this observer is not registered".to_owned())
}

/// Calls an observer; says of how many changes it was told.
fn call(observer: &Strong<dyn aidl::IMediaObserver>, told: Told) -> BinderResult<usize> {
    let (notices, missed) = told;
    let notices: Vec<_> = notices.into_iter().map(wire::notice_to_wire).collect();
    observer.onChanged(&notices, i64::try_from(missed).unwrap_or(i64::MAX))?;
    Ok(notices.len())
}

impl Interface for StoreBinder {}

impl aidl::IMediaStore for StoreBinder {
    fn query(&self, query: &aidl::MediaQuery) -> BinderResult<aidl::MediaPage> {
        let caller = self.caller()?;
        let query = wire::query_from_wire(query).map_err(status)?;
        self.store.query(caller, &query).map(wire::page_to_wire).map_err(status)
    }

    fn count(&self, query: &aidl::MediaQuery) -> BinderResult<i64> {
        let caller = self.caller()?;
        let query = wire::query_from_wire(query).map_err(status)?;
        let count = self.store.count(caller, &query).map_err(status)?;
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }

    fn groups(
        &self,
        query: &aidl::MediaQuery,
        by: aidl::MediaGrouping,
        skip: i32,
    ) -> BinderResult<Vec<aidl::MediaGroup>> {
        let caller = self.caller()?;
        let query = wire::query_from_wire(query).map_err(status)?;
        let by = wire::grouping(by).map_err(status)?;
        let skip = super::convert::unsigned("number of groups to skip", skip).map_err(status)?;
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let groups = self.store.groups(caller, &query, by, skip).map_err(status)?;
        Ok(groups.into_iter().map(wire::group_to_wire).collect())
    }

    fn insert(&self, spec: &aidl::InsertSpec) -> BinderResult<aidl::Inserted> {
        let caller = self.caller()?;
        let spec = wire::insert_from_wire(spec).map_err(status)?;
        self.store.insert(caller, &spec).map(wire::inserted_to_wire).map_err(status)
    }

    fn update(&self, ids: &[i64], changes: &aidl::MediaChanges) -> BinderResult<Vec<aidl::MediaResult>> {
        let caller = self.caller()?;
        let ids = wire::ids(ids).map_err(status)?;
        let changes = wire::changes_from_wire(changes).map_err(status)?;
        let results = self.store.update(caller, ids, &changes).map_err(status)?;
        Ok(results.into_iter().map(wire::result_to_wire).collect())
    }

    fn remove(&self, ids: &[i64]) -> BinderResult<Vec<aidl::MediaResult>> {
        let caller = self.caller()?;
        let ids = wire::ids(ids).map_err(status)?;
        let results = self.store.remove(caller, ids).map_err(status)?;
        Ok(results.into_iter().map(wire::result_to_wire).collect())
    }

    fn openFile(&self, id: i64, mode: &str) -> BinderResult<ParcelFileDescriptor> {
        let caller = self.caller()?;
        let mode = wire::mode(mode).map_err(status)?;
        self.store.open_file(caller, id, mode).map(ParcelFileDescriptor::from).map_err(status)
    }

    fn changes(&self, query: &aidl::MediaQuery, since: i64) -> BinderResult<aidl::MediaHistory> {
        let caller = self.caller()?;
        let query = wire::query_from_wire(query).map_err(status)?;
        self.store.changes(caller, &query, since).map(wire::history_to_wire).map_err(status)
    }

    fn version(&self) -> BinderResult<aidl::MediaVersion> {
        self.caller()?;
        let (generation, index) = self.store.version().map_err(status)?;
        Ok(aidl::MediaVersion { generation, index })
    }

    fn registerObserver(
        &self,
        observer: &Strong<dyn aidl::IMediaObserver>,
        filter: &aidl::MediaQuery,
    ) -> BinderResult<()> {
        let caller = self.caller()?;
        let query = wire::query_from_wire(filter).map_err(status)?;
        let binder = observer.as_binder();
        Self::forget(&self.watching, caller.uid, &binder);
        let place = Arc::clone(&self.store).observe(caller, &query).map_err(status)?;
        let obituary = Arc::new(Obituary {
            watching: Arc::downgrade(&self.watching),
            observer: Mutex::new(Some(SIBinder::downgrade(&binder))),
        });
        let recipient: Arc<dyn DeathRecipient> = obituary.clone();
        // Where there are no obituaries (an observer in this process) nobody needs one.
        let linked = binder.link_to_death(Arc::downgrade(&recipient)).is_ok();
        self.watching.lock().push(Watcher {
            observer: binder.clone(),
            uid: caller.uid,
            place: Arc::clone(&place),
            _obituary: linked.then_some(obituary),
        });
        if matches!(rsbinder::calling_caller(), Some(Caller::Kernel { .. })) {
            let (observer, watching) = (observer.clone(), Arc::clone(&self.watching));
            let spawned = std::thread::Builder::new().name("observer".to_owned()).spawn(move || {
                let wanted = || watching.lock().iter().any(|it| Arc::ptr_eq(&it.place, &place));
                while wanted() {
                    let Some(told) = place.take(PERIOD) else { continue };
                    if let Err(why) = call(&observer, told) {
                        log::debug!("an observer of uid {} is gone: {why}", caller.uid);
                        Self::forget(&watching, caller.uid, &binder);
                    }
                }
            });
            spawned
                .map_err(|error| status(ControlError::Failed(format!("cannot start a thread: {error}"))))?;
        }
        Ok(())
    }

    fn unregisterObserver(&self, observer: &Strong<dyn aidl::IMediaObserver>) -> BinderResult<()> {
        let caller = self.caller()?;
        match Self::forget(&self.watching, caller.uid, &observer.as_binder()) {
            true => Ok(()),
            false => Err(status(unknown())),
        }
    }

    fn deliver(&self, observer: &Strong<dyn aidl::IMediaObserver>, millis: i32) -> BinderResult<i32> {
        let caller = self.caller()?;
        let place = self.place(caller, &observer.as_binder())?;
        let patience = Duration::from_millis(u64::try_from(millis).unwrap_or(0)).min(LONGEST);
        match place.take(patience) {
            None => Ok(0),
            Some(told) => Ok(i32::try_from(call(observer, told)?).unwrap_or(i32::MAX)),
        }
    }
}
