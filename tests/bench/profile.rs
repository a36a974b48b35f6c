//! Where the service spends its time while two apps open, create, list and unlink, and whether it waits for a lock of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Plan;
use crate::subject::{Place, Running, Subject};
use crate::work::{Lasting, prepare};

const SECONDS: f64 = 3.0;
/// In this order: what is unlinked was created.
const OPERATIONS: [(&str, &str); 4] = [
    ("open, read 4 KiB, close", "open"),
    ("list 10,000 entries with their attributes, after a change", "list"),
    ("create", "create"),
    ("unlink", "unlink"),
];
/// What a thread is in that waits for another one to leave a lock of the service.
const LOCKS: [&str; 5] = ["::lock_slow", "shared_slow", "exclusive_slow", "unlock_slow", "lock_contended"];
/// The same of the kernel's.
const KERNEL_LOCKS: [&str; 4] = ["spin_lock_slowpath", "rwsem_down", "mutex_lock_slowpath", "osq_lock"];
/// Threads that sleep until there is something to do, and who wakes them.
const WAKES: [&str; 2] = ["futex_wait", "futex_wake"];
const DECISION: [&str; 2] = ["mediagate_policy::", "mediagate::access::"];

/// One sample: functions from the innermost on, and which of them are the kernel's.
type Stack = Vec<(String, bool)>;

pub(crate) fn run(plan: &Plan) {
    for program in ["perf", "strace"] {
        let found = Command::new(program).arg("--version").stdout(Stdio::null()).status();
        assert!(
            found.is_ok(),
            "{program} is missing: apt-get install --no-install-recommends linux-perf strace"
        );
    }
    let place = Place::of(plan, "main");
    prepare(plan, &place);
    let mut out = String::from(
        "# Where the service spends its time\n\nTwo apps at once, wherever the scheduler puts them.\n",
    );
    for (what, workload) in OPERATIONS {
        if !plan.wants(what) {
            continue;
        }
        eprintln!("bench: profile of {what}");
        let running = Subject::Owner.start(plan, &place, false);
        let file = plan.work.join("perf.data");
        let operations = during(plan, &running, workload, |pid| perf(&file, pid));
        let stacks = stacks(&file);
        // What was created is there, and what was unlinked is not: these are counted together.
        let again = if matches!(workload, "create" | "unlink") { "create and unlink" } else { workload };
        let summary = plan.work.join("strace");
        let counted = during(plan, &running, again, |pid| strace(&summary, pid));
        tell(&mut out, what, operations, &stacks, futexes(&summary) / counted);
    }
    std::fs::write(plan.out.join("profile.md"), &out).unwrap();
    println!("{out}");
    eprintln!("bench: wrote {}", plan.out.join("profile.md").display());
}

/// Two clients, looked at by a tool that attaches to the service; operations in all.
fn during(plan: &Plan, running: &Running, workload: &str, tool: impl Fn(u32) -> Child) -> f64 {
    let new = |part| Lasting::new(running, workload, plan.files(), SECONDS, Some(part)).unwrap();
    let mut clients = [new(0), new(1)];
    let mut tool = tool(running.pid().unwrap());
    // It does not tell when it has attached.
    std::thread::sleep(Duration::from_millis(500));
    clients.iter_mut().for_each(Lasting::begin);
    let operations = clients.into_iter().map(|it| it.end().unwrap()["operations"].as_f64().unwrap()).sum();
    let pid = nix::unistd::Pid::from_raw(tool.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    tool.wait().unwrap();
    operations
}

fn perf(file: &Path, pid: u32) -> Child {
    // Not every virtual machine has counters of cycles.
    let mut command = Command::new("perf");
    command.args(["record", "-q", "-e", "cpu-clock", "-F", "1999", "--call-graph", "dwarf,16384", "-o"]);
    command.arg(file).args(["-p", &pid.to_string()]).stderr(Stdio::null()).spawn().unwrap()
}

fn strace(summary: &Path, pid: u32) -> Child {
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-qq", "-e", "trace=futex", "-o"]).arg(summary).args(["-p", &pid.to_string()]);
    command.stderr(Stdio::null()).spawn().unwrap()
}

/// Calls of futex(2) by a summary of strace: the fourth column of the line that ends with its name.
fn futexes(summary: &Path) -> f64 {
    let text = std::fs::read_to_string(summary).unwrap();
    let line = text.lines().find(|it| it.trim_end().ends_with(" futex"));
    line.and_then(|it| it.split_whitespace().nth(3)?.parse().ok()).unwrap_or(0.0)
}

/// What `perf script` says: samples are apart by an empty line, each line is an address, a function, and where it is from.
fn stacks(file: &Path) -> Vec<Stack> {
    let mut command = Command::new("perf");
    command.args(["script", "--no-inline", "-F", "ip,sym,dso", "-i"]).arg(file).stderr(Stdio::null());
    let said = command.output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout);
    let frame = |line: &str| {
        let (name, from) = line.trim().split_once(' ')?.1.rsplit_once(" (")?;
        Some((tidy(name), from.starts_with("[kernel") || from.starts_with("[guest")))
    };
    let stacks = text.split("\n\n").map(|sample| sample.lines().filter_map(frame).collect::<Stack>());
    stacks.filter(|it| !it.is_empty()).collect()
}

/// Without the hash at the end.
fn tidy(name: &str) -> String {
    match name.rsplit_once("::h") {
        Some((front, hash)) if hash.len() == 16 => front.to_owned(),
        _ => name.to_owned(),
    }
}

fn is_own(name: &str) -> bool {
    name.contains("mediagate") || name.contains("fuser::")
}

/// At a lock, or asleep until there is work.
fn is_wait(name: &str) -> bool {
    [&LOCKS[..], &KERNEL_LOCKS, &WAKES].into_iter().flatten().any(|it| name.contains(it))
}

fn tell(out: &mut String, what: &str, operations: f64, stacks: &[Stack], waits: f64) {
    let all = stacks.len().max(1) as f64;
    let share = |of: &dyn Fn(&Stack) -> bool| 100.0 * stacks.iter().filter(|it| of(it)).count() as f64 / all;
    let within = |stack: &Stack, parts: &[&str]| {
        stack.iter().any(|(name, _)| parts.iter().any(|part| name.contains(part)))
    };
    let kernel = share(&|it| it[0].1);
    let decision = share(&|it| within(it, &DECISION));
    let (lock, theirs) = (share(&|it| within(it, &LOCKS)), share(&|it| within(it, &KERNEL_LOCKS)));
    let seen =
        if lock < 1.0 { "no lock of the service shows" } else { "the service waits for a lock of its own" };
    let _ = writeln!(
        out,
        "\n## {what}\n\n{operations} operations in {SECONDS} s, {all} samples: {kernel:.0} % in the kernel, {decision:.1} % decisions. \
         At locks of the service {lock:.1} %, at the kernel's {theirs:.1} %, and {waits:.3} calls of futex(2) for an operation: {seen}.\n"
    );
    let mut functions: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    let mut leaves: BTreeMap<&str, f64> = BTreeMap::new();
    let mut held: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for stack in stacks {
        let own = stack.iter().find(|(name, kernel)| !kernel && is_own(name));
        let own = own.map_or("(elsewhere)", |(name, _)| name.as_str());
        let spent = functions.entry(own).or_default();
        spent[0] += 100.0 / all;
        spent[1] += if stack[0].1 { 100.0 / all } else { 0.0 };
        *leaves.entry(&stack[0].0).or_default() += 100.0 / all;
        if let Some((lock, _)) = stack.iter().find(|(name, _)| is_wait(name)) {
            *held.entry((lock, own)).or_default() += 100.0 / all;
        }
    }
    out.push_str("| The innermost function of its own | % | of that in the kernel |\n|---|---|---|\n");
    let mut functions: Vec<_> = functions.into_iter().collect();
    functions.sort_by(|a, b| b.1[0].total_cmp(&a.1[0]));
    for (name, [spent, kernel]) in functions.into_iter().take(16) {
        let _ = writeln!(out, "| `{name}` | {spent:.1} | {kernel:.1} |");
    }
    out.push_str("\n| The innermost function | % |\n|---|---|\n");
    let mut leaves: Vec<_> = leaves.into_iter().collect();
    leaves.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (name, spent) in leaves.into_iter().take(16) {
        let _ = writeln!(out, "| `{name}` | {spent:.1} |");
    }
    let mut held: Vec<_> = held.into_iter().filter(|(_, spent)| *spent >= 0.1).collect();
    held.sort_by(|a, b| b.1.total_cmp(&a.1));
    if !held.is_empty() {
        out.push_str("\n| At a lock, or waking and waiting | called by | % |\n|---|---|---|\n");
        for ((lock, own), spent) in held.into_iter().take(8) {
            let _ = writeln!(out, "| `{lock}` | `{own}` | {spent:.1} |");
        }
    }
}
