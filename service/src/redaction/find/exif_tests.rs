use proptest::prelude::*;

use super::*;
use crate::redaction::find::samples::{
    IN_GPS, IN_XMP, Value, XMP, exif, found, gps, hidden, jpeg, segment, tiff,
};

#[test]
fn values_in_and_out_of_line_in_both_byte_orders() {
    for big_endian in [true, false] {
        let data = exif(big_endian);
        let findings = found(&data, find);
        assert_eq!(hidden(&data, &findings), IN_GPS);
        assert_eq!(findings[0].what, What::ExifGps { tag: 1 });
    }
}

#[test]
fn big_tiff() {
    let first = vec![(0x8825, Value::Ifd(1))];
    let data = tiff(true, true, &[(first, None), (gps(), None)]);
    // Eight bytes fit into an entry.
    assert_eq!(hidden(&data, &found(&data, find)), [b"N\0\0\0\0\0\0\0", IN_GPS[1], IN_GPS[2]]);
}

#[test]
fn every_ifd_is_looked_at() {
    // IFD0, IFD1 behind it, a subordinate one, EXIF's: each has a GPS IFD of its own.
    let pointer = |to: usize| (0x8825, Value::Ifd(to));
    let ifds = [
        (vec![pointer(4), (0x014a, Value::Ifd(2)), (0x8769, Value::Ifd(3))], Some(1)),
        (vec![pointer(5)], None),
        (vec![pointer(6)], None),
        (vec![pointer(7)], None),
        (gps(), None),
        (gps(), None),
        (gps(), None),
        (gps(), None),
    ];
    let data = tiff(false, false, &ifds);
    assert_eq!(found(&data, find).len(), 4 * IN_GPS.len());
}

#[test]
fn loops_end() {
    let data = tiff(true, false, &[(vec![(0x8825, Value::Ifd(0)), (0x8769, Value::Ifd(0))], Some(0))]);
    // Taken for a GPS IFD it has two values, the offsets in it.
    assert_eq!(found(&data, find).len(), 2);
}

#[test]
fn a_value_that_reaches_beyond_the_end_is_hidden_as_far_as_it_goes() {
    let mut data = exif(true);
    data.truncate(data.len() - 10);
    assert_eq!(hidden(&data, &found(&data, find)), [b"N\0\0\0", &IN_GPS[1][..22]]);
}

#[test]
fn what_is_zero_is_not_found() {
    let mut data = exif(true);
    for finding in found(&data, find) {
        data[finding.start as usize..finding.end as usize].fill(0);
    }
    assert_eq!(found(&data, find), []);
}

#[test]
fn blocks_of_other_kinds_in_tags() {
    let thumbnail = jpeg(&[segment(0xe1, &[b"Exif\0\0", &exif(false)])]);
    let length = (thumbnail.len() as u32).to_be_bytes().to_vec();
    let first = vec![
        (0x02bc, Value::Plain(1, XMP.to_vec())),
        (0x83bb, Value::Plain(7, b"\x1c\x02\x5a\0\x04city\x1c\x02\x69\0\x04head".to_vec())),
        (0x8482, Value::Plain(12, b"tie points......".to_vec())),
        // Not taken for numbers by anybody who reads them as bytes.
        (0xfffe, Value::Plain(7, thumbnail.clone())),
    ];
    let mut data = tiff(
        true,
        false,
        &[(first.clone(), Some(1)), (vec![(0x0202, Value::Plain(4, length.clone()))], None)],
    );
    let at = data.windows(4).position(|window| window == &thumbnail[..4]).unwrap() as u32;
    // With IFD1's offset of the thumbnail everything moves by one entry, which is twelve bytes behind the first IFD.
    let second =
        vec![(0x0201, Value::Plain(4, at.to_be_bytes().to_vec())), (0x0202, Value::Plain(4, length))];
    data = tiff(true, false, &[(first, Some(1)), (second, None)]);
    let findings = found(&data, find);
    let mut all = hidden(&data, &findings);
    all.sort_unstable();
    let mut wanted = vec![IN_XMP, b"city", b"tie points......", IN_GPS[0], IN_GPS[1], IN_GPS[2]];
    wanted.sort_unstable();
    assert_eq!(all, wanted);
}

#[test]
fn makers_notes_with_place_names() {
    // Panasonic's counts from the structure's beginning; this one's values are in their entries.
    let entry = |tag: u16, text: &[u8; 4]| [&tag.to_be_bytes()[..], &[0, 2, 0, 0, 0, 4], text].concat();
    let note = [&b"Panasonic\0\0\0\0\x02"[..], &entry(0x6d, b"City"), &entry(0x51, b"Lens")].concat();
    let data = tiff(true, false, &[(vec![(0x927c, Value::Plain(7, note))], None)]);
    assert_eq!(hidden(&data, &found(&data, find)), [b"City"]);
    let note = [&b"LEICA\0\0\0\0\x02"[..], &entry(0x69, b"Land"), &entry(0x51, b"Lens")].concat();
    let data = tiff(true, false, &[(vec![(0x927c, Value::Plain(7, note))], None)]);
    assert_eq!(hidden(&data, &found(&data, find)), [b"Land"]);

    // Samsung's has no header, its own order of bytes, and offsets that count from either place.
    let note = |at: u32| {
        let first = b"\x02\0\x01\0\x07\0\x04\0\0\x000100\x31\0\x02\0\x0c\0\0\0";
        [&first[..], &at.to_le_bytes(), &[0; 4], b"secret place"].concat()
    };
    let whole = |note| tiff(true, false, &[(vec![(0x927c, Value::Plain(7, note))], None)]);
    let at = (whole(note(0)).len() - note(0).len()) as u32;
    for offset in [30, at + 30] {
        let data = whole(note(offset));
        let findings = found(&data, find);
        assert_eq!(hidden(&data, &findings).last(), Some(&&b"secret place"[..]));
        // Where it may be too is in the note as well, so that all else is as it was.
        assert!(findings.iter().all(|it| it.start >= u64::from(at)), "{findings:?}");
    }

    // Nikon's has a header of its own.
    let own = tiff(false, false, &[(vec![(0x39, Value::Plain(7, b"location info".to_vec()))], None)]);
    let note = [&b"Nikon\0\x02\x11\0\0"[..], &own].concat();
    let data = tiff(true, false, &[(vec![(0x927c, Value::Plain(7, note))], None)]);
    assert_eq!(hidden(&data, &found(&data, find)), [b"location info"]);
}

#[test]
fn magics_of_raw_formats() {
    for magic in [&b"IIRO"[..], b"IIRS", b"IIU\0", b"II\xbc\x01"] {
        let mut data = exif(false);
        data[..4].copy_from_slice(magic);
        assert_eq!(found(&data, find).len(), IN_GPS.len(), "{magic:?}");
    }
}

proptest! {
    #[test]
    fn damaged_structures(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8), cut in 0usize..40) {
        let mut data = exif(true);
        for (at, byte) in changes {
            let at = at.index(data.len());
            data[at] = byte;
        }
        data.truncate(data.len() - cut);
        for finding in found(&data, find) {
            prop_assert!(finding.start < finding.end && finding.end <= data.len() as u64);
        }
    }
}
