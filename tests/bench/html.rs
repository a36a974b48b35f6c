//! One page with plots that needs nothing else.

use std::fmt::Write as _;

use crate::aims::{Verdict, judge};
use crate::measured::{GROUPS, Group, Measured, is_rate, median};
use crate::report::{machine, number, subjects};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:3em auto;padding:0 1.5em;color:#1c2733;\
background:#fbfbf9}h1{font-weight:650}h2{margin-top:2em;font-size:17px}section{display:grid;grid-template-columns:1fr 1fr;gap:1em 2.5em}\
figure{margin:0;padding:1em;background:#fff;border:1px solid #e4e4de;border-radius:8px}figcaption{font-weight:600;margin-bottom:.4em}\
table{border-collapse:collapse}td,th{padding:.25em .8em;border-bottom:1px solid #e4e4de;text-align:left}.no{color:#b3372f;font-weight:600}\
.yes{color:#2b7a4b}svg text{font:12px system-ui,sans-serif;fill:#1c2733}@media(max-width:800px){section{grid-template-columns:1fr}}";

pub(crate) fn page(measured: &Measured) -> String {
    let mut out = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>mediagate: against native and peers</title>\
         <style>{STYLE}</style><h1>mediagate, against native and peers</h1><p>"
    );
    for (what, value) in machine() {
        let _ = write!(out, "{what}: {value}<br>");
    }
    out.push_str("<h2>Aims</h2><table><tr><th>Speed<th>measured<th>to be<th></tr>");
    for aim in judge(measured) {
        let class = match aim.verdict {
            Verdict::Reached => "yes",
            Verdict::Missed => "no",
            Verdict::Uncertain => "unknown",
        };
        let (what, value, goal, verdict) = (aim.what, number(aim.value), aim.goal, aim.verdict.name());
        let _ = write!(out, "<tr><td>{what}<td>{value}<td>{goal}<td class={class}>{verdict}</tr>");
    }
    out.push_str("</table><p>Bars are medians, the thin line is the range of all rounds.");
    for group in &GROUPS {
        figures(&mut out, measured, group);
    }
    out.push_str("</html>\n");
    out
}

fn figures(out: &mut String, measured: &Measured, group: &Group) {
    if subjects(&measured.values, group.workloads).is_empty() {
        return;
    }
    let _ = write!(out, "<h2>{}</h2><section>", group.name);
    for workload in group.workloads {
        let subjects = subjects(&measured.values, &[workload]);
        if subjects.is_empty() {
            continue;
        }
        let better = if is_rate(workload) { "longer is better" } else { "shorter is better" };
        let _ = write!(out, "<figure><figcaption>{workload} <small>({better})</small></figcaption>");
        plot(out, measured, workload, &subjects);
        out.push_str("</figure>");
    }
    out.push_str("</section>");
}

fn plot(out: &mut String, measured: &Measured, workload: &str, subjects: &[&'static str]) {
    let rows: Vec<(&str, &[f64])> =
        subjects.iter().filter_map(|it| Some((*it, measured.of(workload, it)?))).collect();
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
