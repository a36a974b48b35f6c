//! Sessions: volumes that somebody else has mounted, as vold does, and that are served from the descriptor of its mount.
//!
//! A session is an attached volume that knows its id. How it is told what kind of volume it is follows vold: the id begins
//! with the volume's type, and an emulated one ends with its user (VolumeBase, EmulatedVolume of system/vold).

use std::sync::Arc;

use super::Shared;
use super::volumes::{Attached, Source};
use crate::config::{VolumeConfig, VolumeKindConfig, WatchConfig, check_session};
use crate::control::{ControlError, SessionRequest, VolumeState};

/// What MediaProvider calls the primary volume (MediaStore.VOLUME_EXTERNAL_PRIMARY).
const PRIMARY: &str = "external_primary";

/// What an id says.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// The tree of this user.
    Emulated(u32),
    /// A card.
    Public,
}

fn kind_of(id: &str) -> Option<Kind> {
    if let Some(rest) = id.strip_prefix("emulated") {
        let (disk, user) = rest.split_once(';')?;
        let adopted = disk.strip_prefix(':').is_some_and(is_device);
        let user = user.parse().ok().filter(|_| disk.is_empty() || adopted)?;
        return Some(Kind::Emulated(user));
    }
    is_device(id.strip_prefix("public:")?).then_some(Kind::Public)
}

/// A device number as vold writes it: `8,1`.
fn is_device(text: &str) -> bool {
    let number = |it: &str| it.parse::<u32>().is_ok();
    text.split_once(',').is_some_and(|(major, minor)| number(major) && number(minor))
}

/// The volume that a session is to be.
fn volume_of(session: &SessionRequest) -> Result<VolumeConfig, ControlError> {
    let Some(kind) = kind_of(&session.id) else {
        return Err(ControlError::Invalid(format!(
            "{:?} is no session's id; they are \"emulated;USER\", \"emulated:MAJOR,MINOR;USER\" and \"public:MAJOR,MINOR\"",
            session.id
        )));
    };
    let upper = session.upper.file_name().and_then(|it| it.to_str());
    let (name, kind, users) = match kind {
        Kind::Emulated(0) => (PRIMARY.to_owned(), VolumeKindConfig::Emulated, vec![0]),
        Kind::Emulated(user) => (format!("{PRIMARY}-{user}"), VolumeKindConfig::Emulated, vec![user]),
        Kind::Public => {
            let name = upper
                .map(str::to_ascii_lowercase)
                .ok_or_else(|| ControlError::Invalid(format!("{:?} names no volume", session.upper)))?;
            (name, VolumeKindConfig::Public, Vec::new())
        }
    };
    Ok(VolumeConfig {
        name,
        kind,
        lower: session.lower.clone(),
        mount: session.upper.clone(),
        users,
        owner: None,
        passthrough: true,
        cache_seconds: None,
        watch: WatchConfig::Auto,
    })
}

impl Shared {
    pub(super) fn begin_session(&self, session: SessionRequest) -> Result<(), ControlError> {
        let volume = volume_of(&session)?;
        let changing = self.volumes.changing();
        if self.session(&session.id).is_some() {
            return Err(ControlError::AlreadyExists(format!(
                "{} has a session already; end it first",
                session.id
            )));
        }
        if self.volumes.find(&volume.name).is_some() {
            return Err(ControlError::AlreadyExists(format!(
                "a volume {:?} is attached already",
                volume.name
            )));
        }
        let attached: Vec<_> = self.volumes.all().iter().map(|it| it.config.clone()).collect();
        check_session(&volume, &attached).map_err(ControlError::Invalid)?;
        let source = Source::Device { id: session.id, device: session.device };
        self.attach_from(&changing, &volume, source).map_err(|error| {
            match error.downcast_ref::<crate::fuse::MountError>() {
                Some(crate::fuse::MountError::NoSession { .. }) => {
                    ControlError::Invalid(format!("{error:#}"))
                }
                _ => ControlError::Failed(format!("{error:#}")),
            }
        })
    }

    pub(super) fn finish_session(&self, id: &str) -> Result<(), ControlError> {
        let gone =
            || ControlError::NotFound(format!("there is no session {id:?}; `dump` shows those that are"));
        let session = self.session(id).ok_or_else(gone)?;
        let name = session.config.name.clone();
        drop(session);
        if self.detach(&name) { Ok(()) } else { Err(gone()) }
    }

    pub(super) fn follow_session(&self, id: &str, state: VolumeState) -> Result<(), ControlError> {
        match state {
            VolumeState::Checking => Ok(()),
            VolumeState::Mounted => {
                let session = self
                    .session(id)
                    .ok_or_else(|| ControlError::NotFound(format!("there is no session {id:?}")))?;
                super::scan::request(&session, Vec::new()).map(drop)
            }
            VolumeState::Leaving => match self.finish_session(id) {
                // It may have ended by itself, or never begun.
                Err(ControlError::NotFound(_)) | Ok(()) => Ok(()),
                failed => failed,
            },
        }
    }

    fn session(&self, id: &str) -> Option<Arc<Attached>> {
        self.volumes.all().into_iter().find(|it| it.session.as_deref() == Some(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_what_it_is_of() {
        for (id, kind) in [
            ("emulated;0", Kind::Emulated(0)),
            ("emulated;10", Kind::Emulated(10)),
            ("emulated:8,2;10", Kind::Emulated(10)),
            ("public:179,1", Kind::Public),
        ] {
            assert_eq!(kind_of(id), Some(kind), "{id}");
        }
        for id in [
            "",
            "emulated",
            "emulated;",
            "emulated;x",
            "emulated8,2;0",
            "emulated:8;0",
            "public",
            "public:7",
            "private:7,1",
            "stub:1",
        ] {
            assert_eq!(kind_of(id), None, "{id}");
        }
    }

    fn session(id: &str, upper: &str) -> SessionRequest {
        let device = std::fs::File::open("/dev/null").unwrap().into();
        SessionRequest { id: id.to_owned(), device, upper: upper.into(), lower: "/l".into() }
    }

    #[test]
    fn a_volume_has_the_name_that_media_provider_gives_it() {
        let name = |id: &str, upper: &str| volume_of(&session(id, upper)).map(|it| (it.name, it.users)).ok();
        assert_eq!(
            name("emulated;0", "/mnt/user/0/emulated"),
            Some(("external_primary".to_owned(), vec![0]))
        );
        assert_eq!(
            name("emulated;10", "/mnt/user/10/emulated"),
            Some(("external_primary-10".to_owned(), vec![10]))
        );
        assert_eq!(name("public:7,1", "/mnt/user/0/1A2B-3C4D"), Some(("1a2b-3c4d".to_owned(), Vec::new())));
        assert_eq!(name("public:7,1", "/"), None);
    }
}
