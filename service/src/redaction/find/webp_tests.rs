use super::*;
use crate::redaction::find::samples::{IN_GPS, IN_XMP, XMP, exif, found, hidden};

fn chunk(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let payload = parts.concat();
    let pad = vec![0; payload.len() % 2];
    [kind, &(payload.len() as u32).to_le_bytes()[..], &payload, &pad].concat()
}

#[test]
fn exif_with_and_without_prefix_and_xmp() {
    let data = [
        b"RIFF\0\0\0\0WEBP".to_vec(),
        chunk(b"VP8 ", &[b"picture"]),
        chunk(b"EXIF", &[&exif(true)]),
        chunk(b"EXIF", &[b"Exif\0\0", &exif(false)]),
        chunk(b"XMP ", &[XMP]),
    ]
    .concat();
    let wanted = [&IN_GPS[..], &IN_GPS[..], &[IN_XMP]].concat();
    assert_eq!(hidden(&data, &found(&data, find)), wanted);
    // A chunk that is cut off counts as far as it goes.
    let cut = &data[..data.len() - 20];
    assert_eq!(found(cut, find).last().unwrap().what, What::Whole { block: "XMP" });
}

#[test]
fn chunks_of_avi_and_wav() {
    let chunk = |kind: &[u8; 4], body: &[u8]| {
        let pad = vec![0; body.len() % 2];
        [kind, &(body.len() as u32).to_le_bytes()[..], body, &pad].concat()
    };
    let info = [&b"INFO"[..], &chunk(b"INAM", b"name"), &chunk(b"ICMT", b"+48.8577+002.2950/")].concat();
    let movie = [&b"movi"[..], &chunk(b"00dc", b"GPSLatitude")].concat();
    let all =
        [chunk(b"LIST", &info), chunk(b"LIST", &movie), chunk(b"_PMX", XMP), chunk(b"gps0", b"$GPRMC,1,2")];
    let file = [b"RIFF\0\0\0\0AVI ", all.concat().as_slice()].concat();
    let report = crate::redaction::find::find(&file).unwrap();
    assert_eq!(report.format, crate::redaction::find::Format::Riff);
    assert_eq!(hidden(&file, &report.findings), [&b"+48.8577+002.2950/"[..], IN_XMP, b"$GPRMC,1,2"]);
}
