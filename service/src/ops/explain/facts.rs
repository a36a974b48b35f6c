//! What a decision looked at, in words.

use mediagate_policy::{FileGrants, Kind, NameState, UserRelation, name_state};

use super::Target;
use crate::access::{Described, Subject};
use crate::redaction::Hidden;

type Facts = Vec<(String, String)>;

/// Everything that is known of the caller, of what it asks about, and of the new name of a rename.
pub(super) fn facts(
    who: &Described,
    target: &Target,
    new: Option<&Target>,
    location: Option<&Hidden>,
) -> Facts {
    let mut facts = of_caller(who);
    facts.extend(of_object(who, target));
    facts.push(("location", in_words(location)));
    if let Some(new) = new {
        facts.extend([
            ("new path", lossy(new.subject.path())),
            ("new user", whose(who, &new.subject)),
            ("replaces", new.file.as_ref().map_or("nothing".to_owned(), |_| owner(&new.subject))),
            ("grants there", granted(who, &new.subject)),
        ]);
    }
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn of_caller(who: &Described) -> Vec<(&'static str, String)> {
    let first = who.packages.first();
    let permissions = Permissions(who).to_string();
    let app_ops =
        first.map(|it| it.app_ops.iter().map(|(op, mode)| format!("{op}={}", mode.name())).collect());
    let legacy = first.map(|it| match (it.scoped_storage, it.requests_legacy_storage) {
        (Some(true), _) => "scoped storage is enforced",
        (Some(false), _) => "scoped storage is off",
        (None, true) => "requests legacy storage",
        (None, false) => "none",
    });
    vec![
        ("caller", format!("uid {} ({:?})", who.uid.0, who.kind)),
        ("packages", list(who.packages.iter().map(|it| it.name.to_string()).collect())),
        ("target SDK", first.map_or("none".to_owned(), |it| it.target_sdk.to_string())),
        ("permissions", permissions),
        ("app ops", list(app_ops.unwrap_or_default())),
        ("manifest", legacy.unwrap_or("none").to_owned()),
        ("classes", list(who.traits.names().map(str::to_owned).collect())),
        ("mount mode", who.mount_mode.name().to_owned()),
    ]
}

/// What was granted to any package of the uid.
struct Permissions<'a>(&'a Described);

impl std::fmt::Display for Permissions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all: mediagate_policy::PermissionSet =
            self.0.packages.iter().flat_map(|it| it.permissions.iter()).collect();
        f.write_str(&list(all.iter().map(|it| it.name().to_owned()).collect()))
    }
}

fn of_object(who: &Described, target: &Target) -> Vec<(&'static str, String)> {
    let subject = &target.subject;
    let is_directory = subject.object().kind == Kind::Directory;
    let mut facts = vec![
        ("user", whose(who, subject)),
        ("path", lossy(subject.path())),
        ("exists", target.file.is_some().to_string()),
        ("kind", if is_directory { "directory" } else { "file" }.to_owned()),
    ];
    if !is_directory {
        let media_type = subject.row().map(|row| format!("{:?}", row.media_type));
        let state = match name_state(subject.name()) {
            NameState::Plain => "published",
            NameState::Pending => "pending",
            NameState::Trashed => "in the trash",
        };
        facts.extend([
            ("owner", owner(subject)),
            ("mime", subject.mime().to_owned()),
            ("media type", media_type.unwrap_or_else(|| "not indexed".to_owned())),
            ("state", state.to_owned()),
            ("grants", granted(who, subject)),
        ]);
    }
    facts
}

fn list(words: Vec<String>) -> String {
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn lossy(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

fn owner(subject: &Subject) -> String {
    subject.row().and_then(|row| row.owner.as_deref()).unwrap_or("nobody").to_owned()
}

/// What the caller holds on the file.
fn granted(who: &Described, what: &Subject) -> String {
    let grants = who.object(what).row.map_or(FileGrants::NONE, |row| row.grants);
    let kinds =
        [("selected", FileGrants::SELECTED), ("read", FileGrants::READ), ("write", FileGrants::WRITE)];
    list(kinds.iter().filter(|(_, it)| grants.has(*it)).map(|(word, _)| (*word).to_owned()).collect())
}

/// Whose tree it is, and what that is to the caller.
fn whose(who: &Described, what: &Subject) -> String {
    let Some(user) = what.object().user else { return "none, it belongs to all users".to_owned() };
    let relation = match who.relation_to(user) {
        UserRelation::Own => "the caller's own",
        UserRelation::SharesMedia => "a clone profile and its parent share media",
        UserRelation::AcrossWork => "a work profile and its parent share nothing by path",
        UserRelation::Other => "another one than the caller's",
    };
    format!("{} ({relation})", user.0)
}

fn in_words(location: Option<&Hidden>) -> String {
    match location {
        None => "not looked for".to_owned(),
        Some(Hidden::All) => "the file cannot be understood".to_owned(),
        Some(Hidden::Bytes(ranges)) if ranges.is_empty() => "none".to_owned(),
        Some(Hidden::Bytes(ranges)) => format!("in {} ranges of bytes", ranges.count()),
    }
}
