//! Runs the examples of `docs/SEMANTICS.md` against a real service: what the document says is what apps get.
//!
//! A block fenced with ```` ```callers ```` names the callers, one in a line: name, app id, target SDK, and what it
//! holds (a permission, an app op as `OP=mode`, `legacy` or `instant`). Every block fenced with ```` ```example ```` is a world of
//! its own, in which its lines are carried out in order: caller, operation, paths, `=>`, outcome. The document says which
//! operations and outcomes there are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::path::PathBuf;

use mediagate::config::{UserConfig, UserKindConfig};
use mediagate_tests::actor::Ask;
use mediagate_tests::{Actor, Errno, Package, World};

const DOCUMENT: &str = include_str!("../../docs/SEMANTICS.md");
/// A full user, a clone profile and a work profile.
const USERS: [u32; 4] = [0, 10, 11, 12];

/// The blocks with this word after their fence, each with the number of its first line.
fn blocks(kind: &str) -> Vec<(usize, Vec<&'static str>)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, Vec<&str>)> = None;
    for (number, line) in DOCUMENT.lines().enumerate() {
        if let Some(word) = line.strip_prefix("```") {
            match open.take() {
                Some(block) => found.push(block),
                None if word.trim() == kind => open = Some((number + 2, Vec::new())),
                None => {}
            }
        } else if let Some((_, lines)) = &mut open {
            lines.push(line);
        }
    }
    found
}

fn package_of(caller: &str) -> String {
    format!("com.example.{caller}")
}

/// The callers of the document: packages, or plain uids where the third column says so.
fn callers() -> HashMap<String, (u32, Option<Package>)> {
    let mut all = HashMap::new();
    for line in blocks("callers").into_iter().flat_map(|(_, lines)| lines) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, app_id, sdk, holds @ ..] = words.as_slice() else { panic!("not a caller: {line:?}") };
        let app_id: u32 = app_id.parse().expect("an app id");
        let package = (*sdk != "no-package").then(|| {
            let mut package = Package::new(&package_of(name), app_id)
                .users(&USERS)
                .target_sdk(sdk.parse().expect("a target SDK"));
            let mut permissions = Vec::new();
            for word in holds {
                match word.split_once('=') {
                    Some((op, mode)) => package = package.app_op(op, mode),
                    None if *word == "legacy" => package.0.request_legacy_storage = true,
                    None if *word == "instant" => package.0.instant = true,
                    None => permissions.push(*word),
                }
            }
            package.permissions(&permissions)
        });
        assert!(all.insert((*name).to_owned(), (app_id, package)).is_none(), "{name} is named twice");
    }
    all
}

struct Stage {
    world: World,
    callers: HashMap<String, (u32, Option<Package>)>,
    actors: HashMap<String, Actor>,
    held: HashMap<String, u64>,
}

impl Stage {
    fn new() -> Stage {
        let callers = callers();
        let packages: Vec<Package> = callers.values().filter_map(|(_, package)| package.clone()).collect();
        let mut world = World::new(&packages);
        world.config.volumes[0].users = USERS.to_vec();
        let profile = |id, kind| UserConfig { id, kind, parent: Some(0), usb_file_transfer: true };
        world.config.users = vec![profile(11, UserKindConfig::Clone), profile(12, UserKindConfig::Work)];
        world.start();
        Stage { world, callers, actors: HashMap::new(), held: HashMap::new() }
    }

    /// `DCIM/a` is in user 0's tree, `@10/DCIM/a` in user 10's, `@` the directory above.
    fn path(&self, written: &str, lower: bool) -> PathBuf {
        let volume = &self.world.config.volumes[0];
        let root = if lower { &volume.lower } else { &volume.mount };
        match written.strip_prefix('@') {
            Some(below) => root.join(below),
            None => root.join("0").join(if written == "." { "" } else { written }),
        }
    }

    fn actor(&mut self, caller: &str) -> &mut Actor {
        let (name, user) = caller.split_once('@').unwrap_or((caller, "0"));
        let user: u32 = user.parse().expect("a user");
        let (app_id, _) = self.callers.get(name).unwrap_or_else(|| panic!("no caller {name:?}"));
        let uid = user * 100_000 + app_id;
        self.actors.entry(caller.to_owned()).or_insert_with(|| Actor::start(uid))
    }

    fn run(&mut self, caller: &str, operation: &str, operands: &[&str]) -> String {
        match caller {
            "admin" => self.admin(operation, operands),
            "lower" => self.lower(operation, operands),
            _ => said(self.app(caller, operation, operands)),
        }
    }

    /// Something that an app does through the mount.
    fn app(&mut self, caller: &str, operation: &str, operands: &[&str]) -> Result<String, Errno> {
        let paths: Vec<PathBuf> = operands.iter().map(|it| self.path(it, false)).collect();
        let bytes = |at: usize| paths[at].as_os_str().as_encoded_bytes().to_vec();
        let held = self.held.get(caller).copied();
        let actor = self.actor(caller);
        let done = |result: Result<(), Errno>| result.map(|()| "ok".to_owned());
        match (operation, paths.len()) {
            ("create", 1) => done(actor.create(&paths[0], b"content")),
            ("mknod", 1) => done(actor.act(&Ask::Mknod { path: bytes(0), mode: libc::S_IFREG | 0o600 })),
            ("mkfifo", 1) => done(actor.act(&Ask::Mknod { path: bytes(0), mode: libc::S_IFIFO | 0o600 })),
            ("read", 1) => done(actor.can_read(&paths[0])),
            ("write", 1) => done(actor.can_write(&paths[0])),
            ("stat", 1) => done(actor.stat(&paths[0]).map(drop)),
            ("mode", 1) => actor.stat(&paths[0]).map(|stat| format!("{:04o}", stat.mode & 0o7777)),
            ("list", 1) => actor
                .list(&paths[0])
                .map(|names| if names.is_empty() { "nothing".to_owned() } else { names.join(" ") }),
            ("mkdir", 1) => done(actor.mkdir(&paths[0])),
            ("rmdir", 1) => done(actor.rmdir(&paths[0])),
            ("delete", 1) => done(actor.unlink(&paths[0])),
            ("rename", 2) => done(actor.rename(&paths[0], &paths[1])),
            ("exchange", 2) => done(actor.rename_with(&paths[0], &paths[1], libc::RENAME_EXCHANGE)),
            ("truncate", 1) => done(actor.act(&Ask::Truncate { path: bytes(0), size: 1 })),
            ("utimes", 1) => done(actor.act(&Ask::Utimes { path: bytes(0), seconds: 1 })),
            ("chmod", 1) => done(actor.act(&Ask::Chmod { path: bytes(0), mode: 0o777 })),
            ("chown", 1) => {
                let uid = actor.uid;
                done(actor.act(&Ask::Chown { path: bytes(0), uid }))
            }
            ("symlink", 1) => done(actor.act(&Ask::Symlink { target: b"target".to_vec(), path: bytes(0) })),
            ("link", 2) => done(actor.act(&Ask::Link { from: bytes(0), to: bytes(1) })),
            ("setxattr", 1) => done(actor.act(&Ask::SetXattr { path: bytes(0) })),
            ("access-r", 1) => done(actor.access(&paths[0], libc::R_OK)),
            ("access-w", 1) => done(actor.access(&paths[0], libc::W_OK)),
            ("access-x", 1) => done(actor.access(&paths[0], libc::X_OK)),
            ("hold", 1) => {
                let file = actor.open(&paths[0], libc::O_RDONLY)?;
                self.held.insert(caller.to_owned(), file);
                Ok("ok".to_owned())
            }
            ("read-held", 0) => done(actor.read(held.expect("`hold` comes first"), 0, 16).map(drop)),
            _ => panic!("unknown operation {operation:?} with {} paths", paths.len()),
        }
    }

    /// Something that happens to the lower tree, behind the mount.
    fn lower(&mut self, operation: &str, operands: &[&str]) -> String {
        let path = self.path(operands[0], true);
        match operation {
            "create" => std::fs::write(&path, b"content").expect("write below"),
            "mkdir" => std::fs::create_dir_all(&path).expect("mkdir below"),
            "symlink" => std::os::unix::fs::symlink("/etc/passwd", &path).expect("symlink below"),
            "owner" => {
                let mut value = [0; 255];
                return match rustix::fs::getxattr(&path, "user.mediagate.owner", &mut value) {
                    Ok(length) => String::from_utf8_lossy(&value[..length]).into_owned(),
                    Err(rustix::io::Errno::NODATA) => "nobody".to_owned(),
                    Err(errno) => panic!("{}: {errno}", path.display()),
                };
            }
            _ => panic!("unknown operation {operation:?} on the lower tree"),
        }
        "ok".to_owned()
    }

    /// Something that an administrator does with the command line.
    fn admin(&mut self, operation: &str, operands: &[&str]) -> String {
        let package = package_of(operands[0]);
        if let "give" | "take" = operation {
            let path = self.path(operands[1], false);
            let verb = if operation == "give" { "add" } else { "remove" };
            let mut line = vec!["grant", verb, &package, path.to_str().expect("UTF-8")];
            line.extend(&operands[2..]);
            self.world.daemon().cli(&line);
            return "ok".to_owned();
        }
        self.world.daemon().cli(&["permission", operation, &package, operands[1]]);
        "ok".to_owned()
    }
}

fn said(result: Result<String, Errno>) -> String {
    result.unwrap_or_else(|errno| format!("{errno:?}"))
}

#[test]
fn the_document_says_what_apps_get() {
    let examples = blocks("example");
    assert!(examples.len() >= 10, "only {} examples were found", examples.len());
    let mut wrong = Vec::new();
    for (first, lines) in examples {
        let mut stage = Stage::new();
        for (number, line) in (first..).zip(lines) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let (asked, expected) = line
                .split_once("=>")
                .unwrap_or_else(|| panic!("docs/SEMANTICS.md:{number}: no => in {line:?}"));
            let words: Vec<&str> = asked.split_whitespace().collect();
            let [caller, operation, operands @ ..] = words.as_slice() else {
                panic!("docs/SEMANTICS.md:{number}: {line:?}")
            };
            let got = stage.run(caller, operation, operands);
            let expected = expected.split_whitespace().collect::<Vec<_>>().join(" ");
            if got != expected {
                wrong.push(format!("docs/SEMANTICS.md:{number}: {} => {got}, not {expected}", asked.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "the document and the service differ:\n{}", wrong.join("\n"));
}
