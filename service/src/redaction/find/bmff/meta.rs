//! `meta`: lists of keys and values, and the items of HEIF.

use super::super::finding::What;
use super::super::input::{Section, Unreadable};
use super::boxes::{self, Head, be32};
use super::{BTreeSet, Walker, opaque, words};

/// Most bytes of a list of keys. Real ones have a few hundred.
const KEYS: u64 = 1 << 20;
/// So much of a value is looked at for a point.
const VALUE: u64 = 4 << 10;

impl Walker<'_, '_> {
    /// `meta` is a full box in ISO files and a plain one in QuickTime's; which one shows in where `hdlr` is.
    pub(super) fn meta(&mut self, body: Section, depth: u8) -> Result<(), Unreadable> {
        let head = self
            .input
            .read(Section { start: body.start, end: body.end.min(body.start.saturating_add(64)) })?;
        let skip = match words::position(&head, b"hdlr") {
            // FFmpeg looks for it further on as well.
            Some(at @ 4..) => at as u64 - 4,
            // Without a handler: the version and flags of a full box are zero, a box has a size there.
            _ if be32(&head, 0) == Some(0) => 4,
            _ => 0,
        };
        let before = Section { start: body.start, end: body.start.saturating_add(skip).min(body.end) };
        if skip > 4 && opaque::block(self.input, before, false, self.out)? {
            self.push(before, What::Whole { block: "what cannot be told apart in a box" });
        }
        let inner = words::behind(body, skip);
        let (heads, broken) = boxes::list(self.input, inner)?;

        let own = self.key_lists(&heads)?;
        self.keys.extend(own.iter().flatten());
        // Without keys of its own, FFmpeg takes those that it saw last.
        let keys = own.unwrap_or_else(|| self.keys.clone());
        for head in &heads {
            match &head.kind {
                b"ilst" => self.item_list(head.body, &keys)?,
                b"keys" | b"hdlr" | b"iloc" | b"iinf" | b"pitm" | b"iref" | b"idat" => {}
                _ => self.one(head, super::Place::Within, depth + 1)?,
            }
        }
        self.items(&heads)?;
        match broken {
            Some(rest) => self.broken(rest, super::Place::Within),
            None => Ok(()),
        }
    }

    /// The numbers of keys that name a location, if there is a list of keys.
    fn key_lists(&mut self, heads: &[Head]) -> Result<Option<BTreeSet<u32>>, Unreadable> {
        let mut found = None;
        for head in heads.iter().filter(|it| &it.kind == b"keys") {
            let located = found.get_or_insert_with(BTreeSet::new);
            let body = Section { end: head.body.end.min(head.body.start.saturating_add(KEYS)), ..head.body };
            let (mut at, mut number) = (body.start.saturating_add(8), 0_u32);
            while at < body.end {
                self.input.step()?;
                number = number.saturating_add(1);
                let rest = Section { start: at, end: body.end };
                let Some(size) = self.input.array::<4>(at)?.map(u32::from_be_bytes).filter(|it| *it >= 8)
                else {
                    break;
                };
                let Some(entry) = rest.part(0, u64::from(size)) else { break };
                let name = self.input.read(words::behind(entry, 8))?;
                if words::names_location(&name) {
                    located.insert(number);
                    self.names.insert(number, words::shown(&name));
                }
                at = entry.end;
            }
        }
        Ok(found)
    }

    /// `ilst`: entries are of a type (iTunes), a number of a key (QuickTime), or have a name of their own (`----`).
    pub(super) fn item_list(&mut self, body: Section, keys: &BTreeSet<u32>) -> Result<(), Unreadable> {
        let (entries, broken) = boxes::list(self.input, body)?;
        for entry in &entries {
            if super::LOCATION.contains(&&entry.kind) {
                entry.hide_as_box(self.out);
                continue;
            }
            let number = u32::from_be_bytes(entry.kind);
            let (parts, rest) = boxes::list(self.input, entry.body)?;
            let name = match &entry.kind {
                b"----" => {
                    self.own_name(&parts)?.filter(|it| words::names_location(it)).map(|it| words::shown(&it))
                }
                _ if keys.contains(&number) => {
                    Some(self.names.get(&number).cloned().unwrap_or_else(|| number.to_string()))
                }
                _ => None,
            };
            if let Some(rest) = rest.filter(|_| name.is_some()) {
                self.push(rest, What::Key { name: name.clone().unwrap_or_default() });
            }
            for part in parts.iter().filter(|it| &it.kind == b"data") {
                // Behind its type and locale.
                let value = words::behind(part.body, 8);
                self.value(&entry.kind, value, name.as_deref())?;
            }
        }
        match broken {
            Some(rest) => self.broken(rest, super::Place::Within),
            None => Ok(()),
        }
    }

    fn value(&mut self, kind: &[u8; 4], value: Section, name: Option<&str>) -> Result<(), Unreadable> {
        if let Some(name) = name {
            self.push(value, What::Key { name: name.to_owned() });
        } else if kind == b"covr" {
            super::super::embedded(self.input, value, self.out)?;
        } else if words::is_point(
            &self.input.read(Section { end: value.end.min(value.start.saturating_add(VALUE)), ..value })?,
        ) {
            self.push(value, What::Key { name: words::shown(kind) });
        }
        Ok(())
    }

    /// The name of an entry of type `----`: who defined it (`mean`), then the name.
    fn own_name(&self, parts: &[Head]) -> Result<Option<Vec<u8>>, Unreadable> {
        let mut whole = Vec::new();
        for part in parts.iter().filter(|it| matches!(&it.kind, b"mean" | b"name")) {
            let body = words::behind(part.body, 4);
            whole.extend(
                self.input.read(Section { end: body.end.min(body.start.saturating_add(VALUE)), ..body })?,
            );
            whole.push(b'.');
        }
        Ok((!whole.is_empty()).then_some(whole))
    }
}
