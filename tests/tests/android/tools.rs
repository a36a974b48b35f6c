//! What others' tools say: the format of Android.bp, the fragment's XML, the policy.

use std::fmt::Write as _;
use std::process::{Command, Output};

use crate::blueprint::CRATES;
use crate::{read, root};

/// Runs a tool at the tree's root. That it is missing is said with the package it comes in.
fn run(tool: &str, package: &str, arguments: &[&str]) -> Output {
    let output = Command::new(tool).args(arguments).current_dir(root()).output();
    output.unwrap_or_else(|e| panic!("{tool}: {e}; apt-get install {package} (.ci/run does)"))
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What bpfmt would write otherwise, or cannot read; nothing if it is content.
fn bpfmt(files: &[&str]) -> String {
    let output = run("bpfmt", "blueprint-tools", &[&["-d"], files].concat());
    let said = said(&output);
    if output.status.success() { said } else { format!("{said}(exit {:?})", output.status.code()) }
}

#[test]
fn bpfmt_has_nothing_to_say() {
    let files: Vec<String> = CRATES.iter().map(|dir| format!("{dir}/Android.bp")).collect();
    let files: Vec<&str> = std::iter::once("Android.bp").chain(files.iter().map(String::as_str)).collect();
    assert_eq!(bpfmt(&files), "");
}

#[test]
fn bpfmt_finds_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("comma", "license {\n    name: \"a\"\n    b: true\n}\n"),
        ("order", "license {\n  name: \"a\",\n}\n"),
    ] {
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        assert_ne!(bpfmt(&[file.to_str().unwrap()]), "", "{name}");
    }
}

fn xpath(expression: &str) -> String {
    let output = run("xmllint", "libxml2-utils", &["--xpath", expression, "service/android/mediagate.xml"]);
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_fragment_declares_the_name_that_a_device_serves() {
    let output = run("xmllint", "libxml2-utils", &["--noout", "service/android/mediagate.xml"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(xpath("string(/manifest/@type)"), "framework");
    assert_eq!(xpath("count(/manifest/hal)"), "1");
    assert_eq!(xpath("string(/manifest/hal/@format)"), "aidl");
    let (package, instance) = (xpath("string(/manifest/hal/name)"), xpath("string(/manifest/hal/fqname)"));
    let name = format!("{package}.{instance}");
    let config: toml::Table = read("service/android/mediagate.toml").parse().unwrap();
    assert_eq!(config["service"]["listen"][0].as_str(), Some(format!("binder://{name}").as_str()));
    assert!(read("service/android/sepolicy/service_contexts").starts_with(&format!("{name} ")));

    let modules = crate::blueprint::modules();
    let interface = modules.iter().find(|it| it.kind == "aidl_interface").unwrap();
    assert_eq!(interface.name, package);
    assert_eq!(
        interface.text("stability").as_deref(),
        Some("vintf"),
        "only such an interface can be declared"
    );
    let versions = interface.strings_in("versions_with_info", "version");
    assert_eq!(Some(&xpath("string(/manifest/hal/version)")), versions.last());
}

#[test]
fn the_device_s_configuration_is_one() {
    let config = mediagate::config::parse(&read("service/android/mediagate.toml"), "mediagate.toml".as_ref());
    // What is judged by the machine it is read on: the file of packages is an Android device's.
    let complaints = config.err().map(|error| error.to_string()).unwrap_or_default();
    let others: Vec<&str> = complaints.lines().filter(|line| !line.contains("packages_list")).collect();
    assert_eq!(others, [""; 0]);
}

/// Replaces macros by what they stand for: calls of them, and words.
fn expand(policy: &str, macros: &str) -> String {
    let table: Vec<(&str, &str)> =
        macros.lines().filter(|it| !it.starts_with('#')).filter_map(|it| it.split_once('\t')).collect();
    let mut out = String::new();
    for line in policy.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let called = table.iter().find_map(|(name, meaning)| {
            let arguments = line.trim().strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')?;
            let mut text = (*meaning).to_owned();
            for (at, argument) in arguments.split(',').enumerate() {
                text = text.replace(&format!("${}", at + 1), argument.trim());
            }
            Some(text)
        });
        let line = called.unwrap_or_else(|| line.to_owned());
        let mut rest = line.as_str();
        while let Some(at) = rest.find(|it: char| it.is_ascii_alphanumeric() || it == '_') {
            let end = rest[at..]
                .find(|it: char| !it.is_ascii_alphanumeric() && it != '_')
                .map_or(rest.len(), |it| at + it);
            let word = &rest[at..end];
            out.push_str(&rest[..at]);
            out.push_str(table.iter().find(|(name, _)| *name == word).map_or(word, |(_, meaning)| meaning));
            rest = &rest[end..];
        }
        writeln!(out, "{rest}").unwrap();
    }
    out
}

/// What checkpolicy says of a policy between stubs of the platform's; nothing if it takes it.
fn checkpolicy(policy: &str) -> String {
    let stub = |name: &str| read(&format!("tests/tests/android/sepolicy/{name}"));
    let whole = format!("{}\n{}\n{}", stub("before.te"), expand(policy, &stub("macros")), stub("after.te"));
    let dir = tempfile::tempdir().unwrap();
    let (source, binary) = (dir.path().join("policy.conf"), dir.path().join("policy"));
    std::fs::write(&source, whole).unwrap();
    let output =
        run("checkpolicy", "checkpolicy", &["-o", binary.to_str().unwrap(), source.to_str().unwrap()]);
    if output.status.success() { String::new() } else { said(&output) }
}

#[test]
fn checkpolicy_takes_the_policy() {
    assert_eq!(checkpolicy(&read("service/android/sepolicy/mediagate.te")), "");
}

#[test]
fn checkpolicy_finds_what_is_wrong() {
    let good = read("service/android/sepolicy/mediagate.te");
    for wrong in [
        "allow mediagate nobody:file read;",
        "allow mediagate fuse:file fly;",
        // Against the policy's own word that nobody else opens the catalog.
        "allow vold mediagate_data_file:file open;",
        "allow vold mediagate_service:service_manager add;",
        // Against the platform's.
        "allow appdomain mediagate_service:service_manager find;",
    ] {
        assert_ne!(checkpolicy(&format!("{good}\n{wrong}\n")), "", "{wrong}");
    }
}

#[test]
fn contexts_name_types_and_places_that_there_are() {
    let policy = read("service/android/sepolicy/mediagate.te");
    let modules = crate::blueprint::modules();
    let program = modules.iter().find(|it| it.kind == "rust_binary" && it.name == "mediagate").unwrap();
    let mut labelled = Vec::new();
    for file in ["file_contexts", "service_contexts"] {
        for line in read(&format!("service/android/sepolicy/{file}")).lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [what, context] = words[..] else { panic!("{file}: {line}") };
            let parts: Vec<&str> = context.split(':').collect();
            let ["u", "object_r", kind, "s0"] = parts[..] else { panic!("{file}: {context}") };
            assert!(policy.contains(&format!("\ntype {kind},")), "{file}: {kind} is no type of mediagate.te");
            labelled.push(what.to_owned());
        }
    }
    assert!(labelled.contains(&format!("/system/bin/{}", program.name)));
    let config: toml::Table = read("service/android/mediagate.toml").parse().unwrap();
    let state = config["service"]["state_dir"].as_str().unwrap();
    assert!(labelled.contains(&format!("{state}(/.*)?")), "{state} has no label");
}
