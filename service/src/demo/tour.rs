//! The steps of the tour. Each does something as an app, prints what came of it, and checks it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use super::DemoError;
use super::actor::{Action, Answer, act};
use super::print::{Printer, size};
use super::samples::Sample;
use super::signals::Signals;
use super::world::{
    self, APPS, App, CAMERA, FILES, GALLERY, INVOICE, ITEMS, MESSENGER, MUSIC, PICTURE, RECORDING,
    RECORDING_COPY, SECOND_PICTURE, World,
};
use crate::control::{Control, ExplainRequest, VolumeStatus};
use crate::observe::Counter;

const IMAGES: &str = "READ_MEDIA_IMAGES";
const LOCATION: &str = "ACCESS_MEDIA_LOCATION";

/// What kept an open from being handed to the kernel although the volume could: the machine, not a mistake.
const MACHINE_REASONS: [(Counter, &str); 3] = [
    (
        Counter::DaemonStacking,
        "the demo's directory lies on file systems that are stacked too deep for the kernel (an overlay on an \
         overlay, say); name a directory on a disk with --dir",
    ),
    (
        Counter::DaemonNotPermitted,
        "registering a file with the kernel was not permitted; it needs CAP_SYS_ADMIN in the first user namespace",
    ),
    (Counter::DaemonNoResources, "the kernel had no memory or descriptors left for registered files"),
];

type Step<'a> = fn(&mut Tour<'a>) -> Result<(), DemoError>;

/// One tour.
pub(super) struct Tour<'a> {
    pub(super) world: &'a World,
    pub(super) control: Arc<dyn Control>,
    pub(super) signals: &'a Signals,
    pub(super) out: &'a mut Printer,
    pub(super) size_mib: u64,
    pub(super) once: bool,
}

impl<'a> Tour<'a> {
    /// Takes the tour; true when all of it went as promised.
    pub(super) fn take(mut self) -> Result<bool, DemoError> {
        let steps: [(&str, Step<'a>); 9] = [
            ("A volume is mounted", Tour::volume),
            ("Apps and what they may do", Tour::apps),
            ("Each app makes files; every file belongs to the app that made it", Tour::files),
            ("Who sees what: each app lists the directories", Tour::listings),
            ("Opening files: allowed, refused, and why", Tour::opens),
            ("A permission is taken away and given back while everything runs", Tour::revoke),
            ("A large video: its bytes do not pass through the service", Tour::recording),
            ("Where a photo was taken is not everybody's business", Tour::location),
            ("Seeing a file is not owning it", Tour::deletion),
        ];
        for (title, step) in steps {
            if self.signals.arrived() {
                return Err(DemoError::Interrupted);
            }
            self.out.heading(title);
            step(&mut self)?;
        }
        let kept = self.out.all_kept();
        self.onward(kept);
        Ok(kept)
    }

    fn volume(&mut self) -> Result<(), DemoError> {
        let mounted = self.world.is_mounted();
        let volume = self.status();
        self.out.check("the volume is mounted", mounted && volume.is_some(), "no mount");
        let Some(volume) = volume else { return Ok(()) };
        let rows = [
            ("name", volume.name.clone()),
            ("apps use", volume.mount.clone()),
            ("files are in", volume.lower.clone()),
            ("passthrough", volume.passthrough.clone()),
        ];
        self.out.table(&["what", "value"], &rows.map(|(name, value)| vec![name.to_owned(), value]));
        self.out.paragraph(if passes_through(&volume) {
            "Passthrough is on: once the service has approved an open, the kernel reads and writes the file below \
             by itself. Step 7 proves it."
        } else {
            "Passthrough is off, so every read and write goes through the service. All rules are the same; it is \
             slower."
        });
        Ok(())
    }

    fn apps(&mut self) -> Result<(), DemoError> {
        world::show_apps(self.out);
        let known = self.control.packages();
        let strangers: Vec<_> = APPS
            .iter()
            .filter(|app| !known.iter().any(|it| it.package.name == app.package && it.uids == [app.uid]))
            .map(|app| app.label)
            .collect();
        self.out.check("the service knows each app by its uid", strangers.is_empty(), &strangers.join(", "));
        Ok(())
    }

    fn files(&mut self) -> Result<(), DemoError> {
        let (mut rows, mut refused) = (Vec::new(), Vec::new());
        for item in &ITEMS {
            let path = self.world.path(item.path);
            let made = act(item.owner.uid, &Action::Make { path, sample: item.sample })?;
            if !made.is_ok() {
                refused.push(format!("{} {}", item.path, made.errno));
            }
            let what = item.sample.describe();
            rows.push(vec![item.path.into(), item.owner.label.into(), what.into(), size(made.bytes)]);
        }
        self.out.table(&["file", "app", "what it is", "size"], &rows);
        self.out.check(
            "all of them could be made, by processes with the apps' uids",
            refused.is_empty(),
            &refused.join(", "),
        );
        Ok(())
    }

    fn listings(&mut self) -> Result<(), DemoError> {
        let mut listed: BTreeMap<(&str, u32), Answer> = BTreeMap::new();
        let mut surprises = Vec::new();
        let mut rows = Vec::new();
        for item in &ITEMS {
            let (dir, name) = item.place();
            let mut row = vec![item.path.to_owned()];
            for app in APPS {
                let listing = match listed.entry((dir, app.uid)) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        new.insert(act(app.uid, &Action::List { path: self.world.path(dir) })?)
                    }
                };
                let seen = listing.names.iter().any(|it| it == name);
                row.push(match (listing.is_ok(), seen, item.owner.uid == app.uid) {
                    (false, ..) => listing.errno.clone(),
                    (_, true, true) => "owns".to_owned(),
                    (_, true, false) => "sees".to_owned(),
                    (_, false, _) => "-".to_owned(),
                });
                if !listing.is_ok() || seen != item.is_seen_by(app) {
                    surprises.push(format!("{} for {}", item.path, app.label));
                }
            }
            rows.push(row);
        }
        let head: Vec<_> = ["file"].into_iter().chain(APPS.iter().map(|app| app.label)).collect();
        self.out.table(&head, &rows);
        self.out.check(
            "every app sees its own files, and others' only where a permission says so",
            surprises.is_empty(),
            &surprises.join(", "),
        );
        Ok(())
    }

    fn opens(&mut self) -> Result<(), DemoError> {
        self.attempt(&GALLERY, Deed::Open, PICTURE, "ok")?;
        self.attempt(&MESSENGER, Deed::Open, PICTURE, "EACCES")?;
        self.attempt(&GALLERY, Deed::Open, INVOICE, "EACCES")?;
        self.attempt(&FILES, Deed::Open, INVOICE, "ok")?;
        Ok(())
    }

    fn revoke(&mut self) -> Result<(), DemoError> {
        self.out.paragraph(&format!("{IMAGES} is taken away from {}:", GALLERY.package));
        self.control.set_permission(GALLERY.package, IMAGES, false)?;
        self.attempt(&GALLERY, Deed::Open, PICTURE, "EACCES")?;
        self.attempt(&GALLERY, Deed::Open, "DCIM/Camera/VID_0001.mp4", "ok")?;
        self.out.paragraph("It is given back:");
        self.control.set_permission(GALLERY.package, IMAGES, true)?;
        self.attempt(&GALLERY, Deed::Open, PICTURE, "ok")?;
        Ok(())
    }

    fn recording(&mut self) -> Result<(), DemoError> {
        let bytes = self.size_mib << 20;
        let lower = self.world.lower();
        #[allow(clippy::unnecessary_cast, reason = "both numbers are narrower on some targets")]
        let free = nix::sys::statvfs::statvfs(&lower)
            .map(|fs| fs.blocks_available() as u64 * fs.fragment_size() as u64);
        if let Ok(free) = free
            && free < 2 * bytes + (64 << 20)
        {
            let why = format!("two videos of {} do not fit, only {} are free", size(bytes), size(free));
            self.out.not_shown("the large video", &format!("{why}; choose --dir or a smaller --size-mib"));
            return Ok(());
        }
        let before = self.stats();
        let (original, copy) = (self.world.path(RECORDING), self.world.path(RECORDING_COPY));
        let sample = Sample::Video { bytes };
        let made = act(CAMERA.uid, &Action::Make { path: original.clone(), sample })?;
        let copied = act(GALLERY.uid, &Action::Copy { path: original, to: copy.clone() })?;
        let read = act(FILES.uid, &Action::Read { path: copy })?;
        let after = self.stats();
        let grown = |counter: Counter| {
            let of = |stats: &BTreeMap<String, i64>| stats.get(counter.name()).copied().unwrap_or(0);
            of(&after) - of(&before)
        };

        let row = |app: &App, what: String, answer: &Answer| {
            let speed = answer.bytes as f64 / 1e6 / answer.seconds.max(1e-6);
            vec![
                app.label.into(),
                what,
                answer.outcome().into(),
                format!("{:.2} s", answer.seconds),
                format!("{speed:.0} MB/s"),
            ]
        };
        self.out.table(
            &["app", "what it does", "outcome", "time", "speed"],
            &[
                row(&CAMERA, format!("records {RECORDING} ({})", size(bytes)), &made),
                row(&GALLERY, format!("copies it to {RECORDING_COPY}"), &copied),
                row(&FILES, "reads the copy".into(), &read),
            ],
        );
        self.out.paragraph("The camera's time includes making the pictures. Reads come from the page cache.");
        self.out.number("copy_seconds", copied.seconds);
        self.out.number("read_seconds", read.seconds);
        let all = [&made, &copied, &read].iter().all(|it| it.is_ok() && it.bytes == bytes);
        self.out.check("all three handled every byte", all, &format!("{} bytes read", read.bytes));
        let same = all && !read.sha256.is_empty() && copied.sha256 == read.sha256;
        self.out.check(
            "the copy has the SHA-256 of the original",
            same,
            &format!("{} and {}", copied.sha256, read.sha256),
        );

        let opens = grown(Counter::Open) + grown(Counter::Create);
        let counted = [
            ("files opened or created", opens),
            ("  of these handed to the kernel", grown(Counter::OpenPassthrough)),
            ("reads", grown(Counter::Read)),
            ("writes", grown(Counter::Write)),
            ("copies (copy_file_range)", grown(Counter::CopyFileRange)),
            ("bytes read and written", grown(Counter::BytesRead) + grown(Counter::BytesWritten)),
        ];
        self.out.table(
            &["what reached the service meanwhile", "how often"],
            &counted.map(|(name, value)| vec![name.to_owned(), value.to_string()]),
        );
        for counter in [Counter::Read, Counter::Write, Counter::CopyFileRange, Counter::OpenPassthrough] {
            self.out.number(counter.name(), grown(counter) as f64);
        }

        let refused = MACHINE_REASONS.iter().find(|(cause, _)| grown(*cause) > 0);
        let off = self.status().filter(|volume| !passes_through(volume));
        let why_not = match (refused, off) {
            (Some((_, why)), _) => Some((*why).to_owned()),
            (None, Some(volume)) => Some(format!("passthrough is {}", volume.passthrough)),
            (None, None) => None,
        };
        if let Some(why) = why_not {
            self.out.not_shown("bytes that do not pass through the service", &why);
            return Ok(());
        }
        let requests = grown(Counter::Read) + grown(Counter::Write) + grown(Counter::CopyFileRange);
        self.out.check(
            "not one read or write came to the service",
            requests == 0,
            &format!("{requests} requests"),
        );
        let handed = grown(Counter::OpenPassthrough);
        self.out.check("all four opens were handed to the kernel", handed >= 4, &format!("{handed}"));
        Ok(())
    }

    fn location(&mut self) -> Result<(), DemoError> {
        self.out.paragraph(&format!(
            "{PICTURE} says where it was taken. To the camera, whose picture it is; to the gallery, which may see \
             pictures, but lacks {LOCATION}; to the gallery once it has that:"
        ));
        let read = Action::Read { path: self.world.path(PICTURE) };
        let camera = act(CAMERA.uid, &read)?;
        let without = act(GALLERY.uid, &read)?;
        self.control.set_permission(GALLERY.package, LOCATION, true)?;
        let with = act(GALLERY.uid, &read)?;
        self.control.set_permission(GALLERY.package, LOCATION, false)?;
        let row = |app: &str, answer: &Answer| {
            let digest = answer.sha256.get(..16).unwrap_or_default().to_owned();
            vec![app.to_owned(), answer.outcome().to_owned(), size(answer.bytes), digest]
        };
        self.out.table(
            &["app", "outcome", "size", "SHA-256 begins with"],
            &[row("camera", &camera), row("gallery", &without), row("gallery, permitted", &with)],
        );
        let all = [&camera, &without, &with].iter().all(|it| it.is_ok() && it.bytes == camera.bytes);
        let hidden = all && without.sha256 != camera.sha256;
        self.out.check(
            "without the permission the gallery reads other bytes, as many of them",
            hidden,
            "not so",
        );
        let shown = all && with.sha256 == camera.sha256;
        self.out.check("with it the gallery reads what the camera reads", shown, "not so");
        Ok(())
    }

    fn deletion(&mut self) -> Result<(), DemoError> {
        self.out.paragraph(
            "Deleting a file of another app fails as it does on Android: as if there were no such file.",
        );
        self.attempt(&GALLERY, Deed::Delete, SECOND_PICTURE, "ENOENT")?;
        self.attempt(&CAMERA, Deed::Open, SECOND_PICTURE, "ok")?;
        self.attempt(&CAMERA, Deed::Delete, SECOND_PICTURE, "ok")?;
        let listing = act(CAMERA.uid, &Action::List { path: self.world.path("DCIM/Camera") })?;
        let gone =
            listing.is_ok() && !listing.names.iter().any(|name| SECOND_PICTURE.ends_with(name.as_str()));
        self.out.check("then it is gone", gone, listing.outcome());
        Ok(())
    }

    /// Says how it went, and what to try next.
    fn onward(&mut self, kept: bool) {
        self.out.section(if kept {
            "Everything that was shown went as promised."
        } else {
            "Some of it did not go as promised: see the lines marked NO."
        });
        if self.once {
            self.out.paragraph("Without --once the volume stays mounted, to be tried from another terminal.");
            return;
        }
        let program = std::env::current_exe().map_or("mediagate".into(), |path| path.display().to_string());
        let directory = self.world.path("DCIM/Camera").display().to_string();
        self.out.paragraph("To try things yourself, in another terminal, as root:");
        self.out.command(&format!("export MEDIAGATE_URI={}", self.world.address()));
        for rest in [
            "package list".to_owned(),
            format!("run-as {} -- ls -l {directory}", MESSENGER.package),
            format!("permission grant {} {IMAGES}", MESSENGER.package),
            format!("run-as {} -- ls -l {directory}", MESSENGER.package),
            format!("explain --package {} read {}", MUSIC.package, self.world.path(PICTURE).display()),
            "stats".to_owned(),
        ] {
            self.out.command(&format!("{program} {rest}"));
        }
    }

    /// Has an app try something, and compares what happened with what should, and with what `explain` says.
    fn attempt(&mut self, app: &App, deed: Deed, below: &str, expected: &str) -> Result<(), DemoError> {
        let path = self.world.path(below);
        // Asked first: after a deletion there is nothing left to ask about.
        let explained = self.control.explain(&ExplainRequest {
            uid: app.uid,
            operation: deed.operation().to_owned(),
            path: path.as_os_str().as_bytes().to_vec(),
            to: None,
        })?;
        let answer = act(app.uid, &deed.action(path))?;
        let promised = if explained.allowed { "ok" } else { explained.errno.as_str() };
        let outcome =
            if expected == "ok" { "allowed".to_owned() } else { format!("refused with {expected}") };
        self.out.check(
            &format!("{} {} {below}: {outcome}", app.label, deed.verb()),
            answer.outcome() == expected && promised == expected,
            &format!("{}, where explain says {promised}", answer.outcome()),
        );
        self.out.aside(&format!("why: {} [{}]", explained.because, explained.rule));
        Ok(())
    }

    fn status(&self) -> Option<VolumeStatus> {
        let mount = self.world.mount();
        self.control.volumes().into_iter().find(|volume| mount.as_os_str() == volume.mount.as_str())
    }

    fn stats(&self) -> BTreeMap<String, i64> {
        self.control.stats().into_iter().map(|stat| (stat.name, stat.value)).collect()
    }
}

/// Something that [`Tour::attempt`] tries.
#[derive(Clone, Copy)]
enum Deed {
    Open,
    Delete,
}

impl Deed {
    const fn verb(self) -> &'static str {
        match self {
            Deed::Open => "opens",
            Deed::Delete => "deletes",
        }
    }

    /// As `explain` calls it.
    const fn operation(self) -> &'static str {
        match self {
            Deed::Open => "read",
            Deed::Delete => "delete",
        }
    }

    fn action(self, path: std::path::PathBuf) -> Action {
        match self {
            Deed::Open => Action::Read { path },
            Deed::Delete => Action::Delete { path },
        }
    }
}

fn passes_through(volume: &VolumeStatus) -> bool {
    !volume.passthrough.starts_with("off")
}
