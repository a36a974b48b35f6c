//! The house is as it was planned (DESIGN §2, §3): who may know whom, where unsafe code may be, what is finished. Each
//! complaint names the file and the line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod code;
mod rules;

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file below `dir` with this ending, as paths from the root.
fn files(dir: &Path, ending: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                files(&path, ending, found);
            }
        } else if name.ends_with(ending) {
            found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
        }
    }
}

fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for member in ["aidl", "policy", "service", "tests"] {
        files(&root().join(member), ".rs", &mut found);
    }
    assert!(found.len() > 100, "found {} files only", found.len());
    found.sort();
    found
        .into_iter()
        .map(|path| (path.clone(), std::fs::read_to_string(root().join(path)).unwrap()))
        .collect()
}

#[test]
fn every_file_keeps_the_rules() {
    let sources = sources();
    let mut longest: Vec<_> =
        sources.iter().map(|(path, source)| (source.lines().count(), path.as_str())).collect();
    longest.sort_unstable_by(|a, b| b.cmp(a));
    println!("The longest files:");
    for (lines, path) in longest.iter().take(10) {
        println!("{lines:6} {path}");
    }
    let wrong: Vec<String> = sources.iter().flat_map(|(path, source)| rules::check(path, source)).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Whoever calls is known, and allowed, before anything of the call is looked at.
#[test]
fn the_first_line_of_each_method_of_the_interface_authorises() {
    let mut methods = 0;
    for (file, implementation) in [
        ("service/src/binder/service.rs", "impl aidl::IMediagate for Binder"),
        ("service/src/binder/store.rs", "aidl::IMediaStore for StoreBinder<B>"),
    ] {
        let source = std::fs::read_to_string(root().join(file)).unwrap();
        let (_, after) =
            source.split_once(implementation).unwrap_or_else(|| panic!("{file} has no {implementation}"));
        let (inside, _) = after.split_once("\n}\n").unwrap();
        for method in inside.split("\n    fn ").skip(1) {
            let (name, body) = (method.split('(').next().unwrap(), method.split_once("{\n").unwrap().1);
            let first = body.lines().next().unwrap().trim();
            let authorises = ["authz::require", "authz::caller(&*self.control)?", "self.caller()?"];
            assert!(authorises.iter().any(|it| first.contains(it)), "{file}: {name} begins with {first}");
            methods += 1;
        }
    }
    assert!(methods > 30, "found {methods} only");
    let store = std::fs::read_to_string(root().join("service/src/binder/store.rs")).unwrap();
    assert!(store.contains("let caller = authz::caller(&*self.control)?;"), "what `self.caller` does");
}

#[test]
fn the_lists_name_only_what_there_is() {
    for path in rules::UNSAFE {
        let source = std::fs::read_to_string(root().join(path)).unwrap_or_default();
        let uses = code::tokens(&code::strip(&source)).iter().any(|token| token.text == "unsafe");
        assert!(uses, "{path} holds no unsafe code: take it off the list");
    }
    for (room, _) in rules::ROOMS {
        let at = root().join("service/src").join(room);
        assert!(at.is_dir() || at.with_extension("rs").is_file(), "there is no room {room}");
    }
    for place in rules::ONLY.iter().flat_map(|(_, places)| *places).chain(rules::NEVER.iter().map(|it| &it.0))
    {
        assert!(root().join(place).exists(), "there is no {place}");
    }
}

/// What is wrong with a member's manifest.
fn check_manifest(member: &str, manifest: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().unwrap();
    let mut wrong = Vec::new();
    let inherits = |table: &str, key: &str| {
        manifest.get(table).and_then(|it| it.get(key)).and_then(toml::Value::as_bool) == Some(true)
    };
    if !inherits("lints", "workspace") {
        wrong.push(format!("{member}/Cargo.toml: does not inherit the workspace's lints"));
    }
    let ours = ["mediagate", "mediagate-aidl", "mediagate-policy", "mediagate-tests"];
    let may: &[&str] = match member {
        "service" => &["mediagate-aidl", "mediagate-policy"],
        "tests" => &ours,
        _ => &[],
    };
    for table in ["dependencies", "build-dependencies"] {
        let named =
            manifest.get(table).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
        for name in named.filter(|name| ours.contains(&name.as_str()) && !may.contains(&name.as_str())) {
            wrong.push(format!("{member}/Cargo.toml: [{table}] names {name}, which it must not know"));
        }
    }
    wrong
}

#[test]
fn every_crate_inherits_the_lints_and_knows_whom_it_may() {
    let workspace: toml::Table = std::fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let manifest = |member: &str| std::fs::read_to_string(root().join(member).join("Cargo.toml")).unwrap();
    let wrong: Vec<_> = members
        .iter()
        .map(|member| member.as_str().unwrap())
        .flat_map(|member| check_manifest(member, &manifest(member)))
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));

    let lints = &workspace["workspace"]["lints"];
    for (tool, lint) in [
        ("rust", "unsafe_code"),
        ("rust", "unsafe_op_in_unsafe_fn"),
        ("clippy", "undocumented_unsafe_blocks"),
        ("clippy", "unwrap_used"),
        ("clippy", "expect_used"),
        ("clippy", "panic"),
    ] {
        assert_eq!(lints[tool][lint].as_str(), Some("deny"), "{tool}::{lint}");
    }
}

#[test]
fn a_wrong_manifest_is_found() {
    let good = "[dependencies]\nthiserror = \"2\"\n[lints]\nworkspace = true";
    assert_eq!(check_manifest("policy", good), [""; 0]);
    assert_eq!(check_manifest("policy", "[dependencies]").len(), 1);
    let ours = "[dependencies]\nmediagate = { path = \"x\" }\n[lints]\nworkspace = true";
    assert_eq!(check_manifest("policy", ours).len(), 1);
    assert_eq!(check_manifest("tests", ours), [""; 0]);
}

#[test]
fn missing_docs_of_public_items_are_errors_in_policy_and_aidl() {
    for path in ["policy/src/lib.rs", "aidl/src/lib.rs"] {
        let source = std::fs::read_to_string(root().join(path)).unwrap();
        let said = code::code(&source);
        let denied = said.windows(3).any(|it| {
            matches!(it[0].text.as_str(), "deny" | "forbid")
                && it[1].text == "("
                && it[2].text == "missing_docs"
        });
        assert!(denied, "{path} does not say #![deny(missing_docs)]");
    }
}
