//! What exiftool and ffprobe say, in the words of the facts.

use std::path::Path;

use mediagate::scanner::metadata::{Extracted, MediaFacts};
use serde_json::Value;

use super::tools::run;

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// exiftool's tags, numbers as numbers.
pub(crate) fn exiftool(file: &Path) -> Value {
    json(&run("exiftool", ["-j", "-n", "-api", "QuickTimeUTC", file.to_str().unwrap()]))[0].take()
}

/// ffprobe's format and streams.
pub(crate) fn ffprobe(file: &Path) -> Value {
    let arguments = ["-v", "error", "-of", "json", "-show_format", "-show_streams", "-count_packets"];
    json(&run("ffprobe", arguments.into_iter().chain([file.to_str().unwrap()])))
}

pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

pub(crate) fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

pub(crate) fn whole(value: &Value) -> Option<u64> {
    number(value).map(|number| number.round() as u64)
}

/// A comparison, field by field; what differs is told in one go.
pub(crate) struct Comparison<'a> {
    what: &'a Path,
    wrong: Vec<String>,
    fields: usize,
}

impl<'a> Comparison<'a> {
    pub(crate) fn of(what: &'a Path) -> Comparison<'a> {
        Comparison { what, wrong: Vec::new(), fields: 0 }
    }

    pub(crate) fn same<T: PartialEq + std::fmt::Debug>(&mut self, field: &str, ours: T, theirs: T) {
        self.fields += 1;
        if ours != theirs {
            self.wrong.push(format!("{field}: {ours:?}, but the oracle says {theirs:?}"));
        }
    }

    /// Numbers that may be apart by `by`.
    pub(crate) fn near(&mut self, field: &str, ours: Option<f64>, theirs: Option<f64>, by: f64) {
        self.fields += 1;
        let near = match (ours, theirs) {
            (Some(ours), Some(theirs)) => (ours - theirs).abs() <= by,
            (None, None) => true,
            _ => false,
        };
        if !near {
            self.wrong.push(format!("{field}: {ours:?}, but the oracle says {theirs:?}"));
        }
    }
}

impl Drop for Comparison<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let name = self.what.file_name().unwrap().to_string_lossy();
            println!("{name}: {} fields compared", self.fields);
            assert!(self.wrong.is_empty(), "{name}:\n  {}", self.wrong.join("\n  "));
        }
    }
}

/// Every field of a picture.
pub(crate) fn compare_picture(file: &Path, ours: &Extracted) {
    let theirs = exiftool(file);
    let facts: &MediaFacts = &ours.facts;
    let image = facts.image.clone().unwrap_or_default();
    let xmp = facts.xmp.clone().unwrap_or_default();
    let mut it = Comparison::of(file);
    it.same("width", facts.width.map(u64::from), whole(&theirs["ImageWidth"]));
    it.same("height", facts.height.map(u64::from), whole(&theirs["ImageHeight"]));
    let turned = theirs["Orientation"].as_u64().map(|number| match number {
        3 | 4 => 180,
        5 | 6 => 90,
        7 | 8 => 270,
        _ => 0,
    });
    let heif = matches!(theirs["FileType"].as_str(), Some("HEIC" | "HEIF" | "AVIF"));
    // HEIF's own property counts, and exiftool gives its turns as they are written.
    let property = theirs["Rotation"].as_u64().map_or(0, |turn| turn % 360);
    it.same("orientation", facts.orientation.map(u64::from), if heif { Some(property) } else { turned });
    it.near(
        "exposure time",
        image.exposure_time.as_deref().map(fraction),
        number(&theirs["ExposureTime"]),
        0.0005,
    );
    it.near(
        "f number",
        image.f_number.as_deref().map(|it| it.parse().unwrap()),
        number(&theirs["FNumber"]),
        0.0001,
    );
    it.same("iso", image.iso.map(u64::from), whole(&theirs["ISO"]));
    it.same("scene", image.scene_capture_type.map(u64::from), whole(&theirs["SceneCaptureType"]));
    it.same("description", image.description, text(&theirs["ImageDescription"]));
    it.same("document", xmp.document, text(&theirs["DocumentID"]));
    it.same("instance", xmp.instance, text(&theirs["InstanceID"]));
    it.same("original document", xmp.original_document, text(&theirs["OriginalDocumentID"]));
    it.same("mime", facts.mime.clone().or_else(|| name_says(file)), text(&theirs["MIMEType"]));
    let e7 = |degrees: i32| f64::from(degrees) / 1e7;
    it.near("latitude", ours.location.map(|at| e7(at.latitude_e7)), number(&theirs["GPSLatitude"]), 1e-6);
    it.near("longitude", ours.location.map(|at| e7(at.longitude_e7)), number(&theirs["GPSLongitude"]), 1e-6);
}

fn name_says(file: &Path) -> Option<String> {
    Some(mediagate_policy::mime_of(file.file_name()?.as_encoded_bytes()).to_owned())
}

fn fraction(text: &str) -> f64 {
    match text.split_once('/') {
        Some((over, under)) => over.parse::<f64>().unwrap() / under.parse::<f64>().unwrap(),
        None => text.parse().unwrap(),
    }
}

/// Milliseconds since 1970 of an ISO 8601 time in UTC, as ffprobe prints it.
pub(crate) fn millis(date: &str) -> i64 {
    let output = std::process::Command::new("date").args(["-u", "-d", date, "+%s%3N"]).output().unwrap();
    assert!(output.status.success(), "date cannot read {date}");
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// Every field of a film.
pub(crate) fn compare_film(file: &Path, ours: &Extracted) {
    let theirs = ffprobe(file);
    let streams = theirs["streams"].as_array().unwrap();
    let stream = |kind: &str| streams.iter().find(|it| it["codec_type"] == kind).cloned().unwrap_or_default();
    let (video, sound) = (stream("video"), stream("audio"));
    let facts = &ours.facts;
    let known = facts.video.clone().unwrap_or_default();
    let mut it = Comparison::of(file);
    it.same("width", facts.width.map(u64::from), whole(&video["width"]));
    it.same("height", facts.height.map(u64::from), whole(&video["height"]));
    // Against the clock, from -180 to 180.
    let turned = video["side_data_list"][0]["rotation"].as_i64().unwrap_or(0);
    it.same("rotation", facts.orientation.map(i64::from), Some((-turned).rem_euclid(360)));
    let millis_of = |value: &Value| number(value).map(|seconds| seconds * 1000.0);
    it.near("duration", facts.duration_ms.map(|it| it as f64), millis_of(&theirs["format"]["duration"]), 1.0);
    let rate = theirs["format"]["size"].as_str().unwrap().parse::<f64>().unwrap() * 8.0;
    let rate = number(&theirs["format"]["duration"]).map(|seconds| rate / seconds);
    it.near("bitrate", facts.bitrate.map(f64::from), rate, rate.unwrap_or(0.0) * 0.002);
    it.same("codec", known.codec.as_deref(), video["codec_name"].as_str().map(codec));
    let (frames, seconds) = video["avg_frame_rate"].as_str().unwrap().split_once('/').unwrap();
    let milli = frames.parse::<f64>().unwrap() * 1000.0 / seconds.parse::<f64>().unwrap();
    it.near("frame rate", known.frame_rate_milli.map(f64::from), Some(milli), 1.0);
    it.same("standard", known.color_standard, standard(&video));
    it.same("transfer", known.color_transfer, transfer(&video));
    it.same("range", known.color_range, range(&video));
    let tags = &theirs["format"]["tags"];
    let created = tags["creation_time"].as_str().map(millis);
    it.same("taken", facts.taken_ms, created);
    it.same("title", facts.title.clone(), text(&tag(tags, "title")));
    let audio = facts.audio.clone().unwrap_or_default();
    it.same("sample rate", audio.sample_rate.map(u64::from), whole(&sound["sample_rate"]));
    it.same("artist", audio.artist, text(&tag(tags, "artist")));
    it.same("album", audio.album, text(&tag(tags, "album")));
}

fn tag(tags: &Value, name: &str) -> Value {
    let tags = tags.as_object().into_iter().flatten();
    tags.filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.clone())
        .next()
        .unwrap_or_default()
}

fn codec(name: &str) -> &str {
    match name {
        "h264" => "video/avc",
        "hevc" => "video/hevc",
        "av1" => "video/av01",
        "vp8" => "video/x-vnd.on2.vp8",
        "vp9" => "video/x-vnd.on2.vp9",
        "h263" => "video/3gpp",
        "mpeg4" => "video/mp4v-es",
        "mjpeg" => "video/mjpeg",
        other => panic!("{other} is not known here"),
    }
}

fn standard(video: &Value) -> Option<u8> {
    Some(match video["color_primaries"].as_str()? {
        "bt709" => 1,
        "bt470bg" => 2,
        "smpte170m" => 4,
        "bt2020" => 6,
        other => panic!("{other} is not known here"),
    })
}

fn transfer(video: &Value) -> Option<u8> {
    Some(match video["color_transfer"].as_str()? {
        "linear" => 1,
        "bt709" | "smpte170m" => 3,
        "smpte2084" => 6,
        "arib-std-b67" => 7,
        other => panic!("{other} is not known here"),
    })
}

fn range(video: &Value) -> Option<u8> {
    Some(match video["color_range"].as_str()? {
        "pc" => 1,
        "tv" => 2,
        other => panic!("{other} is not known here"),
    })
}

/// Every field of a sound file.
pub(crate) fn compare_sound(file: &Path, ours: &Extracted) {
    let theirs = ffprobe(file);
    let streams = theirs["streams"].as_array().unwrap();
    let sound = streams.iter().find(|it| it["codec_type"] == "audio").unwrap();
    let tags = if theirs["format"]["tags"].is_object() { &theirs["format"]["tags"] } else { &sound["tags"] };
    let get = |name: &str| text(&tag(tags, name));
    let facts = &ours.facts;
    let audio = facts.audio.clone().unwrap_or_default();
    let mut it = Comparison::of(file);
    it.same("title", facts.title.clone(), get("title"));
    it.same("artist", audio.artist, get("artist"));
    it.same("album", audio.album, get("album"));
    it.same("album artist", audio.album_artist, get("album_artist"));
    it.same("composer", audio.composer, get("composer"));
    it.same("genre", audio.genre, get("genre"));
    let (track, tracks) = numbers(get("track"));
    it.same("track", audio.track, track);
    it.same("tracks", audio.tracks, tracks.or_else(|| numbers(get("TRACKTOTAL")).0));
    it.same("disc", audio.disc, numbers(get("disc")).0);
    let year = get("date").map(|date| date[..4].parse::<i32>().unwrap());
    it.same("year", audio.year, year);
    it.same("compilation", audio.compilation, get("compilation").map(|it| it != "0"));
    it.same("sample rate", audio.sample_rate.map(u64::from), whole(&sound["sample_rate"]));
    let bits = ["bits_per_raw_sample", "bits_per_sample"]
        .iter()
        .find_map(|key| whole(&sound[key]).filter(|it| *it > 0));
    it.same("bits", audio.bits_per_sample.map(u64::from), bits);
    let pictures = streams.iter().any(|it| it["disposition"]["attached_pic"] == 1);
    it.same("album art", audio.has_album_art, pictures);
    let raw = sound["codec_name"] == "aac" && theirs["format"]["format_name"] == "aac";
    // ffprobe guesses how long a raw stream is, but it counts its packets.
    let millis = if raw {
        number(&sound["nb_read_packets"]).unwrap() * 1024.0 / number(&sound["sample_rate"]).unwrap() * 1000.0
    } else {
        // What Opus writes ahead of the sound (RFC 7845, 4.2) is not heard; ffprobe counts it.
        let ahead = if sound["codec_name"] == "opus" { pre_skip(file) } else { 0.0 };
        number(&theirs["format"]["duration"]).unwrap() * 1000.0 - ahead
    };
    it.near("duration", facts.duration_ms.map(|it| it as f64), Some(millis), 1.5);
    let rate = number(&theirs["format"]["size"]).unwrap() * 8000.0 / millis;
    it.near("bitrate", facts.bitrate.map(f64::from), Some(rate), rate * 0.002);
}

/// Milliseconds of Opus that come before the sound, from the head of the stream.
fn pre_skip(file: &Path) -> f64 {
    let bytes = std::fs::read(file).unwrap();
    let head = bytes.windows(8).position(|it| it == b"OpusHead").unwrap();
    f64::from(u16::from_le_bytes([bytes[head + 10], bytes[head + 11]])) / 48.0
}

fn numbers(value: Option<String>) -> (Option<u32>, Option<u32>) {
    let value = value.unwrap_or_default();
    let mut parts = value.split('/').map(|part| part.parse().ok().filter(|number| *number > 0));
    (parts.next().flatten(), parts.next().flatten())
}
