//! `mediagate`, for the tests.

fn main() -> std::process::ExitCode {
    mediagate::cli::main()
}
