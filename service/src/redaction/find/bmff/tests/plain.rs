//! Boxes and keys.

use super::build::{POINT, boxed, data, film, ftyp, full, hdlr, keys, numbers, wide};
use super::{Format, Unreadable, What, find, place, ranges, redacted, report};

#[test]
fn boxes_of_locations_are_hidden_from_their_type_on() {
    for kind in [b"loci", b"\xa9xyz", b"gps ", b"gps0", b"@xyz"] {
        let file = film(&boxed(b"udta", &boxed(kind, b"\0\x0chere I am!!")));
        let (at, _) = place(&file, kind);
        let (_, end) = place(&file, b"here I am!!");
        let found = report(&file);
        assert_eq!(found.format, Format::IsoBmff);
        assert_eq!(ranges(&found.findings), [(at, end)], "{kind:?}");
        assert_eq!(found.findings[0].what, What::Box { kind: *kind });
    }
}

#[test]
fn a_wide_box_keeps_its_size() {
    let file = film(&boxed(b"udta", &wide(b"loci", b"here I am")));
    let (at, _) = place(&file, b"loci");
    let body = place(&file, b"here I am");
    assert_eq!(ranges(&report(&file).findings), [(at, at + 4), body]);
    assert_eq!(report(&redacted(&file)).findings, []);
}

#[test]
fn a_box_to_the_end_of_the_file() {
    let mut file = [ftyp(), boxed(b"moov", b"")].concat();
    let at = file.len() as u64;
    file.extend(boxed(b"GPS ", b"anything"));
    file[at as usize + 3] = 0;
    assert_eq!(ranges(&report(&file).findings), [(at + 4, file.len() as u64)]);
}

#[test]
fn values_of_keys() {
    let pairs: [(&str, &[u8]); 5] = [
        ("com.apple.quicktime.make", b"Maker"),
        ("com.apple.quicktime.location.ISO6709", b"somewhere"),
        ("com.android.capture.fps", b"30"),
        ("org.example.mine", POINT),
        ("com.apple.quicktime.location.name", b"Eiffel"),
    ];
    let plain = boxed(b"meta", &[hdlr(b"mdta"), keys(&pairs)].concat());
    let iso = full(b"meta", &[hdlr(b"mdta"), keys(&pairs)].concat());
    for meta in [plain, iso] {
        for file in [film(&meta), film(&boxed(b"udta", &meta)), [ftyp(), meta.clone()].concat()] {
            let found = report(&file).findings;
            let expected = [b"somewhere", POINT, b"Eiffel"].map(|it| place(&file, it));
            assert_eq!(ranges(&found), expected);
            assert_eq!(found[0].what, What::Key { name: "com.apple.quicktime.location.ISO6709".to_owned() });
        }
    }
}

#[test]
fn keys_count_for_lists_that_have_none() {
    // FFmpeg keeps the keys that it saw last.
    let first = boxed(b"meta", &[hdlr(b"mdta"), keys(&[("location", b"")])].concat());
    let list = boxed(b"ilst", &boxed(&1_u32.to_be_bytes(), &data(b"somewhere")));
    let file = film(&[first, boxed(b"meta", &[hdlr(b"mdta"), list].concat())].concat());
    assert_eq!(ranges(&report(&file).findings), [place(&file, b"somewhere")]);
}

#[test]
fn entries_of_itunes() {
    let own = |name: &[u8], value: &[u8]| {
        let mean = full(b"mean", b"com.example");
        boxed(b"----", &[mean, full(b"name", name), data(value)].concat())
    };
    let list = boxed(
        b"ilst",
        &[
            boxed(b"\xa9nam", &data(b"title")),
            boxed(b"\xa9xyz", &data(b"abc")),
            own(b"GPS position", b"somewhere"),
            own(b"mood", b"good"),
        ]
        .concat(),
    );
    let file = film(&boxed(b"udta", &full(b"meta", &[hdlr(b"mdir"), list].concat())));
    let (xyz, _) = place(&file, b"\xa9xyz");
    let (_, end) = place(&file, b"abc");
    assert_eq!(ranges(&report(&file).findings), [(xyz, end), place(&file, b"somewhere")]);
}

#[test]
fn free_space_of_a_dashboard_camera() {
    let file =
        [film(b""), boxed(b"free", &[boxed(b"cprt", b"x"), boxed(b"gps ", b"$GPRMC,")].concat())].concat();
    let (at, _) = place(&file, b"gps ");
    assert_eq!(ranges(&report(&file).findings), [(at, file.len() as u64)]);
    let file = [film(b""), boxed(b"free", &[0; 4096])].concat();
    assert_eq!(report(&file).findings, []);
}

#[test]
fn blocks_of_makers_that_speak_of_a_location() {
    for kind in [b"uuid", b"abcd"] {
        let file = film(&boxed(b"udta", &boxed(kind, b"0123456789abcdefGPSLatitude=1")));
        let (at, _) = place(&file, kind);
        let (_, end) = place(&file, b"GPSLatitude=1");
        assert_eq!(ranges(&report(&file).findings), [(at, end)]);
    }
    let file = film(&boxed(b"udta", &boxed(b"\xa9mod", b"\0\x09\0\0GPSMAP 66")));
    assert_eq!(report(&file).findings, []);
}

#[test]
fn what_cannot_be_told_apart_is_hidden() {
    let rest = [&numbers(&[5])[..], b"abcd something"].concat();
    let file = film(&boxed(b"udta", &[boxed(b"name", b"x"), rest].concat()));
    let (at, end) = place(&file, b"abcd something");
    assert_eq!(ranges(&report(&file).findings), [(at - 4, end)]);
    // QuickTime ends lists of user data with a zero.
    let file = film(&boxed(b"udta", &[boxed(b"name", b"x"), vec![0; 4]].concat()));
    assert_eq!(report(&file).findings, []);
}

#[test]
fn media_data_with_an_open_end() {
    let open = |size: u32| [&size.to_be_bytes()[..], b"mdat", &[1; 32]].concat();
    for size in [0, 0x3f3f_3f3f] {
        let recording = [ftyp(), open(size)].concat();
        assert!(matches!(find(&recording.as_slice()), Err(Unreadable::Damaged { .. })));
        let truncated = [ftyp(), boxed(b"moov", &boxed(b"loci", b"x")), open(size)].concat();
        assert_eq!(report(&truncated).findings.len(), 1);
        let fragment = [boxed(b"styp", b"msdh"), boxed(b"moof", b""), open(size)].concat();
        assert_eq!(report(&fragment).findings, []);
    }
    // Placeholders of a writer that ends the data later.
    let wide = [&ftyp()[..], &1_u32.to_be_bytes(), b"mdat", b"????????", &[1; 32]].concat();
    assert!(matches!(find(&wide.as_slice()), Err(Unreadable::Damaged { .. })));
}

#[test]
fn other_files_are_left_alone() {
    for file in [
        &b""[..],
        b"short",
        b"\0\0\0\x20abcd of no known kind, but long enough",
        &[0; 64],
        b"loci is no file",
    ] {
        assert_eq!(report(file).format, Format::Other);
        assert_eq!(report(file).findings, []);
    }
}

#[test]
fn films_in_pictures() {
    let film = film(&boxed(b"udta", &boxed(b"loci", b"here I am")));
    let heif =
        [boxed(b"ftyp", b"heic\0\0\0\0mif1heic"), full(b"meta", &hdlr(b"pict")), boxed(b"mpvd", &film)]
            .concat();
    let (at, _) = place(&heif, b"loci");
    let (_, end) = place(&heif, b"here I am");
    let found = report(&heif);
    assert_eq!((found.format, ranges(&found.findings)), (Format::Heif, vec![(at, end)]));
}

#[test]
fn blocks_in_media_data_that_no_table_lists() {
    let mut file = [ftyp(), boxed(b"moov", b"")].concat();
    let mut media = vec![1; 0x30000];
    let at = 0x18000;
    let within = at - file.len() - 8;
    media[within..within + 12].copy_from_slice(b"\0\0\x80\0freeGPS ");
    file.extend(boxed(b"mdat", &media));
    assert_eq!(ranges(&report(&file).findings), [(at as u64, at as u64 + 0x8000)]);
}

#[test]
fn boxes_before_the_first_that_is_known() {
    let film = film(&boxed(b"udta", &boxed(b"\xa9xyz", POINT)));
    for first in [boxed(b"junk", b""), boxed(b"pict", b"x"), boxed(b"\0abc", b"whatever")] {
        let file = [first, film.clone()].concat();
        assert_eq!(report(&file).format, Format::IsoBmff);
        let (start, end) = place(&file, POINT);
        assert!(report(&file).findings.iter().any(|it| it.start <= start && end <= it.end), "{file:?}");
    }
}

#[test]
fn blocks_of_unknown_make_are_searched_to_their_end() {
    let says = [&vec![0; 300 << 10][..], b"{\"exif:GPSLatitude\":\"1,2N\"}"].concat();
    let uuid = [&[7; 16][..], &says].concat();
    for (file, hides) in [
        ([film(b""), boxed(b"uuid", &uuid)].concat(), true),
        ([film(b""), boxed(b"uuid", &uuid[..300 << 10])].concat(), false),
        (film(&boxed(b"abcd", &says)), true),
        (film(&boxed(b"trak", &boxed(b"abcd", &says))), true),
        ([film(b""), boxed(b"free", &says)].concat(), true),
    ] {
        assert_eq!(!report(&file).findings.is_empty(), hides);
    }
}
