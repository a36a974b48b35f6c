//! An app's deeds: one action, done by a process of the app's uid, answered with one line of JSON.
//!
//! The process is this program again, told what to do by an environment variable. It runs with the app's uid and gid
//! and no further groups, so the mounted volume meets a caller like any other.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::DemoError;
use super::samples::Sample;

/// Holds the [`Action`] of an actor process.
const VARIABLE: &str = "MEDIAGATE_DEMO_ACTOR";

/// What is read and written in one go.
const CHUNK: usize = 1 << 20;

/// Something that an app does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "do")]
pub(super) enum Action {
    /// Makes a file, and the directories above it.
    Make {
        /// Where.
        path: PathBuf,
        /// What.
        sample: Sample,
    },
    /// Lists a directory.
    List {
        /// Which.
        path: PathBuf,
    },
    /// Opens a file and reads all of it.
    Read {
        /// Which.
        path: PathBuf,
    },
    /// Copies a file into a new one, with plain reads and writes.
    Copy {
        /// An existing file.
        path: PathBuf,
        /// The new file.
        to: PathBuf,
    },
    /// Deletes a file.
    Delete {
        /// Which.
        path: PathBuf,
    },
}

/// How it went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// The errno's name (`EACCES`), or empty when it succeeded.
    pub(super) errno: String,
    /// The files and directories listed, sorted; bytes that are not printable ASCII are escaped.
    pub(super) names: Vec<String>,
    /// Bytes made, read or copied.
    pub(super) bytes: u64,
    /// SHA-256 of what was read or copied, in hexadecimal.
    pub(super) sha256: String,
    /// Seconds spent in opening, reading, writing and closing.
    pub(super) seconds: f64,
}

impl Answer {
    /// True when the action succeeded.
    pub(super) fn is_ok(&self) -> bool {
        self.errno.is_empty()
    }

    /// The errno's name, or `ok`.
    pub(super) fn outcome(&self) -> &str {
        if self.is_ok() { "ok" } else { &self.errno }
    }
}

/// Carries out the action that this process was started for, if it was started for one. Call it first in `main`.
pub fn actor_main() -> Option<ExitCode> {
    let text = std::env::var(VARIABLE).ok()?;
    // The demo blocks the signals that end it; an actor is ended by them.
    let _ = nix::sys::signal::SigSet::empty().thread_set_mask();
    let action = match serde_json::from_str(&text) {
        Ok(action) => action,
        Err(why) => {
            eprintln!("{VARIABLE} is set by `mediagate demo` for its own processes; unset it ({why})");
            return Some(ExitCode::from(2));
        }
    };
    let answer =
        perform(&action).unwrap_or_else(|why| Answer { errno: errno_name(&why), ..Answer::default() });
    let told = serde_json::to_string(&answer).map(|line| println!("{line}"));
    Some(if told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Has `uid` do it.
pub(super) fn act(uid: u32, action: &Action) -> Result<Answer, DemoError> {
    let no_answer = |said: String| DemoError::NoAnswer { uid, said };
    let text = serde_json::to_string(action).map_err(|why| no_answer(why.to_string()))?;
    // The kernel's own link to this program: it still works when the file was moved or replaced since. Setting the
    // uid also drops the groups.
    let done = Command::new("/proc/self/exe")
        // Means nothing to `actor_main`; a program that forgot to call it stops at it instead of running for real.
        .arg("mediagate-demo-actor")
        .env_clear()
        .env(VARIABLE, text)
        .current_dir("/")
        .uid(uid)
        .gid(uid)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| DemoError::Spawn { uid, source })?;
    serde_json::from_slice(&done.stdout)
        .map_err(|_| no_answer(format!("{}. {}", done.status, String::from_utf8_lossy(&done.stderr).trim())))
}

fn errno_name(why: &io::Error) -> String {
    match why.raw_os_error() {
        Some(number) => format!("{:?}", Errno::from_raw(number)),
        None => why.to_string(),
    }
}

/// Does it as whoever this process is.
pub(super) fn perform(action: &Action) -> io::Result<Answer> {
    match action {
        Action::Make { path, sample } => make(path, *sample),
        Action::List { path } => {
            let mut names = Vec::new();
            for entry in fs::read_dir(path)? {
                names.push(entry?.file_name().as_bytes().escape_ascii().to_string());
            }
            names.sort();
            Ok(Answer { names, ..Answer::default() })
        }
        Action::Read { path } => stream(path, None),
        Action::Copy { path, to } => stream(path, Some(to)),
        Action::Delete { path } => fs::remove_file(path).map(|()| Answer::default()),
    }
}

fn make(path: &Path, sample: Sample) -> io::Result<Answer> {
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    let start = Instant::now();
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let mut out = BufWriter::with_capacity(CHUNK, file);
    sample.write(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    let bytes = file.metadata()?.len();
    drop(file);
    Ok(Answer { bytes, seconds: start.elapsed().as_secs_f64(), ..Answer::default() })
}

/// Reads a file and, if there is one, writes another. The time that hashing takes does not count.
fn stream(path: &Path, to: Option<&Path>) -> io::Result<Answer> {
    let mut spent = Duration::ZERO;
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut buffer = vec![0; CHUNK];

    let start = Instant::now();
    let mut from = File::open(path)?;
    let mut to = to.map(|to| OpenOptions::new().write(true).create_new(true).open(to)).transpose()?;
    spent += start.elapsed();
    loop {
        let start = Instant::now();
        let got = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(got) => got,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
            Err(why) => return Err(why),
        };
        if let Some(to) = &mut to {
            to.write_all(&buffer[..got])?;
        }
        spent += start.elapsed();
        bytes += got as u64;
        hash.update(&buffer[..got]);
    }
    let start = Instant::now();
    drop((from, to));
    spent += start.elapsed();
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Answer { bytes, sha256, seconds: spent.as_secs_f64(), ..Answer::default() })
}
