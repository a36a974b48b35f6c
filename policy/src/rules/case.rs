//! One caller and one object, and what follows from the two: the predicates that the rules share.

use super::rights::{self, Way};
use crate::decision::Grant;
use crate::mime::{MediaType, is_image, is_video, mime_of};
use crate::name::{NameState, is_valid_fat_name, name_state};
use crate::object::{Kind, Object, Row};
use crate::path::{AndroidDir, Place, last_component};
use crate::principal::{MountMode, Principal, PrincipalKind, Traits};
use crate::reason::Reason;

/// Reading or writing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    Write,
}

pub(super) struct Case<'a> {
    pub(super) who: &'a Principal,
    pub(super) what: &'a Object<'a>,
    pub(super) place: Place<'a>,
}

impl<'a> Case<'a> {
    pub(super) fn new(who: &'a Principal, what: &'a Object<'a>) -> Case<'a> {
        Case { who, what, place: Place::of(what.path) }
    }

    pub(super) fn of_same_caller<'b>(&'b self, what: &'b Object<'b>) -> Case<'b> {
        Case::new(self.who, what)
    }

    pub(super) fn has(&self, class: Traits) -> bool {
        self.who.traits.has(class)
    }

    pub(super) fn is_file(&self) -> bool {
        self.what.kind == Kind::File
    }

    pub(super) fn mime(&self) -> &'static str {
        mime_of(self.what.path)
    }

    /// A daemon or the system itself, not an app: the daemon lets it look at every path (§1.5).
    pub(super) fn is_core(&self) -> bool {
        self.who.uid.is_core()
    }

    /// Every component of the path could stand on a FAT volume.
    pub(super) fn has_portable_names(&self) -> bool {
        self.what.path.split(|byte| *byte == b'/').all(is_valid_fat_name)
    }

    /// The tree is the caller's user's, or everybody's.
    fn is_own_tree(&self) -> bool {
        self.what.user.is_none_or(|user| user == self.who.user())
    }

    /// In a directory that is named after one of the caller's packages (`Android/{data,media,obb,sandbox}`). What a
    /// clone profile shares is media: the private directories of an app's copy are the copy's.
    fn is_in_own_package_directory(&self) -> bool {
        let Place::AndroidPackage { dir, package, .. } = self.place else { return false };
        let shared = dir == AndroidDir::Media || self.is_own_tree();
        shared && self.who.packages.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(package))
    }

    /// Allowed by the caller's mount mode or by the package directory (`isUidAllowedAccessToDataOrObbPath`).
    fn opened_by_path(&self) -> Option<Reason> {
        if self.is_in_own_package_directory() {
            return Some(Reason::OwnPackageDirectory);
        }
        let in_obb = matches!(
            self.place,
            Place::AndroidTop(AndroidDir::Obb) | Place::AndroidPackage { dir: AndroidDir::Obb, .. }
        );
        match self.who.mount_mode {
            MountMode::AndroidWritable | MountMode::PassThrough => Some(Reason::MountModeWritable),
            MountMode::Installer if in_obb && self.is_own_tree() => Some(Reason::InstallerObb),
            MountMode::Installer | MountMode::Default => None,
        }
    }

    /// "privateDenied" (§2.3): in another package's directory that is not `Android/media`.
    pub(super) fn is_others_private(&self) -> bool {
        match self.place {
            Place::AndroidPackage { dir, .. } => dir != AndroidDir::Media && self.opened_by_path().is_none(),
            _ => false,
        }
    }

    /// "bypass" (§2.4): the class of the caller for which this path is not checked any further. The gallery's
    /// counts for files only.
    pub(super) fn bypass(&self, mode: Mode) -> Option<Reason> {
        let (legacy, reason) = match mode {
            Mode::Read => (Traits::LEGACY_READ, Reason::LegacyRead),
            Mode::Write => (Traits::LEGACY_WRITE, Reason::LegacyWrite),
        };
        self.opened_by_path()
            .or_else(|| self.has(Traits::MANAGER).then_some(Reason::Manager))
            .or_else(|| self.has(legacy).then_some(reason))
            .or_else(|| self.is_gallerys().then_some(Reason::Gallery))
    }

    fn is_gallerys(&self) -> bool {
        self.has(Traits::GALLERY) && self.is_file() && {
            let mime = self.mime();
            is_image(mime) || is_video(mime)
        }
    }

    /// "bypassDB" (§2.4) of a gallery; managers bypass anyway.
    pub(super) fn has_raw_access(&self) -> bool {
        self.has(Traits::GALLERY) && self.has(Traits::RAW_ACCESS)
    }

    /// A legacy app that did not get what it asks for: it falls through to nothing.
    pub(super) fn is_legacy(&self) -> bool {
        self.has(Traits::LEGACY)
    }

    /// The caller may write the row (§2.8), published or not.
    pub(super) fn row_writable(&self, row: &Row<'_>) -> Option<Reason> {
        let leads = |way: &Way| way.leads_to(self.who, row);
        rights::to_write(self.who).into_iter().find(leads).map(|way| way.reason)
    }

    /// The caller may open the row for writing.
    pub(super) fn row_opens_for_write(&self, row: &Row<'_>) -> Result<Reason, Reason> {
        self.opens(row, rights::to_write(self.who).into_iter())
            .map_err(|refusal| refusal.unwrap_or(Reason::OthersFileReadOnly))
    }

    /// The caller may open the row for reading, and sees it in a listing; who may write it may read it.
    pub(super) fn row_opens(&self, row: &Row<'_>) -> Result<Reason, Reason> {
        let ways = rights::to_write(self.who).into_iter().chain(rights::only_to_read(self.who));
        self.opens(row, ways).map_err(|refusal| refusal.unwrap_or_else(|| self.row_closed(row)))
    }

    /// The first of the ways that is open, or what closes all of them if it is the row's state.
    fn opens(&self, row: &Row<'_>, mut ways: impl Iterator<Item = Way>) -> Result<Reason, Option<Reason>> {
        let unpublished = self.unpublished(row);
        let is_open = |way: &Way| unpublished.is_none() || way.unpublished.has(row.media_type);
        ways.find(|way| is_open(way) && way.leads_to(self.who, row)).map(|way| way.reason).ok_or(unpublished)
    }

    /// Why a row that no way leads to stays closed.
    fn row_closed(&self, row: &Row<'_>) -> Reason {
        match row.media_type {
            MediaType::Image | MediaType::Video if self.has(Traits::USER_SELECTED) => Reason::NotSelected,
            MediaType::Image => Reason::OthersImage,
            MediaType::Video => Reason::OthersVideo,
            MediaType::Audio | MediaType::Playlist => Reason::OthersAudio,
            MediaType::Subtitle => Reason::OthersSubtitle,
            MediaType::Document | MediaType::None => Reason::OthersFile,
        }
    }

    /// In the trash, or pending under a `.pending-` name; a pending file under a plain name was created through
    /// a mount and is open to readers.
    fn unpublished(&self, row: &Row<'_>) -> Option<Reason> {
        match name_state(last_component(self.what.path)) {
            NameState::Trashed => Some(Reason::OthersTrashed),
            NameState::Pending => Some(Reason::OthersPending),
            NameState::Plain => row.trashed.then_some(Reason::OthersTrashed),
        }
    }

    /// The caller's view of this file is the redacted one (§4.1). Who may write a file may see all of it, so
    /// the view does not depend on how the file is opened.
    pub(super) fn sees_redacted(&self) -> bool {
        self.is_file()
            && self.has(Traits::REDACTION_NEEDED)
            && self.bypass(Mode::Read).is_none()
            && self.what.row.is_none_or(|row| self.row_writable(&row).is_none())
    }

    /// A grant to look at this object.
    pub(super) fn view(&self) -> Grant {
        Grant { redact: self.sees_redacted(), ..Grant::default() }
    }

    /// A grant to create: the first package of an app owns the new file.
    pub(super) fn ownership(&self) -> Grant {
        Grant { take_ownership: self.who.kind == PrincipalKind::App, ..Grant::default() }
    }
}
