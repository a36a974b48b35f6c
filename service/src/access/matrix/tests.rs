use std::collections::BTreeSet;

use super::*;

fn cell<'a>(matrix: &'a Matrix, object: &str, operation: &str, caller: &str) -> &'a Cell {
    let column = matrix.callers.iter().position(|it| it.id == caller).unwrap();
    let row = matrix.rows.iter().find(|it| it.object == object && it.operation == operation).unwrap();
    &row.cells[column]
}

#[test]
fn the_table_is_whole() {
    let matrix = matrix();
    let distinct = |ids: Vec<&str>| ids.iter().collect::<BTreeSet<_>>().len() == ids.len();
    assert!(distinct(matrix.callers.iter().map(|it| it.id).collect()));
    assert!(distinct(matrix.objects.iter().map(|it| it.id).collect()));
    assert!(distinct(matrix.outcomes.iter().map(|it| it.id).collect()));
    assert!(distinct(matrix.outcomes.iter().map(|it| it.sign).collect()));
    assert!(matrix.rows.len() > 700 && matrix.callers.len() == 28, "{} rows", matrix.rows.len());
    for row in &matrix.rows {
        assert_eq!(row.cells.len(), matrix.callers.len());
        for cell in &row.cells {
            assert!(matrix.outcomes.iter().any(|it| it.id == cell.outcome), "{}", cell.outcome);
            assert!(matrix.rules.iter().any(|it| it.id == cell.rule), "{}", cell.rule);
        }
    }
    for op in Op::ALL {
        assert!(matrix.rows.iter().any(|it| it.operation == op.named().id), "{op:?}");
    }
}

#[test]
fn cells_say_what_the_tables_say() {
    let matrix = matrix();
    for (object, operation, caller, outcome) in [
        ("others-image", "open-read", "N", "EACCES"),
        ("others-image", "open-read", "R", "allow-redacted"),
        ("others-image", "open-read", "RL", "allow"),
        ("selected-image", "open-read", "U", "allow-redacted"),
        ("own-image", "lookup", "IA", "ENOENT"),
        ("new-image", "create", "IA", "ENOENT"),
        ("album-art", "open-read", "R3", "EACCES"),
        ("clones-image", "open-read", "R3", "allow-redacted"),
        ("clones-image", "open-read", "N", "EACCES"),
        ("clones-own-document", "open-write", "N", "allow"),
        ("clones-data-file", "open-read", "N", "ENOENT"),
        ("works-own-document", "open-read", "N", "EACCES"),
        ("works-image", "lookup", "M", "EACCES"),
        ("selected-document", "open-read", "U", "EACCES"),
        ("write-granted-document", "unlink", "N", "allow"),
        ("others-document", "unlink", "N", "ENOENT"),
        ("others-data-file", "open-read", "M", "ENOENT"),
        ("new-image", "create", "N", "allow-owned"),
        ("new-misfit", "create", "N", "EPERM"),
        ("new-misfit", "move-in", "N", "EPERM"),
        ("new-document", "move-in", "N", "allow"),
        ("others-document", "replace", "N", "EPERM"),
        ("own-document", "replace", "N", "allow"),
        ("default-directory", "opendir", "N", "allow-filtered"),
        ("default-directory", "opendir", "M", "allow-all"),
        ("deeper-directory", "rename", "N", "allow-each"),
        ("mount-root", "opendir", "M", "EPERM"),
        ("other-users-image", "lookup", "M", "EACCES"),
        ("own-image", "open-read", "D", "EFAULT"),
        ("own-image", "xattr", "0", "EOPNOTSUPP"),
        ("own-data-file", "rename", "N", "allow"),
        ("android-data", "opendir", "I", "EACCES"),
        ("android-obb", "opendir", "I", "allow-all"),
        ("others-obb", "opendir", "Io", "allow-all"),
        ("others-data", "opendir", "I", "ENOENT"),
        ("others-data-file", "access-x", "N", "ENOENT"),
        ("others-data-file", "access-f", "Co", "allow"),
        ("others-sandbox-file", "setattr", "N", "EACCES"),
        ("others-sandbox-file", "access-f", "N", "allow"),
        ("new-data-tree", "move-in", "LW", "EACCES"),
        ("own-document", "open-read", "Sh", "allow"),
        ("new-image", "create", "Lw", "allow-owned"),
        ("others-image", "open-read", "Lw", "EACCES"),
        ("others-image", "open-write", "Gi", "allow"),
        ("others-image", "open-read", "Cs", "allow-redacted"),
        ("others-document", "open-write", "Cl", "allow"),
        ("others-image", "open-read", "De", "EACCES"),
        ("own-image", "open-read", "NP", "EFAULT"),
        ("card-others-image", "open-read", "R3", "allow-redacted"),
        ("card-others-data-file", "open-read", "M", "ENOENT"),
    ] {
        assert_eq!(
            cell(&matrix, object, operation, caller).outcome,
            outcome,
            "{object} {operation} {caller}"
        );
    }
}

/// What stands in the table under one name is one thing: no cell speaks for a place that is decided otherwise.
#[test]
fn everything_has_a_place_of_its_own() {
    let matrix = matrix();
    for thing in &matrix.objects {
        assert!(!thing.about.contains(", or Android"), "{}", thing.about);
    }
    for path in ["Android/data", "Android/obb", "Android/media", "Android/sandbox"] {
        for below in ["", "/com.example.app", "/com.example.other"] {
            let path = format!("{path}{below}");
            let of = |it: &&Thing| it.path == path && it.exists && !it.public && it.kind == Kind::Directory;
            assert_eq!(matrix.objects.iter().filter(of).count(), 1, "{path}");
        }
    }
}

#[test]
fn what_would_change_a_refusal_is_found_by_asking() {
    let matrix = matrix();
    let changes = |object, operation, caller| cell(&matrix, object, operation, caller).changes.clone();
    let read = changes("others-image", "open-read", "N");
    for wanted in
        ["READ_MEDIA_IMAGES", "MANAGE_EXTERNAL_STORAGE", "a read grant on the file", "being the owner"]
    {
        assert!(read.iter().any(|it| it == wanted), "{read:?}");
    }
    for wrong in ["READ_MEDIA_VIDEO", "the user to select the file", "ACCESS_MEDIA_LOCATION"] {
        assert!(!read.iter().any(|it| it == wrong), "{read:?}");
    }
    assert!(changes("others-image", "open-read", "U").contains(&"the user to select the file".to_owned()));
    assert!(!changes("others-image", "open-write", "N").contains(&"a read grant on the file".to_owned()));
    assert_eq!(changes("others-image", "open-read", "R3"), [""; 0]);
    assert_eq!(changes("own-image", "open-read", "X"), [""; 0]);
}
