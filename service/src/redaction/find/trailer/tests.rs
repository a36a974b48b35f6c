use proptest::prelude::*;

use super::super::{Finding, Input, Section, What};
use super::find;

fn found(trailer: &[u8]) -> Vec<Finding> {
    let mut out = Vec::new();
    find(&Input::new(&trailer), Section { start: 0, end: trailer.len() as u64 }, &mut out).unwrap();
    out
}

fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
}

fn film() -> Vec<u8> {
    let moov = boxed(b"moov", &boxed(b"udta", &boxed(b"loci", b"here I am")));
    [boxed(b"ftyp", b"isom\0\0\0\0isom"), moov, boxed(b"mdat", &[1; 100])].concat()
}

fn ranges(findings: &[Finding]) -> Vec<(u64, u64)> {
    findings.iter().map(|it| (it.start, it.end)).collect()
}

#[test]
fn the_film_of_a_motion_photo() {
    for before in [0, 3, 65_530, 65_536, 100_000] {
        let film = film();
        let trailer = [vec![b'-'; before], film.clone()].concat();
        let at = (before + film.windows(4).position(|it| it == b"loci").unwrap()) as u64;
        assert_eq!(ranges(&found(&trailer)), [(at, at + 13)], "{before}");
    }
}

/// A trailer of Samsung: blocks by type, name and value.
fn samsung(blocks: &[(u16, &str, &[u8])]) -> Vec<u8> {
    let mut data = Vec::new();
    let mut places = Vec::new();
    for (kind, name, value) in blocks {
        places.push((*kind, data.len()));
        data.extend([0, 0]);
        data.extend(kind.to_le_bytes());
        data.extend((name.len() as u32).to_le_bytes());
        data.extend(name.as_bytes());
        data.extend(*value);
    }
    places.push((0, data.len()));
    let mut directory = b"SEFH\x65\0\0\0".to_vec();
    directory.extend((blocks.len() as u32).to_le_bytes());
    for pair in places.windows(2) {
        let (kind, at) = pair[0];
        directory.extend([0, 0]);
        directory.extend(kind.to_le_bytes());
        directory.extend(((data.len() - at) as u32).to_le_bytes());
        directory.extend(((pair[1].1 - at) as u32).to_le_bytes());
    }
    let length = (directory.len() as u32).to_le_bytes();
    [data, directory, length.to_vec(), b"SEFT".to_vec()].concat()
}

#[test]
fn samsungs_blocks() {
    let trailer = samsung(&[
        (0x0a01, "Image_UTC_Data", b"1500000000000"),
        (0x0aa1, "MCC_Data", b"208"),
        (0x0b00, "Something", b"latitude 48.8577"),
        (0x0a30, "MotionPhoto_Data", &film()),
    ]);
    let place = |needle: &[u8]| {
        let at = trailer.windows(needle.len()).position(|it| it == needle).unwrap() as u64;
        (at, at + needle.len() as u64)
    };
    let (loci, _) = place(b"loci");
    assert_eq!(
        ranges(&found(&trailer)),
        [place(b"208"), place(b"latitude 48.8577"), (loci, place(b"here I am").1)]
    );
}

#[test]
fn records_of_insta360() {
    let mut trailer = b"unknown bytes ".to_vec();
    let before = trailer.len();
    let record =
        |kind: u16, data: &[u8]| [data, &kind.to_le_bytes(), &(data.len() as u32).to_le_bytes()].concat();
    trailer.extend(record(0x300, &[1; 40]));
    let at = trailer.len() as u64;
    trailer.extend(record(0x700, &[2; 53]));
    let last = [4; 16];
    trailer.extend(last);
    let mut tail = vec![0; super::INSTA360_TAIL as usize];
    tail[..2].copy_from_slice(&0x400_u16.to_le_bytes());
    tail[2..6].copy_from_slice(&16_u32.to_le_bytes());
    let length = (trailer.len() - before + tail.len()) as u32;
    tail[38..42].copy_from_slice(&length.to_le_bytes());
    tail[46..].copy_from_slice(super::INSTA360);
    trailer.extend(tail);
    assert_eq!(ranges(&found(&trailer)), [(at, at + 53)]);
    // Records that are longer than the trailer: all of it.
    let at = trailer.len() - 76;
    trailer[at] = 0xff;
    let all = found(&trailer);
    assert_eq!(all[0].what, What::Whole { block: "Insta360's trailer" });
}

#[test]
fn other_bytes_are_left() {
    for trailer in [
        &b""[..],
        b"1234567",
        b"anything at all that nobody knows",
        &[0; 5000],
        b"SEFT",
        b"\0\0\0\0SEFT",
        b"\xff\xff\xff\xffSEFT",
    ] {
        assert_eq!(found(trailer), []);
    }
    assert_eq!(found(b"gpsa\x08\0\0\0abcdefgh").len(), 1);
}

proptest! {
    #[test]
    fn mutated_trailers(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8)) {
        let mut trailer = samsung(&[(0x0aa1, "MCC_Data", b"208"), (0x0a30, "MotionPhoto_Data", &film())]);
        for (at, byte) in changes {
            let at = at.index(trailer.len());
            trailer[at] = byte;
        }
        let mut out = Vec::new();
        let data = trailer.as_slice();
        let _ = find(&Input::new(&data), Section { start: 0, end: trailer.len() as u64 }, &mut out);
        prop_assert!(out.iter().all(|it| it.start < it.end && it.end <= trailer.len() as u64));
    }
}
