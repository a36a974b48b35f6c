//! The store: questions about the index, and work on files by their ids, each on behalf of a caller.
//!
//! What a caller sees is the policy's listing rule, as part of every query. Work on files goes through the volume's own
//! mount, by a thread that acts for the caller ([`crate::volume::Acting`]): there is one way for a file to be made, moved,
//! opened and removed, with one set of checks, and what the kernel and the index know stays true. See ADR 10.
//!
//! # Threads and locks
//! Calls run on the interface's threads, and may wait for FUSE workers; no worker waits for a call. `observers` is one thread
//! while there are observers; its locks are in [`observe`].

mod find;
mod insert;
mod items;
pub(super) mod mount;
mod names;
pub(super) mod observe;
mod playlist;
pub(super) mod turns;
mod update;

use std::collections::{HashMap, hash_map};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use mediagate_policy::{MediaType, Operation, PrincipalKind, VolumeKind};

use super::Shared;
use super::volumes::Attached;
use crate::access::{FileId, RowFacts, Subject, Who};
use crate::catalog::{At, CatalogError, Entry, FileKey, Projection, VolumeKey};
use crate::control::ControlError;
use crate::control::store::{
    Bell, InsertSpec, Inserted, MOST_IDS, MediaChanges, MediaGroup, MediaGrouping, MediaHistory, MediaPage,
    MediaQuery, MediaResult, Observation, OpenMode, Store, StoreCaller,
};
use crate::volume::Change;
use mount::{Mount, Mounts, WorkError};

/// A uid is its user times this, plus an app id.
const PER_USER: u32 = 100_000;

/// How often a file that is being renamed is followed.
const FOLLOWED: usize = 4;

/// One call: who it is for, and the volumes there were when it began, with all that was queued about them committed.
struct Desk<'a> {
    shared: &'a Shared,
    caller: StoreCaller,
    who: Who,
    volumes: Vec<Arc<Attached>>,
}

/// A file of the index that the caller may see.
struct Found {
    entry: Entry,
    attached: Arc<Attached>,
    subject: Subject,
}

impl Shared {
    fn desk(&self, caller: StoreCaller) -> Result<Desk<'_>, ControlError> {
        let volumes = self.volumes.all();
        for attached in &volumes {
            self.catalog.flush_volume(attached.volume.key).map_err(|error| failed(&error))?;
        }
        Ok(Desk { shared: self, caller, who: self.access.who(caller.uid), volumes })
    }
}

impl Desk<'_> {
    fn attached(&self, key: VolumeKey) -> Option<&Arc<Attached>> {
        self.volumes.iter().find(|it| it.volume.key == key)
    }

    fn named(&self, name: &str) -> Result<&Arc<Attached>, ControlError> {
        self.volumes
            .iter()
            .find(|it| it.config.name == name)
            .ok_or_else(|| ControlError::NotFound(format!("no volume {name:?} is attached")))
    }

    /// The users whose trees on a volume are meant by `user`.
    fn users(&self, attached: &Attached, user: Option<u32>) -> Vec<u32> {
        let users = &attached.volume.users;
        match (attached.volume.kind, user) {
            (VolumeKind::Public, _) => vec![0],
            (VolumeKind::Emulated, None) if self.who.kind == PrincipalKind::Root => users.clone(),
            (VolumeKind::Emulated, user) => {
                let user = user.unwrap_or(self.caller.uid / PER_USER);
                if users.contains(&user) { vec![user] } else { Vec::new() }
            }
        }
    }

    /// A row of the index as the object of a decision.
    fn subject(attached: &Attached, key: &FileKey, row: Option<RowFacts>) -> Option<Subject> {
        let path = lower_path(attached, key.user, &key.dir, &key.name);
        Some(Subject::new(attached.volume.kind, path, mediagate_policy::Kind::File)?.with_row(row))
    }

    fn facts(entry: &Entry) -> RowFacts {
        let row = &entry.row;
        RowFacts {
            owner: row.owner.clone(),
            media_type: MediaType::from_number(row.media_type).unwrap_or_default(),
            file: Some(FileId { volume: entry.key.volume.number(), ino: row.ino, generation: row.birth }),
        }
    }

    /// A file by its id, if it is on an attached volume and the caller may see it.
    fn find(&self, id: i64) -> Result<Option<Found>, ControlError> {
        let entry =
            self.shared.catalog.entry(&At::Id(id), Projection::default()).map_err(|error| failed(&error))?;
        Ok(entry.and_then(|entry| self.seen(entry)))
    }

    /// A file of the index, if it is on an attached volume and the caller may see it.
    fn seen(&self, entry: Entry) -> Option<Found> {
        let attached = self.attached(entry.key.volume).cloned()?;
        let subject = Self::subject(&attached, &entry.key, Some(Self::facts(&entry)))?;
        let seen = self.shared.access.shows(&self.who, &subject, Operation::ListEntry);
        seen.then_some(Found { entry, attached, subject })
    }

    /// Does something to a file where it is. A file that is renamed meanwhile is followed: the index hears of that a moment later.
    fn at<T>(
        &self,
        id: i64,
        mounts: &mut Mounts,
        gone: &mut Vec<Found>,
        work: &mut impl FnMut(&Mount, &Found) -> Result<T, WorkError>,
    ) -> Result<Result<T, WorkError>, ControlError> {
        let mut last: Option<Found> = None;
        for _ in 0..FOLLOWED {
            let Some(found) = self.find(id)? else { break };
            if last.as_ref().is_some_and(|last| last.entry.key == found.entry.key) {
                gone.push(found);
                break;
            }
            let there = mounts.of(&found.attached).and_then(|mount| {
                mount.is_there(&found)?;
                Ok(mount)
            });
            match there {
                Ok(mount) => return Ok(work(mount, &found)),
                Err(WorkError::Gone) => {}
                Err(error) => return Ok(Err(error)),
            }
            found.attached.volume.moves.settle();
            let volume = found.attached.volume.key;
            self.shared.catalog.flush_volume(volume).map_err(|error| failed(&error))?;
            last = Some(found);
        }
        Ok(Err(WorkError::NotFound))
    }

    /// Files were not where the index has them, for this caller. Whether they are gone is for the lower tree to say.
    fn look_again(gone: Vec<Found>) {
        for found in gone {
            let (dir, name) = mount::split(found.subject.lower_path());
            if let Err(error) = found.attached.volume.behind(dir).index(name, Change::CONTENT) {
                log::warn!("file {} seems to be gone, and its row stays: {error}", found.entry.id);
            }
        }
    }

    /// Does something to each of many files, once, and forgets the rows of those that turn out to be gone.
    fn each(
        &self,
        ids: &[i64],
        mut work: impl FnMut(&Mount, &Found) -> Result<(), WorkError>,
    ) -> Result<Vec<MediaResult>, ControlError> {
        if ids.len() > MOST_IDS {
            return Err(ControlError::Invalid(format!("more than {MOST_IDS} ids in one call; make several")));
        }
        let _gathering = (ids.len() > 1).then(|| self.shared.catalog.gather());
        let mut mounts = Mounts::new(self.caller.uid);
        let mut gone = Vec::new();
        let mut results: HashMap<i64, MediaResult> = HashMap::with_capacity(ids.len());
        for id in ids {
            if let hash_map::Entry::Vacant(result) = results.entry(*id) {
                let done = self.at(*id, &mut mounts, &mut gone, &mut work)?;
                result.insert(done.map_or_else(WorkError::result, |()| MediaResult::Done));
            }
        }
        drop(mounts);
        Self::look_again(gone);
        Ok(ids.iter().filter_map(|id| results.get(id).copied()).collect())
    }

    fn open(&self, id: i64, mode: OpenMode) -> Result<OwnedFd, ControlError> {
        let mut mounts = Mounts::new(self.caller.uid);
        let mut gone = Vec::new();
        let opened =
            self.at(id, &mut mounts, &mut gone, &mut |mount, found| mount.open(&found.subject, mode))?;
        drop(mounts);
        Self::look_again(gone);
        opened.map_err(|error| match error {
            WorkError::Gone | WorkError::NotFound => {
                ControlError::NotFound(format!("there is no file {id} for this caller"))
            }
            WorkError::Denied => ControlError::Denied(format!(
                "uid {} may not open file {id} so; `explain` says why",
                self.caller.uid
            )),
            other => ControlError::Failed(format!("cannot open file {id}: {other}")),
        })
    }
}

impl Store for Shared {
    fn query(&self, caller: StoreCaller, query: &MediaQuery) -> Result<MediaPage, ControlError> {
        let _turn = self.turns.of(caller.uid)?;
        self.desk(caller)?.page(query)
    }

    fn count(&self, caller: StoreCaller, query: &MediaQuery) -> Result<u64, ControlError> {
        let _turn = self.turns.of(caller.uid)?;
        self.desk(caller)?.count(query)
    }

    fn groups(
        &self,
        caller: StoreCaller,
        query: &MediaQuery,
        by: MediaGrouping,
        skip: usize,
    ) -> Result<Vec<MediaGroup>, ControlError> {
        let _turn = self.turns.of(caller.uid)?;
        self.desk(caller)?.groups(query, by, skip)
    }

    fn insert(&self, caller: StoreCaller, spec: &InsertSpec) -> Result<Inserted, ControlError> {
        self.desk(caller)?.insert(spec)
    }

    fn update(
        &self,
        caller: StoreCaller,
        ids: &[i64],
        changes: &MediaChanges,
    ) -> Result<Vec<MediaResult>, ControlError> {
        self.desk(caller)?.update(ids, changes)
    }

    fn remove(&self, caller: StoreCaller, ids: &[i64]) -> Result<Vec<MediaResult>, ControlError> {
        self.desk(caller)?.each(ids, |mount, found| mount.unlink(&found.subject))
    }

    fn open_file(&self, caller: StoreCaller, id: i64, mode: OpenMode) -> Result<OwnedFd, ControlError> {
        self.desk(caller)?.open(id, mode)
    }

    fn playlist(
        &self,
        caller: StoreCaller,
        id: i64,
        after: Option<&[u8]>,
    ) -> Result<MediaPage, ControlError> {
        let _turn = self.turns.of(caller.uid)?;
        self.desk(caller)?.playlist(id, after)
    }

    fn changes(
        &self,
        caller: StoreCaller,
        query: &MediaQuery,
        since: i64,
    ) -> Result<MediaHistory, ControlError> {
        let _turn = self.turns.of(caller.uid)?;
        self.desk(caller)?.history(query, since)
    }

    fn version(&self) -> Result<(i64, i64), ControlError> {
        for attached in self.volumes.all() {
            self.catalog.flush_volume(attached.volume.key).map_err(|error| failed(&error))?;
        }
        self.catalog.version().map_err(|error| failed(&error))
    }

    fn observe(
        self: Arc<Self>,
        caller: StoreCaller,
        query: &MediaQuery,
        bell: Bell,
    ) -> Result<Arc<dyn Observation>, ControlError> {
        // A query that cannot be asked is refused now, not when something changes.
        self.desk(caller)?.query(query)?;
        observe::begin(&self, caller, query, bell)
    }
}

/// The path below a volume's lower root, which is that below its mount.
fn lower_path(attached: &Attached, user: u32, dir: &[u8], name: &[u8]) -> Vec<u8> {
    let user = user.to_string();
    let mut parts: Vec<&[u8]> = Vec::new();
    parts.extend((attached.volume.kind == VolumeKind::Emulated).then_some(user.as_bytes()));
    parts.extend((!dir.is_empty()).then_some(dir));
    parts.extend((!name.is_empty()).then_some(name));
    parts.join(&b'/')
}

fn failed(error: &CatalogError) -> ControlError {
    match error {
        CatalogError::Cursor => ControlError::Invalid("the cursor is of another query".to_owned()),
        error => ControlError::Failed(error.to_string()),
    }
}

/// Volumes by their number.
type ByVolume<T> = HashMap<VolumeKey, T>;
