//! A filter as an SQL condition. The dialect is SQLite's; no other is spoken by an index of ours.

use std::fmt::Write as _;
use std::sync::Arc;

use super::Filter;

/// SQL expressions for what a filter looks at: column names, or any expression in parentheses. They become part of
/// the SQL text as they are, so they must be the program's own words, never a user's.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    /// The owner package, text, or NULL for nobody.
    pub owner: &'a str,
    /// The media type's number.
    pub media_type: &'a str,
    /// 1 for a file in the trash, else 0.
    pub trashed: &'a str,
    /// The bits of [`crate::FileGrants`] that the caller holds on the file now, 0 for none.
    pub grants: &'a str,
    /// The directory below the volume root, between slashes: `/` for the root, `/DCIM/Camera/` below it. Text or
    /// bytes.
    pub dir: &'a str,
    /// The name in it. Text or bytes.
    pub name: &'a str,
}

/// A value to bind to a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An integer.
    Integer(i64),
    /// A text.
    Text(Arc<str>),
}

impl Filter {
    /// The condition for a WHERE clause, in parentheses, with a `?` for each of the values, in their order.
    ///
    /// Names are only ever bound. ASCII case of the directory names in a path is ignored; other spellings that a
    /// case-folding file system takes for `Android/media` are not known to SQL, and such files are left out unless
    /// another condition lets them through.
    pub fn to_sql(&self, columns: &Columns<'_>) -> (String, Vec<Value>) {
        let mut sql = Sql { columns, text: String::new(), values: Vec::new() };
        sql.condition(self);
        (sql.text, sql.values)
    }
}

struct Sql<'a> {
    columns: &'a Columns<'a>,
    text: String,
    values: Vec<Value>,
}

impl Sql<'_> {
    fn condition(&mut self, filter: &Filter) {
        let Columns { owner, media_type, grants, .. } = *self.columns;
        match filter {
            Filter::Everything => self.text.push_str("(1)"),
            Filter::Nothing => self.text.push_str("(0)"),
            Filter::OwnedBy(packages) => {
                // NULL is in no list, and unlike NULL a plain 0 can be negated.
                self.write(format_args!("({owner} IS NOT NULL AND {owner} IN ("));
                self.list(packages.iter().map(|it| Value::Text(Arc::clone(it))));
                self.text.push_str("))");
            }
            Filter::OfTypes(types) => {
                self.write(format_args!("({media_type} IN ("));
                self.list(types.iter().map(|it| Value::Integer(it as i64)));
                self.text.push_str("))");
            }
            Filter::Granted(wanted) => {
                self.write(format_args!("({grants} & ? = ?)"));
                let bits = Value::Integer(wanted.bits().into());
                self.values.extend([bits.clone(), bits]);
            }
            Filter::Published => self.published(),
            Filter::InMediaDirectoryOf(packages) => {
                self.joined(packages, " OR ", |sql, package| sql.in_media_directory(package));
            }
            Filter::All(filters) => self.joined(filters, " AND ", Sql::condition),
            Filter::Any(filters) => self.joined(filters, " OR ", Sql::condition),
        }
    }

    /// As [`crate::ExpiringName::parse`] reads names: the word, digits, a dash, and something more.
    fn published(&mut self) {
        let Columns { trashed, name, .. } = *self.columns;
        let name = format!("CAST({name} AS TEXT)");
        let rest = format!("ltrim(substr({name}, 10), '0123456789')");
        self.write(format_args!(
            "(NOT {trashed} AND NOT (lower(substr({name}, 1, 9)) IN ('.pending-', '.trashed-') \
             AND {rest} <> substr({name}, 10) AND substr({rest}, 1, 1) = '-' AND {rest} <> '-'))"
        ));
    }

    /// The package's directory, or a file that stands in its place.
    fn in_media_directory(&mut self, package: &str) {
        let Columns { dir, name, .. } = *self.columns;
        let prefix = format!("/android/media/{}/", package.to_ascii_lowercase());
        self.write(format_args!("(lower(substr(CAST({dir} || {name} || '/' AS TEXT), 1, length(?))) = ?)"));
        let prefix = Value::Text(prefix.into());
        self.values.extend([prefix.clone(), prefix]);
    }

    fn joined<T>(&mut self, parts: &[T], by: &str, each: impl Fn(&mut Self, &T)) {
        self.text.push('(');
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.text.push_str(by);
            }
            each(self, part);
        }
        self.text.push(')');
    }

    fn list(&mut self, values: impl Iterator<Item = Value>) {
        let before = self.values.len();
        self.values.extend(values);
        let marks = vec!["?"; self.values.len() - before].join(", ");
        self.text.push_str(&marks);
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = self.text.write_fmt(text);
    }
}
