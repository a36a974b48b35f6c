//! Generates the Rust side of every file under `aidl/`.

use std::path::PathBuf;

fn main() {
    let root = PathBuf::from("aidl");
    println!("cargo::rerun-if-changed=aidl");
    let generated = rsbinder_aidl::Builder::new()
        .source(root.join("io/mediagate"))
        .include_dir(root)
        // The methods' names, for the dump.
        .trace(true)
        .output(PathBuf::from("mediagate_aidl.rs"))
        .generate();
    if let Err(error) = generated {
        eprintln!("cannot generate code from the AIDL files: {error}");
        std::process::exit(1);
    }
}
