use proptest::prelude::*;

use super::*;
use crate::redaction::find::samples::{IN_GPS, IN_XMP, XMP, exif, found, hidden};

fn dataset(record: u8, number: u8, value: &[u8]) -> Vec<u8> {
    [&[0x1c, record, number], &(value.len() as u16).to_be_bytes()[..], value].concat()
}

fn resource(id: u16, data: &[u8]) -> Vec<u8> {
    let pad = vec![0; data.len() % 2];
    [b"8BIM", &id.to_be_bytes()[..], b"\x03nam", &(data.len() as u32).to_be_bytes(), data, &pad].concat()
}

#[test]
fn the_datasets_of_places() {
    let mut data = Vec::new();
    for number in [5, 26, 27, 80, 90, 92, 95, 100, 101, 105] {
        data.extend(dataset(2, number, format!("value {number}").as_bytes()));
    }
    data.extend(dataset(1, 90, b"another record"));
    let findings = found(&data, find);
    let wanted: Vec<_> =
        [26, 27, 90, 92, 95, 100, 101].iter().map(|number| format!("value {number}")).collect();
    assert_eq!(hidden(&data, &findings), wanted.iter().map(String::as_bytes).collect::<Vec<_>>());
    assert_eq!(findings[2].what, What::Iptc { dataset: (2, 90) });
}

#[test]
fn extended_lengths_gaps_and_cut_off_values() {
    let mut data = b"\x1c\x02\x5a\x80\x04\0\0\0\x04city".to_vec();
    data.extend(b"gap");
    data.extend(dataset(2, 101, b"country"));
    data.extend(b"\x1c\x02\x5a\x40\0cut off");
    assert_eq!(hidden(&data, &found(&data, find)), [&b"city"[..], b"country", b"cut off"]);
}

#[test]
fn a_record_with_swapped_bytes_is_hidden_as_a_whole() {
    let data = b"\x00\x5a\x02\x1cytic";
    assert_eq!(hidden(data, &found(data, find)), [data]);
}

#[test]
fn resources_of_photoshop() {
    let data = [
        resource(0x03ed, b"resolution"),
        resource(0x0404, &dataset(2, 90, b"city")),
        resource(0x0425, b"0123456789abcdef"),
        resource(0x0422, &exif(true)),
        resource(0x0424, XMP),
    ]
    .concat();
    let findings = found(&data, resources);
    assert_eq!(
        hidden(&data, &findings),
        [&b"city"[..], b"0123456789abcdef", IN_GPS[0], IN_GPS[1], IN_GPS[2], IN_XMP]
    );
    assert_eq!(findings[1].what, What::Digest { name: DIGEST });
}

#[test]
fn what_is_no_resource_is_hidden_unless_it_is_padding() {
    let good = resource(0x03ed, b"resolution");
    let data = [&good[..], b"something else"].concat();
    assert_eq!(hidden(&data, &found(&data, resources)), [b"something else"]);
    let data = [&good[..], &[0; 20]].concat();
    assert_eq!(found(&data, resources), []);
}

proptest! {
    #[test]
    fn ranges_lie_in_the_record(data in prop::collection::vec(prop::sample::select(b"\x1c\x02\x5a\0\x04\x808BIM\xff".to_vec()), 0..200)) {
        for findings in [found(&data, find), found(&data, resources)] {
            for finding in findings {
                prop_assert!(finding.start < finding.end && finding.end <= data.len() as u64);
            }
        }
    }
}
