use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

/// Every key of a JSON value with the type behind it, arrays as what their elements have in common.
fn shape(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    let mut leaf = |kind: &str| into.insert(format!("{path}: {kind}"));
    match value {
        Value::Null => leaf("null"),
        Value::Bool(_) => leaf("bool"),
        Value::Number(_) => leaf("number"),
        Value::String(_) => leaf("string"),
        Value::Array(all) => {
            all.iter().for_each(|it| shape(it, &format!("{path}[]"), into));
            true
        }
        Value::Object(all) => {
            all.iter().for_each(|(key, it)| shape(it, &format!("{path}.{key}"), into));
            true
        }
    };
}

/// Programs read this: what is here stays.
#[test]
fn json_keeps_its_shape() {
    let json = Print { format: Some(Format::Json), output: None }.run(false).unwrap();
    let mut found = BTreeSet::new();
    shape(&serde_json::from_str(&json).unwrap(), "", &mut found);
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    let golden = [
        ".callers[].about: string",
        ".callers[].app_ops[]: string",
        ".callers[].id: string",
        ".callers[].instant: bool",
        ".callers[].permissions[]: string",
        ".callers[].requests_legacy_storage: bool",
        ".callers[].requests_raw_access: bool",
        ".callers[].requests_raw_access: null",
        ".callers[].scoped_storage: bool",
        ".callers[].scoped_storage: null",
        ".callers[].shares_uid: bool",
        ".callers[].target_sdk: null",
        ".callers[].target_sdk: number",
        ".callers[].uid: number",
        ".objects[].about: string",
        ".objects[].exists: bool",
        ".objects[].group: string",
        ".objects[].id: string",
        ".objects[].path: string",
        ".objects[].public: bool",
        ".operations[].about: string",
        ".operations[].id: string",
        ".operations[].sign: string",
        ".outcomes[].about: string",
        ".outcomes[].id: string",
        ".outcomes[].sign: string",
        ".rows[].cells[].changes[]: string",
        ".rows[].cells[].outcome: string",
        ".rows[].cells[].rule: string",
        ".rows[].object: string",
        ".rows[].operation: string",
        ".rules[].because: string",
        ".rules[].id: string",
    ];
    assert_eq!(found, golden);
}

#[test]
fn json_is_what_the_global_flag_asks_for() {
    let print = || Print { format: None, output: None };
    assert!(print().run(true).unwrap().starts_with('{'));
    assert!(print().run(false).unwrap().starts_with("Who may do what"));
}

#[test]
fn text_fits_a_terminal() {
    let text = text::render(&matrix());
    for line in text.lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }
    let block = text.split_once("another app's image (DCIM/other.jpg)\n").unwrap().1;
    let line = block.lines().find(|it| it.trim_start().starts_with("open-read")).unwrap();
    let cells: Vec<&str> = line.split_whitespace().skip_while(|it| it.contains('-')).collect();
    assert_eq!(
        cells,
        [
            "A", "✓r", "✓r", "✓", "✓r", "A", "A", "✓", "✓", "A", "✓r", "✓", "✓", "✓", "✓", "✓", "A", "A",
            "✓", "A", "✓r", "A", "N", "✓", "✓", "F", "F", "F"
        ]
    );
    assert!(text.lines().count() < 900, "{} lines", text.lines().count());
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let page = page(&matrix()).unwrap();
    assert!(!page.contains(DATA) && page.contains("\"others-image\""));
    for outside in ["http:", "https:", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("</script>").count(), 1);
}

#[test]
fn the_table_goes_to_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("matrix.html");
    let said = Print { format: Some(Format::Html), output: Some(file.clone()) }.run(false).unwrap();
    assert!(said.starts_with("wrote ") && said.contains("matrix.html"), "{said}");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("<!doctype html>"));
    let nowhere = Print { format: None, output: Some(dir.path().join("no/such/file")) }.run(false);
    assert!(matches!(nowhere, Err(Failure::Failed(_))));
}
