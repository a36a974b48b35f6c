//! `mediagate demo`: from nothing to a mounted volume with sample files and apps, and a tour of what each app gets.
//!
//! The service runs in this process; every app is a process of its own with the app's uid, made by running this
//! program again (`actor`). The tour checks itself: a step whose outcome is not what it should be makes the exit
//! code 1. Whatever happens, the volume is unmounted and a temporary directory removed before [`run`] returns.

mod actor;
mod print;
pub mod samples;
mod signals;
mod tour;
mod world;

#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

pub use actor::actor_main;
use print::Printer;
use signals::Signals;
use tour::Tour;
use world::World;

use crate::serve::Service;

/// How the demo is to run.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Exit after the tour instead of staying up until Ctrl-C.
    pub once: bool,
    /// Directory to work in, which must be empty or not exist, and which is left behind; default: a temporary one.
    pub dir: Option<PathBuf>,
    /// Size of the large video.
    pub size_mib: u64,
    /// Print one JSON object at the end instead of the narration.
    pub json: bool,
}

impl Default for DemoOptions {
    fn default() -> Self {
        DemoOptions { once: false, dir: None, size_mib: 256, json: false }
    }
}

/// Why the demo cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("cannot work in {place}: {source}; name another directory with --dir")]
    Directory { place: String, source: io::Error },
    #[error("{0} is not empty; name an empty or a new directory with --dir")]
    NotEmpty(String),
    #[error("apps cannot reach {path} ({why}); name a directory that every user may enter with --dir")]
    Unreachable { path: String, why: String },
    #[error("the demo's directory {0:?} is not valid UTF-8; name another with --dir")]
    Name(PathBuf),
    #[error(
        "cannot run this program as uid {uid}: {source}; other users must be able to execute it (chmod a+rx)"
    )]
    Spawn { uid: u32, source: io::Error },
    #[error("the process of uid {uid} ended without an answer: {said}")]
    NoAnswer { uid: u32, said: String },
    #[error("stopped by a signal before the end of the tour")]
    Interrupted,
    #[error("{0}")]
    Control(#[from] crate::control::ControlError),
    #[error("cannot make the file {path}: {source}")]
    Sample { path: String, source: io::Error },
    #[error("a video of {0} MiB cannot be made; --size-mib takes 1 to {max}", max = world::LARGEST_VIDEO_MIB)]
    VideoSize(u64),
}

/// Runs the demo.
pub fn run(options: &DemoOptions) -> ExitCode {
    let mut out = Printer::stdout(options.json);
    let fine = match shown(options, &mut out) {
        Ok(fine) => fine,
        Err(why) => {
            out.error(&why.to_string());
            false
        }
    };
    out.finish(fine);
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn shown(options: &DemoOptions, out: &mut Printer) -> Result<bool, DemoError> {
    if !(1..=world::LARGEST_VIDEO_MIB).contains(&options.size_mib) {
        return Err(DemoError::VideoSize(options.size_mib));
    }
    // Before any thread exists, so that no thread of the service takes the signals away.
    let signals = Signals::block();
    let world = World::create(options.dir.as_deref())?;
    let missing = world::missing();
    if missing.is_empty() {
        world.check_reachable()?;
    }
    out.title("mediagate demo: one shared volume, five apps, and what each of them gets");
    if !missing.is_empty() {
        return without_mount(&world, &missing, options, &signals, out);
    }
    let service = match Service::start(world.config()) {
        Ok(service) => service,
        Err(why) => {
            let reason = format!("the volume could not be mounted: {why:#}");
            return without_mount(&world, &[reason], options, &signals, out);
        }
    };
    let toured = Tour {
        world: &world,
        control: service.control(),
        signals: &signals,
        out: &mut *out,
        size_mib: options.size_mib,
        once: options.once,
    }
    .take()
    // Ctrl-C in a terminal ends the app at work as well; that it did is not the news.
    .map_err(|why| if signals.arrived() { DemoError::Interrupted } else { why });
    if !options.once && toured.is_ok() {
        out.paragraph("The volume stays mounted until you press Ctrl-C.");
        out.finish(matches!(toured, Ok(true)));
        signals.wait();
        out.paragraph("Stopping.");
    }
    service.stop();
    world.close(out);
    toured
}

/// Shows what can be shown without a mounted volume: the apps and the files. That is not the tour, so it is never
/// what was promised.
fn without_mount(
    world: &World,
    missing: &[String],
    options: &DemoOptions,
    signals: &Signals,
    out: &mut Printer,
) -> Result<bool, DemoError> {
    out.heading("What cannot be shown here");
    for reason in missing {
        out.bullet(reason);
    }
    out.paragraph(
        "So no app can be shown at work: who sees what, what is refused and why, and how the bytes of a large file \
         pass by the service all need the mounted volume. `mediagate doctor` says more about this machine.",
    );
    out.keep_not_shown("the tour on a mounted volume", &missing.join(" "));
    out.heading("What there is to see: the apps");
    world::show_apps(out);
    out.heading("... and the files that they would own");
    world.make_files_directly(out)?;
    if !options.once {
        let place = world.lower().join("0");
        out.paragraph(&format!("They are in {} until you press Ctrl-C.", place.display()));
        out.finish(false);
        signals.wait();
    }
    Ok(false)
}
