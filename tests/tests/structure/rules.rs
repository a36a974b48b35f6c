//! Who may know whom (DESIGN §2), as tables, and the checks over one file.

use crate::code::{Token, code, rooms, strip, tokens};

/// A crate or word, and the only places that may name it.
pub(crate) const ONLY: [(&str, &[&str]); 5] = [
    ("fuser", &["service/src/fuse/"]),
    // What differs from the platform's library, and what is left out of a build with that.
    (
        "rsbinder",
        &[
            "aidl/",
            "service/src/binder/admission.rs",
            "service/src/binder/bounded.rs",
            "service/src/binder/inflight.rs",
            "service/src/binder/listen.rs",
            "service/src/binder/platform.rs",
            "service/src/binder/rpc.rs",
            "service/src/binder/socket.rs",
        ],
    ),
    ("rsbinder_aidl", &["aidl/"]),
    ("rusqlite", &["service/src/catalog/"]),
    // The policy's one entry.
    ("decide", &["service/src/access/", "policy/"]),
];

/// Places, and the words they never use.
pub(crate) const NEVER: [(&str, &[&str]); 4] = [
    ("service/src/lower/", &["mediagate_policy", "mediagate_aidl"]),
    ("service/src/node/", &["mediagate_policy", "mediagate_aidl"]),
    ("service/src/redaction/", &["mediagate_policy", "mediagate_aidl"]),
    ("policy/src/", &["mediagate", "mediagate_aidl", "mediagate_tests"]),
];

/// The rooms of the service and which others each may name. It has no cycle (that is tested), so every arrow of the
/// house points one way.
pub(crate) const ROOMS: [(&str, &[&str]); 26] = [
    ("access", &["identity", "observe"]),
    ("binder", &["config", "control"]),
    ("catalog", &["observe"]),
    (
        "cli",
        &[
            "access",
            "binder",
            "config",
            "control",
            "demo",
            "kernel",
            "observe",
            "private",
            "redaction",
            "serve",
            "watch",
        ],
    ),
    ("config", &[]),
    ("control", &["config"]),
    ("demo", &["binder", "config", "control", "observe", "serve"]),
    ("errno", &["lower", "ops"]),
    ("fuse", &["errno", "lower", "mountinfo", "node", "observe", "ops", "passthrough", "volume"]),
    ("identity", &["config", "control"]),
    ("kernel", &[]),
    ("lower", &[]),
    ("mountinfo", &[]),
    ("node", &["lower", "observe", "passthrough"]),
    ("observe", &["control"]),
    (
        "ops",
        &["access", "catalog", "control", "lower", "node", "observe", "passthrough", "redaction", "volume"],
    ),
    ("passthrough", &["observe"]),
    ("private", &["mountinfo"]),
    ("redaction", &["lower", "observe"]),
    ("sandbox", &[]),
    ("scanner", &["access", "catalog", "lower", "observe", "redaction", "volume"]),
    (
        "serve",
        &[
            "access",
            "binder",
            "catalog",
            "config",
            "control",
            "fuse",
            "identity",
            "lower",
            "observe",
            "ops",
            "passthrough",
            "private",
            "redaction",
            "sandbox",
            "scanner",
            "upkeep",
            "volume",
            "watch",
        ],
    ),
    ("upkeep", &["catalog", "identity", "observe", "volume"]),
    ("volume", &["access", "catalog", "kernel", "lower", "node", "observe", "passthrough", "redaction"]),
    ("watch", &["config", "lower", "observe", "scanner", "volume"]),
    // The demo's apps are this program again.
    ("main", &["cli", "demo"]),
];

/// The files that may hold unsafe code: raw ioctls, file handles, and the FUSE library's one unsafe function.
pub(crate) const UNSAFE: &[&str] = &[
    "service/src/passthrough/device.rs",
    "service/src/fuse/filesystem.rs",
    "service/src/fuse/opened.rs",
    "service/src/lower/handle.rs",
    "service/src/lower/marker.rs",
    "service/src/lower/project.rs",
    "service/src/lower/written.rs",
    // mount_setattr, and an ioctl about namespaces.
    "service/src/private/raw.rs",
    // A test's: another uid for one thread.
    "service/tests/interface/fake.rs",
    // A test's: an allocator that counts.
    "policy/tests/allocations.rs",
    // A test's: mappings.
    "tests/src/data.rs",
    // A test's: system calls that no crate wraps.
    "tests/tests/hostile/handle.rs",
    // A test's: the binder driver's ioctls and mapping.
    "tests/emulator/driver.rs",
    // A test's: quotactl.
    "tests/emulator/quota.rs",
    // A test's: ioctls about a file's blocks.
    "tests/src/blocks.rs",
    // A test's: memory that the kernel writes to by itself.
    "tests/src/ring.rs",
    // The tests': mmap, and aligned memory for O_DIRECT.
    "tests/src/data.rs",
];

/// No source file is longer, comments included.
pub(crate) const LONGEST: usize = 650;

/// What is wrong with one file: `path:line: what`.
pub(crate) fn check(path: &str, source: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut say = |line: usize, what: String| wrong.push(format!("{path}:{line}: {what}"));
    unfinished(source, &mut say);
    unsafe_code(path, source, &mut say);
    if source.lines().count() > LONGEST {
        say(LONGEST + 1, format!("longer than {LONGEST} lines: it wants to be two files"));
    }
    if is_test(path) {
        return wrong;
    }
    let found = code(source);
    for (word, places) in ONLY {
        if !places.iter().any(|place| path.starts_with(place)) {
            for token in naming(&found, word) {
                say(token.line, format!("names `{word}`, which only {} may", places.join(", ")));
            }
        }
    }
    for (place, words) in NEVER {
        for token in words.iter().filter(|_| path.starts_with(place)).flat_map(|word| naming(&found, word)) {
            say(token.line, format!("names `{}`, which {place} must not know", token.text));
        }
    }
    let Some(inside) = path.strip_prefix("service/src/") else { return wrong };
    let policy_glob = |it: &[Token]| ["mediagate_policy", "::", "*"].iter().eq(it.iter().map(|it| &it.text));
    for all in found.windows(3).filter(|it| policy_glob(it)) {
        say(all[0].line, "takes everything of the policy, so nobody sees what it uses".to_owned());
    }
    if !source.starts_with("//!") {
        say(1, "does not begin with `//!`: what it is for, its invariants, its locks".to_owned());
    }
    arrows(inside, &found, &mut say);
    wrong
}

/// True for files that are compiled for tests only.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/")
        || path.split('/').any(|part| part == "tests")
        || path.ends_with("/tests.rs")
        || path.ends_with("_tests.rs")
}

fn naming<'a>(found: &'a [Token], word: &'a str) -> impl Iterator<Item = &'a Token> {
    found.iter().filter(move |token| token.text == word)
}

fn arrows(inside: &str, found: &[Token], say: &mut impl FnMut(usize, String)) {
    let room = inside.split('/').next().unwrap_or_default().trim_end_matches(".rs");
    if room == "lib" {
        return;
    }
    let Some((_, may)) = ROOMS.iter().find(|(known, _)| *known == room) else {
        return say(1, format!("`{room}` is no room of the house: give it its place in the table of rooms"));
    };
    for named in rooms(found, module_depth(inside)) {
        let is_room = ROOMS.iter().any(|(known, _)| *known == named.text);
        if is_room && named.text != room && !may.contains(&named.text.as_str()) {
            say(named.line, format!("`{room}` names `{}`, which it must not know", named.text));
        }
    }
}

/// How many modules a file of `service/src` is below the crate root.
fn module_depth(inside: &str) -> usize {
    let parts = inside.split('/').count();
    if inside.ends_with("/mod.rs") { parts - 1 } else { parts }
}

fn unfinished(source: &str, say: &mut impl FnMut(usize, String)) {
    for (number, line) in source.lines().enumerate() {
        for mark in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")] {
            if line.split(|it: char| !it.is_alphanumeric() && it != '_').any(|word| word == mark) {
                say(number + 1, format!("{mark}: finish it, or leave it out"));
            }
        }
    }
    let found = tokens(&strip(source));
    for pair in found.windows(2) {
        if matches!(pair[0].text.as_str(), "todo" | "unimplemented") && pair[1].text == "!" {
            say(pair[0].line, format!("`{}!`: finish it", pair[0].text));
        }
    }
}

fn unsafe_code(path: &str, source: &str, say: &mut impl FnMut(usize, String)) {
    let lines: Vec<&str> = source.lines().collect();
    for token in tokens(&strip(source)).iter().filter(|token| token.text == "unsafe") {
        if !UNSAFE.contains(&path) {
            say(token.line, "unsafe code; it is confined to the files in the list".to_owned());
        }
        let reason = lines[..token.line].iter().rev().take(6).any(|line| line.contains("// SAFETY:"));
        if !reason {
            say(token.line, "unsafe without `// SAFETY:` above it".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "//! What it is for.\n";

    fn wrong(path: &str, code: &str) -> Vec<String> {
        check(path, &format!("{HEAD}{code}"))
    }

    #[test]
    fn a_library_is_named_in_its_room_only() {
        for (code, room, home) in [
            ("use fuser::Request;", "ops/open.rs", "fuse/attr.rs"),
            ("fn f() { rsbinder::x() }", "ops/open.rs", "binder/rpc.rs"),
            ("type C = ::rusqlite::Connection;", "ops/open.rs", "catalog/x.rs"),
            ("use mediagate_policy::{Grant, decide};", "ops/open.rs", "access/x.rs"),
        ] {
            let found = wrong(&format!("service/src/{room}"), code);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with("service/src/ops/open.rs:2: names `"), "{found:?}");
            assert_eq!(wrong(&format!("service/src/{home}"), code), [""; 0]);
        }
        assert_eq!(wrong("service/src/ops/open.rs", "// fuser\nlet a = \"fuser\"; // [`fuser`]"), [""; 0]);
        assert_eq!(wrong("service/src/ops/tests.rs", "use fuser::X;"), [""; 0]);
        assert_eq!(wrong("service/src/ops/open.rs", "use mediagate_policy::*;").len(), 1);
    }

    #[test]
    fn the_lower_rooms_do_not_know_the_policy() {
        for room in ["lower", "node", "redaction"] {
            let found = wrong(&format!("service/src/{room}/x.rs"), "\n\nuse mediagate_policy::Kind;");
            assert!(found[0].starts_with(&format!("service/src/{room}/x.rs:4: ")), "{found:?}");
        }
        assert_eq!(wrong("policy/src/path.rs", "use mediagate::lower;").len(), 1);
        assert_eq!(wrong("service/src/ops/x.rs", "use mediagate_policy::Kind;"), [""; 0]);
    }

    #[test]
    fn arrows_point_one_way() {
        for (path, code) in [
            ("service/src/ops/open.rs", "use crate::fuse::Mounted;"),
            ("service/src/ops/open.rs", "use super::super::fuse::Mounted;"),
            ("service/src/lower/root.rs", "use crate::{node::File};"),
            ("service/src/node/mod.rs", "use super::catalog::Catalog;"),
            ("service/src/volume/facts.rs", "fn f() -> crate::ops::OpError {}"),
            ("service/src/errno.rs", "use super::fuse;"),
        ] {
            let found = wrong(path, code);
            assert_eq!(found.len(), 1, "{path} {code}: {found:?}");
            assert!(found[0].starts_with(&format!("{path}:2: ")), "{found:?}");
        }
        assert_eq!(wrong("service/src/attic/x.rs", "").len(), 1, "a room that nobody planned");
        assert_eq!(wrong("service/src/fuse/x.rs", "use crate::ops;"), [""; 0]);
    }

    #[test]
    fn the_table_of_rooms_has_no_cycle() {
        for (room, may) in ROOMS {
            let mut reached: Vec<&str> = may.to_vec();
            let mut next = 0;
            while let Some(at) = reached.get(next) {
                let further = ROOMS.iter().find(|(known, _)| known == at).map_or(&[][..], |(_, may)| may);
                let new: Vec<_> = further.iter().filter(|it| !reached.contains(it)).copied().collect();
                reached.extend(new);
                next += 1;
            }
            assert!(!reached.contains(&room), "{room} leads to itself");
        }
    }

    #[test]
    fn unsafe_is_confined_and_explained() {
        let bare = "fn f() { unsafe { g() } }";
        let explained = "// SAFETY: g is fine.\nunsafe { g() }";
        assert_eq!(wrong("service/src/ops/x.rs", bare).len(), 2);
        assert_eq!(wrong("service/src/ops/x.rs", explained).len(), 1);
        assert_eq!(wrong("service/src/passthrough/device.rs", bare).len(), 1);
        assert_eq!(wrong("service/src/passthrough/device.rs", explained), [""; 0]);
        assert_eq!(wrong("service/src/ops/x.rs", "#![deny(unsafe_code)] // unsafe"), [""; 0]);
    }

    #[test]
    fn nothing_is_left_unfinished() {
        for code in
            [concat!("// TO", "DO: x"), "fn f() { todo!() }", "unimplemented!(\"x\")", concat!("FIX", "ME")]
        {
            assert_eq!(wrong("policy/src/x.rs", code).len(), 1, "{code}");
        }
        assert_eq!(wrong("policy/src/x.rs", "let todo = Todo; // the todo list"), [""; 0]);
    }

    #[test]
    fn files_begin_with_what_they_are_for_and_end_in_time() {
        assert_eq!(check("service/src/ops/x.rs", "use a;").len(), 1);
        assert_eq!(wrong("policy/src/x.rs", &"a\n".repeat(LONGEST)).len(), 1);
        assert_eq!(wrong("policy/src/x.rs", &"a\n".repeat(LONGEST - 1)), [""; 0]);
    }
}
