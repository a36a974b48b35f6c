//! Boxes, and films made of them.

pub(super) const POINT: &[u8] = b"+48.8577+002.2950/";

pub(super) fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
}

/// With a 64-bit size.
pub(super) fn wide(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&1_u32.to_be_bytes()[..], kind, &(body.len() as u64 + 16).to_be_bytes(), body].concat()
}

pub(super) fn full(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    boxed(kind, &[&[0; 4], body].concat())
}

pub(super) fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|it| it.to_be_bytes()).collect()
}

pub(super) fn ftyp() -> Vec<u8> {
    boxed(b"ftyp", b"isom\0\0\x02\0isommp42")
}

pub(super) fn hdlr(kind: &[u8; 4]) -> Vec<u8> {
    full(b"hdlr", &[&[0; 4], &kind[..], &[0; 13]].concat())
}

/// A film with this in its index.
pub(super) fn film(moov: &[u8]) -> Vec<u8> {
    [ftyp(), boxed(b"moov", moov), boxed(b"mdat", &[7; 64])].concat()
}

pub(super) fn data(value: &[u8]) -> Vec<u8> {
    boxed(b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0], value].concat())
}

/// Keys and their values, as QuickTime has them.
pub(super) fn keys(pairs: &[(&str, &[u8])]) -> Vec<u8> {
    let key = |it: &str| boxed(b"mdta", it.as_bytes());
    let names: Vec<u8> = pairs.iter().flat_map(|it| key(it.0)).collect();
    let values: Vec<u8> = pairs
        .iter()
        .zip(1_u32..)
        .flat_map(|(it, number)| boxed(&number.to_be_bytes(), &data(it.1)))
        .collect();
    let count = numbers(&[pairs.len() as u32]);
    [full(b"keys", &[count, names].concat()), boxed(b"ilst", &values)].concat()
}

/// A track without samples of its own.
pub(super) fn trak(id: u32, handler: &[u8; 4], entry: &[u8; 4], says: &[u8], tables: &[u8]) -> Vec<u8> {
    let entry = boxed(entry, &[&[0, 0, 0, 0, 0, 0, 0, 1], says].concat());
    let stsd = full(b"stsd", &[numbers(&[1]), entry].concat());
    let stbl = boxed(b"stbl", &[&stsd[..], tables].concat());
    let data_handler = full(b"hdlr", b"dhlrurl \0\0\0\0\0\0\0\0\0\0\0\0\0");
    let minf = boxed(b"minf", &[data_handler, stbl].concat());
    let mdia = boxed(b"mdia", &[hdlr(handler), minf].concat());
    boxed(b"trak", &[full(b"tkhd", &numbers(&[0, 0, id, 0])), mdia].concat())
}

/// Tables of samples: their sizes, how many to a chunk, where the chunks are.
pub(super) fn tables(sizes: &[u32], per_chunk: u32, chunks: &[u32]) -> Vec<u8> {
    let counted = |it: &[u32]| [numbers(&[it.len() as u32]), numbers(it)].concat();
    [
        full(b"stsz", &[numbers(&[0]), counted(sizes)].concat()),
        full(b"stsc", &numbers(&[1, 1, per_chunk, 1])),
        full(b"stco", &counted(chunks)),
    ]
    .concat()
}
