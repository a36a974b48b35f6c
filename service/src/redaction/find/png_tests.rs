use super::*;
use crate::redaction::find::samples::{IN_GPS, IN_XMP, XMP, chunk, exif, found, hidden, jpeg, segment};

fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n", chunks.concat().as_slice(), &chunk(b"IEND", &[])].concat()
}

fn raw_profile(kind: &str, data: &[u8]) -> Vec<u8> {
    let digits: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("Raw profile type {kind}\0\n{kind}\n{:8}\n{digits}\n", data.len()).into_bytes()
}

#[test]
fn exif_and_xmp() {
    let data = png(&[
        chunk(b"eXIf", &[&exif(true)]),
        chunk(b"IDAT", &[b"picture"]),
        chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0en\0\0", XMP]),
        chunk(b"tEXt", &[b"Title\0stays"]),
    ]);
    let wanted = [&IN_GPS[..], &[IN_XMP]].concat();
    assert_eq!(hidden(&data, &found(&data, find)), wanted);
}

#[test]
fn raw_profiles_that_tell_a_location_and_others() {
    let located = raw_profile("exif", &[b"Exif\0\0", &exif(true)[..]].concat());
    let xmp = raw_profile("xmp", XMP);
    let other = raw_profile("exif", b"Exif\0\0II*\0\x08\0\0\0\0\0");
    let garbage = b"Raw profile type APP1\0no digits".to_vec();
    for (profile, tells) in [(&located, true), (&xmp, true), (&other, false), (&garbage, true)] {
        let data = png(&[chunk(b"tEXt", &[profile])]);
        let text = profile.splitn(2, |byte| *byte == 0).nth(1).unwrap();
        let wanted = if tells { vec![text] } else { vec![] };
        assert_eq!(hidden(&data, &found(&data, find)), wanted);
    }
}

#[test]
fn text_by_its_name_or_by_what_it_says() {
    for (keyword, text, tells) in [
        ("exif:GPSLatitude", "1/1", true),
        ("photoshop:City", "Town", true),
        ("Location", "Town", true),
        ("Comment", "Latitude: 1", true),
        ("Comment", "nothing", false),
        ("photoshop:Headline", "nothing", false),
    ] {
        let data = png(&[chunk(b"tEXt", &[keyword.as_bytes(), b"\0", text.as_bytes()])]);
        assert_eq!(!found(&data, find).is_empty(), tells, "{keyword}");
    }
}

#[test]
fn compressed_text_that_does_not_decompress() {
    let packet = |text: &[u8]| png(&[chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\x01\0\0\0", text])]);
    let data = packet(b"not zlib");
    assert_eq!(hidden(&data, &found(&data, find)), [&b"not zlib"[..]]);
    // Hidden before.
    assert_eq!(found(&packet(&[0; 8]), find), []);
    // A comment is not expected to tell anything.
    assert_eq!(found(&png(&[chunk(b"zTXt", &[b"Comment\0\0not zlib"])]), find), []);
}

/// Somewhat less than a megabyte, in stored blocks: whatever they hold, the budget is that of what comes out.
fn stored() -> Vec<u8> {
    let mut stream = b"\x78\x01".to_vec();
    for n in 0..15 {
        stream.extend([u8::from(n == 14), 0xff, 0xff, 0, 0]);
        stream.extend([b'a'; 0xffff]);
    }
    stream
}

#[test]
fn what_decompresses_to_more_than_is_looked_at_is_hidden() {
    let stored = stored();
    let text = chunk(b"zTXt", &[b"Comment\0\0", &stored]);
    assert_eq!(found(&png(&vec![text.clone(); 15]), find), []);
    let data = png(&vec![text; 17]);
    assert_eq!(hidden(&data, &found(&data, find)), [&stored[..]]);
}

#[test]
fn long_text_is_searched_to_its_end() {
    let long = [&b"Comment\0"[..], &vec![b'a'; 3 << 20], b"Latitude: 1"].concat();
    assert_eq!(found(&png(&[chunk(b"tEXt", &[&long])]), find).len(), 1);
    assert_eq!(found(&png(&[chunk(b"tEXt", &[&long[..3 << 20]])]), find), []);
}

#[test]
fn what_lies_behind_the_end_or_behind_chunks_of_no_name() {
    let exif_chunk = chunk(b"eXIf", &[&exif(true)]);
    let wanted = IN_GPS;
    let behind = [png(&[]), exif_chunk.clone()].concat();
    assert_eq!(hidden(&behind, &found(&behind, find)), wanted);
    let strange = png(&[chunk(b"\x01\x02\x03\x04", &[b"x"]), exif_chunk]);
    assert_eq!(hidden(&strange, &found(&strange, find)), wanted);
    let picture = [png(&[]), jpeg(&[segment(0xe1, &[b"Exif\0\0", &exif(true)])])].concat();
    assert_eq!(hidden(&picture, &found(&picture, find)), IN_GPS);
    let trailer = [png(&[]), b"some maker's Latitude=1".to_vec()].concat();
    assert_eq!(hidden(&trailer, &found(&trailer, find)), [b"some maker's Latitude=1"]);
}

#[test]
fn names_of_any_length() {
    let long = [b'x'; 1100];
    let data = png(&[chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0", &long, b"\0", XMP])]);
    assert_eq!(hidden(&data, &found(&data, find)), [IN_XMP]);
    // Which ends nowhere, and a keyword longer than any.
    for names in [[&b"XML:com.adobe.xmp\0\0\0"[..], &[b'x'; 70_000], XMP], [&[b'x'; 100], b"\0", XMP]] {
        let data = png(&[chunk(b"iTXt", &names)]);
        assert!(hidden(&data, &found(&data, find)).concat().windows(6).any(|it| it == IN_XMP));
    }
}

#[test]
fn a_redacted_chunk_has_a_checksum_that_fits_and_tells_nothing() {
    let data = png(&[chunk(b"eXIf", &[&exif(true)]), chunk(b"tEXt", &[b"Title\0stays"])]);
    let report = crate::redaction::find::find(&data).unwrap();
    let mut copy = data.clone();
    for it in &report.findings {
        it.fill.fill(&mut copy[it.start as usize..it.end as usize]);
    }
    let at = copy.windows(4).position(|it| it == b"tEXt").unwrap() - 8;
    // Bit by bit, as the specification has it.
    let bit = |value: u32| if value & 1 == 1 { 0xedb8_8320 ^ value >> 1 } else { value >> 1 };
    let add = |value: u32, byte: &u8| (0..8).fold(value ^ u32::from(*byte), |value, _| bit(value));
    let crc = !copy[12..at].iter().fold(u32::MAX, add);
    assert_eq!(copy[at..at + 4], crc.to_be_bytes());
    assert_eq!(copy.windows(4).filter(|it| *it == b"SUM.").count(), 2, "others stay as they are");
    assert!(
        !crate::redaction::find::find(&copy)
            .unwrap()
            .findings
            .iter()
            .any(|it| !matches!(it.what, What::Digest { .. }))
    );
}
