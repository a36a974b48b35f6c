//! The spellings of a name: what differs from it in ASCII case only.

/// The first spelling of `name`, which is in lower case, that is not before `from` in the order of bytes. Capital letters come
/// first there.
pub(super) fn next(name: &[u8], from: &[u8]) -> Option<Vec<u8>> {
    // Where a letter can be greater than that of `from`, with all before as they are: the later, the smaller.
    let mut greater = None;
    let mut same = 0;
    for (letter, at) in name.iter().zip(from) {
        let cases = [letter.to_ascii_uppercase(), *letter];
        if let Some(next) = cases.into_iter().find(|case| case > at) {
            greater = Some((same, next));
        }
        if !cases.contains(at) {
            break;
        }
        same += 1;
    }
    if same == from.len() {
        return Some([from, &name.get(same..)?.to_ascii_uppercase()].concat());
    }
    let (at, letter) = greater?;
    Some([from.get(..at)?, &[letter], &name.get(at + 1..)?.to_ascii_uppercase()].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn capital_letters_come_first() {
        let next = |name: &str, from: &str| {
            next(name.as_bytes(), from.as_bytes()).map(|it| String::from_utf8(it).unwrap())
        };
        assert_eq!(next("a.b", ""), Some("A.B".to_owned()));
        assert_eq!(next("a.b", "A.B"), Some("A.B".to_owned()));
        assert_eq!(next("a.b", "A.B\0"), Some("A.b".to_owned()));
        assert_eq!(next("a.b", "A.bx"), Some("a.B".to_owned()));
        assert_eq!(next("a.b", "A/"), Some("a.B".to_owned()));
        assert_eq!(next("a.b", "a.b\0"), None);
        assert_eq!(next("a.b", "b"), None);
    }

    proptest! {
        #[test]
        fn it_is_the_smallest_of_all(name in "[ab.]{0,4}", from in "[-AaBb./0]{0,6}") {
            let mut all = vec![Vec::new()];
            for letter in name.bytes() {
                let cases = [letter.to_ascii_uppercase(), letter];
                all = all.iter().flat_map(|it| cases.map(|case| [&it[..], &[case]].concat())).collect();
            }
            let smallest = all.into_iter().filter(|it| it[..] >= *from.as_bytes()).min();
            prop_assert_eq!(next(name.as_bytes(), from.as_bytes()), smallest);
        }
    }
}
