//! Files that are made to cost or to break something.

use std::cell::Cell;
use std::io;

use proptest::prelude::*;

use super::super::super::{Finding, ReadAt, Unreadable, find};
use super::build::{POINT, boxed, film, ftyp, full, hdlr, keys, numbers, tables, trak};

/// A few bytes at the start of a file that claims to be long, of which it says how much was read.
struct Sparse {
    head: Vec<u8>,
    length: u64,
    reads: Cell<u64>,
    bytes: Cell<u64>,
}

impl ReadAt for Sparse {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.reads.set(self.reads.get() + 1);
        let there = self.length.saturating_sub(offset).min(buffer.len() as u64) as usize;
        self.bytes.set(self.bytes.get() + there as u64);
        for (at, byte) in (offset..).zip(buffer[..there].iter_mut()) {
            *byte = self.head.get(at as usize).copied().unwrap_or(0);
        }
        Ok(there)
    }
}

fn cost(head: Vec<u8>) -> (u64, u64) {
    let file = Sparse { head, length: 4 << 30, reads: Cell::new(0), bytes: Cell::new(0) };
    if let Ok(report) = find(&file) {
        inside(&report.findings, file.length);
    }
    (file.reads.get(), file.bytes.get())
}

fn inside(findings: &[Finding], length: u64) {
    for it in findings {
        assert!(it.start < it.end && it.end <= length, "{it:?} in {length}");
    }
}

/// In a file of 4 GiB, sizes that lie cost a few hundred short reads: no media data is read for them.
#[test]
fn four_gibibytes_with_hostile_sizes() {
    let long = |kind: &[u8; 4], size: u32| [&size.to_be_bytes()[..], kind].concat();
    let huge = |kind: &[u8; 4], size: u64| [&1_u32.to_be_bytes()[..], kind, &size.to_be_bytes()].concat();
    let all = u32::MAX;
    let heads: Vec<Vec<u8>> = vec![
        [
            ftyp(),
            long(b"moov", all),
            long(b"trak", all),
            long(b"mdia", all),
            long(b"minf", all),
            long(b"stbl", all),
        ]
        .concat(),
        [ftyp(), long(b"moov", 0), long(b"udta", 0), long(b"meta", 0)].concat(),
        [ftyp(), huge(b"moov", u64::MAX), huge(b"udta", u64::MAX - 7), huge(b"loci", 1 << 63)].concat(),
        [ftyp(), huge(b"mdat", 3 << 30)].concat(),
        [ftyp(), boxed(b"moov", b""), huge(b"mdat", 3 << 30)].concat(),
        [ftyp(), long(b"uuid", all)].concat(),
        [ftyp(), long(b"free", all), long(b"gps ", all)].concat(),
        [ftyp(), long(b"abcd", all)].concat(),
        [ftyp(), full(b"meta", &hdlr(b"pict")), long(b"mdat", 0)].concat(),
        [
            &[0x1a, 0x45, 0xdf, 0xa3, 0x80, 0x18, 0x53, 0x80, 0x67][..],
            &[0xff; 8],
            &[0x1f, 0x43, 0xb6, 0x75, 0x08, 0, 0, 0, 0xff, 0, 0, 0],
        ]
        .concat(),
        [
            &[0x1a, 0x45, 0xdf, 0xa3, 0x80, 0x18, 0x53, 0x80, 0x67, 0x01][..],
            &[0xff; 7],
            &[0x12, 0x54, 0xc3, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ]
        .concat(),
    ];
    for (number, head) in heads.into_iter().enumerate() {
        let (reads, bytes) = cost(head);
        assert!(reads < 1000 && bytes < 6 << 20, "{number}: {reads} reads of {bytes} bytes");
    }
}

/// Tables that claim four thousand million entries are read no further than they reach, and never beyond the budget.
#[test]
fn four_gibibytes_with_hostile_tables() {
    let all = u32::MAX;
    let table = |kind: &[u8; 4], body: &[u32]| {
        [&(1_u32 << 28).to_be_bytes()[..], kind, &[0; 4], &numbers(body)].concat()
    };
    for (kind, body) in [(b"stco", &[all][..]), (b"stsz", &[0, all]), (b"stz2", &[4, all]), (b"stsc", &[all])]
    {
        let (reads, bytes) =
            cost([ftyp(), boxed(b"moov", &trak(1, b"camm", b"camm", b"", &table(kind, body)))].concat());
        assert!(reads < 20_000 && bytes <= 64 << 20, "{reads} reads of {bytes} bytes");
    }
}

#[test]
fn nesting_without_end() {
    let mut file = boxed(b"loci", b"x");
    for _ in 0..2000 {
        file = boxed(b"udta", &file);
    }
    let file = [ftyp(), boxed(b"moov", &file)].concat();
    inside(&find(&file.as_slice()).unwrap().findings, file.len() as u64);
    let mut film = film(b"");
    for _ in 0..200 {
        film = [ftyp(), boxed(b"moov", b""), boxed(b"mpvd", &film)].concat();
    }
    inside(&find(&film.as_slice()).unwrap().findings, film.len() as u64);
}

/// A bit of everything.
fn rich() -> Vec<u8> {
    let udta = boxed(
        b"udta",
        &[boxed(b"loci", b"\0\0\0\0here"), boxed(b"\xa9xyz", POINT), boxed(b"abcd", b"GPS II*\0\x08\0\0\0")]
            .concat(),
    );
    let meta = full(b"meta", &[hdlr(b"mdta"), keys(&[("location", POINT), ("make", b"Maker")])].concat());
    let camm = trak(1, b"camm", b"camm", b"", &tables(&[10; 6], 2, &[40, 80, 120]));
    let text = trak(2, b"sbtl", b"tx3g", b"", &tables(&[20; 3], 1, &[10, 50, 90]));
    let infe = boxed(b"infe", b"\x02\0\0\0\0\x01\0\0Exif\0");
    let items = full(
        b"meta",
        &[
            hdlr(b"pict"),
            boxed(b"iinf", &[&[0, 0, 0, 0, 0, 1], &infe[..]].concat()),
            boxed(b"iloc", b"\0\0\0\0\x44\0\0\x01\0\x01\0\0\0\x01\0\0\0\x20\0\0\0\x40"),
        ]
        .concat(),
    );
    let trun = boxed(b"trun", &numbers(&[0x301, 2, 60, 1, 8, 1, 9]));
    let moof = boxed(b"moof", &boxed(b"traf", &[boxed(b"tfhd", &numbers(&[0x2_0000, 1])), trun].concat()));
    let gps = full(b"gps ", &numbers(&[2, 16, 64, 64, 64]));
    [
        film(&[camm, text, udta, meta, gps].concat()),
        items,
        moof,
        boxed(b"free", &boxed(b"gps ", b"$GPRMC,1")),
        boxed(b"mpvd", &film(b"")),
    ]
    .concat()
}

proptest! {
    #[test]
    fn random_boxes(tail in prop::collection::vec(any::<u8>(), 0..600)) {
        let file = [&ftyp()[..], b"\0\0\0\0moov", &tail].concat();
        if let Ok(report) = find(&file.as_slice()) {
            inside(&report.findings, file.len() as u64);
        }
    }

    #[test]
    fn mutated_files(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), cut in any::<prop::sample::Index>()) {
        let mut file = rich();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        for file in [&file[..], &file[..cut.index(file.len())]] {
            if let Ok(report) = find(&file) {
                inside(&report.findings, file.len() as u64);
            }
        }
    }

    /// Once hidden, the place is not found again (a part that holds none may still be of a kind that is hidden).
    #[test]
    fn what_is_hidden_stays_hidden(extra in 0usize..64) {
        let mut file = [rich(), boxed(b"free", &vec![0; extra])].concat();
        for it in find(&file.as_slice()).unwrap().findings {
            it.fill.fill(&mut file[it.start as usize..it.end as usize]);
        }
        prop_assert!(!file.windows(POINT.len()).any(|it| it == POINT));
    }
}

/// Items and their places are joined by their numbers: pairs of them would be ten thousand millions.
#[test]
fn many_items_in_many_places() {
    let picture = |infe: &[u8], place: &[u8], many: u32| {
        let infe = boxed(b"infe", infe).repeat(many as usize);
        let iinf = boxed(b"iinf", &[&b"\x01\0\0\0"[..], &numbers(&[many]), &infe].concat());
        let places = place.repeat(many as usize);
        let iloc = boxed(b"iloc", &[&b"\x02\0\0\0\0\0"[..], &numbers(&[many]), &places].concat());
        [boxed(b"ftyp", b"heic\0\0\0\0mif1"), full(b"meta", &[hdlr(b"pict"), iinf, iloc].concat())].concat()
    };
    let (infe, other) = (b"\0\0\0\0\0\x07\0\0", b"\0\0\0\0\0\x01\0\0");
    let place = b"\0\0\0\x07\0\0\0\0\0\0";
    assert_eq!(find(&picture(other, place, 100_000)).unwrap().findings, []);
    // Where they do meet each pair is a step.
    assert!(matches!(find(&picture(infe, place, 3000)), Err(Unreadable::TooMuch)));
}
