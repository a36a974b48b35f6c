//! HEIF: HEIC and AVIF pictures (ISO 23008-12).

use super::boxes::{Part, full};
use super::bytes::{be, be16, be32, four};
use super::input::{Input, Problem};
use super::{Context, Found, exif, xmp};

/// Longest box that is read as a whole; the largest holds where the parts of a large picture's grid are.
const LONGEST: usize = 1 << 20;
/// Items and properties of a picture that are looked at.
const MOST: usize = 16_384;

/// What the `meta` box says of items.
#[derive(Default)]
struct Items {
    primary: Option<u32>,
    exif: Option<u32>,
    xmp: Option<u32>,
    locations: Vec<u8>,
    properties: Vec<Property>,
    associations: Vec<u8>,
    data: Option<Part>,
}

#[derive(Clone, Copy)]
enum Property {
    Extent(u32, u32),
    /// Turns against the clock, by 90 degrees.
    Turns(u8),
    Other,
}

/// The facts of a picture.
pub(super) fn read(input: &mut Input<'_>, context: &Context<'_>, found: &mut Found) -> Result<(), Problem> {
    let mut meta = None;
    Part::whole(input).children(input, |_, part| {
        meta = (part.kind == *b"meta").then_some(part);
        Ok(meta.is_none())
    })?;
    let Some(meta) = meta else { return Err(Problem::Malformed("a picture without items")) };
    let mut items = Items::default();
    meta.after(4).children(input, |input, part| {
        match &part.kind {
            b"pitm" => {
                items.primary =
                    full(&part.head(input, 16)?).and_then(|(version, rest)| id(rest, 0, version == 0))
            }
            b"iinf" => kinds(input, part, &mut items)?,
            b"iloc" => items.locations = part.read(input, LONGEST)?,
            b"iprp" => properties(input, part, &mut items)?,
            b"idat" => items.data = Some(part),
            _ => {}
        }
        Ok(true)
    })?;
    for property in items.of_primary() {
        match property {
            Property::Extent(width, height) if width > 0 && height > 0 => {
                (found.facts.width, found.facts.height) = (Some(width), Some(height));
            }
            Property::Turns(turns) => found.facts.orientation = Some(u16::from((4 - turns % 4) % 4) * 90),
            _ => {}
        }
    }
    // Readers of HEIF turn a picture by its properties alone (ISO 23008-12, A.2.3).
    let turned = found.facts.orientation.or(Some(0));
    if let Some(bytes) = items.contents(input, items.exif, exif::LONGEST)? {
        let skip = be32(&bytes, 0).and_then(|skip| usize::try_from(skip).ok()?.checked_add(4));
        exif::read(skip.and_then(|skip| bytes.get(skip..)).unwrap_or_default(), context.modified_ms, found);
    }
    found.facts.orientation = turned;
    if let Some(bytes) = items.contents(input, items.xmp, xmp::LONGEST)? {
        xmp::read(&bytes, found);
    }
    Ok(())
}

/// An item's number, of 16 or 32 bits.
fn id(bytes: &[u8], at: usize, short: bool) -> Option<u32> {
    if short { be16(bytes, at).map(u32::from) } else { be32(bytes, at) }
}

fn kinds(input: &mut Input<'_>, part: Part, items: &mut Items) -> Result<(), Problem> {
    let head = part.head(input, 8)?;
    let skip = if head.first() == Some(&0) { 6 } else { 8 };
    part.after(skip).children(input, |input, part| {
        if part.kind == *b"infe" {
            let entry = part.head(input, 256)?;
            if let Some((version, rest)) = full(&entry).filter(|(version, _)| *version >= 2) {
                let at = if version == 2 { 4 } else { 6 };
                let item = id(rest, 0, version == 2);
                match four(rest, at).as_ref() {
                    Some(b"Exif") => items.exif = items.exif.or(item),
                    Some(b"mime") => {
                        let mut texts = rest.get(at + 4..).unwrap_or_default().split(|byte| *byte == 0);
                        if texts.nth(1) == Some(b"application/rdf+xml") {
                            items.xmp = items.xmp.or(item);
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(true)
    })
}

fn properties(input: &mut Input<'_>, part: Part, items: &mut Items) -> Result<(), Problem> {
    part.children(input, |input, part| {
        match &part.kind {
            b"ipco" => part.children(input, |input, part| {
                let property = match &part.kind {
                    b"ispe" => {
                        let extent = part.head(input, 12)?;
                        Property::Extent(be32(&extent, 4).unwrap_or(0), be32(&extent, 8).unwrap_or(0))
                    }
                    b"irot" => Property::Turns(part.head(input, 1)?.first().copied().unwrap_or(0) & 3),
                    _ => Property::Other,
                };
                items.properties.push(property);
                Ok(items.properties.len() < MOST)
            })?,
            b"ipma" => items.associations = part.read(input, LONGEST)?,
            _ => {}
        }
        Ok(true)
    })
}

impl Items {
    /// The properties of the picture that is shown.
    fn of_primary(&self) -> Vec<Property> {
        self.primary.and_then(|primary| self.of_item(primary)).unwrap_or_default()
    }

    fn of_item(&self, item: u32) -> Option<Vec<Property>> {
        let (version, rest) = full(&self.associations)?;
        let wide = self.associations.get(3)? & 1 != 0;
        let mut at = 4;
        for _ in 0..be32(rest, 0)? {
            let entry = id(rest, at, version == 0)?;
            at += if version == 0 { 2 } else { 4 };
            let count = usize::from(*rest.get(at)?);
            at += 1;
            let size = if wide { 2 } else { 1 };
            if entry == item {
                let index = |number| {
                    let raw = be(rest, at + number * size, size)?;
                    let index =
                        usize::try_from(raw & if wide { 0x7fff } else { 0x7f }).ok()?.checked_sub(1)?;
                    self.properties.get(index).copied()
                };
                return Some((0..count).filter_map(index).collect());
            }
            at += count * size;
        }
        None
    }

    /// The contents of an item, up to `most` bytes of them.
    fn contents(
        &self,
        input: &mut Input<'_>,
        item: Option<u32>,
        most: usize,
    ) -> Result<Option<Vec<u8>>, Problem> {
        let Some((from_data, extents)) = item.and_then(|item| self.extents(item)) else { return Ok(None) };
        let base = match (from_data, self.data) {
            (false, _) => 0,
            (true, Some(data)) => data.start,
            (true, None) => return Ok(None),
        };
        let mut contents = Vec::new();
        for (offset, length) in extents {
            let room = most - contents.len();
            input.go(base.saturating_add(offset));
            let length = if length == 0 { input.size().saturating_sub(input.at()) } else { length };
            contents.extend(input.bytes(length.min(room as u64), room)?);
        }
        Ok(Some(contents))
    }

    /// Where an item is: whether in `idat`, and its extents.
    fn extents(&self, item: u32) -> Option<(bool, Vec<(u64, u64)>)> {
        let (version, rest) = full(&self.locations)?;
        let nibble = |at: usize, shift: u8| rest.get(at).map(|byte| usize::from(byte >> shift & 15));
        let (offsets, lengths, bases) = (nibble(0, 4)?, nibble(0, 0)?, nibble(1, 4)?);
        let indexes = if version == 0 { 0 } else { nibble(1, 0)? };
        let short = version < 2;
        let mut at = 2;
        let count = id(rest, at, short)?;
        at += if short { 2 } else { 4 };
        for _ in 0..count {
            let entry = id(rest, at, short)?;
            at += if short { 2 } else { 4 };
            let method = if version == 0 { 0 } else { be16(rest, at)? & 15 };
            at += if version == 0 { 2 } else { 4 };
            let base = be(rest, at, bases)?;
            at += bases;
            let extents = usize::from(be16(rest, at)?);
            at += 2;
            let size = indexes + offsets + lengths;
            if entry == item && method < 2 {
                let extent = |number: usize| {
                    let at = at + number * size + indexes;
                    Some((base.checked_add(be(rest, at, offsets)?)?, be(rest, at + offsets, lengths)?))
                };
                return Some((method == 1, (0..extents.min(64)).map_while(extent).collect()));
            }
            at += extents * size;
        }
        None
    }
}
