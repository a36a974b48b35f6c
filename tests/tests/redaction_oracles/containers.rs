//! Films, HEIF and Matroska: what FFmpeg, ExifTool, libheif and MKVToolNix can plant, and what only cameras write.

use std::path::{Path, PathBuf};

use mediagate::redaction::find::{Finding, Format};

use super::mounted;
use super::tools::{assert_redacts, redacted, run};
use super::tracks::{Track, boxed, camm, full, gpmd, mebx, numbers, top_level};

const LATITUDE: f64 = 48.8577;
const LONGITUDE: f64 = 2.295;
const POINT: &str = "+48.8577+002.2950+035.000/";

/// How the planted place would show up in what a tool says, in its own notation or as degrees and minutes.
const NEEDLES: [&str; 9] =
    ["48.857", "48 deg 51", "48/1", "2.295", "2 deg 17", "51.46", "+48", "Eiffel", "\"35 m\""];

fn ffmpeg(args: &[&str]) {
    run("ffmpeg", &[&["-v", "error", "-y", "-nostdin", "-bitexact"], args].concat(), false);
}

fn exiftool(args: &[&str]) -> String {
    run("exiftool", args, false)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of ours")
}

struct Bench {
    dir: tempfile::TempDir,
}

/// A file, and the same as an app sees it that may not see a location.
struct Redacted {
    original: PathBuf,
    copy: PathBuf,
    findings: Vec<Finding>,
    format: Format,
}

impl Bench {
    fn new() -> Bench {
        let dir = tempfile::tempdir().expect("a directory");
        // A decoder that is an app puts its picture there.
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(dir.path(), everybody).expect("chmod");
        Bench { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A second of film and sound, without a place.
    fn film(&self, name: &str, args: &[&str]) -> PathBuf {
        let path = self.path(name);
        let source = ["-f", "lavfi", "-i", "testsrc=s=160x120:d=1:r=10", "-f", "lavfi", "-i", "sine=d=1"];
        ffmpeg(
            &[&source[..], &["-metadata", "title=Hello", "-metadata", "comment=World"], args, &[text(&path)]]
                .concat(),
        );
        path
    }

    fn picture(&self) -> PathBuf {
        let path = self.path("plain.png");
        ffmpeg(&["-f", "lavfi", "-i", "testsrc=s=160x120:d=1:r=1", "-frames:v", "1", text(&path)]);
        path
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("written");
        path
    }

    /// Has an app see it.
    fn redact(&self, original: PathBuf) -> Redacted {
        let (copy, report) = redacted(&original);
        Redacted { original, copy, findings: report.findings, format: report.format }
    }
}

/// What ExifTool shows of two files, line by line, without what the file system says.
fn shown(before: &Path, after: &Path) -> (Vec<String>, Vec<String>) {
    let all = exiftool(&["-a", "-G1", "-s", "-ee3", "-api", "RequestAll=0", text(before), text(after)]);
    let lines = |part: &str| {
        let is_meant =
            |it: &&str| it.starts_with('[') && !it.starts_with("[System]") && !it.starts_with("[ExifTool]");
        part.lines().filter(is_meant).map(str::to_owned).collect()
    };
    let mut parts = all.split("======== ").skip(1).map(lines);
    (parts.next().expect("the first file"), parts.next().expect("the second file"))
}

fn probed(path: &Path) -> Vec<String> {
    let all = run("ffprobe", &["-v", "quiet", "-show_format", "-show_streams", text(path)], false);
    all.lines().filter(|it| !it.starts_with("filename=")).map(str::to_owned).collect()
}

fn is_planted(line: &str) -> bool {
    NEEDLES.iter().any(|it| line.contains(it))
}

/// Lines that are about the place, even where they only say that there is one; or come from the samples of a track that
/// was added, which are hidden as a whole.
fn is_about_place(line: &str) -> bool {
    let of_samples = [
        "[Track3]",
        "[Composite]     Aperture",
        "[Composite]     ShutterSpeed",
        "[Composite]     LightValue",
    ];
    if of_samples.iter().any(|it| line.starts_with(it)) {
        return true;
    }
    let line = line.to_lowercase();
    ["gps", "location", "sampletime", "sampleduration", "coordinates", "text  "]
        .iter()
        .any(|it| line.contains(it))
}

impl Redacted {
    /// Nothing shows the place, all else is shown as before, and what is decoded is the same.
    fn is_clean(&self) {
        let (before, after) = shown(&self.original, &self.copy);
        assert!(before.iter().any(|it| is_planted(it)), "nothing was planted: {before:#?}");
        self.compare(&before, &after);
        self.probes_clean();
    }

    fn compare(&self, before: &[String], after: &[String]) {
        let left: Vec<_> = after.iter().filter(|it| is_planted(it)).collect();
        assert!(left.is_empty(), "{}: {left:#?} after {:#?}", self.copy.display(), self.findings);
        for line in before.iter().filter(|it| !is_planted(it) && !is_about_place(it)) {
            assert!(after.contains(line), "{}: lost {line:?}: {after:#?}", self.copy.display());
        }
    }

    fn probes_clean(&self) {
        let (before, after) = (probed(&self.original), probed(&self.copy));
        self.compare(&before, &after);
        assert_eq!(frames(&self.original), frames(&self.copy));
        let bytes = mounted::read(&self.copy);
        assert_eq!(bytes.len(), std::fs::read(&self.original).expect("readable").len());
        for needle in ["48.8577", "Eiffel"] {
            let found = bytes.windows(needle.len()).position(|it| it == needle.as_bytes());
            assert_eq!(found, None, "{needle} is in {}", self.copy.display());
        }
    }

    fn covers(&self, at: usize) -> bool {
        self.findings.iter().any(|it| it.start <= at as u64 && (at as u64) < it.end)
    }
}

/// Digests of every decoded frame of film and sound.
fn frames(path: &Path) -> String {
    let maps = ["-map", "0:v?", "-map", "0:a?"];
    let digests = run(
        "ffmpeg",
        &[&["-v", "quiet", "-nostdin", "-i", text(path)], &maps[..], &["-f", "framemd5", "-"]].concat(),
        false,
    );
    assert!(digests.lines().any(|it| !it.starts_with('#')), "nothing is decoded of {}", path.display());
    digests
}

#[test]
fn what_ffmpeg_plants_in_films() {
    let bench = Bench::new();
    let location = format!("location={POINT}");
    let apple = format!("com.apple.quicktime.location.ISO6709={POINT}");
    let name = "com.apple.quicktime.location.name=Eiffel";
    let plain = ["-c:v", "mpeg4", "-c:a", "aac", "-metadata", &location];
    let keys =
        [&plain[..], &["-movflags", "use_metadata_tags", "-metadata", &apple, "-metadata", name]].concat();
    let fast = [&keys[..], &["-movflags", "+faststart"]].concat();
    let fragmented = [&plain[..], &["-movflags", "frag_keyframe+empty_moov+default_base_moof"]].concat();
    for (file, args) in [
        ("plain.mp4", &plain[..]),
        ("keys.mp4", &keys),
        ("fast.mp4", &fast),
        ("plain.mov", &plain),
        ("keys.mov", &keys),
        ("plain.3gp", &plain),
        ("fragmented.mp4", &fragmented),
    ] {
        let redacted = bench.redact(bench.film(file, args));
        assert_eq!(redacted.format, Format::IsoBmff);
        redacted.is_clean();
    }
    let sound = [&["-map", "1:a", "-c:a", "aac", "-metadata"][..], &[&location]].concat();
    bench.redact(bench.film("sound.m4a", &sound)).probes_clean();
}

#[test]
fn what_exiftool_plants_in_films() {
    let bench = Bench::new();
    for name in ["film.mp4", "film.mov"] {
        let film = bench.film(name, &["-c:v", "mpeg4", "-c:a", "aac"]);
        let place = format!("GPSCoordinates={LATITUDE}, {LONGITUDE}, 35");
        for group in ["ItemList", "UserData", "Keys"] {
            exiftool(&["-overwrite_original", &format!("-{group}:{place}"), text(&film)]);
        }
        exiftool(&[
            "-overwrite_original",
            "-Keys:LocationName=Eiffel",
            "-Keys:LocationBody=Eiffel",
            "-Keys:LocationNote=Eiffel",
            "-Keys:Author=Somebody",
            "-Keys:Make=Maker",
            "-XMP-exif:GPSLatitude=48.8577",
            "-XMP-exif:GPSLongitude=2.295",
            "-XMP-dc:Creator=Somebody",
            text(&film),
        ]);
        bench.redact(film).is_clean();
    }
}

#[test]
fn tracks_of_positions() {
    let bench = Bench::new();
    let film = std::fs::read(bench.film("film.mp4", &["-c:v", "mpeg4", "-c:a", "aac"])).expect("readable");
    let (keys, sample) = mebx("com.apple.quicktime.location.ISO6709", POINT.as_bytes());
    let nmea = "$GPRMC,082138,A,4851.4620,N,00217.7000,E,012.5,87.86,050213,002.1,A";
    let dji = "F/3.5, SS 1000, ISO 100, EV 0, GPS (2.2950, 48.8577, 18), D 24.26m, H 6.00m, H.S 2.10m/s, V.S 0.00m/s \n";
    let lengthy = |it: &str| [&(it.len() as u16).to_be_bytes()[..], it.as_bytes()].concat();
    let text_entry = vec![0; 51];
    let tracks = [
        (
            "camm",
            Track {
                handler: b"camm",
                entry: (b"camm", vec![]),
                samples: vec![camm(LATITUDE, LONGITUDE, 35.0); 5],
            },
        ),
        (
            "camm-meta",
            Track {
                handler: b"meta",
                entry: (b"camm", vec![]),
                samples: vec![camm(LATITUDE, LONGITUDE, 35.0); 4],
            },
        ),
        (
            "gpmd",
            Track {
                handler: b"meta",
                entry: (b"gpmd", vec![]),
                samples: vec![gpmd(LATITUDE, LONGITUDE, 35.0); 3],
            },
        ),
        ("mebx", Track { handler: b"meta", entry: (b"mebx", keys), samples: vec![sample; 3] }),
        (
            "nmea",
            Track { handler: b"text", entry: (b"text", text_entry.clone()), samples: vec![lengthy(nmea); 3] },
        ),
        ("dji", Track { handler: b"text", entry: (b"text", text_entry), samples: vec![lengthy(dji); 3] }),
        (
            "yuneec",
            Track {
                handler: b"sbtl",
                entry: (b"tx3g", vec![0; 38]),
                samples: vec![lengthy("Lat:48.8577 Lon:2.2950 Alt:35.0"); 3],
            },
        ),
    ];
    for (name, track) in tracks {
        let made = track.added_to(&film);
        let samples = film.len() + (made.len() - film.len() - track.samples.concat().len());
        let redacted = bench.redact(bench.write(&format!("{name}.mp4"), &made));
        redacted.is_clean();
        assert!((samples..made.len()).all(|at| redacted.covers(at)), "{name}: {:?}", redacted.findings);
        assert!(!redacted.covers(samples - 1), "{name}");
    }
}

#[test]
fn tracks_without_positions_stay() {
    let bench = Bench::new();
    let film = std::fs::read(bench.film("film.mp4", &["-c:v", "mpeg4", "-c:a", "aac"])).expect("readable");
    let (keys, sample) = mebx("com.apple.quicktime.video-orientation", &[0, 1]);
    let tracks = [
        Track { handler: b"meta", entry: (b"mebx", keys), samples: vec![sample; 3] },
        Track {
            handler: b"sbtl",
            entry: (b"tx3g", vec![0; 38]),
            samples: vec![b"\0\x0bHello there".to_vec(); 3],
        },
        Track { handler: b"tmcd", entry: (b"tmcd", vec![0; 26]), samples: vec![vec![0, 0, 0, 7]] },
    ];
    for track in tracks {
        let redacted = bench.redact(bench.write("film-with-track.mp4", &track.added_to(&film)));
        assert_eq!(redacted.findings, []);
    }
    assert_eq!(bench.redact(bench.path("film.mp4")).findings, []);
}

#[test]
fn subtitles_of_a_drone_in_a_fragmented_film() {
    let bench = Bench::new();
    let lines: String = (0..4)
        .map(|i| {
            format!("{}\n00:00:0{i},000 --> 00:00:0{i},900\nGPS (2.2950, 48.8577, 18), D 24.26m\n\n", i + 1)
        })
        .collect();
    let srt = bench.write("drone.srt", lines.as_bytes());
    let film = bench.film("film.mp4", &["-c:v", "mpeg4", "-c:a", "aac"]);
    for (name, flags) in [
        ("whole.mp4", "faststart"),
        ("pieces.mp4", "frag_keyframe+empty_moov+default_base_moof"),
        ("old.mp4", "frag_keyframe+empty_moov"),
    ] {
        let made = bench.path(name);
        ffmpeg(&[
            "-i",
            text(&film),
            "-i",
            text(&srt),
            "-map",
            "0",
            "-map",
            "1",
            "-c:v",
            "copy",
            "-c:a",
            "copy",
            "-c:s",
            "mov_text",
            "-movflags",
            flags,
            text(&made),
        ]);
        let bytes = std::fs::read(&made).expect("readable");
        assert!(bytes.windows(7).any(|it| it == b"48.8577"), "nothing was planted");
        bench.redact(made).probes_clean();
    }
}

#[test]
fn boxes_of_cameras() {
    let bench = Bench::new();
    let film = std::fs::read(bench.film("film.mp4", &["-c:v", "mpeg4", "-c:a", "aac"])).expect("readable");
    let nmea = b"[1500000000000]$GPRMC,082138,A,4851.4620,N,00217.7000,E,012.5,87.86,050213,,,A*52\r\n";
    let mut seventy = numbers(&[]);
    for it in [1_u32, 1, 600_000_000, 5000] {
        seventy.extend(it.to_le_bytes());
    }
    seventy.push(b'N');
    seventy.extend(4_851_462_u32.to_le_bytes());
    seventy.push(b'E');
    seventy.extend(217_700_u32.to_le_bytes());
    seventy.resize(40, 0);
    let added: [(&str, Vec<u8>); 5] = [
        ("blackvue.mp4", boxed(b"free", &[boxed(b"cprt", b"somebody"), boxed(b"gps ", nmea)].concat())),
        ("70mai.mp4", boxed(b"GPS ", &[seventy.clone(), vec![0; 37]].concat())),
        (
            "datakam.mp4",
            boxed(b"udat", b"$GPRMC,082138,A,4851.4620,N,00217.7000,E,012.5,87.86,050213,,,A*52\r\n"),
        ),
        ("unknown.mp4", boxed(b"qqqq", b"latitude=48.8577 longitude=2.2950")),
        ("flip.mp4", boxed(b"uuid", &[&[7; 16][..], b"GPSLatitude=48.8577"].concat())),
    ];
    for (name, extra) in added {
        let redacted = bench.redact(bench.write(name, &[&film[..], &extra].concat()));
        let (before, after) = shown(&redacted.original, &redacted.copy);
        redacted.compare(&before, &after);
        redacted.probes_clean();
        assert!(redacted.covers(film.len() + extra.len() - 1) || name.starts_with("70"), "{name}");
    }
}

#[test]
fn tables_of_novatek() {
    let bench = Bench::new();
    let film = std::fs::read(bench.film("film.mp4", &["-c:v", "mpeg4", "-c:a", "aac"])).expect("readable");
    // ViofoA119v3: time, then "A", hemispheres, and degrees and minutes as floats.
    let mut block = [&0x200_u32.to_be_bytes()[..], b"freeGPS ", &[0; 4]].concat();
    for it in [10_u32, 20, 30, 21, 5, 6] {
        block.extend(it.to_le_bytes());
    }
    block.extend(b"ANE\0");
    for it in [4851.462_f32, 217.7, 10.0, 90.0] {
        block.extend(it.to_le_bytes());
    }
    block.resize(0x200, 0);
    let (_, moov, _) = *top_level(&film).iter().find(|it| &it.0 == b"moov").expect("an index");
    let table = |at: usize| full(b"gps ", &numbers(&[1, at as u32, 0x200]));
    let at = film.len() + table(0).len() + 8;
    let moov_box = boxed(b"moov", &[&table(at), &film[moov + 8..]].concat());
    let made = [&film[..moov], &moov_box, &boxed(b"mdat", &block)].concat();
    let redacted = bench.redact(bench.write("novatek.mp4", &made));
    redacted.is_clean();
    assert!((at..at + 0x200).all(|at| redacted.covers(at)));
}

#[test]
fn what_is_planted_in_matroska() {
    let bench = Bench::new();
    for (name, args) in [
        ("film.mkv", &["-c:v", "mpeg4", "-c:a", "aac"][..]),
        ("film.webm", &["-c:v", "libvpx", "-c:a", "libvorbis"]),
        ("live.mkv", &["-c:v", "mpeg4", "-c:a", "aac", "-live", "1"]),
    ] {
        let location = format!("location={POINT}");
        let apple = format!("com.apple.quicktime.location.ISO6709={POINT}");
        let tags = ["-metadata", &location, "-metadata", &apple, "-metadata", "RECORDING_LOCATION=Eiffel"];
        let film = bench.film(name, &[args, &tags[..], &["-metadata:s:v:0", "GPS_NOTE=Eiffel"]].concat());
        let redacted = bench.redact(film);
        assert_eq!(redacted.format, Format::Matroska);
        redacted.is_clean();
    }
}

#[test]
fn what_mkvmerge_plants() {
    let bench = Bench::new();
    let film = bench.film("film.mkv", &["-c:v", "mpeg4", "-c:a", "aac"]);
    let tags = bench.write(
        "tags.xml",
        b"<?xml version=\"1.0\"?><Tags><Tag><Simple><Name>RECORDING_LOCATION</Name><String>Eiffel</String>\
          <Simple><Name>DESCRIPTION</Name><String>Eiffel again</String></Simple></Simple>\
          <Simple><Name>ARTIST</Name><String>Somebody</String></Simple></Tag></Tags>",
    );
    let made = bench.path("made.mkv");
    run("mkvmerge", &["-q", "-o", text(&made), "--global-tags", text(&tags), text(&film)], false);
    bench.redact(made).is_clean();
}

#[test]
fn what_is_planted_in_heif() {
    let bench = Bench::new();
    let picture = bench.picture();
    let jpeg = bench.path("located.jpg");
    ffmpeg(&["-i", text(&picture), "-update", "1", text(&jpeg)]);
    let planted = [
        "-overwrite_original",
        "-GPSLatitude=48.8577",
        "-GPSLatitudeRef=N",
        "-GPSLongitude=2.295",
        "-GPSLongitudeRef=E",
        "-Artist=Somebody",
        "-XMP-exif:GPSLatitude=48.8577",
        "-XMP-dc:Creator=Somebody",
    ];
    exiftool(&[&planted[..], &[text(&jpeg)]].concat());
    let heic = bench.path("of-jpeg.heic");
    run("heif-enc", &["-q", "50", "-o", text(&heic), text(&jpeg)], false);
    let bare = bench.path("written.heic");
    run("heif-enc", &["-q", "50", "-o", text(&bare), text(&picture)], false);
    exiftool(&[&planted[..], &[text(&bare)]].concat());
    let avif = bench.path("of-jpeg.avif");
    run("avifenc", &["-s", "10", "-j", "1", text(&jpeg), text(&avif)], false);
    for file in [heic, bare, avif] {
        assert_redacts(&file, &["48.8577"], &[]);
        let redacted = bench.redact(file);
        assert_eq!(redacted.format, Format::Heif);
        let (before, after) = shown(&redacted.original, &redacted.copy);
        assert!(before.iter().any(|it| is_planted(it)), "nothing was planted: {before:#?}");
        redacted.compare(&before, &after);
        let plain = |path: &Path, png: &str| {
            let png = bench.path(png);
            run("heif-convert", &["-q", "90", text(path), text(&png)], false);
            std::fs::read(png).expect("decoded")
        };
        let of_original = plain(&redacted.original, "original.png");
        assert_eq!(pixels(&of_original), pixels(&plain(&redacted.copy, "seen.png")));
    }
}

/// The coded pixels of a PNG: heif-convert writes the EXIF that it found beside them.
fn pixels(png: &[u8]) -> Vec<u8> {
    let mut at = 8;
    let mut found = Vec::new();
    while at + 12 <= png.len() {
        let length = u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes")) as usize;
        if &png[at + 4..at + 8] == b"IDAT" {
            found.extend_from_slice(&png[at + 8..at + 8 + length]);
        }
        at += length + 12;
    }
    assert!(!found.is_empty());
    found
}

/// A JPEG with a place in its XMP.
fn located_jpeg(bench: &Bench) -> PathBuf {
    let jpeg = bench.path("cover.jpg");
    ffmpeg(&["-i", text(&bench.picture()), "-update", "1", text(&jpeg)]);
    exiftool(&[
        "-overwrite_original",
        "-XMP-exif:GPSLatitude=48.8577",
        "-XMP-exif:GPSLongitude=2.295",
        text(&jpeg),
    ]);
    jpeg
}

#[test]
fn pictures_in_films() {
    let bench = Bench::new();
    let jpeg = located_jpeg(&bench);
    let plain = ["-c:v", "mpeg4", "-c:a", "aac"];
    let mkv = bench.film(
        "attached.mkv",
        &[&plain[..], &["-attach", text(&jpeg), "-metadata:s:t", "mimetype=image/jpeg"]].concat(),
    );
    let film = bench.film("film.mp4", &plain);
    let covered = bench.path("covered.mp4");
    ffmpeg(&[
        "-i",
        text(&film),
        "-i",
        text(&jpeg),
        "-map",
        "0",
        "-map",
        "1",
        "-c",
        "copy",
        "-disposition:v:1",
        "attached_pic",
        text(&covered),
    ]);
    for file in [mkv, covered] {
        let bytes = std::fs::read(&file).expect("readable");
        assert!(
            bytes.windows(7).any(|it| it == b"48,51.4") || bytes.windows(7).any(|it| it == b"48.8577"),
            "nothing was planted"
        );
        let redacted = bench.redact(file);
        assert_ne!(redacted.findings, []);
        redacted.probes_clean();
        let bytes = mounted::read(&redacted.copy);
        assert!(!bytes.windows(7).any(|it| it == b"48,51.4"));
    }
}

#[test]
fn films_in_pictures() {
    let bench = Bench::new();
    let film =
        bench.film("film.mp4", &["-c:v", "mpeg4", "-c:a", "aac", "-metadata", &format!("location={POINT}")]);
    let film = std::fs::read(film).expect("readable");
    let jpeg = std::fs::read(located_jpeg(&bench)).expect("readable");
    let heic = bench.path("plain.heic");
    run("heif-enc", &["-q", "50", "-o", text(&heic), text(&bench.picture())], false);
    let heic = std::fs::read(heic).expect("readable");
    for (name, picture) in [
        ("motion.jpg", [&jpeg[..], &film].concat()),
        ("motion-behind-padding.jpg", [&jpeg[..], &[0; 1234], &film].concat()),
        ("motion.heic", [&heic[..], &boxed(b"mpvd", &film)].concat()),
    ] {
        let at = picture.windows(film.len()).position(|it| it == film).expect("the film");
        let redacted = bench.redact(bench.write(name, &picture));
        let bytes = mounted::read(&redacted.copy);
        // The film is taken out as a phone's gallery does, before and after.
        let cut = |bytes: &[u8]| bytes[at..at + film.len()].to_vec();
        let inner = Redacted {
            original: bench.write("inner.mp4", &cut(&picture)),
            copy: bench.write("inner-redacted.mp4", &cut(&bytes)),
            findings: redacted.findings.clone(),
            format: redacted.format,
        };
        inner.is_clean();
        let (before, after) = shown(&redacted.original, &redacted.copy);
        redacted.compare(&before, &after);
    }
}

#[test]
fn what_is_planted_in_jpeg_2000() {
    let bench = Bench::new();
    let picture = bench.path("picture.jp2");
    ffmpeg(&["-i", text(&bench.picture()), "-update", "1", text(&picture)]);
    exiftool(&[
        "-overwrite_original",
        "-EXIF:GPSLatitude=48.8577",
        "-EXIF:GPSLatitudeRef=N",
        "-EXIF:Artist=Somebody",
        "-XMP-exif:GPSLatitude=48.8577",
        "-XMP-dc:Creator=Somebody",
        "-IPTC:City=Eiffel",
        "-IPTC:By-line=Somebody",
        text(&picture),
    ]);
    assert_redacts(&picture, &["48.8577", "Eiffel"], &[]);
    bench.redact(picture).probes_clean();
}
