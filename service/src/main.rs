//! The `mediagate` binary: see `mediagate --help`.

fn main() -> std::process::ExitCode {
    mediagate::cli::main()
}
