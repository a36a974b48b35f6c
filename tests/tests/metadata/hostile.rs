//! Valid files of every format, damaged in every way: reading them ends, and with little memory.

use std::io::Cursor;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use mediagate::scanner::metadata::{Context, Extracted, Problem, extract};
use proptest::prelude::*;

use super::make::one_of_each;
use super::tools::Room;

/// MIME type and contents of one file of each format.
static FILES: LazyLock<Vec<(&str, Vec<u8>)>> = LazyLock::new(|| {
    let room = Room::new();
    let read = |path: &std::path::PathBuf| {
        let mime = mediagate_policy::mime_of(path.file_name().unwrap().as_encoded_bytes());
        (mime, std::fs::read(path).unwrap())
    };
    one_of_each(&room).iter().map(read).collect()
});

/// Far above what any of these files takes, far below what an endless loop would.
const LONGEST: Duration = Duration::from_secs(2);

fn survives(mime: &str, bytes: Vec<u8>) -> Result<(), TestCaseError> {
    let begin = Instant::now();
    let out = extract(&mut Cursor::new(bytes), &Context { mime, modified_ms: Some(0) });
    prop_assert!(begin.elapsed() < LONGEST, "{mime} took {:?}", begin.elapsed());
    prop_assert!(!is_our_panic(mime, &out), "{mime} panicked");
    let audio = out.facts.audio.unwrap_or_default();
    prop_assert_ne!(audio.year, Some(0));
    prop_assert!(out.facts.orientation.is_none_or(|it| it % 90 == 0 && it < 360));
    Ok(())
}

/// Sound is read by a library, for whose panics there is a net; whatever else is read here never panics.
fn is_our_panic(mime: &str, out: &Extracted) -> bool {
    matches!(out.problem, Some(Problem::Panicked)) && (!mime.starts_with("audio/") || mime == "audio/mp4")
}

#[derive(Clone, Debug)]
enum Damage {
    Cut(prop::sample::Index),
    Set(prop::sample::Index, u8),
    Word(prop::sample::Index, u32),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    let word = prop_oneof![Just(0), Just(u32::MAX), Just(i32::MAX.cast_unsigned()), Just(1), any::<u32>()];
    prop_oneof![
        at().prop_map(Damage::Cut),
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (at(), word).prop_map(|(at, word)| Damage::Word(at, word)),
        (at(), 1..64_usize).prop_map(|(at, length)| Damage::Remove(at, length)),
        (at(), 1..512_usize).prop_map(|(at, length)| Damage::Repeat(at, length)),
    ]
}

/// What describes a file stands at its ends: damage in between is mostly none.
fn place(index: &prop::sample::Index, length: usize) -> usize {
    let near = length.min(4096);
    let at = index.index(near * 2 + 1);
    if at <= near { at.min(length - 1) } else { length - (at - near) }
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    match damage {
        Damage::Cut(at) => bytes.truncate(place(at, bytes.len())),
        Damage::Set(at, byte) => {
            let at = place(at, bytes.len());
            bytes[at] = *byte;
        }
        Damage::Word(at, word) => {
            let at = place(at, bytes.len());
            let end = (at + 4).min(bytes.len());
            bytes[at..end].copy_from_slice(&word.to_be_bytes()[..end - at]);
        }
        Damage::Remove(at, length) => {
            let at = place(at, bytes.len());
            bytes.drain(at..(at + length).min(bytes.len()));
        }
        Damage::Repeat(at, length) => {
            let at = place(at, bytes.len());
            let piece = bytes[at..(at + length).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_cost_their_facts_only(
        which in any::<prop::sample::Index>(),
        damages in prop::collection::vec(damage(), 1..6),
    ) {
        let (mime, whole) = which.get(&FILES);
        let mut bytes = whole.clone();
        damages.iter().for_each(|damage| apply(&mut bytes, damage));
        survives(mime, bytes)?;
    }

    #[test]
    fn files_spliced_from_two_formats_do_no_harm(
        first in any::<prop::sample::Index>(),
        second in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
    ) {
        let ((mime, head), (_, tail)) = (first.get(&FILES), second.get(&FILES));
        let at = place(&at, head.len());
        survives(mime, [&head[..at], &tail[at.min(tail.len())..]].concat())?;
    }
}

/// Memory is measured where nothing else runs: in a process of its own.
#[test]
fn claims_of_gigabytes_cost_no_memory() {
    let before = peak_kib();
    for (mime, whole) in FILES.iter() {
        for at in (0..whole.len().min(2048)).step_by(3) {
            let mut bytes = whole.clone();
            let end = (at + 4).min(bytes.len());
            bytes[at..end].fill(0x7f);
            let out = extract(&mut Cursor::new(bytes), &Context { mime, modified_ms: None });
            assert!(!is_our_panic(mime, &out), "{mime} at {at}");
        }
    }
    let grown = peak_kib() - before;
    println!("the peak grew by {grown} KiB");
    assert!(grown < 128 * 1024, "the peak grew by {grown} KiB");
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
