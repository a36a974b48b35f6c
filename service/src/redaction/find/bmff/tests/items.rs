//! Items of HEIF.

use super::build::{boxed, full, hdlr, numbers};
use super::{Unreadable, What, find, place, report};

/// EXIF with nothing but a GPS directory of one tag, whose value is `GPSPLACE`.
fn exif() -> Vec<u8> {
    let mut tiff = b"MM\0*\0\0\0\x08".to_vec();
    tiff.extend(b"\0\x01\x88\x25\0\x04\0\0\0\x01\0\0\0\x1a\0\0\0\0");
    tiff.extend(b"\0\x01\0\x1b\0\x07\0\0\0\x08\0\0\0\x2c\0\0\0\0GPSPLACE");
    [&[0; 4], &tiff[..]].concat()
}

fn infe(id: u16, kind: &[u8; 4], texts: &[u8]) -> Vec<u8> {
    boxed(b"infe", &[&[2, 0, 0, 0][..], &id.to_be_bytes(), &[0, 0], kind, texts].concat())
}

/// `iloc` of one item with these extents, by version and construction method.
fn iloc(version: u8, method: u16, id: u16, extents: &[(u32, u32)]) -> Vec<u8> {
    let mut body = vec![version, 0, 0, 0, 0x44, 0];
    let wide =
        |it: u16| if version == 2 { u32::from(it).to_be_bytes().to_vec() } else { it.to_be_bytes().to_vec() };
    body.extend(wide(1));
    body.extend(wide(id));
    if version > 0 {
        body.extend(method.to_be_bytes());
    }
    body.extend([0, 0]);
    body.extend((extents.len() as u16).to_be_bytes());
    for it in extents {
        body.extend(numbers(&[it.0, it.1]));
    }
    boxed(b"iloc", &body)
}

fn picture(infe: &[u8], inside: &[u8], iloc: impl Fn(u32) -> Vec<u8>, media: &[u8]) -> Vec<u8> {
    let build = |at: u32| {
        let iinf = boxed(b"iinf", &[&[0, 0, 0, 0, 0, 1], infe].concat());
        let meta = full(b"meta", &[hdlr(b"pict"), iinf, iloc(at), boxed(b"idat", inside)].concat());
        [boxed(b"ftyp", b"heic\0\0\0\0mif1heic"), meta, boxed(b"mdat", media)].concat()
    };
    let at = build(0).len() - media.len();
    build(at as u32)
}

fn hidden(file: &[u8], needle: &[u8]) -> bool {
    let (start, end) = place(file, needle);
    let found = report(file).findings;
    (start..end).all(|at| found.iter().any(|it| it.start <= at && at < it.end))
}

#[test]
fn exif_in_every_version_of_the_table() {
    let exif = exif();
    let length = exif.len() as u32;
    for version in 0..3 {
        let file = picture(&infe(1, b"Exif", b"\0"), b"", |at| iloc(version, 0, 1, &[(at, length)]), &exif);
        assert!(hidden(&file, b"GPSPLACE"), "{version}");
        assert!(!hidden(&file, b"\x88\x25"), "only the values");
    }
    let file = picture(&infe(1, b"Exif", b"\0"), &exif, |_| iloc(1, 1, 1, &[(0, length)]), b"");
    assert!(hidden(&file, b"GPSPLACE"), "in idat");
}

#[test]
fn exif_in_pieces() {
    let exif = exif();
    let cut = exif.len() as u32 - 4;
    let media = [&exif[..cut as usize], &[0xee; 16], &exif[cut as usize..]].concat();
    let file =
        picture(&infe(1, b"Exif", b"\0"), b"", |at| iloc(0, 0, 1, &[(at, cut), (at + cut + 16, 4)]), &media);
    assert!(hidden(&file, b"GPSP"));
    assert!(hidden(&file, b"LACE"));
    assert!(!hidden(&file, &[0xee; 16]));
}

#[test]
fn metadata_made_of_other_items_is_refused() {
    let file = picture(&infe(1, b"Exif", b"\0"), b"", |at| iloc(1, 2, 1, &[(at, 4)]), &[1; 16]);
    assert!(matches!(find(&file.as_slice()), Err(Unreadable::Damaged { .. })));
    let file = picture(&infe(1, b"grid", b"\0"), b"", |at| iloc(1, 2, 1, &[(at, 4)]), &[1; 16]);
    assert_eq!(report(&file).findings, []);
}

#[test]
fn xmp_and_what_is_compressed() {
    let xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
        <rdf:Description xmlns:exif='http://ns.adobe.com/exif/1.0/' exif:GPSLatitude='48,51.5N' exif:Flash='1'/></rdf:RDF></x:xmpmeta>";
    let length = xmp.len() as u32;
    let place = |at: u32| iloc(0, 0, 1, &[(at, length)]);
    let file = picture(&infe(1, b"mime", b"\0application/rdf+xml\0"), b"", place, xmp);
    assert!(hidden(&file, b"48,51.5N"));
    assert!(!hidden(&file, b"exif:Flash"));
    let file = picture(&infe(1, b"mime", b"\0application/rdf+xml\0deflate\0"), b"", place, xmp);
    assert!(hidden(&file, xmp));
    assert_eq!(report(&file).findings[0].what, What::Whole { block: "XMP" });
}

#[test]
fn exif_that_is_none_is_hidden() {
    let file = picture(&infe(1, b"Exif", b"\0"), b"", |at| iloc(0, 0, 1, &[(at, 12)]), b"not any exif");
    assert!(hidden(&file, b"not any exif"));
}

#[test]
fn items_beyond_the_file() {
    for extents in [[(u32::MAX, u32::MAX)], [(0, 0)], [(10, u32::MAX)]] {
        let file = picture(&infe(1, b"Exif", b"\0"), b"", |_| iloc(0, 0, 1, &extents), &[1; 16]);
        for it in report(&file).findings {
            assert!(it.start < it.end && it.end <= file.len() as u64);
        }
    }
}
