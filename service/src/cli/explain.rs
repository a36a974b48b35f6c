//! `explain`.

use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::connection::Connection;
use super::failure::Failure;
use super::{output, package, volume};
use crate::control::{ExplainRequest, Explanation};

/// Say what would happen if an app did something, and why.
#[derive(Debug, Args)]
#[command(
    long_about = "Says what would happen if an app did something, which rule decides, from which facts, and what would turn \
        a refusal into a yes (each line alone would do). Nothing is performed. Administrators may ask about anybody; an app about itself, and is told no facts.\n\n\
        Exits with 0 whether the answer is yes or no: the question was answered.",
    after_long_help = "Examples:\n  \
        mediagate explain --package com.example.camera read /storage/emulated/0/DCIM/a.jpg\n  \
        mediagate explain --uid 1010101 create /storage/emulated/10/Download/x.pdf\n  \
        mediagate explain --uid 10101 rename /storage/emulated/0/DCIM/a.jpg --to /storage/emulated/0/Pictures/a.jpg"
)]
pub(super) struct Explain {
    #[command(flatten)]
    who: Who,
    /// User of --package [default: 0]
    #[arg(long, value_name = "N", requires = "package", conflicts_with = "uid")]
    user: Option<u32>,
    /// What it would do.
    #[arg(value_enum)]
    operation: Operation,
    /// Path as the app sees it.
    path: PathBuf,
    /// The new name, for rename.
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Who {
    /// The caller asked about, by uid.
    #[arg(long, value_name = "UID")]
    uid: Option<u32>,
    /// The caller asked about, by package.
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Operation {
    /// Find the name.
    Lookup,
    /// Open a file for reading.
    Read,
    /// Open a file for writing.
    Write,
    /// Create a file that is not there.
    Create,
    /// Create a directory.
    Mkdir,
    /// Remove a directory.
    Rmdir,
    /// List a directory.
    List,
    /// Remove a file.
    Delete,
    /// Rename; needs --to.
    Rename,
    /// Read attributes of something already found.
    Getattr,
    /// access(2) with F_OK.
    AccessF,
    /// access(2) with R_OK.
    AccessR,
    /// access(2) with W_OK.
    AccessW,
    /// access(2) with X_OK.
    AccessX,
    /// Truncate, set times, mode or owner by path.
    Setattr,
    /// Create a file without opening it.
    Mknod,
    /// Make a symbolic link of this name.
    Symlink,
    /// Make a hard link of this name.
    Link,
    /// Read an extended attribute.
    Getxattr,
    /// Write an extended attribute.
    Setxattr,
    /// List extended attributes.
    Listxattr,
    /// Remove an extended attribute.
    Removexattr,
}

impl Operation {
    fn word(self) -> &'static str {
        match self {
            Operation::Lookup => "lookup",
            Operation::Read => "read",
            Operation::Write => "write",
            Operation::Create => "create",
            Operation::Mkdir => "mkdir",
            Operation::Rmdir => "rmdir",
            Operation::List => "list",
            Operation::Delete => "delete",
            Operation::Rename => "rename",
            Operation::Getattr => "getattr",
            Operation::AccessF => "access-f",
            Operation::AccessR => "access-r",
            Operation::AccessW => "access-w",
            Operation::AccessX => "access-x",
            Operation::Setattr => "setattr",
            Operation::Mknod => "mknod",
            Operation::Symlink => "symlink",
            Operation::Link => "link",
            Operation::Getxattr => "getxattr",
            Operation::Setxattr => "setxattr",
            Operation::Listxattr => "listxattr",
            Operation::Removexattr => "removexattr",
        }
    }
}

impl Explain {
    pub(super) fn run(self, connection: &Connection, json: bool) -> Result<String, Failure> {
        self.check()?;
        let bytes = |path| volume::absolute(path).map(|path| path.into_os_string().into_vec());
        let (path, to) = (bytes(self.path)?, self.to.map(bytes).transpose()?);
        let client = connection.open()?;
        let uid = match (self.who.uid, &self.who.package) {
            (Some(uid), _) => uid,
            (None, Some(name)) => package::uid(&client, name, self.user.unwrap_or(0))?,
            (None, None) => return Err(Failure::Usage("say who with --uid or --package".to_owned())),
        };
        let request = ExplainRequest { uid, operation: self.operation.word().to_owned(), path, to };
        let answer = client.explain(&request)?;
        if json { as_json(&request, &answer) } else { Ok(as_text(&request, &answer)) }
    }

    /// What clap cannot say about `--to`.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match (self.operation == Operation::Rename, &self.to) {
            (true, None) => Err(Failure::Usage("a rename needs the new name: give it with --to".to_owned())),
            (false, Some(_)) => {
                Err(Failure::Usage("only a rename has a new name: leave out --to".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

fn as_json(request: &ExplainRequest, answer: &Explanation) -> Result<String, Failure> {
    output::json(&serde_json::json!({
        "uid": request.uid,
        "operation": request.operation,
        "path": output::escape(&request.path),
        "to": request.to.as_deref().map(output::escape),
        "allowed": answer.allowed,
        "errno": answer.errno,
        "rule": answer.rule,
        "because": answer.because,
        "needs": answer.needs,
        "redacted": answer.redacted,
        "facts": answer.facts,
    }))
}

fn as_text(request: &ExplainRequest, answer: &Explanation) -> String {
    let verdict = match (answer.allowed, answer.redacted) {
        (true, false) => "allowed".to_owned(),
        (true, true) => "allowed, in the view without location data".to_owned(),
        (false, _) => format!("refused with {}", output::show(&answer.errno)),
    };
    let to = request.to.as_deref().map(|to| format!(" to {}", output::escape(to))).unwrap_or_default();
    let mut text = format!(
        "{} {}{to} by uid {}: {verdict}\n",
        request.operation,
        output::escape(&request.path),
        request.uid
    );
    let mut line = |name: &str, value: &str| {
        text.push_str(&format!("  {:<12} {}\n", output::show(name), output::show(value)));
    };
    line("because", &answer.because);
    line("rule", &answer.rule);
    for need in &answer.needs {
        line("needs", need);
    }
    for (name, value) in &answer.facts {
        line(name, value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (ExplainRequest, Explanation) {
        let request = ExplainRequest {
            uid: 10_101,
            operation: "read".to_owned(),
            path: b"/storage/\xff\n".to_vec(),
            to: None,
        };
        let answer = Explanation {
            allowed: false,
            errno: "EACCES".to_owned(),
            rule: "others".to_owned(),
            because: "it is not yours".to_owned(),
            needs: vec!["READ_MEDIA_IMAGES".to_owned(), "being\nthe owner".to_owned()],
            redacted: false,
            facts: vec![("owner".to_owned(), "a\nb".to_owned())],
        };
        (request, answer)
    }

    #[test]
    fn text_keeps_to_its_lines() {
        let (request, answer) = sample();
        let text = as_text(&request, &answer);
        assert!(text.starts_with(r"read /storage/\xff\x0a by uid 10101: refused with EACCES"), "{text}");
        assert_eq!(text.lines().count(), 6);
    }

    #[test]
    fn json_has_the_question_and_the_answer() {
        let (request, answer) = sample();
        let value: serde_json::Value = serde_json::from_str(&as_json(&request, &answer).unwrap()).unwrap();
        assert_eq!(value["path"], r"/storage/\xff\x0a");
        assert_eq!(value["to"], serde_json::Value::Null);
        assert_eq!(value["facts"][0], serde_json::json!(["owner", "a\nb"]));
        assert_eq!(value["needs"], serde_json::json!(["READ_MEDIA_IMAGES", "being\nthe owner"]));
    }
}
