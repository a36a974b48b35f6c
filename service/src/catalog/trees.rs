//! Changes to whole trees, inside the writer's transaction.

use std::collections::HashSet;

use rusqlite::params;

use super::rows::Tx;
use super::tree::{Range, plain, self_and_above};
use super::{HidingRules, VolumeKey, sql};

impl Tx<'_> {
    pub(super) fn remove_dir(&mut self, volume: VolumeKey, user: u32, dir: &[u8]) -> rusqlite::Result<usize> {
        let tree = Range::of(dir);
        let kinds = self.kinds(volume, user, &tree)?;
        let removed = self.stamp(sql::TREE_REMOVE, params![volume.0, user, tree.low, tree.high])?;
        if removed > 0 {
            self.tell_below(volume, user, dir, &kinds);
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
        let kinds = self.kinds(volume, user, &source)?;
        // substr counts from 1: this is the first byte behind the old prefix.
        let rest = i64::try_from(source.low.len()).unwrap_or(i64::MAX).saturating_add(1);
        let values = params![volume.0, user, source.low, source.high, target.low, rest, self.generation];
        let moved = self.stamp(sql::TREE_MOVE, values)?;
        if moved > 0 {
            self.tell_below(volume, user, from, &kinds);
            if cleared == 0 {
                self.tell_below(volume, user, to, &kinds);
            }
        }
        Ok(moved)
    }

    pub(super) fn hide(&mut self, volume: VolumeKey, user: u32, dir: &[u8]) -> rusqlite::Result<usize> {
        let tree = Range::of(dir);
        let kinds = self.kinds(volume, user, &tree)?;
        let values = params![volume.0, user, tree.low, tree.high, self.generation];
        let hidden = self.stamp(sql::TREE_HIDE, values)?;
        if hidden > 0 {
            self.tell_below(volume, user, dir, &kinds);
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
        let tree = Range::of(dir);
        // Collected first: a query must not run over rows that are being changed under it. Once over the rows: what hides a
        // tree may come behind the first files of it, so they are judged when all that hides is known.
        let (mut dirs, mut hiding): (Vec<Vec<u8>>, HashSet<Vec<u8>>) = (Vec::new(), HashSet::new());
        let mut files: Vec<(i64, u8, u8, usize)> = Vec::new();
        let mut select = self.conn.prepare_cached(sql::TREE_TYPES)?;
        let mut rows = select.query(params![volume.0, user, tree.low, tree.high])?;
        while let Some(row) = rows.next()? {
            let dir = row.get_ref(1)?.as_blob()?;
            if dirs.last().is_none_or(|last| last != dir) {
                dirs.push(dir.to_vec());
            }
            let path = path(dir, row.get_ref(2)?.as_blob()?);
            if (rules.hides)(&path) {
                hiding.insert(dir.to_vec());
            }
            let (is, plain) = (row.get(4)?, (rules.media_type)(&path, row.get_ref(3)?.as_str()?));
            if (is, plain) != (0, 0) {
                files.push((row.get(0)?, is, plain, dirs.len()));
            }
        }
        drop(rows);
        drop(select);
        let is_hidden = |dir: &Vec<u8>| self_and_above(dir).any(|above| hiding.contains(above));
        let hidden: Vec<bool> = dirs.iter().map(is_hidden).collect();
        let mut kinds = self.kinds(volume, user, &tree)?;
        let mut changed = 0;
        for (id, is, plain, dir) in files {
            // Counted when it had been added.
            let right = if hidden.get(dir - 1) == Some(&true) { 0 } else { plain };
            if is != right {
                changed += self.stamp(sql::FILE_SET_MEDIA_TYPE, params![id, right, self.generation])?;
            }
        }
        if changed > 0 {
            kinds.append(&mut self.kinds(volume, user, &tree)?);
            self.tell_below(volume, user, dir, &kinds);
        }
        Ok(changed)
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
