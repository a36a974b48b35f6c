use super::*;
use crate::redaction::find::samples::{IN_GPS, IN_XMP, Look, XMP, exif, found, hidden, jpeg, segment};

const LOOK: Look = |input, section, out| find(input, section, out).map(|_| ());

fn behind(data: &[u8]) -> Option<Section> {
    let input = Input::new(&data);
    find(&input, input.whole(), &mut Vec::new()).unwrap()
}

fn app1(data: &[u8]) -> Vec<u8> {
    segment(0xe1, &[b"Exif\0\0", data])
}

#[test]
fn exif_and_xmp() {
    let xmp = segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", XMP]);
    let data = jpeg(&[app1(&exif(true)), xmp]);
    assert_eq!(hidden(&data, &found(&data, LOOK)), [&IN_GPS[..], &[IN_XMP]].concat());
}

#[test]
fn exif_cut_into_segments() {
    let structure = exif(true);
    let cut = structure.len() - 12;
    let data = jpeg(&[app1(&structure[..cut]), app1(&structure[cut..]), app1(&exif(false))]);
    let findings = found(&data, LOOK);
    let first = hidden(&data, &findings[..4]);
    assert_eq!(first, [IN_GPS[0], &IN_GPS[1][..20], &IN_GPS[1][20..], IN_GPS[2]]);
    assert_eq!(hidden(&data, &findings[4..]), IN_GPS);
}

fn extended(digest: &[u8; 32], offset: u32, total: usize, text: &[u8]) -> Vec<u8> {
    segment(0xe1, &[EXTENDED, digest, &(total as u32).to_be_bytes(), &offset.to_be_bytes(), text])
}

#[test]
fn extended_xmp_in_any_order_with_its_name() {
    let main = b"<x xmlns:n='http://ns.adobe.com/xmp/note/' n:HasExtendedXMP='0123'/>";
    let main = segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", main]);
    // The cut goes through the value.
    let at = XMP.windows(IN_XMP.len()).position(|window| window == IN_XMP).unwrap() + 2;
    let digest = b"0123456789ABCDEF0123456789ABCDEF";
    let (first, second) = XMP.split_at(at);
    let segments =
        [main.clone(), extended(digest, at as u32, XMP.len(), second), extended(digest, 0, XMP.len(), first)];
    let data = jpeg(&segments);
    let wanted: [&[u8]; 5] = [b"0123", &IN_XMP[..2], &IN_XMP[2..], digest, digest];
    assert_eq!(hidden(&data, &found(&data, LOOK)), wanted);

    let data = jpeg(&[main, extended(digest, 0, 4, b"<a/>")]);
    assert_eq!(found(&data, LOOK), []);
}

#[test]
fn the_other_pictures_of_a_multi_picture_file() {
    let index = |offset: u32| {
        let entries = [
            [0; 16],
            [&[0; 4][..], &500u32.to_be_bytes(), &offset.to_be_bytes(), &[0; 4]].concat().try_into().unwrap(),
        ];
        let mut structure = b"MM\0*\0\0\0\x08\0\x01".to_vec();
        structure.extend(b"\xb0\x02\0\x07\0\0\0\x20\0\0\0\x1a\0\0\0\0");
        structure.extend(entries.concat());
        segment(0xe2, &[b"MPF\0", &structure])
    };
    let first = jpeg(&[index(0)]);
    // Counts from the index's byte order, which is ten bytes into the file.
    let mut data = jpeg(&[index(first.len() as u32 - 10)]);
    data.extend(jpeg(&[app1(&exif(true))]));
    assert_eq!(hidden(&data, &found(&data, LOOK)), IN_GPS);
}

#[test]
fn segments_of_makers() {
    let gopro = segment(0xe6, &[b"GoPro\0", b"GPS5l\x04\0\x01here"]);
    let c2pa = segment(0xeb, &[b"JP\0\x01\0\0\0\x01", b"{\"exif:GPSLatitude\": 1}"]);
    let other = segment(0xe9, &[b"maker says LATITUDE=1"]);
    let plain = segment(0xe9, &[b"maker says nothing"]);
    let data = jpeg(&[gopro, c2pa, other, plain]);
    let wanted: [&[u8]; 3] = [b"here", b"maker says LATITUDE=1", b"{\"exif:GPSLatitude\": 1}"];
    assert_eq!(hidden(&data, &found(&data, LOOK)), wanted);
}

#[test]
fn decoders_find_the_next_marker_and_so_do_we() {
    let mut data = b"\xff\xd8junk\xff\xff\xff".to_vec();
    data.extend(&jpeg(&[app1(&exif(true))])[2..]);
    assert_eq!(hidden(&data, &found(&data, LOOK)), IN_GPS);
}

#[test]
fn a_picture_that_is_cut_off_counts_as_far_as_it_goes() {
    let data = jpeg(&[app1(&exif(true))]);
    for length in 0..data.len() {
        let findings = found(&data[..length], LOOK);
        assert!(findings.iter().all(|finding| finding.end <= length as u64));
    }
    let in_scan = data.len() - 3;
    assert_eq!(found(&data[..in_scan], LOOK).len(), IN_GPS.len());
}

#[test]
fn what_is_behind_the_picture() {
    let data = jpeg(&[]);
    assert_eq!(behind(&data), None);
    let longer = [&data[..], b"trailer"].concat();
    let place = Section { start: data.len() as u64, end: longer.len() as u64 };
    assert_eq!(behind(&longer), Some(place));
}

#[test]
fn pictures_in_pictures_end() {
    // Each thumbnail has a thumbnail. What is too deep to be looked at is hidden.
    let mut inner = jpeg(&[app1(&exif(true))]);
    for _ in 0..20 {
        let at = 8 + 2 + 2 * 12 + 4;
        let mut structure = b"MM\0*\0\0\0\x08\0\x02".to_vec();
        for (tag, value) in [(0x0201u16, at), (0x0202, inner.len() as u32)] {
            structure.extend([&tag.to_be_bytes()[..], b"\0\x04\0\0\0\x01", &value.to_be_bytes()].concat());
        }
        structure.extend([0; 4]);
        structure.extend(&inner);
        inner = jpeg(&[app1(&structure)]);
    }
    let findings = found(&inner, LOOK);
    assert_eq!(findings.len(), 1);
    assert!(matches!(findings[0].what, What::Whole { .. }));
}

#[test]
fn exif_as_lenient_readers_take_it() {
    for head in [&b"Exif\0\0"[..], b"EXIF\0\0", b"\0\0\0\0Exif\0\0", b"?exif\0\x07", b"Camera\0"] {
        let data = jpeg(&[segment(0xe1, &[head, &exif(true)])]);
        assert_eq!(hidden(&data, &found(&data, LOOK)), IN_GPS, "{head:?}");
    }
    // A header that nobody knows: some read it all the same.
    let mut strange = exif(false);
    strange[2] = 0x99;
    let data = jpeg(&[app1(&strange)]);
    assert_eq!(hidden(&data, &found(&data, LOOK)), [strange.as_slice()]);
}

#[test]
fn a_continuation_that_begins_as_exif_does() {
    // Cut where the value says "latitude is here........", which is made to look like the beginning of EXIF.
    let mut structure = exif(true);
    let at = structure.windows(8).position(|it| it == b"latitude").unwrap();
    structure[at..at + 2].copy_from_slice(b"II");
    let data = jpeg(&[app1(&structure[..at]), app1(&structure[at..])]);
    let findings = found(&data, LOOK);
    let all = hidden(&data, &findings).concat();
    assert!(all.windows(8).any(|it| it == b"IItitude"), "{findings:?}");
}
