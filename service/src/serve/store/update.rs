//! Changing files: their names, places and states.

use mediagate_policy::{Errno, NameState, Operation};

use super::mount::{Mount, WorkError};
use super::{Desk, Found, lower_path, names};
use crate::access::{Subject, now};
use crate::catalog::StateChange;
use crate::control::ControlError;
use crate::control::store::{MediaChanges, MediaResult};

/// Changes that were looked at and make sense.
struct Changes {
    name: Option<Vec<u8>>,
    dir: Option<Vec<u8>>,
    pending: Option<bool>,
    trashed: Option<bool>,
    favorite: Option<bool>,
}

impl Changes {
    fn new(changes: &MediaChanges) -> Result<Changes, ControlError> {
        if changes.pending == Some(true) && changes.trashed == Some(true) {
            return Err(ControlError::Invalid("a file is either pending or in the trash".to_owned()));
        }
        let dir = changes.relative_path.as_deref().map(|path| {
            names::sanitized_path(path)
                .ok_or_else(|| ControlError::Invalid("the directory must not have . or .. in it".to_owned()))
        });
        Ok(Changes {
            name: changes.display_name.as_deref().map(names::sanitized),
            dir: dir.transpose()?,
            pending: changes.pending,
            trashed: changes.trashed,
            favorite: changes.favorite,
        })
    }

    /// The state that a file in `state` is to be in.
    fn state(&self, state: NameState) -> NameState {
        match (self.pending, self.trashed, state) {
            (Some(true), _, _) => NameState::Pending,
            (_, Some(true), _) => NameState::Trashed,
            (Some(false), _, NameState::Pending) | (_, Some(false), NameState::Trashed) => NameState::Plain,
            (_, _, state) => state,
        }
    }
}

impl Desk<'_> {
    pub(super) fn update(
        &self,
        ids: &[i64],
        changes: &MediaChanges,
    ) -> Result<Vec<MediaResult>, ControlError> {
        let changes = Changes::new(changes)?;
        let mut states = Vec::new();
        let mut results = self.each(ids, |mount, found| {
            if changes.favorite.is_some() {
                self.may_mark(found)?;
            }
            // What is refused a place is left as it is.
            self.place(mount, found, &changes)?;
            if changes.favorite.is_some() {
                let state = StateChange { favorite: changes.favorite, ..StateChange::default() };
                states.push((found.entry.id, state));
            }
            Ok(())
        })?;
        if !states.is_empty() {
            let marked: Vec<i64> = states.iter().map(|(id, _)| *id).collect();
            let catalog = &self.shared.catalog;
            let set = catalog.flush().and_then(|()| catalog.set_states(states));
            if let Err(error) = set {
                log::error!("favourites could not be recorded: {error}");
                for (id, result) in ids.iter().zip(&mut results) {
                    if *result == MediaResult::Done && marked.contains(id) {
                        *result = MediaResult::Failed;
                    }
                }
            }
        }
        Ok(results)
    }

    /// Whoever may change what is recorded of a file by its path may call it a favourite.
    fn may_mark(&self, found: &Found) -> Result<(), WorkError> {
        let may = self.shared.access.check(&self.who, &found.subject, Operation::SetAttr);
        may.map(drop).map_err(|_| WorkError::Denied)
    }

    /// Renames the file if it is to have another name, place or state.
    fn place(&self, mount: &Mount, found: &Found, changes: &Changes) -> Result<(), WorkError> {
        let key = &found.entry.key;
        let (old_plain, old_state, old_end) = names::taken_apart(&key.name);
        let plain = changes.name.as_deref().unwrap_or(old_plain);
        let dir = changes.dir.as_deref().unwrap_or(&key.dir);
        let state = changes.state(old_state);
        if (plain, dir, state) == (old_plain, key.dir.as_slice(), old_state) {
            return Ok(());
        }
        let end = if state == old_state { old_end } else { names::end_of(state, now()) };
        let candidates: Vec<Vec<u8>> =
            names::candidates(dir, plain).iter().map(|name| names::in_state(state, end, name)).collect();
        let to = lower_path(&found.attached, key.user, dir, b"");
        match mount.rename(&found.subject, &to, &candidates) {
            Err(WorkError::NotFound) => {
                let first = candidates.first().map_or(&b""[..], Vec::as_slice);
                self.may_rename(found, &lower_path(&found.attached, key.user, dir, first))?;
                mount.make_dirs(&to)?;
                mount.rename(&found.subject, &to, &candidates)
            }
            renamed => renamed,
        }
    }

    /// Asked before directories are made for nothing.
    fn may_rename(&self, found: &Found, to: &[u8]) -> Result<(), WorkError> {
        let kind = found.subject.object().kind;
        let to = Subject::new(found.attached.volume.kind, to.to_vec(), kind).ok_or(WorkError::Invalid)?;
        let operation = Operation::Rename { to: to.object(), replaced: None };
        match self.shared.access.check(&self.who, &found.subject, operation) {
            Ok(_) => Ok(()),
            Err(Errno::Exdev | Errno::Einval) => Err(WorkError::Invalid),
            Err(_) => Err(WorkError::Denied),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(pending: Option<bool>, trashed: Option<bool>) -> Changes {
        Changes { name: None, dir: None, pending, trashed, favorite: None }
    }

    #[test]
    fn states_change_as_asked() {
        use NameState::{Pending, Plain, Trashed};
        for (pending, trashed, from, to) in [
            (None, None, Trashed, Trashed),
            (Some(false), None, Pending, Plain),
            (Some(false), None, Trashed, Trashed),
            (None, Some(false), Trashed, Plain),
            (None, Some(false), Pending, Pending),
            (None, Some(true), Plain, Trashed),
            (None, Some(true), Pending, Trashed),
            (Some(true), None, Plain, Pending),
            (Some(false), Some(true), Pending, Trashed),
        ] {
            assert_eq!(changes(pending, trashed).state(from), to, "{pending:?} {trashed:?} {from:?}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let both = MediaChanges { pending: Some(true), trashed: Some(true), ..MediaChanges::default() };
        assert!(Changes::new(&both).is_err());
        let out = MediaChanges { relative_path: Some(b"../x".to_vec()), ..MediaChanges::default() };
        assert!(Changes::new(&out).is_err());
    }
}
