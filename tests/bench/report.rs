//! JSON, Markdown tables, and one HTML page with plots.

use std::fmt::Write as _;

use crate::aims::judge;
use crate::measured::{GROUPS, Measured, Values, is_compared, median, spread};
use crate::subject::Subject;
use crate::{Plan, html};

const BEGIN: &str = "<!-- bench: begin -->";
const END: &str = "<!-- bench: end -->";

pub(crate) fn number(value: f64) -> String {
    match value {
        it if it >= 100.0 => format!("{it:.0}"),
        it if it >= 10.0 => format!("{it:.1}"),
        it => format!("{it:.2}"),
    }
}

/// Those that any of these workloads has a value of, in the order of the columns.
pub(crate) fn subjects(values: &Values, workloads: &[&str]) -> Vec<&'static str> {
    let any =
        |it: &&str| values.keys().any(|(workload, subject)| subject == it && workloads.contains(workload));
    Subject::ALL.map(Subject::name).into_iter().filter(any).collect()
}

/// What it was measured on.
pub(crate) fn machine() -> Vec<(&'static str, String)> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find(|it| it.starts_with("model name")).and_then(|it| it.split(": ").nth(1));
    let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let versions = Subject::ALL.into_iter().filter(|it| it.is_there()).filter_map(Subject::version);
    vec![
        ("CPU", format!("{cpus} × {}", model.unwrap_or("unknown"))),
        ("Kernel", read("/proc/sys/kernel/osrelease").trim().to_owned()),
        ("Peers", versions.collect::<Vec<_>>().join("; ")),
        // Well above one means that others were at work, and that only counts are to be trusted.
        (
            "Load average, of 1, 5 and 15 minutes",
            read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(", "),
        ),
        ("Lower file system", "ext4 on a loop device in memory".to_owned()),
    ]
}

pub(crate) fn write(plan: &Plan, measured: &Measured) {
    let tables = markdown(plan, measured);
    std::fs::write(plan.out.join("result.json"), serde_json::to_vec_pretty(&json(measured)).unwrap())
        .unwrap();
    std::fs::write(plan.out.join("table.md"), &tables).unwrap();
    std::fs::write(plan.out.join("report.html"), html::page(measured)).unwrap();
    eprintln!("bench: wrote {}", plan.out.join("report.html").display());
    if let Some(path) = &plan.write {
        let text = std::fs::read_to_string(path).unwrap();
        let (head, rest) = text.split_once(BEGIN).unwrap_or_else(|| panic!("{path:?} has no line {BEGIN}"));
        let (_, tail) = rest.split_once(END).unwrap_or_else(|| panic!("{path:?} has no line {END}"));
        std::fs::write(path, format!("{head}{BEGIN}\n{tables}{END}{tail}")).unwrap();
    }
}

fn json(measured: &Measured) -> serde_json::Value {
    let list = |values: &Values| -> Vec<_> {
        let told = values.iter().map(|((workload, subject), values)| {
            serde_json::json!({
                "workload": workload, "subject": subject, "median": median(values), "values": values,
                "spread_percent": spread(values),
            })
        });
        told.collect()
    };
    let mut values = list(&measured.values);
    for value in &mut values {
        let of = |key: &str| value[key].as_str().unwrap_or_default();
        let ratio = measured.ratio(of("workload"), of("subject"), "native");
        value["of_native"] = ratio.into();
    }
    let aims: Vec<_> = judge(measured)
        .into_iter()
        .map(|it| {
            serde_json::json!({
                "aim": it.what, "value": it.value, "goal": it.goal, "verdict": it.verdict.name(),
            })
        })
        .collect();
    serde_json::json!({
        "machine": machine().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "values": values, "p50_micros": list(&measured.middles), "p99_micros": list(&measured.tails), "daemon_cpu": list(&measured.cpu), "aims": aims,
        "requests": measured.requests, "not_there": measured.missing, "failed": measured.failed,
    })
}

fn markdown(plan: &Plan, measured: &Measured) -> String {
    let mut out = String::new();
    let how = if plan.quick { "`tests/bench/run --quick`" } else { "`tests/bench/run`" };
    // A run that was stopped has fewer than were planned.
    let most = |values: &Values, of: &str| {
        let of = values.iter().filter(|((workload, _), _)| workload.contains(of));
        of.map(|(_, values)| values.len()).max().unwrap_or(0)
    };
    let planned = [("", plan.rounds()), ("5,787", plan.slow_rounds()), ("MiB/s", plan.slowest_rounds())];
    let [rounds, slow, data] = planned.map(|(of, planned)| most(&measured.values, of).min(planned));
    let _ = writeln!(
        out,
        "\nMeasured by {how}: {rounds} rounds, {slow} of what is not pinned and of load, {data} of data and large listings.\n"
    );
    for (what, value) in machine() {
        let _ = writeln!(out, "* {what}: {value}");
    }
    if !measured.missing.is_empty() {
        let _ = writeln!(out, "* Not there: {}", measured.missing.join(", "));
    }
    let failed: Vec<_> = measured.failed.iter().map(|(subject, what)| format!("{subject}: {what}")).collect();
    if !failed.is_empty() {
        let _ = writeln!(out, "* Cannot do: {}", failed.join("; "));
    }
    out.push_str("\n| Aim | Measured | To be | |\n|---|---|---|---|\n");
    for aim in judge(measured) {
        let _ =
            writeln!(out, "| {} | {} | {} | {} |", aim.what, number(aim.value), aim.goal, aim.verdict.name());
    }
    out.push_str("\nMedians; in brackets the speed by that of native; ± is half the range.\n");
    for group in &GROUPS {
        table(&mut out, &format!("### {}", group.name), &measured.values, group.workloads, |key, values| {
            let ratio = Some(()).filter(|()| key.1 != "native" && is_compared(key.0));
            let ratio = ratio.and_then(|()| measured.ratio(key.0, key.1, "native"));
            let ratio = ratio.map(|it| format!(" ({it:.2})")).unwrap_or_default();
            let spread = Some(spread(values)).filter(|_| values.len() > 1);
            let spread = spread.map(|it| format!(" ±{it:.0} %")).unwrap_or_default();
            format!("{}{ratio}{spread}", number(median(values)))
        });
    }
    let all: Vec<&str> = GROUPS.iter().flat_map(|group| group.workloads).copied().collect();
    let middle = "### Half of the operations take no longer than (µs); in brackets native's by that";
    table(&mut out, middle, &measured.middles, &all, |(workload, subject), it| {
        let native = measured.middles.get(&(workload, "native")).filter(|_| subject != "native");
        let ratio = native.map(|native| format!(" ({:.2})", median(native) / median(it)));
        format!("{}{}", number(median(it)), ratio.unwrap_or_default())
    });
    table(&mut out, "### The slowest of a hundred (µs)", &measured.tails, &all, |_, it| number(median(it)));
    let cpu = "### CPU time of the daemon (µs for an operation, an entry or a MiB; ms for a tree)";
    table(&mut out, cpu, &measured.cpu, &all, |_, it| number(median(it)));
    out.push_str("\n### Requests for one operation (mediagate)\n\n| | |\n|---|---|\n");
    for workload in all {
        let Some(kinds) = measured.requests.get(workload) else { continue };
        let kinds: Vec<_> =
            kinds.iter().map(|(kind, count)| format!("{} {count}", kind.to_uppercase())).collect();
        let none = "none".to_owned();
        let _ = writeln!(out, "| {workload} | {} |", if kinds.is_empty() { none } else { kinds.join(", ") });
    }
    out.push('\n');
    out
}

/// Nothing at all if none of the workloads was measured.
fn table(
    out: &mut String,
    title: &str,
    values: &Values,
    workloads: &[&'static str],
    cell: impl Fn((&'static str, &'static str), &[f64]) -> String,
) {
    let subjects = subjects(values, workloads);
    if subjects.is_empty() {
        return;
    }
    let line = "---|".repeat(subjects.len());
    let _ = writeln!(out, "\n{title}\n\n| | {} |\n|---|{line}", subjects.join(" | "));
    for workload in workloads {
        let cells: Vec<_> = subjects
            .iter()
            .map(|subject| values.get(&(*workload, *subject)).map(|it| cell((workload, subject), it)))
            .collect();
        if cells.iter().any(Option::is_some) {
            let cells: Vec<_> = cells.into_iter().map(|it| it.unwrap_or_else(|| "–".to_owned())).collect();
            let _ = writeln!(out, "| {workload} | {} |", cells.join(" | "));
        }
    }
}
