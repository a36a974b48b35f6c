//! The tour as text for a terminal, or as one JSON object at its end.
//!
//! Lines are at most [`WIDTH`] columns wide (an address or a path that is longer stays whole). Colour only where
//! somebody watches: on a terminal, without `NO_COLOR`. A reader that has gone away (`| head`) stops nothing, since
//! the volume has to be unmounted all the same; so failures to print are ignored.

use std::io::{IsTerminal, Write};

use serde::Serialize;

/// Widest line.
pub(super) const WIDTH: usize = 100;

const INDENT: &str = "   ";

/// ANSI colours.
#[derive(Clone, Copy)]
enum Ink {
    Bold = 1,
    Dim = 2,
    Red = 31,
    Green = 32,
    Yellow = 33,
}

/// A promise of the tour, and whether it was kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Check {
    /// What should be so.
    pub(super) what: String,
    /// Whether it is.
    pub(super) ok: bool,
    /// What was found instead; empty when it is as it should be.
    pub(super) found: String,
}

/// A step of the tour.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Step {
    /// Its heading.
    pub(super) title: String,
    /// What was checked.
    pub(super) checks: Vec<Check>,
    /// What could not be shown, and why.
    pub(super) not_shown: Vec<String>,
    /// What was measured.
    pub(super) numbers: std::collections::BTreeMap<String, f64>,
}

#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    error: Option<&'a str>,
    steps: &'a [Step],
}

/// Prints the tour and keeps what it found.
pub(super) struct Printer {
    out: Box<dyn Write>,
    json: bool,
    colour: bool,
    steps: Vec<Step>,
    error: Option<String>,
    finished: bool,
    /// The last line was empty.
    blank: bool,
}

impl std::fmt::Debug for Printer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Printer")
            .field("json", &self.json)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

impl Printer {
    /// Prints to standard output.
    pub(super) fn stdout(json: bool) -> Printer {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = std::io::stdout().is_terminal() && !set("NO_COLOR") && !dumb;
        Printer::new(Box::new(std::io::stdout()), json, colour)
    }

    /// Prints to `out`.
    pub(super) fn new(out: Box<dyn Write>, json: bool, colour: bool) -> Printer {
        Printer { out, json, colour, steps: Vec::new(), error: None, finished: false, blank: true }
    }

    /// True while every check has been kept.
    pub(super) fn all_kept(&self) -> bool {
        self.steps.iter().flat_map(|step| &step.checks).all(|check| check.ok)
    }

    /// The first line.
    pub(super) fn title(&mut self, text: &str) {
        let text = self.inked(Ink::Bold, text);
        self.line(&text);
    }

    /// Starts a step.
    pub(super) fn heading(&mut self, title: &str) {
        self.steps.push(Step { title: title.to_owned(), ..Step::default() });
        let number = self.steps.len();
        let text = self.inked(Ink::Bold, &format!("{number}. {title}"));
        self.gap();
        self.line(&text);
    }

    /// Sentences, wrapped.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.wrapped("", text, None);
    }

    /// A paragraph that belongs to no step.
    pub(super) fn section(&mut self, text: &str) {
        let text = self.inked(Ink::Bold, text);
        self.gap();
        self.line(&text);
    }

    /// What explains the line above.
    pub(super) fn aside(&mut self, text: &str) {
        self.wrapped("    ", text, Some(Ink::Dim));
    }

    /// A point of a list.
    pub(super) fn bullet(&mut self, text: &str) {
        self.wrapped("- ", text, None);
    }

    /// A line to be copied: never wrapped.
    pub(super) fn command(&mut self, text: &str) {
        self.line(&format!("{INDENT}  {text}"));
    }

    /// A check: what should be so, whether it is, and what was found.
    pub(super) fn check(&mut self, what: &str, ok: bool, found: &str) {
        if ok {
            self.wrapped("ok  ", what, Some(Ink::Green));
        } else {
            self.wrapped("NO  ", &format!("{what}; found: {found}"), Some(Ink::Red));
        }
        let found = if ok { String::new() } else { found.to_owned() };
        self.step().checks.push(Check { what: what.to_owned(), ok, found });
    }

    /// Something that cannot be shown on this machine.
    pub(super) fn not_shown(&mut self, what: &str, why: &str) {
        self.wrapped("not shown  ", &format!("{what}: {why}"), Some(Ink::Yellow));
        self.keep_not_shown(what, why);
    }

    /// Keeps in the JSON report what the text has said in its own words.
    pub(super) fn keep_not_shown(&mut self, what: &str, why: &str) {
        self.step().not_shown.push(format!("{what}: {why}"));
    }

    /// Keeps a measured number for the JSON report.
    pub(super) fn number(&mut self, name: &str, value: f64) {
        self.step().numbers.insert(name.to_owned(), value);
    }

    /// Says why the demo ends early.
    pub(super) fn error(&mut self, text: &str) {
        if self.json {
            self.error = Some(text.to_owned());
        } else {
            eprintln!("mediagate: {text}");
        }
    }

    /// A table with a line below its head; the columns are as wide as they need to be.
    pub(super) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([head[column].chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..head.len()).map(width).collect();
        let head: Vec<_> = head.iter().map(|cell| (*cell).to_owned()).collect();
        let rule: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
        for (row, plain) in
            [(&head, true), (&rule, true)].into_iter().chain(rows.iter().map(|row| (row, false)))
        {
            let mut line = String::from(INDENT);
            for (cell, width) in row.iter().zip(&widths) {
                let padded = format!("{cell:width$}");
                line.push_str(&match cell.as_str() {
                    "owns" | "sees" | "0" if !plain => self.inked(Ink::Green, &padded),
                    "-" if !plain => self.inked(Ink::Dim, &padded),
                    _ => padded,
                });
                line.push_str("  ");
            }
            self.line(line.trim_end());
        }
        self.gap();
    }

    /// The end: prints the JSON report, if that is what was asked for. Only the first call does.
    pub(super) fn finish(&mut self, ok: bool) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        if self.json {
            let report = Report { ok, error: self.error.as_deref(), steps: &self.steps };
            if let Ok(text) = serde_json::to_string_pretty(&report) {
                let _ = writeln!(self.out, "{text}");
            }
            let _ = self.out.flush();
        }
    }

    fn step(&mut self) -> &mut Step {
        if self.steps.is_empty() {
            self.steps.push(Step::default());
        }
        let last = self.steps.len() - 1;
        &mut self.steps[last]
    }

    /// Words in lines; `mark` stands before the first one, the others are indented as far.
    fn wrapped(&mut self, mark: &str, text: &str, ink: Option<Ink>) {
        let room = WIDTH - INDENT.len() - mark.len();
        for (index, line) in wrap(text, room).into_iter().enumerate() {
            let before = match (index, ink) {
                (0, Some(ink)) => self.inked(ink, mark),
                (0, None) => mark.to_owned(),
                _ => " ".repeat(mark.len()),
            };
            self.line(&format!("{INDENT}{before}{line}"));
        }
    }

    fn inked(&self, ink: Ink, text: &str) -> String {
        if self.colour { format!("\x1B[{}m{text}\x1B[0m", ink as u8) } else { text.to_owned() }
    }

    /// An empty line, unless there is one.
    fn gap(&mut self) {
        if !self.blank {
            self.line("");
        }
    }

    fn line(&mut self, text: &str) {
        self.blank = text.is_empty();
        if !self.json {
            let _ = writeln!(self.out, "{text}");
            let _ = self.out.flush();
        }
    }
}

/// Breaks a text at spaces into lines of at most `room` characters; a longer word has its own line.
pub(super) fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= room {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// `21 KiB`, `256 MiB`.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes >> 20),
    }
}
