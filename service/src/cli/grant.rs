//! `grant add|list|remove`.

use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use serde_json::json;

use super::connection::Connection;
use super::failure::Failure;
use super::{output, volume};
use crate::control::{GrantSpec, GrantStatus};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Add(Add),
    /// List the grants.
    #[command(
        long_about = "Lists the grants on single files that are in force, oldest first, with where each file is now. \
            Administrators see all; an app sees its own. KIND is read, write or selected.",
        after_long_help = "Examples:\n  mediagate grant list\n  \
            mediagate grant list --package com.example.editor --json | jq '.[].path'"
    )]
    List {
        /// Only those of this package.
        #[arg(long, value_name = "NAME")]
        package: Option<String>,
    },
    Remove(Remove),
}

/// Grant one file to an app.
#[derive(Debug, Args)]
#[command(
    long_about = "Grants one existing file to a package in one of its users: to read it, unless --write or --selected \
        says otherwise. Every open that starts after this command returned is decided by the new state.\n\n\
        The grant belongs to the file, not to its path: a rename keeps it, and when the file is removed or replaced it is \
        gone. It outlives restarts of the service, but not its catalog. A grant of the same kind on the same file is \
        replaced. Administrators only.",
    after_long_help = "Examples:\n  \
        mediagate grant add com.example.mail /storage/emulated/0/Download/report.pdf --for 10m\n  \
        mediagate grant add com.example.editor /storage/emulated/0/DCIM/a.jpg --write\n  \
        mediagate grant add com.example.chat /storage/emulated/0/DCIM/a.jpg --selected"
)]
pub(super) struct Add {
    /// Name of the package.
    package: String,
    /// Path of the file, as apps see it.
    path: PathBuf,
    /// User in which the package gets it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    user: u32,
    #[command(flatten)]
    kind: Kind,
    #[command(flatten)]
    end: End,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
struct Kind {
    /// To read and write it.
    #[arg(long)]
    write: bool,
    /// As if the user had selected this picture or video for the app, which needs READ_MEDIA_VISUAL_USER_SELECTED.
    #[arg(long)]
    selected: bool,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
struct End {
    /// When it ends, in seconds since 1970 [default: not by itself]
    #[arg(long, value_name = "SECONDS")]
    expires: Option<i64>,
    /// How long it lasts: a number with s, m, h or d behind it.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    lasts: Option<i64>,
}

/// Take grants back.
#[derive(Debug, Args)]
#[command(
    long_about = "Removes what a package holds on a file in one of its users, of every kind, or on all files with \
        --all. Every open that starts after this command returned is decided by the new state; files that are open stay \
        open. Administrators only.",
    after_long_help = "Examples:\n  \
        mediagate grant remove com.example.editor /storage/emulated/0/DCIM/a.jpg\n  \
        mediagate grant remove com.example.editor --all"
)]
pub(super) struct Remove {
    /// Name of the package.
    package: String,
    /// Path of the file, as apps see it.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    path: Option<PathBuf>,
    /// On every file.
    #[arg(long)]
    all: bool,
    /// User in which the package has it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    user: u32,
}

impl Command {
    pub(super) fn run(self, connection: &Connection, json: bool) -> Result<String, Failure> {
        match self {
            Command::Add(add) => add.run(connection, json),
            Command::List { package } => {
                let grants = connection.open()?.grants(package.as_deref())?;
                list(&grants, json)
            }
            Command::Remove(remove) => remove.run(connection, json),
        }
    }
}

impl Add {
    fn run(self, connection: &Connection, json: bool) -> Result<String, Failure> {
        let kind = match self.kind {
            Kind { write: true, .. } => "write",
            Kind { selected: true, .. } => "selected",
            Kind { .. } => "read",
        };
        let grant = GrantSpec {
            package: self.package,
            user: self.user,
            path: bytes(self.path)?,
            kind: kind.to_owned(),
            expires: self.end.expires.or(self.end.lasts.map(|lasts| now().saturating_add(lasts))),
        };
        connection.open()?.add_grant(&grant)?;
        output::done(format!("{} may {kind} {}", grant.package, output::escape(&grant.path)), json)
    }
}

impl Remove {
    fn run(self, connection: &Connection, json: bool) -> Result<String, Failure> {
        let path = self.path.map(bytes).transpose()?;
        let removed = connection.open()?.remove_grants(&self.package, self.user, path.as_deref())?;
        if json {
            return output::json(&json!({ "ok": true, "removed": removed }));
        }
        Ok(format!("{removed} of the grants of {} removed\n", self.package))
    }
}

fn list(grants: &[GrantStatus], json: bool) -> Result<String, Failure> {
    if json {
        let grants: Vec<_> = grants
            .iter()
            .map(|it| {
                json!({
                    "id": it.id, "package": it.package, "user": it.user, "kind": it.kind, "volume": it.volume,
                    "path": output::escape(&it.path), "expires": it.expires, "created": it.created,
                })
            })
            .collect();
        return output::json(&grants);
    }
    let now = now();
    let row = |it: &GrantStatus| {
        let left = it.expires.map_or_else(|| "never".to_owned(), |end| format!("in {}", span(end - now)));
        [it.package.clone(), it.user.to_string(), it.kind.clone(), left, output::escape(&it.path)]
    };
    let rows: Vec<_> = grants.iter().map(row).collect();
    Ok(output::table(["PACKAGE", "USER", "KIND", "ENDS", "PATH"], &rows))
}

fn bytes(path: PathBuf) -> Result<Vec<u8>, Failure> {
    volume::absolute(path).map(|path| path.into_os_string().into_vec())
}

const UNITS: [(char, i64); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// Seconds, from `90s`, `10m`, `2h` or `7d`.
fn duration(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text:?} is no duration; write for example 90s, 10m, 2h or 7d");
    let unit = UNITS.into_iter().find(|(letter, _)| text.ends_with(*letter)).ok_or_else(wrong)?;
    let number = text.trim_end_matches(unit.0);
    if number.len() + 1 != text.len() || !number.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: i64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(unit.1).filter(|seconds| *seconds > 0).ok_or_else(wrong)
}

/// About how long `seconds` are.
fn span(seconds: i64) -> String {
    let (letter, unit) = UNITS.into_iter().find(|(_, unit)| seconds >= 2 * unit).unwrap_or(('s', 1));
    format!("{}{letter}", seconds.max(0) / unit)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("90s"), Ok(90));
        assert_eq!(duration("10m"), Ok(600));
        assert_eq!(duration("2h"), Ok(7200));
        assert_eq!(duration("7d"), Ok(604_800));
        for wrong in ["", "s", "10", "0m", "-1s", "+1s", "1ss", "1.5h", "1 m", "99999999999999999d", "1w"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn spans_are_short() {
        assert_eq!(span(-5), "0s");
        assert_eq!(span(119), "119s");
        assert_eq!(span(120), "2m");
        assert_eq!(span(100_000), "27h");
        assert_eq!(span(200_000), "2d");
    }
}
