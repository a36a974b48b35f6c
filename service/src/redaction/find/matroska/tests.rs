use proptest::prelude::*;

use super::super::{Finding, Format, Unreadable, What, find};

fn element(id: u32, body: &[u8]) -> Vec<u8> {
    let id: Vec<u8> = id.to_be_bytes().into_iter().skip_while(|it| *it == 0).collect();
    let size = (body.len() as u64 | 1 << 56).to_be_bytes();
    [&id[..], &size, body].concat()
}

fn open(id: u32, body: &[u8]) -> Vec<u8> {
    [&id.to_be_bytes()[..], &[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], body].concat()
}

fn simple(name: &str, value: &str) -> Vec<u8> {
    element(
        super::SIMPLE_TAG,
        &[element(super::TAG_NAME, name.as_bytes()), element(super::TAG_STRING, value.as_bytes())].concat(),
    )
}

fn tags(simple: &[u8]) -> Vec<u8> {
    element(super::TAGS, &element(super::TAG, simple))
}

fn file(segment: &[u8]) -> Vec<u8> {
    [element(super::EBML, b"\x42\x82\x84webm"), element(super::SEGMENT, segment)].concat()
}

fn place(file: &[u8], needle: &str) -> (u64, u64) {
    let at = file.windows(needle.len()).position(|it| it == needle.as_bytes()).unwrap() as u64;
    (at, at + needle.len() as u64)
}

fn found(file: &[u8]) -> Vec<(u64, u64)> {
    find(&file).unwrap().findings.iter().map(|it| (it.start, it.end)).collect()
}

#[test]
fn values_of_tags_by_name() {
    let all = [
        simple("TITLE", "title"),
        simple("Recording_Location", "Paris"),
        simple("MINE", "+48.8577+002.2950/"),
    ];
    let made = file(&tags(&all.concat()));
    let report = find(&made.as_slice()).unwrap();
    assert_eq!(report.format, Format::Matroska);
    assert_eq!(found(&made), [place(&made, "Paris"), place(&made, "+48.8577+002.2950/")]);
    assert_eq!(report.findings[0].what, What::Tag { name: "Recording_Location".to_owned() });
}

#[test]
fn checksums_become_void() {
    let sum = |body: &[u8]| [b"\xbf\x84SUM!", body].concat();
    let long = |body: &[u8]| [b"\xbf\x10\0\0\x04SUM!", body].concat();
    let tag = element(super::TAG, &sum(&[simple("LOCATION", "Paris"), simple("TITLE", "x")].concat()));
    let others = element(super::TAGS, &sum(&element(super::TAG, &sum(&simple("TITLE", "y")))));
    let made = file(&long(&[element(super::TAGS, &sum(&tag)), others].concat()));
    let mut copy = made.clone();
    for it in find(&made.as_slice()).unwrap().findings {
        it.fill.fill(&mut copy[it.start as usize..it.end as usize]);
    }
    let count = |of: &[u8]| copy.windows(of.len()).filter(|it| *it == of).count();
    assert_eq!(count(b"\xec\x84\0\0\0\0"), 2);
    assert_eq!(count(b"\xec\x10\0\0\x04\0\0\0\0"), 1);
    assert_eq!(count(b"\xbf\x84SUM!"), 2, "of what is as it was");
}

#[test]
fn tags_within_a_tag_of_a_location() {
    let name = element(super::TAG_NAME, b"LOCATION");
    let nested = element(super::SIMPLE_TAG, &[name, simple("CITY", "Paris")].concat());
    let made = file(&tags(&[nested, simple("CITY", "Rome")].concat()));
    assert_eq!(found(&made), [place(&made, "Paris")]);
}

#[test]
fn tags_behind_clusters_of_open_size() {
    let cluster = open(super::CLUSTER, &[element(0xe7, b"\0"), element(0xa3, b"some video")].concat());
    let inner = [&cluster[..], &cluster, &tags(&simple("LOCATION", "Paris"))].concat();
    for made in [file(&inner), [element(super::EBML, b""), open(super::SEGMENT, &inner)].concat()] {
        assert_eq!(found(&made), [place(&made, "Paris")]);
    }
}

#[test]
fn padding_and_damage() {
    let good = tags(&simple("TITLE", "x"));
    assert_eq!(found(&file(&[&good[..], &[0; 64]].concat())), []);
    let bad = file(&[&good[..], &[0, 1, 2, 3], &tags(&simple("LOCATION", "Paris"))].concat());
    assert!(matches!(find(&bad.as_slice()), Err(Unreadable::Damaged { .. })));
    // Within a tag the bounds are known.
    let mut tag = simple("LOCATION", "Paris");
    tag.extend([0, 0, 1, 2]);
    let made = file(&tags(&tag));
    assert!(found(&made).contains(&place(&made, "Paris")));
    let cut = file(&[good, open(super::CLUSTER, &element(0xa3, b"some video"))].concat());
    for length in 40..cut.len() {
        let _ = find(&&cut[..length]);
    }
}

fn inside(findings: &[Finding], length: usize) {
    assert!(findings.iter().all(|it| it.start < it.end && it.end <= length as u64), "{findings:?}");
}

proptest! {
    #[test]
    fn mutated_files(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let cluster = open(super::CLUSTER, &element(0xa3, b"some video"));
        let attached = element(super::ATTACHMENTS, &element(super::ATTACHED_FILE, &element(super::FILE_DATA, b"\xff\xd8\xff\xe0")));
        let mut made = file(&[cluster, tags(&simple("LOCATION", "Paris")), attached].concat());
        for (at, byte) in changes {
            let at = at.index(made.len());
            made[at] = byte;
        }
        if let Ok(report) = find(&made.as_slice()) {
            inside(&report.findings, made.len());
        }
    }
}
