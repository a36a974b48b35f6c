//! XMP: the identifiers of a document, and whether a picture holds a video.

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{QName, ResolveResult};

use super::Found;
use super::bytes::clean;
use crate::catalog::{SpecialFormat, XmpIds};

/// The most of a file's XMP that is looked at (mediaprovider.md §3.7).
pub(super) const LONGEST: usize = 1 << 20;

/// Adobe's "XMP media management" namespace (ISO 16684-1).
const MANAGEMENT: &str = "http://ns.adobe.com/xap/1.0/mm/";
/// Google's camera namespace (Motion Photo format 1.0).
const CAMERA: &str = "http://ns.google.com/photos/1.0/camera/";

#[derive(Clone, Copy)]
enum Property {
    Document,
    Instance,
    OriginalDocument,
    Motion,
}

fn property(name: &ResolveResult<'_>, local: &str) -> Option<Property> {
    let ResolveResult::Bound(namespace) = name else { return None };
    let namespace: &str = namespace.as_ref();
    match (namespace, local) {
        (MANAGEMENT, "DocumentID") => Some(Property::Document),
        (MANAGEMENT, "InstanceID") => Some(Property::Instance),
        (MANAGEMENT, "OriginalDocumentID") => Some(Property::OriginalDocument),
        (CAMERA, "MotionPhoto" | "MicroVideo") => Some(Property::Motion),
        _ => None,
    }
}

fn set(found: &mut Found, property: Property, value: &str) {
    let Some(value) = clean(value) else { return };
    let ids = |found: &mut Found, of: fn(&mut XmpIds) -> &mut Option<String>| {
        of(found.facts.xmp.get_or_insert_default()).get_or_insert(value.clone());
    };
    match property {
        Property::Document => ids(found, |it| &mut it.document),
        Property::Instance => ids(found, |it| &mut it.instance),
        Property::OriginalDocument => ids(found, |it| &mut it.original_document),
        Property::Motion if value == "1" => {
            found.facts.image.get_or_insert_default().special_format = Some(SpecialFormat::MotionPhoto);
        }
        Property::Motion => {}
    }
}

/// Takes what is known out of XMP; what comes behind an error in it is not looked at.
pub(super) fn read(bytes: &[u8], found: &mut Found) {
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(LONGEST)).unwrap_or_default());
    let mut reader = NsReader::from_str(&text);
    let mut open: Option<Property> = None;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                attributes(&reader, &tag, found);
                open = element(&reader, tag.name());
            }
            Ok(Event::Empty(tag)) => attributes(&reader, &tag, found),
            Ok(Event::Text(value)) => {
                if let Some(property) = open {
                    set(found, property, &value.xml10_content());
                }
            }
            Ok(Event::End(_)) => open = None,
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn element(reader: &NsReader<&[u8]>, name: QName<'_>) -> Option<Property> {
    let (namespace, local) = reader.resolver().resolve_element(name);
    property(&namespace, local.as_ref())
}

fn attributes(reader: &NsReader<&[u8]>, tag: &BytesStart<'_>, found: &mut Found) {
    for attribute in tag.attributes().with_checks(false) {
        let Ok(attribute) = attribute else { return };
        let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
        if let Some(property) = property(&namespace, local.as_ref())
            && let Ok(value) = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0)
        {
            set(found, property, &value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(xmp: &str) -> Found {
        let mut found = Found::default();
        read(xmp.as_bytes(), &mut found);
        found
    }

    #[test]
    fn properties_are_attributes_or_elements_whatever_the_prefix() {
        let found = facts(
            "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>\
             <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
             <rdf:Description xmlns:m='http://ns.adobe.com/xap/1.0/mm/' m:DocumentID='xmp.did:1' \
             xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' GCamera:MotionPhoto='1'>\
             <m:InstanceID> xmp.iid:2 </m:InstanceID><m:Other>3</m:Other></rdf:Description></rdf:RDF></x:xmpmeta>",
        );
        let ids = found.facts.xmp.unwrap();
        assert_eq!(
            (ids.document.as_deref(), ids.instance.as_deref()),
            (Some("xmp.did:1"), Some("xmp.iid:2"))
        );
        assert_eq!(ids.original_document, None);
        assert_eq!(found.facts.image.unwrap().special_format, Some(SpecialFormat::MotionPhoto));
    }

    #[test]
    fn the_same_words_of_another_namespace_are_something_else() {
        let found = facts(
            "<a xmlns:xmpMM='urn:x' xmpMM:DocumentID='1' DocumentID='2'><DocumentID>3</DocumentID></a>",
        );
        assert_eq!(found.facts.xmp, None);
    }

    #[test]
    fn what_stands_before_damage_counts() {
        let found = facts("<a xmlns:m='http://ns.adobe.com/xap/1.0/mm/' m:DocumentID='1'><b></c><<<");
        assert_eq!(found.facts.xmp.unwrap().document.as_deref(), Some("1"));
    }
}
