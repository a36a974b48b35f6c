//! `policy matrix`: the whole permission model, printed. Needs no running service.

mod text;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::failure::Failure;
use super::output;
use crate::access::{Matrix, matrix};

/// The page without its data; it loads nothing from anywhere.
const PAGE: &str = include_str!("policy/matrix.html");
/// What stands in the page where the data goes.
const DATA: &str = "{\"data\":0}";

/// Show the rules.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Matrix(Print),
}

/// Show who may do what, for every class of caller, path and operation.
#[derive(Debug, Args)]
#[command(
    long_about = "Shows the whole permission model as one table: every class of caller, every class of path and file, \
        every operation, as the service decides them. As HTML it is one page that also says, for each cell, which rule \
        decides and what would change the answer. Needs no running service and no privileges.",
    after_long_help = "Examples:\n  mediagate policy matrix | less\n  \
        mediagate policy matrix --format html --output matrix.html\n  \
        mediagate policy matrix --json | jq '.rows[] | select(.object == \"others-image\")'"
)]
pub(super) struct Print {
    /// How to write it [default: text, or json with --json]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Write it to this file.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for a terminal of 120 columns.
    Text,
    /// All data, for programs.
    Json,
    /// One self-contained page for a browser.
    Html,
}

impl Command {
    pub(super) fn run(self, json: bool) -> Result<String, Failure> {
        let Command::Matrix(print) = self;
        print.run(json)
    }
}

impl Print {
    fn run(self, json: bool) -> Result<String, Failure> {
        let format = self.format.unwrap_or(if json { Format::Json } else { Format::Text });
        let written = match format {
            Format::Text => text::render(&matrix()),
            Format::Json => output::json(&matrix())?,
            Format::Html => page(&matrix())?,
        };
        let Some(file) = self.output else { return Ok(written) };
        let name = output::escape(file.as_os_str().as_encoded_bytes());
        std::fs::write(&file, written).map_err(|e| Failure::Failed(format!("cannot write {name}: {e}")))?;
        output::done(format!("wrote {name}"), json)
    }
}

fn page(matrix: &Matrix) -> Result<String, Failure> {
    let data = serde_json::to_string(matrix)
        .map_err(|e| Failure::Failed(format!("cannot write the table as JSON: {e}")))?;
    // Nothing in the data may end the script element that it stands in.
    Ok(PAGE.replacen(DATA, &data.replace('<', "\\u003c"), 1))
}

#[cfg(test)]
mod tests;
