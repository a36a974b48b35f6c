//! Links, and the directories on the way to them, which no walk of the lower tree finds.

use mediagate_policy::{Operation, VolumeKind};

use super::{Ask, Kernel, MISSING, NO_DIRECTORY, Target, Verdict, failed, links, location, resolve};
use crate::access::Described;
use crate::catalog::LinkPlace;
use crate::control::ControlError;
use crate::lower::{FileKind, Id};
use crate::redaction::Hidden;
use crate::volume::Volume;

const VISIBLE: Kernel =
    Kernel { errno: "", rule: "link", because: "The name of a link is found by whoever knows it." };
const GIVEN: Kernel = Kernel {
    errno: "",
    rule: "link-given",
    because: "The link was given to the caller, or it may read the file.",
};
const FOR_READING: Kernel = Kernel {
    errno: "EACCES",
    rule: "link-for-reading",
    because: "A link is for reading only, whoever asks.",
};
const STAYS: Kernel =
    Kernel { errno: "EPERM", rule: "link-stays", because: "A link is neither removed nor renamed." };
const THERE: Kernel =
    Kernel { errno: "EEXIST", rule: "file-exists", because: "There is a link of this name." };
const NO_XATTRS: Kernel = Kernel {
    errno: "EOPNOTSUPP",
    rule: "no-xattrs",
    because: "Extended attributes of shared storage are not offered to apps.",
};
const WAY: Kernel = Kernel {
    errno: "EPERM",
    rule: "links-way",
    because: "The directories on the way to links are found by name; they are not listed, and nothing is made in them.",
};

/// What is said of a link or of a directory on the way; `None` if the path is neither.
pub(super) fn verdict(
    volume: &Volume,
    who: &Described,
    target: &Target,
    ask: Ask,
) -> Result<Option<(Verdict, Option<Hidden>)>, ControlError> {
    let looks = matches!(ask, Ask::There(op) if op != Operation::SetAttr && op != Operation::Xattr);
    let question = who.question(who.object(&target.subject), Operation::Lookup);
    let refusal = question.answer();
    if let Some(link) = links::link_name(&target.subject) {
        if !refusal.is_allowed() {
            return Ok(Some((Verdict::policy(refusal, question.needs()), None)));
        }
        volume.catalog.flush_volume(volume.key).map_err(|_| failed(super::OpError::Index))?;
        let place = volume.catalog.link(&link).map_err(|_| failed(super::OpError::Index))?;
        let here = |place: &LinkPlace| {
            place.file.volume == volume.key && place.file.user == target.subject.user_number()
        };
        let found = place.filter(here).map(|place| file_of(volume, &place)).transpose()?.flatten();
        let Some(file) = found else { return Ok(Some((Verdict::kernel(&MISSING), None))) };
        let hidden = location(volume, &file);
        return of_file(volume, who, &file, ask).map(|verdict| Some((verdict, hidden)));
    }
    if target.file.is_some() || links::virtual_dir(&target.subject).is_none() {
        return Ok(None);
    }
    if !refusal.is_allowed() {
        return Ok(Some((Verdict::policy(refusal, question.needs()), None)));
    }
    let plain = |mask: mediagate_policy::AccessMask| !mask.read && !mask.write && !mask.execute;
    Ok(Some((
        match ask {
            Ask::There(Operation::Access(mask)) if !plain(mask) => return Ok(None),
            Ask::There(Operation::Xattr) => Verdict::kernel(&NO_XATTRS),
            Ask::File(_) => Verdict::kernel(&super::IS_DIRECTORY),
            Ask::New(_) => Verdict::kernel(&super::EXISTS),
            _ if looks => Verdict::policy(refusal, Vec::new()),
            _ => Verdict::kernel(&WAY),
        },
        None,
    )))
}

/// The file that a link leads to, if it is still there.
fn file_of(volume: &Volume, place: &LinkPlace) -> Result<Option<Target>, ControlError> {
    let user = place.file.user.to_string();
    let user = (volume.kind == VolumeKind::Emulated).then_some(user.as_bytes());
    let parts = user.into_iter().chain([&*place.file.dir, &place.file.name]).filter(|it| !it.is_empty());
    let target = resolve(volume, &parts.collect::<Vec<_>>().join(&b'/'), FileKind::File)?;
    let id = Id { ino: place.ino, generation: place.birth };
    let is_it = target.file.as_ref().is_some_and(|file| file.kind == FileKind::File && file.id == id);
    Ok(is_it.then_some(target))
}

/// An operation on a link to `file`.
fn of_file(volume: &Volume, who: &Described, file: &Target, ask: Ask) -> Result<Verdict, ControlError> {
    let reads = |mask: mediagate_policy::AccessMask| mask.read && !mask.write && !mask.execute;
    Ok(match ask {
        Ask::File(Operation::OpenRead) => read(volume, who, file)?,
        Ask::There(Operation::Access(mask)) if reads(mask) => read(volume, who, file)?,
        Ask::There(Operation::Access(mask)) if mask.write || mask.execute => Verdict::kernel(&FOR_READING),
        Ask::There(Operation::SetAttr) | Ask::File(Operation::OpenWrite) => Verdict::kernel(&FOR_READING),
        Ask::There(Operation::Xattr) => Verdict::kernel(&NO_XATTRS),
        Ask::There(_) => Verdict { redact: true, ..Verdict::kernel(&VISIBLE) },
        Ask::File(_) | Ask::Rename => Verdict::kernel(&STAYS),
        Ask::New(_) => Verdict::kernel(&THERE),
        Ask::Dir(_) => Verdict::kernel(&NO_DIRECTORY),
    })
}

fn read(volume: &Volume, who: &Described, file: &Target) -> Result<Verdict, ControlError> {
    let question = who.question(who.object(&file.subject), Operation::OpenRead);
    match links::check_read(volume, who, &file.subject) {
        Ok(()) => Ok(Verdict { redact: true, ..Verdict::kernel(&GIVEN) }),
        Err(super::OpError::Denied(_)) => Ok(Verdict::policy(question.answer(), question.needs())),
        Err(error) => Err(failed(error)),
    }
}
