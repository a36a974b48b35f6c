//! A PDF of one page (ISO 32000-1): five objects, and the table that says where each one starts.

use std::fmt::Write as _;
use std::io::{self, Write};

/// Writes a page with a title and lines of text (ASCII).
pub(super) fn write(out: &mut dyn Write, title: &str, lines: &[&str]) -> io::Result<()> {
    let mut page = format!("BT /F1 22 Tf 72 760 Td ({}) Tj /F1 12 Tf 0 -12 Td", escape(title));
    for line in lines {
        let _ = write!(page, " 0 -20 Td ({}) Tj", escape(line));
    }
    page.push_str(" ET");

    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{page}\nendstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        format!("<< /Title ({}) /Producer (mediagate demo) >>", escape(title)),
    ];
    let mut file = String::from("%PDF-1.4\n");
    // Each line of the table has 20 bytes; the first is the head of the list of free objects.
    let mut table = String::from("0000000000 65535 f \n");
    for (index, object) in objects.iter().enumerate() {
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        let _ = write!(file, "{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let table_at = file.len();
    let count = objects.len() + 1;
    let _ = write!(
        file,
        "xref\n0 {count}\n{table}trailer\n<< /Size {count} /Root 1 0 R /Info 6 0 R >>\nstartxref\n{table_at}\n%%EOF\n"
    );
    out.write_all(file.as_bytes())
}

/// Parentheses and backslashes stand for themselves only behind a backslash.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)")
}
