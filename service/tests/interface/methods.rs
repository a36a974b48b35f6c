//! The numbers of the interface's methods, from its AIDL.

const FILES: [(&str, &str); 2] = [
    ("IMediagate", include_str!("../../../aidl/aidl/io/mediagate/IMediagate.aidl")),
    ("IMediaStore", include_str!("../../../aidl/aidl/io/mediagate/IMediaStore.aidl")),
];

/// The methods of an interface, in the order of their numbers.
pub(crate) fn methods(interface: &str) -> Vec<String> {
    let (_, text) = FILES.iter().find(|(name, _)| *name == interface).unwrap();
    let said = |it: &&str| !["/*", "*"].iter().any(|sign| it.trim_start().starts_with(sign));
    let text: Vec<&str> = text.lines().filter(said).collect();
    let text = text.join(" ");
    let (_, body) = text.split_once('{').unwrap();
    let name = |head: &str| head.split_whitespace().last().unwrap().to_owned();
    body.split(';').filter_map(|it| it.split_once('(')).map(|(head, _)| name(head)).collect()
}

/// The number of a method on the wire.
pub(crate) fn code(interface: &str, method: &str) -> u32 {
    let at = methods(interface).iter().position(|it| it == method);
    1 + u32::try_from(at.unwrap_or_else(|| panic!("{interface} has no {method}"))).unwrap()
}
