//! The `mediagate` binary: see `mediagate --help`.

fn main() -> std::process::ExitCode {
    // `mediagate demo` runs this program again for each thing that one of its apps does.
    if let Some(code) = mediagate::demo::actor_main() {
        return code;
    }
    mediagate::cli::main()
}
