//! docs/mediagate.1, the manual page that packages install, is what the command line says of itself.
//!
//! After a change of the command line: `cargo test -p mediagate-tests --test manual -- --ignored` writes it anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use clap::Command;
use clap_mangen::Man;

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/mediagate.1")
}

const APOSTROPHE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// A part of a page, as the library writes it.
fn part(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut text = Vec::new();
    write(&mut text).unwrap();
    // It defines the apostrophe anew each time.
    String::from_utf8(text).unwrap().replace(APOSTROPHE, "")
}

/// Lines as they are.
fn verbatim(text: &str) -> String {
    let mut page = ".nf\n".to_owned();
    for line in text.lines() {
        let line = line.strip_prefix("  ").unwrap_or(line).replace('\\', "\\e").replace('-', "\\-");
        page += if line.starts_with(['.', '\'']) { "\\&" } else { "" };
        page += &line;
        page.push('\n');
    }
    page + ".fi\n"
}

/// How a command is called: as its help says it, with the options' values.
fn synopsis(command: &Command, name: &str) -> String {
    let usage = command.clone().bin_name(name).render_usage().to_string();
    verbatim(usage.trim_start_matches("Usage: "))
}

/// What stands behind the options: each paragraph begins with its heading.
fn sections(command: &Command, macro_name: &str) -> String {
    let after = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let mut page = String::new();
    for paragraph in after.split("\n\n") {
        let (heading, text) =
            paragraph.split_once(":\n").unwrap_or_else(|| panic!("{paragraph:?} has no heading"));
        page += &format!("{macro_name} {:?}\n{}", heading.to_uppercase(), verbatim(text));
    }
    page
}

/// Sections for each command, in the order of `--help`.
fn commands(command: &Command, before: &str, page: &mut String) {
    for sub in command.get_subcommands().filter(|it| it.get_name() != "help") {
        let name = format!("{before} {}", sub.get_name());
        if sub.has_subcommands() {
            commands(sub, &name, page);
            continue;
        }
        let man = Man::new(sub.clone().bin_name(name.clone()).disable_help_flag(true));
        *page += &format!(".SH {:?}\n.SS SYNOPSIS\n{}", name.to_uppercase(), synopsis(sub, &name));
        for text in [part(|to| man.render_description_section(to)), part(|to| man.render_options_section(to))]
        {
            *page += &text.replace(".SH ", ".SS ");
        }
        *page += &sections(sub, ".SS");
    }
}

fn page() -> String {
    let command = mediagate::cli::command();
    let man = Man::new(command.clone().disable_help_subcommand(true));
    let mut page = [
        APOSTROPHE.to_owned(),
        part(|to| man.render_title(to)),
        part(|to| man.render_name_section(to)),
        format!(".SH SYNOPSIS\n{}", synopsis(&command, "mediagate")),
        part(|to| man.render_description_section(to)),
        part(|to| man.render_options_section(to)),
    ]
    .concat();
    page += &sections(&command, ".SH");
    commands(&command, "mediagate", &mut page);
    page
}

#[test]
fn the_manual_is_what_the_command_line_says() {
    let text = std::fs::read_to_string(file()).unwrap();
    assert!(
        text == page(),
        "docs/mediagate.1 is of another command line: cargo test -p mediagate-tests --test manual -- --ignored"
    );
}

#[test]
fn every_command_is_in_it() {
    let page = page();
    for words in ["SERVE", "VOLUME ATTACH", "GRANT ADD", "RUN-AS", "REDACT LINK"] {
        assert!(page.contains(&format!(".SH \"MEDIAGATE {words}\"\n")), "{words}");
    }
    for section in ["NAME", "SYNOPSIS", "\"EXIT CODES\"", "\"ENVIRONMENT\"", "\"FILES\"", "\"SEE ALSO\""] {
        assert!(page.contains(&format!(".SH {section}\n")), "{section}");
    }
}

#[test]
#[ignore = "writes docs/mediagate.1"]
fn write_the_manual() {
    std::fs::write(file(), page()).unwrap();
}
