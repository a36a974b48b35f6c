//! XMP packets.
//!
//! A location property is an element or an attribute. Of an attribute the value is hidden, of an element everything between
//! its tags, and the attributes in which RDF's short forms keep a structure's fields. Spaces hide it (see
//! [`Fill`](super::Fill)): the packet stays well-formed, readers find the property empty and everything else as it was.
//! What is blank already is not found again. A packet that is not well-formed is hidden as a whole, as MediaProvider
//! does (`RedactionUtils`).

use std::ops::Range;

use super::finding::{Finding, What};
use super::input::{Input, Section, Unreadable};
use super::xml::{Kind, Malformed, Tag, Tags};
use super::xmp_names::{Property, property};

/// Larger packets are not taken apart. Phones keep depth maps of a few megabytes in extended XMP.
const LARGEST: u64 = 16 << 20;
/// Deeper elements or more namespaces at once than any writer of XMP makes.
const DEEPEST: usize = 200;

/// Everything in the packet `section` that tells a location.
///
/// # Errors
///
/// When reading fails or the budget is used up.
pub(super) fn find(input: &Input<'_>, section: Section, out: &mut Vec<Finding>) -> Result<(), Unreadable> {
    input.step()?;
    let whole = Finding::spaced(section, What::Whole { block: "XMP" });
    if section.len() > LARGEST {
        out.push(whole);
        return Ok(());
    }
    let data = input.read(section)?;
    let (text, width) = narrow(&data);
    if blank(&text) {
        return Ok(());
    }
    let mut packet = Packet {
        text: &text,
        bindings: Vec::new(),
        open: Vec::new(),
        found: Vec::new(),
        located: false,
        named: false,
    };
    match packet.read(input)? {
        // XMP does not allow nodes with names (part 1, §C.2.4), and readers differ in what they make of them.
        Ok(()) if packet.located && packet.named => out.push(whole),
        Ok(()) => {
            for (range, what) in packet.found {
                let (from, to) = (range.start as u64 * width, range.end as u64 * width);
                if let Some(place) = section.part(from, to.saturating_sub(from)) {
                    out.push(Finding::spaced(place, what));
                }
            }
        }
        Err(Malformed) => out.push(whole),
    }
    Ok(())
}

/// One byte for each character unit, and how many bytes that has in the file. Tags, quotes and the names looked for are
/// ASCII; other units become something that is part of a name or of text.
fn narrow(data: &[u8]) -> (std::borrow::Cow<'_, [u8]>, u64) {
    let (width, low) = match *data {
        [0, 0, 0xfe, 0xff, ..] | [0, 0, 0, b'<', ..] => (4, 3),
        [0xff, 0xfe, 0, 0, ..] | [b'<', 0, 0, 0, ..] => (4, 0),
        [0xfe, 0xff, ..] | [0, b'<', ..] => (2, 1),
        [0xff, 0xfe, ..] | [b'<', 0, ..] => (2, 0),
        _ => return (data.into(), 1),
    };
    let unit = |unit: &[u8]| {
        let high = unit.iter().enumerate().any(|(i, byte)| i != low && *byte != 0);
        unit.get(low).copied().filter(|byte| !high && *byte < 0x80).unwrap_or(0x80)
    };
    (data.chunks(width).map(unit).collect(), width as u64)
}

/// Whether there is nothing to hide in a value.
fn blank(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0))
}

struct Packet<'a> {
    text: &'a [u8],
    /// Prefixes and what they are bound to, innermost last.
    bindings: Vec<(Range<usize>, Range<usize>)>,
    open: Vec<Element>,
    found: Vec<(Range<usize>, What)>,
    /// A location property was seen, be it blank; and a node that is named, so that values may lie elsewhere.
    located: bool,
    named: bool,
}

struct Element {
    name: Range<usize>,
    /// Bindings outside of it.
    bindings: usize,
    /// Where its content begins and what that is, if it is to be hidden.
    hidden: Option<(usize, What)>,
}

impl<'a> Packet<'a> {
    /// The outer result is the budget, the inner one whether the packet is well-formed.
    fn read(&mut self, input: &Input<'_>) -> Result<Result<(), Malformed>, Unreadable> {
        let mut tags = Tags::new(self.text);
        let mut any = false;
        loop {
            input.step()?;
            match tags.next() {
                Ok(Some(tag)) => {
                    any = true;
                    for _ in &tag.attributes {
                        input.step()?;
                    }
                    if self.tag(tag).is_err() {
                        return Ok(Err(Malformed));
                    }
                }
                Ok(None) if any && self.open.is_empty() => return Ok(Ok(())),
                Ok(None) | Err(Malformed) => return Ok(Err(Malformed)),
            }
        }
    }

    fn tag(&mut self, tag: Tag) -> Result<(), Malformed> {
        if tag.kind == Kind::Close {
            let element = self.open.pop().ok_or(Malformed)?;
            if self.at(&element.name) != self.at(&tag.name) {
                return Err(Malformed);
            }
            if let Some((start, what)) = element.hidden {
                self.hide(start..tag.place.start, what);
            }
            self.bindings.truncate(element.bindings);
            return Ok(());
        }
        let outside = self.bindings.len();
        for (name, value) in &tag.attributes {
            self.named |= matches!(self.split(name), Some((_, b"nodeID")));
            if let Some((b"xmlns", _)) = self.split(name) {
                self.bindings.push((name.start + b"xmlns:".len()..name.end, value.clone()));
            } else if self.at(name) == b"xmlns" {
                self.bindings.push((name.end..name.end, value.clone()));
            }
        }
        if self.bindings.len() > DEEPEST || self.open.len() > DEEPEST {
            return Err(Malformed);
        }
        // The default namespace is that of elements only.
        let what = self.what(&tag.name, true);
        self.located |= what.is_some();
        for (name, value) in &tag.attributes {
            let own = self.what(name, false);
            self.located |= own.is_some();
            if let Some(own) = own.or_else(|| what.clone().filter(|_| !self.is_syntax(name))) {
                self.hide(value.clone(), own);
            }
        }
        if tag.kind == Kind::Empty {
            self.bindings.truncate(outside);
        } else {
            let hidden = what.map(|what| (tag.place.end, what));
            self.open.push(Element { name: tag.name, bindings: outside, hidden });
        }
        Ok(())
    }

    fn hide(&mut self, range: Range<usize>, what: What) {
        if !blank(self.at(&range)) {
            self.found.push((range, what));
        }
    }

    /// What an element or attribute is, if it is to be hidden.
    fn what(&self, name: &Range<usize>, element: bool) -> Option<What> {
        let (prefix, local) = self.split(name).unwrap_or((b"", self.at(name)));
        if prefix == b"xmlns" || (prefix.is_empty() && !element) {
            return None;
        }
        let bound = self.bindings.iter().rev().find(|(known, _)| self.at(known) == prefix);
        match property(prefix, bound.map_or(b"", |(_, uri)| self.at(uri)), local) {
            Property::Location => Some(What::Xmp { property: String::from_utf8_lossy(local).into_owned() }),
            Property::Digest(name) => Some(What::Digest { name }),
            Property::Plain => None,
        }
    }

    /// Attributes of a location's element that hold none of it.
    fn is_syntax(&self, name: &Range<usize>) -> bool {
        match self.split(name) {
            Some((b"xml" | b"xmlns", _)) => true,
            Some((_, local)) => matches!(local, b"parseType" | b"datatype" | b"about" | b"ID" | b"nodeID"),
            None => self.at(name) == b"xmlns",
        }
    }

    fn split(&self, name: &Range<usize>) -> Option<(&'a [u8], &'a [u8])> {
        let name = self.at(name);
        let colon = name.iter().position(|byte| *byte == b':')?;
        Some((name.get(..colon)?, name.get(colon + 1..)?))
    }

    fn at(&self, range: &Range<usize>) -> &'a [u8] {
        self.text.get(range.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "xmp_tests.rs"]
mod tests;
