//! The form of the files in `vectors/`, as `vectors/README.md` explains it, and their expansion into vectors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Callers {
    pub(crate) other: String,
    pub(crate) nobody: String,
    #[serde(rename = "caller")]
    pub(crate) callers: Vec<Caller>,
    groups: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Caller {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) app_id: u32,
    pub(crate) package: Option<String>,
    /// Another package of the uid, which comes before it.
    pub(crate) first_package: Option<String>,
    pub(crate) target_sdk: Option<u32>,
    #[serde(default)]
    pub(crate) permissions: Vec<String>,
    #[serde(default)]
    pub(crate) app_ops: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) requests_legacy_storage: bool,
    pub(crate) requests_raw_access: Option<bool>,
    pub(crate) scoped_storage: Option<bool>,
    #[serde(default)]
    pub(crate) instant: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    pub(crate) title: String,
    #[serde(rename = "row")]
    pub(crate) rows: Vec<RowSpec>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowSpec {
    pub(crate) id: String,
    pub(crate) source: String,
    /// Whose apps the callers are.
    #[serde(default = "main")]
    pub(crate) from: WhoseTree,
    pub(crate) op: Vec<String>,
    pub(crate) paths: Vec<String>,
    #[serde(default)]
    pub(crate) object: ObjectSpec,
    #[serde(default)]
    pub(crate) to: Vec<String>,
    #[serde(default)]
    pub(crate) to_user: WhoseTree,
    pub(crate) replaced: Option<FileSpec>,
    #[serde(default)]
    pub(crate) contains: Vec<ChildSpec>,
    pub(crate) expect: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) mounted: BTreeMap<String, Vec<String>>,
    #[serde(default = "yes")]
    pub(crate) mount: bool,
    pub(crate) why: Option<String>,
}

fn yes() -> bool {
    true
}

fn main() -> WhoseTree {
    WhoseTree::Main
}

/// A user, by what it is to the callers or to the main one.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WhoseTree {
    /// The caller's.
    #[default]
    Own,
    /// User 0.
    Main,
    /// Another full user.
    Other,
    /// A clone profile of user 0.
    Clone,
    /// A work profile of user 0.
    Work,
    /// A full user with `DISALLOW_USB_FILE_TRANSFER`.
    Restricted,
}

impl WhoseTree {
    /// The user's number, for callers of `from`.
    pub(crate) fn user(self, from: WhoseTree) -> u32 {
        match self {
            WhoseTree::Own if from == WhoseTree::Own => 0,
            WhoseTree::Own => from.user(from),
            WhoseTree::Main => 0,
            WhoseTree::Other => 10,
            WhoseTree::Clone => 11,
            WhoseTree::Work => 12,
            WhoseTree::Restricted => 13,
        }
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Whose {
    #[serde(rename = "self")]
    Caller,
    Other,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KindSpec {
    #[default]
    File,
    Directory,
}

/// What is granted to the caller on one file.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GrantSpec {
    Selected,
    Read,
    Write,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectSpec {
    #[serde(default)]
    pub(crate) kind: KindSpec,
    pub(crate) owner: Option<Whose>,
    pub(crate) indexed: Option<bool>,
    #[serde(default)]
    pub(crate) pending: bool,
    #[serde(default)]
    pub(crate) trashed: bool,
    #[serde(default)]
    pub(crate) nomedia: bool,
    #[serde(default)]
    pub(crate) user: WhoseTree,
    #[serde(default)]
    pub(crate) grants: Vec<GrantSpec>,
    #[serde(default)]
    pub(crate) mount_root: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileSpec {
    pub(crate) owner: Option<Whose>,
    #[serde(default = "yes")]
    pub(crate) indexed: bool,
    #[serde(default)]
    pub(crate) grants: Vec<GrantSpec>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChildSpec {
    pub(crate) name: String,
    pub(crate) owner: Option<Whose>,
    #[serde(default = "yes")]
    pub(crate) indexed: bool,
    #[serde(default)]
    pub(crate) grants: Vec<GrantSpec>,
}

/// One vector: a row with one operation, path, new name and caller picked.
pub(crate) struct Vector<'a> {
    pub(crate) id: String,
    pub(crate) row: &'a RowSpec,
    pub(crate) op: &'a str,
    pub(crate) path: String,
    pub(crate) to: Option<String>,
    pub(crate) caller: &'a Caller,
    pub(crate) expected: &'a str,
    /// What a mounted volume shows.
    #[allow(dead_code, reason = "read by the tests that mount")]
    pub(crate) mounted: &'a str,
}

impl Vector<'_> {
    /// True when the operation is on a directory.
    pub(crate) fn is_directory(&self) -> bool {
        self.row.object.kind == KindSpec::Directory || matches!(self.op, "mkdir" | "rmdir" | "opendir")
    }

    /// True when the row says the same for public volumes, which have neither users nor a directory above them.
    pub(crate) fn holds_on_public_volumes(&self) -> bool {
        let object = &self.row.object;
        self.row.from == WhoseTree::Main
            && object.user == WhoseTree::Own
            && self.row.to_user == WhoseTree::Own
            && !object.mount_root
    }

    /// The uid of the caller.
    pub(crate) fn uid(&self) -> u32 {
        self.row.from.user(WhoseTree::Own) * 100_000 + self.caller.app_id
    }
}

impl Caller {
    /// The package that owns what the caller makes.
    #[allow(dead_code, reason = "read by the tests that mount")]
    pub(crate) fn owns_as(&self) -> Option<&String> {
        self.first_package.as_ref().or(self.package.as_ref())
    }
}

impl Callers {
    pub(crate) fn load() -> Callers {
        let callers: Callers = read(&folder().join("callers.toml"));
        for group in callers.groups.values() {
            assert!(group.iter().all(|it| callers.callers.iter().any(|caller| caller.name == *it)));
        }
        callers
    }

    /// The callers that an entry of `expect` names.
    fn named<'a>(&'a self, entry: &'a str) -> Vec<&'a Caller> {
        let names = match self.groups.get(entry) {
            Some(group) => group.iter().map(String::as_str).collect(),
            None => vec![entry],
        };
        let find = |name: &str| self.callers.iter().find(|it| it.name == name);
        names.into_iter().map(|it| find(it).unwrap_or_else(|| panic!("no caller {it:?}"))).collect()
    }

    /// The package that `{self}` and `owner = "self"` mean for this caller.
    pub(crate) fn own_package<'a>(&'a self, caller: &'a Caller) -> &'a str {
        caller.package.as_deref().unwrap_or(&self.nobody)
    }

    pub(crate) fn package<'a>(&'a self, caller: &'a Caller, whose: Whose) -> &'a str {
        match whose {
            Whose::Caller => self.own_package(caller),
            Whose::Other => &self.other,
        }
    }

    fn fill_in(&self, caller: &Caller, path: &str) -> String {
        path.replace("{self}", self.own_package(caller)).replace("{other}", &self.other)
    }
}

impl RowSpec {
    /// Every caller that the row speaks of, with what is expected for it.
    pub(crate) fn expectations<'a>(&'a self, callers: &'a Callers) -> Vec<(&'a Caller, &'a str)> {
        outcomes(&self.expect, callers)
    }

    /// Every caller for which a mounted volume shows something else, and what.
    pub(crate) fn overrides<'a>(&'a self, callers: &'a Callers) -> Vec<(&'a Caller, &'a str)> {
        outcomes(&self.mounted, callers)
    }

    pub(crate) fn expand<'a>(&'a self, callers: &'a Callers) -> Vec<Vector<'a>> {
        let mut vectors = Vec::new();
        let overrides = self.overrides(callers);
        let to: Vec<Option<&String>> =
            if self.to.is_empty() { vec![None] } else { self.to.iter().map(Some).collect() };
        for op in &self.op {
            for (path_index, path) in self.paths.iter().enumerate() {
                for (to_index, to) in to.iter().enumerate() {
                    for (caller, expected) in self.expectations(callers) {
                        let mounted = overrides.iter().find(|(it, _)| it.name == caller.name);
                        let to_part = to.map(|_| format!(".{to_index}")).unwrap_or_default();
                        vectors.push(Vector {
                            id: format!("{}.{op}.{path_index}{to_part}.{}", self.id, caller.name),
                            row: self,
                            op,
                            path: callers.fill_in(caller, path),
                            to: to.map(|it| callers.fill_in(caller, it)),
                            caller,
                            expected,
                            mounted: mounted.map_or(expected, |(_, outcome)| outcome),
                        });
                    }
                }
            }
        }
        vectors
    }
}

fn outcomes<'a>(
    table: &'a BTreeMap<String, Vec<String>>,
    callers: &'a Callers,
) -> Vec<(&'a Caller, &'a str)> {
    let named = |entries: &'a Vec<String>| entries.iter().flat_map(|it| callers.named(it));
    let pair = |(outcome, entries): (&'a String, &'a Vec<String>)| {
        named(entries).map(|caller| (caller, outcome.as_str())).collect::<Vec<_>>()
    };
    table.iter().flat_map(pair).collect()
}

pub(crate) fn tables() -> Vec<Table> {
    let numbered = (1..=9).map(|number| format!("t{number}.toml"));
    numbered
        .chain(["places.toml".to_owned(), "users.toml".to_owned()])
        .map(|name| read(&folder().join(name)))
        .collect()
}

/// By way of the parent directory, so that another crate of the workspace can include this file.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../policy/vectors")
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
