//! Grants on single files: giving, listing and taking back, in memory and in the catalog.

use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use super::Shared;
use crate::access::{Access, FileId, Grant, GrantError, GrantKind, Meant, NewGrant, now};
use crate::catalog::{Catalog, CatalogError, FileKey, StoredGrant};
use crate::control::{ControlError, GrantSpec, GrantStatus};
use crate::ops;

/// Takes the grants over from the catalog; those that have ended go.
pub(super) fn load(catalog: &Catalog, access: &Access) -> Result<(), CatalogError> {
    let now = now();
    access.grants().reload(|| {
        catalog.flush()?;
        let (kept, ended): (Vec<_>, Vec<_>) =
            catalog.grants()?.into_iter().partition(|grant| grant.expires.is_none_or(|end| now < end));
        if !ended.is_empty() {
            catalog.drop_grants(ended.iter().map(|grant| grant.id).collect());
        }
        Ok(kept.into_iter().filter_map(grant).collect())
    })
}

fn grant(stored: StoredGrant) -> Option<Grant> {
    Some(Grant {
        id: stored.id,
        package: stored.package,
        user: stored.user,
        kind: *GrantKind::ALL.get(usize::from(stored.kind))?,
        file: FileId { volume: stored.volume.number(), ino: stored.ino, generation: stored.birth },
        row: stored.file,
        expires: stored.expires,
    })
}

/// Has grants that the catalog loses with the rows of their files lost in memory too, whoever removed the rows.
pub(super) fn follow_rows(access: &Arc<Access>, catalog: &Catalog) {
    let access = Arc::downgrade(access);
    catalog.on_grants_gone(Box::new(move |ids| {
        if let Some(access) = access.upgrade() {
            access.grants().lose(ids);
        }
    }));
}

fn kind(word: &str) -> Result<GrantKind, ControlError> {
    GrantKind::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| {
        ControlError::Invalid(format!("{word:?} is no kind of grant; it is one of selected, read, write"))
    })
}

impl Shared {
    pub(super) fn give(&self, spec: &GrantSpec) -> Result<(), ControlError> {
        let kind = kind(&spec.kind)?;
        let created = now();
        if let Some(end) = spec.expires.filter(|end| *end <= created) {
            return Err(ControlError::Invalid(format!(
                "the grant would have ended at {end}, and it is {created}; give a later time"
            )));
        }
        let (attached, path) = self.locate(&spec.path)?;
        let target = ops::grantable(&attached.volume, path)?;
        let new = NewGrant {
            package: &spec.package,
            user: spec.user,
            kind,
            file: target.id,
            expires: spec.expires,
        };
        let persist = |grant: &Grant, gone: &[i64]| self.store(grant, gone, &target.key, created);
        let grants = self.access.grants();
        let given = self.identity.while_installed(&spec.package, spec.user, || grants.add(&new, persist))?;
        given.map_err(|error| match error {
            GrantError::TooMany { .. } => ControlError::Failed(error.to_string()),
            GrantError::Persist(error) => error,
        })?;
        if target.is_gone() {
            // Whoever removed it may have looked for its grants before this one was there.
            grants.forget(target.id);
            return Err(ControlError::NotFound("the file was removed meanwhile".into()));
        }
        Ok(())
    }

    fn store(&self, grant: &Grant, gone: &[i64], file: &FileKey, created: i64) -> Result<i64, ControlError> {
        let stored = self.catalog.put_grant(crate::catalog::NewGrant {
            id: grant.id,
            package: Arc::clone(&grant.package),
            user: grant.user,
            kind: grant.kind as u8,
            file: file.clone(),
            ino: grant.file.ino,
            birth: grant.file.generation,
            expires: grant.expires,
            created,
            gone: gone.to_vec(),
        });
        stored.map_err(|error| failed(&error))?.ok_or_else(|| {
            ControlError::NotFound("the file was moved or removed meanwhile; try again".into())
        })
    }

    pub(super) fn take_back(
        &self,
        package: &str,
        user: u32,
        path: Option<&[u8]>,
    ) -> Result<usize, ControlError> {
        let known = self.identity.packages().iter().any(|it| it.package.name == package);
        let on = match path {
            None => None,
            Some(path) => {
                let (attached, path) = self.locate(path)?;
                let (key, file) = ops::grant_place(&attached.volume, path)?;
                self.catalog.flush().map_err(|error| failed(&error))?;
                let row = self.catalog.file_id(&key).map_err(|error| failed(&error))?;
                Some(Meant { row, file })
            }
        };
        let remove = |ids| self.catalog.remove_grants(ids).map_err(|error| failed(&error));
        let removed = self.access.grants().remove(package, user, on, remove)?;
        if removed > 0 || (known && on.is_none()) {
            return Ok(removed);
        }
        Err(ControlError::NotFound(if known {
            format!(
                "package {package:?} holds no grant on this file in user {user}; `grant list` shows those it has"
            )
        } else {
            format!(
                "package {package:?} is not installed and holds no grants; `package list` shows those that are"
            )
        }))
    }

    pub(super) fn given(
        &self,
        packages: Option<&[String]>,
        user: Option<u32>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<GrantStatus>, ControlError> {
        let grants = self.access.grants();
        let mut all = match packages {
            None => grants.list(None, user),
            Some(packages) => packages.iter().flat_map(|package| grants.list(Some(package), user)).collect(),
        };
        all.retain(|grant| grant.id > after);
        all.sort_unstable_by_key(|grant| grant.id);
        self.catalog.flush().map_err(|error| failed(&error))?;
        let mut found = Vec::new();
        for grant in all {
            if found.len() == limit {
                break;
            }
            // Without a place the file left the index behind the mount, and the grant with it.
            if let Some(place) = self.catalog.grant_place(grant.id).map_err(|error| failed(&error))? {
                let (volume, path) = self.path_of(&place.file)?;
                found.push(GrantStatus {
                    id: grant.id,
                    package: grant.package.to_string(),
                    user: grant.user,
                    kind: grant.kind.word().to_owned(),
                    volume,
                    path,
                    expires: grant.expires,
                    created: place.created,
                });
            }
        }
        Ok(found)
    }

    /// The volume's name and the file's path: absolute if the volume is attached, else below its root.
    fn path_of(&self, file: &FileKey) -> Result<(String, Vec<u8>), ControlError> {
        let attached = self.volumes.all().into_iter().find(|it| it.volume.key == file.volume);
        let volume = self.catalog.volume_of(file.volume).map_err(|error| failed(&error))?;
        let (name, kind) = volume.unwrap_or_default();
        let user = file.user.to_string().into_bytes();
        let is_emulated = kind == "emulated";
        let mut parts: Vec<&[u8]> = Vec::new();
        parts.extend(attached.as_ref().map(|it| it.config.mount.as_os_str().as_bytes()));
        parts.extend(is_emulated.then_some(&*user));
        parts.extend((!file.dir.is_empty()).then_some(&*file.dir));
        parts.push(&file.name);
        Ok((name, parts.join(&b'/')))
    }
}

fn failed(error: &CatalogError) -> ControlError {
    ControlError::Failed(error.to_string())
}
