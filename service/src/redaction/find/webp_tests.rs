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
