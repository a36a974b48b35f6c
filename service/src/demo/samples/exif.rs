//! The Exif segment of a JPEG: a TIFF structure of linked directories (Exif 2.32, TIFF 6.0).
//!
//! A directory is a count, its entries sorted by tag, and a link to the next one. A value of up to four bytes
//! stands in its entry, a longer one behind the directory with its offset in the entry. Big endian throughout.

/// Where a picture was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Location {
    /// Degrees, north is positive.
    pub latitude: f64,
    /// Degrees, east is positive.
    pub longitude: f64,
    /// Metres above the sea.
    pub altitude: f64,
}

impl Location {
    /// The top of the Matterhorn.
    pub const MATTERHORN: Location =
        Location { latitude: 45.976_389, longitude: 7.658_611, altitude: 4478.0 };
}

/// The value of an entry; the variants are TIFF's types.
enum Value {
    Bytes(Vec<u8>),
    Text(String),
    Short(u16),
    Long(u32),
    Fractions(Vec<(u32, u32)>),
    /// Bytes whose meaning the tag defines.
    Undefined(Vec<u8>),
    /// A directory that is linked from here.
    Directory(Vec<Entry>),
}

struct Entry(u16, Value);

impl Value {
    /// The type's number, how many of it, and the encoded value.
    fn encode(self, at: usize) -> (u16, usize, Vec<u8>) {
        match self {
            Value::Bytes(bytes) => (1, bytes.len(), bytes),
            Value::Text(mut text) => {
                text.push('\0');
                (2, text.len(), text.into_bytes())
            }
            Value::Short(number) => (3, 1, number.to_be_bytes().to_vec()),
            Value::Long(number) => (4, 1, number.to_be_bytes().to_vec()),
            Value::Fractions(all) => {
                let bytes = all.iter().flat_map(|(over, under)| [over.to_be_bytes(), under.to_be_bytes()]);
                (5, all.len(), bytes.flatten().collect())
            }
            Value::Undefined(bytes) => (7, bytes.len(), bytes),
            Value::Directory(entries) => (4, 1, directory(entries, at)),
        }
    }
}

/// The APP1 segment, marker included.
pub(super) fn segment(seed: u32, (width, height): (u32, u32), location: Option<&Location>) -> Vec<u8> {
    let date = "2024:07:14";
    let (hour, minute, second) = (8 + seed / 60 % 10, seed % 60, 30);
    let taken = format!("{date} {hour:02}:{minute:02}:{second:02}");

    let exposure = vec![
        Entry(0x829A, Value::Fractions(vec![(1, 640)])), // ExposureTime
        Entry(0x829D, Value::Fractions(vec![(18, 10)])), // FNumber
        Entry(0x8827, Value::Short(100)),                // PhotographicSensitivity
        Entry(0x9000, Value::Undefined(b"0232".to_vec())), // ExifVersion
        Entry(0x9003, Value::Text(taken.clone())),       // DateTimeOriginal
        Entry(0x9004, Value::Text(taken.clone())),       // DateTimeDigitized
        Entry(0x9011, Value::Text("+00:00".into())),     // OffsetTimeOriginal
        Entry(0x9101, Value::Undefined(vec![1, 2, 3, 0])), // ComponentsConfiguration: Y Cb Cr
        Entry(0x920A, Value::Fractions(vec![(430, 100)])), // FocalLength
        Entry(0xA000, Value::Undefined(b"0100".to_vec())), // FlashpixVersion
        Entry(0xA001, Value::Short(1)),                  // ColorSpace: sRGB
        Entry(0xA002, Value::Long(width)),               // PixelXDimension
        Entry(0xA003, Value::Long(height)),              // PixelYDimension
    ];
    let mut main = vec![
        Entry(0x010F, Value::Text("Example Optics".into())), // Make
        Entry(0x0110, Value::Text("Pocket 1".into())),       // Model
        Entry(0x0112, Value::Short(1)),                      // Orientation: upright
        Entry(0x011A, Value::Fractions(vec![(72, 1)])),      // XResolution
        Entry(0x011B, Value::Fractions(vec![(72, 1)])),      // YResolution
        Entry(0x0128, Value::Short(2)),                      // ResolutionUnit: inch
        Entry(0x0131, Value::Text("mediagate demo".into())), // Software
        Entry(0x0132, Value::Text(taken)),                   // DateTime
        Entry(0x0213, Value::Short(1)),                      // YCbCrPositioning: centred
        Entry(0x8769, Value::Directory(exposure)),           // Exif IFD
    ];
    if let Some(place) = location {
        let side = |positive: bool, names: [&str; 2]| Value::Text(names[usize::from(!positive)].into());
        let clock = vec![(hour, 1), (minute, 1), (second, 1)];
        let gps = vec![
            Entry(0x00, Value::Bytes(vec![2, 3, 0, 0])), // GPSVersionID
            Entry(0x01, side(place.latitude >= 0.0, ["N", "S"])), // GPSLatitudeRef
            Entry(0x02, Value::Fractions(degrees(place.latitude))), // GPSLatitude
            Entry(0x03, side(place.longitude >= 0.0, ["E", "W"])), // GPSLongitudeRef
            Entry(0x04, Value::Fractions(degrees(place.longitude))), // GPSLongitude
            Entry(0x05, Value::Bytes(vec![u8::from(place.altitude < 0.0)])), // GPSAltitudeRef: sea level
            Entry(0x06, Value::Fractions(vec![((place.altitude.abs() * 10.0) as u32, 10)])), // GPSAltitude
            Entry(0x07, Value::Fractions(clock)),        // GPSTimeStamp
            Entry(0x12, Value::Text("WGS-84".into())),   // GPSMapDatum
            Entry(0x1D, Value::Text(date.into())),       // GPSDateStamp
        ];
        main.push(Entry(0x8825, Value::Directory(gps)));
    }

    let mut body = b"Exif\0\0MM\0\x2A\0\0\0\x08".to_vec();
    body.extend(directory(main, 8));
    let mut segment = vec![0xFF, 0xE1];
    segment.extend((body.len() as u16 + 2).to_be_bytes());
    segment.extend(body);
    segment
}

/// Degrees, minutes and hundredths of seconds.
fn degrees(value: f64) -> Vec<(u32, u32)> {
    let hundredths = (value.abs() * 360_000.0).round() as u32;
    vec![(hundredths / 360_000, 1), (hundredths / 6000 % 60, 1), (hundredths % 6000, 100)]
}

/// A directory that stands `at` bytes into the TIFF structure, with everything that it points to.
fn directory(entries: Vec<Entry>, at: usize) -> Vec<u8> {
    let mut table = (entries.len() as u16).to_be_bytes().to_vec();
    let mut values = Vec::new();
    let values_at = at + 2 + entries.len() * 12 + 4;
    for Entry(tag, value) in entries {
        let offset = values_at + values.len();
        let linked = matches!(value, Value::Directory(_));
        let (kind, count, mut bytes) = value.encode(offset);
        table.extend(tag.to_be_bytes());
        table.extend(kind.to_be_bytes());
        table.extend((count as u32).to_be_bytes());
        if bytes.len() <= 4 && !linked {
            bytes.resize(4, 0);
            table.extend(bytes);
        } else {
            table.extend((offset as u32).to_be_bytes());
            // Offsets are even (TIFF 6.0, section 2).
            bytes.resize(bytes.len().next_multiple_of(2), 0);
            values.extend(bytes);
        }
    }
    // No further directory (a thumbnail's would be linked here).
    table.extend([0; 4]);
    table.extend(values);
    table
}
