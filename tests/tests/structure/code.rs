//! Rust source as the rules see it: without comments, strings and test-only items, as words with their lines.

/// A word (identifier or number) or a sign, and its line counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// Takes comments, strings and characters out of `source`; what is left keeps its line.
pub(crate) fn strip(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &source[at..];
        let end = if rest.starts_with("//") {
            at + rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            at + block_comment(rest)
        } else if let Some(length) = string(rest, at.checked_sub(1).map(|before| bytes[before])) {
            at + length
        } else {
            let next = rest.chars().next().map_or(1, char::len_utf8);
            out.push_str(&rest[..next]);
            at += next;
            continue;
        };
        out.push(' ');
        out.extend(source[at..end].chars().filter(|it| *it == '\n'));
        at = end;
    }
    out
}

/// The length of the block comment that `rest` begins with; they nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of the string, byte string, raw string or character that `rest` begins with; `before` is the byte
/// before it.
fn string(rest: &str, before: Option<u8>) -> Option<usize> {
    let inside_a_word = before.is_some_and(|it| it.is_ascii_alphanumeric() || it == b'_');
    let prefix = if inside_a_word {
        0
    } else {
        ["br", "cr", "b", "c", "r"].into_iter().find(|it| rest.starts_with(it)).map_or(0, str::len)
    };
    let hashes = rest[prefix..].bytes().take_while(|it| *it == b'#').count();
    let body = &rest[prefix + hashes..];
    let raw = rest[..prefix].ends_with('r');
    if raw && body.starts_with('"') {
        let close = format!("\"{}", "#".repeat(hashes));
        let length = body[1..].find(&close).map_or(body.len(), |it| it + 1 + close.len());
        return Some(prefix + hashes + length);
    }
    if hashes > 0 || raw {
        return None;
    }
    match body.bytes().next()? {
        b'"' => Some(prefix + quoted(body, '"')),
        b'\'' => {
            let mut inside = body[1..].chars();
            let (first, second) = (inside.next()?, inside.next());
            // Otherwise a lifetime.
            (first == '\\' || second == Some('\'')).then(|| prefix + quoted(body, '\''))
        }
        _ => None,
    }
}

fn quoted(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, it) in body.char_indices().skip(1) {
        match it {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if it == quote => return at + quote.len_utf8(),
            _ => {}
        }
    }
    body.len()
}

/// Splits stripped source into words and signs. `::` is one sign.
pub(crate) fn tokens(stripped: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (number, line) in stripped.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = |it: char| it.is_alphanumeric() || it == '_';
            let length = if word(first) {
                rest.find(|it| !word(it)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            tokens.push(Token { line: number + 1, text: rest[..length].to_owned() });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// The tokens of a file without its comments, strings and `#[cfg(test)]` items.
pub(crate) fn code(source: &str) -> Vec<Token> {
    without_tests(tokens(&strip(source)))
}

fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let mark = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let marked = tokens[at..].iter().map(|it| it.text.as_str()).take(mark.len()).eq(mark);
        if marked {
            at = end_of_item(&tokens, at + mark.len());
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Where the item that begins at `at` ends: behind its closing brace, or its semicolon.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token.text.as_str() {
            "{" => depth += 1,
            "}" if depth <= 1 => break,
            "}" => depth -= 1,
            ";" if depth == 0 => break,
            _ => {}
        }
    }
    at
}

/// The rooms of the service (modules of its crate root) that the code names, with lines. `depth` is how many
/// modules the file is below the crate root.
pub(crate) fn rooms(tokens: &[Token], depth: usize) -> Vec<Token> {
    let text = |at: usize| tokens.get(at).map_or("", |it| it.text.as_str());
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_path_start = at == 0 || text(at - 1) != "::";
        let after = match text(at) {
            "crate" | "mediagate" if is_path_start && text(at + 1) == "::" => at + 2,
            "super" if is_path_start => {
                let mut next = at;
                let mut supers = 0;
                while text(next) == "super" && text(next + 1) == "::" {
                    (supers, next) = (supers + 1, next + 2);
                }
                if supers < depth.max(1) {
                    at += 1;
                    continue;
                }
                next
            }
            _ => {
                at += 1;
                continue;
            }
        };
        if text(after) == "{" {
            found.extend(heads(tokens, after));
        } else if let Some(token) = tokens.get(after) {
            found.push(token.clone());
        }
        at = after;
    }
    found
}

/// The first words of the branches of the group whose brace is at `open`.
fn heads(tokens: &[Token], open: usize) -> Vec<Token> {
    let (mut depth, mut heads, mut begins) = (0, Vec::new(), false);
    for token in &tokens[open..] {
        match token.text.as_str() {
            "{" => {
                depth += 1;
                begins = depth == 1;
            }
            "}" => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            "," => begins = depth == 1,
            _ if begins => {
                heads.push(token.clone());
                begins = false;
            }
            _ => {}
        }
    }
    heads
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        code(source).into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        let source = "a // fuser\n/* fuser /* x */ fuser */ b \"fuser\\\" fuser\" r#\"fuser\" fuser\"# c b\"fuser\" 'f' '\\'' d";
        assert_eq!(words(source), ["a", "b", "c", "d"]);
    }

    #[test]
    fn lifetimes_and_raw_words_are_code() {
        assert_eq!(words("fn f<'a>(x: &'a str)").join(" "), "fn f < ' a > ( x : & ' a str )");
        assert_eq!(words("r#type for_r\"x\" y").join(" "), "r # type for_r y");
    }

    #[test]
    fn lines_are_kept() {
        let found: Vec<_> = code("/*\n\n*/ a\n\"\n\" b").into_iter().map(|it| (it.line, it.text)).collect();
        assert_eq!(found, [(3, "a".to_owned()), (5, "b".to_owned())]);
    }

    #[test]
    fn test_only_items_are_left_out() {
        assert_eq!(words("a #[cfg(test)] mod tests { fn x() { fuser } } b").join(" "), "a b");
        assert_eq!(words("a #[cfg(test)] mod tests; b #[cfg(unix)] c").join(" "), "a b # [ cfg ( unix ) ] c");
    }

    #[test]
    fn rooms_are_found_however_they_are_named() {
        let named = |source: &str, depth| -> Vec<String> {
            rooms(&code(source), depth).into_iter().map(|it| it.text).collect()
        };
        assert_eq!(named("use crate::fuse::mount; crate::ops::open()", 2), ["fuse", "ops"]);
        assert_eq!(named("use crate::{fuse::{a, b}, ops as o, node};", 2), ["fuse", "ops", "node"]);
        assert_eq!(named("use super::super::fuse; use super::list;", 2), ["fuse"]);
        assert_eq!(named("use super::fuse;", 1), ["fuse"]);
        assert_eq!(named("use mediagate::lower; x::crate_name; // crate::fuse", 1), ["lower"]);
    }
}
