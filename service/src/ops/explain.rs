//! `explain`: what would be answered to a request, by which rule and from which facts, without performing anything.
//!
//! It says what the mount says, in the order in which the mount says it: the kernel looks the path up, then knows whether
//! something is there and of which kind, and only then asks whether the operation is allowed.

mod facts;
mod link;

use std::os::fd::AsFd;
use std::sync::Arc;

use mediagate_policy::{AccessMask, Decision, Errno, Kind, Need, Object, Operation, VolumeKind};

use super::list::served;
use super::rename::check_children;
use super::{OpError, links};
use crate::access::{Described, Subject};
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
    /// What the kernel says on the way there, if it does not get there: nothing, or no directory, above the last name.
    above: Option<&'static Kernel>,
}

impl Target {
    /// The same for a caller that does not find what is there.
    fn unseen(&self) -> Target {
        Target { subject: self.subject.clone().with_row(None), file: None, above: self.above }
    }
}

/// What is said before the policy is asked, or after it said yes.
struct Kernel {
    errno: &'static str,
    rule: &'static str,
    because: &'static str,
}

const MISSING: Kernel =
    Kernel { errno: "ENOENT", rule: "no-such-file", because: "There is nothing of this name." };
const NO_DIRECTORY: Kernel =
    Kernel { errno: "ENOTDIR", rule: "not-a-directory", because: "What is there is no directory." };
const EXISTS: Kernel =
    Kernel { errno: "EEXIST", rule: "file-exists", because: "Something of this name is there already." };
const IS_DIRECTORY: Kernel =
    Kernel { errno: "EISDIR", rule: "is-a-directory", because: "What is there is a directory." };
const NOT_EMPTY: Kernel = Kernel {
    errno: "ENOTEMPTY",
    rule: "directory-not-empty",
    because: "There is something in the directory, whether the caller sees it or not.",
};
const UNINTELLIGIBLE: Kernel = Kernel {
    errno: "EACCES",
    rule: "location-cannot-be-hidden",
    because: "The file may tell where it was made, and cannot be understood well enough to hide that.",
};

/// Whether a rule says that the caller may look, and that there is nothing to be seen.
pub fn is_nothing(rule: &str) -> bool {
    [MISSING, NO_DIRECTORY].iter().any(|it| it.rule == rule)
}

const TOO_MANY: Kernel = Kernel {
    errno: super::create::TOO_MANY.name(),
    rule: "owns-too-many-files",
    because: "The caller's package owns so many files that it makes no new ones.",
};

/// What comes out.
struct Verdict {
    errno: &'static str,
    rule: &'static str,
    because: &'static str,
    redact: bool,
    needs: Vec<Need>,
}

impl Verdict {
    fn kernel(kernel: &Kernel) -> Verdict {
        let Kernel { errno, rule, because } = *kernel;
        Verdict { errno, rule, because, redact: false, needs: Vec::new() }
    }

    fn policy(decision: Decision, needs: Vec<Need>) -> Verdict {
        Verdict {
            errno: decision.grant().err().map_or("", Errno::name),
            rule: decision.reason.rule(),
            because: decision.reason.because(),
            redact: decision.grant().is_ok_and(|grant| grant.redact),
            needs,
        }
    }

    fn is_allowed(&self) -> bool {
        self.errno.is_empty()
    }
}

/// What is asked, by its word. The new name of a rename comes with the question.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// Something that is there, of any kind.
    There(Operation<'static>),
    /// A file that is there.
    File(Operation<'static>),
    /// A directory that is there.
    Dir(Operation<'static>),
    /// Something that is to be made.
    New(Operation<'static>),
    Rename,
}

impl Ask {
    fn of(word: &str) -> Option<Ask> {
        let access =
            |read, write, execute| Ask::There(Operation::Access(AccessMask { read, write, execute }));
        Some(match word {
            "lookup" => Ask::There(Operation::Lookup),
            "getattr" => Ask::There(Operation::GetAttr),
            "access-f" => access(false, false, false),
            "access-r" => access(true, false, false),
            "access-w" => access(false, true, false),
            "access-x" => access(false, false, true),
            "setattr" => Ask::There(Operation::SetAttr),
            "getxattr" | "setxattr" | "listxattr" | "removexattr" => Ask::There(Operation::Xattr),
            "read" => Ask::File(Operation::OpenRead),
            "write" => Ask::File(Operation::OpenWrite),
            "delete" => Ask::File(Operation::Unlink),
            "rmdir" => Ask::Dir(Operation::RemoveDir),
            "list" => Ask::Dir(Operation::OpenDir),
            "create" | "mknod" => Ask::New(Operation::Create),
            "mkdir" => Ask::New(Operation::MakeDir),
            "symlink" => Ask::New(Operation::Symlink),
            "link" => Ask::New(Operation::Link),
            "rename" => Ask::Rename,
            _ => return None,
        })
    }

    /// The kind that something of it would have that is not there.
    fn kind(self) -> FileKind {
        match self {
            Ask::Dir(_) | Ask::New(Operation::MakeDir) => FileKind::Directory,
            _ => FileKind::File,
        }
    }

    fn policy_kind(self) -> Kind {
        in_policy(self.kind())
    }
}

/// Decides about `path`, relative to the volume's lower root.
pub fn explain(
    volume: &Volume,
    request: &ExplainRequest,
    path: &[u8],
    to: Option<&[u8]>,
) -> Result<Explanation, ControlError> {
    let ask = Ask::of(&request.operation).ok_or_else(|| {
        ControlError::Invalid(format!(
            "unknown operation {:?}: `mediagate explain --help` lists them",
            request.operation
        ))
    })?;
    if ask == Ask::Rename && to.is_none() {
        return Err(ControlError::Invalid("rename needs the new name: give it with --to".into()));
    }
    let who = volume.access.describe(request.uid);
    let target = resolve(volume, path, ask.kind())?;
    let kind = target.file.as_ref().map_or(FileKind::File, |file| file.kind);
    let new = to.map(|to| resolve(volume, to, kind)).transpose()?;
    let (verdict, location) = match link::verdict(volume, &who, &target, ask)? {
        Some(answered) => answered,
        None => {
            let location = location(volume, &target);
            (verdict(volume, &who, &target, new.as_ref(), ask)?, location)
        }
    };
    let verdict = match location {
        Some(Hidden::All) if verdict.is_allowed() && verdict.redact => Verdict::kernel(&UNINTELLIGIBLE),
        _ => verdict,
    };
    Ok(Explanation {
        allowed: verdict.is_allowed(),
        redacted: verdict.is_allowed() && verdict.redact,
        errno: verdict.errno.to_owned(),
        rule: verdict.rule.to_owned(),
        because: verdict.because.to_owned(),
        needs: verdict.needs.iter().map(Need::to_string).collect(),
        facts: facts::facts(&who, &target, new.as_ref(), location.as_ref()),
    })
}

/// What the kernel and the policy say, in their order.
fn verdict(
    volume: &Volume,
    who: &Described,
    target: &Target,
    new: Option<&Target>,
    ask: Ask,
) -> Result<Verdict, ControlError> {
    let makes = matches!(ask, Ask::New(_));
    if let Some(refused) = dir_of(volume, target).filter(|_| makes).and_then(|dir| refused(who, &dir)) {
        return Ok(refused);
    }
    let new_dir = || new.and_then(|new| dir_of(volume, new));
    let unreachable = refused(who, &target.subject).or_else(|| refused(who, &new_dir()?));
    // What is not there for a caller can be made, as far as the kernel knows.
    let is_hidden = makes && unreachable.as_ref().is_some_and(is_missing);
    if let Some(unreachable) = unreachable.filter(|_| !is_hidden) {
        return Ok(unreachable);
    }
    let new_refused = new.and_then(|new| refused(who, &new.subject));
    let is_new_hidden = new_refused.as_ref().is_some_and(is_missing);
    if let Some(unreachable) = new_refused.filter(|_| !is_new_hidden) {
        return Ok(unreachable);
    }
    // So nothing is said that depends on what stands there.
    let unseen = (is_hidden.then(|| target.unseen()), new.filter(|_| is_new_hidden).map(Target::unseen));
    let (target, new) = (unseen.0.as_ref().unwrap_or(target), unseen.1.as_ref().or(new));
    if let Some(kernel) = before(volume, target, new, ask) {
        return Ok(Verdict::kernel(kernel));
    }
    let there = who.object(&target.subject);
    let object = match ask {
        Ask::New(_) => Object { kind: ask.policy_kind(), row: None, ..there },
        _ => there,
    };
    let policy = |op: Operation<'_>| {
        let question = who.question(object, op);
        Verdict::policy(question.answer(), question.needs())
    };
    let (op, new) = match (ask, new) {
        (Ask::File(Operation::OpenRead), _) if object.kind == Kind::Directory => (Operation::OpenDir, None),
        (Ask::There(op) | Ask::File(op) | Ask::Dir(op) | Ask::New(op), _) => (op, None),
        (Ask::Rename, Some(new)) => (rename_of(who, object, new), Some(new)),
        (Ask::Rename, None) => return Err(ControlError::Invalid("rename needs the new name".into())),
    };
    let decision = who.question(object, op).answer();
    match new {
        Some(new) if decision.grant().is_ok_and(|grant| grant.check_children) => {
            Ok(refused_child(volume, who, target, &new.subject)?.unwrap_or_else(|| policy(op)))
        }
        _ if decision.grant().is_ok_and(|grant| grant.take_ownership)
            && who.first_package().is_some_and(|package| volume.catalog.owns_too_many(package)) =>
        {
            Ok(Verdict::kernel(&TOO_MANY))
        }
        _ if decision.is_allowed() && op == Operation::RemoveDir && !is_empty(volume, target) => {
            Ok(Verdict::kernel(&NOT_EMPTY))
        }
        _ => Ok(policy(op)),
    }
}

fn rename_of<'a>(who: &'a Described, object: Object<'_>, new: &'a Target) -> Operation<'a> {
    let to = Object { row: None, kind: object.kind, ..new.subject.object() };
    Operation::Rename { to, replaced: new.file.as_ref().map(|_| who.object(&new.subject)) }
}

/// The directory that something is in.
fn dir_of(volume: &Volume, target: &Target) -> Option<Subject> {
    let path = target.subject.lower_path();
    let end = path.iter().rposition(|b| *b == b'/').unwrap_or(0);
    Subject::new(volume.kind, path.get(..end)?.to_vec(), Kind::Directory)
}

/// The kernel walks to a name, and to the directory of a new one, before it asks for anything. Whoever may not do that
/// learns nothing about what is there.
fn refused(who: &Described, subject: &Subject) -> Option<Verdict> {
    let question = who.question(who.object(subject), Operation::Lookup);
    let decision = question.answer();
    (!decision.is_allowed()).then(|| Verdict::policy(decision, question.needs()))
}

/// What a lookup that is refused so finds is nothing.
fn is_missing(refused: &Verdict) -> bool {
    refused.errno == Errno::Enoent.name()
}

/// What the kernel answers by what is there.
fn before(volume: &Volume, target: &Target, new: Option<&Target>, ask: Ask) -> Option<&'static Kernel> {
    if let Some(above) = target.above {
        return Some(above);
    }
    let unserved = |target: &Target| {
        let user = target.subject.user_number();
        let is_place = volume.kind == VolumeKind::Emulated && !target.subject.is_mount_root();
        is_place && !volume.users.contains(&user)
    };
    if unserved(target) {
        return Some(&MISSING);
    }
    let there = target.file.as_ref().map(|file| file.kind);
    match (ask, there) {
        (Ask::New(_), Some(_)) => Some(&EXISTS),
        (Ask::New(_), None) => None,
        (_, None) => Some(&MISSING),
        // To open it for reading is to list it.
        (Ask::File(Operation::OpenRead), Some(FileKind::Directory)) => None,
        (Ask::File(_), Some(FileKind::Directory)) => Some(&IS_DIRECTORY),
        (Ask::Dir(_), Some(FileKind::File)) => Some(&NO_DIRECTORY),
        (Ask::Rename, Some(kind)) => {
            let new = new?;
            match (kind, new.file.as_ref().map(|file| file.kind)) {
                _ if new.above.is_some() => new.above,
                _ if unserved(new) => Some(&MISSING),
                (FileKind::Directory, Some(FileKind::File)) => Some(&NO_DIRECTORY),
                (FileKind::File, Some(FileKind::Directory)) => Some(&IS_DIRECTORY),
                _ => None,
            }
        }
        (_, Some(_)) => None,
    }
}

/// The decision about the first file below a directory that may not move along with it.
fn refused_child(
    volume: &Volume,
    who: &Described,
    target: &Target,
    new: &Subject,
) -> Result<Option<Verdict>, ControlError> {
    let Some(dir) = target.file.as_ref().filter(|file| file.kind == FileKind::Directory) else {
        return Ok(None);
    };
    let mut refused = None;
    let walked = check_children(volume, dir, &target.subject, new, |child, operation| {
        let question = who.question(who.object(child), operation);
        let decision = question.answer();
        decision.grant().map(drop).map_err(|errno| {
            // What one file needs is not what the others need.
            refused = Some(Verdict::policy(decision, Vec::new()));
            OpError::from(errno)
        })
    });
    match (walked, refused) {
        (_, Some(refused)) => Ok(Some(refused)),
        (Ok(()), None) => Ok(None),
        (Err(error), None) => Err(failed(error)),
    }
}

fn is_empty(volume: &Volume, target: &Target) -> bool {
    let names = volume
        .lower
        .open_dir_for_reading(target.subject.lower_path())
        .map_err(OpError::from)
        .and_then(|fd| served(fd.as_fd()));
    names.is_ok_and(|names| names.is_empty())
}

fn in_policy(kind: FileKind) -> Kind {
    match kind {
        FileKind::File => Kind::File,
        FileKind::Directory => Kind::Directory,
    }
}

fn failed(error: OpError) -> ControlError {
    ControlError::Failed(format!("cannot look at the path: {error}"))
}

/// Walks to a path as lookups would; nothing of it stays in the node table.
pub(super) fn resolve(volume: &Volume, path: &[u8], kind: FileKind) -> Result<Target, ControlError> {
    let names: Vec<&[u8]> = path.split(|b| *b == b'/').filter(|name| !name.is_empty()).collect();
    if names.iter().any(|name| matches!(*name, b"." | b"..")) {
        return Err(ControlError::Invalid("give the path without . and ..".into()));
    }
    let mut dir = volume.nodes.root().clone();
    let mut missing = None;
    for (at, name) in names.iter().enumerate() {
        let is_last = at + 1 == names.len();
        let found = volume.open_dir(&dir).and_then(|fd| {
            let meta = Meta::at(fd.as_fd(), name)?;
            Ok((volume.known_name(&dir, fd.as_fd(), name, &meta)?, meta))
        });
        match found {
            Ok((name, meta)) => {
                dir = volume.nodes.peek(&dir, &name, &meta).map_err(|error| failed(error.into()))?;
                continue;
            }
            Err(OpError::Lower(error)) if error.is_not_found() => {
                missing = Some((!is_last).then_some(&MISSING));
            }
            Err(OpError::NotDirectory) => missing = Some(Some(&NO_DIRECTORY)),
            Err(OpError::Stale) => missing = Some(Some(&MISSING)),
            Err(error) => return Err(failed(error)),
        }
        break;
    }
    let Some(above) = missing else {
        let subject = volume.subject_of(&dir, None).map_err(failed)?;
        return Ok(Target { subject, file: Some(dir), above: None });
    };
    let subject = Subject::new(volume.kind, names.join(&b'/'), in_policy(kind))
        .ok_or_else(|| ControlError::NotFound("no user of this volume has that path".into()))?;
    Ok(Target { subject, file: None, above })
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
