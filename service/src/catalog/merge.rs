//! A file that is made, written and closed is told of twice. Where both come in one batch the row is written once.

use std::collections::{HashMap, HashSet};

use super::queue::Job;
use super::write::Write;
use super::{FileKey, FileRow};

/// Which writes of a batch say what others say as well, by their place in it.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// The size and the modification time that a row gets later.
    later: HashMap<usize, (u64, i64)>,
    /// Those that said it.
    said: HashSet<usize>,
}

impl Merged {
    pub(super) fn of(batch: &[Job]) -> Merged {
        let mut merged = Merged::default();
        // What was put where, as long as nothing else can have happened to it.
        let mut put: HashMap<&FileKey, (usize, &FileRow)> = HashMap::new();
        for (at, job) in batch.iter().enumerate() {
            match &job.write {
                Write::Upsert(key, row, _) => drop(put.insert(key, (at, row))),
                Write::Refresh { key, ino, birth, size, mtime_ns } => {
                    if let Some((first, row)) = put.get(key)
                        && (row.ino, row.birth) == (*ino, *birth)
                    {
                        merged.later.insert(*first, (*size, *mtime_ns));
                        merged.said.insert(at);
                    }
                }
                Write::FirstSeen(..) => {}
                Write::Mend(key, _) | Write::Remove(key) | Write::RemoveGone(key, ..) => {
                    put.remove(key);
                }
                Write::RenameFile { from, to, .. } => {
                    put.remove(from);
                    put.remove(to);
                }
                _ => put.clear(),
            }
        }
        merged
    }

    /// The row that is to be written in place of this one.
    pub(super) fn row(&self, at: usize, row: &FileRow) -> Option<FileRow> {
        let (size, mtime_ns) = *self.later.get(&at)?;
        Some(FileRow { size, mtime_ns, ..row.clone() })
    }

    /// Nothing is left to be done for this write.
    pub(super) fn is_said(&self, at: usize) -> bool {
        self.said.contains(&at)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Recorded, Renamed, VolumeKey};
    use super::*;

    fn key(name: &str) -> FileKey {
        FileKey { volume: VolumeKey(1), user: 0, dir: b"d".to_vec(), name: name.as_bytes().to_vec() }
    }

    fn row(ino: u64) -> FileRow {
        FileRow { ino, birth: 3, ..FileRow::default() }
    }

    fn put(name: &str, ino: u64) -> Write {
        Write::Upsert(key(name), row(ino), Recorded::default())
    }

    fn refresh(name: &str, ino: u64) -> Write {
        Write::Refresh { key: key(name), ino, birth: 3, size: 5, mtime_ns: 6 }
    }

    fn rename(from: &str, to: &str) -> Write {
        let renamed =
            Renamed { mime: "x/y".into(), media_type: 0, pending: false, trashed: false, expires: None };
        Write::RenameFile { from: key(from), to: key(to), renamed }
    }

    /// Whether the refresh at the end is part of what is first.
    fn is_merged(writes: impl IntoIterator<Item = Write>) -> bool {
        let batch: Vec<Job> = writes.into_iter().map(|write| Job { write, reply: None }).collect();
        let merged = Merged::of(&batch);
        let row = merged.row(0, &row(7)).map(|row| (row.ino, row.size, row.mtime_ns));
        assert!(row.is_none_or(|it| it == (7, 5, 6) && merged.is_said(batch.len() - 1)));
        row.is_some()
    }

    #[test]
    fn a_refresh_is_part_of_what_made_the_row() {
        assert!(is_merged([put("a", 7), refresh("a", 7)]));
        assert!(is_merged([put("a", 7), put("b", 8), refresh("b", 8), refresh("a", 7)]));
        let seen = Write::FirstSeen(key("a"), row(9), Recorded::default());
        assert!(is_merged([put("a", 7), seen, Write::Remove(key("b")), rename("b", "c"), refresh("a", 7)]));
    }

    #[test]
    fn not_if_the_row_may_be_another_by_then() {
        let between = [
            put("a", 8),
            put("a", 7),
            Write::Mend(key("a"), row(7)),
            Write::Remove(key("a")),
            Write::RemoveGone(key("a"), 7, 3),
            rename("a", "b"),
            rename("b", "a"),
            Write::RemoveDir(VolumeKey(1), 0, b"d".to_vec()),
            Write::States(Vec::new()),
        ];
        for write in between {
            let what = format!("{write:?}");
            assert!(!is_merged([put("a", 7), write, refresh("a", 7)]), "{what}");
        }
        assert!(!is_merged([put("a", 8), refresh("a", 7)]), "another file");
        assert!(!is_merged([put("a", 7), refresh("b", 7)]), "another place");
    }
}
