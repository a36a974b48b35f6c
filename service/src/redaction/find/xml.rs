//! Just enough XML to know where values lie: tags and attributes with their places. Text is what is between tags.
//!
//! Not a validating reader: it is stricter than those that read XMP leniently only in that tags must be closed in order,
//! because without that it is not known where a value ends.

use std::ops::Range;

/// The XML is not well-formed in a way that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    /// The whole of it, from `<` to behind `>`.
    pub(super) place: Range<usize>,
    /// Its name with prefix.
    pub(super) name: Range<usize>,
    /// Attributes: name with prefix, value without quotes.
    pub(super) attributes: Vec<(Range<usize>, Range<usize>)>,
    /// `</name>`, `<name/>` or `<name>`.
    pub(super) kind: Kind,
}

/// Most attributes of one tag. Each costs memory before anybody can count it; a rich element of XMP has a few hundred.
const MOST_ATTRIBUTES: usize = 10_000;

/// What a tag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    Empty,
}

/// Reads tag after tag.
#[derive(Debug)]
pub(super) struct Tags<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Tags<'a> {
    pub(super) fn new(text: &'a [u8]) -> Tags<'a> {
        Tags { text, at: 0 }
    }

    /// The next tag; `None` at the end. Comments, processing instructions and CDATA are passed over.
    pub(super) fn next(&mut self) -> Result<Option<Tag>, Malformed> {
        loop {
            let Some(open) = self.position(|byte| byte == b'<') else { return Ok(None) };
            self.at = open;
            let rest = self.text.get(open..).unwrap_or_default();
            if rest.starts_with(b"<!--") {
                self.skip_past(4, b"-->")?;
            } else if rest.starts_with(b"<![CDATA[") {
                self.skip_past(9, b"]]>")?;
            } else if rest.starts_with(b"<?") {
                self.skip_past(2, b"?>")?;
            } else if rest.starts_with(b"<!") {
                // A document type may define entities, that is, text anywhere.
                return Err(Malformed);
            } else {
                return self.tag(open).map(Some);
            }
        }
    }

    fn tag(&mut self, open: usize) -> Result<Tag, Malformed> {
        self.at = open + 1;
        let mut kind = Kind::Open;
        if self.peek() == Some(b'/') {
            kind = Kind::Close;
            self.at += 1;
        }
        let name = self.name()?;
        let mut attributes = Vec::new();
        loop {
            let before = self.at;
            self.skip_space();
            match self.peek().ok_or(Malformed)? {
                b'>' => {
                    self.at += 1;
                    return Ok(Tag { place: open..self.at, name, attributes, kind });
                }
                b'/' if kind == Kind::Open => {
                    self.at += 1;
                    if self.peek() != Some(b'>') {
                        return Err(Malformed);
                    }
                    kind = Kind::Empty;
                }
                _ if kind != Kind::Open || self.at == before => return Err(Malformed),
                _ if attributes.len() == MOST_ATTRIBUTES => return Err(Malformed),
                _ => attributes.push(self.attribute()?),
            }
        }
    }

    fn attribute(&mut self) -> Result<(Range<usize>, Range<usize>), Malformed> {
        let name = self.name()?;
        self.skip_space();
        if self.peek() != Some(b'=') {
            return Err(Malformed);
        }
        self.at += 1;
        self.skip_space();
        let quote = self.peek().filter(|byte| matches!(byte, b'"' | b'\'')).ok_or(Malformed)?;
        self.at += 1;
        let start = self.at;
        let end = self.position(|byte| byte == quote || byte == b'<').ok_or(Malformed)?;
        self.at = end;
        if self.peek() != Some(quote) {
            return Err(Malformed);
        }
        self.at += 1;
        Ok((name, start..end))
    }

    fn name(&mut self) -> Result<Range<usize>, Malformed> {
        let start = self.at;
        let end = self.position(|byte| !is_name(byte)).ok_or(Malformed)?;
        self.at = end;
        if start == end { Err(Malformed) } else { Ok(start..end) }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        self.at = self.position(|byte| !byte.is_ascii_whitespace()).unwrap_or(self.text.len());
    }

    fn position(&self, wanted: impl Fn(u8) -> bool) -> Option<usize> {
        let rest = self.text.get(self.at..)?;
        rest.iter().position(|byte| wanted(*byte)).map(|n| self.at + n)
    }

    fn skip_past(&mut self, opening: usize, end: &[u8]) -> Result<(), Malformed> {
        let from = self.at + opening;
        let rest = self.text.get(from..).ok_or(Malformed)?;
        let n = rest.windows(end.len()).position(|window| window == end).ok_or(Malformed)?;
        self.at = from + n + end.len();
        Ok(())
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<String>, Malformed> {
        let mut tags = Tags::new(text.as_bytes());
        let mut seen = Vec::new();
        while let Some(tag) = tags.next()? {
            let mut line = format!("{:?} {}", tag.kind, &text[tag.name]);
            for (name, value) in tag.attributes {
                line += &format!(" {}={}", &text[name], &text[value]);
            }
            seen.push(line);
        }
        Ok(seen)
    }

    #[test]
    fn tags_and_attributes_are_told_apart_from_the_rest() {
        let text = "<?x a='<b>'?><a:b c='1' d:e = \"2>\" ><!-- <z> --><f/>text<![CDATA[<g>]]></a:b >";
        assert_eq!(all(text).unwrap(), ["Open a:b c=1 d:e=2>", "Empty f", "Close a:b"]);
    }

    #[test]
    fn what_leaves_open_where_a_value_ends_is_malformed() {
        for text in [
            "<a",
            "<a b>",
            "<a b=c>",
            "<a b='",
            "<a b='<'>",
            "<!DOCTYPE x>",
            "<>",
            "<!-- ",
            "</a b='1'>",
            "<a/ >",
        ] {
            assert_eq!(all(text), Err(Malformed), "{text}");
        }
    }
}
