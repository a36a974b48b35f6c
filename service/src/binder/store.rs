//! The store's AIDL object, for every caller: each method says who is calling, converts, calls, converts back.
//!
//! Observers are kept, and called, by [`Observers`].

use std::sync::Arc;
use std::time::Duration;

use mediagate_aidl as aidl;

use super::authz;
use super::observers::Observers;
use super::platform::{self, BinderResult, Interface, ParcelFileDescriptor, SIBinder, Strong};
use super::service::status;
use super::store_wire as wire;
use crate::control::store::{Store, StoreCaller, Taken};
use crate::control::{Control, ControlError};

/// The longest an `awaitChanges` waits.
const LONGEST: Duration = Duration::from_secs(30);

/// The store behind the AIDL. `B` is what callers get to hold of it, if anything.
pub(super) struct StoreBinder<B> {
    control: Arc<dyn Control>,
    store: Arc<dyn Store>,
    observers: Arc<Observers>,
    served: B,
}

impl StoreBinder<SIBinder> {
    /// The store as callers get it.
    pub(super) fn served(control: Arc<dyn Control>) -> Self {
        let store = Arc::clone(&control).media_store();
        let observers = Arc::new(Observers::new());
        let plain = StoreBinder {
            control: Arc::clone(&control),
            store: Arc::clone(&store),
            observers: Arc::clone(&observers),
            served: (),
        };
        StoreBinder { served: platform::new_store(plain), control, store, observers }
    }

    /// What a caller is given. Made anew each time: the library copies only what its own compiler made.
    pub(super) fn handle(&self) -> Strong<dyn aidl::IMediaStore> {
        Strong::new(Box::new(StoreBinder {
            control: Arc::clone(&self.control),
            store: Arc::clone(&self.store),
            observers: Arc::clone(&self.observers),
            served: self.served.clone(),
        }))
    }

    pub(super) fn observers(&self) -> &Observers {
        &self.observers
    }
}

impl<B> StoreBinder<B> {
    fn caller(&self) -> BinderResult<StoreCaller> {
        let caller = authz::caller(&*self.control)?;
        Ok(StoreCaller { uid: caller.uid, admin: caller.admin })
    }
}

fn unknown() -> ControlError {
    ControlError::NotFound("this observer is not registered".to_owned())
}

impl Interface for StoreBinder<()> {}

impl Interface for StoreBinder<SIBinder> {
    fn as_binder(&self) -> SIBinder {
        self.served.clone()
    }
}

impl<B: Send + Sync> aidl::IMediaStore for StoreBinder<B>
where
    StoreBinder<B>: Interface,
{
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
        let skip = super::field::unsigned("number of groups to skip", skip).map_err(status)?;
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
        self.observers.forget(caller.uid, &observer.as_binder());
        let can_be_called = platform::can_be_called();
        let bell = if can_be_called { self.observers.bell() } else { Arc::new(|| ()) };
        let place = Arc::clone(&self.store).observe(caller, &query, bell).map_err(status)?;
        self.observers.add(caller.uid, observer, &place, can_be_called).map_err(status)
    }

    fn unregisterObserver(&self, observer: &Strong<dyn aidl::IMediaObserver>) -> BinderResult<()> {
        let caller = self.caller()?;
        match self.observers.forget(caller.uid, &observer.as_binder()) {
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
        if platform::can_be_called() {
            // The threads that serve the driver are few, and everybody's: nobody waits on one.
            return Err(status(ControlError::Invalid(
                "observers are called over kernel binder; only a process on a socket waits".to_owned(),
            )));
        }
        let binder = observer.as_binder();
        let place = self.observers.place(caller.uid, &binder).ok_or_else(|| status(unknown()))?;
        let patience = Duration::from_millis(u64::try_from(millis).unwrap_or(0)).min(LONGEST);
        match place.take(patience) {
            Taken::Told(told) => Ok(wire::batch_to_wire(told)),
            Taken::Nothing => Ok(aidl::ChangeBatch::default()),
            Taken::Closed => {
                self.observers.remove(&place);
                Err(status(unknown()))
            }
        }
    }
}
