//! What a playlist names. It is read when it is asked for, as the caller itself would read it, so an answer is never older than
//! the file; and of its members the caller sees what it sees of any other file.

use std::fs::File;

use super::{Desk, failed, find, items};
use crate::catalog::{At, FileKey, Projection};
use crate::control::ControlError;
use crate::control::store::{MediaPage, OpenMode};
use crate::scanner::metadata::playlist::{members, resolve};

/// Members that one answer goes through.
const MOST: usize = 512;

impl Desk<'_> {
    pub(super) fn playlist(&self, id: i64, after: Option<&[u8]>) -> Result<MediaPage, ControlError> {
        let begin = match after.map(|bytes| <[u8; 4]>::try_from(bytes).map(u32::from_be_bytes)) {
            None => 0,
            Some(Ok(at)) => usize::try_from(at).unwrap_or(usize::MAX),
            Some(Err(_)) => return Err(ControlError::Invalid("the cursor is not of a playlist".to_owned())),
        };
        let mut file = File::from(self.open(id, OpenMode::default())?);
        let list = self.find(id)?;
        let list =
            list.ok_or_else(|| ControlError::NotFound(format!("there is no file {id} for this caller")))?;
        let unreadable = |error| ControlError::Failed(format!("cannot read playlist {id}: {error}"));
        let members = members(&mut file, &list.entry.row.mime).map_err(unreadable)?;
        let key = &list.entry.key;
        let root = FileKey { dir: Vec::new(), name: Vec::new(), ..key.clone() };
        let root = items::path(&list.attached, &root);
        let root = root.strip_suffix(b"/").unwrap_or(&root);
        let mut page = MediaPage::default();
        let mut left = find::BYTES;
        for (at, member) in members.iter().enumerate().skip(begin) {
            if at - begin >= MOST || left == 0 {
                page.next = u32::try_from(at).ok().map(|at| at.to_be_bytes().to_vec());
                break;
            }
            let Some(path) = resolve(root, &key.dir, member) else { continue };
            let (dir, name) = super::mount::split(&path);
            let member = FileKey { dir: dir.to_vec(), name: name.to_vec(), ..key.clone() };
            let entry = self
                .shared
                .catalog
                .entry(&At::Key(member), Projection::default())
                .map_err(|error| failed(&error))?;
            let Some(seen) = entry.and_then(|entry| self.seen(entry)) else { continue };
            for item in self.items(vec![seen.entry]) {
                left = left.saturating_sub(items::size(&item));
                page.items.push(item);
            }
        }
        Ok(page)
    }
}
