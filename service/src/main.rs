//! The `mediagate` binary: see `mediagate --help`.

fn main() -> std::process::ExitCode {
    // One of the demo's apps: this program again, under the app's uid.
    mediagate::demo::actor_main().unwrap_or_else(mediagate::cli::main)
}
