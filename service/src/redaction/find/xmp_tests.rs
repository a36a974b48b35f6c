use proptest::prelude::*;

use super::*;
use crate::redaction::find::finding::Fill;

const EXIF: &str = "xmlns:e='http://ns.adobe.com/exif/1.0/'";

fn findings(data: &[u8]) -> Vec<Finding> {
    let input = Input::new(&data);
    let mut out = Vec::new();
    find(&input, input.whole(), &mut out).unwrap();
    out
}

fn hidden(text: &str) -> Vec<String> {
    let mut all: Vec<_> = findings(text.as_bytes());
    all.sort_by_key(|finding| finding.start);
    all.iter().map(|finding| text[finding.start as usize..finding.end as usize].to_owned()).collect()
}

#[test]
fn elements_and_attributes_under_any_prefix() {
    let text = format!(
        "<?xpacket begin=''?><r {EXIF} e:GPSLatitude='1N' e:Flash='x'><e:GPSLongitude>2<b/>E</e:GPSLongitude></r>\0\0"
    );
    assert_eq!(hidden(&text), ["1N", "2<b/>E"]);
    assert!(findings(text.as_bytes()).iter().all(|finding| finding.fill == Fill::Space));
}

#[test]
fn a_prefix_means_what_it_is_bound_to_here() {
    let city = "<p:City>a</p:City>";
    let text = format!(
        "<r xmlns:p='urn:x'>{city}<s xmlns:p=\"http://ns.adobe.com/photoshop/1.0/\"><p:City>b</p:City></s>{city}\
         <t xmlns='http://ns.adobe.com/photoshop/1.0/' City='d'><City>c</City></t></r>"
    );
    assert_eq!(hidden(&text), ["b", "c"]);
}

#[test]
fn the_fields_of_a_structure_in_rdf_short_form() {
    let text = "<r xmlns:i='http://iptc.org/std/Iptc4xmpExt/2008-02-29/' xmlns:rdf='urn:rdf'>\
                <i:LocationCreated rdf:parseType='Resource' z:Planet='Earth' rdf:value='v'/>\
                <i:LocationShown><rdf:li>x</rdf:li></i:LocationShown></r>";
    assert_eq!(hidden(text), ["Earth", "v", "<rdf:li>x</rdf:li>"]);
}

#[test]
fn what_is_blank_is_not_found() {
    assert!(
        hidden(&format!("<r {EXIF} e:GPSLatitude='  '><e:GPSLongitude> \0\n</e:GPSLongitude></r>"))
            .is_empty()
    );
    assert!(hidden("  \0\0").is_empty());
}

#[test]
fn what_is_not_well_formed_is_hidden_as_a_whole() {
    for text in ["<a><b></a></b>", "<a>", "text", "<!DOCTYPE a><a/>", "<a></a></a>"] {
        assert_eq!(hidden(text), [text]);
    }
}

#[test]
fn wide_characters_are_counted_in_bytes() {
    let text = format!("<ü {EXIF} e:GPSLatitude='7N'/>");
    let at = text.chars().position(|c| c == '7').unwrap() as u64;
    let check = |data: Vec<u8>, width: u64| {
        let found = findings(&data);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].start, found[0].end), (at * width, (at + 2) * width));
        assert_eq!(found[0].what, What::Xmp { property: "GPSLatitude".into() });
    };
    let utf16: Vec<u16> = text.encode_utf16().collect();
    check(utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect(), 2);
    check(utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect(), 2);
    check(text.chars().flat_map(|c| (c as u32).to_be_bytes()).collect(), 4);
    check(text.chars().flat_map(|c| (c as u32).to_le_bytes()).collect(), 4);
}

#[test]
fn depth_and_bindings_are_bounded() {
    let deep = "<a>".repeat(1000) + &"</a>".repeat(1000);
    assert_eq!(hidden(&deep), [deep.as_str()]);
    let wide = format!("<a {}/>", (0..1000).map(|n| format!(" xmlns:p{n}='u'")).collect::<String>());
    assert_eq!(hidden(&wide), [wide.as_str()]);
}

proptest! {
    #[test]
    fn ranges_lie_in_the_packet(data in prop::collection::vec(prop::sample::select(b"<>/='\": ae?!-\0\xfe\xff".to_vec()), 0..200)) {
        for finding in findings(&data) {
            prop_assert!(finding.start < finding.end && finding.end <= data.len() as u64);
        }
    }

    #[test]
    fn spaces_leave_nothing_to_find(latitude in "[0-9N, <&]{1,9}", other in "[a-z]{0,9}") {
        let text = format!("<r {EXIF} e:GPSLatitude='{latitude}' b='{other}'><e:GPSSpeed>{latitude}</e:GPSSpeed></r>");
        let mut data = text.into_bytes();
        for finding in findings(&data) {
            finding.fill.fill(&mut data[finding.start as usize..finding.end as usize]);
        }
        prop_assert!(findings(&data).is_empty());
    }
}

#[test]
fn values_in_named_nodes_elsewhere() {
    let packet = |property: &str| {
        format!(
            "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:exif='http://ns.adobe.com/exif/1.0/'>\
             <exif:{property} r:nodeID='a'/><r:Description r:nodeID='a'><r:value>1,2N</r:value></r:Description></r:RDF>"
        )
    };
    let data = packet("GPSLatitude");
    assert_eq!(hidden(&data), [data.as_str()]);
    assert_eq!(hidden(&packet("Flash")), Vec::<String>::new());
}

#[test]
fn attributes_are_counted() {
    let tag = |count: usize| format!("<gps{}/>", " g='1'".repeat(count));
    let one = format!("<x>{}</x>", tag(100_000));
    assert_eq!(hidden(&one), [one.as_str()], "as a whole");
    let many = format!("<x>{}</x>", tag(9000).repeat(130)).into_bytes();
    let input = Input::new(&many);
    assert!(matches!(find(&input, input.whole(), &mut Vec::new()), Err(Unreadable::TooMuch)));
}
