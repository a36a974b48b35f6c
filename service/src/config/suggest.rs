//! "Did you mean": the known word nearest to a mistyped one.

/// Longest word looked at: the distance costs the product of both lengths, and a longer word is no typo.
const LONGEST: usize = 64;

/// What to write instead of `given`: the nearest of `known`, or all of them when none is near.
pub(crate) fn instead<'a>(given: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(given, known.clone()) {
        Some(word) => format!("did you mean {word:?}?"),
        None => {
            let all: Vec<String> = known.map(|word| format!("{word:?}")).collect();
            format!("write one of {}", all.join(", "))
        }
    }
}

fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if given.len() > LONGEST {
        return None;
    }
    let given = given.to_ascii_lowercase();
    // A third of the letters wrong is still a typo; more is another word.
    let limit = (given.len() / 3).max(1);
    known
        .map(|word| (distance(&given, &word.to_ascii_lowercase()), word))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Levenshtein distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, y) in b.bytes().enumerate() {
            let substitute = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (a, b, want) in
            [("", "", 0), ("a", "", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("mount", "mount", 0)]
        {
            assert_eq!(distance(a, b), want, "{a} {b}");
        }
    }

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_gets_the_list() {
        let known = ["lower", "mount", "users"];
        assert_eq!(instead("mout", known.into_iter()), "did you mean \"mount\"?");
        assert_eq!(instead("LOWER", known.into_iter()), "did you mean \"lower\"?");
        assert_eq!(
            instead("colour_scheme", known.into_iter()),
            "write one of \"lower\", \"mount\", \"users\""
        );
        assert_eq!(
            instead(&"m".repeat(1 << 20), known.into_iter()),
            "write one of \"lower\", \"mount\", \"users\""
        );
    }
}
