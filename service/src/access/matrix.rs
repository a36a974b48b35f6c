//! The whole permission model as one table: callers × places and objects × operations.
//!
//! Every cell is what the engine says, so the table cannot disagree with the service. Besides the decision a refusal
//! has what would change it, which the engine says too.

mod callers;
mod objects;

use mediagate_policy::{
    AccessMask, Decision, Errno, Kind, ListScope, Need, Object, Operation, Outcome, Question, Reason, Row,
    media_type_at,
};
use serde::Serialize;

pub use callers::Caller;
pub use objects::Thing;

/// The package of every caller that has one.
const OWN: &str = "com.example.app";
/// The package that others' files belong to.
const OTHER: &str = "com.example.other";

/// The table.
#[derive(Debug, Serialize)]
pub struct Matrix {
    /// The columns.
    pub callers: Vec<Caller>,
    /// What is touched.
    pub objects: Vec<Thing>,
    /// What is done.
    pub operations: Vec<Named>,
    /// What may come out, the errnos among them.
    pub outcomes: Vec<Named>,
    /// Every rule that decides some cell.
    pub rules: Vec<Rule>,
    /// One for each object and operation that go together.
    pub rows: Vec<MatrixRow>,
}

/// Something with a stable name and an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The name.
    pub id: &'static str,
    /// One character for it, where space is short; empty if it needs none.
    pub sign: &'static str,
    /// The explanation.
    pub about: &'static str,
}

/// A rule.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Rule {
    /// Its identifier.
    pub id: &'static str,
    /// What it says.
    pub because: &'static str,
}

/// One operation on one object, for every caller.
#[derive(Debug, Serialize)]
pub struct MatrixRow {
    /// The object's name.
    pub object: &'static str,
    /// The operation's name.
    pub operation: &'static str,
    /// A cell for each caller, in their order.
    pub cells: Vec<Cell>,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// One of [`Matrix::outcomes`].
    pub outcome: &'static str,
    /// The rule that decided.
    pub rule: &'static str,
    /// What would turn a refusal into a yes by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

impl Cell {
    /// True for a yes.
    pub fn is_allowed(&self) -> bool {
        self.outcome.starts_with("allow")
    }
}

/// The operations, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Lookup,
    GetAttr,
    AccessFind,
    AccessRead,
    AccessWrite,
    AccessExecute,
    OpenRead,
    OpenWrite,
    SetAttr,
    List,
    OpenDir,
    Create,
    MakeDir,
    MoveIn,
    Unlink,
    RemoveDir,
    Rename,
    Replace,
    Link,
    Xattr,
}

impl Op {
    const FILE: &[Op] = &[
        Op::Lookup,
        Op::GetAttr,
        Op::AccessFind,
        Op::AccessRead,
        Op::AccessWrite,
        Op::AccessExecute,
        Op::OpenRead,
        Op::OpenWrite,
        Op::SetAttr,
        Op::List,
        Op::Unlink,
        Op::Rename,
        Op::Replace,
        Op::Xattr,
    ];
    const NEW: &[Op] = &[Op::Create, Op::MakeDir, Op::MoveIn, Op::Link];
    const DIRECTORY: &[Op] = &[
        Op::Lookup,
        Op::GetAttr,
        Op::AccessFind,
        Op::AccessRead,
        Op::AccessWrite,
        Op::AccessExecute,
        Op::OpenDir,
        Op::SetAttr,
        Op::List,
        Op::RemoveDir,
        Op::Rename,
    ];
    const ALL: &[Op] = &[
        Op::Lookup,
        Op::GetAttr,
        Op::AccessFind,
        Op::AccessRead,
        Op::AccessWrite,
        Op::AccessExecute,
        Op::OpenRead,
        Op::OpenWrite,
        Op::SetAttr,
        Op::List,
        Op::OpenDir,
        Op::Create,
        Op::MakeDir,
        Op::MoveIn,
        Op::Unlink,
        Op::RemoveDir,
        Op::Rename,
        Op::Replace,
        Op::Link,
        Op::Xattr,
    ];

    fn named(self) -> Named {
        let (id, about) = match self {
            Op::Lookup => ("lookup", "find the name (stat)"),
            Op::GetAttr => ("getattr", "read the attributes again"),
            Op::AccessFind => ("access-f", "access with F_OK"),
            Op::AccessRead => ("access-r", "access with R_OK"),
            Op::AccessWrite => ("access-w", "access with W_OK"),
            Op::AccessExecute => ("access-x", "access with X_OK"),
            Op::OpenRead => ("open-read", "open for reading"),
            Op::OpenWrite => ("open-write", "open for writing"),
            Op::SetAttr => ("setattr", "truncate, set times or mode by path"),
            Op::List => ("list", "stand in a listing of its directory, where that is filtered"),
            Op::OpenDir => ("opendir", "open for listing"),
            Op::Create => ("create", "create a file of this name (also mknod)"),
            Op::MakeDir => ("mkdir", "make a directory of this name"),
            Op::MoveIn => ("move-in", "rename a file of the caller's from Download to this name"),
            Op::Unlink => ("unlink", "remove the file"),
            Op::RemoveDir => ("rmdir", "remove the directory"),
            Op::Rename => ("rename", "rename within its directory"),
            Op::Replace => ("replace", "rename a file of the caller's over it"),
            Op::Link => ("link", "make a link of this name, symbolic or hard"),
            Op::Xattr => ("xattr", "read or write extended attributes"),
        };
        Named { id, sign: "", about }
    }
}

const ALLOW: Named = Named { id: "allow", sign: "✓", about: "done" };
const REDACTED: Named = Named { id: "allow-redacted", sign: "✓r", about: "done, without location data" };
const OWNED: Named = Named { id: "allow-owned", sign: "✓o", about: "done, and the caller owns the file" };
const FILTERED: Named =
    Named { id: "allow-filtered", sign: "✓f", about: "opens, and shows what `list` shows" };
const EVERYTHING: Named = Named { id: "allow-all", sign: "✓a", about: "opens, and shows all entries" };
const EACH: Named = Named { id: "allow-each", sign: "✓e", about: "done if each file below may move along" };

/// What a cell may say, the yes first.
const OUTCOMES: [Named; 14] = [
    ALLOW,
    REDACTED,
    OWNED,
    FILTERED,
    EVERYTHING,
    EACH,
    refusal(Errno::Eacces),
    refusal(Errno::Eperm),
    refusal(Errno::Enoent),
    refusal(Errno::Eexist),
    refusal(Errno::Efault),
    refusal(Errno::Exdev),
    refusal(Errno::Einval),
    refusal(Errno::Eopnotsupp),
];

const fn refusal(errno: Errno) -> Named {
    let (sign, about) = match errno {
        Errno::Eacces => ("A", "permission denied"),
        Errno::Eperm => ("P", "operation not permitted"),
        Errno::Enoent => ("N", "no such file or directory"),
        Errno::Eexist => ("E", "file exists"),
        Errno::Efault => ("F", "bad address: the caller has no package"),
        Errno::Exdev => ("D", "another device: copy instead"),
        Errno::Einval => ("I", "invalid argument"),
        Errno::Eopnotsupp => ("U", "operation not supported"),
    };
    Named { id: errno.name(), sign, about }
}

/// Decides every cell.
pub fn matrix() -> Matrix {
    let (callers, objects, profiles) = (callers::all(), objects::all(), objects::profiles());
    let mut rules = Vec::new();
    let mut rows = Vec::new();
    for thing in &objects {
        for op in thing.operations() {
            let cells = callers.iter().map(|caller| {
                let packages = caller.packages();
                let (decision, needs) = thing.ask(*op, |what, operation| {
                    let (uid, packages, profiles) = (caller.uid(), &packages[..], &profiles);
                    let question = Question { uid, packages, profiles, what, op: operation };
                    (question.answer(), question.needs())
                });
                if !rules.contains(&decision.reason) {
                    rules.push(decision.reason);
                }
                let changes = needs.iter().map(Need::to_string).collect();
                Cell { outcome: outcome(decision, *op).id, rule: decision.reason.rule(), changes }
            });
            let cells = cells.collect();
            rows.push(MatrixRow { object: thing.id, operation: op.named().id, cells });
        }
    }
    let rules = Reason::ALL
        .iter()
        .filter(|it| rules.contains(it))
        .map(|it| Rule { id: it.rule(), because: it.because() })
        .collect();
    let operations = Op::ALL.iter().map(|it| it.named()).collect();
    Matrix { callers, objects, operations, outcomes: OUTCOMES.to_vec(), rules, rows }
}

impl Thing {
    fn operations(&self) -> &'static [Op] {
        match (self.exists, self.kind) {
            (false, _) => Op::NEW,
            (true, Kind::File) => Op::FILE,
            (true, Kind::Directory) => Op::DIRECTORY,
        }
    }

    /// The question that an operation is, put to `ask`.
    fn ask<T>(&self, op: Op, ask: impl FnOnce(Object<'_>, Operation<'_>) -> T) -> T {
        let what = Object {
            row: self.row.map(|row| Row { grants: self.grants, ..row }),
            ..self.at(self.path.as_bytes(), self.kind)
        };
        let beside = self.beside(self.directory());
        let access = |read, write, execute| Operation::Access(AccessMask { read, write, execute });
        let plain = match op {
            Op::Lookup => Operation::Lookup,
            Op::GetAttr => Operation::GetAttr,
            Op::AccessFind => access(false, false, false),
            Op::AccessRead => access(true, false, false),
            Op::AccessWrite => access(false, true, false),
            Op::AccessExecute => access(false, false, true),
            Op::OpenRead => Operation::OpenRead,
            Op::OpenWrite => Operation::OpenWrite,
            Op::SetAttr => Operation::SetAttr,
            Op::List => Operation::ListEntry,
            Op::OpenDir => Operation::OpenDir,
            Op::Create => Operation::Create,
            Op::Unlink => Operation::Unlink,
            Op::RemoveDir => Operation::RemoveDir,
            Op::Link => Operation::Symlink,
            Op::Xattr => Operation::Xattr,
            Op::MakeDir => return ask(Object { kind: Kind::Directory, ..what }, Operation::MakeDir),
            Op::MoveIn => return self.bring(&self.beside("Download/"), what, None, ask),
            Op::Replace => return self.bring(&beside, what, Some(what), ask),
            Op::Rename => Operation::Rename { to: self.at(beside.as_bytes(), self.kind), replaced: None },
        };
        ask(what, plain)
    }

    /// Renames a file of the caller's at `from` to where this is.
    fn bring<T>(
        &self,
        from: &str,
        to: Object<'_>,
        replaced: Option<Object<'_>>,
        ask: impl FnOnce(Object<'_>, Operation<'_>) -> T,
    ) -> T {
        let row = objects::row(Some(OWN), media_type_at(from.as_bytes(), false));
        let from = Object { row: Some(row), ..self.at(from.as_bytes(), Kind::File) };
        let from = Object { user: from.user.map(|_| objects::OWN_USER), ..from };
        let to = Object { row: None, kind: Kind::File, ..to };
        ask(from, Operation::Rename { to, replaced })
    }

    /// Another name of the same type in `directory`, which has a slash at its end or is empty.
    fn beside(&self, directory: &str) -> String {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let extension = name.rsplit_once('.').map(|(_, it)| it).filter(|_| self.kind == Kind::File);
        match extension {
            Some(extension) => format!("{directory}another.{extension}"),
            None => format!("{directory}another"),
        }
    }

    /// The directory part of the path, with its slash.
    fn directory(&self) -> &'static str {
        self.path.rfind('/').and_then(|slash| self.path.get(..=slash)).unwrap_or_default()
    }
}

fn outcome(decision: Decision, op: Op) -> Named {
    match decision.outcome {
        Outcome::Deny(errno) => refusal(errno),
        Outcome::Allow(grant) if op == Op::OpenDir => match grant.scope {
            ListScope::Everything => EVERYTHING,
            ListScope::Filtered => FILTERED,
        },
        Outcome::Allow(grant) if grant.check_children => EACH,
        Outcome::Allow(grant) if grant.redact && op == Op::OpenRead => REDACTED,
        Outcome::Allow(grant) if grant.take_ownership => OWNED,
        Outcome::Allow(_) => ALLOW,
    }
}

#[cfg(test)]
mod tests;
