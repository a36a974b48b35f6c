//! init's file, by a small parser of its language (system/core/init/README.md).

use crate::{complain, read};

/// A section: what it is (`on`, `service`), what follows that on its line, and its lines.
#[derive(Debug)]
struct Section {
    kind: String,
    head: Vec<String>,
    lines: Vec<(usize, Vec<String>)>,
}

/// Options of services, and how many words follow them.
const OPTIONS: [(&str, std::ops::RangeInclusive<usize>); 14] = [
    ("capabilities", 0..=41),
    ("class", 1..=8),
    ("disabled", 0..=0),
    ("group", 1..=16),
    ("interface", 2..=2),
    ("ioprio", 2..=2),
    ("oneshot", 0..=0),
    ("onrestart", 1..=8),
    ("rlimit", 3..=3),
    ("seclabel", 1..=1),
    ("shutdown", 1..=1),
    ("stdio_to_kmsg", 0..=0),
    ("task_profiles", 1..=8),
    ("user", 1..=1),
];
/// Commands of actions, likewise.
const COMMANDS: [(&str, std::ops::RangeInclusive<usize>); 7] = [
    ("chmod", 2..=2),
    ("chown", 2..=3),
    ("mkdir", 1..=8),
    ("restorecon", 1..=4),
    ("setprop", 2..=2),
    ("start", 1..=1),
    ("stop", 1..=1),
];

fn parse(text: &str) -> Result<Vec<Section>, String> {
    let mut sections: Vec<Section> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let words: Vec<String> =
            line.split('#').next().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let Some(first) = words.first() else { continue };
        if matches!(first.as_str(), "on" | "service" | "import") {
            sections.push(Section { kind: first.clone(), head: words[1..].to_vec(), lines: Vec::new() });
        } else {
            let section =
                sections.last_mut().ok_or_else(|| format!("line {}: outside of a section", number + 1))?;
            section.lines.push((number + 1, words));
        }
    }
    Ok(sections)
}

/// What is wrong with a file.
fn check(text: &str) -> Vec<String> {
    let sections = match parse(text) {
        Ok(sections) => sections,
        Err(wrong) => return vec![wrong],
    };
    let mut wrong = Vec::new();
    let services: Vec<&str> = sections
        .iter()
        .filter(|it| it.kind == "service")
        .filter_map(|it| it.head.first())
        .map(String::as_str)
        .collect();
    for section in &sections {
        let known: &[(&str, std::ops::RangeInclusive<usize>)] = match section.kind.as_str() {
            "on" if section.head.is_empty() => {
                wrong.push("an action without a trigger".to_owned());
                continue;
            }
            "on" => &COMMANDS,
            "service" => {
                match section.head.as_slice() {
                    [name, program, ..] if program.starts_with('/') && name.len() <= 31 => {}
                    head => wrong.push(format!("service {head:?}: wants a name and the path of a program")),
                }
                &OPTIONS
            }
            other => {
                wrong.push(format!("{other}: nothing is imported here"));
                continue;
            }
        };
        for (number, words) in &section.lines {
            match known.iter().find(|(word, _)| *word == words[0]) {
                None => {
                    wrong.push(format!("line {number}: {:?} is not known in {:?}", words[0], section.kind))
                }
                Some((_, count)) if !count.contains(&(words.len() - 1)) => {
                    wrong.push(format!("line {number}: {:?} has {} words", words[0], words.len() - 1));
                }
                Some(_) => {}
            }
            if matches!(words[0].as_str(), "start" | "stop") && !services.contains(&words[1].as_str()) {
                wrong.push(format!("line {number}: there is no service {:?} here", words[1]));
            }
            if words[0] == "rlimit" && words[2..].iter().any(|it| it.parse::<u64>().is_err()) {
                wrong.push(format!("line {number}: limits are numbers"));
            }
        }
    }
    wrong
}

const FILE: &str = "service/android/mediagate.rc";

#[test]
fn init_understands_it() {
    complain(&check(&read(FILE)));
}

#[test]
fn it_starts_the_program_that_is_built_with_what_the_service_keeps() {
    let sections = parse(&read(FILE)).unwrap();
    let service = sections.iter().find(|it| it.kind == "service").unwrap();
    let option = |name: &str| {
        let line = service.lines.iter().find(|(_, words)| words[0] == name);
        line.map(|(_, words)| words[1..].to_vec()).unwrap_or_else(|| panic!("no {name}"))
    };
    assert_eq!(service.head[..3], ["mediagate", "/system/bin/mediagate", "serve"]);
    let config = format!("/system/etc/{}/mediagate.toml", installed_below());
    assert_eq!(service.head[3..], ["--config", config.as_str()]);

    let sandbox = read("service/src/sandbox/mod.rs");
    let kept = sandbox.split_once("const KEPT").unwrap().1.split_once("];").unwrap().0;
    let mut kept: Vec<&str> = kept
        .split("Capability::CAP_")
        .skip(1)
        .map(|it| it.split(|c: char| !c.is_ascii_uppercase() && c != '_').next().unwrap())
        .collect();
    kept.sort_unstable();
    kept.dedup();
    let mut given = option("capabilities");
    given.sort();
    assert_eq!(given, kept, "what service/src/sandbox keeps");
    assert!(kept.len() >= 6, "{kept:?}");
    assert!(option("group").contains(&"media_rw".to_owned()));
    assert_eq!(option("rlimit")[0], "nofile");

    // The state directory is made before the service can be started.
    let config: toml::Table = read("service/android/mediagate.toml").parse().unwrap();
    let state = config["service"]["state_dir"].as_str().unwrap();
    let made = |it: &Section| it.lines.iter().any(|(_, words)| words[0] == "mkdir" && words[1] == state);
    let action = sections.iter().find(|it| made(it)).unwrap_or_else(|| panic!("nobody makes {state}"));
    assert_eq!(action.head, ["post-fs-data"]);
}

fn installed_below() -> String {
    let modules = crate::blueprint::modules();
    modules.iter().find(|it| it.name == "mediagate.toml").unwrap().text("sub_dir").unwrap()
}

#[test]
fn what_init_would_not_take_is_found() {
    let service = "service a /system/bin/a\n    class main\n";
    assert_eq!(check(service), [""; 0]);
    for wrong in [
        "    class main\n",
        "service a\n",
        "service a system/bin/a\n",
        "service a /system/bin/a\n    classes main\n",
        "service a /system/bin/a\n    user a b\n",
        "service a /system/bin/a\n    rlimit nofile 1 many\n",
        "service a /system/bin/a\n    start a\n",
        "on\n    start a\n",
        "on boot\n    start b\nservice a /system/bin/a\n",
        "on boot\n    class main\n",
        "import /x.rc\n",
    ] {
        assert_ne!(check(wrong), [""; 0], "{wrong}");
    }
}
