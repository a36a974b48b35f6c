//! The tools that make and judge files. A missing one fails the test and says which package has it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use mediagate::scanner::metadata::{Context, Extracted, extract};

const PACKAGES: &[(&str, &str)] = &[
    ("ffmpeg", "ffmpeg"),
    ("ffprobe", "ffmpeg"),
    ("exiftool", "libimage-exiftool-perl"),
    ("lame", "lame"),
    ("flac", "flac"),
    ("oggenc", "vorbis-tools"),
    ("cwebp", "webp"),
    ("img2webp", "webp"),
    ("heif-enc", "libheif-examples"),
    ("avifenc", "libavif-bin"),
];

/// Runs a tool to its end and gives what it printed.
pub(crate) fn run<I: IntoIterator<Item = A>, A: AsRef<OsStr>>(tool: &str, arguments: I) -> Vec<u8> {
    let package = PACKAGES.iter().find(|(name, _)| *name == tool).expect("a tool that is listed").1;
    let output = Command::new(tool)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{tool}: {error}; install Debian's package {package}"));
    assert!(
        output.status.success(),
        "{tool} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// `ffmpeg`, quietly, with arguments in one line; `out` is written anew.
pub(crate) fn ffmpeg(arguments: &str, out: &Path) {
    let arguments = arguments.split_whitespace().map(|it| it.replace('~', " "));
    let all = ["-nostdin", "-y", "-v", "error"].into_iter().map(String::from).chain(arguments);
    run("ffmpeg", all.chain([out.to_str().unwrap().to_owned()]));
}

/// Writes tags with exiftool.
pub(crate) fn tag(file: &Path, tags: &[&str]) {
    let file = file.to_str().unwrap();
    run("exiftool", ["-q", "-q", "-m", "-n", "-overwrite_original"].iter().chain(tags).chain([&file]));
}

/// A directory for one test's files.
pub(crate) struct Room(tempfile::TempDir);

impl Room {
    pub(crate) fn new() -> Room {
        Room(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// What the scanner would give the reader.
pub(crate) fn extracted(file: &Path) -> Extracted {
    let mime = mediagate_policy::mime_of(file.file_name().unwrap().as_encoded_bytes());
    let modified = file.metadata().unwrap().modified().unwrap();
    let modified = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let context = Context { mime, modified_ms: Some(i64::try_from(modified).unwrap()) };
    extract(&mut std::fs::File::open(file).unwrap(), &context)
}

/// The same, of a file that has no problem.
pub(crate) fn facts(file: &Path) -> Extracted {
    let extracted = extracted(file);
    assert!(extracted.problem.is_none(), "{}: {:?}", file.display(), extracted.problem);
    extracted
}
