//! JPEG, HEIC, AVIF, PNG, WebP and GIF.

use mediagate::scanner::metadata::{Context, SpecialFormat, extract};

use super::make::{PICTURE_TAGS, picture, still};
use super::oracle::{compare_picture, millis};
use super::tools::{Room, facts, run, tag};

/// What all of them hold must be found, not only agreed about.
fn check(name: &str) {
    let room = Room::new();
    let file = picture(&room, name);
    let ours = facts(&file);
    compare_picture(&file, &ours);
    assert_eq!((ours.facts.width, ours.facts.height), (Some(118), Some(74)));
    assert_eq!(ours.facts.taken_ms, Some(millis("2023-07-08T09:10:11.12+02:00")));
    let image = ours.facts.image.unwrap();
    assert_eq!(image.exposure_time.as_deref(), Some("1/60"));
    assert_eq!(image.f_number.as_deref(), Some("1.8"));
    assert_eq!(image.description.as_deref(), Some("Übung mit drei Wörtern"));
    assert_eq!(ours.facts.xmp.unwrap().instance.as_deref(), Some("xmp.iid:99aa"));
    assert_eq!(ours.location.unwrap().longitude_e7, -22_950_000);
}

#[test]
fn jpeg() {
    check("a.jpg");
}

#[test]
fn png() {
    check("a.png");
}

#[test]
fn webp() {
    check("a.webp");
}

#[test]
fn heic() {
    check("a.heic");
}

#[test]
fn avif() {
    check("a.avif");
}

#[test]
fn gif() {
    let room = Room::new();
    let file = picture(&room, "a.gif");
    let ours = facts(&file);
    compare_picture(&file, &ours);
    assert_eq!(ours.facts.xmp.unwrap().document.as_deref(), Some("xmp.did:4f1c"));
    assert_eq!(ours.facts.image.unwrap().special_format, Some(SpecialFormat::Gif));
}

#[test]
fn every_orientation_of_exif_is_a_rotation() {
    let room = Room::new();
    let file = still(&room, "a.jpg");
    assert_eq!(facts(&file).facts.orientation, None);
    for orientation in 1..=8 {
        tag(&file, &[&format!("-EXIF:Orientation={orientation}")]);
        compare_picture(&file, &facts(&file));
    }
}

#[test]
fn an_avif_is_turned_by_its_property() {
    let room = Room::new();
    let png = still(&room, "source.png");
    for turns in 0..4 {
        let file = room.path(&format!("{turns}.avif"));
        let turns_text = turns.to_string();
        run(
            "avifenc",
            ["--speed", "10", "--irot", &turns_text, png.to_str().unwrap(), file.to_str().unwrap()],
        );
        tag(&file, PICTURE_TAGS);
        // 90 degrees each, against the clock; EXIF says 6 and counts for nothing.
        assert_eq!(facts(&file).facts.orientation, Some((4 - turns) % 4 * 90), "{turns}");
    }
}

#[test]
fn webp_comes_lossless_and_animated() {
    let room = Room::new();
    let png = still(&room, "source.png");
    let png = png.to_str().unwrap();
    let plain = room.path("lossless.webp");
    run("cwebp", ["-quiet", "-lossless", png, "-o", plain.to_str().unwrap()]);
    let ours = facts(&plain);
    compare_picture(&plain, &ours);
    assert_eq!((ours.facts.width, ours.facts.image), (Some(118), None));

    let lossy = room.path("lossy.webp");
    run("cwebp", ["-quiet", png, "-o", lossy.to_str().unwrap()]);
    compare_picture(&lossy, &facts(&lossy));

    let moving = room.path("moving.webp");
    run("img2webp", ["-d", "100", png, "-d", "50", png, "-o", moving.to_str().unwrap()]);
    let ours = facts(&moving);
    compare_picture(&moving, &ours);
    // Two equal pictures may be made one; then there is nothing animated in the file, and exiftool says so too.
    let frames = super::oracle::exiftool(&moving)["FrameCount"].as_u64();
    let special = ours.facts.image.and_then(|image| image.special_format);
    assert_eq!(special == Some(SpecialFormat::AnimatedWebp), frames.is_some(), "{frames:?}");
}

#[test]
fn an_animated_webp_is_special() {
    let room = Room::new();
    let file = room.path("moving.webp");
    super::tools::ffmpeg("-f lavfi -i testsrc=size=64x48:rate=5 -t 1 -c:v libwebp_anim", &file);
    let ours = facts(&file);
    compare_picture(&file, &ours);
    assert_eq!(ours.facts.image.unwrap().special_format, Some(SpecialFormat::AnimatedWebp));
}

#[test]
fn a_motion_photo_is_special() {
    let room = Room::new();
    let special = |property: &str, value: u8| {
        let (file, packet) = (still(&room, "a.jpg"), room.path("packet.xmp"));
        let xml = format!(
            "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
             <rdf:Description rdf:about='' xmlns:Camera='http://ns.google.com/photos/1.0/camera/' \
             Camera:{property}='{value}'/></rdf:RDF></x:xmpmeta>"
        );
        std::fs::write(&packet, xml).unwrap();
        tag(&file, &[&format!("-XMP<={}", packet.display())]);
        facts(&file).facts.image.and_then(|image| image.special_format)
    };
    for property in ["MotionPhoto", "MicroVideo"] {
        assert_eq!(special(property, 1), Some(SpecialFormat::MotionPhoto), "{property}");
        assert_eq!(special(property, 0), None, "{property}");
    }
}

#[test]
fn the_contents_say_what_kind_of_picture_it_is() {
    let room = Room::new();
    let png = std::fs::read(still(&room, "a.png")).unwrap();
    let named_jpeg =
        extract(&mut std::io::Cursor::new(png), &Context { mime: "image/jpeg", modified_ms: None });
    assert_eq!(named_jpeg.facts.mime.as_deref(), Some("image/png"));
    assert_eq!(named_jpeg.facts.width, Some(118));
}
