//! Small JPEGs whose location can be told from everything else in them.
//!
//! Every value of the GPS directory holds [`SECRET`], and nothing else in the file does: who finds it has seen a location.

/// In every hidden value.
pub const SECRET: [u8; 3] = [0x5e, 0xc2, 0xe7];

/// True if any of a location is in there.
pub fn tells(data: &[u8]) -> bool {
    data.windows(SECRET.len()).any(|it| it == SECRET)
}

/// A picture of about `length` bytes. Those of different seeds differ everywhere, also in where the location is.
pub fn picture(seed: u8, located: bool, length: usize) -> Vec<u8> {
    let tiff = tiff(seed, located);
    let size = u16::try_from(tiff.len() + 8).expect("a small segment").to_be_bytes();
    let mut jpeg = [&[0xff, 0xd8, 0xff, 0xe1][..], &size, b"Exif\0\0", &tiff].concat();
    // A frame of 8 by 8 in one component, and a scan of it: nobody will look at it.
    jpeg.extend([0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
    jpeg.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
    let filler = length.saturating_sub(jpeg.len() + 2);
    jpeg.extend((0..filler).map(|at| (at % 89) as u8 ^ (seed & 0x0f)));
    jpeg.extend([0xff, 0xd9]);
    assert_eq!(tells(&jpeg), located);
    jpeg
}

/// Big endian: IFD0 with a maker's name as long as the seed says, then the GPS directory and its values.
fn tiff(seed: u8, located: bool) -> Vec<u8> {
    let maker = vec![b'a' + seed % 26; 8 + 16 * usize::from(seed % 8)];
    let count = if located { 2_u16 } else { 1 };
    let values = 8 + 2 + 12 * u32::from(count) + 4;
    let gps = values + maker.len() as u32;
    let mut out = b"MM\0\x2a\0\0\0\x08".to_vec();
    out.extend(count.to_be_bytes());
    entry(&mut out, 0x010f, 2, maker.len() as u32, values.to_be_bytes());
    if located {
        entry(&mut out, 0x8825, 4, 1, gps.to_be_bytes());
    }
    out.extend([0; 4]);
    out.extend(&maker);
    if located {
        let far = gps + 2 + 12 * 5 + 4;
        out.extend(5_u16.to_be_bytes());
        entry(&mut out, 1, 2, 4, [SECRET[0], SECRET[1], SECRET[2], 0]);
        entry(&mut out, 2, 5, 3, far.to_be_bytes());
        entry(&mut out, 3, 2, 4, [SECRET[0], SECRET[1], SECRET[2], 0]);
        entry(&mut out, 4, 5, 3, (far + 24).to_be_bytes());
        entry(&mut out, 6, 5, 1, (far + 48).to_be_bytes());
        out.extend([0; 4]);
        for fraction in 0..7 {
            out.extend([
                SECRET[0],
                SECRET[1],
                SECRET[2],
                seed ^ fraction,
                SECRET[0],
                SECRET[1],
                SECRET[2],
                1,
            ]);
        }
    }
    out
}

fn entry(out: &mut Vec<u8>, tag: u16, kind: u16, count: u32, value: [u8; 4]) {
    out.extend(tag.to_be_bytes());
    out.extend(kind.to_be_bytes());
    out.extend(count.to_be_bytes());
    out.extend(value);
}

/// What remains of it for who may see no location, by our own finders: what they miss, [`tells`] finds.
pub fn redacted(original: &[u8]) -> Vec<u8> {
    use mediagate::redaction::{Parsers, RangeSource as _};
    let mut data = original.to_vec();
    Parsers.find(&original).expect("it can be understood").hide(0, &mut data);
    assert!(!tells(&data), "the finders do not know where this picture tells its location");
    data
}
