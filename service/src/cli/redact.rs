//! `redact`: what the service would hide in a file, and a copy of it with that hidden, which need no running service; and a
//! path for sharing, which the service shows with that hidden.

use std::fs::{File, FileTimes, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::connection::Connection;
use super::failure::Failure;
use super::{output, volume};
use crate::redaction::find::{Fill, Finding, Format, ReadAt, Report, What, find};
use crate::redaction::{Parsers, RangeSource as _};

/// Bytes that are copied at once.
const PIECE: usize = 1 << 20;

/// Show and hide where files say they were made.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Show(Show),
    Export(Export),
    Link(Link),
}

/// Show what in a file tells where it was made.
#[derive(Debug, Args)]
#[command(
    long_about = "Shows what the file was recognised as, and every range of bytes in it that is hidden from apps without \
        ACCESS_MEDIA_LOCATION, with what it is. Ranges are half-open and may overlap. Looks at the bytes, not at the name. Exits \
        with 1 if the file cannot be understood: such a file is refused to those apps.",
    after_long_help = "Examples:\n  mediagate redact show IMG_0001.jpg\n  \
        mediagate redact show --json clip.mp4 | jq '.findings[].what'"
)]
pub(super) struct Show {
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Write a copy that does not tell where it was made.
#[derive(Debug, Args)]
#[command(
    long_about = "Writes a copy of the file as an app without ACCESS_MEDIA_LOCATION reads it: of the same length, with the \
        location hidden. Mode and modification time are the original's. Exits with 1 and writes nothing if the file cannot be \
        understood, or if there is something at OUT already.",
    after_long_help = "Examples:\n  mediagate redact export IMG_0001.jpg /tmp/IMG_0001.jpg\n  \
        mediagate redact export clip.mp4 clip.mp4.out --force"
)]
pub(super) struct Export {
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the copy goes.
    #[arg(value_name = "OUT")]
    out: PathBuf,
    /// Replace what is at OUT.
    #[arg(long)]
    force: bool,
}

/// Print a path that shows a file without its location.
#[derive(Debug, Args)]
#[command(
    long_about = "Prints a path below the mount that shows the picture, video or sound file without its location: to \
        everybody, its owner and holders of ACCESS_MEDIA_LOCATION included, and for reading only. The path stays the same when \
        the file is renamed and is gone when the file is. Whoever may read the file may read it by this path; so may the app \
        given with --to, which gets no other right to the file. Apps may ask for files that they may read.",
    after_long_help = "Examples:\n  mediagate redact link /storage/emulated/0/DCIM/a.jpg\n  \
        mediagate redact link /storage/emulated/0/DCIM/a.jpg --to com.example.chat"
)]
pub(super) struct Link {
    /// The file, as apps see it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Package that may read by this path.
    #[arg(long, value_name = "PACKAGE")]
    to: Option<String>,
    /// User in which it may.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "to")]
    user: u32,
}

impl Link {
    fn run(self, connection: &Connection, json: bool) -> Result<String, Failure> {
        let file = volume::absolute(self.file)?.into_os_string().into_vec();
        let reader = self.to.as_deref().map(|package| (package, self.user));
        let path = connection.open()?.redacted_path(&file, reader)?;
        let path = output::escape(&path);
        if json { output::json(&serde_json::json!({ "path": path })) } else { Ok(path + "\n") }
    }
}

impl Command {
    pub(super) fn run(self, connection: &Connection, json: bool) -> Result<String, Failure> {
        match self {
            Command::Show(show) => show.run(json),
            Command::Export(export) => export.run(json),
            Command::Link(link) => link.run(connection, json),
        }
    }
}

/// A file as it was long when it was opened.
struct Input {
    file: File,
    length: u64,
}

impl Input {
    fn open(path: &Path) -> Result<Input, Failure> {
        let unreadable = |error| Failure::Failed(format!("cannot read {}: {error}", name(path)));
        let meta = std::fs::metadata(path).map_err(unreadable)?;
        if !meta.is_file() {
            return Err(Failure::Failed(format!("{} is not a regular file", name(path))));
        }
        let file = File::open(path).map_err(unreadable)?;
        Ok(Input { length: file.metadata().map_err(unreadable)?.len(), file })
    }
}

impl ReadAt for Input {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
}

fn name(path: &Path) -> String {
    output::escape(path.as_os_str().as_encoded_bytes())
}

impl Show {
    fn run(&self, json: bool) -> Result<String, Failure> {
        let report = find(&Input::open(&self.file)?)
            .map_err(|error| Failure::Failed(format!("{}: {error}", name(&self.file))))?;
        if json { output::json(&Shown::of(&report)) } else { Ok(text(&report)) }
    }
}

fn text(report: &Report) -> String {
    let heading = format!("{}: ", format_name(report.format));
    if report.findings.is_empty() {
        return heading + "nothing that tells a location\n";
    }
    let row = |finding: &Finding| {
        [
            finding.start.to_string(),
            finding.end.to_string(),
            kind(&finding.what).into(),
            detail(&finding.what),
        ]
    };
    let rows: Vec<_> = report.findings.iter().map(row).collect();
    let count = rows.len();
    heading
        + &format!("{count} finding{}\n", if count == 1 { "" } else { "s" })
        + &output::table(["START", "END", "KIND", "WHAT"], &rows)
}

#[derive(Serialize)]
struct Shown {
    format: &'static str,
    findings: Vec<ShownFinding>,
}

#[derive(Serialize)]
struct ShownFinding {
    start: u64,
    end: u64,
    kind: &'static str,
    what: String,
    fill: &'static str,
}

impl Shown {
    fn of(report: &Report) -> Shown {
        let shown = |finding: &Finding| ShownFinding {
            start: finding.start,
            end: finding.end,
            kind: kind(&finding.what),
            what: detail(&finding.what),
            fill: match finding.fill {
                Fill::Zero => "zero",
                Fill::Space => "space",
                Fill::Bytes(_) => "bytes",
            },
        };
        Shown { format: format_name(report.format), findings: report.findings.iter().map(shown).collect() }
    }
}

fn format_name(format: Format) -> &'static str {
    match format {
        Format::Jpeg => "JPEG",
        Format::Tiff => "TIFF",
        Format::Png => "PNG",
        Format::Webp => "WebP",
        Format::Heif => "HEIF",
        Format::IsoBmff => "ISO-BMFF",
        Format::Matroska => "Matroska",
        Format::Riff => "RIFF",
        Format::Flac => "FLAC",
        Format::Gif => "GIF",
        Format::Psd => "Photoshop",
        Format::Raf => "Fujifilm raw",
        Format::Mrw => "Minolta raw",
        Format::Xmp => "XMP",
        Format::Other => "other",
    }
}

fn kind(what: &What) -> &'static str {
    match what {
        What::ExifGps { .. } => "exif-gps",
        What::Xmp { .. } => "xmp",
        What::Iptc { .. } => "iptc",
        What::Box { .. } => "box",
        What::Key { .. } => "key",
        What::Samples { .. } => "samples",
        What::Tag { .. } => "tag",
        What::Digest { .. } => "digest",
        What::Whole { .. } => "whole",
    }
}

fn detail(what: &What) -> String {
    match what {
        What::ExifGps { tag } => format!("{tag:#06x}"),
        What::Xmp { property } => property.clone(),
        What::Iptc { dataset: (record, number) } => format!("{record}:{number}"),
        What::Box { kind } | What::Samples { kind } => output::escape(kind),
        What::Key { name } | What::Tag { name } => name.clone(),
        What::Digest { name } => (*name).to_owned(),
        What::Whole { block } => (*block).to_owned(),
    }
}

impl Export {
    fn run(&self, json: bool) -> Result<String, Failure> {
        let input = Input::open(&self.file)?;
        let ranges = Parsers
            .find(&input)
            .map_err(|error| Failure::Failed(format!("{}: {error}", name(&self.file))))?;
        // What replaces something is written beside it, as OUT may be FILE.
        let mut to = self.out.clone().into_os_string();
        if self.force {
            to.push(format!(".{}.tmp", std::process::id()));
        }
        let to = PathBuf::from(to);
        let failed = |error: io::Error| {
            let force =
                if error.kind() == io::ErrorKind::AlreadyExists { "; --force replaces it" } else { "" };
            Failure::Failed(format!("cannot write {}: {error}{force}", name(&self.out)))
        };
        let mut out =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&to).map_err(failed)?;
        let written = write(&input, &mut out, |offset, data| ranges.hide(offset, data));
        let placed = written.and_then(|()| if self.force { std::fs::rename(&to, &self.out) } else { Ok(()) });
        placed.inspect_err(|_| drop(std::fs::remove_file(&to))).map_err(failed)?;
        let count = ranges.count();
        output::done(
            format!(
                "wrote {} with {count} range{} hidden",
                name(&self.out),
                if count == 1 { "" } else { "s" }
            ),
            json,
        )
    }
}

fn write(input: &Input, out: &mut File, hide: impl Fn(u64, &mut [u8])) -> io::Result<()> {
    let mut data = vec![0; PIECE];
    let mut at = 0;
    // No further than was looked: what was appended meanwhile was not.
    let mut from = (&input.file).take(input.length);
    loop {
        let n = match from.read(&mut data) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = data.get_mut(..n).unwrap_or_default();
        hide(at, piece);
        out.write_all(piece)?;
        at += n as u64;
    }
    let meta = input.file.metadata()?;
    out.set_permissions(std::fs::Permissions::from_mode(meta.permissions().mode() & 0o777))?;
    out.set_times(FileTimes::new().set_modified(meta.modified()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::samples::Sample;

    fn export(file: &Path, out: &Path, force: bool) -> Result<String, Failure> {
        Export { file: file.to_owned(), out: out.to_owned(), force }.run(false)
    }

    #[test]
    fn a_located_photo_is_shown_and_exported_without_its_location() {
        let dir = tempfile::tempdir().unwrap();
        let (file, out) = (dir.path().join("a.jpg"), dir.path().join("b.jpg"));
        let mut original = Vec::new();
        Sample::Photo { seed: 1, located: true }.write(&mut original).unwrap();
        std::fs::write(&file, &original).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();

        let shown = Show { file: file.clone() }.run(false).unwrap();
        assert!(shown.starts_with("JPEG: ") && shown.contains("exif-gps"), "{shown}");
        let shown: serde_json::Value =
            serde_json::from_str(&Show { file: file.clone() }.run(true).unwrap()).unwrap();
        assert!(!shown["findings"].as_array().unwrap().is_empty());

        export(&file, &out, false).unwrap();
        let copy = std::fs::read(&out).unwrap();
        assert!(copy.len() == original.len() && copy != original);
        let (meta, from) = (out.metadata().unwrap(), file.metadata().unwrap());
        assert_eq!(meta.permissions().mode(), from.permissions().mode());
        assert_eq!(meta.modified().unwrap(), from.modified().unwrap());

        assert!(export(&file, &out, false).unwrap_err().to_string().contains("--force"));
        export(&file, &file, true).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), copy);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn what_is_not_there_or_no_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        for file in [dir.path().join("missing"), dir.path().to_owned()] {
            assert!(export(&file, &out, false).is_err());
            assert!(Show { file }.run(false).is_err());
        }
        assert!(!out.exists());
    }
}
