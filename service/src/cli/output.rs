//! How answers look: aligned tables for people, JSON for programs, paths that lose nothing.

use serde::Serialize;

use super::failure::Failure;

/// `value` as JSON, for `--json`.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|e| Failure::Failed(format!("cannot write the answer as JSON: {e}")))
}

/// What a command says that has nothing to show: a sentence, or an object that can grow.
pub(super) fn done(sentence: String, as_json: bool) -> Result<String, Failure> {
    if as_json { json(&serde_json::json!({ "ok": true })) } else { Ok(sentence + "\n") }
}

/// Bytes as text that can be turned back: `\` is `\\`, control characters and what is not UTF-8 are `\xNN`.
pub(super) fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let hex = |text: &mut String, bytes: &[u8]| {
        for byte in bytes {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                c if c.is_control() => hex(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes()),
                c => text.push(c),
            }
        }
        hex(&mut text, chunk.invalid());
    }
    text
}

/// Rows under a heading, in columns as wide as their widest cell. Cells are escaped: no name breaks a line.
pub(super) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let rows: Vec<[String; N]> = std::iter::once(heading.map(str::to_owned))
        .chain(rows.iter().map(|row| row.each_ref().map(|cell| show(cell))))
        .collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Text from the service on one line, whatever is in it.
pub(super) fn show(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.replace(|c: char| c.is_control(), "?") }
}

/// Text of several lines that does nothing to a terminal but fill it.
pub(super) fn lines(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n' && c != '\t', "?")
}

/// Numbers with commas.
pub(super) fn numbers(values: &[u32]) -> String {
    values.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_nothing() {
        assert_eq!(escape("/DCIM/Ä b.jpg".as_bytes()), "/DCIM/Ä b.jpg");
        assert_eq!(escape(b"/a\\b\n\xff\xc3"), r"/a\\b\x0a\xff\xc3");
        assert_ne!(escape(b"\xff"), escape(br"\xff"));
        assert_eq!(escape("\u{85}".as_bytes()), r"\xc2\x85");
    }

    #[test]
    fn no_escape_sequence_reaches_the_terminal() {
        assert_eq!(lines("a\n\tb\x1b[2J\u{9b}"), "a\n\tb?[2J?");
        assert_eq!(show("a\x1b\n"), "a??");
    }

    #[test]
    fn columns_line_up_and_no_cell_breaks_them() {
        let rows = [["a".to_owned(), "x\ny".to_owned()], ["longer".to_owned(), String::new()]];
        assert_eq!(table(["NAME", "V"], &rows), "NAME    V\na       x?y\nlonger  -\n");
    }
}
