//! What the vectors cover, computed from what they do and not from what they cite: every class of caller meets every class
//! of place and every class of file with every operation that goes with it.

use std::collections::BTreeSet;

use mediagate_policy::{AndroidDir, MediaType, NameState, Place, media_type_at, name_state};

use crate::schema::{self, Callers, Vector, Whose, WhoseTree};

/// Where something is, from the caller's point of view.
fn place_of(vector: &Vector<'_>, callers: &Callers, path: &str) -> &'static str {
    if vector.row.object.mount_root {
        return "the directory above the users";
    }
    let own = callers.own_package(vector.caller);
    match Place::of(path.as_bytes()) {
        _ if path == ".transforms" || path.starts_with(".transforms/") => "the service's directory",
        Place::Root => "a volume root",
        Place::Top { default: Some(_) } => "a default directory",
        Place::Top { default: None } => "another top-level name",
        Place::Below { default: Some(_) } => "below a default directory",
        Place::Below { default: None } => "below another top-level name",
        Place::Android => "Android",
        Place::AndroidTop(AndroidDir::Media) => "Android/media",
        Place::AndroidTop(AndroidDir::Sandbox) => "Android/sandbox",
        Place::AndroidTop(_) => "Android/data or obb",
        Place::AndroidOther => "elsewhere below Android",
        Place::AndroidPackage { dir, package, .. } => match (dir, package == own.as_bytes()) {
            (AndroidDir::Data, true) => "in one's own Android/data",
            (AndroidDir::Data, false) => "in another's Android/data",
            (AndroidDir::Obb, true) => "in one's own Android/obb",
            (AndroidDir::Obb, false) => "in another's Android/obb",
            (AndroidDir::Media, true) => "in one's own Android/media",
            (AndroidDir::Media, false) => "in another's Android/media",
            (AndroidDir::Sandbox, true) => "in one's own Android/sandbox",
            (AndroidDir::Sandbox, false) => "in another's Android/sandbox",
        },
    }
}

/// What a file is, from the caller's point of view.
fn file_of(vector: &Vector<'_>) -> Option<&'static str> {
    let object = &vector.row.object;
    if vector.is_directory() || object.mount_root {
        return None;
    }
    if object.indexed == Some(false) {
        return Some("a file that is not indexed");
    }
    if !object.grants.is_empty() {
        return Some("a file that was granted");
    }
    let own = object.owner == Some(Whose::Caller);
    let name = vector.path.rsplit('/').next().unwrap_or_default();
    match (name_state(name.as_bytes()), own) {
        (NameState::Plain, _) => {}
        (_, true) => return Some("one's own unpublished file"),
        (_, false) => return Some("another's unpublished file"),
    }
    if own {
        return Some("one's own file");
    }
    Some(match media_type_at(vector.path.as_bytes(), object.nomedia) {
        MediaType::Image => "another's image",
        MediaType::Video => "another's video",
        MediaType::Audio | MediaType::Playlist => "another's sound",
        MediaType::Subtitle => "another's subtitles",
        MediaType::None if object.nomedia || name.starts_with('.') => "another's hidden file",
        MediaType::Document | MediaType::None => "another's document",
    })
}

const LOOKS: [&str; 3] = ["lookup", "getattr", "access-f"];
const FILE: [&str; 8] =
    ["access-r", "access-w", "access-x", "open-read", "open-write", "setattr", "unlink", "rename"];
const DIRECTORY: [&str; 3] = ["opendir", "rmdir", "mkdir"];
const NEW: [&str; 5] = ["create", "mknod", "mkdir", "symlink", "link"];

/// Which operations belong to which place.
const PLACES: [(&str, &[&[&str]]); 19] = [
    ("the directory above the users", &[&LOOKS, &["opendir", "access-r", "access-w", "access-x"]]),
    ("a volume root", &[&LOOKS, &["opendir", "access-r", "access-w", "access-x"]]),
    ("a default directory", &[&LOOKS, &DIRECTORY, &["rename"]]),
    ("another top-level name", &[&LOOKS, &DIRECTORY, &["create", "rename"]]),
    ("below a default directory", &[&LOOKS, &FILE, &DIRECTORY, &NEW, &["list", "xattr"]]),
    ("below another top-level name", &[&LOOKS, &FILE, &DIRECTORY, &["create", "mknod", "list"]]),
    ("Android", &[&LOOKS, &["opendir", "mkdir", "rmdir", "rename"]]),
    ("Android/data or obb", &[&LOOKS, &["opendir", "mkdir", "rmdir", "rename"]]),
    ("Android/media", &[&LOOKS, &["opendir", "mkdir", "rmdir", "rename"]]),
    ("Android/sandbox", &[&LOOKS, &["opendir", "rename"]]),
    ("elsewhere below Android", &[&LOOKS, &["create", "mkdir", "open-read"]]),
    ("in one's own Android/data", &[&LOOKS, &FILE, &DIRECTORY, &["create", "mknod"]]),
    ("in another's Android/data", &[&LOOKS, &FILE, &DIRECTORY, &["create", "mknod"]]),
    ("in one's own Android/obb", &[&LOOKS, &FILE, &DIRECTORY, &["create", "mknod"]]),
    ("in another's Android/obb", &[&LOOKS, &FILE, &DIRECTORY, &["create", "mknod"]]),
    ("in one's own Android/media", &[&LOOKS, &FILE, &DIRECTORY, &["create", "mknod", "list"]]),
    ("in another's Android/media", &[&LOOKS, &FILE, &DIRECTORY, &["create", "mknod", "list"]]),
    ("in another's Android/sandbox", &[&LOOKS, &FILE, &DIRECTORY, &["create", "mknod"]]),
    ("the service's directory", &[&LOOKS, &["open-read", "opendir", "create", "mkdir"]]),
];

/// Which files there are; each goes with the same operations.
const FILES: [&str; 11] = [
    "one's own file",
    "one's own unpublished file",
    "another's image",
    "another's video",
    "another's sound",
    "another's subtitles",
    "another's document",
    "another's hidden file",
    "another's unpublished file",
    "a file that is not indexed",
    "a file that was granted",
];
const WITH_FILES: [&str; 6] = ["lookup", "open-read", "open-write", "list", "unlink", "rename"];

/// Trees of whom to whom.
const TREES: [(WhoseTree, WhoseTree); 7] = [
    (WhoseTree::Main, WhoseTree::Clone),
    (WhoseTree::Clone, WhoseTree::Main),
    (WhoseTree::Main, WhoseTree::Work),
    (WhoseTree::Work, WhoseTree::Main),
    (WhoseTree::Other, WhoseTree::Main),
    (WhoseTree::Clone, WhoseTree::Work),
    (WhoseTree::Main, WhoseTree::Restricted),
];

#[test]
fn every_caller_meets_every_place_file_and_tree_with_every_operation() {
    let callers = Callers::load();
    let tables = schema::tables();
    let (mut places, mut files, mut trees) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for vector in tables.iter().flat_map(|it| &it.rows).flat_map(|it| it.expand(&callers)) {
        let caller = vector.caller.name.as_str();
        let row = vector.row;
        let tree = row.object.user.user(row.from);
        if tree == row.from.user(WhoseTree::Main) {
            places.insert((caller, place_of(&vector, &callers, &vector.path), vector.op));
            if let Some(file) = file_of(&vector) {
                files.insert((caller, file, vector.op));
            }
        }
        trees.insert((caller, row.from.user(WhoseTree::Main), tree, vector.op));
    }
    let (mut missing, mut cells) = (BTreeSet::new(), 0);
    for caller in callers.callers.iter().map(|it| it.name.as_str()) {
        for (place, ops) in PLACES {
            for op in ops.iter().copied().flatten() {
                cells += 1;
                if !places.contains(&(caller, place, op)) {
                    missing.insert(format!("{op} {place}"));
                }
            }
        }
        for (file, op) in FILES.iter().flat_map(|file| WITH_FILES.map(|op| (*file, op))) {
            cells += 1;
            if !files.contains(&(caller, file, op)) {
                missing.insert(format!("{op} of {file}"));
            }
        }
        for ((from, tree), op) in TREES.iter().flat_map(|it| ["lookup", "open-read"].map(|op| (*it, op))) {
            cells += 1;
            let (from, tree) = (from.user(WhoseTree::Main), tree.user(WhoseTree::Main));
            let restricted = tree == WhoseTree::Restricted.user(WhoseTree::Main);
            let op = if restricted { "create" } else { op };
            if !trees.contains(&(caller, from, tree, op)) {
                missing.insert(format!("{op} in user {tree}'s tree by user {from}'s"));
            }
        }
    }
    let missing: Vec<String> = missing.into_iter().collect();
    assert!(missing.is_empty(), "{} kinds of cells have no vector:\n{}", missing.len(), missing.join("\n"));
    assert!(cells > 8_000, "only {cells} cells");
}
