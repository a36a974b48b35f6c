//! Every cell of the reference's tables has a vector: each line of T1 to T9, for each class of caller, with each of the
//! table's operations. A vector says which line it is of in its row's `source` ("T2 row 7", "T6 rows 1 and 4").

use std::collections::BTreeSet;

use crate::schema::{self, Callers};

/// Table, its lines, and its operations.
const TABLES: [(usize, usize, &[&str]); 8] = [
    (1, 6, &["lookup", "getattr", "access-f"]),
    (2, 11, &["open-read"]),
    (3, 6, &["open-write"]),
    (4, 10, &["create"]),
    (5, 8, &["mkdir", "rmdir"]),
    (6, 6, &["opendir", "list"]),
    (7, 5, &["unlink"]),
    (8, 15, &["rename"]),
];

/// Lines of which one of the table's operations says nothing, as they are about the other.
const OF_ONE_OPERATION: [(usize, usize, &str); 9] = [
    // mkdir of what, and rmdir of what.
    (5, 1, "rmdir"),
    (5, 2, "rmdir"),
    (5, 3, "rmdir"),
    (5, 4, "rmdir"),
    (5, 6, "rmdir"),
    (5, 7, "mkdir"),
    (5, 8, "mkdir"),
    // The directories that hold the packages', and the one above the users, are not places of files.
    (6, 2, "list"),
    (6, 5, "list"),
];

/// Operations of T9, which is a list; `statfs`, locks and mapping for execution are no decisions about a caller.
const OTHERS: [&str; 6] = ["setattr", "symlink", "link", "mknod", "xattr", "access-x"];

/// The lines that a source speaks of.
fn lines(source: &str) -> BTreeSet<(usize, usize)> {
    let mut lines = BTreeSet::new();
    for part in source.split('T').skip(1) {
        let Some(table) = part.chars().next().and_then(|it| it.to_digit(10)) else { continue };
        let rest = part[1..].trim_start_matches(", column U✓,").trim_start_matches(", column U,");
        let Some(rest) = rest.strip_prefix(" rows ").or_else(|| rest.strip_prefix(" row ")) else { continue };
        for word in rest.split(' ') {
            let digits = word.trim_end_matches([',', ';', ':']);
            match digits.parse() {
                Ok(line) => {
                    lines.insert((table as usize, line));
                }
                Err(_) if word == "and" => {}
                Err(_) => break,
            }
            if word.ends_with([';', ':']) {
                break;
            }
        }
    }
    lines
}

#[test]
fn sources_are_understood() {
    assert_eq!(
        lines("mediaprovider.md T2 rows 4 and 5; T6 row 6, column U"),
        [(2, 4), (2, 5), (6, 6)].into()
    );
    assert_eq!(lines("mediaprovider.md T2, column U✓, rows 9 and 10"), [(2, 9), (2, 10)].into());
    assert_eq!(lines("mediaprovider.md T4 row 3: a grant; T9, §1.5 and 6"), [(4, 3)].into());
}

#[test]
fn every_cell_has_a_vector() {
    let callers = Callers::load();
    let tables = schema::tables();
    let mut met = BTreeSet::new();
    for vector in tables.iter().flat_map(|it| &it.rows).flat_map(|it| it.expand(&callers)) {
        for (table, line) in lines(&vector.row.source) {
            met.insert((table, line, vector.op, vector.caller.name.as_str()));
        }
        met.insert((9, 0, vector.op, vector.caller.name.as_str()));
    }
    let mut missing = Vec::new();
    let mut cells = 0;
    for caller in &callers.callers {
        let mut want = |table, line, op| {
            cells += 1;
            if !met.contains(&(table, line, op, caller.name.as_str())) {
                missing.push(format!("T{table} row {line}, {op}, {}", caller.name));
            }
        };
        for (table, last, ops) in TABLES {
            for line in 1..=last {
                ops.iter()
                    .filter(|op| !OF_ONE_OPERATION.contains(&(table, line, op)))
                    .for_each(|op| want(table, line, op));
            }
        }
        OTHERS.iter().for_each(|op| want(9, 0, op));
    }
    assert!(missing.is_empty(), "{} of {cells} cells have no vector:\n{}", missing.len(), missing.join("\n"));
    // A table that grows brings its lines along.
    let known =
        |(table, line): &(usize, usize)| TABLES.iter().any(|(it, last, _)| it == table && line <= last);
    let cited: BTreeSet<_> =
        tables.iter().flat_map(|it| &it.rows).flat_map(|row| lines(&row.source)).collect();
    assert!(cited.iter().all(known), "{cited:?}");
}
