//! Blocks whose make is not known: whether they speak of a location.

/// In lower case, and long enough that sixty thousand random bytes do not hold one by chance.
const WORDS: [&[u8]; 6] = [b"gpslat", b"gpslon", b"gpsalt", b"latitude", b"longitude", b"longtitude"];
/// IPTC's structures, as in the assertions of C2PA.
const STRUCTURES: [&[u8]; 2] = [b"locationcreated", b"locationshown"];

/// Whether a block speaks of a location.
pub(super) fn location(block: &[u8]) -> bool {
    let words = WORDS.iter().chain(&STRUCTURES);
    words.into_iter().any(|word| block.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word)))
}
