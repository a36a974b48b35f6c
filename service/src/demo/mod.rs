//! demo

pub mod samples;

/// What `mediagate demo` was asked for.
#[derive(Debug)]
pub struct DemoOptions {
    /// Exit after the tour.
    pub once: bool,
    /// Work here and leave it behind.
    pub dir: Option<std::path::PathBuf>,
    /// Size of the video.
    pub size_mib: u64,
}

/// Runs `mediagate demo`.
pub fn run(_options: DemoOptions) -> std::process::ExitCode {
    std::process::ExitCode::FAILURE
}
