//! Where a page ended, as bytes: version, order, id and sort key of its last file.
//!
//! Whoever gets a cursor may change it. All that can be gained is another place to begin: a cursor decides nothing about
//! what is seen.

use std::cmp::Ordering;

use rusqlite::types::{Value, ValueRef};

use super::{Cursor, Sort};
use crate::catalog::CatalogError;

const VERSION: u8 = 1;

/// What a file is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::catalog) enum Key {
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Key {
    pub(super) fn read(value: ValueRef<'_>) -> Key {
        match value {
            ValueRef::Integer(number) => Key::Number(number),
            ValueRef::Text(text) => Key::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Key::Bytes(bytes.to_vec()),
            // No sort key is NULL or a real.
            ValueRef::Null | ValueRef::Real(_) => Key::Number(0),
        }
    }

    pub(super) fn bind(&self) -> Value {
        match self {
            Key::Number(number) => Value::Integer(*number),
            Key::Text(text) => Value::Text(text.clone()),
            Key::Bytes(bytes) => Value::Blob(bytes.clone()),
        }
    }

    /// As SQLite sorts them, text without regard to ASCII case.
    fn compare(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Number(one), Key::Number(other)) => one.cmp(other),
            (Key::Text(one), Key::Text(other)) => {
                let lower = |it: &str| it.bytes().map(|it| it.to_ascii_lowercase()).collect::<Vec<_>>();
                lower(one).cmp(&lower(other))
            }
            (Key::Bytes(one), Key::Bytes(other)) => one.cmp(other),
            _ => self.kind().cmp(&other.kind()),
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Key::Number(_) => 0,
            Key::Text(_) => 1,
            Key::Bytes(_) => 2,
        }
    }
}

/// A place in a sorted answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::catalog) struct Place {
    pub(in crate::catalog) key: Key,
    pub(in crate::catalog) id: i64,
}

impl Place {
    pub(super) fn compare(&self, other: &Place) -> Ordering {
        self.key.compare(&other.key).then(self.id.cmp(&other.id))
    }

    pub(in crate::catalog) fn cursor(&self, sort: Sort, descending: bool) -> Cursor {
        let mut bytes = vec![VERSION, sort as u8, u8::from(descending), self.key.kind()];
        bytes.extend_from_slice(&self.id.to_be_bytes());
        match &self.key {
            Key::Number(number) => bytes.extend_from_slice(&number.to_be_bytes()),
            Key::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            Key::Bytes(name) => bytes.extend_from_slice(name),
        }
        Cursor(bytes)
    }

    pub(in crate::catalog) fn parse(
        cursor: &Cursor,
        sort: Sort,
        descending: bool,
    ) -> Result<Place, CatalogError> {
        Place::read(&cursor.0, sort, descending).ok_or(CatalogError::Cursor)
    }

    fn read(bytes: &[u8], sort: Sort, descending: bool) -> Option<Place> {
        let (head, rest) = bytes.split_first_chunk::<3>()?;
        if *head != [VERSION, sort as u8, u8::from(descending)] {
            return None;
        }
        let (kind, rest) = rest.split_first()?;
        let (id, key) = rest.split_first_chunk::<8>()?;
        let key = match (kind, sort) {
            (2, Sort::Name | Sort::Title) => Key::Bytes(key.to_vec()),
            (1, Sort::Title) => Key::Text(String::from_utf8(key.to_vec()).ok()?),
            (0, Sort::Taken | Sort::Modified | Sort::Added | Sort::Size | Sort::Generation) => {
                Key::Number(i64::from_be_bytes(key.try_into().ok()?))
            }
            _ => return None,
        };
        Some(Place { key, id: i64::from_be_bytes(*id) })
    }
}
