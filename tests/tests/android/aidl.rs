//! The AIDL that this house writes, read and written: one type to a file, no nesting, no generics, no constants. What it does
//! not know is an error, as the checks would be blind to it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A type, as its callers depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Type {
    pub(crate) package: String,
    pub(crate) name: String,
    /// Annotations with their arguments, sorted.
    pub(crate) annotations: Vec<String>,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Interface { oneway: bool, methods: Vec<Method> },
    Parcelable(Vec<Field>),
    Enum(Vec<(String, i64)>),
}

/// A method; its place in the interface is its number on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Method {
    pub(crate) name: String,
    pub(crate) oneway: bool,
    pub(crate) returns: String,
    /// Direction and type of each argument, and its name.
    pub(crate) arguments: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) default: Option<String>,
}

/// Types of an interface, by name.
pub(crate) type Api = BTreeMap<String, Type>;

struct Reader<'a> {
    words: Vec<&'a str>,
    at: usize,
}

/// Words and signs, without comments.
fn words(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after).trim_start();
            continue;
        } else if rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, after)| after).trim_start();
            continue;
        } else if first == '"' {
            rest[1..].find('"').map_or(rest.len(), |at| at + 2)
        } else if first.is_alphanumeric() || matches!(first, '_' | '@' | '.' | '-') {
            rest[1..]
                .find(|it: char| !it.is_alphanumeric() && it != '_' && it != '.')
                .map_or(rest.len(), |at| at + 1)
        } else if rest.starts_with("[]") {
            2
        } else {
            first.len_utf8()
        };
        found.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    found
}

/// The last part of a name: all types are in one package.
fn bare(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_owned()
}

impl<'a> Reader<'a> {
    fn peek(&self) -> &'a str {
        self.words.get(self.at).copied().unwrap_or("")
    }

    fn next(&mut self) -> &'a str {
        let word = self.peek();
        self.at += 1;
        word
    }

    fn skip(&mut self, word: &str) -> bool {
        let there = self.peek() == word;
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        let found = self.next();
        if found == word { Ok(()) } else { Err(format!("{found:?} where {word:?} was expected")) }
    }

    fn name(&mut self) -> Result<String, String> {
        let word = self.next();
        let good = word.chars().all(|it| it.is_alphanumeric() || it == '_') && !word.is_empty();
        if good { Ok(word.to_owned()) } else { Err(format!("{word:?} is no name")) }
    }

    fn annotations(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        while self.peek().starts_with('@') {
            let mut annotation = self.next().to_owned();
            if self.peek() == "(" {
                loop {
                    let word = self.next();
                    annotation.push_str(word);
                    if matches!(word, ")" | "") {
                        break;
                    }
                }
            }
            found.push(annotation);
        }
        found.sort();
        found
    }

    /// A type with what is said of it: `@nullable byte[]`.
    fn kind(&mut self) -> Result<String, String> {
        let mut kind = self.annotations();
        let name = self.next();
        if !name.chars().next().is_some_and(char::is_alphabetic) || self.peek() == "<" {
            return Err(format!("{name:?} is no type that is known here"));
        }
        let array = if self.skip("[]") { "[]" } else { "" };
        kind.push(format!("{}{array}", bare(name)));
        Ok(kind.join(" "))
    }

    fn method(&mut self) -> Result<Method, String> {
        let oneway = self.skip("oneway");
        let returns = self.kind()?;
        let name = self.name()?;
        self.expect("(")?;
        let mut arguments = Vec::new();
        while !self.skip(")") {
            let direction = if matches!(self.peek(), "in" | "out" | "inout") { self.next() } else { "in" };
            let kind = self.kind()?;
            arguments.push((format!("{direction} {kind}"), self.name()?));
            if self.peek() != ")" {
                self.expect(",")?;
            }
        }
        self.expect(";")?;
        Ok(Method { name, oneway, returns, arguments })
    }

    fn field(&mut self) -> Result<Field, String> {
        let kind = self.kind()?;
        let name = self.name()?;
        let mut default = None;
        if self.skip("=") {
            let value = self.next();
            // `AppOpMode.DEFAULT`, however its type is spelled.
            let parts: Vec<&str> = value.split('.').collect();
            default = Some(if value.starts_with('"') || value.starts_with('-') || parts.len() < 2 {
                value.to_owned()
            } else {
                parts[parts.len() - 2..].join(".")
            });
        }
        self.expect(";")?;
        Ok(Field { name, kind, default })
    }

    fn values(&mut self) -> Result<Vec<(String, i64)>, String> {
        let mut values = Vec::new();
        while !self.skip("}") {
            let name = self.name()?;
            self.expect("=")?;
            let number = self.next();
            values.push((name, number.parse().map_err(|_| format!("{number:?} is no number"))?));
            if self.peek() != "}" {
                self.expect(",")?;
            }
        }
        Ok(values)
    }
}

/// Reads one file.
pub(crate) fn parse(text: &str) -> Result<Type, String> {
    let mut reader = Reader { words: words(text), at: 0 };
    reader.expect("package")?;
    let package = reader.next().to_owned();
    reader.expect(";")?;
    while reader.skip("import") {
        reader.next();
        reader.expect(";")?;
    }
    let annotations = reader.annotations();
    let oneway = reader.skip("oneway");
    let what = reader.next();
    let name = reader.name()?;
    reader.expect("{")?;
    let kind = match what {
        "interface" => {
            let mut methods = Vec::new();
            while !reader.skip("}") {
                methods.push(reader.method()?);
            }
            Kind::Interface { oneway, methods }
        }
        "parcelable" => {
            let mut fields = Vec::new();
            while !reader.skip("}") {
                fields.push(reader.field()?);
            }
            Kind::Parcelable(fields)
        }
        "enum" => Kind::Enum(reader.values()?),
        other => return Err(format!("{other:?} is not known here")),
    };
    match reader.peek() {
        "" => Ok(Type { package, name, annotations, kind }),
        more => Err(format!("{more:?} behind the end of {name}")),
    }
}

/// Reads all files of a directory of the tree.
pub(crate) fn api(dir: &str) -> Api {
    let files = crate::files(dir).into_iter().filter(|it| it.ends_with(".aidl"));
    let types = files.map(|file| {
        let found = parse(&crate::read(&file)).unwrap_or_else(|wrong| panic!("{file}: {wrong}"));
        assert!(
            file.ends_with(&format!("{}/{}.aidl", found.package.replace('.', "/"), found.name)),
            "{file}"
        );
        (found.name.clone(), found)
    });
    types.collect()
}

/// A type as a snapshot holds it: without comments, with whole names, as the platform's `aidl --dumpapi` does.
pub(crate) fn render(of: &Type, api: &Api) -> String {
    let whole = |kind: &str| {
        let (before, name) = kind.rsplit_once(' ').map_or(("", kind), |(before, name)| (before, name));
        let known = api.contains_key(name.trim_end_matches("[]"));
        let name = if known { format!("{}.{name}", of.package) } else { name.to_owned() };
        if before.is_empty() { name } else { format!("{before} {name}") }
    };
    let mut out = format!("{HEAD}package {};\n", of.package);
    for annotation in &of.annotations {
        writeln!(out, "{annotation}").unwrap();
    }
    match &of.kind {
        Kind::Interface { oneway, methods } => {
            writeln!(out, "{}interface {} {{", if *oneway { "oneway " } else { "" }, of.name).unwrap();
            for it in methods {
                let argument = |(kind, name): &(String, String)| format!("{} {name}", whole(kind));
                let arguments: Vec<String> = it.arguments.iter().map(argument).collect();
                let oneway = if it.oneway { "oneway " } else { "" };
                writeln!(out, "  {oneway}{} {}({});", whole(&it.returns), it.name, arguments.join(", "))
                    .unwrap();
            }
        }
        Kind::Parcelable(fields) => {
            writeln!(out, "parcelable {} {{", of.name).unwrap();
            for it in fields {
                let default = it.default.as_ref().map(|value| match value.split_once('.') {
                    Some((name, _)) if api.contains_key(name) => format!(" = {}.{value}", of.package),
                    _ => format!(" = {value}"),
                });
                writeln!(out, "  {} {}{};", whole(&it.kind), it.name, default.unwrap_or_default()).unwrap();
            }
        }
        Kind::Enum(values) => {
            writeln!(out, "enum {} {{", of.name).unwrap();
            for (name, value) in values {
                writeln!(out, "  {name} = {value},").unwrap();
            }
        }
    }
    out.push_str("}\n");
    out
}

const HEAD: &str = "\
// A snapshot of the interface: do not edit it. What was frozen stays as it is; what clients need beyond it is added to
// the interface itself, and frozen as its next version (docs/ANDROID.md).

";

#[test]
fn what_is_written_is_read_back() {
    let text = r#"
        package a.b; // comment
        import a.b.Mode;
        /** Says more. */
        @VintfStability
        parcelable Spec {
            String name;
            @nullable byte[] path;
            Mode mode = Mode.SOME;
            long count = -1;
            boolean on = true;
            String watch = "auto";
        }"#;
    let mode = parse("package a.b; @Backing(type=\"int\") @VintfStability enum Mode { SOME = 0, MORE = 1, }")
        .unwrap();
    assert_eq!(mode.annotations, ["@Backing(type=\"int\")", "@VintfStability"]);
    let spec = parse(text).unwrap();
    let interface = parse(
        "package a.b; interface IX { void f(in Spec[] all, int n); oneway void g(); @nullable String h(in @nullable Spec it); }",
    )
    .unwrap();
    let api: Api = [mode, spec, interface].into_iter().map(|it| (it.name.clone(), it)).collect();
    for of in api.values() {
        assert_eq!(&parse(&render(of, &api)).unwrap(), of);
    }
    assert!(render(&api["Spec"], &api).contains("  a.b.Mode mode = a.b.Mode.SOME;\n"));
    assert!(render(&api["IX"], &api).contains("  void f(in a.b.Spec[] all, in int n);\n"));
}

#[test]
fn what_is_not_known_is_an_error() {
    for text in [
        "package a; union U { int a; }",
        "package a; parcelable P { List<String> all; }",
        "package a; parcelable P { int a }",
        "package a; interface I { const int X = 1; }",
        "package a; interface I { void f() = 3; }",
        "package a; enum E { A, B }",
        "package a; parcelable P { } parcelable Q { }",
        "interface I { }",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}
