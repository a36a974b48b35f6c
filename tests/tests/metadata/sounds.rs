//! MP3, FLAC, Ogg, Opus, M4A, WAV and AAC.

use std::path::Path;

use super::make::{SOUND_TAGS, sound, still};
use super::oracle::compare_sound;
use super::tools::{Room, facts, ffmpeg, run};

fn check(name: &str, arguments: &str) {
    let room = Room::new();
    let file = sound(&room, name, &format!("{arguments} {SOUND_TAGS}"));
    let ours = facts(&file);
    compare_sound(&file, &ours);
    assert_eq!(ours.facts.title.as_deref(), Some("Ein Lied"));
    let audio = ours.facts.audio.unwrap();
    assert_eq!((audio.artist.as_deref(), audio.track, audio.year), (Some("Die Zwölf"), Some(3), Some(1999)));
}

#[test]
fn mp3_with_id3v2_3() {
    check("a.mp3", "-c:a libmp3lame -b:a 128k -id3v2_version 3");
}

#[test]
fn mp3_with_id3v2_4_and_variable_rate() {
    check("a.mp3", "-c:a libmp3lame -q:a 4 -id3v2_version 4");
}

#[test]
fn mp3_with_id3v1_only() {
    let room = Room::new();
    let wav = sound(&room, "a.wav", "");
    let file = room.path("a.mp3");
    let arguments = [
        "--quiet",
        "--id3v1-only",
        "-b",
        "96",
        "--tt",
        "Title",
        "--ta",
        "Artist",
        "--tl",
        "Album",
        "--ty",
        "2001",
        "--tn",
        "7",
        "--tg",
        "Jazz",
    ];
    run("lame", arguments.into_iter().chain([path(&wav), path(&file)]));
    let ours = facts(&file);
    compare_sound(&file, &ours);
    let audio = ours.facts.audio.unwrap();
    assert_eq!((audio.track, audio.year, audio.genre.as_deref()), (Some(7), Some(2001), Some("Jazz")));
}

#[test]
fn mp3_by_lame_with_genre_number_picture_and_compilation() {
    let room = Room::new();
    let wav = sound(&room, "a.wav", "");
    let art = still(&room, "art.jpg");
    let file = room.path("a.mp3");
    let arguments =
        ["--quiet", "--id3v2-only", "--tt", "Title", "--tg", "8", "--tv", "TCMP=1", "--ti", path(&art)];
    run("lame", arguments.into_iter().chain([path(&wav), path(&file)]));
    let ours = facts(&file);
    compare_sound(&file, &ours);
    let audio = ours.facts.audio.unwrap();
    assert_eq!(
        (audio.genre.as_deref(), audio.compilation, audio.has_album_art),
        (Some("Jazz"), Some(true), true)
    );
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn flac() {
    check("a.flac", "-c:a flac");
}

#[test]
fn flac_of_24_bits_with_a_picture() {
    let room = Room::new();
    let wav = sound(&room, "a.wav", "-c:a pcm_s24le -ar 96000");
    let art = still(&room, "art.png");
    let file = room.path("a.flac");
    let picture = format!("--picture={}", path(&art));
    let arguments =
        ["--silent", "-f", "-T", "TITLE=T", "-T", "COMPILATION=1", &picture, "-o", path(&file), path(&wav)];
    run("flac", arguments);
    let ours = facts(&file);
    compare_sound(&file, &ours);
    let audio = ours.facts.audio.unwrap();
    assert_eq!(
        (audio.bits_per_sample, audio.sample_rate, audio.has_album_art),
        (Some(24), Some(96_000), true)
    );
}

#[test]
fn ogg_vorbis() {
    check("a.ogg", "-c:a libvorbis");
}

#[test]
fn ogg_by_oggenc() {
    let room = Room::new();
    let wav = sound(&room, "a.wav", "");
    let file = room.path("a.ogg");
    run(
        "oggenc",
        ["-Q", "-t", "T", "-a", "A", "-l", "B", "-N", "4", "-d", "2010", "-o", path(&file), path(&wav)],
    );
    compare_sound(&file, &facts(&file));
}

#[test]
fn ogg_opus() {
    check("a.opus", "-c:a libopus");
}

#[test]
fn m4a() {
    check("a.m4a", "-c:a aac -metadata compilation=1");
}

#[test]
fn m4a_without_loss_and_with_a_picture() {
    let room = Room::new();
    let art = still(&room, "art.jpg");
    let plain = sound(&room, "plain.m4a", &format!("-c:a alac {SOUND_TAGS}"));
    let file = room.path("a.m4a");
    let inputs = format!("-i {} -i {}", plain.display(), art.display());
    ffmpeg(&format!("{inputs} -map 0 -map 1 -c copy -disposition:v:0 attached_pic"), &file);
    let ours = facts(&file);
    compare_sound(&file, &ours);
    let audio = ours.facts.audio.unwrap();
    assert_eq!((audio.bits_per_sample, audio.has_album_art), (Some(16), true));
}

#[test]
fn wav() {
    let room = Room::new();
    let file =
        sound(&room, "a.wav", "-c:a pcm_s16le -metadata title=T -metadata artist=A -metadata date=1999");
    let ours = facts(&file);
    compare_sound(&file, &ours);
    assert_eq!(ours.facts.audio.unwrap().bits_per_sample, Some(16));
}

#[test]
fn aac_of_constant_and_variable_rate() {
    for arguments in ["-c:a aac -b:a 96k", "-c:a aac -q:a 1"] {
        let room = Room::new();
        let file = sound(&room, "a.aac", arguments);
        let ours = facts(&file);
        compare_sound(&file, &ours);
        assert!(ours.facts.duration_ms.unwrap().abs_diff(3000) < 60);
    }
}

#[test]
fn a_year_of_zero_is_none() {
    let room = Room::new();
    let file = sound(&room, "a.mp3", "-c:a libmp3lame -metadata date=0000 -metadata track=0");
    let audio = facts(&file).facts.audio.unwrap();
    assert_eq!((audio.year, audio.track), (None, None));
}
