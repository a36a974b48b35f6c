//! serve

/// Runs `mediagate serve`.
pub fn run_command(_config: &std::path::Path) -> std::process::ExitCode {
    std::process::ExitCode::FAILURE
}
