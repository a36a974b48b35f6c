//! What changed since a generation: for clients that keep a copy.
//!
//! First come the rows, by generation, then the tombstones of files that could be seen by who asks. A tombstone of a file that the client's query still finds (a
//! file in the trash, for who looks into the trash) is not told.

use rusqlite::{params, params_from_iter};

use super::query::{Cursor, Entry, Query, Scope, Sort, build};
use super::reader::Readers;
use super::rows::Tx;
use super::write::Write;
use super::{Catalog, CatalogError, VolumeKey, sql};

const VERSION: u8 = 1;
/// A page of changes is never longer.
const LONGEST: usize = 10_000;

/// An image or video that is gone from view, or altogether.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tombstone {
    /// The id of its row.
    pub id: i64,
    /// Its volume.
    pub volume: VolumeKey,
    /// Its user.
    pub user: u32,
    /// The generation in which it went.
    pub generation: i64,
}

/// A page of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangePage {
    /// Files that were added or changed, oldest change first.
    pub entries: Vec<Entry>,
    /// Files that are gone, oldest first in each scope; after the last of `entries`.
    pub gone: Vec<Tombstone>,
    /// What to ask for next time, when there is no `next`.
    pub generation: i64,
    /// The place behind this page, if there is more.
    pub next: Option<Cursor>,
    /// What was asked for reaches back further than tombstones are kept, or is of another catalog's time: the caller
    /// has to begin anew, with all rows there are.
    pub start_over: bool,
}

impl Catalog {
    /// The generation of the last change, and the number of this catalog, which another one (made anew after a loss)
    /// does not have: a generation means nothing without it.
    ///
    /// # Errors
    ///
    /// As [`Catalog::file`].
    pub fn version(&self) -> Result<(i64, i64), CatalogError> {
        Ok((self.readers.meta("generation")?, self.readers.meta("session")?))
    }

    /// Files that `query` finds and that changed after generation `since`, and images and videos that went since.
    /// The query's sort is not asked, nor are the criteria of what went. What changes between two pages may be told twice, and is told at the latest when
    /// the next changes are asked for.
    ///
    /// # Errors
    ///
    /// As [`Catalog::query`].
    pub fn changes_since(&self, query: &Query, since: i64) -> Result<ChangePage, CatalogError> {
        let limit = query.limit.unwrap_or(LONGEST).clamp(1, LONGEST);
        let newest = self.readers.meta("generation")?;
        let forgotten = self.readers.meta("forgotten")?;
        let place = match &query.after {
            None => Place { until: newest, phase: Phase::Rows(None) },
            Some(cursor) => Place::read(&cursor.0).ok_or(CatalogError::Cursor)?,
        };
        if since < forgotten || since > newest {
            return Ok(ChangePage { generation: newest, start_over: true, ..ChangePage::default() });
        }
        let mut page = ChangePage { generation: place.until, ..ChangePage::default() };
        let next = match place.phase {
            Phase::Rows(after) => {
                let mut rows = Query { sort: Sort::Generation, descending: false, ..query.clone() };
                rows.criteria.changed_since = Some(since);
                rows.limit = Some(limit);
                rows.after = after;
                let found = self.readers.query(&rows)?;
                page.entries = found.entries;
                Some(match found.next {
                    Some(next) => Phase::Rows(Some(next)),
                    None => Phase::Gone { scope: 0, generation: since, id: 0 },
                })
            }
            Phase::Gone { scope, generation, id } => {
                let Some(at) = query.scopes.get(usize::from(scope)) else { return Ok(page) };
                let gone = self.readers.tombstones(query, at, (generation, id), limit)?;
                let next = match gone.last() {
                    Some(last) if gone.len() == limit => {
                        Phase::Gone { scope, generation: last.generation, id: last.id }
                    }
                    _ => Phase::Gone { scope: scope.saturating_add(1), generation: since, id: 0 },
                };
                page.gone = self.without_found(query, at, gone)?;
                Some(next)
            }
        };
        page.next = next
            .filter(
                |it| !matches!(it, Phase::Gone { scope, .. } if usize::from(*scope) >= query.scopes.len()),
            )
            .map(|phase| Place { until: place.until, phase }.cursor());
        Ok(page)
    }

    fn without_found(
        &self,
        query: &Query,
        scope: &Scope,
        mut gone: Vec<Tombstone>,
    ) -> Result<Vec<Tombstone>, CatalogError> {
        if gone.is_empty() {
            return Ok(gone);
        }
        let mut found =
            Query { scopes: vec![scope.clone()], holder: query.holder.clone(), ..Query::default() };
        found.criteria = query.criteria.clone();
        found.criteria.ids = Some(gone.iter().map(|it| it.id).collect());
        let found: std::collections::HashSet<i64> =
            self.readers.query(&found)?.entries.into_iter().map(|it| it.id).collect();
        gone.retain(|it| !found.contains(&it.id));
        Ok(gone)
    }

    /// Forgets tombstones older than `before` (seconds since 1970), and of the others at least all but the newest
    /// `keep`; says how many. Committed on return. Who asks for changes since before that is told to start over.
    ///
    /// # Errors
    ///
    /// When the commit fails or takes too long.
    pub fn prune_tombstones(&self, before: i64, keep: usize) -> Result<u64, CatalogError> {
        self.queue.call(Write::PruneTombstones { before, keep }).map(i64::unsigned_abs)
    }
}

impl Readers {
    fn meta(&self, key: &str) -> Result<i64, CatalogError> {
        self.with(|conn| conn.prepare_cached(sql::META_GET)?.query_row([key], |row| row.get(0)))
    }

    fn tombstones(
        &self,
        query: &Query,
        scope: &Scope,
        after: (i64, i64),
        limit: usize,
    ) -> Result<Vec<Tombstone>, CatalogError> {
        // Behind all of the generation that is known already.
        let id = if after.1 == 0 { i64::MAX } else { after.1 };
        let asked = build::tombstones(query, scope, (after.0, id), limit);
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(&asked.sql)?;
            let rows = statement.query_map(params_from_iter(&asked.values), |row| {
                let (id, generation) = (row.get(0)?, row.get(1)?);
                Ok(Tombstone { id, volume: scope.volume, user: scope.user, generation })
            })?;
            rows.collect()
        })
    }
}

pub(super) fn prune(tx: &Tx<'_>, before: i64, keep: usize) -> rusqlite::Result<usize> {
    let keep = i64::try_from(keep).unwrap_or(i64::MAX);
    let newest = |sql, value: i64| -> rusqlite::Result<Option<i64>> {
        let mut statement = tx.conn.prepare_cached(sql)?;
        let mut rows = statement.query([value])?;
        rows.next()?.map_or(Ok(None), |row| row.get(0))
    };
    let until = newest(sql::TOMBSTONES_BEFORE, before)?.max(newest(sql::TOMBSTONES_BEYOND, keep)?);
    let Some(until) = until else { return Ok(0) };
    tx.run(sql::META_RAISE, params!["forgotten", until])?;
    tx.run(sql::TOMBSTONES_PRUNE, [until])
}

/// Where a page of changes begins.
struct Place {
    /// The generation that the whole answer is good for.
    until: i64,
    phase: Phase,
}

enum Phase {
    Rows(Option<Cursor>),
    Gone { scope: u16, generation: i64, id: i64 },
}

impl Place {
    fn cursor(self) -> Cursor {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.until.to_be_bytes());
        match self.phase {
            Phase::Rows(after) => {
                bytes.push(0);
                bytes.extend_from_slice(after.as_ref().map_or(&[], Cursor::as_bytes));
            }
            Phase::Gone { scope, generation, id } => {
                bytes.push(1);
                bytes.extend_from_slice(&scope.to_be_bytes());
                bytes.extend_from_slice(&generation.to_be_bytes());
                bytes.extend_from_slice(&id.to_be_bytes());
            }
        }
        Cursor(bytes)
    }

    fn read(bytes: &[u8]) -> Option<Place> {
        let (version, rest) = bytes.split_first()?;
        let (until, rest) = rest.split_first_chunk::<8>()?;
        let (phase, rest) = rest.split_first()?;
        let phase = match (version, phase) {
            (&VERSION, 0) => Phase::Rows((!rest.is_empty()).then(|| Cursor::from_bytes(rest))),
            (&VERSION, 1) => {
                let (scope, rest) = rest.split_first_chunk::<2>()?;
                let (generation, id) = rest.split_first_chunk::<8>()?;
                Phase::Gone {
                    scope: u16::from_be_bytes(*scope),
                    generation: i64::from_be_bytes(*generation),
                    id: i64::from_be_bytes(id.try_into().ok()?),
                }
            }
            _ => return None,
        };
        Some(Place { until: i64::from_be_bytes(*until), phase })
    }
}
