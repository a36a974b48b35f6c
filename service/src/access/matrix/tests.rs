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
    assert!(matrix.rows.len() > 400 && matrix.callers.len() == 19, "{} rows", matrix.rows.len());
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
        ("album-art", "open-read", "R33", "EACCES"),
        ("clones-image", "open-read", "R33", "allow-redacted"),
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
    ] {
        assert_eq!(
            cell(&matrix, object, operation, caller).outcome,
            outcome,
            "{object} {operation} {caller}"
        );
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
    assert_eq!(changes("others-image", "open-read", "R33"), [""; 0]);
    assert_eq!(changes("own-image", "open-read", "X"), [""; 0]);
}
