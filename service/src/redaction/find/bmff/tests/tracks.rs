//! Samples of timed metadata.

use super::build::{boxed, film, ftyp, full, numbers, tables, trak, wide};
use super::{Unreadable, What, find, place, ranges, report};

/// So long that samples lie behind what describes them; nothing in it is blank.
fn long(mut file: Vec<u8>) -> Vec<u8> {
    assert!(file.len() < 1000);
    file.resize(1400, 9);
    file
}

fn located(tables: &[u8]) -> Vec<u8> {
    trak(1, b"meta", b"gpmd", b"", tables)
}

#[test]
fn samples_by_their_tables() {
    let file = film(&located(&tables(&[10, 20, 5, 5], 2, &[1000, 1200])));
    let file = long(file);
    let found = report(&file).findings;
    assert_eq!(ranges(&found), [(1000, 1030), (1200, 1210)]);
    assert!(found.iter().all(|it| it.what == What::Samples { kind: *b"gpmd" }));
}

#[test]
fn chunks_that_touch_are_one_finding() {
    let file = long(film(&located(&tables(&[10; 4], 2, &[1000, 1020]))));
    assert_eq!(ranges(&report(&file).findings), [(1000, 1040)]);
}

#[test]
fn samples_of_one_size_and_small_sizes() {
    let rules = full(b"stsc", &numbers(&[2, 1, 3, 1, 2, 1, 1]));
    let chunks = full(b"stco", &numbers(&[2, 1000, 1200]));
    let same = full(b"stsz", &numbers(&[7, 4]));
    let nibbles = [&full(b"stz2", &numbers(&[4, 4]))[..]].concat();
    let mut nibbles = nibbles;
    nibbles.extend([0x12, 0x34]);
    let size = nibbles.len() as u32;
    nibbles[..4].copy_from_slice(&size.to_be_bytes());
    let file = |sizes: &[u8]| long(film(&located(&[sizes, &rules, &chunks].concat())));
    assert_eq!(ranges(&report(&file(&same)).findings), [(1000, 1021), (1200, 1207)]);
    assert_eq!(ranges(&report(&file(&nibbles)).findings), [(1000, 1006), (1200, 1204)]);
    let offsets = full(b"co64", &numbers(&[2, 0, 1000, 0, 1200]));
    let file = long(film(&located(&[&same[..], &rules, &offsets].concat())));
    assert_eq!(ranges(&report(&file).findings), [(1000, 1021), (1200, 1207)]);
}

#[test]
fn hostile_tables_stay_within_the_file() {
    let cases = [
        tables(&[u32::MAX; 3], 1, &[0, u32::MAX, 64]),
        [
            full(b"stsz", &numbers(&[1, u32::MAX])),
            full(b"stsc", &numbers(&[1, 1, u32::MAX, 1])),
            full(b"stco", &numbers(&[u32::MAX, 0])),
        ]
        .concat(),
        [
            full(b"stsz", &numbers(&[0, u32::MAX])),
            full(b"stsc", &numbers(&[u32::MAX])),
            full(b"co64", &numbers(&[1, u32::MAX, u32::MAX])),
        ]
        .concat(),
    ];
    for case in cases {
        let file = film(&located(&case));
        for it in report(&file).findings {
            assert!(it.start < it.end && it.end <= file.len() as u64, "{it:?}");
        }
    }
    let without_rules = [full(b"stsz", &numbers(&[4, 4])), full(b"stco", &numbers(&[1, 0]))].concat();
    assert!(matches!(find(&film(&located(&without_rules)).as_slice()), Err(Unreadable::Damaged { .. })));
}

#[test]
fn which_tracks_are_hidden() {
    let tables = tables(&[10], 1, &[1000]);
    let hidden = |handler: &[u8; 4], entry: &[u8; 4], says: &[u8]| {
        let file = long(film(&trak(1, handler, entry, says, &tables)));
        !report(&file).findings.is_empty()
    };
    assert!(hidden(b"camm", b"camm", b""));
    assert!(hidden(b"vide", b"camm", b""));
    assert!(hidden(b"meta", b"rtmd", b""));
    assert!(hidden(b"meta", b"mett", b"application/x-unknown\0"));
    assert!(hidden(b"priv", b"ambr", b""), "of what is unknown");
    assert!(hidden(b"meta", b"mebx", b"mdtacom.apple.quicktime.location.ISO6709"));
    assert!(!hidden(b"meta", b"mebx", b"mdtacom.apple.quicktime.detected-face"));
    assert!(!hidden(b"meta", b"mett", b"application/motionphoto-image\0"));
    assert!(!hidden(b"vide", b"avc1", b""));
    assert!(!hidden(b"soun", b"mp4a", b""));
    assert!(!hidden(b"tmcd", b"tmcd", b""));
    assert!(!hidden(b"sbtl", b"tx3g", b""));
}

#[test]
fn telemetry_in_one_of_many_subtitles() {
    let mut file = film(&trak(1, b"sbtl", b"tx3g", b"", &tables(&[20; 3], 1, &[1000, 1100, 1200])));
    file.extend(boxed(b"mdat", &vec![b'.'; 1292 - file.len()]));
    assert_eq!(report(&file).findings, []);
    file[1200..1220].copy_from_slice(b"\0\x12GPS(2.2950,48.85) ");
    assert_eq!(ranges(&report(&file).findings), [(1000, 1020), (1100, 1120), (1200, 1220)]);
}

/// A fragment that adds two samples to track 1 and one to track 2, in the forms that there are.
fn fragmented(header_flags: u32, trex_size: u32) -> Vec<u8> {
    let trex = |id: u32| full(b"trex", &numbers(&[id, 1, 0, trex_size, 0]));
    let moov = [
        trak(1, b"vide", b"avc1", b"", b""),
        trak(2, b"camm", b"camm", b"", b""),
        boxed(b"mvex", &[trex(1), trex(2)].concat()),
    ]
    .concat();
    let tfhd = |id: u32| boxed(b"tfhd", &numbers(&[header_flags, id]));
    let trun = |at: Option<u32>, sizes: &[u32]| {
        let flags = 0x200 | u32::from(at.is_some());
        let mut body = numbers(&[flags, sizes.len() as u32]);
        body.extend(at.map(|it| it.to_be_bytes()).into_iter().flatten());
        body.extend(numbers(sizes));
        boxed(b"trun", &body)
    };
    let moof = |at: u32| {
        let first = boxed(b"traf", &[tfhd(1), trun(Some(at), &[6, 4])].concat());
        let second = if header_flags & 0x2_0000 == 0 { trun(None, &[5]) } else { trun(Some(at + 10), &[5]) };
        boxed(
            b"moof",
            &[full(b"mfhd", &numbers(&[1])), first, boxed(b"traf", &[tfhd(2), second].concat())].concat(),
        )
    };
    let size = moof(0).len() as u32;
    [ftyp(), boxed(b"moov", &moov), moof(size + 8), boxed(b"mdat", b"videovideoPLACE")].concat()
}

#[test]
fn samples_of_fragments() {
    for flags in [0x2_0000, 0] {
        let file = fragmented(flags, 0);
        assert_eq!(ranges(&report(&file).findings), [place(&file, b"PLACE")], "{flags:x}");
    }
}

#[test]
fn offsets_count_from_the_start_of_an_embedded_film() {
    let inner = long(film(&located(&tables(&[10], 1, &[1000]))));
    let outer = [ftyp(), boxed(b"moov", b""), boxed(b"mpvd", &inner)].concat();
    let at = (outer.len() - inner.len()) as u64 + 1000;
    assert_eq!(ranges(&report(&outer).findings), [(at, at + 10)]);
    let outer = [ftyp(), boxed(b"moov", b""), wide(b"mpvd", &inner)].concat();
    let at = (outer.len() - inner.len()) as u64 + 1000;
    assert_eq!(ranges(&report(&outer).findings), [(at, at + 10)]);
}

/// Of text every chunk is looked at, from its beginning to its end.
#[test]
fn a_position_that_is_told_late_and_once() {
    let film = |telling: &[u8]| {
        let said = [&b"\x1f\x40"[..], &[b'a'; 8000]].concat();
        let telling = [&said[..], &(telling.len() as u16).to_be_bytes(), telling].concat();
        let texts = [said.repeat(100), telling].concat();
        let at = |n: u32| 16 + n * 8002;
        let chunks: Vec<u32> = (0..=100).map(at).collect();
        let sizes = [vec![8002; 100], vec![texts.len() as u32 - 800_200]].concat();
        let mdat = [ftyp_of_8(), boxed(b"mdat", &texts)].concat();
        [mdat, boxed(b"moov", &trak(1, b"text", b"text", b"", &tables(&sizes, 1, &chunks)))].concat()
    };
    fn ftyp_of_8() -> Vec<u8> {
        boxed(b"ftyp", b"")
    }
    assert_eq!(report(&film(b"hello")).findings, []);
    assert!(!report(&film(b"GPS (8.6499, 53.1665)")).findings.is_empty());
}
