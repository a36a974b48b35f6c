//! Boxes, and tracks of timed metadata, that no tool here can write: added to a film that FFmpeg made.

/// A box.
pub(crate) fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len() + 8).expect("boxes of tests are short");
    [&size.to_be_bytes()[..], kind, body].concat()
}

/// A box with version 0 and no flags.
pub(crate) fn full(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    boxed(kind, &[&[0; 4], body].concat())
}

/// Several 32-bit numbers.
pub(crate) fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|it| it.to_be_bytes()).collect()
}

/// The top-level boxes of a film: type, start, end.
pub(crate) fn top_level(film: &[u8]) -> Vec<([u8; 4], usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + 8 <= film.len() {
        let size = u32::from_be_bytes(film[at..at + 4].try_into().expect("four bytes")) as usize;
        assert!(size >= 8, "a box of {size} bytes at {at}");
        found.push((film[at + 4..at + 8].try_into().expect("four bytes"), at, at + size));
        at += size;
    }
    found
}

/// A track to add.
pub(crate) struct Track<'a> {
    pub(crate) handler: &'a [u8; 4],
    /// The sample entry's type, and what follows its eight bytes.
    pub(crate) entry: (&'a [u8; 4], Vec<u8>),
    pub(crate) samples: Vec<Vec<u8>>,
}

impl Track<'_> {
    /// The film with this track: its samples behind it in media data of their own, two to a chunk.
    pub(crate) fn added_to(&self, film: &[u8]) -> Vec<u8> {
        let (_, moov, end) = *top_level(film).iter().find(|it| &it.0 == b"moov").expect("an index");
        assert_eq!(end, film.len(), "the index is last, so that nothing moves that it points to");
        // One pass to learn how long the track is, another with the right places.
        let length = self.described(0).len();
        let trak = self.described(film.len() + length + 8);
        let mut made = film[..moov].to_vec();
        made.extend(boxed(b"moov", &[&film[moov + 8..], &trak].concat()));
        made.extend(boxed(b"mdat", &self.samples.concat()));
        made
    }

    fn described(&self, data: usize) -> Vec<u8> {
        let place = |it: usize| u32::try_from(it).expect("films of tests are short");
        let sizes: Vec<u32> = self.samples.iter().map(|it| place(it.len())).collect();
        let mut offsets = Vec::new();
        let mut at = data;
        for pair in self.samples.chunks(2) {
            offsets.push(place(at));
            at += pair.iter().map(Vec::len).sum::<usize>();
        }
        let count = place(self.samples.len());
        let entry = boxed(self.entry.0, &[&[0, 0, 0, 0, 0, 0, 0, 1], &self.entry.1[..]].concat());
        let last = if count % 2 == 1 { numbers(&[place(offsets.len()), 1, 1]) } else { Vec::new() };
        let rules = 1 + u32::from(!last.is_empty());
        let stbl = boxed(
            b"stbl",
            &[
                full(b"stsd", &[numbers(&[1]), entry].concat()),
                full(b"stts", &numbers(&[1, count, 100])),
                full(b"stsc", &[numbers(&[rules, 1, 2, 1]), last].concat()),
                full(b"stsz", &[numbers(&[0, count]), numbers(&sizes)].concat()),
                full(b"stco", &[numbers(&[place(offsets.len())]), numbers(&offsets)].concat()),
            ]
            .concat(),
        );
        let dinf = boxed(b"dinf", &full(b"dref", &[numbers(&[1]), boxed(b"url ", &[0, 0, 0, 1])].concat()));
        let minf = boxed(b"minf", &[full(b"nmhd", &[]), dinf, stbl].concat());
        let duration = count * 100;
        let mdhd = full(b"mdhd", &[numbers(&[0, 0, 1000, duration]), vec![0x55, 0xc4, 0, 0]].concat());
        let hdlr =
            full(b"hdlr", &[&numbers(&[0])[..], self.handler, &numbers(&[0, 0, 0]), b"made\0"].concat());
        let mut tkhd = numbers(&[0, 0, 77, 0, duration]);
        tkhd.resize(80, 0);
        let mdia = boxed(b"mdia", &[mdhd, hdlr, minf].concat());
        boxed(b"trak", &[full(b"tkhd", &tkhd), mdia].concat())
    }
}

/// A sample of Google's camera motion: type 5 is latitude, longitude and altitude.
pub(crate) fn camm(latitude: f64, longitude: f64, altitude: f64) -> Vec<u8> {
    let mut sample = vec![0, 0, 5, 0];
    for it in [latitude, longitude, altitude] {
        sample.extend(it.to_le_bytes());
    }
    sample
}

/// A sample of GoPro's: a device with a stream of one `GPS5`.
pub(crate) fn gpmd(latitude: f64, longitude: f64, altitude: f64) -> Vec<u8> {
    let entry = |key: &[u8; 4], kind: u8, size: u8, count: u16, value: &[u8]| {
        let mut it = [&key[..], &[kind, size], &count.to_be_bytes(), value].concat();
        it.resize(it.len().next_multiple_of(4), 0);
        it
    };
    let scaled: Vec<u8> = [latitude * 1e7, longitude * 1e7, altitude * 1e3, 500.0, 100.0]
        .iter()
        .flat_map(|it| (*it as i32).to_be_bytes())
        .collect();
    let scale: Vec<u8> =
        [10_000_000_i32, 10_000_000, 1000, 1000, 100].iter().flat_map(|it| it.to_be_bytes()).collect();
    let stream = [entry(b"SCAL", b'l', 4, 5, &scale), entry(b"GPS5", b'l', 20, 1, &scaled)].concat();
    let length = u16::try_from(stream.len()).expect("short");
    let stream = entry(b"STRM", 0, 1, length, &stream);
    let device = [entry(b"DVID", b'L', 4, 1, &[0, 0, 0, 1]), stream].concat();
    let length = u16::try_from(device.len()).expect("short");
    entry(b"DEVC", 0, 1, length, &device)
}

/// Apple's list of keys of timed metadata, for the sample entry, and a sample of it.
pub(crate) fn mebx(key: &str, value: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let keyd = boxed(b"keyd", &[b"mdta", key.as_bytes()].concat());
    let dtyp = boxed(b"dtyp", &numbers(&[0, 1]));
    let keys = boxed(b"keys", &boxed(&[0, 0, 0, 1], &[keyd, dtyp].concat()));
    (keys, boxed(&[0, 0, 0, 1], value))
}
