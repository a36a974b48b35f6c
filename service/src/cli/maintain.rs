//! `maintain`.

use std::io::{IsTerminal as _, Write as _};

use clap::Args;

use super::connection::Connection;
use super::failure::Failure;
use super::output;
use super::scan::{held_signals, interrupted};
use crate::control::MaintenanceStatus;

/// See to what time, packages, users and volumes left behind.
#[derive(Debug, Args)]
#[command(
    long_about = "Runs maintenance now, shows how far it is and what each step did; Ctrl-C cancels it, and what was \
        done stays so. The service does the same by itself every `maintenance_hours`. If a run goes on already, this one \
        joins it. Administrators only.\n\n\
        Steps: expired (pending files after 7 days, the trash after 30: what expired within the last week is deleted, \
        what expired before gets a week more), packages (files whose owner is not installed become nobody's), users and \
        volumes (rows of users that a volume no longer serves, and of volumes not attached for 30 days), tombstones, marks \
        (ids and favourites written on files), catalog (checked and tidied).",
    after_long_help = "Examples:\n  mediagate maintain\n  mediagate maintain --json | jq '.steps[] | {name, done, said}'"
)]
pub(super) struct Maintain;

impl Maintain {
    pub(super) fn run(self, connection: &Connection, json: bool) -> Result<String, Failure> {
        let held = held_signals()?;
        let client = connection.open()?;
        let mut run = client.maintain()?;
        let number = run.number;
        let shown = std::io::stderr().is_terminal() && !json;
        while !run.is_over() {
            show(shown, &run);
            if interrupted(&held)? {
                // It may be over by now.
                let _ = client.cancel_maintenance();
                show(shown, &MaintenanceStatus::default());
                return Err(Failure::Failed("cancelled; what was done stays done".to_owned()));
            }
            match client.maintenance()? {
                Some(now) if now.number == number => run = now,
                _ => {
                    return Err(Failure::Failed(
                        "the service was started anew meanwhile; run it again".to_owned(),
                    ));
                }
            }
        }
        show(shown, &MaintenanceStatus::default());
        if run.phase != "done" {
            let steps = run.steps.iter().filter(|it| it.phase != "done");
            let wrong: Vec<_> = steps.map(|it| format!("{}: {} {}", it.name, it.phase, it.said)).collect();
            return Err(Failure::Failed(format!("maintenance was not finished: {}", wrong.join("; "))));
        }
        if json { output::json(&run) } else { Ok(table(&run)) }
    }
}

/// The line that says how far it is, written over itself; empty when no step goes on.
fn show(shown: bool, run: &MaintenanceStatus) {
    if !shown {
        return;
    }
    let text = run.steps.iter().find(|it| it.phase == "running").map_or_else(String::new, |step| {
        format!("{}: {} done, {} failed", step.name, step.done, step.failed)
    });
    // Nobody may be looking.
    let _ = write!(std::io::stderr(), "\r{text:<78}\r");
}

fn table(run: &MaintenanceStatus) -> String {
    let row = |it: &crate::control::MaintenanceStep| {
        [it.name.clone(), it.done.to_string(), it.failed.to_string(), output::escape(it.said.as_bytes())]
    };
    let rows: Vec<_> = run.steps.iter().map(row).collect();
    output::table(["STEP", "DONE", "FAILED", "WHAT"], &rows)
}
