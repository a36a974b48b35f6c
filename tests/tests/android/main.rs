//! What an AOSP tree would be given, checked outside of one: that Android.bp says of every crate what its Cargo.toml says, that
//! init's file, the VINTF fragment and the policy are what their own tools take, and that the AIDL is compatible with what is
//! frozen. Nothing here mounts, or needs a tree.
//!
//! `bpfmt`, `xmllint` and `checkpolicy` come from Debian's packages. A tool that is missing is a failure, never a test that is
//! left out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod aidl;
mod blueprint;
mod compatible;
mod crates;
mod frozen;
mod rc;
mod sources;
mod tools;

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Every file below a directory of the tree, as paths from the root, sorted.
fn files(dir: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![root().join(dir)];
    while let Some(dir) = left.pop() {
        for entry in std::fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Fails with every complaint, or passes when there is none.
fn complain(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
