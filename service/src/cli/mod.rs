//! The command line: a client of the binder interface, and the door to `serve` and `demo`.
//!
//! One file for each family of commands. A command returns what it has to say as a text, or a `Failure` that knows
//! its exit code; printing happens here. Exit codes: 0 fine, 1 the operation failed, 2 wrong usage or configuration,
//! 3 the service cannot be reached.

mod connection;
mod doctor;
mod explain;
mod failure;
mod grant;
mod maintain;
mod output;
mod package;
mod permission;
mod policy;
mod query;
mod redact;
mod run_as;
mod scan;
mod status;
mod store;
mod volume;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use connection::Connection;

/// Where the configuration is unless `--config` says otherwise.
const DEFAULT_CONFIG: &str = "/etc/mediagate/mediagate.toml";

/// Shared storage for apps: decided per caller, served through FUSE with kernel passthrough.
#[derive(Debug, Parser)]
#[command(
    name = "mediagate",
    version,
    long_about = "mediagate stands between apps and shared storage. It mounts a volume through FUSE, works out which \
        app is calling, decides from that app's permissions and from who owns which file, and hands approved opens to \
        the kernel, so that reads and writes do not come back to it.\n\n\
        `serve` runs the service and `demo` shows it off; all other commands but `doctor`, `policy`, `redact show` and `redact export` talk to a running service.",
    after_long_help = "Examples:\n  \
        mediagate doctor                                    can this machine do it?\n  \
        mediagate demo --once                               a tour, with nothing to set up\n  \
        mediagate serve --config /etc/mediagate/mediagate.toml\n  \
        mediagate package list\n  \
        mediagate explain --package com.example.camera read /storage/emulated/0/DCIM/a.jpg\n\n\
        Exit codes:\n  \
        0  fine\n  \
        1  the operation failed, or was refused\n  \
        2  wrong usage, or the configuration is wrong\n  \
        3  the service cannot be reached\n  \
        run-as exits with the status of its command, else with these, 126 or 127.\n\n\
        Environment:\n  \
        MEDIAGATE_URI   address of the service, unless --connect says one\n  \
        MEDIAGATE_LOG   what `serve` logs to stderr, as in debug or mediagate::fuse=trace,info\n  \
        NOTIFY_SOCKET   where `serve` says that it is ready and that it stops (sd_notify)\n\n\
        Files:\n  \
        /etc/mediagate/mediagate.toml    configuration of the service; others look there for its address\n  \
        /run/mediagate/mediagate.sock    where it listens, unless the configuration says otherwise\n  \
        /var/lib/mediagate/catalog.db    its index, in the configuration's state_dir; made anew if it is not there\n\n\
        Paths:\n  \
        Paths need not be UTF-8. Wherever one is printed, --json included, a backslash\n  \
        is written \\\\, and bytes that are not UTF-8 and control characters are written\n  \
        \\xNN: the form is exact and can be undone.\n\n\
        See also:\n  \
        `mediagate COMMAND --help` for each command; CONFIGURATION.md for each setting and\n  \
        SEMANTICS.md for what apps see, both in /usr/share/doc/mediagate; systemctl(1),\n  \
        journalctl(1), fuse(4)"
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Global {
    /// Address of the service: unix:///path or binder://name.
    ///
    /// Default: the environment variable MEDIAGATE_URI, then the first listen address of the configuration file,
    /// then unix:///run/mediagate/mediagate.sock.
    #[arg(long, global = true, value_name = "URI", help_heading = "Global options")]
    connect: Option<String>,
    /// Configuration file [default: /etc/mediagate/mediagate.toml]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    config: Option<PathBuf>,
    /// Print exact data as JSON instead of text for people.
    #[arg(long, global = true, help_heading = "Global options")]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service in the foreground.
    #[command(
        long_about = "Runs the service in the foreground: mounts the volumes of the configuration and serves the \
            interface at its listen addresses. Prints the line `ready` when all are up, and tells systemd (Type=notify). SIGTERM and SIGINT unmount and \
            exit with 0. Needs root, as mounting and passthrough do.\n\n\
            What it logs goes to stderr; MEDIAGATE_LOG sets how much, as in MEDIAGATE_LOG=debug or \
            MEDIAGATE_LOG=mediagate::fuse=trace (default: info).",
        after_long_help = "Examples:\n  mediagate serve\n  mediagate serve --config ./mediagate.toml\n  \
            MEDIAGATE_LOG=debug mediagate serve --config ./mediagate.toml"
    )]
    Serve,
    Demo(Demo),
    /// List, attach and detach volumes.
    #[command(subcommand)]
    Volume(volume::Command),
    /// List, install and remove packages.
    #[command(subcommand)]
    Package(package::Command),
    /// Grant and revoke permissions.
    #[command(subcommand)]
    Permission(permission::Permission),
    /// Set app ops.
    #[command(subcommand)]
    Appop(permission::AppOp),
    /// Grant single files, and take grants back.
    #[command(subcommand)]
    Grant(grant::Command),
    Scan(scan::Scan),
    Query(query::Ask),
    Changes(query::Changes),
    Watch(query::Watch),
    Insert(store::Insert),
    Update(store::Update),
    Trash(store::Trash),
    Untrash(store::Untrash),
    Favorite(store::Favorite),
    Delete(store::Delete),
    Open(store::Open),
    Maintain(maintain::Maintain),
    Explain(explain::Explain),
    /// Show the rules that all of this follows.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Show and hide where files say they were made.
    #[command(subcommand)]
    Redact(redact::Command),
    /// Show counters and gauges.
    #[command(
        long_about = "Shows all counters and gauges of the service, sorted by name. A counter only grows, a gauge is a \
            level. `fuse.requests.read` that stays put while an app reads is passthrough at work. Administrators only.",
        after_long_help = "Examples:\n  mediagate stats\n  mediagate stats --json | jq '.[] | select(.gauge)'"
    )]
    Stats,
    /// Show the state of the service.
    #[command(
        long_about = "Shows the state of the service as text for people: volumes, requests in flight with their age, \
            backing files by uid, packages, numbers. The format is not for programs: use `stats` there. Administrators only.",
        after_long_help = "Examples:\n  mediagate dump"
    )]
    Dump,
    RunAs(run_as::RunAs),
    /// Check what this machine can do.
    #[command(
        long_about = "Checks what mediagate needs of this machine and what it can use: mounting through FUSE, kernel \
            passthrough, binder, limits. Says for each what is missing and how to get it. Needs no running service.\n\n\
            Exits with 0 when volumes can be mounted, else with 1.",
        after_long_help = "Examples:\n  mediagate doctor\n  sudo mediagate doctor --json"
    )]
    Doctor,
}

/// Show what the service does, on a volume of its own.
#[derive(Debug, Args)]
#[command(
    long_about = "Makes a volume with sample pictures, video, audio and documents and a few apps in a temporary \
        directory, mounts it, and shows what each app sees and what bypassed the service. Needs no configuration. Stays \
        up until Ctrl-C, so that you can look around.",
    after_long_help = "Examples:\n  sudo mediagate demo\n  sudo mediagate demo --once --size-mib 64"
)]
struct Demo {
    /// Exit after the tour.
    #[arg(long)]
    once: bool,
    /// Work in this directory, which must be empty or not exist, and leave it behind [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Size of the video that is copied, in MiB.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=4095))]
    size_mib: u64,
}

/// The command line's description of itself, for who makes a manual of it.
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => {
            // Help and version are errors to clap; they have exit code 0. Nobody is left to tell if this fails.
            let _ = error.print();
            if error.use_stderr() { ExitCode::from(failure::USAGE) } else { ExitCode::SUCCESS }
        }
    }
}

fn run(cli: Cli) -> ExitCode {
    let Cli { global, command } = cli;
    let json = global.json;
    let connection = Connection::new(global.connect, global.config.clone());
    let said = match command {
        Command::Serve => {
            start_log();
            return crate::serve::run_command(&config_file(global.config.as_deref()));
        }
        Command::Demo(Demo { once, dir, size_mib }) => {
            return crate::demo::run(&crate::demo::DemoOptions { once, dir, size_mib, json });
        }
        Command::RunAs(run_as) => Err(run_as.run(&connection)),
        Command::Doctor => return doctor(&connection, json),
        Command::Volume(command) => command.run(&connection, json),
        Command::Package(command) => command.run(&connection, json),
        Command::Permission(command) => command.run(&connection, json),
        Command::Appop(command) => command.run(&connection, json),
        Command::Grant(command) => command.run(&connection, json),
        Command::Scan(scan) => scan.run(&connection, json),
        Command::Query(ask) => ask.run(&connection, json),
        Command::Changes(changes) => changes.run(&connection, json),
        Command::Watch(watch) => watch.run(&connection, json),
        Command::Insert(insert) => insert.run(&connection, json),
        Command::Update(update) => update.run(&connection, json),
        Command::Trash(trash) => trash.run(&connection, json),
        Command::Untrash(untrash) => untrash.run(&connection, json),
        Command::Favorite(favorite) => favorite.run(&connection, json),
        Command::Delete(delete) => delete.run(&connection, json),
        Command::Open(open) => open.run(&connection),
        Command::Maintain(maintain) => maintain.run(&connection, json),
        Command::Explain(explain) => explain.run(&connection, json),
        Command::Policy(command) => command.run(json),
        Command::Redact(command) => command.run(&connection, json),
        Command::Stats => status::stats(&connection, json),
        Command::Dump => status::dump(&connection, json),
    };
    match said {
        Ok(text) => print(&text),
        Err(failure) => {
            eprintln!("mediagate: {}", output::lines(&failure.to_string()));
            failure.exit_code()
        }
    }
}

fn doctor(connection: &Connection, json: bool) -> ExitCode {
    // It may not run, or not tell everybody.
    let volumes = connection.open().ok().and_then(|client| client.volumes().ok());
    let report = doctor::examine(volumes.as_deref());
    let printed = print(&report.render(json));
    if report.can_mount { printed } else { ExitCode::from(failure::FAILED) }
}

/// The configuration file that `serve` reads.
fn config_file(given: Option<&Path>) -> PathBuf {
    given.unwrap_or(Path::new(DEFAULT_CONFIG)).to_owned()
}

/// Logging to stderr. rsbinder reports what hostile clients do as warnings; they are not the operator's business.
fn start_log() {
    let filter = env_logger::Env::new().filter_or("MEDIAGATE_LOG", "info,rsbinder=error");
    let log = env_logger::Builder::from_env(filter).build();
    let level = log.filter();
    crate::observe::complaints::install(log, level);
}

/// Prints an answer. A reader that has enough (`| head`) is no failure.
fn print(text: &str) -> ExitCode {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("mediagate: cannot write the answer: {e}");
            ExitCode::from(failure::FAILED)
        }
        _ => ExitCode::SUCCESS,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_teaches_by_example() {
        fn check(command: &mut clap::Command) {
            if command.get_name() == "help" {
                return;
            }
            let leaf = command.get_subcommands().next().is_none();
            let help = command.render_long_help().to_string();
            assert!(!leaf || help.contains("Examples:"), "{} has no examples", command.get_name());
            let long = command.get_long_about().map(ToString::to_string).unwrap_or_default();
            assert!(
                !leaf || (long.len() > 60 && help.contains(&long[..30])),
                "{} says little",
                command.get_name()
            );
            assert!(
                command.get_about().is_some_and(|about| about.to_string().len() < 90),
                "{}",
                command.get_name()
            );
            for sub in command.get_subcommands_mut() {
                check(sub);
            }
        }
        check(&mut Cli::command());
    }

    #[test]
    fn what_the_contract_says_parses() {
        for line in [
            "mediagate serve --config /f",
            "mediagate --config /f serve",
            "mediagate demo --once --dir /d --size-mib 1",
            "mediagate volume list --json",
            "mediagate volume attach v --kind public --lower /l --mount /m",
            "mediagate volume detach v",
            "mediagate package list",
            "mediagate package install p --app-id 10101 --user 0 --user 10 --app-op A=allow --raw-access true",
            "mediagate package remove p",
            "mediagate permission grant p READ_MEDIA_IMAGES",
            "mediagate permission revoke p READ_MEDIA_IMAGES",
            "mediagate appop set p MANAGE_EXTERNAL_STORAGE allow",
            "mediagate grant add p /f",
            "mediagate grant add p /f --user 10 --write --for 10m",
            "mediagate grant add p /f --selected --expires 2000000000",
            "mediagate grant list --package p --json",
            "mediagate grant remove p /f --user 10",
            "mediagate grant remove p --all",
            "mediagate query",
            "mediagate query --volume v --dir DCIM --tree --type image,video --owner p --favorite --trashed --pending=include --sort taken --desc --limit 3 --details --json",
            "mediagate query --count --type audio",
            "mediagate query --groups album",
            "mediagate changes --since 5",
            "mediagate watch --json --count 1",
            "mediagate insert a.jpg --dir Pictures --mime image/jpeg --pending",
            "mediagate update 1 2 --name a --dir DCIM --publish",
            "mediagate trash 1 2",
            "mediagate untrash 1",
            "mediagate favorite 1 --off",
            "mediagate delete 1 2 3",
            "mediagate open 1",
            "mediagate explain --uid 10101 read /p",
            "mediagate explain --package p --user 10 rename /p --to /q",
            "mediagate scan",
            "mediagate scan /p --json",
            "mediagate maintain --json",
            "mediagate package clear p",
            "mediagate policy matrix --format html --output f",
            "mediagate redact show a.jpg --json",
            "mediagate redact export a.jpg b.jpg --force",
            "mediagate redact link /p --to p --user 10 --json",
            "mediagate stats --connect unix:///s",
            "mediagate dump",
            "mediagate run-as p --user 10 -- ls -l --color",
            "mediagate doctor",
        ] {
            parse(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        }
    }

    #[test]
    fn what_makes_no_sense_does_not() {
        for line in [
            "mediagate",
            "mediagate ask",
            "mediagate volume attach v --kind other --lower /l --mount /m",
            "mediagate volume attach v --kind public --lower /l",
            "mediagate package install p",
            "mediagate package install p --app-id 10101 --app-op A",
            "mediagate package install p --app-id 10101 --app-op A=sometimes",
            "mediagate appop set p OP sometimes",
            "mediagate query --tree",
            "mediagate query --type pictures",
            "mediagate query --count --limit 3",
            "mediagate changes",
            "mediagate insert",
            "mediagate trash",
            "mediagate open",
            "mediagate grant add p",
            "mediagate grant add p /f --write --selected",
            "mediagate grant add p /f --for 10m --expires 2000000000",
            "mediagate grant add p /f --for 10",
            "mediagate grant remove p",
            "mediagate grant remove p /f --all",
            "mediagate explain read /p",
            "mediagate explain --uid 1 --package p read /p",
            "mediagate explain --uid 1 --user 10 read /p",
            "mediagate explain --uid 1 chmod /p",
            "mediagate explain --uid 1 rename /p",
            "mediagate explain --uid 1 read /p --to /q",
            "mediagate redact show",
            "mediagate redact export a.jpg",
            "mediagate redact link /p --user 10",
            "mediagate run-as p",
            "mediagate demo --size-mib 0",
        ] {
            assert!(parse(line).and_then(|cli| check(cli.command)).is_err(), "{line}");
        }
    }

    /// What is checked after parsing.
    fn check(command: Command) -> Result<(), clap::Error> {
        match command {
            Command::Explain(explain) => {
                explain.check().map_err(|_| clap::Error::new(clap::error::ErrorKind::ArgumentConflict))
            }
            _ => Ok(()),
        }
    }
}
