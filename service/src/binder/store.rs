//! The store's AIDL object, for every caller: each method says who is calling, converts, calls, converts back.
//!
//! # Observers
//! On kernel binder a thread of its own calls each observer as changes come. A session on a socket has no connection for
//! calls of the service's own, so its client waits for changes in `awaitChanges`. Either way an observer ends with its process:
//! by its obituary, or by a call that fails.
//!
//! Lock: `watching`, held for bookkeeping.

use std::sync::Arc;
use std::time::Duration;

use mediagate_aidl as aidl;
use parking_lot::Mutex;

use super::authz;
use super::platform::{self, BinderResult, Interface, ParcelFileDescriptor, SIBinder, Strong};
use super::service::status;
use super::store_wire as wire;
use crate::control::store::{Observation, Store, StoreCaller};
use crate::control::{Control, ControlError};

/// The longest an `awaitChanges` waits.
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
    _obituary: platform::Obituary,
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

    fn playlist(&self, id: i64, after: Option<&[u8]>) -> BinderResult<aidl::MediaPage> {
        let caller = self.caller()?;
        self.store.playlist(caller, id, after).map(wire::page_to_wire).map_err(status)
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
        let (weak, who) = (Arc::downgrade(&self.watching), Arc::downgrade(&place));
        let obituary = platform::when_dead(&binder, move || {
            if let (Some(watching), Some(place)) = (weak.upgrade(), who.upgrade()) {
                watching.lock().retain(|it| !Arc::ptr_eq(&it.place, &place));
                place.close();
            }
        });
        self.watching.lock().push(Watcher {
            observer: binder.clone(),
            uid: caller.uid,
            place: Arc::clone(&place),
            _obituary: obituary,
        });
        if platform::can_be_called() {
            let (observer, watching) = (observer.clone(), Arc::clone(&self.watching));
            let spawned = std::thread::Builder::new().name("observer".to_owned()).spawn(move || {
                let wanted = || watching.lock().iter().any(|it| Arc::ptr_eq(&it.place, &place));
                while wanted() {
                    let Some(told) = place.take(PERIOD) else { continue };
                    let batch = wire::batch_to_wire(told);
                    if let Err(why) = observer.onChanged(&batch.changes, batch.missed) {
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

    fn awaitChanges(
        &self,
        observer: &Strong<dyn aidl::IMediaObserver>,
        millis: i32,
    ) -> BinderResult<aidl::ChangeBatch> {
        let caller = self.caller()?;
        let place = self.place(caller, &observer.as_binder())?;
        let patience = Duration::from_millis(u64::try_from(millis).unwrap_or(0)).min(LONGEST);
        Ok(place.take(patience).map(wire::batch_to_wire).unwrap_or_default())
    }
}
