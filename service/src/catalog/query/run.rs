//! Running a query's arms and merging what they yield.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, Rows, params, params_from_iter};

use super::build::{self, After, Arm, Walk, Yield};
use super::cursor::{Key, Place};
use super::{Entry, Group, GroupBy, Page, Projection, Query, Scope};
use crate::catalog::reader::{Readers, decode};
use crate::catalog::tree::{plain, stored};
use crate::catalog::{At, CatalogError, FileKey, VolumeKey, sql};

/// So many rows are looked at and sorted sooner than a walk over all rows in order comes to them.
const FEW: i64 = 10_000;

type Counts = HashMap<Vec<u8>, Group>;

impl Readers {
    pub(in crate::catalog) fn query(&self, query: &Query) -> Result<Page, CatalogError> {
        let parse = |cursor| Place::parse(cursor, query.sort, query.descending);
        let after = query.after.as_ref().map(parse).transpose()?;
        if query.limit == Some(0) {
            return Ok(Page::default());
        }
        self.ask(|conn| {
            // One view of the catalog for all arms.
            let tx = conn.unchecked_transaction()?;
            let after = after.as_ref().map_or(After::Nothing, After::Place);
            let what = Yield::Entries { after, limit: query.limit };
            let arms = all_arms(&tx, query, what)?;
            let page = merge(&tx, query, &arms)?;
            tx.finish()?;
            Ok(page)
        })
    }

    pub(in crate::catalog) fn count_found(&self, query: &Query) -> Result<u64, CatalogError> {
        self.ask(|conn| {
            let tx = conn.unchecked_transaction()?;
            let mut sum = 0;
            for arm in all_arms(&tx, query, Yield::Count)? {
                let mut statement = tx.prepare_cached(&arm.sql)?;
                sum += statement.query_row(params_from_iter(&arm.values), |row| row.get::<_, i64>(0))?;
            }
            tx.finish()?;
            Ok(sum.unsigned_abs())
        })
    }

    pub(in crate::catalog) fn groups(&self, query: &Query, by: GroupBy) -> Result<Vec<Group>, CatalogError> {
        self.ask(|conn| {
            let tx = conn.unchecked_transaction()?;
            let mut groups = Counts::new();
            for arm in all_arms(&tx, query, Yield::Groups(by.column()))? {
                let mut statement = tx.prepare_cached(&arm.sql)?;
                let mut rows = statement.query(params_from_iter(&arm.values))?;
                while let Some(row) = rows.next()? {
                    count(&mut groups, row)?;
                }
            }
            let mut groups: Vec<Group> = groups.into_values().collect();
            if by == GroupBy::Bucket {
                let mut dir = tx.prepare_cached(sql::BUCKET_DIR)?;
                for group in &mut groups {
                    group.name =
                        dir.query_row([group.newest], |row| Ok(plain(row.get_ref(0)?.as_blob()?).to_vec()))?;
                }
            }
            tx.finish()?;
            groups.sort_by(|a, b| {
                (b.newest_ms, b.newest).cmp(&(a.newest_ms, a.newest)).then(a.name.cmp(&b.name))
            });
            Ok(groups)
        })
    }

    pub(in crate::catalog) fn entry(
        &self,
        file: &At,
        projection: Projection,
    ) -> Result<Option<Entry>, CatalogError> {
        self.with(|conn| {
            let id = match file {
                At::Id(id) => Some(*id),
                At::Key(key) => conn
                    .prepare_cached(sql::FILE_FIND)?
                    .query_row(params![key.volume.0, key.user, stored(&key.dir), key.name], |row| row.get(0))
                    .optional()?,
            };
            let Some(id) = id else { return Ok(None) };
            let mut statement = conn.prepare_cached(sql::FILE_ENTRY)?;
            let mut found = statement.query_row([id], |row| entry(row, 0, &mut None)).optional()?;
            if let Some(entry) = &mut found {
                Readers::project(conn, entry, projection)?;
            }
            Ok(found)
        })
    }

    /// The entries that a statement yields.
    pub(in crate::catalog) fn entries(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        projection: Projection,
    ) -> Result<Vec<Entry>, CatalogError> {
        self.with(|conn| {
            let mut owner = None;
            let mut statement = conn.prepare_cached(sql)?;
            let rows = statement.query_map(values, |row| entry(row, 0, &mut owner))?;
            let mut entries: Vec<Entry> = rows.collect::<Result<_, _>>()?;
            for entry in &mut entries {
                Readers::project(conn, entry, projection)?;
            }
            Ok(entries)
        })
    }
}

impl GroupBy {
    fn column(self) -> &'static str {
        match self {
            GroupBy::Bucket => "files.bucket",
            GroupBy::Album => "media.album",
            GroupBy::Artist => "media.artist",
            GroupBy::Genre => "media.genre",
        }
    }
}

/// How the files of one scope are found.
pub(in crate::catalog) fn walk(conn: &Connection, query: &Query, scope: &Scope) -> rusqlite::Result<Walk> {
    if let Some(walk) = build::sure_walk(query) {
        return Ok(walk);
    }
    for walk in build::narrow_walks(&query.criteria) {
        let probe = build::probe(query, scope, walk, FEW);
        let mut statement = conn.prepare_cached(&probe.sql)?;
        let found: i64 = statement.query_row(params_from_iter(&probe.values), |row| row.get(0))?;
        if found < FEW {
            return Ok(walk);
        }
    }
    Ok(build::long_walk(query))
}

fn all_arms(conn: &Connection, query: &Query, what: Yield<'_>) -> rusqlite::Result<Vec<Arm>> {
    let mut all = Vec::new();
    for scope in &query.scopes {
        if scope.visible != mediagate_policy::Filter::Nothing {
            let walk = walk(conn, query, scope)?;
            match query.parted(conn, scope, walk)? {
                Some(parts) => {
                    all.extend(parts.iter().flat_map(|(query, walk)| build::arms(query, scope, *walk, what)));
                }
                None => all.extend(build::arms(query, scope, walk, what)),
            }
        }
    }
    Ok(all)
}

/// An arm that is being read, one file ahead.
struct Running<'a> {
    rows: Rows<'a>,
    head: Option<(Place, Entry)>,
    owner: Option<Arc<str>>,
}

impl Running<'_> {
    fn advance(&mut self) -> rusqlite::Result<Option<(Place, Entry)>> {
        let owner = &mut self.owner;
        let next = match self.rows.next()? {
            None => None,
            Some(row) => {
                let entry = entry(row, 1, owner)?;
                Some((Place { key: Key::read(row.get_ref(0)?), id: entry.id }, entry))
            }
        };
        Ok(std::mem::replace(&mut self.head, next))
    }
}

fn merge(conn: &Connection, query: &Query, arms: &[Arm]) -> rusqlite::Result<Page> {
    let mut statements: Vec<CachedStatement<'_>> =
        arms.iter().map(|arm| conn.prepare_cached(&arm.sql)).collect::<Result<_, _>>()?;
    let mut running = Vec::with_capacity(arms.len());
    for (statement, arm) in statements.iter_mut().zip(arms) {
        let rows = statement.query(params_from_iter(&arm.values))?;
        let mut arm = Running { rows, head: None, owner: None };
        arm.advance()?;
        running.push(arm);
    }
    let mut page = Page::default();
    let mut last: Option<Place> = None;
    loop {
        let before = |one: &Place, other: &Place| match query.descending {
            true => other.compare(one),
            false => one.compare(other),
        };
        let heads = running.iter_mut().filter(|arm| arm.head.is_some());
        let Some(first) = heads.min_by(|one, other| match (&one.head, &other.head) {
            (Some((one, _)), Some((other, _))) => before(one, other),
            _ => Ordering::Equal,
        }) else {
            break;
        };
        if query.limit.is_some_and(|limit| page.entries.len() >= limit) {
            page.next = last.map(|place| place.cursor(query.sort, query.descending));
            break;
        }
        if let Some((place, mut entry)) = first.advance()? {
            Readers::project(conn, &mut entry, query.projection)?;
            page.entries.push(entry);
            last = Some(place);
        }
    }
    Ok(page)
}

fn count(groups: &mut Counts, row: &Row<'_>) -> rusqlite::Result<()> {
    let (name, bucket) = match row.get_ref(0)? {
        ValueRef::Integer(bucket) => (bucket.to_be_bytes().to_vec(), bucket),
        name => (name.as_bytes()?.to_vec(), 0),
    };
    let (newest_ms, newest) = (row.get(1)?, row.get(2)?);
    let group = groups.entry(name).or_insert_with_key(|name| Group {
        bucket,
        name: if bucket == 0 { name.clone() } else { Vec::new() },
        count: 0,
        newest_ms,
        newest,
    });
    group.count += 1;
    if (group.newest_ms, group.newest) < (newest_ms, newest) {
        (group.newest_ms, group.newest) = (newest_ms, newest);
    }
    Ok(())
}

/// An entry from the columns at `first` on, in the order of [`sql::FILE_ENTRY`].
fn entry(row: &Row<'_>, first: usize, owner: &mut Option<Arc<str>>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        id: row.get(first)?,
        key: FileKey {
            volume: VolumeKey(row.get(first + 1)?),
            user: row.get(first + 2)?,
            dir: plain(row.get_ref(first + 3)?.as_blob()?).to_vec(),
            name: row.get(first + 4)?,
        },
        row: decode(row, first + 5, owner)?,
        favorite: row.get(first + 15)?,
        added: row.get(first + 16)?,
        taken_ms: row.get(first + 17)?,
        title: row.get(first + 18)?,
        bucket: row.get(first + 19)?,
        generation_added: row.get(first + 20)?,
        generation_modified: row.get(first + 21)?,
        media: None,
        location: None,
    })
}
