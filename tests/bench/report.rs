//! JSON, a Markdown table, and one HTML page with plots that needs nothing else.

use std::fmt::Write as _;

use crate::Plan;
use crate::aims::{AIMS, Against};
use crate::subject::Subject;
use crate::work::Measured;

const BEGIN: &str = "<!-- bench: begin -->";
const END: &str = "<!-- bench: end -->";

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// Half of the distance of the farthest values, in per cent of the median.
fn spread(values: &[f64]) -> f64 {
    let (least, most) = values.iter().fold((f64::MAX, f64::MIN), |(a, b), it| (a.min(*it), b.max(*it)));
    50.0 * (most - least) / median(values)
}

/// More of it is better.
fn is_rate(workload: &str) -> bool {
    workload.contains("MiB/s") || workload.contains("times as many")
}

fn number(value: f64) -> String {
    match value {
        it if it >= 100.0 => format!("{it:.0}"),
        it if it >= 10.0 => format!("{it:.1}"),
        it => format!("{it:.2}"),
    }
}

impl Measured {
    fn of(&self, workload: &str, subject: &str) -> Option<f64> {
        Some(median(self.values.get(&(workload.to_owned(), subject.to_owned()))?))
    }

    /// Speed by another's speed.
    fn ratio(&self, workload: &str, subject: &str, other: &str) -> Option<f64> {
        let (own, other) = (self.of(workload, subject)?, self.of(workload, other)?);
        Some(if is_rate(workload) { own / other } else { other / own })
    }

    fn workloads(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.values.keys().map(|(workload, _)| workload.as_str()).collect();
        all.dedup();
        all
    }

    fn subjects(&self) -> Vec<&'static str> {
        let any = |it: &&str| self.values.keys().any(|(_, subject)| subject == it);
        Subject::ALL.map(Subject::name).into_iter().filter(any).collect()
    }
}

/// What it was measured on.
fn machine() -> Vec<(&'static str, String)> {
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
    std::fs::write(plan.out.join("report.html"), html(measured)).unwrap();
    eprintln!("bench: wrote {}", plan.out.join("report.html").display());
    if let Some(path) = &plan.write {
        let text = std::fs::read_to_string(path).unwrap();
        let (head, rest) = text.split_once(BEGIN).unwrap_or_else(|| panic!("{path:?} has no line {BEGIN}"));
        let (_, tail) = rest.split_once(END).unwrap_or_else(|| panic!("{path:?} has no line {END}"));
        std::fs::write(path, format!("{head}{BEGIN}\n{tables}{END}{tail}")).unwrap();
    }
}

fn json(measured: &Measured) -> serde_json::Value {
    let values: Vec<_> = measured
        .values
        .iter()
        .map(|((workload, subject), values)| {
            serde_json::json!({
                "workload": workload, "subject": subject, "median": median(values), "values": values,
                "spread_percent": spread(values), "of_native": measured.ratio(workload, subject, "native"),
            })
        })
        .collect();
    serde_json::json!({
        "machine": machine().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "values": values, "requests": measured.requests, "not_there": measured.missing,
    })
}

/// Values that lie farther apart than this, in per cent, say nothing about a ratio of theirs.
const TRUSTED: f64 = 15.0;

/// Aim, value, goal, and what to say of it; aims that were not measured are left out. One round has no spread, so nothing
/// is said of it.
fn aims(measured: &Measured) -> Vec<(String, f64, f64, &'static str)> {
    let trusted = |workload: &str, subject: &str| {
        let values = measured.values.get(&(workload.to_owned(), subject.to_owned()));
        values.is_some_and(|values| values.len() > 1 && spread(values) <= TRUSTED)
    };
    let value = |aim: &crate::aims::Aim| {
        let (value, what, sure) = match aim.against {
            Against::Subject(other) => (
                measured.ratio(aim.workload, "mediagate", other)?,
                format!("{}, of {other}", aim.workload),
                trusted(aim.workload, other),
            ),
            Against::Nothing => (measured.of(aim.workload, "mediagate")?, aim.workload.to_owned(), true),
        };
        let verdict = match (sure && trusted(aim.workload, "mediagate"), value >= aim.goal) {
            (false, _) => "too uncertain",
            (true, true) => "reached",
            (true, false) => "missed",
        };
        Some((what, value, aim.goal, verdict))
    };
    AIMS.iter().filter_map(value).collect()
}

fn markdown(plan: &Plan, measured: &Measured) -> String {
    let mut out = String::new();
    let how = if plan.quick { "`tests/bench/run --quick`" } else { "`tests/bench/run`" };
    // A run that was stopped has fewer than were planned, and trees have fewer than single operations.
    let rounds = measured.values.values().map(Vec::len).max().unwrap_or(0);
    let _ = writeln!(out, "\nMeasured by {how}, {rounds} rounds.\n");
    for (what, value) in machine() {
        let _ = writeln!(out, "* {what}: {value}");
    }
    if !measured.missing.is_empty() {
        let _ = writeln!(out, "* Not there: {}", measured.missing.join(", "));
    }
    out.push_str("\n| Aim | Measured | At least | |\n|---|---|---|---|\n");
    for (what, value, goal, verdict) in aims(measured) {
        let _ = writeln!(out, "| {what} | {value:.2} | {goal} | {verdict} |");
    }
    let subjects = measured.subjects();
    let _ = writeln!(out, "\nMedian, in brackets the speed by that of native; ± is half the range.\n");
    let _ = writeln!(out, "| | {} |\n|---|{}", subjects.join(" | "), "---|".repeat(subjects.len()));
    for workload in measured.workloads() {
        let cells = subjects.iter().map(|subject| {
            let values = measured.values.get(&(workload.to_owned(), (*subject).to_owned()));
            values.map_or("–".to_owned(), |values| {
                let ratio = measured.ratio(workload, subject, "native").filter(|_| *subject != "native");
                let ratio = ratio.map(|it| format!(" ({it:.2})")).unwrap_or_default();
                format!("{}{ratio} ±{:.0} %", number(median(values)), spread(values))
            })
        });
        let _ = writeln!(out, "| {workload} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    out.push_str("\n| Requests for one operation (mediagate) | |\n|---|---|\n");
    for (workload, kinds) in &measured.requests {
        let kinds: Vec<_> =
            kinds.iter().map(|(kind, count)| format!("{} {count}", kind.to_uppercase())).collect();
        let none = "none".to_owned();
        let _ = writeln!(out, "| {workload} | {} |", if kinds.is_empty() { none } else { kinds.join(", ") });
    }
    out.push('\n');
    out
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:3em auto;padding:0 1.5em;color:#1c2733;\
background:#fbfbf9}h1{font-weight:650}h2{margin-top:2em;font-size:17px}section{display:grid;grid-template-columns:1fr 1fr;gap:1em 2.5em}\
figure{margin:0;padding:1em;background:#fff;border:1px solid #e4e4de;border-radius:8px}figcaption{font-weight:600;margin-bottom:.4em}\
table{border-collapse:collapse}td,th{padding:.25em .8em;border-bottom:1px solid #e4e4de;text-align:left}.no{color:#b3372f;font-weight:600}\
.yes{color:#2b7a4b}svg text{font:12px system-ui,sans-serif;fill:#1c2733}@media(max-width:800px){section{grid-template-columns:1fr}}";

fn html(measured: &Measured) -> String {
    let mut out = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>mediagate: against native and peers</title>\
         <style>{STYLE}</style><h1>mediagate, against native and peers</h1><p>"
    );
    for (what, value) in machine() {
        let _ = write!(out, "{what}: {value}<br>");
    }
    out.push_str("<h2>Aims</h2><table><tr><th>Speed<th>measured<th>at least<th></tr>");
    for (what, value, goal, verdict) in aims(measured) {
        let class = match verdict {
            "reached" => "yes",
            "missed" => "no",
            _ => "unknown",
        };
        let _ = write!(out, "<tr><td>{what}<td>{value:.2}<td>{goal}<td class={class}>{verdict}</tr>");
    }
    out.push_str("</table><h2>Workloads</h2><p>Bars are medians, the thin line is the range of all rounds.</p><section>");
    for workload in measured.workloads() {
        let better = if is_rate(workload) { "longer is better" } else { "shorter is better" };
        let _ = write!(out, "<figure><figcaption>{workload} <small>({better})</small></figcaption>");
        plot(&mut out, measured, workload);
        out.push_str("</figure>");
    }
    out.push_str("</section></html>\n");
    out
}

fn plot(out: &mut String, measured: &Measured, workload: &str) {
    let rows: Vec<(&str, &Vec<f64>)> = measured
        .subjects()
        .into_iter()
        .filter_map(|it| Some((it, measured.values.get(&(workload.to_owned(), it.to_owned()))?)))
        .collect();
    let most = rows.iter().flat_map(|(_, values)| values.iter()).fold(0.0_f64, |a, b| a.max(*b));
    let scale = 190.0 / most.max(1e-9);
    let _ = write!(out, "<svg viewBox=\"0 0 460 {}\" width=\"100%\">", 22 * rows.len() + 4);
    for (at, (subject, values)) in rows.iter().enumerate() {
        let (y, middle) = (22 * at + 4, median(values));
        let (least, top) = values.iter().fold((f64::MAX, f64::MIN), |(a, b), it| (a.min(*it), b.max(*it)));
        let color = match *subject {
            "native" => "#9aa5ae",
            "mediagate" => "#1f6fb2",
            it if it.starts_with("mediagate") => "#86b6dc",
            _ => "#d9a441",
        };
        let _ = write!(
            out,
            "<text x=\"178\" y=\"{}\" text-anchor=\"end\">{subject}</text><rect x=\"186\" y=\"{y}\" width=\"{:.1}\" height=\"15\" rx=\"2\" fill=\"{color}\"/>\
             <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{mid}\" y2=\"{mid}\" stroke=\"#1c2733\"/><text x=\"{:.1}\" y=\"{}\">{}</text>",
            y + 12,
            middle * scale,
            186.0 + least * scale,
            186.0 + top * scale,
            192.0 + top * scale,
            y + 12,
            number(middle),
            mid = y + 8,
        );
    }
    out.push_str("</svg>");
}
