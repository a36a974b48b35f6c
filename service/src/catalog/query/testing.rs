//! What tests ask of queries from inside.

use mediagate_policy::{MediaType, MediaTypes};

use super::build::{self, After, Walk, Yield};
use super::cursor::{Key, Place};
use super::{Criteria, Entry, Match, Query, Sort, Within};

/// Combinations of criteria, each within each of `withins`.
pub(in crate::catalog) fn all_criteria(withins: &[Within]) -> Vec<Criteria> {
    let mut all = Vec::new();
    for within in withins {
        for types in [MediaTypes::ALL, MediaTypes::of(MediaType::Audio), MediaTypes::VISUAL] {
            let base = Criteria {
                within: within.clone(),
                types,
                pending: Match::Include,
                trashed: Match::Include,
                ..Criteria::default()
            };
            all.extend([
                Criteria { owner: Some("a".into()), ..base.clone() },
                Criteria { favorite: Match::Only, ..base.clone() },
                Criteria { ids: Some((1..20).collect()), ..base.clone() },
                Criteria { changed_since: Some(1), ..base.clone() },
                Criteria { album: Some("A".into()), ..base.clone() },
                Criteria { taken_ms: Some(1..3), modified_ns: Some(0..2_000_000), ..base.clone() },
                Criteria {
                    name_contains: Some(b"1-".into()),
                    mime_prefix: Some("image".into()),
                    ..base.clone()
                },
                base,
            ]);
        }
    }
    all
}

/// The same as the database does, for what [`all_criteria`] uses.
pub(in crate::catalog) fn chooses(criteria: &Criteria, entry: &Entry) -> bool {
    let dir = &entry.key.dir;
    let inferred = entry.taken_ms.unwrap_or(entry.row.mtime_ns / 1_000_000);
    let within = match &criteria.within {
        Within::Anywhere => true,
        Within::Directory(wanted) => dir == wanted,
        Within::Tree(wanted) => dir == wanted || dir.starts_with(&[wanted.as_slice(), b"/"].concat()),
        Within::Bucket(bucket) => entry.bucket == *bucket,
    };
    let contains = |part: &Vec<u8>| entry.key.name.windows(part.len()).any(|it| it == part.as_slice());
    within
        && criteria.types.iter().any(|it| it as u8 == entry.row.media_type)
        && criteria.owner.as_ref().is_none_or(|it| entry.row.owner.as_ref() == Some(it))
        && (criteria.favorite != Match::Only || entry.favorite)
        && criteria.ids.as_ref().is_none_or(|ids| ids.contains(&entry.id))
        && criteria.changed_since.is_none_or(|since| entry.generation_modified > since)
        && criteria.taken_ms.as_ref().is_none_or(|it| it.contains(&inferred))
        && criteria.modified_ns.as_ref().is_none_or(|it| it.contains(&entry.row.mtime_ns))
        && criteria.name_contains.as_ref().is_none_or(contains)
}

/// How many pairs of walk and "comes in order" there are.
pub(in crate::catalog) const WALKS: usize = 13;

/// Every statement that may be run for a query: the walk, whether its rows come in order, and the text.
pub(in crate::catalog) fn statements(query: &Query) -> Vec<(String, bool, String)> {
    let mut walks: Vec<Walk> = match build::sure_walk(query) {
        Some(walk) => vec![walk],
        None => build::narrow_walks(&query.criteria).chain([build::long_walk(query)]).collect(),
    };
    walks.dedup();
    let key = match query.sort {
        Sort::Name | Sort::Title => Key::Bytes(b"x".to_vec()),
        _ => Key::Number(1),
    };
    let place = Place { key, id: 1 };
    let mut all = Vec::new();
    for walk in walks {
        let in_order = walk.in_order(query);
        for after in [After::Nothing, After::Place(&place)] {
            for scope in &query.scopes {
                let what = Yield::Entries { after, limit: query.limit };
                for arm in build::arms(query, scope, walk, what) {
                    all.push((format!("{walk:?}"), in_order, arm.sql));
                }
            }
        }
    }
    all
}
