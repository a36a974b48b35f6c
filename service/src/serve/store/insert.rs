//! Making files.

use mediagate_policy::{DefaultDir, NameState, Operation, VolumeKind, mime_of};

use super::mount::{Mounts, WorkError};
use super::{Desk, failed, items, lower_path, names};
use crate::access::{Subject, now};
use crate::catalog::{At, FileKey, Projection};
use crate::control::ControlError;
use crate::control::store::{InsertSpec, Inserted};

impl Desk<'_> {
    pub(super) fn insert(&self, spec: &InsertSpec) -> Result<Inserted, ControlError> {
        let attached =
            match &spec.volume {
                Some(name) => self.named(name)?,
                None => self.volumes.iter().find(|it| it.volume.kind == VolumeKind::Emulated).ok_or_else(
                    || ControlError::NotFound("no emulated volume is attached; name one".to_owned()),
                )?,
            };
        let user = match attached.volume.kind {
            VolumeKind::Public => 0,
            VolumeKind::Emulated => {
                let user = spec.user.unwrap_or(self.caller.uid / super::PER_USER);
                if !attached.volume.users.contains(&user) {
                    return Err(ControlError::NotFound(format!(
                        "volume {:?} has no user {user}",
                        attached.config.name
                    )));
                }
                user
            }
        };
        let name = match &spec.display_name {
            Some(name) => names::sanitized(name),
            None => now().to_string().into_bytes(),
        };
        let mime = spec.mime.as_deref().filter(|mime| !mime.is_empty()).unwrap_or_else(|| mime_of(&name));
        let name = names::with_extension(name, mime);
        // What the name says in the end is what the file is.
        let mime = mime_of(&name);
        let dir = match &spec.relative_path {
            Some(path) => names::sanitized_path(path).ok_or_else(|| {
                ControlError::Invalid("the directory must not have . or .. in it".to_owned())
            })?,
            None => DefaultDir::of_new(mime).name().as_bytes().to_vec(),
        };
        let subject_of = |name: &[u8]| {
            Subject::new(
                attached.volume.kind,
                lower_path(attached, user, &dir, name),
                mediagate_policy::Kind::File,
            )
            .ok_or_else(|| ControlError::Invalid("there can be no such file".to_owned()))
        };
        let subject = subject_of(&name)?;
        if subject.is_invisible() {
            return Err(ControlError::Invalid("files there are not indexed; make it by its path".to_owned()));
        }
        // Asked before directories are made for nothing.
        self.shared.access.check(&self.who, &subject, Operation::Create).map_err(|_| {
            ControlError::Denied(format!(
                "uid {} may not make a file of type {mime} there; `policy matrix` shows which directories take what",
                self.caller.uid
            ))
        })?;
        let (state, end) = match spec.pending {
            true => (NameState::Pending, names::end_of(NameState::Pending, now())),
            false => (NameState::Plain, 0),
        };
        let mut mounts = Mounts::new(self.caller.uid);
        let made = mounts.of(attached).and_then(|mount| {
            mount.make_dirs(&lower_path(attached, user, &dir, b""))?;
            for candidate in names::candidates(&dir, &name) {
                // A pending file takes the name that it will have.
                if state != NameState::Plain && mount.exists(&lower_path(attached, user, &dir, &candidate))? {
                    continue;
                }
                let file = names::in_state(state, end, &candidate);
                match mount.create(&lower_path(attached, user, &dir, &file)) {
                    Err(WorkError::Taken) => {}
                    other => return other.map(|()| (file, candidate)),
                }
            }
            Err(WorkError::Taken)
        });
        drop(mounts);
        let (file, display_name) = made.map_err(|error| match error {
            WorkError::Taken => {
                ControlError::AlreadyExists("all names are taken; choose another one".to_owned())
            }
            WorkError::Denied => {
                ControlError::Denied(format!("uid {} may not make this file", self.caller.uid))
            }
            error => ControlError::Failed(format!("cannot make the file: {error}")),
        })?;
        let catalog = &self.shared.catalog;
        catalog.flush_volume(attached.volume.key).map_err(|error| failed(&error))?;
        let key = FileKey { volume: attached.volume.key, user, dir, name: file };
        let entry =
            catalog.entry(&At::Key(key), Projection::default()).map_err(|error| failed(&error))?.ok_or_else(
                || ControlError::Failed("the file was made, and moved or removed at once".to_owned()),
            )?;
        Ok(Inserted {
            id: entry.id,
            path: items::path(attached, &entry.key),
            display_name,
            mime: entry.row.mime.into_owned(),
        })
    }
}
