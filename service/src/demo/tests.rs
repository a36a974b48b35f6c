//! What can be tested without a mount; the whole tour is a test of the tests crate.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::rc::Rc;

use super::actor::{Action, Answer, act, perform};
use super::print::{Printer, WIDTH, size, wrap};
use super::samples::Sample;
use super::world::{
    APPS, CAMERA, FILES, GALLERY, INVOICE, ITEMS, MESSENGER, MUSIC, PICTURE, SECOND_PICTURE, World,
};

#[derive(Clone, Default)]
struct Page(Rc<RefCell<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

#[test]
fn an_actor_makes_copies_reads_lists_and_deletes() {
    let dir = tempfile::tempdir().unwrap();
    let (path, to) = (dir.path().join("a/b/note.txt"), dir.path().join("a/b/copy"));
    let made = perform(&Action::Make { path: path.clone(), sample: Sample::Note }).unwrap();
    let copied = perform(&Action::Copy { path: path.clone(), to: to.clone() }).unwrap();
    let read = perform(&Action::Read { path: to.clone() }).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&to).unwrap());
    assert!(made.bytes > 50 && made.bytes == copied.bytes && made.bytes == read.bytes);
    assert_eq!((copied.sha256.len(), &copied.sha256), (64, &read.sha256));

    std::fs::write(dir.path().join("a/b/new\nline"), "").unwrap();
    let list = Action::List { path: dir.path().join("a/b") };
    assert_eq!(perform(&list).unwrap().names, ["copy", "new\\nline", "note.txt"]);
    perform(&Action::Delete { path: to.clone() }).unwrap();
    assert_eq!(perform(&Action::Read { path: to }).unwrap_err().raw_os_error(), Some(libc::ENOENT));
}

#[test]
fn an_actor_never_writes_over_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine");
    std::fs::write(&path, "mine").unwrap();
    for action in [
        Action::Make { path: path.clone(), sample: Sample::Note },
        Action::Copy { path: path.clone(), to: path.clone() },
    ] {
        assert_eq!(perform(&action).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
}

#[test]
fn actions_and_answers_survive_the_pipe() {
    let action = Action::Copy { path: "/a b".into(), to: "/c".into() };
    assert_eq!(serde_json::from_str::<Action>(&serde_json::to_string(&action).unwrap()).unwrap(), action);
    let answer = Answer { errno: "EACCES".into(), names: vec!["x".into()], bytes: 7, ..Answer::default() };
    assert_eq!(serde_json::from_str::<Answer>(&serde_json::to_string(&answer).unwrap()).unwrap(), answer);
    assert_eq!((answer.outcome(), Answer::default().outcome()), ("EACCES", "ok"));
}

#[test]
fn a_program_that_gives_no_answer_is_an_error() {
    // The test program knows nothing of actors: it looks for a test of that name and finds none. Its own uid, as
    // this need not be root.
    let uid = nix::unistd::geteuid().as_raw();
    let error = act(uid, &Action::List { path: "/".into() }).unwrap_err();
    assert!(error.to_string().contains("without an answer"), "{error}");
}

#[test]
fn the_world_is_consistent() {
    let uids: BTreeSet<_> = APPS.iter().map(|app| app.uid).collect();
    let paths: BTreeSet<_> = ITEMS.iter().map(|item| item.path).collect();
    assert_eq!((uids.len(), paths.len()), (APPS.len(), ITEMS.len()));
    for path in [PICTURE, SECOND_PICTURE, INVOICE, "DCIM/Camera/VID_0001.mp4"] {
        assert!(paths.contains(path), "the tour uses {path}");
    }
    assert!(ITEMS.iter().any(|item| matches!(item.sample, Sample::Photo { located: true, .. })));
    let seen = |app| ITEMS.iter().filter(|item| item.is_seen_by(app)).count();
    assert_eq!([&CAMERA, &GALLERY, &MESSENGER, &MUSIC, &FILES].map(seen), [3, 6, 3, 2, 10]);
}

fn silent() -> Printer {
    Printer::new(Box::new(io::sink()), false, false)
}

#[test]
fn the_configuration_fits_the_directory() {
    let world = World::create(None).unwrap();
    let config = world.config();
    let volume = &config.volumes[0];
    assert!(volume.lower.join("0").is_dir() && volume.mount.is_dir() && config.service.state_dir.is_dir());
    assert!(!volume.mount.starts_with(&volume.lower) && !world.is_mounted());
    assert_eq!(config.packages.len(), APPS.len());
    for name in config.packages.iter().flat_map(|package| &package.permissions) {
        assert!(name.parse::<mediagate_policy::Permission>().is_ok(), "{name}");
    }
    world.make_files_directly(&mut silent()).unwrap();
    assert!(volume.lower.join("0").join(PICTURE).is_file());
    world.close(&mut silent());
    assert!(!volume.lower.exists(), "a temporary directory goes");
}

#[test]
fn a_directory_that_was_named_stays_and_is_not_used_twice() {
    let parent = tempfile::tempdir().unwrap();
    let named = parent.path().join("new/place");
    let world = World::create(Some(&named)).unwrap();
    world.close(&mut silent());
    assert!(named.join("lower/0").is_dir());
    let refused = World::create(Some(&named)).err().unwrap().to_string();
    assert!(refused.contains("is not empty"), "{refused}");
}

#[test]
fn a_place_that_apps_cannot_enter_is_refused() {
    let parent = tempfile::tempdir().unwrap();
    std::fs::set_permissions(parent.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let world = World::create(Some(&parent.path().join("demo"))).unwrap();
    let refused = world.check_reachable().unwrap_err().to_string();
    assert!(refused.contains("has mode 700") && refused.contains("--dir"), "{refused}");
}

#[test]
fn lines_stay_within_the_width() {
    let page = Page::default();
    let mut out = Printer::new(Box::new(page.clone()), false, false);
    let words = "the quick brown fox jumps over the lazy dog ".repeat(12);
    out.heading("A step");
    out.paragraph(&words);
    out.bullet(&words);
    out.check(&words, true, "");
    out.check(&words, false, &words);
    out.not_shown("this", &words);
    out.aside(&words);
    let head: Vec<_> = ["file"].into_iter().chain(APPS.iter().map(|app| app.label)).collect();
    let rows: Vec<_> = ITEMS
        .iter()
        .map(|item| [item.path.to_owned()].into_iter().chain(APPS.map(|_| "owns".to_owned())).collect())
        .collect();
    out.table(&head, &rows);
    assert!(page.text().lines().all(|line| line.len() <= WIDTH), "{}", page.text());
    assert!(!page.text().contains('\x1B'), "no colour unless asked for");
    assert_eq!(wrap("a bb  ccc", 4), ["a bb", "ccc"]);
}

#[test]
fn a_broken_promise_shows_in_the_report() {
    let page = Page::default();
    let mut out = Printer::new(Box::new(page.clone()), true, true);
    out.heading("First");
    out.check("it works", true, "");
    assert!(out.all_kept());
    out.check("so does this", false, "it does not");
    assert!(!out.all_kept());
    out.error("ended early");
    assert_eq!(page.text(), "", "nothing but the report");
    out.finish(false);
    out.finish(true);
    let report: serde_json::Value = serde_json::from_str(&page.text()).unwrap();
    assert_eq!(report["ok"], false);
    assert_eq!(report["error"], "ended early");
    assert_eq!(report["steps"][0]["checks"][1]["found"], "it does not");
}

#[test]
fn sizes_are_said_briefly() {
    assert_eq!([0, 1023, 2048, 256 << 20].map(size), ["0 bytes", "1023 bytes", "2 KiB", "256 MiB"]);
}
