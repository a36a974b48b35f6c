//! MP4, MOV, 3GP, Matroska and WebM.

use super::make::film;
use super::oracle::{compare_film, exiftool};
use super::tools::{Room, facts, ffmpeg};

const TAGS: &str = "-metadata title=Ein~Film -metadata artist=Wir -metadata album=Reise \
     -metadata creation_time=2022-02-03T04:05:06Z";
const BT709: &str = "-color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range tv";

fn check(name: &str, arguments: &str) {
    let room = Room::new();
    let file = film(&room, name, arguments);
    let ours = facts(&file);
    compare_film(&file, &ours);
    assert_eq!(ours.facts.width, Some(176));
    assert!(ours.facts.video.unwrap().codec.is_some());
    assert!(ours.facts.mime.is_none(), "{:?}", ours.facts.mime);
}

#[test]
fn mp4_with_avc() {
    check("avc.mp4", &format!("-c:v libx264 -preset ultrafast -pix_fmt yuv420p {BT709} -c:a aac {TAGS}"));
}

#[test]
fn mp4_with_hevc_in_hdr() {
    let hdr = "-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc -color_range tv";
    check(
        "hevc.mp4",
        &format!("-c:v libx265 -preset ultrafast -x265-params log-level=none {hdr} -c:a aac {TAGS}"),
    );
}

#[test]
fn mp4_with_av1() {
    check(
        "av1.mp4",
        &format!("-c:v libaom-av1 -cpu-used 8 -usage realtime -pix_fmt yuv420p {BT709} -c:a aac {TAGS}"),
    );
}

#[test]
fn mp4_with_vp9() {
    check(
        "vp9.mp4",
        &format!("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -pix_fmt yuv420p {BT709} -c:a aac {TAGS}"),
    );
}

#[test]
fn mp4_with_mpeg4_at_ntsc_rate() {
    check("mpeg4.mp4", &format!("-r 30000/1001 -c:v mpeg4 -c:a aac {TAGS}"));
}

#[test]
fn mov() {
    check("a.mov", &format!("-c:v libx264 -preset ultrafast -pix_fmt yuv420p {BT709} -c:a aac {TAGS}"));
}

#[test]
fn three_gpp() {
    let room = Room::new();
    let file = film(&room, "a.3gp", "-c:v h263 -c:a aac -metadata creation_time=2022-02-03T04:05:06Z");
    compare_film(&file, &facts(&file));
    // 3GPP's own tags are not read by ffprobe.
    let file = film(&room, "tagged.3gp", &format!("-c:v h263 -an {TAGS}"));
    let (ours, theirs) = (facts(&file).facts, exiftool(&file));
    let audio = ours.audio.unwrap();
    assert_eq!(ours.title.as_deref(), theirs["Title"].as_str());
    assert_eq!(audio.artist.as_deref(), theirs["Performer"].as_str());
    assert_eq!(audio.album.as_deref(), theirs["Album"].as_str());
    assert_eq!(audio.album.as_deref(), Some("Reise"));
}

#[test]
fn matroska() {
    check("a.mkv", &format!("-c:v libx264 -preset ultrafast -pix_fmt yuv420p {BT709} -c:a flac {TAGS}"));
}

#[test]
fn webm_with_vp8() {
    check("vp8.webm", &format!("-c:v libvpx -deadline realtime -c:a libvorbis {TAGS}"));
}

#[test]
fn webm_with_vp9() {
    check(
        "vp9.webm",
        &format!(
            "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -pix_fmt yuv420p {BT709} -c:a libopus {TAGS}"
        ),
    );
}

#[test]
fn webm_with_av1_and_no_sound() {
    check("av1.webm", &format!("-an -c:v libaom-av1 -cpu-used 8 -usage realtime -pix_fmt yuv420p {BT709}"));
}

#[test]
fn a_film_whose_table_of_contents_comes_first_or_last_is_the_same() {
    check("first.mp4", &format!("-c:v libx264 -preset ultrafast -c:a aac -movflags +faststart {TAGS}"));
}

#[test]
fn a_film_in_pieces_has_what_its_head_says() {
    let room = Room::new();
    let file = film(
        &room,
        "pieces.mp4",
        "-c:v libx264 -preset ultrafast -c:a aac -movflags frag_keyframe+empty_moov",
    );
    let facts = facts(&file).facts;
    assert_eq!((facts.width, facts.height), (Some(176), Some(144)));
    assert_eq!(facts.video.unwrap().codec.as_deref(), Some("video/avc"));
}

#[test]
fn films_are_turned() {
    let room = Room::new();
    let straight = film(&room, "straight.mp4", "-c:v libx264 -preset ultrafast -c:a aac");
    let mut seen = Vec::new();
    for turn in [0, 90, 180, 270] {
        let file = room.path(&format!("{turn}.mp4"));
        ffmpeg(&format!("-i {} -c copy -metadata:s:v:0 rotate={turn}", straight.display()), &file);
        let ours = facts(&file);
        compare_film(&file, &ours);
        let turned = ours.facts.orientation.unwrap();
        assert_eq!(exiftool(&file)["Rotation"].as_u64(), Some(turned.into()));
        seen.push(turned);
    }
    // Which way ffmpeg takes a turn has changed with its versions.
    seen.sort_unstable();
    assert_eq!(seen, [0, 90, 180, 270]);
}

#[test]
fn a_film_without_a_date_has_none() {
    let room = Room::new();
    let file = film(&room, "a.mp4", "-c:v libx264 -preset ultrafast -an");
    assert_eq!(facts(&file).facts.taken_ms, None);
    let dated = exiftool(&file)["CreateDate"].clone();
    assert_eq!(dated, "1904:01:01 00:00:00+00:00", "the oracle sees the same");
}

#[test]
fn a_film_tells_where_it_was_made() {
    let room = Room::new();
    // QuickTime's form, and 3GPP's.
    for name in ["a.mov", "a.mp4"] {
        let place = "-metadata location=+48.8577-002.2950/";
        let file = film(&room, name, &format!("-c:v libx264 -preset ultrafast -an {place}"));
        let at = facts(&file).location.unwrap();
        let near = |ours: i32, degrees: f64| (f64::from(ours) / 1e7 - degrees).abs() < 1e-4;
        assert!(near(at.latitude_e7, 48.8577) && near(at.longitude_e7, -2.295), "{name}: {at:?}");
    }
}

#[test]
fn the_identifiers_of_a_film_are_read() {
    let room = Room::new();
    let file = film(&room, "a.mp4", "-c:v libx264 -preset ultrafast -an");
    super::tools::tag(&file, &["-XMP-xmpMM:DocumentID=xmp.did:7"]);
    assert_eq!(facts(&file).facts.xmp.unwrap().document.as_deref(), Some("xmp.did:7"));
}
