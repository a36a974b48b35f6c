//! What is brought in from crates.io: every crate that the device's modules need is named in android/external-crates.toml, with where a
//! tree gets it, and each module names what its Cargo.toml does.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde::Deserialize;

use crate::blueprint::{CRATES, Module, modules};
use crate::{complain, read, root};

/// Libraries of the platform that take the place of a crate: in which crate of ours, what, and what instead.
const REPLACED: [(&str, &str, &str); 2] =
    [("aidl", "rsbinder", "io.mediagate-V1-rust"), ("service", "rsbinder", "libbinder_rs")];

/// What only checks outside of a tree need.
const CARGO_ONLY: [&str; 3] = ["android_bp", "clap_mangen", "criterion"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(rename = "crate")]
    crates: Vec<External>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct External {
    name: String,
    module: String,
    /// `platform`, `update` or `import`.
    from: String,
    /// The version that external/rust/android-crates-io has.
    #[serde(default)]
    has: Option<String>,
}

fn list() -> Vec<External> {
    toml::from_str::<List>(&read("android/external-crates.toml")).unwrap().crates
}

/// Crates and their versions that the device's modules need, by cargo: without what rsbinder needs, which the platform's
/// library replaces there.
fn needed() -> BTreeMap<String, String> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args([
        "tree",
        "--offline",
        "--locked",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    command.args(["--prune", "rsbinder"]);
    for package in ["mediagate", "mediagate-aidl", "mediagate-policy", "mediagate-tests"] {
        command.args(["--package", package]);
    }
    let output = command.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut found = BTreeMap::new();
    for line in text.lines().filter(|it| !it.is_empty()) {
        let mut words = line.split(' ');
        let (name, version) = (words.next().unwrap(), words.next().unwrap());
        if !name.starts_with("mediagate") {
            found.insert(name.to_owned(), version.trim_start_matches('v').to_owned());
        }
    }
    assert!(found.len() > 50, "{found:?}");
    found
}

/// Whether what needs `wanted` can be built with `has` (the rule of Cargo's caret).
fn compatible(has: &str, wanted: &str) -> bool {
    let parts = |it: &str| -> Vec<u64> {
        it.split(['.', '-', '+']).take(3).map(|part| part.parse().unwrap_or(0)).collect()
    };
    let (has, wanted) = (parts(has), parts(wanted));
    let first = wanted.iter().position(|it| *it != 0).unwrap_or(0);
    has[..=first] == wanted[..=first]
}

#[test]
fn every_crate_is_named_with_where_it_comes_from() {
    let (list, needed) = (list(), needed());
    let tests: BTreeSet<String> =
        modules().iter().filter(|it| it.is_test()).flat_map(|it| it.list("rustlibs")).collect();
    let mut wrong = Vec::new();
    for (name, version) in &needed {
        let Some(found) = list.iter().find(|it| it.name == *name) else {
            wrong.push(format!("{name} {version} is needed and not on the list"));
            continue;
        };
        let of_has = found.has.as_ref().map(|has| compatible(has, version));
        if !matches!(
            (found.from.as_str(), of_has),
            ("platform", Some(true)) | ("update", Some(false)) | ("import", None)
        ) {
            let has = found.has.as_deref().unwrap_or("no version");
            wrong.push(format!(
                "{name}: {:?} is wrong: the platform has {has}, {version} is needed",
                found.from
            ));
        }
    }
    let mut before = "";
    for it in &list {
        if it.name.as_str() <= before {
            wrong.push(format!("{}: the list is sorted, and each crate there once", it.name));
        }
        before = &it.name;
        if !needed.contains_key(&it.name) && !tests.contains(&it.module) {
            wrong.push(format!("{}: nobody needs it any more", it.name));
        }
        let usual = format!("lib{}", it.name.replace('-', "_"));
        if it.module != usual && it.module != format!("{usual}_rust") {
            wrong.push(format!("{}: {} is no name for its module", it.name, it.module));
        }
    }
    complain(&wrong);
}

#[test]
fn compatible_is_what_cargo_takes_for_it() {
    for (has, wanted, is) in [
        ("1.0.99", "1.0.104", true),
        ("1.2.0", "1.1.7", true),
        ("0.29.0", "0.31.3", false),
        ("0.12.5", "0.12.1", true),
        ("2.0.1", "1.9.0", false),
        ("0.0.3", "0.0.4", false),
    ] {
        assert_eq!(compatible(has, wanted), is, "{has} {wanted}");
    }
}

/// The library modules that a crate's manifest stands for, by the tables named.
fn libraries(dir: &str, manifest: &str, tables: &[&str], list: &[External]) -> BTreeSet<String> {
    let manifest: toml::Table = manifest.parse().unwrap();
    let names =
        tables.iter().filter_map(|table| manifest.get(*table)?.as_table()).flat_map(toml::Table::keys);
    let library = |name: &String| {
        if let Some((_, _, instead)) = REPLACED.iter().find(|(of, it, _)| *of == dir && it == name) {
            return Some((*instead).to_owned());
        }
        if CARGO_ONLY.contains(&name.as_str()) {
            return None;
        }
        let external = list.iter().find(|it| it.name == *name).map(|it| it.module.clone());
        Some(external.unwrap_or_else(|| format!("lib{}", name.replace('-', "_"))))
    };
    names.filter_map(library).collect()
}

/// What is wrong with the libraries that a crate's modules name.
fn check(dir: &str, manifest: &str, modules: &[Module], list: &[External]) -> Vec<String> {
    let normal = libraries(dir, manifest, &["dependencies"], list);
    let mut all = libraries(dir, manifest, &["dependencies", "dev-dependencies"], list);
    let of_crate: Vec<&Module> = modules.iter().filter(|it| it.dir == dir).collect();
    let library = of_crate.iter().find(|it| it.kind == "rust_library");
    all.extend(library.iter().map(|it| it.name.clone()));
    let mut wrong = Vec::new();
    if let Some(library) = library {
        let named: BTreeSet<String> = library.list("rustlibs").into_iter().collect();
        let missing =
            normal.difference(&named).map(|it| format!("{}: {it} is missing in rustlibs", library.name));
        let extra =
            named.difference(&normal).map(|it| format!("{}: Cargo.toml does not name {it}", library.name));
        wrong.extend(missing.chain(extra));
    }
    for module in of_crate {
        for named in module.list("rustlibs").iter().filter(|it| !all.contains(*it)) {
            wrong.push(format!("{}: Cargo.toml does not name {named}", module.name));
        }
    }
    wrong
}

#[test]
fn modules_name_the_libraries_that_their_manifests_do() {
    let (modules, list) = (modules(), list());
    let wrong: Vec<String> = CRATES
        .iter()
        .flat_map(|dir| check(dir, &read(&format!("{dir}/Cargo.toml")), &modules, &list))
        .collect();
    complain(&wrong);
}

#[test]
fn a_library_too_many_or_too_few_is_found() {
    let manifest = "[dependencies]\nlog = \"1\"\nanyhow = \"1\"\n[dev-dependencies]\nproptest = \"1\"\n";
    let of = |named: &str, tested: &str| {
        let text = format!(
            r#"rust_library {{ name: "liba", rustlibs: [{named}] }}
               rust_test {{ name: "liba_test", rustlibs: [{tested}] }}"#
        );
        check("a", manifest, &crate::blueprint::parse("a", &text), &list())
    };
    assert_eq!(of(r#""libanyhow", "liblog_rust""#, r#""liba", "libproptest""#), [""; 0]);
    assert_eq!(of(r#""libanyhow""#, "").len(), 1);
    assert_eq!(of(r#""libanyhow", "liblog_rust", "libproptest""#, "").len(), 1);
    assert_eq!(of(r#""libanyhow", "liblog_rust""#, r#""librand""#).len(), 1);
}

#[test]
fn every_library_is_known() {
    let (modules, list) = (modules(), list());
    let platform = |name: &str| name == "libbinder_rs" || name.starts_with("io.mediagate-V");
    let own = |name: &str| modules.iter().any(|it| it.kind == "rust_library" && it.name == name);
    let mut wrong = Vec::new();
    for module in &modules {
        for name in module.list("rustlibs") {
            if !platform(&name) && !own(&name) && !list.iter().any(|it| it.module == name) {
                wrong.push(format!("{}: nobody has {name}", module.name));
            }
        }
        for name in module.list("data_bins") {
            if !modules.iter().any(|it| it.kind == "rust_binary" && it.name == name) {
                wrong.push(format!("{}: nobody has the program {name}", module.name));
            }
        }
    }
    complain(&wrong);
}
