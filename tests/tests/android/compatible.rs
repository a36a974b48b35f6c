//! Whether one API may follow another: whoever was built with the earlier one must be able to talk to the later one, in both
//! roles. The rules are those of the platform's `aidl --checkapi=compatible` (system/tools/aidl, aidl_checkapi.cpp).

use crate::aidl::{Api, Field, Kind, Method, Type};

/// Everything that keeps `new` from following `old`.
pub(crate) fn breaks(old: &Api, new: &Api) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, before) in old {
        match new.get(name) {
            None => wrong.push(format!("{name} is gone")),
            Some(after) => compare(before, after, &mut wrong),
        }
    }
    wrong
}

fn compare(old: &Type, new: &Type, wrong: &mut Vec<String>) {
    let name = &old.name;
    if old.package != new.package {
        wrong.push(format!("{name}: moved to another package"));
    }
    if old.annotations != new.annotations {
        wrong.push(format!("{name}: {:?} became {:?}", old.annotations, new.annotations));
    }
    match (&old.kind, &new.kind) {
        (Kind::Interface { oneway, methods }, Kind::Interface { oneway: now, methods: later }) => {
            if oneway != now {
                wrong.push(format!("{name}: oneway changed"));
            }
            compare_methods(name, methods, later, wrong);
        }
        (Kind::Parcelable(fields), Kind::Parcelable(later)) => compare_fields(name, fields, later, wrong),
        (Kind::Enum(values), Kind::Enum(later)) => {
            for (value, number) in values {
                match later.iter().find(|(it, _)| it == value) {
                    None => wrong.push(format!("{name}.{value} is gone")),
                    Some((_, now)) if now != number => {
                        wrong.push(format!("{name}.{value}: {number} became {now}"))
                    }
                    Some(_) => {}
                }
            }
        }
        _ => wrong.push(format!("{name}: another kind of type")),
    }
}

fn compare_methods(name: &str, old: &[Method], new: &[Method], wrong: &mut Vec<String>) {
    for (at, before) in old.iter().enumerate() {
        let signature = |it: &Method| {
            let kinds: Vec<&str> = it.arguments.iter().map(|(kind, _)| kind.as_str()).collect();
            format!("{}{} ({})", if it.oneway { "oneway " } else { "" }, it.returns, kinds.join(", "))
        };
        match new.get(at) {
            Some(after) if after.name == before.name => {
                // What arguments are called is not on the wire.
                if signature(before) != signature(after) {
                    wrong.push(format!(
                        "{name}.{}: {} became {}",
                        before.name,
                        signature(before),
                        signature(after)
                    ));
                }
            }
            // Each method's number is its place.
            _ if new.iter().any(|it| it.name == before.name) => {
                wrong.push(format!("{name}.{}: has another place, and so another number", before.name));
            }
            _ => wrong.push(format!("{name}.{} is gone", before.name)),
        }
    }
}

fn compare_fields(name: &str, old: &[Field], new: &[Field], wrong: &mut Vec<String>) {
    for (at, before) in old.iter().enumerate() {
        match new.get(at) {
            Some(after) if after.name == before.name => {
                if after.kind != before.kind {
                    wrong.push(format!("{name}.{}: {} became {}", before.name, before.kind, after.kind));
                }
                if after.default != before.default {
                    wrong.push(format!("{name}.{}: its default changed", before.name));
                }
            }
            _ if new.iter().any(|it| it.name == before.name) => {
                wrong.push(format!("{name}.{}: has another place on the wire", before.name));
            }
            _ => wrong.push(format!("{name}.{} is gone", before.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODE: &str = "@Backing(type=\"int\") enum Mode { A = 0, B = 1 }";
    const SPEC: &str = "parcelable Spec { String name; Mode mode = Mode.A; int n = 3; }";
    const FACE: &str = "interface IFace { void first(in Spec it, int n); int second(); }";

    fn api(texts: &[&str]) -> Api {
        let types = texts.iter().map(|text| crate::aidl::parse(&format!("package a;\n{text}")).unwrap());
        types.map(|it| (it.name.clone(), it)).collect()
    }

    /// What is wrong when one of the three becomes `later`.
    fn when(later: &str) -> Vec<String> {
        let old = api(&[MODE, SPEC, FACE]);
        let mut new = old.clone();
        new.extend(api(&[later]));
        breaks(&old, &new)
    }

    #[test]
    fn what_is_added_at_the_end_is_compatible() {
        for later in [
            MODE,
            SPEC,
            FACE,
            "@Backing(type=\"int\") enum Mode { B = 1, A = 0, C = 2 }",
            "parcelable Spec { String name; Mode mode = Mode.A; int n = 3; @nullable String more; }",
            "interface IFace { void first(in Spec other, int m); int second(); void third(); }",
            "parcelable New { int a; }",
        ] {
            assert_eq!(when(later), [""; 0], "{later}");
        }
    }

    #[test]
    fn whatever_else_is_not() {
        for later in [
            "@Backing(type=\"int\") enum Mode { A = 0 }",
            "@Backing(type=\"int\") enum Mode { A = 0, B = 2 }",
            "@Backing(type=\"long\") enum Mode { A = 0, B = 1 }",
            "parcelable Mode { int a; }",
            "parcelable Spec { String name; Mode mode = Mode.A; }",
            "parcelable Spec { Mode mode = Mode.A; String name; int n = 3; }",
            "parcelable Spec { int first; String name; Mode mode = Mode.A; int n = 3; }",
            "parcelable Spec { String name; Mode mode = Mode.B; int n = 3; }",
            "parcelable Spec { String name; Mode mode = Mode.A; long n = 3; }",
            "parcelable Spec { @nullable String name; Mode mode = Mode.A; int n = 3; }",
            "parcelable Spec { String label; Mode mode = Mode.A; int n = 3; }",
            "interface IFace { int second(); void first(in Spec it, int n); }",
            "interface IFace { void zeroth(); void first(in Spec it, int n); int second(); }",
            "interface IFace { void first(in Spec it, int n); }",
            "interface IFace { void first(in Spec it, int n); long second(); }",
            "interface IFace { void first(in Spec it, long n); int second(); }",
            "interface IFace { void first(in Spec it); int second(); }",
            "interface IFace { void first(in @nullable Spec it, int n); int second(); }",
            "interface IFace { void first(inout Spec it, int n); int second(); }",
            "interface IFace { oneway void first(in Spec it, int n); int second(); }",
            "oneway interface IFace { void first(in Spec it, int n); int second(); }",
            "@VintfStability interface IFace { void first(in Spec it, int n); int second(); }",
        ] {
            assert_ne!(when(later), [""; 0], "{later}");
        }
        let old = api(&[MODE, SPEC]);
        assert_eq!(breaks(&old, &api(&[MODE])), ["Spec is gone"]);
    }
}
