//! The readers, and what is compared.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use mediagate::redaction::find::{Report, What, find};
use serde_json::Value;

use crate::mounted;

/// Which Debian package a program comes from.
const PACKAGES: [(&str, &str); 12] = [
    ("exiftool", "libimage-exiftool-perl"),
    ("exiv2", "exiv2"),
    ("convert", "imagemagick"),
    ("identify", "imagemagick"),
    ("cwebp", "webp"),
    ("webpmux", "webp"),
    ("ffmpeg", "ffmpeg"),
    ("ffprobe", "ffmpeg"),
    ("heif-enc", "libheif-examples"),
    ("heif-convert", "libheif-examples"),
    ("avifenc", "libavif-bin"),
    ("mkvmerge", "mkvtoolnix"),
];

/// Runs a program, as an app if it is about a file of the volume; what it printed, if it succeeded or `may_fail`.
pub(crate) fn run(program: &str, arguments: &[&str], may_fail: bool) -> String {
    let package = PACKAGES.iter().find(|(name, _)| *name == program).expect("a program in the list").1;
    let mut command = Command::new(program);
    mounted::be_the_app(command.args(arguments), arguments);
    let output = match command.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("{program} is missing: install the Debian package {package}")
        }
        other => other.expect("a program that runs"),
    };
    assert!(
        may_fail || output.status.success(),
        "{program} {arguments:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs exiftool to write tags.
pub(crate) fn exiftool(file: &Path, arguments: &[&str]) {
    let mut all = vec!["-q", "-q", "-m", "-n", "-overwrite_original"];
    all.extend(arguments);
    all.push(file.to_str().unwrap());
    run("exiftool", &all, false);
}

/// The file as an app sees it that may not see a location: its path through a mount. An app may read media only: what its
/// name says is none is redacted beside it instead. Nothing is found in it again.
pub(crate) fn redacted(file: &Path) -> (PathBuf, Report) {
    let mut data = fs::read(file).unwrap();
    let report = find(&data).expect("a file that can be understood");
    for finding in &report.findings {
        let range = finding.start as usize..finding.end as usize;
        finding.fill.fill(data.get_mut(range).expect("a range in the file"));
    }
    let again = find(&data).unwrap();
    let left: Vec<_> = again.findings.iter().filter(|it| !matches!(it.what, What::Digest { .. })).collect();
    assert!(left.is_empty(), "{}: found again: {left:?}", file.display());
    if let Some(through) = mounted::put(file) {
        assert!(mounted::read(&through) == data, "{}: other bytes through the mount", through.display());
        return (through, report);
    }
    let name = format!("redacted-{}", file.file_name().unwrap().to_str().unwrap());
    let copy = file.with_file_name(name);
    fs::write(&copy, data).unwrap();
    (copy, report)
}

/// Asserts that redaction takes away the location from `file` and nothing else. `planted` are texts that must be in it
/// before, in any of exiftool's tags, and nowhere afterwards. Returns what was found.
#[track_caller]
pub(crate) fn assert_redacts(file: &Path, planted: &[&str], derived: &[&str]) -> Report {
    let (copy, report) = redacted(file);
    let name = file.file_name().unwrap().to_string_lossy();
    let [before, after] = tags_of([file, &copy]);
    let shown =
        |tags: &BTreeMap<String, Value>| tags.values().map(|value| format!("{value}\n")).collect::<String>();
    for text in planted {
        assert!(shown(&before).contains(text), "{name}: {text} was not planted: {before:#?}");
        assert!(
            !shown(&after).contains(text),
            "{name}: exiftool still shows {text}: {:#?}",
            lines_with(&after, text)
        );
        let bytes = mounted::read(&copy);
        let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!found, "{name}: {text} is still in the file");
    }
    for (tag, value) in after.iter().filter(|(tag, _)| is_location(tag)) {
        assert!(all_empty(value), "{name}: exiftool still shows {tag} = {value}");
    }
    let others = |tags: BTreeMap<String, Value>| -> BTreeMap<String, Value> {
        let other =
            |tag: &str| !is_location(tag) && !of_the_file(tag) && !derived.iter().any(|it| tag.ends_with(it));
        tags.into_iter().filter(|(tag, _)| other(tag)).collect()
    };
    assert_same(&name, &others(before), &others(after));

    let (before, after) = (exiv2(file), exiv2(&copy));
    for text in planted {
        assert!(!after.iter().any(|(_, value)| value.contains(text)), "{name}: exiv2 still shows {text}");
    }
    for (key, value) in after.iter().filter(|(key, _)| is_exiv2_location(key)) {
        assert!(is_empty(value), "{name}: exiv2 still shows {key} = {value}");
    }
    let others = |tags: Vec<(String, String)>| -> Vec<(String, String)> {
        // These hold the blocks whose tags are compared each by itself.
        let blocks = ["Image.XMLPacket", "Image.IPTCNAA", "Image.ImageResources"];
        let is_block = |key: &str| blocks.iter().any(|block| key.ends_with(block));
        let other = |key: &str| {
            !is_exiv2_location(key) && !is_block(key) && !derived.iter().any(|it| key.ends_with(it))
        };
        tags.into_iter().filter(|(key, _)| other(key)).collect()
    };
    assert_same(&name, &others(before), &others(after));
    report
}

/// Asserts that decoders make the same picture of a file and of its redacted copy.
#[track_caller]
pub(crate) fn assert_same_picture(file: &Path, readers: &[Reader]) {
    let (copy, _) = redacted(file);
    for reader in readers {
        let show = |file: &Path| match reader {
            Reader::ImageMagick => {
                run("identify", &["-quiet", "-format", "%m %w %h %#\n", file.to_str().unwrap()], false)
            }
            Reader::Ffmpeg => {
                let file = file.to_str().unwrap();
                // As strict as Go's and Pillow's decoders, which refuse a PNG for one wrong checksum.
                let strict: &[&str] =
                    if file.ends_with(".png") { &["-err_detect", "crccheck+explode"] } else { &[] };
                let read = ["-i", file, "-f", "framemd5", "-"];
                run("ffmpeg", &[&["-v", "error"], strict, &read].concat(), false)
            }
        };
        let before = show(file);
        assert!(!before.trim().is_empty(), "{reader:?} cannot decode {}", file.display());
        assert_eq!(before, show(&copy), "{reader:?} sees another picture in {}", copy.display());
    }
}

/// A decoder.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reader {
    ImageMagick,
    Ffmpeg,
}

fn lines_with<'a>(tags: &'a BTreeMap<String, Value>, text: &str) -> Vec<(&'a String, &'a Value)> {
    tags.iter().filter(|(_, value)| value.to_string().contains(text)).collect()
}

#[track_caller]
fn assert_same<T: PartialEq + std::fmt::Debug>(name: &str, before: &T, after: &T) {
    if before != after {
        let (before, after) = (format!("{before:#?}"), format!("{after:#?}"));
        let differ = |of: &str, other: &str| {
            of.lines()
                .filter(|line| !other.lines().any(|it| it == *line))
                .map(|line| format!("{line}\n"))
                .collect::<String>()
        };
        panic!(
            "{name}: other tags changed\nbefore:\n{}after:\n{}",
            differ(&before, &after),
            differ(&after, &before)
        );
    }
}

/// All tags that exiftool finds, as numbers, named by its groups 1 (where), 2 (what about) and 4 (which of several).
pub(crate) fn tags(file: &Path) -> BTreeMap<String, Value> {
    let [tags] = tags_of([file]);
    tags
}

/// The same of several files: it takes longer to start than to read them.
fn tags_of<const N: usize>(files: [&Path; N]) -> [BTreeMap<String, Value>; N] {
    let options = ["-a", "-n", "-u", "-G1:2:4", "-ee3", "-j", "-struct", "-api", "ExtendedXMP=2"];
    let mut arguments = options.to_vec();
    arguments.extend(files.map(|it| it.to_str().unwrap()));
    let text = run("exiftool", &arguments, true);
    let Ok(Value::Array(found)) = serde_json::from_str(&text) else { panic!("exiftool printed {text}") };
    let mut found = found.into_iter();
    files.map(|file| match found.next() {
        Some(Value::Object(tags)) if tags["SourceFile"] == file.to_str().unwrap() => {
            tags.into_iter().collect()
        }
        other => panic!("exiftool printed {other:?}"),
    })
}

/// What exiftool files under locations, and all else about GPS.
fn is_location(tag: &str) -> bool {
    let name = tag.rsplit(':').next().unwrap_or(tag);
    let groups = || tag.split(':');
    (groups().any(|group| matches!(group, "Location" | "GPS"))
        || name.contains("GPS")
        || name.contains("Latitude"))
        && !name.starts_with("ISOSpeedLatitude")
}

/// What is different in every copy.
fn of_the_file(tag: &str) -> bool {
    tag == "SourceFile"
        || tag.starts_with("System:")
        || tag.ends_with(":CurrentIPTCDigest")
        || tag.ends_with("Warning")
}

/// All tags that exiv2 finds.
fn exiv2(file: &Path) -> Vec<(String, String)> {
    // It ends with an error where a file has no metadata, or where it does not know the format.
    let text = run("exiv2", &["-q", "-Pkv", file.to_str().unwrap()], true);
    let mut tags: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match line.split_once(' ') {
            Some((key, value)) if ["Exif.", "Iptc.", "Xmp."].iter().any(|family| key.starts_with(family)) => {
                tags.push((key.to_owned(), value.trim().to_owned()));
            }
            // The rest of a value of several lines.
            _ => tags.last_mut().into_iter().for_each(|(_, value)| *value += line),
        }
    }
    tags
}

fn is_exiv2_location(key: &str) -> bool {
    let places = [
        "GPS",
        "Location",
        "City",
        "State",
        "Country",
        "SubLocation",
        "Latitude",
        "Longitude",
        "Longtitude",
        "EarthPos",
        "Xmp.drone-dji.",
        "Xmp.cell.",
        "Xmp.dwc.",
    ];
    // The tag that points to the GPS IFD, whose value is an offset; tolerances of a sensor; who made the picture.
    let others = ["Exif.Image.GPSTag", "ISOSpeedLatitude", "CreatorContactInfo"];
    places.iter().any(|place| key.contains(place)) && !others.iter().any(|other| key.contains(other))
}

fn all_empty(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().all(all_empty),
        Value::Array(values) => values.iter().all(all_empty),
        Value::String(text) => is_empty(text),
        other => is_empty(&other.to_string()),
    }
}

/// Whether a value tells nothing: zeros and spaces, however they are written.
fn is_empty(value: &str) -> bool {
    let value = value.replace("undef", "").replace("inf", "");
    value.chars().all(|c| matches!(c, '0' | ' ' | '.' | ':' | '/' | ',' | '(' | ')' | '\0' | 'Z'))
}
