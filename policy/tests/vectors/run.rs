//! Runs a vector through `decide`.

use std::sync::Arc;

use mediagate_policy::{
    AccessMask, AppOps, FileGrants, Kind, ListScope, NameState, Object, Operation, Outcome, PackageFacts,
    PermissionSet, Principal, Profiles, Reason, Row, Uid, UserId, UserKind, VolumeKind, decide,
    media_type_at, name_state,
};

use crate::schema::{Caller, Callers, GrantSpec, ObjectSpec, Vector, Whose, WhoseTree};

/// The profiles of the vectors' world.
fn profiles() -> Profiles {
    let user = |whose: WhoseTree| UserId(whose.user(WhoseTree::Main));
    let parent = user(WhoseTree::Main);
    [
        (user(WhoseTree::Other), UserKind::Full),
        (user(WhoseTree::Clone), UserKind::Clone { parent }),
        (user(WhoseTree::Work), UserKind::Work { parent }),
    ]
    .into_iter()
    .collect::<Profiles>()
    .without_usb_file_transfer(user(WhoseTree::Restricted))
}

/// What came out, in the words of the vectors, and the rules that decided.
pub(crate) struct Answer {
    pub(crate) outcome: String,
    pub(crate) reasons: Vec<Reason>,
}

pub(crate) fn principal(caller: &Caller, uid: u32) -> Principal {
    let package = caller.package.as_ref().map(|name| {
        let mut app_ops = AppOps::default();
        for (op, mode) in &caller.app_ops {
            app_ops.set(op.parse().unwrap(), mode.parse().unwrap());
        }
        PackageFacts {
            name: Arc::from(name.as_str()),
            target_sdk: caller.target_sdk.unwrap(),
            permissions: caller.permissions.iter().map(|it| it.parse().unwrap()).collect(),
            app_ops,
            requests_legacy_storage: caller.requests_legacy_storage,
            requests_raw_access: caller.requests_raw_access,
            scoped_storage: caller.scoped_storage,
            instant: caller.instant,
        }
    });
    let first = package.iter().zip(&caller.first_package).map(|(package, name)| PackageFacts {
        name: Arc::from(name.as_str()),
        permissions: PermissionSet::EMPTY,
        ..package.clone()
    });
    let packages: Vec<PackageFacts> = first.chain(package.clone()).collect();
    Principal::new(Uid(uid), &packages).in_profiles(&profiles())
}

pub(crate) fn run(callers: &Callers, vector: &Vector<'_>, volume: VolumeKind) -> Answer {
    Run { callers, vector, volume, who: principal(vector.caller, vector.uid()) }.answer()
}

struct Run<'a> {
    callers: &'a Callers,
    vector: &'a Vector<'a>,
    volume: VolumeKind,
    who: Principal,
}

impl Run<'_> {
    fn answer(&self) -> Answer {
        let object = self.object();
        let what = self.at(&self.vector.path, object.user, object.mount_root, self.kind());
        let what = Object { row: self.row(&self.vector.path, object), ..what };
        let access = |read, write, execute| Operation::Access(AccessMask { read, write, execute });
        let op = match self.vector.op {
            "lookup" => Operation::Lookup,
            "getattr" => Operation::GetAttr,
            "access-f" => access(false, false, false),
            "access-r" => access(true, false, false),
            "access-w" => access(false, true, false),
            "access-x" => access(false, false, true),
            "open-read" => Operation::OpenRead,
            "open-write" => Operation::OpenWrite,
            "setattr" => Operation::SetAttr,
            "create" | "mknod" => Operation::Create,
            "mkdir" => Operation::MakeDir,
            "rmdir" => Operation::RemoveDir,
            "opendir" => Operation::OpenDir,
            "unlink" => Operation::Unlink,
            "symlink" => Operation::Symlink,
            "link" => Operation::Link,
            "xattr" => Operation::Xattr,
            "list" => return self.list(&what),
            "rename" => return self.rename(&what),
            other => panic!("{}: no operation {other:?}", self.vector.id),
        };
        self.decide(&what, op)
    }

    fn object(&self) -> &ObjectSpec {
        &self.vector.row.object
    }

    fn kind(&self) -> Kind {
        if self.vector.is_directory() { Kind::Directory } else { Kind::File }
    }

    fn at<'p>(&self, path: &'p str, tree: WhoseTree, mount_root: bool, kind: Kind) -> Object<'p> {
        let user = UserId(tree.user(self.vector.row.from));
        let user = (self.volume == VolumeKind::Emulated && !mount_root).then_some(user);
        Object { volume: self.volume, user, path: path.as_bytes(), mount_root, kind, row: None }
    }

    fn row(&self, path: &str, object: &ObjectSpec) -> Option<Row<'_>> {
        let exists = !matches!(self.vector.op, "create" | "mknod");
        if self.kind() == Kind::Directory || !object.indexed.unwrap_or(exists) {
            return None;
        }
        let state = name_state(path.as_bytes());
        Some(Row {
            owner: self.owner(object.owner),
            media_type: media_type_at(path.as_bytes(), object.nomedia),
            pending: object.pending || state == NameState::Pending,
            trashed: object.trashed || state == NameState::Trashed,
            grants: grants(&object.grants),
        })
    }

    fn file_row(
        &self,
        path: &str,
        owner: Option<Whose>,
        indexed: bool,
        held: &[GrantSpec],
    ) -> Option<Row<'_>> {
        let media_type = media_type_at(path.as_bytes(), false);
        indexed.then_some(Row {
            owner: self.owner(owner),
            media_type,
            pending: false,
            trashed: false,
            grants: grants(held),
        })
    }

    fn owner(&self, owner: Option<Whose>) -> Option<&str> {
        owner.map(|whose| self.callers.package(self.vector.caller, whose))
    }

    fn decide(&self, what: &Object<'_>, op: Operation<'_>) -> Answer {
        let decision = decide(&self.who, what, op);
        let outcome = match decision.outcome {
            Outcome::Deny(errno) => errno.name(),
            Outcome::Allow(grant) if op == Operation::OpenDir => match grant.scope {
                ListScope::Everything => "allow-all",
                ListScope::Filtered => "allow-filtered",
            },
            Outcome::Allow(grant) if grant.redact && op == Operation::OpenRead => "allow-redacted",
            Outcome::Allow(grant) if grant.take_ownership => "allow-owned",
            Outcome::Allow(_) => "allow",
        };
        Answer { outcome: outcome.into(), reasons: vec![decision.reason] }
    }

    /// As a reader of the directory sees it.
    fn list(&self, what: &Object<'_>) -> Answer {
        let path = &self.vector.path;
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let parent = self.at(parent, self.object().user, false, Kind::Directory);
        let open = self.decide(&parent, Operation::OpenDir);
        let entry = self.decide(what, Operation::ListEntry);
        let shown = match open.outcome.as_str() {
            "allow-all" => true,
            "allow-filtered" => entry.outcome == "allow",
            _ => false,
        };
        let reasons = open.reasons.into_iter().chain(entry.reasons).collect();
        Answer { outcome: if shown { "shown" } else { "absent" }.into(), reasons }
    }

    /// As the service carries it out: a directory moves if every file below may.
    fn rename(&self, what: &Object<'_>) -> Answer {
        let row = self.vector.row;
        let to_path = self.vector.to.as_deref().unwrap();
        let to = self.at(to_path, row.to_user, false, what.kind);
        let replaced = row
            .replaced
            .as_ref()
            .map(|spec| Object { row: self.file_row(to_path, spec.owner, spec.indexed, &spec.grants), ..to });
        let decision = decide(&self.who, what, Operation::Rename { to, replaced });
        let mut answer = self.decide(what, Operation::Rename { to, replaced });
        if !decision.grant().is_ok_and(|grant| grant.check_children) {
            return answer;
        }
        for child in &row.contains {
            let old_path = format!("{}/{}", self.vector.path, child.name);
            let new_path = format!("{to_path}/{}", child.name);
            let old = self.at(&old_path, row.object.user, false, Kind::File);
            let old =
                Object { row: self.file_row(&old_path, child.owner, child.indexed, &child.grants), ..old };
            let to = self.at(&new_path, row.to_user, false, Kind::File);
            let moved = self.decide(&old, Operation::MoveWithParent { to });
            answer.reasons.extend(moved.reasons);
            if moved.outcome != "allow" {
                answer.outcome = moved.outcome;
                break;
            }
        }
        answer
    }
}

fn grants(held: &[GrantSpec]) -> FileGrants {
    held.iter().fold(FileGrants::NONE, |all, grant| {
        all.with(match grant {
            GrantSpec::Selected => FileGrants::SELECTED,
            GrantSpec::Read => FileGrants::READ,
            GrantSpec::Write => FileGrants::WRITE,
        })
    })
}
