//! `mediagate serve`.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};

use super::Service;
use super::notify::{READY, STOPPING, notify};
use crate::config::{self, ConfigError};
use crate::passthrough::Limits;

/// Wrong usage or configuration.
const MISCONFIGURED: u8 = 2;

/// Serves what the configuration file says until SIGTERM or SIGINT: prints `ready` once everything is mounted and
/// reachable, unmounts at the end. A service manager that asks for it is told as well.
pub fn run_command(path: &Path) -> ExitCode {
    let config = match config::load(path) {
        Ok(config) => config,
        Err(error) => {
            report(&error);
            return ExitCode::from(MISCONFIGURED);
        }
    };
    // Before the first thread: all inherit it, so the signals wait for `wait` below.
    let signals: SigSet = [Signal::SIGTERM, Signal::SIGINT].into_iter().collect();
    if let Err(error) = signals.thread_block() {
        eprintln!("mediagate: cannot hold back signals: {error}");
        return ExitCode::FAILURE;
    }
    raise_descriptor_limit();
    crate::private::look_at_init();
    // Capabilities are each thread's own, and new threads inherit them.
    if let Err(error) = crate::sandbox::confine() {
        eprintln!("mediagate: cannot give up privileges: {error}");
        return ExitCode::FAILURE;
    }
    let service = match Service::start(config) {
        Ok(service) => service,
        Err(error) => {
            eprintln!("mediagate: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let mut stdout = std::io::stdout();
    // Nobody may be reading it.
    let _ = writeln!(stdout, "ready").and_then(|()| stdout.flush());
    notify(READY);
    match signals.wait() {
        Ok(signal) => log::info!("{signal}: stopping"),
        Err(error) => log::error!("waiting for a signal failed: {error}; stopping"),
    }
    notify(STOPPING);
    service.stop();
    ExitCode::SUCCESS
}

fn report(error: &ConfigError) {
    for line in error.to_string().lines() {
        eprintln!("mediagate: {line}");
    }
}

/// Descriptors wanted: one for each open inode, of which there may be as many as backing files, and more for
/// directories and files that the daemon serves.
const DESCRIPTORS: u64 = 262_144;

/// As many descriptors as the system lets us have. Raising the hard limit takes CAP_SYS_RESOURCE, which is given up after
/// the first call.
pub(super) fn raise_descriptor_limit() {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return };
    let wanted = DESCRIPTORS.max(hard);
    let raised = setrlimit(Resource::RLIMIT_NOFILE, wanted, wanted)
        .or_else(|_| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        log::warn!("the limit of open files stays at {soft}: {error}");
    }
}

/// How many handles there may be: each holds up to two descriptors, and no uid gets so many that others, and the service
/// itself, would be left without.
pub(super) fn handle_limits() -> Limits {
    let total = u32::try_from(descriptors() / 16 * 7).unwrap_or(u32::MAX);
    Limits { total, per_uid: total / 2 }
}

/// How many descriptors this process may have.
pub(super) fn descriptors() -> u64 {
    getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(soft, _)| soft)
}
