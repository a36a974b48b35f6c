//! Still pictures.

use std::fs;
use std::path::{Path, PathBuf};

use mediagate::redaction::find::{Format, What, find};
use tempfile::TempDir;

use crate::mounted;
use crate::tools::{Reader, assert_redacts, assert_same_picture, exiftool, run, tags as tags_of};

/// All tags of the GPS IFD.
const GPS: [&str; 32] = [
    "-GPS:GPSVersionID=2 3 0 0",
    "-GPS:GPSLatitudeRef=S",
    "-GPS:GPSLatitude=33.856784",
    "-GPS:GPSLongitudeRef=E",
    "-GPS:GPSLongitude=151.215297",
    "-GPS:GPSAltitudeRef=1",
    "-GPS:GPSAltitude=12.75",
    "-GPS:GPSTimeStamp=12:34:56",
    "-GPS:GPSSatellites=satellites 7",
    "-GPS:GPSStatus=A",
    "-GPS:GPSMeasureMode=3",
    "-GPS:GPSDOP=1.5",
    "-GPS:GPSSpeedRef=K",
    "-GPS:GPSSpeed=3.25",
    "-GPS:GPSTrackRef=T",
    "-GPS:GPSTrack=123.5",
    "-GPS:GPSImgDirectionRef=M",
    "-GPS:GPSImgDirection=77.5",
    "-GPS:GPSMapDatum=WGS-84 datum",
    "-GPS:GPSDestLatitudeRef=N",
    "-GPS:GPSDestLatitude=1.5",
    "-GPS:GPSDestLongitudeRef=W",
    "-GPS:GPSDestLongitude=2.5",
    "-GPS:GPSDestBearingRef=T",
    "-GPS:GPSDestBearing=33.5",
    "-GPS:GPSDestDistanceRef=K",
    "-GPS:GPSDestDistance=44.5",
    "-GPS:GPSProcessingMethod=HYBRID-FIX",
    "-GPS:GPSAreaInformation=Bennelong Point",
    "-GPS:GPSDateStamp=2031:05:06",
    "-GPS:GPSDifferential=1",
    "-GPS:GPSHPositioningError=4.25",
];
const GPS_TEXTS: [&str; 5] = ["satellites 7", "WGS-84 datum", "HYBRID-FIX", "Bennelong Point", "2031:05:06"];

/// Properties of XMP, with a text where one can be.
const XMP: [&str; 44] = [
    "-XMP-exif:GPSVersionID=2.3.0.0",
    "-XMP-exif:GPSLatitude=-33.856784",
    "-XMP-exif:GPSLongitude=151.215297",
    "-XMP-exif:GPSAltitude=12.75",
    "-XMP-exif:GPSAltitudeRef=1",
    "-XMP-exif:GPSDateTime=2024:05:06 12:34:56Z",
    "-XMP-exif:GPSSatellites=xmp satellites",
    "-XMP-exif:GPSStatus=A",
    "-XMP-exif:GPSMeasureMode=3",
    "-XMP-exif:GPSDOP=1.5",
    "-XMP-exif:GPSSpeed=3.25",
    "-XMP-exif:GPSTrack=123.5",
    "-XMP-exif:GPSImgDirection=77.5",
    "-XMP-exif:GPSMapDatum=xmp datum",
    "-XMP-exif:GPSDestLatitude=1.5",
    "-XMP-exif:GPSDestLongitude=2.5",
    "-XMP-exif:GPSProcessingMethod=xmp fix",
    "-XMP-exif:GPSAreaInformation=xmp area",
    "-XMP-exif:GPSDifferential=1",
    "-XMP-exif:GPSHPositioningError=4.25",
    "-XMP-photoshop:City=Sydneyville",
    "-XMP-photoshop:State=Newsouthwales",
    "-XMP-photoshop:Country=Australand",
    "-XMP-iptcCore:Location=Operahouse",
    "-XMP-iptcCore:CountryCode=AUQ",
    "-XMP-iptcExt:LocationCreatedCity=Createdcity",
    "-XMP-iptcExt:LocationCreatedSublocation=Createdplace",
    "-XMP-iptcExt:LocationCreatedGPSLatitude=-33.5",
    "-XMP-iptcExt:LocationShownCity=Showncity",
    "-XMP-iptcExt:LocationShownLocationName=Shownname",
    "-XMP-drone-dji:GPSLatitude=-33.856784",
    "-XMP-drone-dji:GPSLongtitude=151.215297",
    "-XMP-drone-dji:GPSLongitude=151.215297",
    "-XMP-drone-dji:AbsoluteAltitude=12.75",
    "-XMP-drone-dji:RelativeAltitude=2.75",
    "-XMP-drone-dji:FlightYawDegree=12.5",
    "-XMP-drone-dji:RtkStdLat=1.25",
    "-XMP-mediapro:Location=Mediaplace",
    "-XMP-cell:CellTowerID=Tower4711",
    "-XMP-cell:MobileCountryCode=5055",
    "-XMP-dwc:DCDecimalLatitude=-33.856784",
    "-XMP-dwc:DCLocality=Localityname",
    "-XMP-Device:EarthPosLatitude=-33.856784",
    "-XMP-photomech:CountryCode=AUW",
];
const XMP_TEXTS: [&str; 16] = [
    "xmp satellites",
    "xmp datum",
    "xmp fix",
    "xmp area",
    "Sydneyville",
    "Newsouthwales",
    "Australand",
    "Operahouse",
    "Createdcity",
    "Createdplace",
    "Showncity",
    "Shownname",
    "Mediaplace",
    "Tower4711",
    "Localityname",
    "AUW",
];

const IPTC: [&str; 10] = [
    "-IPTC:City=Iptccity",
    "-IPTC:Sub-location=Iptcplace",
    "-IPTC:Province-State=Iptcstate",
    "-IPTC:Country-PrimaryLocationCode=QQQ",
    "-IPTC:Country-PrimaryLocationName=Iptccountry",
    "-IPTC:ContentLocationCode=QQR",
    "-IPTC:ContentLocationName=Iptcname",
    "-IPTC:Headline=headline stays",
    "-IPTC:Keywords=one",
    "-IPTC:Keywords=two",
];
const IPTC_TEXTS: [&str; 7] = ["Iptccity", "Iptcplace", "Iptcstate", "QQQ", "Iptccountry", "QQR", "Iptcname"];

/// What must stay.
const OTHERS: [&str; 14] = [
    "-IFD0:Make=Maker",
    "-IFD0:Model=Model of it",
    "-IFD0:Artist=Somebody with a long name",
    "-IFD0:Software=Software 1.2.3",
    "-ExifIFD:DateTimeOriginal=2024:05:06 07:08:09",
    "-ExifIFD:ExposureTime=0.004",
    "-ExifIFD:ISOSpeedLatitudeyyy=17",
    "-ExifIFD:UserComment=a comment that stays",
    "-XMP-dc:Title=a title that stays",
    "-XMP-dc:Subject=one",
    "-XMP-dc:Subject=two",
    "-XMP-xmp:Rating=4",
    "-XMP-iptcCore:CreatorRegion=creator's region stays",
    "-XMP-photoshop:Headline=headline & stays",
];

struct Files {
    dir: TempDir,
}

impl Files {
    fn new() -> Files {
        let dir = tempfile::tempdir().unwrap();
        // An app reads the originals beside what it is shown of them.
        fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        Files { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A small picture that ImageMagick makes.
    fn picture(&self, name: &str) -> PathBuf {
        self.made(name, &["-size", "48x32", "-depth", "8", "gradient:red-blue"])
    }

    fn made(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let path = self.path(name);
        let mut all = arguments.to_vec();
        all.push(path.to_str().unwrap());
        run("convert", &all, false);
        path
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn all<'a>(lists: &[&[&'a str]]) -> Vec<&'a str> {
    lists.concat()
}

/// Plants everything in a file and checks it.
fn everything(name: &str, lists: &[&[&str]], texts: &[&[&str]], readers: &[Reader], format: Format) {
    let files = Files::new();
    let file = files.picture(name);
    exiftool(&file, &all(&[lists, &[&OTHERS]].concat()));
    let report = assert_redacts(&file, &all(texts), &["IPTCDigest"]);
    assert_eq!(report.format, format);
    assert_same_picture(&file, readers);
}

const BOTH: [Reader; 2] = [Reader::ImageMagick, Reader::Ffmpeg];

#[test]
fn jpeg() {
    everything("a.jpg", &[&GPS, &XMP, &IPTC], &[&GPS_TEXTS, &XMP_TEXTS, &IPTC_TEXTS], &BOTH, Format::Jpeg);
}

#[test]
fn jpeg_in_the_other_byte_order() {
    for order in ["-ExifByteOrder=II", "-ExifByteOrder=MM"] {
        everything("a.jpg", &[&[order], &GPS], &[&GPS_TEXTS], &BOTH, Format::Jpeg);
    }
}

#[test]
fn all_tags_of_the_gps_ifd_are_named() {
    let files = Files::new();
    let file = files.picture("a.jpg");
    exiftool(&file, &GPS);
    let report = find(&fs::read(&file).unwrap()).unwrap();
    let mut tags: Vec<_> = report
        .findings
        .iter()
        .filter_map(|finding| match finding.what {
            What::ExifGps { tag } => Some(tag),
            _ => None,
        })
        .collect();
    tags.sort_unstable();
    // Altitude reference 1 and the others are not zero; each is there once.
    assert_eq!(tags, (0..32).collect::<Vec<u16>>());
}

#[test]
fn a_picture_without_a_location_is_left_as_it_is() {
    let files = Files::new();
    for name in ["a.jpg", "a.png", "a.webp", "a.tif", "a.gif", "a.psd"] {
        let file = files.picture(name);
        exiftool(&file, &[&OTHERS[..], &["-IPTC:Headline=headline"]].concat());
        assert_eq!(find(&fs::read(&file).unwrap()).unwrap().findings, [], "{name}");
    }
}

#[test]
fn the_interface_tells_the_location_to_who_may_see_it_only() {
    let files = Files::new();
    let file = files.picture("a.jpg");
    exiftool(&file, &GPS);
    let (through, _) = crate::tools::redacted(&file);
    let [app, root] = mounted::told(&through);
    assert_eq!((app, root), (None, Some((-338_567_840, 1_512_152_970))));
}

#[test]
fn jpeg_with_xmp_in_attributes() {
    let files = Files::new();
    let file = files.picture("a.jpg");
    exiftool(&file, &[&["-api", "Compact=Shorthand"], &XMP[..], &OTHERS].concat());
    assert_redacts(&file, &XMP_TEXTS, &[]);
}

#[test]
fn jpeg_with_extended_xmp() {
    let files = Files::new();
    let file = files.picture("a.jpg");
    let long = format!("-XMP-dc:Description={}", "long text ".repeat(9000));
    exiftool(&file, &[&[long.as_str()], &XMP[..], &OTHERS].concat());
    // Its name is a checksum of the location among other things: it goes, and the extension with it for exiftool.
    let report = assert_redacts(&file, &XMP_TEXTS, &["HasExtendedXMP", "Description"]);
    assert!(report.findings.iter().any(|finding| matches!(finding.what, What::Xmp { .. })));
}

#[test]
fn jpeg_with_extended_xmp_of_no_location_keeps_it() {
    let files = Files::new();
    let file = files.picture("a.jpg");
    let long = format!("-XMP-dc:Description={}", "long text ".repeat(9000));
    exiftool(&file, &[&[long.as_str()], &GPS[..], &OTHERS].concat());
    assert!(tags_of(&file).keys().any(|tag| tag.ends_with("HasExtendedXMP")));
    assert_redacts(&file, &GPS_TEXTS, &[]);
}

#[test]
fn jpeg_with_exif_of_several_segments() {
    let files = Files::new();
    let file = files.picture("a.jpg");
    let long = format!("-ExifIFD:UserComment={}", "long text ".repeat(9000));
    exiftool(&file, &[&[long.as_str()], &GPS[..], &["-IFD0:Artist=Somebody"]].concat());
    let file_bytes = fs::read(&file).unwrap();
    let segments = file_bytes.windows(6).filter(|window| window == b"Exif\0\0").count();
    assert!(segments > 1, "exiftool wrote {segments} segment");
    let (copy, _) = crate::tools::redacted(&file);
    for place in GPS_TEXTS {
        assert!(
            !mounted::read(&copy).windows(place.len()).any(|it| it == place.as_bytes()),
            "{place} is left"
        );
    }
    assert_redacts(&file, &GPS_TEXTS, &[]);
}

#[test]
fn the_thumbnails_own_exif() {
    let files = Files::new();
    let (file, thumbnail) = (files.picture("a.jpg"), files.picture("thumbnail.jpg"));
    exiftool(&thumbnail, &all(&[&GPS, &XMP]));
    exiftool(&file, &["-IFD0:Artist=Somebody", &format!("-ThumbnailImage<={}", text(&thumbnail))]);
    let (copy, report) = crate::tools::redacted(&file);
    assert!(report.findings.len() > 40, "{report:?}");
    let inner = files.path("inner.jpg");
    let bytes = mounted::read(&copy);
    let start = bytes.windows(3).rposition(|window| window == [0xff, 0xd8, 0xff]).unwrap();
    fs::write(&inner, &bytes[start..]).unwrap();
    let shown = format!("{:?}", tags_of(&inner));
    for place in all(&[&GPS_TEXTS, &XMP_TEXTS]) {
        assert!(!shown.contains(place), "the thumbnail still shows {place}");
    }
}

#[test]
fn tiff_and_what_is_built_on_it() {
    let places: [&str; 2] =
        ["-IFD0:ModelTiePoint=1 2 3 4 5 6", "-IFD0:ModelTransform=1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7"];
    let texts: [&[&str]; 3] = [&GPS_TEXTS, &XMP_TEXTS, &IPTC_TEXTS];
    everything("a.tif", &[&GPS, &XMP, &IPTC, &places], &texts, &BOTH, Format::Tiff);
    let files = Files::new();
    for endian in ["msb", "lsb"] {
        let file =
            files.made(&format!("{endian}.tif"), &["-size", "48x32", "gradient:red-blue", "-endian", endian]);
        exiftool(&file, &all(&[&GPS, &XMP, &IPTC, &OTHERS]));
        assert_redacts(&file, &all(&texts), &["IPTCDigest"]);
        assert_same_picture(&file, &BOTH);
        // Raw files are TIFF with other tags.
        for name in ["a.dng", "a.nef", "a.pef", "a.srw"] {
            let raw = files.path(&format!("{endian}-{name}"));
            fs::copy(&file, &raw).unwrap();
            exiftool(&raw, &["-DNGVersion=1 4 0 0"]);
            assert_redacts(&raw, &all(&texts), &["IPTCDigest"]);
        }
    }
}

#[test]
fn big_tiff() {
    let files = Files::new();
    let jpeg = files.picture("a.jpg");
    exiftool(&jpeg, &all(&[&XMP, &IPTC, &["-XMP-dc:Title=stays"]]));
    let file = files.path("big.tif");
    run("convert", &[text(&jpeg), &format!("TIFF64:{}", text(&file))], false);
    let bytes = fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"II+\0") || bytes.starts_with(b"MM\0+"), "ImageMagick wrote no BigTIFF");
    assert_redacts(&file, &all(&[&XMP_TEXTS, &IPTC_TEXTS]), &["IPTCDigest", "ApplicationNotes"]);
    assert_same_picture(&file, &[Reader::ImageMagick]);
}

#[test]
fn png() {
    everything("a.png", &[&GPS, &XMP], &[&GPS_TEXTS, &XMP_TEXTS], &BOTH, Format::Png);
}

#[test]
fn png_with_compressed_text() {
    let files = Files::new();
    for (name, location) in [("with.png", true), ("without.png", false)] {
        let (file, packet) = (files.picture(name), files.path(&format!("{name}.xmp")));
        let tags: &[&str] = if location { &XMP } else { &[] };
        let write = ["-XMP-dc:Title=title", "-o", text(&packet)];
        run("exiftool", &[&["-q", "-m", "-n"], tags, &write].concat(), false);
        let mut chunk = b"iTXtXML:com.adobe.xmp\0\x01\0\0\0".to_vec();
        chunk.extend(zlib(&fs::read(&packet).unwrap()));
        let mut bytes = fs::read(&file).unwrap();
        let length = (chunk.len() as u32 - 4).to_be_bytes();
        // Behind the header.
        bytes.splice(33..33, [&length[..], &chunk, &crc32(&chunk).to_be_bytes()].concat());
        fs::write(&file, bytes).unwrap();
        assert!(
            format!("{:?}", tags_of(&file)).contains("title"),
            "exiftool cannot read the compressed packet"
        );
        if location {
            // All of the packet goes.
            assert_redacts(&file, &XMP_TEXTS, &["Title", "XMPToolkit", "title", ":XMP"]);
        } else {
            assert_eq!(find(&fs::read(&file).unwrap()).unwrap().findings, []);
        }
        assert_same_picture(&file, &BOTH);
    }
}

/// A zlib stream that is not smaller.
fn zlib(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let last = data.len().div_ceil(0xffff) - 1;
    for (n, block) in data.chunks(0xffff).enumerate() {
        stream.push((n == last).into());
        let length = block.len() as u16;
        stream.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
        stream.extend(block);
    }
    let (a, b) = data.iter().fold((1, 0), |(a, b): (u32, u32), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    stream.extend((b << 16 | a).to_be_bytes());
    stream
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

#[test]
fn png_as_imagemagick_makes_it_from_a_jpeg() {
    let files = Files::new();
    let jpeg = files.picture("a.jpg");
    exiftool(&jpeg, &all(&[&GPS, &XMP, &IPTC, &OTHERS]));
    let file = files.path("from.png");
    run("convert", &[text(&jpeg), text(&file)], false);
    let texts = ["xmp datum", "Sydneyville", "Iptccity"];
    let before = format!("{:?}", tags_of(&file));
    assert!(texts.iter().all(|place| before.contains(place)), "{before}");
    let (copy, _) = crate::tools::redacted(&file);
    let after = format!("{:?}", tags_of(&copy));
    for place in all(&[&GPS_TEXTS, &XMP_TEXTS, &IPTC_TEXTS]) {
        assert!(!after.contains(place), "{place} is left: {after}");
    }
    assert_same_picture(&file, &BOTH);
}

#[test]
fn webp() {
    everything("a.webp", &[&GPS, &XMP], &[&GPS_TEXTS, &XMP_TEXTS], &BOTH, Format::Webp);
}

#[test]
fn webp_with_exif_as_webpmux_puts_it_in() {
    let files = Files::new();
    let jpeg = files.picture("a.jpg");
    exiftool(&jpeg, &all(&[&GPS, &XMP, &OTHERS]));
    let png = files.made("plain.png", &["-size", "48x32", "gradient:red-blue"]);
    let plain = files.path("plain.webp");
    run("cwebp", &["-quiet", text(&png), "-o", text(&plain)], false);
    // With what a JPEG has before EXIF, and without.
    let bytes = fs::read(&jpeg).unwrap();
    let start = bytes.windows(6).position(|window| window == b"Exif\0\0").unwrap();
    let length = usize::from(u16::from_be_bytes([bytes[start - 2], bytes[start - 1]])) - 2;
    for skip in [0, 6] {
        let (exif, file) = (files.path("exif"), files.path(&format!("muxed{skip}.webp")));
        fs::write(&exif, &bytes[start + skip..start + length]).unwrap();
        run("webpmux", &["-set", "exif", text(&exif), text(&plain), "-o", text(&file)], false);
        assert_redacts(&file, &GPS_TEXTS, &[]);
        assert_same_picture(&file, &BOTH);
    }
}

#[test]
fn gif() {
    everything("a.gif", &[&XMP], &[&XMP_TEXTS], &BOTH, Format::Gif);
}

#[test]
fn photoshop() {
    let texts: [&[&str]; 3] = [&GPS_TEXTS, &XMP_TEXTS, &IPTC_TEXTS];
    everything("a.psd", &[&GPS, &XMP, &IPTC], &texts, &[Reader::ImageMagick], Format::Psd);
}

#[test]
fn multiple_image_network_graphics() {
    everything("a.mng", &[&GPS, &XMP], &[&GPS_TEXTS, &XMP_TEXTS], &[Reader::ImageMagick], Format::Png);
    everything("a.jng", &[&GPS, &XMP], &[&GPS_TEXTS, &XMP_TEXTS], &[Reader::ImageMagick], Format::Png);
}

#[test]
fn a_sidecar() {
    let files = Files::new();
    let file = files.path("a.xmp");
    run(
        "exiftool",
        &[&["-q", "-m", "-n"], &XMP[..], &["-XMP-dc:Title=stays", "-o", text(&file)]].concat(),
        false,
    );
    let report = assert_redacts(&file, &XMP_TEXTS, &[]);
    assert_eq!(report.format, Format::Xmp);
}

#[test]
fn exif_alone() {
    let files = Files::new();
    let file = files.path("a.exif");
    run(
        "exiftool",
        &[&["-q", "-m", "-n"], &GPS[..], &["-IFD0:Artist=stays", "-o", text(&file)]].concat(),
        false,
    );
    assert_redacts(&file, &GPS_TEXTS, &[]);
}
