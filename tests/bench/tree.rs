//! What programs do to trees, wherever the scheduler puts them.

use std::time::Instant;

use crate::Plan;
use crate::measured::Measured;
use crate::single::since;
use crate::subject::{Place, Subject};
use crate::work::{ANYWHERE, as_app};

const SCRIPTS: [(&str, &str); 5] = [
    ("find, fresh mount (ms)", "find tree -size +1G"),
    ("grep -r (ms)", "grep -r zzz tree || test $? = 1"),
    // GNU tar does not read what it would write to /dev/null.
    ("tar c (ms)", "tar cf - tree | cat >/dev/null"),
    ("cp -r of 5,787 files (ms)", "cp -r tree copy"),
    ("rm -r of 5,787 files (ms)", "rm -r copy"),
];

pub(crate) fn measure(plan: &Plan, place: &Place, subject: Subject, measured: &mut Measured) {
    // The copy is made where its maker may make things, and taken away again.
    let copies = |name: &str| name.contains("of 5,787 files");
    let wants_copies = SCRIPTS.iter().any(|(name, _)| copies(name) && plan.wants(name));
    let wanted = |name: &str| plan.wants(name) || copies(name) && wants_copies;
    if !SCRIPTS.iter().any(|(name, _)| wanted(name)) {
        return;
    }
    let running = subject.start(plan, place, false);
    for (name, script) in SCRIPTS.iter().filter(|(name, _)| wanted(name)) {
        let cpu = running.cpu();
        let begin = Instant::now();
        let script = format!("cd {:?} && {{ {script}; }}", running.dir);
        if as_app(&running, ANYWHERE, "bash", &["-o", "pipefail", "-c", &script]).is_none() {
            measured.fail(name, subject);
            let _ = std::fs::remove_dir_all(place.dir().join("copy"));
            continue;
        }
        measured.note(name, subject, begin.elapsed().as_secs_f64() * 1e3);
        measured.spent(name, subject, since(&running, cpu).map(|it| it * 1e3));
    }
}
