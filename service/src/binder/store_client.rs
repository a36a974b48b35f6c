//! The client's side of the store.

use std::os::fd::OwnedFd;
use std::sync::mpsc;
use std::time::Duration;

use mediagate_aidl as aidl;
use parking_lot::Mutex;

use super::client::{CALL, Client, ClientError, MOUNT};
use super::platform::{self, BinderResult, Interface, Strong};
use super::store_wire as wire;
use crate::control::store::{
    InsertSpec, Inserted, MediaChanges, MediaGroup, MediaGrouping, MediaHistory, MediaPage, MediaQuery,
    MediaResult, OpenMode, Told,
};

/// How long one wait for changes is.
const PATIENCE: Duration = Duration::from_secs(5);

/// The store of a running service.
pub struct StoreClient<'a> {
    client: &'a Client,
    store: Strong<dyn aidl::IMediaStore>,
}

impl std::fmt::Debug for StoreClient<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreClient").field("client", self.client).finish_non_exhaustive()
    }
}

/// What the service calls on kernel binder; on a socket it only stands for this process's waiting.
struct Ear(Mutex<mpsc::Sender<Told>>);

impl Interface for Ear {}

impl aidl::IMediaObserver for Ear {
    fn onChanged(&self, changes: &[aidl::ChangeNotice], missed: i64) -> BinderResult<()> {
        if let Ok(told) = wire::batch_from_wire(changes, missed) {
            // An error means that nobody listens any more.
            let _ = self.0.lock().send(told);
        }
        Ok(())
    }
}

impl<'a> StoreClient<'a> {
    pub(super) fn new(client: &'a Client, store: Strong<dyn aidl::IMediaStore>) -> StoreClient<'a> {
        StoreClient { client, store }
    }

    fn call<T: Send + 'static>(
        &self,
        limit: Duration,
        method: impl FnOnce(&dyn aidl::IMediaStore) -> BinderResult<T> + Send + 'static,
    ) -> Result<T, ClientError> {
        let store = self.store.clone();
        self.client.within(limit, move || method(&*store))
    }

    /// A page of files.
    pub fn query(&self, query: &MediaQuery) -> Result<MediaPage, ClientError> {
        let query = wire::query_to_wire(query)?;
        Ok(wire::page_from_wire(self.call(CALL, move |s| s.query(&query))?))
    }

    /// How many files there are.
    pub fn count(&self, query: &MediaQuery) -> Result<u64, ClientError> {
        let query = wire::query_to_wire(query)?;
        Ok(u64::try_from(self.call(CALL, move |s| s.count(&query))?).unwrap_or(0))
    }

    /// Groups of files behind the first `skip`.
    pub fn groups(
        &self,
        query: &MediaQuery,
        by: MediaGrouping,
        skip: u32,
    ) -> Result<Vec<MediaGroup>, ClientError> {
        let (query, by) = (wire::query_to_wire(query)?, wire::grouping_to_wire(by));
        let skip = i32::try_from(skip).unwrap_or(i32::MAX);
        let groups = self.call(CALL, move |s| s.groups(&query, by, skip))?;
        Ok(groups.into_iter().map(wire::group_from_wire).collect())
    }

    /// Makes a file.
    pub fn insert(&self, spec: &InsertSpec) -> Result<Inserted, ClientError> {
        let spec = wire::insert_to_wire(spec)?;
        Ok(wire::inserted_from_wire(self.call(CALL, move |s| s.insert(&spec))?))
    }

    /// Changes files.
    pub fn update(&self, ids: &[i64], changes: &MediaChanges) -> Result<Vec<MediaResult>, ClientError> {
        let (ids, changes) = (ids.to_vec(), wire::changes_to_wire(changes));
        let results = self.call(MOUNT, move |s| s.update(&ids, &changes))?;
        Ok(results.into_iter().map(wire::result_from_wire).collect::<Result<_, _>>()?)
    }

    /// Removes files.
    pub fn remove(&self, ids: &[i64]) -> Result<Vec<MediaResult>, ClientError> {
        let ids = ids.to_vec();
        let results = self.call(MOUNT, move |s| s.remove(&ids))?;
        Ok(results.into_iter().map(wire::result_from_wire).collect::<Result<_, _>>()?)
    }

    /// Opens a file.
    pub fn open(&self, id: i64, mode: OpenMode) -> Result<OwnedFd, ClientError> {
        Ok(self.call(CALL, move |s| s.openFile(id, wire::mode_word(mode)))?.into())
    }

    /// Files that a playlist names, behind a place.
    pub fn playlist(&self, id: i64, after: Option<Vec<u8>>) -> Result<MediaPage, ClientError> {
        Ok(wire::page_from_wire(self.call(CALL, move |s| s.playlist(id, after.as_deref()))?))
    }

    /// What changed since a generation.
    pub fn changes(&self, query: &MediaQuery, since: i64) -> Result<MediaHistory, ClientError> {
        let query = wire::query_to_wire(query)?;
        Ok(wire::history_from_wire(self.call(CALL, move |s| s.changes(&query, since))?))
    }

    /// The generation of the last change, and the number of the index.
    pub fn version(&self) -> Result<(i64, i64), ClientError> {
        let version = self.call(CALL, |s| s.version())?;
        Ok((version.generation, version.index))
    }

    /// Calls `f` with changes as they come, until it says that it has enough by returning false. `begun` is called when no
    /// change will be missed from then on.
    pub fn watch(
        &self,
        query: &MediaQuery,
        begun: impl FnOnce(),
        mut f: impl FnMut(Told) -> bool,
    ) -> Result<(), ClientError> {
        let filter = wire::query_to_wire(query)?;
        let (sender, called) = mpsc::channel();
        let ear = platform::new_observer(Ear(Mutex::new(sender)));
        let observer = ear.clone();
        self.call(CALL, move |s| s.registerObserver(&observer, &filter))?;
        begun();
        loop {
            let told = if self.client.is_called() {
                let told = called.recv_timeout(PATIENCE).ok();
                if told.is_none() {
                    // Whether somebody is there who would call.
                    self.version()?;
                }
                told
            } else {
                let (observer, millis) = (ear.clone(), i32::try_from(PATIENCE.as_millis()).unwrap_or(0));
                let batch = self.call(MOUNT, move |s| s.awaitChanges(&observer, millis))?;
                Some(wire::batch_from_wire(&batch.changes, batch.missed)?)
            };
            let told = told.filter(|(changes, _)| !changes.is_empty());
            if told.is_some_and(|told| !f(told)) {
                return self.call(CALL, move |s| s.unregisterObserver(&ear));
            }
        }
    }
}
