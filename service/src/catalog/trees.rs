//! Changes to whole trees, inside the writer's transaction.

use std::collections::HashSet;

use rusqlite::params;

use super::rows::Tx;
use super::tree::{Range, plain, self_and_above};
use super::{HidingRules, VolumeKey, sql};

impl Tx<'_> {
    pub(super) fn remove_dir(&mut self, volume: VolumeKey, user: u32, dir: &[u8]) -> rusqlite::Result<usize> {
        let Range { low, high } = Range::of(dir);
        let removed = self.stamp(sql::TREE_REMOVE, params![volume.0, user, low, high])?;
        if removed > 0 {
            self.tell_below(volume, user, dir);
        }
        Ok(removed)
    }

    pub(super) fn rename_dir(
        &mut self,
        volume: VolumeKey,
        user: u32,
        from: &[u8],
        to: &[u8],
    ) -> rusqlite::Result<usize> {
        let (source, target) = (Range::of(from), Range::of(to));
        // No file system moves a directory into itself or over one that still holds it; and clearing the target first
        // would take the source with it.
        if source.overlaps(&target) {
            log::error!(
                "catalog: a directory cannot be renamed into its own tree; the rows stay as they are"
            );
            return Ok(0);
        }
        // What is still indexed there is stale: the lower file system only replaces an empty directory.
        let cleared = self.remove_dir(volume, user, to)?;
        // substr counts from 1: this is the first byte behind the old prefix.
        let rest = i64::try_from(source.low.len()).unwrap_or(i64::MAX).saturating_add(1);
        let values = params![volume.0, user, source.low, source.high, target.low, rest, self.generation];
        let moved = self.stamp(sql::TREE_MOVE, values)?;
        if moved > 0 {
            self.tell_below(volume, user, from);
            if cleared == 0 {
                self.tell_below(volume, user, to);
            }
        }
        Ok(moved)
    }

    pub(super) fn hide(&mut self, volume: VolumeKey, user: u32, dir: &[u8]) -> rusqlite::Result<usize> {
        let Range { low, high } = Range::of(dir);
        let hidden = self.stamp(sql::TREE_HIDE, params![volume.0, user, low, high, self.generation])?;
        if hidden > 0 {
            self.tell_below(volume, user, dir);
        }
        Ok(hidden)
    }

    pub(super) fn show(
        &mut self,
        volume: VolumeKey,
        user: u32,
        dir: &[u8],
        rules: HidingRules,
    ) -> rusqlite::Result<usize> {
        let Range { low, high } = Range::of(dir);
        let mut select = self.conn.prepare_cached(sql::TREE_TYPES)?;
        // Twice over the rows: what hides a tree may come behind the first files of it.
        let mut hidden: HashSet<Vec<u8>> = HashSet::new();
        let mut rows = select.query(params![volume.0, user, low, high])?;
        while let Some(row) = rows.next()? {
            let dir = row.get_ref(1)?.as_blob()?;
            if (rules.hides)(&path(dir, row.get_ref(2)?.as_blob()?)) {
                hidden.insert(dir.to_vec());
            }
        }
        drop(rows);
        // Collected first: a query must not run over rows that are being changed under it.
        let mut changes: Vec<(i64, u8)> = Vec::new();
        let mut rows = select.query(params![volume.0, user, low, high])?;
        while let Some(row) = rows.next()? {
            let dir = row.get_ref(1)?.as_blob()?;
            let right = if self_and_above(dir).any(|above| hidden.contains(above)) {
                0
            } else {
                (rules.media_type)(&path(dir, row.get_ref(2)?.as_blob()?), row.get_ref(3)?.as_str()?)
            };
            if row.get::<_, u8>(4)? != right {
                changes.push((row.get(0)?, right));
            }
        }
        drop(rows);
        drop(select);
        for (id, media_type) in &changes {
            let values = params![id, media_type, self.generation];
            self.stamp(sql::FILE_SET_MEDIA_TYPE, values)?;
        }
        if !changes.is_empty() {
            self.tell_below(volume, user, dir);
        }
        Ok(changes.len())
    }
}

/// A file's path from the stored form of its directory.
fn path(dir: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = plain(dir).to_vec();
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}
