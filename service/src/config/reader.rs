//! Typed reading of TOML tables that remembers where each value stands and collects every mistake instead of
//! stopping at the first one.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::error::{Mistake, Mistakes};
use super::suggest;

/// A value and the byte offset at which it stands in the file.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) at: usize,
}

/// The mistakes of one file.
#[derive(Debug)]
pub(super) struct Report<'t> {
    file: PathBuf,
    text: &'t str,
    mistakes: Vec<Mistake>,
}

impl<'t> Report<'t> {
    pub(super) fn new(file: &Path, text: &'t str) -> Self {
        Report { file: file.to_owned(), text, mistakes: Vec::new() }
    }

    /// Notes a mistake at byte `at`.
    pub(super) fn add(&mut self, at: usize, text: impl Into<String>) {
        let line = self.line(at);
        self.mistakes.push(Mistake { file: self.file.clone(), line, text: text.into() });
    }

    /// The line of byte `at`, counted from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    /// The value of a check that passed; otherwise notes its complaint.
    pub(super) fn check<T>(&mut self, at: usize, label: &str, checked: Result<T, String>) -> Option<T> {
        checked.map_err(|complaint| self.add(at, format!("{label}: {complaint}"))).ok()
    }

    /// How many mistakes there are so far.
    pub(super) fn len(&self) -> usize {
        self.mistakes.len()
    }

    /// All mistakes in the order of the file.
    pub(super) fn finish(mut self) -> Mistakes {
        self.mistakes.sort_by_key(|mistake| mistake.line);
        Mistakes(self.mistakes)
    }
}

/// One table being read. The keys asked for are the known ones; [`Table::finish`] complains about the others.
#[derive(Debug)]
pub(super) struct Table<'a> {
    entries: &'a DeTable<'a>,
    /// Where the table begins.
    pub(super) at: usize,
    /// How messages call it: `[[volume]] "sd"`.
    pub(super) label: String,
    known: Vec<&'static str>,
}

impl<'a> Table<'a> {
    pub(super) fn new(entries: &'a DeTable<'a>, at: usize, label: impl Into<String>) -> Self {
        Table { entries, at, label: label.into(), known: Vec::new() }
    }

    fn get(&mut self, key: &'static str) -> Option<At<&'a DeValue<'a>>> {
        self.known.push(key);
        self.entries.get(key).map(|value| At { value: value.get_ref(), at: value.span().start })
    }

    /// Whether `key` is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Complains if `key` is not there. `example` is what stands right of the equals sign.
    pub(super) fn require(&self, report: &mut Report<'_>, key: &str, example: &str) {
        if !self.has(key) {
            report
                .add(self.at, format!("{}: {key} is missing; add for example {key} = {example}", self.label));
        }
    }

    fn wrong(&self, report: &mut Report<'_>, at: usize, key: &str, is: &DeValue<'_>, want: &str) {
        let is = describe(is);
        report.add(at, format!("{}: {key} is {is}; write {want}", self.label));
    }

    pub(super) fn string(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        example: &str,
    ) -> Option<At<String>> {
        let found = self.get(key)?;
        match found.value {
            DeValue::String(text) => Some(At { value: text.to_string(), at: found.at }),
            other => {
                self.wrong(
                    report,
                    found.at,
                    key,
                    other,
                    &format!("a text in quotes, e.g. {key} = {example}"),
                );
                None
            }
        }
    }

    /// Like [`Table::string`], and complains if the key is not there.
    pub(super) fn required_string(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        example: &str,
    ) -> Option<At<String>> {
        self.require(report, key, example);
        self.string(report, key, example)
    }

    pub(super) fn boolean(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<At<bool>> {
        let found = self.get(key)?;
        match found.value {
            DeValue::Boolean(value) => Some(At { value: *value, at: found.at }),
            other => {
                self.wrong(report, found.at, key, other, &format!("{key} = true or {key} = false"));
                None
            }
        }
    }

    /// A whole number from `min` to `max`.
    pub(super) fn integer(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        (min, max): (i64, i64),
    ) -> Option<At<i64>> {
        let found = self.get(key)?;
        let value = number(found.value).filter(|value| (min..=max).contains(value));
        if value.is_none() {
            self.wrong(report, found.at, key, found.value, &format!("a whole number from {min} to {max}"));
        }
        Some(At { value: value?, at: found.at })
    }

    /// A list of strings; elements that are no strings are reported and left out.
    pub(super) fn strings(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        example: &str,
    ) -> Option<At<Vec<At<String>>>> {
        let want = format!("a list of texts in quotes, e.g. {key} = {example}");
        self.list(report, key, &want, |value| value.as_str().map(str::to_owned))
    }

    /// A list of whole numbers from 0 to `max`; other elements are reported and left out.
    pub(super) fn integers(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        max: u32,
        example: &str,
    ) -> Option<At<Vec<At<u32>>>> {
        let want = format!("a list of whole numbers from 0 to {max}, e.g. {key} = {example}");
        self.list(report, key, &want, |value| {
            number(value).and_then(|value| u32::try_from(value).ok()).filter(|value| *value <= max)
        })
    }

    fn list<T>(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        want: &str,
        element: impl Fn(&DeValue<'_>) -> Option<T>,
    ) -> Option<At<Vec<At<T>>>> {
        let found = self.get(key)?;
        let DeValue::Array(array) = found.value else {
            self.wrong(report, found.at, key, found.value, want);
            return None;
        };
        let mut values = Vec::with_capacity(array.len());
        for item in array {
            let at = item.span().start;
            match element(item.get_ref()) {
                Some(value) => values.push(At { value, at }),
                None => self.wrong(report, at, &format!("{key} holds an element that"), item.get_ref(), want),
            }
        }
        Some(At { value: values, at: found.at })
    }

    /// A table below this one, to be read under the name `label`.
    pub(super) fn table(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        label: &str,
    ) -> Option<Table<'a>> {
        let found = self.get(key)?;
        match found.value {
            DeValue::Table(entries) => Some(Table::new(entries, found.at, label)),
            other => {
                self.wrong(report, found.at, key, other, &format!("a table that begins with {label}"));
                None
            }
        }
    }

    /// The tables of an array of tables; `label` as in `[[volume]]`.
    pub(super) fn tables(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        label: &str,
    ) -> Vec<Table<'a>> {
        let Some(found) = self.get(key) else { return Vec::new() };
        let want = format!("a table for each that begins with {label}, in double brackets");
        let DeValue::Array(array) = found.value else {
            self.wrong(report, found.at, key, found.value, &want);
            return Vec::new();
        };
        let mut tables = Vec::with_capacity(array.len());
        for item in array {
            match item.get_ref() {
                DeValue::Table(entries) => tables.push(Table::new(entries, item.span().start, label)),
                other => self.wrong(report, item.span().start, key, other, &want),
            }
        }
        tables
    }

    /// A table of strings with keys that are data, not settings: `{ NAME = "mode" }`.
    pub(super) fn pairs(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        example: &str,
    ) -> Vec<(At<String>, At<String>)> {
        let Some(found) = self.get(key) else { return Vec::new() };
        let want = format!("names with a text in quotes each, e.g. {key} = {example}");
        let DeValue::Table(entries) = found.value else {
            self.wrong(report, found.at, key, found.value, &want);
            return Vec::new();
        };
        let mut pairs = Vec::with_capacity(entries.len());
        for (name, value) in entries {
            let at = value.span().start;
            match value.get_ref() {
                DeValue::String(text) => pairs.push((
                    At { value: name.get_ref().to_string(), at: name.span().start },
                    At { value: text.to_string(), at },
                )),
                other => self.wrong(report, at, &format!("{key}.{}", name.get_ref()), other, &want),
            }
        }
        pairs
    }

    /// Complains about every key that nobody asked for.
    pub(super) fn finish(self, report: &mut Report<'_>) {
        for (key, _) in self.entries {
            let name: &str = key.get_ref();
            if !self.known.contains(&name) {
                let instead = suggest::instead(name, self.known.iter().copied());
                report.add(key.span().start, format!("{}: unknown key {name:?}; {instead}", self.label));
            }
        }
    }
}

fn number(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn describe(value: &DeValue<'_>) -> String {
    /// Longest value repeated in a message.
    const LONGEST: usize = 60;
    let (short, kind) = match value {
        DeValue::String(text) => (format!("the text {text:?}"), "a text"),
        DeValue::Integer(value) => (value.to_string(), "a number"),
        DeValue::Float(value) => (format!("the fraction {value}"), "a fraction"),
        DeValue::Boolean(value) => (value.to_string(), "true or false"),
        DeValue::Datetime(value) => (format!("the date {value}"), "a date"),
        DeValue::Array(_) => return "a list".to_owned(),
        DeValue::Table(_) => return "a table".to_owned(),
    };
    if short.chars().count() > LONGEST { kind.to_owned() } else { short }
}
