//! `explain`: the decision about a path, with everything it looked at, without performing anything.

use std::os::fd::AsFd;
use std::sync::Arc;

use mediagate_policy::{AccessMask, Decision, Errno, FileGrants, Operation, UserRelation};

use super::OpError;
use super::rename::check_children;
use crate::access::{Subject, Who};
use crate::control::{ControlError, ExplainRequest, Explanation};
use crate::lower::{FileKind, Meta};
use crate::node::File;
use crate::redaction::Hidden;
use crate::volume::Volume;

/// What stands at a path, or only its place if nothing does.
pub(super) struct Target {
    pub(super) subject: Subject,
    /// What is there.
    pub(super) file: Option<Arc<File>>,
}

/// Decides about `path`, relative to the volume's lower root.
pub fn explain(
    volume: &Volume,
    request: &ExplainRequest,
    path: &[u8],
    to: Option<&[u8]>,
) -> Result<Explanation, ControlError> {
    let who = volume.access.who(request.uid);
    let kind = if matches!(request.operation.as_str(), "mkdir" | "rmdir" | "list") {
        FileKind::Directory
    } else {
        FileKind::File
    };
    let target = resolve(volume, path, kind)?;
    let object = target.subject.object();
    let new = to.map(|to| resolve(volume, to, kind)).transpose()?;
    let operation = match (request.operation.as_str(), &new) {
        ("lookup", _) => Operation::Lookup,
        ("read", _) => Operation::OpenRead,
        ("write", _) => Operation::OpenWrite,
        ("access", _) => Operation::Access(AccessMask { read: true, ..AccessMask::default() }),
        ("create", _) => Operation::Create,
        ("mkdir", _) => Operation::MakeDir,
        ("rmdir", _) => Operation::RemoveDir,
        ("list", _) => Operation::OpenDir,
        ("delete", _) => Operation::Unlink,
        ("rename", Some(new)) => {
            let mut place = new.subject.object();
            place.row = None;
            place.kind = object.kind;
            Operation::Rename { to: place, replaced: new.file.as_ref().map(|_| who.object(&new.subject)) }
        }
        ("rename", None) => {
            return Err(ControlError::Invalid("rename needs the new name: give it with --to".into()));
        }
        (other, _) => {
            return Err(ControlError::Invalid(format!(
                "unknown operation {other:?}: use lookup, read, write, access, create, mkdir, rmdir, list, delete or rename"
            )));
        }
    };
    let decision = match unreachable(volume, &who, &target, new.as_ref()) {
        Some(unreachable) => unreachable,
        None => match (volume.access.explain(&who, &target.subject, operation), &new) {
            (decision, Some(new)) if decision.grant().is_ok_and(|grant| grant.check_children) => {
                refused_child(volume, &who, &target, &new.subject)?.unwrap_or(decision)
            }
            (decision, _) => decision,
        },
    };
    let location = location(volume, &target);
    Ok(answer(&who, &target, decision, location))
}

/// The kernel walks to a name, and to the directory of a new one, before it asks for anything. Whoever may not do that
/// learns nothing about what is there.
fn unreachable(volume: &Volume, who: &Who, target: &Target, new: Option<&Target>) -> Option<Decision> {
    let refused = |subject: &Subject| {
        Some(volume.access.explain(who, subject, Operation::Lookup)).filter(|it| it.grant().is_err())
    };
    let new_dir = new.and_then(|new| {
        let path = new.subject.lower_path();
        let end = path.iter().rposition(|b| *b == b'/').unwrap_or(0);
        Subject::new(volume.kind, path.get(..end)?.to_vec(), mediagate_policy::Kind::Directory)
    });
    refused(&target.subject).or_else(|| refused(&new_dir?))
}

/// The decision about the first file below a directory that may not move along with it.
fn refused_child(
    volume: &Volume,
    who: &Who,
    target: &Target,
    new: &Subject,
) -> Result<Option<Decision>, ControlError> {
    let Some(dir) = target.file.as_ref().filter(|file| file.kind == FileKind::Directory) else {
        return Ok(None);
    };
    let mut refused = None;
    let walked = check_children(volume, dir, &target.subject, new, |child, operation| {
        let decision = volume.access.explain(who, child, operation);
        decision.grant().map(drop).map_err(|errno| {
            refused = Some(decision);
            OpError::from(errno)
        })
    });
    match (walked, refused) {
        (_, Some(refused)) => Ok(Some(refused)),
        (Ok(()), None) => Ok(None),
        (Err(error), None) => Err(failed(error)),
    }
}

fn failed(error: OpError) -> ControlError {
    ControlError::Failed(format!("cannot look at the path: {error}"))
}

/// Walks to a path as lookups would; nothing of it stays in the node table.
pub(super) fn resolve(volume: &Volume, path: &[u8], kind: FileKind) -> Result<Target, ControlError> {
    let mut dir = volume.nodes.root().clone();
    let mut missing = false;
    for name in path.split(|b| *b == b'/').filter(|name| !name.is_empty()) {
        if name == b"." || name == b".." {
            return Err(ControlError::Invalid("give the path without . and ..".into()));
        }
        let meta = volume.open_dir(&dir).and_then(|fd| Ok(Meta::at(fd.as_fd(), name)?));
        match meta {
            Ok(meta) => {
                dir = volume.nodes.peek(&dir, name, &meta).map_err(|error| failed(error.into()))?;
            }
            Err(OpError::Lower(error)) if error.is_not_found() => missing = true,
            Err(OpError::NotDirectory | OpError::Stale) => missing = true,
            Err(error) => return Err(failed(error)),
        }
        if missing {
            break;
        }
    }
    let subject = if missing {
        let names: Vec<_> = path.split(|b| *b == b'/').filter(|name| !name.is_empty()).collect();
        let policy_kind = match kind {
            FileKind::File => mediagate_policy::Kind::File,
            FileKind::Directory => mediagate_policy::Kind::Directory,
        };
        Subject::new(volume.kind, names.join(&b'/'), policy_kind)
            .ok_or_else(|| ControlError::NotFound("no user of this volume has that path".into()))?
    } else {
        volume.subject_of(&dir, None).map_err(failed)?
    };
    let file = (!missing).then_some(dir);
    Ok(Target { subject, file })
}

/// What the caller holds on the file, in words.
fn granted(who: &Who, what: &Subject) -> String {
    let grants = who.object(what).row.map_or(FileGrants::NONE, |row| row.grants);
    let kinds =
        [("selected", FileGrants::SELECTED), ("read", FileGrants::READ), ("write", FileGrants::WRITE)];
    let held: Vec<&str> = kinds.iter().filter(|(_, it)| grants.has(*it)).map(|(word, _)| *word).collect();
    if held.is_empty() { "none".to_owned() } else { held.join(", ") }
}

/// Whose tree it is, and what that is to the caller.
fn whose(who: &Who, what: &Subject) -> String {
    let Some(user) = what.object().user else { return "none, it belongs to all users".to_owned() };
    let relation = match who.relation_to(user) {
        UserRelation::Own => "the caller's own",
        UserRelation::SharesMedia => "a clone profile and its parent share media",
        UserRelation::AcrossWork => "a work profile and its parent share nothing by path",
        UserRelation::Other => "another one than the caller's",
    };
    format!("{} ({relation})", user.0)
}

/// What a file tells of where it was made; `None` where nothing is looked for.
fn location(volume: &Volume, target: &Target) -> Option<Hidden> {
    let file = target.file.as_ref().filter(|it| it.kind == FileKind::File)?;
    if !volume.may_be_split(&target.subject) {
        return None;
    }
    let fd = volume.open(file, target.subject.lower_path()).ok()?;
    let resting = volume.resting(file, Volume::keep_of(&target.subject), fd.as_fd()).ok()?;
    // While it is being written, whoever reads it finds out.
    resting.map(|resting| resting.hidden)
}

fn answer(who: &Who, target: &Target, decision: Decision, location: Option<Hidden>) -> Explanation {
    let row = target.subject.row();
    let facts = [
        ("caller", format!("uid {} ({:?})", who.uid.0, who.kind)),
        ("packages", if who.packages.is_empty() { "none".into() } else { who.packages.join(", ") }),
        ("user", whose(who, &target.subject)),
        ("path", String::from_utf8_lossy(target.subject.path()).into_owned()),
        ("exists", target.file.is_some().to_string()),
        ("owner", row.and_then(|row| row.owner.as_deref()).unwrap_or("nobody").to_owned()),
        ("mime", target.subject.mime().to_owned()),
        ("grants", granted(who, &target.subject)),
        (
            "location",
            match &location {
                None => "not looked for".to_owned(),
                Some(Hidden::All) => "the file cannot be understood".to_owned(),
                Some(Hidden::Bytes(ranges)) if ranges.is_empty() => "none".to_owned(),
                Some(Hidden::Bytes(ranges)) => format!("in {} ranges of bytes", ranges.count()),
            },
        ),
        ("media type", row.map_or_else(|| "not indexed".to_owned(), |row| format!("{:?}", row.media_type))),
    ];
    let mut because = decision.reason.because().to_owned();
    if let (Err(_), Some(needs)) = (decision.grant(), decision.reason.needs()) {
        because = format!("{because} What would change that: {needs}.");
    }
    let redact = decision.grant().is_ok_and(|grant| grant.redact);
    let mut refused = decision.grant().err();
    if redact && location == Some(Hidden::All) {
        refused = Some(Errno::Eacces);
        because = "The file may tell where it was made, and cannot be understood well enough to hide that."
            .to_owned();
    }
    Explanation {
        allowed: refused.is_none(),
        errno: refused.map_or("", Errno::name).to_owned(),
        rule: decision.reason.rule().to_owned(),
        because,
        redacted: redact && refused.is_none(),
        facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    }
}
