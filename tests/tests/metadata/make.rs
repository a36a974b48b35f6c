//! Files of every format, with as much in them as the format holds.

use std::path::{Path, PathBuf};

use super::tools::{Room, ffmpeg, run, tag};

/// Of pictures that hold EXIF and XMP.
pub(crate) const PICTURE_TAGS: &[&str] = &[
    "-EXIF:DateTimeOriginal=2023:07:08 09:10:11",
    "-EXIF:OffsetTimeOriginal=+02:00",
    "-EXIF:SubSecTimeOriginal=12",
    "-EXIF:ExposureTime=0.0166666667",
    "-EXIF:FNumber=1.8",
    "-EXIF:ISO=400",
    "-EXIF:SceneCaptureType=3",
    "-EXIF:ImageDescription=Übung mit drei Wörtern",
    "-EXIF:Orientation=6",
    "-EXIF:GPSLatitude=48.8577",
    "-EXIF:GPSLatitudeRef=N",
    "-EXIF:GPSLongitude=2.295",
    "-EXIF:GPSLongitudeRef=W",
    "-XMP-xmpMM:DocumentID=xmp.did:4f1c",
    "-XMP-xmpMM:InstanceID=xmp.iid:99aa",
    "-XMP-xmpMM:OriginalDocumentID=xmp.did:0000",
];

pub(crate) fn still(room: &Room, name: &str) -> PathBuf {
    let out = room.path(name);
    ffmpeg("-f lavfi -i testsrc=size=118x74:rate=1 -frames:v 1", &out);
    out
}

/// A picture of the format that the name says, with tags.
pub(crate) fn picture(room: &Room, name: &str) -> PathBuf {
    let out = room.path(name);
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let png = still(room, "source.png");
    match out.extension().unwrap().to_str().unwrap() {
        "jpg" | "png" | "gif" => {
            still(room, name);
        }
        "webp" => {
            run("cwebp", ["-quiet".into(), path(&png), "-o".into(), path(&out)]);
        }
        "heic" => {
            run("heif-enc", ["-q".into(), "50".into(), "-o".into(), path(&out), path(&png)]);
        }
        "avif" => {
            run("avifenc", ["--speed".into(), "10".into(), path(&png), path(&out)]);
        }
        other => panic!("{other} is not made here"),
    }
    if name.ends_with(".gif") {
        tag(&out, &PICTURE_TAGS.iter().copied().filter(|it| it.starts_with("-XMP")).collect::<Vec<_>>());
    } else {
        tag(&out, PICTURE_TAGS);
    }
    out
}

/// A film: two seconds of pictures and sound.
pub(crate) fn film(room: &Room, name: &str, arguments: &str) -> PathBuf {
    let out = room.path(name);
    let input =
        "-f lavfi -i testsrc=size=176x144:rate=25 -f lavfi -i sine=frequency=440:sample_rate=48000 -t 2";
    ffmpeg(&format!("{input} {arguments}"), &out);
    out
}

/// Tags of sound, in ffmpeg's words.
pub(crate) const SOUND_TAGS: &str = "-metadata title=Ein~Lied -metadata artist=Die~Zwölf -metadata album=Übungen \
     -metadata album_artist=Andere -metadata composer=Wer~anders -metadata genre=Jazz -metadata track=3/12 \
     -metadata disc=2/2 -metadata date=1999-04-05";

/// Three seconds of sound.
pub(crate) fn sound(room: &Room, name: &str, arguments: &str) -> PathBuf {
    let out = room.path(name);
    ffmpeg(&format!("-f lavfi -i sine=frequency=440:sample_rate=44100 -t 3 {arguments}"), &out);
    out
}

/// One of each format, for who only wants many.
pub(crate) fn one_of_each(room: &Room) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = ["a.jpg", "a.png", "a.gif", "a.webp", "a.heic", "a.avif"]
        .iter()
        .map(|name| picture(room, name))
        .collect();
    let x264 = "-c:v libx264 -preset ultrafast -c:a aac -metadata title=T -metadata creation_time=2022-02-03T04:05:06Z";
    for name in ["a.mp4", "a.mov", "a.mkv"] {
        all.push(film(room, name, x264));
    }
    all.push(film(room, "a.webm", "-c:v libvpx -deadline realtime -c:a libopus"));
    all.push(film(room, "a.3gp", "-c:v h263 -an"));
    for (name, codec) in [
        ("a.mp3", "-c:a libmp3lame -id3v2_version 3 -write_id3v1 1"),
        ("a.flac", "-c:a flac"),
        ("a.ogg", "-c:a libvorbis"),
        ("a.opus", "-c:a libopus"),
        ("a.m4a", "-c:a aac"),
        ("a.wav", "-c:a pcm_s16le"),
        ("a.aac", "-c:a aac"),
    ] {
        all.push(sound(room, name, &format!("{codec} {SOUND_TAGS}")));
    }
    all
}
