//! The service against a model: random sequences of what several apps and an administrator do, on a mount and on the
//! operations without one, and the same in the model ([`reference`]). Each answer must be the same; so must, in the end, be
//! the lower tree with its owners, and what every caller sees of every file. What differs is shrunk to a few steps, in the
//! form in which [`cases`] keeps them.
//!
//! A test run takes a few sequences that are always the same. `MEDIAGATE_MODEL_CASES=2000 cargo test -p mediagate-tests
//! --test model` takes so many others, at each of the five places.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod direct;
mod mount;
mod op;
mod reference;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use direct::Direct;
use mount::Mount;
use op::{Op, Who, sequence};
use reference::{Mistake, Model, Seen};

/// No file gets longer.
const LONGEST: usize = 20_000;
/// The most steps of a sequence.
const STEPS: usize = 60;

/// Something that does the steps for real.
trait Driver {
    fn act(&mut self, op: &Op) -> Seen;
    /// Everything is as in the beginning again.
    fn reset(&mut self);
    /// User 0's tree on the lower file system.
    fn lower(&self) -> PathBuf;
}

/// One step, in both; whether something was done.
fn step(model: &mut Model, driver: &mut dyn Driver, op: &Op) -> Result<bool, String> {
    let Some(expected) = model.run(op) else { return Ok(false) };
    let mut got = driver.act(op);
    if let (Seen::Stat(_, None), Seen::Stat(_, mtime)) = (&expected, &mut got) {
        *mtime = None;
    }
    if expected == got {
        Ok(!matches!(expected, Seen::Errno(_) | Seen::Refused))
    } else {
        Err(format!("{op:?}: {} is expected, but it is {}", brief(&expected), brief(&got)))
    }
}

fn brief(seen: &Seen) -> String {
    match seen {
        Seen::Errno(errno) => format!("{:?}", mediagate_tests::Errno(*errno)),
        Seen::Bytes(bytes) => {
            let start: Vec<u8> = bytes.iter().take(20).copied().collect();
            format!("{} bytes: {}…", bytes.len(), start.escape_ascii())
        }
        other => format!("{other:?}"),
    }
}

/// A sequence, and a look at everything in the end. Says how many steps did something.
fn run(ops: &[Op], mistake: Option<Mistake>, driver: &mut dyn Driver) -> Result<usize, String> {
    let mut model = Model::new(mistake);
    let mut done = 0;
    for op in ops {
        done += usize::from(step(&mut model, driver, op)?);
    }
    compare_trees(&model, &driver.lower())?;
    for path in model.paths() {
        // The steps name paths that live as long as the program; of these there are few.
        let path: &'static str = path.leak();
        for who in Who::ALL {
            for look in [
                Op::Stat(who, path),
                Op::Read(who, path),
                Op::Access(who, path, libc::W_OK),
                Op::List(who, path),
            ] {
                step(&mut model, driver, &look).map_err(|wrong| format!("in the end, {wrong}"))?;
            }
        }
    }
    Ok(done)
}

/// Names, bytes and recorded owners.
fn compare_trees(model: &Model, lower: &Path) -> Result<(), String> {
    let mut found = BTreeMap::new();
    walk(lower, "", &mut found);
    let expected = model.paths();
    let names: Vec<String> = found.keys().cloned().collect();
    if names != expected {
        return Err(format!("the lower tree has {names:?}, and not {expected:?}"));
    }
    for (path, got) in &found {
        let expected = model.file(path).map(|(bytes, owner)| (bytes.to_vec(), owner.map(str::to_owned)));
        if *got != expected {
            let brief = |it: &Option<(Vec<u8>, Option<String>)>| {
                it.as_ref().map(|(bytes, owner)| (bytes.len(), owner.clone()))
            };
            return Err(format!(
                "the lower {path} is (length and owner) {:?}, and not {:?}",
                brief(got),
                brief(&expected)
            ));
        }
    }
    Ok(())
}

type Found = BTreeMap<String, Option<(Vec<u8>, Option<String>)>>;

fn walk(dir: &Path, at: &str, found: &mut Found) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if at.is_empty() { name } else { format!("{at}/{name}") };
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), &path, found);
            found.insert(path, None);
        } else {
            let mut owner = [0; 256];
            let owner = rustix::fs::getxattr(entry.path(), "user.mediagate.owner", &mut owner)
                .ok()
                .map(|length| String::from_utf8(owner[..length].to_vec()).unwrap());
            found.insert(path, Some((std::fs::read(entry.path()).unwrap(), owner)));
        }
    }
}

/// How many sequences the environment asks for.
fn asked_for() -> Option<u32> {
    let cases = std::env::var("MEDIAGATE_MODEL_CASES").ok()?;
    Some(cases.parse().expect("MEDIAGATE_MODEL_CASES is a number"))
}

/// Random sequences; what deviates is shrunk and given back.
fn explore(
    driver: &mut dyn Driver,
    seed: u8,
    few: u32,
    packages: bool,
    mistake: Option<Mistake>,
) -> Result<(), String> {
    // A mistake is to be found every time.
    let asked = asked_for().filter(|_| mistake.is_none());
    let config = Config {
        cases: asked.unwrap_or(few),
        // The cases are in the source.
        failure_persistence: None,
        max_shrink_iters: 4000,
        ..Config::default()
    };
    let mut runner = match asked {
        None => TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32])),
        Some(_) => TestRunner::new(config),
    };
    let driver = RefCell::new(driver);
    let (all, good) = (Cell::new(0), Cell::new(0));
    let outcome = runner.run(&sequence(STEPS, packages), |ops| {
        let mut driver = driver.borrow_mut();
        driver.reset();
        let done = run(&ops, mistake, &mut **driver).map_err(TestCaseError::fail)?;
        all.set(all.get() + ops.len());
        good.set(good.get() + done);
        Ok(())
    });
    println!("{} of {} steps did something", good.get(), all.get());
    outcome.map_err(|error| match error {
        TestError::Fail(why, ops) => format!("{why}\nafter\n{ops:#?}").replace("\n        ", " "),
        TestError::Abort(why) => why.to_string(),
    })?;
    assert!(good.get() > all.get() / 4, "the sequences say something");
    Ok(())
}

fn expect<T>(outcome: Result<T, String>) -> T {
    outcome.unwrap_or_else(|wrong| panic!("{wrong}"))
}

#[test]
fn a_mount_that_passes_through_does_what_the_model_does() {
    expect(explore(&mut Mount::new(true, None), 1, 8, true, None));
}

#[test]
fn a_mount_that_passes_through_and_keeps_nothing_does_what_the_model_does() {
    expect(explore(&mut Mount::new(true, Some(0)), 2, 4, true, None));
}

#[test]
fn a_mount_that_the_daemon_serves_does_what_the_model_does() {
    expect(explore(&mut Mount::new(false, Some(-1)), 3, 4, true, None));
}

#[test]
fn the_operations_do_what_the_model_does() {
    expect(explore(&mut Direct::new(false), 4, 8, false, None));
}

#[test]
fn the_operations_do_what_the_model_does_with_a_kernel_that_forgets_at_once() {
    expect(explore(&mut Direct::new(true), 5, 8, false, None));
}

/// Whoever got something wrong, the service or the model, the other one says so.
#[test]
fn a_model_that_is_wrong_is_found_out() {
    let (mut direct, mut mount) = (Direct::new(false), Mount::new(true, None));
    for (mistake, ops) in cases::TELL_TALE {
        let driver: &mut dyn Driver = if needs_service(ops) { &mut mount } else { &mut direct };
        driver.reset();
        expect(run(ops, None, driver).map_err(|wrong| format!("{mistake:?} aside, {wrong}")));
        driver.reset();
        let found = run(ops, Some(*mistake), driver);
        assert!(found.is_err(), "{mistake:?} passes");
    }
}

/// The same, with sequences that nobody thought of: `cargo test -p mediagate-tests --test model -- --ignored` takes some
/// minutes.
#[test]
#[ignore = "takes minutes"]
fn random_sequences_find_out_a_model_that_is_wrong() {
    for (mistake, ops) in cases::TELL_TALE {
        let packages = needs_service(ops);
        let found = match packages {
            true => explore(&mut Mount::new(true, None), 6, 10_000, packages, Some(*mistake)),
            false => explore(&mut Direct::new(false), 6, 10_000, packages, Some(*mistake)),
        };
        println!("{mistake:?}: {}\n", found.expect_err(&format!("{mistake:?} passes")));
    }
}

/// Whether the sequence has steps that the operations alone do not know.
fn needs_service(ops: &[Op]) -> bool {
    ops.iter().any(|op| matches!(op, Op::Remove(_) | Op::Clear(_) | Op::Install(_)))
}

#[test]
fn what_deviated_once_does_so_no_more() {
    let (mut mount, mut direct) = (Mount::new(true, None), [Direct::new(false), Direct::new(true)]);
    for (name, ops) in cases::ALL {
        let check = |driver: &mut dyn Driver| {
            driver.reset();
            expect(run(ops, None, driver).map_err(|wrong| format!("{name}: {wrong}")));
        };
        check(&mut mount);
        if !needs_service(ops) {
            direct.iter_mut().for_each(|it| check(it));
        }
    }
}
