//! The house's Android.bp files, as its modules with what their defaults give them.

use std::collections::HashMap;

use android_bp::{BluePrint, Value};

use crate::read;

/// The crates' directories; each has an Android.bp of its own.
pub(crate) const CRATES: [&str; 4] = ["aidl", "policy", "service", "tests"];

/// A module.
#[derive(Clone, Debug)]
pub(crate) struct Module {
    /// Its type, as `rust_library`.
    pub(crate) kind: String,
    /// Its name.
    pub(crate) name: String,
    /// The directory of its Android.bp; empty: the root.
    pub(crate) dir: String,
    entries: HashMap<String, Value>,
}

impl Module {
    /// A property that is a list of strings, with what the defaults add to it; one string is a list of it.
    pub(crate) fn list(&self, property: &str) -> Vec<String> {
        match self.entries.get(property) {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(all)) => all.iter().map(string).collect(),
            None => Vec::new(),
            Some(other) => panic!("{}: {property} is {other:?}", self.name),
        }
    }

    /// A property that is a string.
    pub(crate) fn text(&self, property: &str) -> Option<String> {
        self.entries.get(property).map(string)
    }

    /// A property that is a boolean.
    pub(crate) fn flag(&self, property: &str) -> bool {
        matches!(self.entries.get(property), Some(Value::Boolean(true)))
    }

    /// A property that is a list of maps, and a string in each of them.
    pub(crate) fn strings_in(&self, property: &str, key: &str) -> Vec<String> {
        let Some(Value::Array(all)) = self.entries.get(property) else { return Vec::new() };
        let inside = |it: &Value| match it {
            Value::Map(map) => map.get(key).map(string),
            _ => None,
        };
        all.iter().filter_map(inside).collect()
    }

    /// A path that the module names, from the root.
    pub(crate) fn at(&self, path: &str) -> String {
        if self.dir.is_empty() { path.to_owned() } else { format!("{}/{path}", self.dir) }
    }

    pub(crate) fn is_test(&self) -> bool {
        self.kind == "rust_test"
    }
}

fn string(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => panic!("{other:?} is no string"),
    }
}

/// The modules of one file.
pub(crate) fn parse(dir: &str, text: &str) -> Vec<Module> {
    let parsed = BluePrint::parse(text).unwrap_or_else(|e| panic!("{dir}/Android.bp: {e}"));
    assert!(parsed.variables.is_empty(), "{dir}/Android.bp: variables are not understood here");
    let modules = parsed.modules.into_iter();
    let module = |it: android_bp::Module| Module {
        name: it.get_string("name").cloned().unwrap_or_default(),
        kind: it.typ,
        dir: dir.to_owned(),
        entries: it.entries,
    };
    modules.map(module).collect()
}

/// The files there are: directory and content.
pub(crate) fn all_files() -> Vec<(&'static str, String)> {
    let of_crates = CRATES.iter().map(|dir| (*dir, read(&format!("{dir}/Android.bp"))));
    std::iter::once(("", read("Android.bp"))).chain(of_crates).collect()
}

/// All modules, with what their defaults give them: lists come together, for all else the module's own word counts
/// (build/soong, android/defaults.go).
pub(crate) fn modules() -> Vec<Module> {
    let all: Vec<Module> = all_files().iter().flat_map(|(dir, text)| parse(dir, text)).collect();
    with_defaults(&all)
}

pub(crate) fn with_defaults(all: &[Module]) -> Vec<Module> {
    let find = |name: &str| {
        all.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("there are no defaults {name}"))
    };
    let mut whole = all.to_vec();
    for module in &mut whole {
        let mut given = module.list("defaults");
        let mut at = 0;
        while let Some(name) = given.get(at).cloned() {
            let defaults = find(&name);
            assert!(defaults.kind.ends_with("_defaults"), "{}: {name} are no defaults", module.name);
            given.extend(defaults.list("defaults"));
            for (property, value) in &defaults.entries {
                if matches!(property.as_str(), "name" | "defaults" | "visibility") {
                    continue;
                }
                match (module.entries.get_mut(property), value) {
                    (Some(Value::Array(own)), Value::Array(more)) => own.extend(more.iter().cloned()),
                    (Some(_), _) => {}
                    (None, value) => drop(module.entries.insert(property.clone(), value.clone())),
                }
            }
            at += 1;
        }
    }
    whole
}

#[test]
fn defaults_add_to_lists_and_give_way_in_all_else() {
    let text = r#"
        rust_defaults { name: "a", defaults: ["b"], edition: "2024", rustlibs: ["x"] }
        rust_defaults { name: "b", rustlibs: ["y"], lints: "none" }
        rust_library { name: "l", defaults: ["a"], edition: "2021", rustlibs: ["own"] }
    "#;
    let all = with_defaults(&parse("", text));
    let library = all.iter().find(|it| it.name == "l").unwrap();
    assert_eq!(library.list("rustlibs"), ["own", "x", "y"]);
    assert_eq!(library.text("edition").as_deref(), Some("2021"));
    assert_eq!(library.text("lints").as_deref(), Some("none"));
}
