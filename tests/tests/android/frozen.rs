//! The snapshots of the interface: `aidl/aidl_api/io.mediagate/N` is what version N was frozen as and never changes, `current` is
//! what the sources say. A tree's build checks the same (system/tools/aidl/build).
//!
//! ```sh
//! cargo test -p mediagate-tests --test android -- --ignored update_current     # after a change of aidl/
//! cargo test -p mediagate-tests --test android -- --ignored freeze             # the next version; then say so in aidl/Android.bp and below
//! ```

use std::process::Command;

use crate::aidl::{Api, api, render};
use crate::blueprint::modules;
use crate::compatible::breaks;
use crate::{complain, root};

const SNAPSHOTS: &str = "aidl/aidl_api/io.mediagate";

/// The hashes of the versions that were frozen: a new one is added, none is changed, for clients are built for it.
const FROZEN: [(u32, &str); 1] = [(1, "d01f2d8435c6032b18f27767ebabf383da55f1ec")];

fn current() -> Api {
    api("aidl/aidl")
}

fn snapshot(version: &str) -> Api {
    api(&format!("{SNAPSHOTS}/{version}"))
}

/// The versions there are, oldest first.
fn versions() -> Vec<u32> {
    let dirs = std::fs::read_dir(root().join(SNAPSHOTS)).unwrap();
    let names = dirs.map(|it| it.unwrap().file_name().into_string().unwrap());
    let mut versions: Vec<u32> = names.filter(|it| it != "current").map(|it| it.parse().unwrap()).collect();
    versions.sort_unstable();
    versions
}

/// The hash of a version, as system/tools/aidl/build/hash_gen.sh makes it: of the files' hashes and names, and the version.
fn hash(version: u32) -> String {
    let script = format!(
        "{{ find ./ -name '*.aidl' -print0 | LC_ALL=C sort -z | xargs -0 sha1sum && echo {version}; }} | sha1sum | cut -d ' ' -f 1"
    );
    let dir = root().join(SNAPSHOTS).join(version.to_string());
    let output = Command::new("sh").args(["-c", &script]).current_dir(dir).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn frozen_versions_are_as_they_were_frozen() {
    for version in versions() {
        let noted = crate::read(&format!("{SNAPSHOTS}/{version}/.hash"));
        assert_eq!(
            noted.trim(),
            hash(version),
            "version {version} is frozen: take back what was changed in its snapshot"
        );
    }
    // Neither the snapshot and its hash together.
    let now: Vec<_> = versions().into_iter().map(|version| (version, hash(version))).collect();
    assert!(
        now.iter().map(|(version, hash)| (*version, hash.as_str())).eq(FROZEN),
        "what is frozen is {FROZEN:?}, not {now:?}: a version that is new goes to the end of FROZEN"
    );
}

#[test]
fn versions_follow_one_another() {
    let versions = versions();
    assert_eq!(versions, (1..=versions.len() as u32).collect::<Vec<_>>());
    for pair in versions.windows(2) {
        complain(&breaks(&snapshot(&pair[0].to_string()), &snapshot(&pair[1].to_string())));
    }
    let last = versions.last().unwrap().to_string();
    let wrong = breaks(&snapshot(&last), &current());
    assert!(wrong.is_empty(), "aidl/ breaks clients of version {last}:\n{}", wrong.join("\n"));
}

#[test]
fn the_build_file_names_the_versions_and_whether_more_was_added() {
    let modules = modules();
    let interface = modules.iter().find(|it| it.kind == "aidl_interface").unwrap();
    let versions = versions();
    let named = interface.strings_in("versions_with_info", "version");
    assert!(
        named.iter().map(String::as_str).eq(versions.iter().map(u32::to_string).collect::<Vec<_>>()),
        "{named:?}"
    );
    let last = versions.last().unwrap().to_string();
    let same = snapshot(&last) == current();
    assert_eq!(
        interface.flag("frozen"),
        same,
        "aidl/Android.bp: frozen is true while aidl/ is what version {last} is, else false"
    );
    // Who is built for the interface is built for the last version; what is not frozen yet is the one behind it.
    let library = if same { last } else { (versions.len() + 1).to_string() };
    for module in modules.iter().filter(|it| it.kind.starts_with("rust_")) {
        for library_of in module.list("rustlibs").iter().filter(|it| it.starts_with("io.mediagate-V")) {
            assert_eq!(library_of, &format!("io.mediagate-V{library}-rust"), "{}", module.name);
        }
    }
}

#[test]
fn the_current_snapshot_is_that_of_the_sources() {
    let current = current();
    let files: Vec<String> = crate::files(&format!("{SNAPSHOTS}/current"))
        .into_iter()
        .filter(|it| it.ends_with(".aidl"))
        .collect();
    let mut wrong = Vec::new();
    for of in current.values() {
        let file = place("current", of);
        if !files.contains(&file) || crate::read(&file) != render(of, &current) {
            wrong.push(format!(
                "{file}: cargo test -p mediagate-tests --test android -- --ignored update_current"
            ));
        }
    }
    if files.len() != current.len() {
        wrong.push(format!(
            "{SNAPSHOTS}/current has {} files, there are {} types",
            files.len(),
            current.len()
        ));
    }
    complain(&wrong);
}

fn place(version: &str, of: &crate::aidl::Type) -> String {
    format!("{SNAPSHOTS}/{version}/{}/{}.aidl", of.package.replace('.', "/"), of.name)
}

fn write(version: &str) {
    let dir = root().join(SNAPSHOTS).join(version);
    let _ = std::fs::remove_dir_all(&dir);
    let current = current();
    for of in current.values() {
        let file = root().join(place(version, of));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, render(of, &current)).unwrap();
    }
}

#[test]
#[ignore = "writes aidl/aidl_api/io.mediagate/current"]
fn update_current() {
    write("current");
}

#[test]
#[ignore = "writes the next version below aidl/aidl_api/io.mediagate"]
fn freeze() {
    let _ = std::fs::create_dir_all(root().join(SNAPSHOTS));
    let next = versions().last().map_or(1, |last| last + 1);
    write(&next.to_string());
    std::fs::write(root().join(format!("{SNAPSHOTS}/{next}/.hash")), format!("{}\n", hash(next))).unwrap();
}
