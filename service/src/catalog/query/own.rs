//! The files that a caller sees for its own sake: those that it owns, those on which something was granted to it, and those in its
//! directories in `Android/media`.
//!
//! Most apps see few others, or none of the media types that they ask for. Whoever walked along an index of all files would look
//! at everybody's to find them; so they are looked for one by one, and all conditions of the query are asked of them as of others.

use std::collections::BTreeSet;
use std::sync::Arc;

use mediagate_policy::MediaTypes;
use rusqlite::{Connection, OptionalExtension, Params, params};

use super::build::Walk;
use super::{Query, Scope, spelling};
use crate::catalog::sql;
use crate::catalog::tree::Range;

/// More than so many files, or names of directories, are not looked at one by one.
const FEW: usize = 2000;

impl Query {
    /// In place of a query that would walk along all files: one about the types of which the caller may see anybody's, with the
    /// same walk, and one about its own files of all other types. `None` where nothing is gained.
    pub(in crate::catalog) fn parted(
        &self,
        conn: &Connection,
        scope: &Scope,
        walk: Walk,
    ) -> rusqlite::Result<Option<[(Query, Walk); 2]>> {
        let anyones = scope.visible.types_of_anyone();
        let others = self.criteria.types.without(anyones);
        if !walk.is_long() || self.criteria.ids.is_some() || others == MediaTypes::NONE {
            return Ok(None);
        }
        let own = Own { conn, query: self, scope, found: BTreeSet::new(), names: 0 }.ids()?;
        Ok(own.map(|own| {
            let (mut all, mut of_own) = (self.clone(), self.clone());
            all.criteria.types = self.criteria.types.and(anyones);
            of_own.criteria.types = others;
            of_own.criteria.ids = Some(own.into_iter().collect());
            [(all, walk), (of_own, Walk::Ids)]
        }))
    }
}

/// A search for the ids of a caller's own files.
struct Own<'a> {
    conn: &'a Connection,
    query: &'a Query,
    scope: &'a Scope,
    found: BTreeSet<i64>,
    /// Names that were gone through.
    names: usize,
}

impl Own<'_> {
    /// `None` if there are too many.
    fn ids(mut self) -> rusqlite::Result<Option<BTreeSet<i64>>> {
        let most = FEW as i64 + 1;
        let packages: Vec<Arc<str>> = self.scope.visible.packages().into_iter().cloned().collect();
        for package in &packages {
            self.take(sql::OWN_OWNED, params![package, most])?;
        }
        let holder = &self.query.holder;
        for package in &holder.packages {
            self.take(sql::OWN_GRANTED, params![package, holder.user, most])?;
        }
        let (volume, user) = (self.scope.volume.0, self.scope.user);
        let mut dirs = Vec::new();
        for android in self.spellings(b"", "android")? {
            dirs.extend(self.spellings(&android, "media")?);
        }
        for (media, package) in dirs.iter().flat_map(|dir| packages.iter().map(move |it| (dir, it))) {
            let package = package.to_ascii_lowercase();
            self.take_named(media, &package)?;
            for dir in self.spellings(media, &package)? {
                let Range { low, high } = Range::of(&dir);
                self.take(sql::OWN_BELOW, params![volume, user, low, high, most])?;
            }
        }
        Ok((self.found.len() <= FEW && self.names <= FEW).then_some(self.found))
    }

    fn take(&mut self, sql: &str, values: impl Params) -> rusqlite::Result<()> {
        if self.found.len() > FEW {
            return Ok(());
        }
        let mut statement = self.conn.prepare_cached(sql)?;
        let ids = statement.query_map(values, |row| row.get::<_, i64>(0))?;
        for id in ids {
            self.found.insert(id?);
        }
        Ok(())
    }

    /// Files that stand where the directories of a package should, in whatever ASCII case.
    fn take_named(&mut self, media: &[u8], name: &str) -> rusqlite::Result<()> {
        let (name, dir) = (name.as_bytes(), Range::of(media).low);
        let mut next = self.conn.prepare_cached(sql::OWN_NAMED)?;
        let mut from = Vec::new();
        while let Some(wanted) = spelling::next(name, &from).filter(|_| self.names <= FEW) {
            self.names += 1;
            let values = params![self.scope.volume.0, self.scope.user, dir, wanted];
            let found = next.query_row(values, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let Some((found, id)): Option<(Vec<u8>, i64)> = found else { break };
            if found == wanted {
                self.found.insert(id);
                from = [&wanted[..], b"\0"].concat();
            } else {
                from = found;
            }
        }
        Ok(())
    }

    /// The directories in `above` that have files and are called this, in lower case, in whatever ASCII case. What else is there
    /// is passed over: only the names between two spellings cost a question.
    fn spellings(&mut self, above: &[u8], name: &str) -> rusqlite::Result<Vec<Vec<u8>>> {
        let mut next = self.conn.prepare_cached(sql::DIR_NEXT)?;
        let Range { low: prefix, high } = Range::of(above);
        let (mut from, mut spellings) = (Vec::new(), Vec::new());
        while let Some(wanted) = spelling::next(name.as_bytes(), &from).filter(|_| self.names <= FEW) {
            self.names += 1;
            // All that is in a directory of this name begins with it and a slash.
            let low = [&prefix[..], &wanted, b"/"].concat();
            let values = params![self.scope.volume.0, self.scope.user, low, high];
            let found: Option<Vec<u8>> = next.query_row(values, |row| row.get(0)).optional()?;
            let Some(below) = found.as_deref().and_then(|it| it.strip_prefix(&prefix[..])) else { break };
            let (same, rest) = below.split_at(below.len().min(wanted.len()));
            from = match rest.first() {
                Some(b'/') if same == wanted => {
                    spellings.push([prefix.get(1..).unwrap_or_default(), &wanted[..]].concat());
                    [same, b"\0"].concat()
                }
                // Nothing called this begins with what is there and comes after it.
                Some(after) if *after > b'/' => [same, b"\0"].concat(),
                _ => same.to_vec(),
            };
        }
        Ok(spellings)
    }
}
