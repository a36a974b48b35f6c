//! The listing filter lets through exactly what the decision allows.

use mediagate_policy::{
    FileGrants, Filter, Kind, Object, Operation, Principal, Uid, decide, is_never_indexed, listing_filter,
};
use proptest::prelude::*;

use crate::cases;
use crate::world::{caller, raw_thing, thing};

/// Every directory above a path, the volume root last.
fn directories_above(path: &[u8]) -> Vec<&[u8]> {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| &path[..at]);
    let mut all: Vec<&[u8]> = slashes.collect();
    all.reverse();
    all.push(b"");
    all
}

fn filters<'a>(who: &Principal, object: &Object<'a>) -> Vec<(&'a [u8], Filter)> {
    directories_above(object.path)
        .into_iter()
        .map(|path| {
            let directory = Object { path, kind: Kind::Directory, row: None, ..*object };
            (path, listing_filter(who, &directory))
        })
        .collect()
}

fn check(who: &Principal, object: &Object<'_>) -> Result<(), TestCaseError> {
    let Some(row) = object.row else { return Ok(()) };
    let decision = decide(who, object, Operation::ListEntry);
    for (directory, filter) in filters(who, object) {
        let expected = decision.is_allowed() && !is_never_indexed(object.path);
        let directory = String::from_utf8_lossy(directory);
        prop_assert_eq!(
            filter.matches(&row, object.path),
            expected,
            "{:?} of {:?} by {:?}",
            decision,
            directory,
            filter
        );
    }
    Ok(())
}

/// What [`Filter::types_of_anyone`] and [`Filter::packages`] promise.
fn check_parts(who: &Principal, object: &Object<'_>) -> Result<(), TestCaseError> {
    let Some(row) = object.row else { return Ok(()) };
    for (_, filter) in filters(who, object) {
        if !filter.matches(&row, object.path) || filter.types_of_anyone().has(row.media_type) {
            continue;
        }
        let path = String::from_utf8_lossy(object.path).to_ascii_lowercase();
        let is_own = filter.packages().into_iter().any(|package| {
            let dir = format!("android/media/{}", package.to_ascii_lowercase());
            row.owner == Some(package) || path == dir || path.starts_with(&(dir + "/"))
        });
        prop_assert!(is_own || row.grants != FileGrants::default(), "{:?} by {:?}", object, filter);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(800))]

    #[test]
    fn files_of_other_types_are_ones_own(caller in caller(), thing in thing()) {
        check_parts(&caller.principal(), &thing.object())?;
    }

    #[test]
    fn the_filter_of_any_directory_above_is_the_decision(caller in caller(), thing in thing()) {
        for who in [caller.principal(), Principal::new(Uid(10_999), &[]), Principal::new(Uid::SHELL, &[])] {
            check(&who, &thing.object())?;
        }
    }

    #[test]
    fn so_it_is_on_any_bytes(caller in caller(), thing in raw_thing()) {
        check(&caller.principal(), &thing.object())?;
    }
}
