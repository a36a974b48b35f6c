//! What the service remembers never shows: whatever was decided before and however things changed since, a mount whose
//! kernel keeps everything, and `explain`, say what the policy says of the facts as they are, worked out from nothing.

use std::collections::BTreeMap;

use mediagate::config::PackageConfig;
use mediagate::control::ExplainRequest;
use mediagate_policy::{
    AppOps, FileGrants, Kind, NameState, Object, Operation, PackageFacts, Principal, Row, Uid, UserId,
    VolumeKind, decide, media_type_at, name_state,
};
use mediagate_tests::{Actor, Errno, World};

use super::{APP, CAMERA, OTHER, Running, packages};

const STEPS: usize = 700;
const APPS: [(&str, u32); 2] = [(APP, 10_102), (OTHER, 10_103)];
const PERMISSIONS: [&str; 6] = [
    "READ_MEDIA_IMAGES",
    "READ_MEDIA_VIDEO",
    "READ_MEDIA_AUDIO",
    "READ_MEDIA_VISUAL_USER_SELECTED",
    "ACCESS_MEDIA_LOCATION",
    "ACCESS_MTP",
];
const OPS: [&str; 4] =
    ["MANAGE_EXTERNAL_STORAGE", "WRITE_MEDIA_IMAGES", "LEGACY_STORAGE", "READ_MEDIA_IMAGES"];
const MODES: [&str; 4] = ["default", "allow", "ignore", "default"];
/// A `.nomedia` comes and goes in here.
const ALBUM: &str = "Pictures/album";
const NAMES: [&str; 10] = [
    "DCIM/a.jpg",
    "DCIM/b.mp4",
    "DCIM/.pending-1999999999-c.jpg",
    "DCIM/.trashed-1999999999-d.mp4",
    "Download/e.pdf",
    "Pictures/.f.jpg",
    "Pictures/album/g.jpg",
    "Music/h.mp3",
    "Music/folder.jpg",
    "Movies/i.srt",
];

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// The facts as they are, kept by the test.
struct Facts {
    packages: BTreeMap<&'static str, Option<PackageConfig>>,
    /// Which names have a file.
    files: Vec<&'static str>,
    /// What an app holds on the file of a name.
    grants: BTreeMap<(&'static str, &'static str), FileGrants>,
    nomedia: bool,
}

impl Facts {
    fn principal(&self, (name, uid): (&'static str, u32)) -> Principal {
        let facts = self.packages[name].as_ref().map(|package| {
            let mut app_ops = AppOps::default();
            for (op, mode) in &package.app_ops {
                app_ops.set(op.parse().unwrap(), mode.parse().unwrap());
            }
            PackageFacts {
                name: name.into(),
                target_sdk: package.target_sdk,
                permissions: package.permissions.iter().map(|it| it.parse().unwrap()).collect(),
                app_ops,
                requests_legacy_storage: false,
                requests_raw_access: None,
                scoped_storage: None,
                instant: package.instant,
            }
        });
        Principal::new(Uid(uid), facts.as_slice())
    }

    fn decide(&self, app: (&'static str, u32), name: &'static str, op: Operation<'_>) -> String {
        let state = name_state(name.as_bytes());
        let row = Row {
            owner: Some(CAMERA),
            media_type: media_type_at(name.as_bytes(), self.nomedia && name.starts_with(ALBUM)),
            pending: state == NameState::Pending,
            trashed: state == NameState::Trashed,
            grants: self.grants.get(&(app.0, name)).copied().unwrap_or_default(),
        };
        let object = Object {
            volume: VolumeKind::Emulated,
            user: Some(UserId(0)),
            path: name.as_bytes(),
            mount_root: false,
            kind: Kind::File,
            row: Some(row),
        };
        decide(&self.principal(app), &object, op).grant().err().map_or("allowed", |it| it.name()).to_owned()
    }
}

struct Play {
    running: Running,
    random: Random,
    facts: Facts,
    camera: Actor,
    root: Actor,
    apps: Vec<Actor>,
    history: Vec<String>,
}

impl Play {
    fn new(seed: u64) -> Play {
        let running = Running::start(World::new(&packages()));
        let known = packages().into_iter().map(|it| it.0).collect::<Vec<_>>();
        let find = |name: &str| known.iter().find(|it| it.name == name).cloned();
        let facts = Facts {
            packages: APPS.iter().map(|(name, _)| (*name, find(name))).collect(),
            files: Vec::new(),
            grants: BTreeMap::new(),
            nomedia: false,
        };
        let (camera, mut root) = (Actor::start(10_101), Actor::start(0));
        std::fs::create_dir_all(running.world.lower(format!("Android/media/{CAMERA}"))).unwrap();
        root.mkdir(running.world.shared(ALBUM)).unwrap();
        let apps = APPS.iter().map(|(_, uid)| Actor::start(*uid)).collect();
        Play { running, random: Random(seed), facts, camera, root, apps, history: Vec::new() }
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.running.world.shared(name)
    }

    fn free_name(&mut self) -> Option<&'static str> {
        let free: Vec<_> = NAMES.into_iter().filter(|it| !self.facts.files.contains(it)).collect();
        (!free.is_empty()).then(|| self.random.pick(&free))
    }

    fn some_file(&mut self) -> Option<&'static str> {
        let files = self.facts.files.clone();
        (!files.is_empty()).then(|| self.random.pick(&files))
    }

    /// The camera's files are made in its own directory and moved by root, so that any name can be had.
    fn make(&mut self, name: &'static str) {
        let seed = self.at(&format!("Android/media/{CAMERA}/seed.bin"));
        self.camera.create(&seed, b"x").unwrap();
        self.root.rename(&seed, self.at(name)).unwrap();
        self.facts.files.push(name);
    }

    fn forget(&mut self, name: &str) {
        self.facts.files.retain(|it| *it != name);
        self.facts.grants.retain(|(_, file), _| *file != name);
    }

    /// Makes one change, if there is something to change.
    fn change(&mut self) -> Option<String> {
        let control = self.running.control();
        let (app, _) = self.random.pick(&APPS);
        match self.random.below(12) {
            0..=1 => {
                let name = self.free_name()?;
                self.make(name);
                Some(format!("make {name}"))
            }
            2 => {
                let name = self.some_file()?;
                self.camera.unlink(self.at(name)).unwrap();
                self.forget(name);
                Some(format!("remove {name}"))
            }
            3..=4 => {
                let (from, to) = (self.some_file()?, self.free_name()?);
                self.root.rename(self.at(from), self.at(to)).unwrap();
                let held = |app: &str| self.facts.grants.get(&(app_name(app), from)).copied();
                let moved: Vec<_> =
                    APPS.iter().filter_map(|(app, _)| Some(((*app, to), held(app)?))).collect();
                self.forget(from);
                self.facts.files.push(to);
                self.facts.grants.extend(moved);
                Some(format!("rename {from} {to}"))
            }
            5..=6 => {
                let (permission, on) = (self.random.pick(&PERMISSIONS), self.random.below(2) == 0);
                let package = self.facts.packages.get_mut(app)?.as_mut()?;
                package.permissions.retain(|it| it != permission);
                if on {
                    package.permissions.push(permission.to_owned());
                }
                control.set_permission(app, permission, on).unwrap();
                Some(format!("{app}: {permission} {on}"))
            }
            7 => {
                let (op, mode) = (self.random.pick(&OPS), self.random.pick(&MODES));
                let package = self.facts.packages.get_mut(app)?.as_mut()?;
                package.app_ops.insert(op.to_owned(), mode.to_owned());
                control.set_app_op(app, op, mode).unwrap();
                Some(format!("{app}: {op} {mode}"))
            }
            8..=9 => {
                let name = self.some_file()?;
                self.facts.packages[app].as_ref()?;
                let (kind, bits) = self.random.pick(&[
                    ("selected", FileGrants::SELECTED),
                    ("read", FileGrants::READ),
                    ("write", FileGrants::WRITE),
                ]);
                control.add_grant(&self.running.grant(app, name, kind)).unwrap();
                let held = self.facts.grants.entry((app, name)).or_default();
                *held = held.with(bits);
                Some(format!("{app}: {kind} on {name}"))
            }
            10 => match self.random.below(3) {
                0 => {
                    let package = &self.facts.packages[app];
                    let was_there = package.is_some();
                    if was_there {
                        control.remove_package(app).unwrap();
                        self.facts.packages.insert(app, None);
                        self.facts.grants.retain(|(it, _), _| *it != app);
                    } else {
                        let fresh = packages().into_iter().find(|it| it.0.name == app).unwrap().0;
                        control.install_package(fresh.clone()).unwrap();
                        self.facts.packages.insert(app, Some(fresh));
                    }
                    Some(format!("{app}: installed {}", !was_there))
                }
                1 => {
                    let name = self.some_file()?;
                    self.facts.grants.remove(&(app, name))?;
                    let path = self.at(name).into_os_string().into_encoded_bytes();
                    control.remove_grants(app, 0, Some(&path)).unwrap();
                    Some(format!("{app}: nothing on {name}"))
                }
                _ => {
                    let before = self.facts.grants.len();
                    self.facts.grants.retain(|(it, _), _| *it != app);
                    if before != self.facts.grants.len() {
                        control.remove_grants(app, 0, None).unwrap();
                    }
                    Some(format!("{app}: nothing at all"))
                }
            },
            _ => {
                let file = self.at(ALBUM).join(".nomedia");
                match self.facts.nomedia {
                    true => self.root.unlink(&file).unwrap(),
                    false => self.root.create(&file, b"").unwrap(),
                }
                self.facts.nomedia = !self.facts.nomedia;
                Some(format!(".nomedia {}", self.facts.nomedia))
            }
        }
    }

    /// Asks for one file as one app, in every way, and compares.
    fn check(&mut self) -> usize {
        let Some(name) = self.some_file() else { return 0 };
        let which = self.random.below(APPS.len());
        let app = APPS[which];
        let path = self.at(name);
        let dir = path.parent().unwrap().to_owned();
        let leaf = path.file_name().unwrap().to_str().unwrap().to_owned();
        let who = &mut self.apps[which];
        let word = |result: Result<(), Errno>| {
            result.map_or_else(|errno| format!("{errno:?}"), |()| "allowed".to_owned())
        };
        let got = [
            ("lookup", Operation::Lookup, word(who.stat(&path).map(drop))),
            ("read", Operation::OpenRead, word(who.can_read(&path))),
            ("write", Operation::OpenWrite, word(who.can_write(&path))),
        ];
        let listed = who.list(&dir).is_ok_and(|names| names.contains(&leaf));
        let control = self.running.control();
        for (word, op, got) in got {
            let fresh = self.facts.decide(app, name, op);
            assert_eq!(got, fresh, "{word} of {name} by {}, after\n{}", app.0, self.tail());
            let request = ExplainRequest {
                uid: app.1,
                operation: word.to_owned(),
                path: path.clone().into_os_string().into_encoded_bytes(),
                to: None,
            };
            let explained = control.explain(&request).unwrap();
            let explained = if explained.allowed { "allowed".to_owned() } else { explained.errno };
            assert_eq!(explained, fresh, "explain {word} of {name} by {}, after\n{}", app.0, self.tail());
        }
        // A gallery lists by the row what it opens by the name, and a legacy app without permission opens no directory.
        let shown = self.facts.decide(app, name, Operation::ListEntry) == "allowed";
        assert_eq!(listed, shown, "listing of {name} for {}, after\n{}", app.0, self.tail());
        1
    }

    fn tail(&self) -> String {
        self.history.iter().rev().take(15).rev().cloned().collect::<Vec<_>>().join("\n")
    }
}

fn app_name(name: &str) -> &'static str {
    APPS.iter().find(|(it, _)| *it == name).unwrap().0
}

#[test]
fn a_cached_decision_is_a_fresh_one() {
    for seed in [1, 2] {
        let mut play = Play::new(seed);
        let (mut changes, mut checks) = (0, 0);
        for _ in 0..STEPS {
            if let Some(change) = play.change() {
                changes += 1;
                play.history.push(change);
            }
            checks += play.check() + play.check();
        }
        println!("seed {seed}: {changes} changes, {checks} comparisons");
        assert!(changes > STEPS / 2 && checks > STEPS, "{changes} changes, {checks} comparisons");
    }
}
