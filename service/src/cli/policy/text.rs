//! The table for a terminal: a block for each object, a line for each set of operations that come out alike,
//! and one line for all those that do not depend on the caller.

use crate::access::{Matrix, MatrixRow, Thing};

/// Columns of the operations' names.
const LABEL: usize = 36;
/// Columns of one caller.
const CALLER: usize = 3;

pub(super) fn render(matrix: &Matrix) -> String {
    let mut text = legend(matrix);
    let mut group = "";
    for object in &matrix.objects {
        if object.group != group {
            group = object.group;
            text.push_str(&format!("\n{}\n", heading(matrix, group)));
        }
        text.push_str(&format!("{} ({})\n", object.about, place(object)));
        let rows: Vec<&MatrixRow> = matrix.rows.iter().filter(|it| it.object == object.id).collect();
        let (same, differing): (Vec<_>, Vec<_>) =
            alike(&rows).into_iter().partition(|(_, row)| is_uniform(row));
        for (operations, row) in differing {
            let lines = wrap(&operations);
            let (first, more) = lines.split_first().map_or(("", &[][..]), |(it, rest)| (it.as_str(), rest));
            text.push_str(&line(first, signs(matrix, row)));
            more.iter().for_each(|it| text.push_str(&format!("  {it}\n")));
        }
        if !same.is_empty() {
            let sign = |row| signs(matrix, row).first().copied().unwrap_or_default();
            let same = same.iter().map(|(operations, row)| format!("{} {}", operations.join(" "), sign(row)));
            text.push_str(&format!("  everybody: {}\n", same.collect::<Vec<_>>().join(", ")));
        }
    }
    text
}

fn legend(matrix: &Matrix) -> String {
    let mut text = "Who may do what. Callers are apps of one user:\n".to_owned();
    for caller in &matrix.callers {
        text.push_str(&format!("  {:<4} {}\n", caller.id, caller.about));
    }
    text.push_str("Cells:\n");
    for outcome in &matrix.outcomes {
        text.push_str(&format!("  {:<2}  {:<15} {}\n", outcome.sign, outcome.id, outcome.about));
    }
    text.push_str("Operations:\n");
    for operation in &matrix.operations {
        text.push_str(&format!("  {:<10} {}\n", operation.id, operation.about));
    }
    text
}

fn heading(matrix: &Matrix, group: &str) -> String {
    line_of(&group.to_uppercase(), 0, matrix.callers.iter().map(|it| it.id))
}

fn line(label: &str, signs: Vec<&str>) -> String {
    line_of(label, 2, signs.into_iter()) + "\n"
}

fn line_of<'a>(label: &str, indent: usize, cells: impl Iterator<Item = &'a str>) -> String {
    let mut line = format!("{:indent$}{label:<width$}", "", width = LABEL - indent);
    cells.for_each(|cell| line.push_str(&format!("{cell:<CALLER$}")));
    line.truncate(line.trim_end().len());
    line
}

fn place(object: &Thing) -> &str {
    if object.path.is_empty() { "/" } else { object.path }
}

/// Every caller gets the same.
fn is_uniform(row: &MatrixRow) -> bool {
    row.cells.windows(2).all(|pair| pair[0].outcome == pair[1].outcome)
}

/// Operations whose cells say the same, together, at the place of the first.
fn alike<'a>(rows: &[&'a MatrixRow]) -> Vec<(Vec<&'static str>, &'a MatrixRow)> {
    let mut all: Vec<(Vec<&'static str>, &MatrixRow)> = Vec::new();
    for row in rows {
        let outcomes = |it: &MatrixRow| it.cells.iter().map(|cell| cell.outcome).collect::<Vec<_>>();
        match all.iter_mut().find(|(_, known)| outcomes(known) == outcomes(row)) {
            Some((operations, _)) => operations.push(row.operation),
            None => all.push((vec![row.operation], row)),
        }
    }
    all
}

fn signs<'a>(matrix: &'a Matrix, row: &MatrixRow) -> Vec<&'a str> {
    let sign = |id| matrix.outcomes.iter().find(|it| it.id == id).map_or("?", |it| it.sign);
    row.cells.iter().map(|cell| sign(cell.outcome)).collect()
}

fn wrap(words: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() < LABEL - 3 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push((*word).to_owned()),
        }
    }
    lines
}
