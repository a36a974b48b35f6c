//! Android.bp against the tree: every file it names is there and named once, and every target that cargo has is there, too.

use std::collections::BTreeMap;

use crate::blueprint::{CRATES, Module, modules};
use crate::{complain, files, read, root};

/// Properties that name files.
const FILES: [&str; 5] = ["srcs", "src", "init_rc", "vintf_fragments", "license_text"];

/// Suites that only cargo runs, and why.
const CARGO_ONLY: [(&str, &str); 10] = [
    ("tests/bench/main.rs", "needs a desktop's peers to measure against"),
    ("policy/tests/vectors/main.rs", "reads policy/vectors from the source tree"),
    ("tests/tests/android/main.rs", "reads the source tree"),
    ("tests/tests/manual.rs", "reads the source tree"),
    ("tests/tests/metadata/main.rs", "needs a desktop's tools for media files"),
    ("tests/tests/packaging.rs", "is about Debian and systemd"),
    ("tests/tests/redaction_oracles/main.rs", "needs a desktop's tools for media files"),
    ("tests/tests/semantics_doc.rs", "reads docs/SEMANTICS.md"),
    ("tests/tests/structure/main.rs", "reads the source tree"),
    ("tests/tests/vectors/main.rs", "reads policy/vectors from the source tree"),
];

/// The files that a module names, from the root; names of other modules are left out.
fn named(module: &Module) -> Vec<String> {
    let entries = FILES.iter().flat_map(|property| module.list(property)).filter(|it| !it.starts_with(':'));
    entries.flat_map(|entry| expand(&module.at(&entry))).collect()
}

/// What a name with a `*` in its last part stands for; a name without one stands for itself.
fn expand(path: &str) -> Vec<String> {
    let Some((before, after)) = path.split_once('*') else { return vec![path.to_owned()] };
    let (dir, first) = before.rsplit_once('/').unwrap();
    let fits = |name: &str| {
        name.starts_with(first) && name.ends_with(after) && name.len() >= first.len() + after.len()
    };
    let below = files(dir).into_iter();
    below.filter(|it| it[dir.len() + 1..].split_once('/').is_none() && fits(&it[dir.len() + 1..])).collect()
}

/// What is wrong with the files of these modules, given whether a file exists.
fn check_files(modules: &[Module], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut names = BTreeMap::new();
    // A crate's root is built into what it is, and once more into its test.
    let mut seen: BTreeMap<(String, bool), String> = BTreeMap::new();
    for module in modules {
        if module.kind != "package" {
            let dir = &module.dir;
            if let Some(other) = names.insert(module.name.clone(), dir.clone()) {
                wrong.push(format!(
                    "{dir}/Android.bp: {} is a name that {other}/Android.bp has, too",
                    module.name
                ));
            }
        }
        let files = named(module);
        if files.is_empty() && !module.list("srcs").is_empty() {
            wrong.push(format!("{}: its srcs stand for no file", module.name));
        }
        for file in files {
            if !exists(&file) {
                wrong.push(format!("{}: {file} does not exist", module.name));
            }
            if let Some(other) = seen.insert((file.clone(), module.is_test()), module.name.clone()) {
                wrong.push(format!("{file}: {other} and {} both name it", module.name));
            }
        }
    }
    wrong
}

#[test]
fn every_file_that_is_named_exists_and_is_named_once() {
    complain(&check_files(&modules(), |file| root().join(file).is_file()));
}

#[test]
fn a_missing_file_and_one_that_is_named_twice_are_found() {
    let text = |second: &str| {
        format!(
            r#"rust_library {{ name: "a", srcs: ["src/lib.rs"] }}
               rust_test {{ name: "a_test", srcs: ["src/lib.rs"] }}
               rust_library {{ name: "{second}", srcs: ["{second}.rs"] }}"#
        )
    };
    let check =
        |second: &str| check_files(&crate::blueprint::parse("x", &text(second)), |it| it != "x/gone.rs");
    assert_eq!(check("b"), [""; 0]);
    assert_eq!(check("gone"), ["gone: x/gone.rs does not exist"]);
    assert_eq!(check("src/lib").len(), 1);
    assert_eq!(check("a").len(), 1, "a name that is taken");
}

/// The targets that cargo finds in a crate: what they are, and their roots.
fn targets(dir: &str) -> Vec<(&'static str, String)> {
    let manifest: toml::Table = read(&format!("{dir}/Cargo.toml")).parse().unwrap();
    let mut found = Vec::new();
    for (path, kind) in [("src/lib.rs", "rust_library"), ("src/main.rs", "rust_binary")] {
        if root().join(dir).join(path).is_file() {
            found.push((kind, format!("{dir}/{path}")));
        }
    }
    for (table, kind) in [("bin", "rust_binary"), ("test", "rust_test")] {
        for target in manifest.get(table).and_then(toml::Value::as_array).into_iter().flatten() {
            if let Some(path) = target.get("path").and_then(toml::Value::as_str) {
                found.push((kind, format!("{dir}/{path}")));
            }
        }
    }
    for (place, kind) in [("src/bin", "rust_binary"), ("tests", "rust_test")] {
        let place = format!("{dir}/{place}");
        if !root().join(&place).is_dir() {
            continue;
        }
        let roots = files(&place).into_iter().filter(|it| {
            let below = &it[place.len() + 1..];
            below.ends_with(".rs")
                && (!below.contains('/') || (below.ends_with("/main.rs") && below.matches('/').count() == 1))
        });
        // The emulator's tests have their place in the manifest; fuzz targets are a workspace of their own.
        found.extend(roots.filter(|it| !it.starts_with("tests/tests/fuzz")).map(|path| (kind, path)));
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn every_target_of_cargo_has_its_module_and_every_crate_its_test() {
    let modules = modules();
    let mut wrong = Vec::new();
    for dir in CRATES {
        for (kind, path) in targets(dir) {
            let has = modules.iter().any(|it| it.kind == kind && named(it).contains(&path));
            let excused = CARGO_ONLY.iter().any(|(it, _)| *it == path);
            match (has, excused) {
                (false, false) => wrong.push(format!("{dir}/Android.bp: no {kind} has {path}")),
                (true, true) => {
                    wrong.push(format!("{path} has a module: take it off the list of what only cargo runs"))
                }
                _ => {}
            }
        }
        if !modules.iter().any(|it| it.dir == dir && it.is_test()) {
            wrong.push(format!("{dir}/Android.bp: no rust_test"));
        }
    }
    for (path, why) in CARGO_ONLY {
        if !root().join(path).is_file() {
            wrong.push(format!("{path} ({why}) does not exist: take it off the list"));
        }
    }
    complain(&wrong);
}

#[test]
fn targets_are_found_wherever_cargo_finds_them() {
    let all = targets("tests");
    for (kind, path) in [
        ("rust_library", "tests/src/lib.rs"),
        ("rust_binary", "tests/src/bin/actor.rs"),
        ("rust_test", "tests/emulator/main.rs"),
        ("rust_test", "tests/tests/basics.rs"),
        ("rust_test", "tests/tests/structure/main.rs"),
    ] {
        assert!(all.contains(&(kind, path.to_owned())), "{path} in {all:?}");
    }
    assert!(!all.iter().any(|(_, path)| path.ends_with("structure/rules.rs")));
}

#[test]
fn whatever_a_device_needs_is_named() {
    let modules = modules();
    let all: Vec<String> = modules.iter().flat_map(named).collect();
    let mut wrong = Vec::new();
    for file in files("service/android").into_iter().chain(files("aidl/aidl")) {
        if !all.contains(&file) {
            wrong.push(format!("{file}: no module names it"));
        }
    }
    complain(&wrong);
    let find = |name: &str| modules.iter().find(|it| it.name == name).unwrap();
    for required in find("mediagate").list("required") {
        assert_eq!(find(&required).kind, "prebuilt_etc", "{required}");
    }
}

#[test]
fn rust_is_compiled_as_cargo_compiles_it() {
    let workspace: toml::Table = read("Cargo.toml").parse().unwrap();
    let package = &workspace["workspace"]["package"];
    let mut wrong = Vec::new();
    for module in
        modules().iter().filter(|it| matches!(it.kind.as_str(), "rust_library" | "rust_binary" | "rust_test"))
    {
        for (property, key) in [("edition", "edition"), ("cargo_pkg_version", "version")] {
            if module.text(property).as_deref() != package[key].as_str() {
                wrong.push(format!("{}: {property} is not {}", module.name, package[key]));
            }
        }
        if module.list("cfgs").iter().any(|it| it != "libbinder") || module.list("cfgs").is_empty() {
            wrong.push(format!("{}: not built for libbinder", module.name));
        }
    }
    complain(&wrong);
}
