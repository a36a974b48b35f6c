//! Questions: from what a caller asks to a query of the catalog with the policy's listing rule in it, and back.

use std::sync::Arc;

use mediagate_policy::{Filter, MediaType, MediaTypes};

use super::{Desk, Subject, failed, items, lower_path};
use crate::access::now;
use crate::catalog::{Criteria, Cursor, GroupBy, Holder, Match, Projection, Query, Scope, Sort, Within};
use crate::control::ControlError;
use crate::control::store::{
    MOST_IDS, MediaGroup, MediaGrouping, MediaHistory, MediaItem, MediaPage, MediaQuery, MediaSort, Which,
};

/// Files in one answer at most.
const MOST: usize = 512;
/// Bytes in one answer at most, about: several answers fit the 1 MiB that kernel binder has for all of a process
/// (`BINDER_VM_SIZE`, libbinder's ProcessState.cpp), and text takes twice its bytes.
pub(super) const BYTES: usize = 192 * 1024;

impl Desk<'_> {
    /// The query as the catalog takes it, for this caller.
    pub(super) fn query(&self, query: &MediaQuery) -> Result<Query, ControlError> {
        let named = query.volume.as_deref().map(|name| self.named(name)).transpose()?;
        let owner_known = query.owner.as_deref().is_none_or(|owner| self.may_know_owner(owner));
        let mut scopes = Vec::new();
        for attached in self.volumes.iter().filter(|it| named.is_none_or(|named| Arc::ptr_eq(named, it))) {
            for user in self.users(attached, query.user).into_iter().filter(|_| owner_known) {
                let root = lower_path(attached, user, b"", b"");
                let kind = mediagate_policy::Kind::Directory;
                let Some(root) = Subject::new(attached.volume.kind, root, kind) else { continue };
                let visible = self.shared.access.listing(&self.who, &root);
                if visible == Filter::Nothing {
                    continue;
                }
                scopes.push(Scope { volume: attached.volume.key, user, visible });
            }
        }
        let limit = match usize::try_from(query.limit) {
            Ok(0) | Err(_) => MOST,
            Ok(limit) => limit.min(MOST),
        };
        Ok(Query {
            scopes,
            holder: Holder { packages: self.who.packages.clone(), user: self.who.user().0, now: now() },
            criteria: criteria(query)?,
            sort: sort(query.sort),
            descending: query.descending,
            limit: Some(limit),
            after: query.after.as_ref().map(|bytes| Cursor::from_bytes(bytes.clone())),
            projection: Projection { media: query.details, location: query.details },
        })
    }

    pub(super) fn page(&self, query: &MediaQuery) -> Result<MediaPage, ControlError> {
        let mut query = self.query(query)?;
        loop {
            let page = self.shared.catalog.query(&query).map_err(|error| failed(&error))?;
            let items = self.items(page.entries);
            match fitting(&items, &mut query) {
                true => return Ok(MediaPage { items, next: page.next.map(bytes) }),
                false => continue,
            }
        }
    }

    pub(super) fn history(&self, query: &MediaQuery, since: i64) -> Result<MediaHistory, ControlError> {
        let mut query = self.query(query)?;
        loop {
            let page = self.shared.catalog.changes_since(&query, since).map_err(|error| failed(&error))?;
            let items = self.items(page.entries);
            if fitting(&items, &mut query) {
                return Ok(MediaHistory {
                    items,
                    gone: page.gone.into_iter().map(|it| it.id).collect(),
                    generation: page.generation,
                    next: page.next.map(bytes),
                    start_over: page.start_over,
                });
            }
        }
    }

    pub(super) fn count(&self, query: &MediaQuery) -> Result<u64, ControlError> {
        self.shared.catalog.count_found(&self.query(query)?).map_err(|error| failed(&error))
    }

    pub(super) fn groups(
        &self,
        query: &MediaQuery,
        by: MediaGrouping,
        skip: usize,
    ) -> Result<Vec<MediaGroup>, ControlError> {
        let by = match by {
            MediaGrouping::Bucket => GroupBy::Bucket,
            MediaGrouping::Album => GroupBy::Album,
            MediaGrouping::Artist => GroupBy::Artist,
            MediaGrouping::Genre => GroupBy::Genre,
        };
        let groups = self.shared.catalog.groups(&self.query(query)?, by).map_err(|error| failed(&error))?;
        let mut left = BYTES;
        let fits = |group: &crate::catalog::Group| {
            let size = 64 + group.name.len();
            let fits = size <= left;
            left = left.saturating_sub(size);
            fits
        };
        let groups = groups.into_iter().skip(skip).take(MOST).take_while(fits);
        let group = |it: crate::catalog::Group| MediaGroup {
            bucket: it.bucket,
            name: items::cut_bytes(it.name),
            count: it.count,
            newest_millis: it.newest_ms,
            newest: it.newest,
        };
        Ok(groups.map(group).collect())
    }

    /// Whether the caller may know that a file belongs to this package.
    pub(super) fn may_know_owner(&self, owner: &str) -> bool {
        self.caller.admin || self.who.is_owner(owner)
    }
}

/// Whether the items fit one answer; if not, the query is one for as many of them as do.
fn fitting(items: &[MediaItem], query: &mut Query) -> bool {
    let mut left = BYTES;
    let fit = items.iter().take_while(|item| {
        let size = items::size(item);
        let fits = size <= left;
        left = left.saturating_sub(size);
        fits
    });
    let fit = fit.count().max(1);
    if fit >= items.len() {
        return true;
    }
    query.limit = Some(fit);
    false
}

fn bytes(cursor: Cursor) -> Vec<u8> {
    cursor.as_bytes().to_vec()
}

fn criteria(query: &MediaQuery) -> Result<Criteria, ControlError> {
    let invalid = |what: &str| Err(ControlError::Invalid(what.to_owned()));
    let within = match (&query.directory, query.bucket) {
        (Some(_), bucket) if bucket != 0 => {
            return invalid("give a directory or a bucket, not both");
        }
        (Some(dir), _) => {
            let dir = dir.trim_ascii_start();
            let dir = dir.strip_prefix(b"/").unwrap_or(dir);
            let dir = dir.strip_suffix(b"/").unwrap_or(dir).to_vec();
            match (query.tree, dir.is_empty()) {
                (true, true) => Within::Anywhere,
                (true, false) => Within::Tree(dir),
                (false, _) => Within::Directory(dir),
            }
        }
        (None, 0) => Within::Anywhere,
        (None, bucket) => Within::Bucket(bucket),
    };
    let mut types = MediaTypes::NONE;
    for number in &query.types {
        match MediaType::from_number(*number) {
            Some(one) => types = types.with(MediaTypes::of(one)),
            None => return invalid("there is no such media type"),
        }
    }
    if query.types.is_empty() {
        types = MediaTypes::ALL;
    }
    if query.ids.as_ref().is_some_and(|ids| ids.len() > MOST_IDS) {
        return invalid("too many ids in one call; make several");
    }
    Ok(Criteria {
        within,
        types,
        mime_prefix: query.mime_prefix.clone(),
        owner: query.owner.as_deref().map(Arc::from),
        favorite: which(query.favorite),
        pending: which(query.pending),
        trashed: which(query.trashed),
        ids: query.ids.clone(),
        changed_since: (query.changed_since != 0).then_some(query.changed_since),
        taken_ms: query.taken_millis.clone(),
        modified_ns: query.modified_nanos.clone(),
        name_contains: query.name_contains.clone(),
        album: query.album.clone(),
        artist: query.artist.clone(),
        genre: query.genre.clone(),
    })
}

fn which(which: Which) -> Match {
    match which {
        Which::Exclude => Match::Exclude,
        Which::Include => Match::Include,
        Which::Only => Match::Only,
    }
}

fn sort(sort: MediaSort) -> Sort {
    match sort {
        MediaSort::Name => Sort::Name,
        MediaSort::Taken => Sort::Taken,
        MediaSort::Modified => Sort::Modified,
        MediaSort::Added => Sort::Added,
        MediaSort::Size => Sort::Size,
        MediaSort::Title => Sort::Title,
        MediaSort::Generation => Sort::Generation,
    }
}
