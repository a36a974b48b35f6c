use std::io::Cursor;

use super::*;

fn facts(mime: &str, bytes: &[u8]) -> Extracted {
    extract(&mut Cursor::new(bytes.to_vec()), &Context { mime, modified_ms: None })
}

#[test]
fn numbers_and_years_are_what_people_write() {
    assert_eq!(number_and_total("3/12"), (Some(3), Some(12)));
    assert_eq!(number_and_total("03"), (Some(3), None));
    assert_eq!(number_and_total("0/0"), (None, None));
    assert_eq!(
        (year("1999-01-01"), year("0"), year("0000"), year("abcd"), year("+199")),
        (Some(1999), None, None, None, None)
    );
}

#[test]
fn what_is_no_media_has_no_facts() {
    let text = facts("text/plain", b"\xff\xd8\xff");
    assert_eq!(text.facts, MediaFacts::default());
    assert!(text.problem.is_none());
    assert!(facts("image/jpeg", b"").problem.is_none());
}

#[test]
fn a_film_is_no_picture_whatever_its_name() {
    let film = facts("image/jpeg", b"\0\0\0\x10ftypisom\0\0\0\0");
    assert_eq!(film.facts, MediaFacts::default());
    assert!(matches!(film.problem, Some(Problem::Malformed(_))), "{:?}", film.problem);
}

#[test]
fn a_file_that_lies_about_its_size_ends() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x02\0\0\0\x03\x08\0\0\0\0crc!\xff\xff\xff\xffeXIf";
    let cut = facts("image/png", png);
    assert_eq!((cut.facts.width, cut.facts.height), (Some(2), Some(3)));
    assert!(matches!(cut.problem, Some(Problem::Malformed(_))), "{:?}", cut.problem);
}

/// A source that has no end: only the budget ends the reading.
struct Endless;

impl std::io::Read for Endless {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        // JPEG's fill bytes.
        out.fill(0xff);
        Ok(out.len())
    }
}

impl std::io::Seek for Endless {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        Ok(match to {
            std::io::SeekFrom::End(_) => u64::MAX / 2,
            std::io::SeekFrom::Start(at) => at,
            std::io::SeekFrom::Current(_) => 0,
        })
    }
}

#[test]
fn reading_ends_with_the_budget() {
    let mut found = Found::default();
    let mut source = Endless;
    let mut input = Input::new(&mut source).unwrap();
    let context = Context { mime: "image/jpeg", modified_ms: None };
    let problem = picture::jpeg(&mut input, &context, &mut found).unwrap_err();
    assert!(matches!(problem, Problem::Budget), "{problem:?}");
}

struct Panicking;

impl std::io::Read for Panicking {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        panic!("as a library might");
    }
}

impl std::io::Seek for Panicking {
    fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
        Ok(1)
    }
}

#[test]
fn a_panic_costs_the_file_its_facts_only() {
    let out = extract(&mut Panicking, &Context { mime: "image/jpeg", modified_ms: None });
    assert!(matches!(out.problem, Some(Problem::Panicked)));
}
