//! Which XMP properties tell a location.
//!
//! exif:GPS* are what MediaProvider hides (`XmpDataParser`); the others are those that exiftool files under "Location"
//! (its XMP, XMP2, DJI, MediaPro and DarwinCore tables) and what a name alone gives away under any namespace.

/// What a property is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Property {
    /// Tells a location.
    Location,
    /// A checksum over data that may tell one.
    Digest(&'static str),
    /// Anything else.
    Plain,
}

/// Namespaces by their usual prefix and their name without a trailing slash.
const NAMESPACES: &[(&[u8], &[u8])] = &[
    (b"exif", b"http://ns.adobe.com/exif/1.0"),
    (b"tiff", b"http://ns.adobe.com/tiff/1.0"),
    (b"photoshop", b"http://ns.adobe.com/photoshop/1.0"),
    (b"xmpDM", b"http://ns.adobe.com/xmp/1.0/DynamicMedia"),
    (b"xmpNote", b"http://ns.adobe.com/xmp/note"),
    (b"Iptc4xmpCore", b"http://iptc.org/std/Iptc4xmpCore/1.0/xmlns"),
    (b"Iptc4xmpExt", b"http://iptc.org/std/Iptc4xmpExt/2008-02-29"),
    (b"drone-dji", b"http://www.dji.com/drone-dji/1.0"),
    (b"mediapro", b"http://ns.iview-multimedia.com/mediapro/1.0"),
    (b"expressionmedia", b"http://ns.microsoft.com/expressionmedia/1.0"),
    (b"cell", b"http://developer.sonyericsson.com/cell/1.0"),
    (b"photomech", b"http://ns.camerabits.com/photomechanic/1.0"),
    (b"prism", b"http://prismstandard.org/namespaces/basic/2.0"),
    (b"dwc", b"http://rs.tdwg.org/dwc/index.htm"),
    (b"EarthPose", b"http://ns.google.com/photos/dd/1.0/earthpose"),
    (b"Device", b"http://ns.google.com/photos/dd/1.0/device"),
];

/// What the property `local` is, in the namespace `uri` to which `prefix` is bound (empty: not bound; then the prefix counts,
/// as it does for exiftool).
pub(super) fn property(prefix: &[u8], uri: &[u8], local: &[u8]) -> Property {
    if by_name(local) {
        return Property::Location;
    }
    let uri = uri.strip_suffix(b"/").unwrap_or(uri);
    let usual = NAMESPACES.iter().find(|(_, name)| *name == uri).map_or(prefix, |(usual, _)| *usual);
    match (usual, local) {
        (b"photoshop", b"City" | b"State" | b"Country")
        | (b"Iptc4xmpCore", b"Location" | b"CountryCode")
        | (
            b"Iptc4xmpExt",
            b"LocationCreated" | b"LocationShown" | b"City" | b"CountryCode" | b"CountryName"
            | b"ProvinceState" | b"Sublocation" | b"WorldRegion" | b"LocationId" | b"LocationName",
        )
        | (b"xmpDM", b"shotLocation")
        | (b"mediapro" | b"expressionmedia", b"Location")
        | (b"photomech" | b"photomechanic", b"CountryCode")
        | (b"prism", b"location")
        | (b"dwc", b"dctermsLocation")
        | (b"EarthPose", _)
        | (b"Device", b"EarthPos")
        | (b"cell", b"mcc" | b"mnc" | b"lac" | b"cellid" | b"cgi" | b"r") => Property::Location,
        (b"drone-dji", _) if flight(local) => Property::Location,
        // MD5 over the values of EXIF tags, the GPS ones among them, and over the IPTC record.
        (b"exif" | b"tiff", b"NativeDigest") => Property::Digest("NativeDigest"),
        (b"photoshop", b"LegacyIPTCDigest") => Property::Digest("LegacyIPTCDigest"),
        (b"xmpNote", b"HasExtendedXMP") => Property::Digest(EXTENDED),
        _ => Property::Plain,
    }
}

/// The digest that is the name of JPEG's extended XMP.
pub(super) const EXTENDED: &str = "HasExtendedXMP";

/// Names that speak for themselves, whoever's namespace they are in (makers of drones and phones have many).
fn by_name(local: &[u8]) -> bool {
    starts(local, b"gps")
        || contains(local, b"longitude")
        // As DJI spells it.
        || contains(local, b"longtitude")
        // exifEX has the ISO speed's latitude, which is a tolerance.
        || (contains(local, b"latitude") && !contains(local, b"isospeed"))
}

/// Where a drone was and which way it went or looked, as the GPS tags of EXIF tell with altitude, track and direction.
fn flight(local: &[u8]) -> bool {
    let measures: &[&[u8]] = &[b"Altitude", b"Speed", b"YawDegree", b"StdLon", b"StdLat", b"StdHgt"];
    measures.iter().any(|measure| local.ends_with(measure))
}

fn starts(name: &[u8], with: &[u8]) -> bool {
    name.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
}

fn contains(name: &[u8], part: &[u8]) -> bool {
    name.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_counts_and_the_prefix_where_it_is_not_known() {
        let uri = b"http://ns.adobe.com/photoshop/1.0/";
        assert_eq!(property(b"x", uri, b"City"), Property::Location);
        assert_eq!(property(b"photoshop", b"", b"City"), Property::Location);
        assert_eq!(property(b"photoshop", b"http://ns.adobe.com/exif/1.0/", b"City"), Property::Plain);
        assert_eq!(property(b"x", uri, b"Headline"), Property::Plain);
    }

    #[test]
    fn names_that_speak_for_themselves() {
        for name in ["GPSLatitude", "GpsLongtitude", "gpsAltitude", "PoseLatitude", "decimalLongitude"] {
            assert_eq!(property(b"any", b"urn:any", name.as_bytes()), Property::Location, "{name}");
        }
        for name in ["ISOSpeedLatitudeyyy", "Region", "title", ""] {
            assert_eq!(property(b"any", b"urn:any", name.as_bytes()), Property::Plain, "{name}");
        }
    }
}
