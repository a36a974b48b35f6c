//! Measures the service beside the bare directory and its peers; `tests/bench/run` prepares the place, starts this, and
//! takes away what is left. One round takes each subject in turn, so that what the machine does meanwhile falls on all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod aims;
mod anywhere;
mod client;
mod data;
mod html;
mod large;
mod listing;
mod load;
mod measured;
mod pair;
mod portal;
mod profile;
mod report;
mod single;
mod subject;
mod tree;
mod work;

use std::path::PathBuf;

/// What a run is to do.
#[derive(Clone, Debug)]
struct Plan {
    /// Everything that is mounted or made is below it.
    work: PathBuf,
    /// The service.
    program: PathBuf,
    out: PathBuf,
    quick: bool,
    only: Vec<String>,
    write: Option<PathBuf>,
}

impl Plan {
    fn wants(&self, workload: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| workload.contains(part.as_str()))
    }

    /// Files of a pinned workload.
    fn files(&self) -> usize {
        if self.quick { 2000 } else { 5000 }
    }

    fn rounds(&self) -> usize {
        if self.quick { 3 } else { 5 }
    }

    /// Rounds that have trees, two processes and load.
    fn slow_rounds(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }

    /// Rounds that have data, and listings of 100,000 entries.
    fn slowest_rounds(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("client") => client::main(&arguments.collect::<Vec<_>>()),
        Some("run") => {
            let mut path = || PathBuf::from(arguments.next().expect("run WORK PROGRAM OUT"));
            let (work, program, out) = (path(), path(), path());
            let mut plan = Plan { work, program, out, quick: false, only: Vec::new(), write: None };
            let mut profile = false;
            while let Some(argument) = arguments.next() {
                let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} takes a value"));
                match argument.as_str() {
                    "--quick" => plan.quick = true,
                    "--only" => plan.only = value().split(',').map(str::to_owned).collect(),
                    "--profile" => profile = true,
                    "--write" => plan.write = Some(value().into()),
                    _ => panic!("what is {argument}? The head of tests/bench/run says what there is"),
                }
            }
            if profile {
                return profile::run(&plan);
            }
            // After each round, so that a run that is stopped has told something.
            work::run(&plan, |measured| report::write(&plan, measured));
        }
        _ => panic!("start it by tests/bench/run"),
    }
}
