//! The app that is measured: a process of its own with the app's uid, started for one workload. Says on its standard output
//! how many microseconds one operation took, and what else there is to say, as JSON.

use std::fs::File;
use std::io::{BufRead, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// So many files are open at once: what the aim says.
const HELD: usize = 2000;
const BLOCK: [u8; 4096] = [b'x'; 4096];

/// What is to be done, and where.
struct Task {
    dir: PathBuf,
    count: usize,
}

/// `client UID WORKLOAD DIR COUNT`, or `client UID WORKLOAD DIR COUNT SECONDS PART` for what is done for so long: by
/// one of two processes if PART is 0 or 1, which then take every second file each.
pub(crate) fn main(arguments: &[String]) {
    let [uid, workload, dir, count, more @ ..] = arguments else { panic!("client UID WORKLOAD DIR COUNT") };
    let (uid, count): (u32, usize) = (uid.parse().unwrap(), count.parse().unwrap());
    if uid != 0 {
        mediagate_tests::become_app(uid);
    }
    let task = Task { dir: dir.into(), count };
    let said = match more {
        [] => task.all(workload),
        [seconds, part] => task.during(workload, Duration::from_secs_f64(seconds.parse().unwrap()), part),
        _ => panic!("client UID WORKLOAD DIR COUNT SECONDS PART"),
    };
    println!("{said}");
}

/// Time for each operation, and the 99th percentile. What is cheap is not looked at one by one: looking costs as much.
fn each(paths: &[PathBuf], one_by_one: bool, work: &mut dyn FnMut(&PathBuf)) -> Value {
    let mut latency = Vec::with_capacity(paths.len());
    let begin = Instant::now();
    let mut last = begin;
    for path in paths {
        work(path);
        if one_by_one {
            let now = Instant::now();
            latency.push((now - last).as_secs_f64() * 1e6);
            last = now;
        }
    }
    told(begin.elapsed(), paths.len(), latency)
}

fn told(took: Duration, operations: usize, mut latency: Vec<f64>) -> Value {
    latency.sort_by(f64::total_cmp);
    let at = |part: f64| latency.get((part * (latency.len().max(1) - 1) as f64) as usize).copied();
    json!({
        "us": took.as_secs_f64() * 1e6 / operations as f64, "operations": operations,
        "seconds": took.as_secs_f64(), "p50": at(0.5), "p99": at(0.99), "max": at(1.0),
    })
}

impl Task {
    fn files(&self, dir: &str, ending: &str) -> Vec<PathBuf> {
        let dir = self.dir.join(dir);
        (0..self.count).map(|number| dir.join(format!("{number}.{ending}"))).collect()
    }

    /// Each file once.
    fn all(&self, workload: &str) -> Value {
        let stat = |it: &PathBuf| _ = std::fs::symlink_metadata(it).unwrap();
        match workload {
            "stat" => each(&self.files("flat", "jpg"), true, &mut { stat }),
            "stat plain" => each(&self.files("flat", "txt"), true, &mut { stat }),
            "stat warm" => each(&self.files("flat", "jpg"), false, &mut { stat }),
            "stat plain warm" => each(&self.files("flat", "txt"), false, &mut { stat }),
            "missing" | "missing warm" => {
                each(&self.files("flat", "none"), workload == "missing", &mut |it| {
                    assert!(std::fs::symlink_metadata(it).is_err());
                })
            }
            "open" | "open plain" => {
                each(&self.files("flat", if workload == "open" { "jpg" } else { "txt" }), true, &mut |it| {
                    read(&File::open(it).unwrap());
                })
            }
            // Of open(2) alone.
            "open(2)" | "open(2) plain" => {
                let mut latency = Vec::with_capacity(self.count);
                let begin = Instant::now();
                for path in self.files("flat", if workload == "open(2)" { "jpg" } else { "txt" }) {
                    latency.push(open(&path));
                }
                told(begin.elapsed(), latency.len(), latency)
            }
            "create" => each(&self.files("new", "txt"), true, &mut |it| {
                File::options()
                    .write(true)
                    .create_new(true)
                    .mode(0o666)
                    .open(it)
                    .unwrap()
                    .write_all_at(&BLOCK, 0)
                    .unwrap();
            }),
            "rename" => {
                let to = self.files("new", "new.txt");
                let mut to = to.iter();
                each(&self.files("new", "txt"), true, &mut |it| {
                    std::fs::rename(it, to.next().unwrap()).unwrap();
                })
            }
            "unlink" => {
                each(&self.files("new", "new.txt"), true, &mut |it| std::fs::remove_file(it).unwrap())
            }
            "readdir" | "readdir+stat" => {
                let begin = Instant::now();
                let entries = list(&self.dir, workload != "readdir");
                told(begin.elapsed(), entries, Vec::new())
            }
            "hold" => {
                let most = nix::sys::resource::Resource::RLIMIT_NOFILE;
                let limit = nix::sys::resource::getrlimit(most).unwrap().1;
                nix::sys::resource::setrlimit(most, limit, limit).unwrap();
                let mut held = Vec::new();
                let mut files = self.files("flat", "txt");
                files.truncate(HELD);
                each(&files, false, &mut |it| held.push(File::open(it).unwrap()))
            }
            other => panic!("no workload {other}"),
        }
    }

    /// Again and again, once `ready` was answered by a line.
    fn during(&self, workload: &str, time: Duration, part: &str) -> Value {
        let part: Option<usize> = part.parse().ok();
        let mine = |all: Vec<PathBuf>| -> Vec<PathBuf> {
            let all = all.into_iter().enumerate();
            all.filter(|(at, _)| part.is_none_or(|part| at % 2 == part)).map(|(_, path)| path).collect()
        };
        let plain = mine(self.files("flat", if workload.ends_with("picture") { "jpg" } else { "txt" }));
        let made = |number: usize| self.dir.join(format!("new/{}-{number}.txt", part.unwrap_or(2)));
        let new = made(usize::MAX);
        // Each has been touched before it counts.
        if workload.starts_with("open") {
            plain.iter().for_each(|it| read(&File::open(it).unwrap()));
        }
        println!("ready");
        std::io::stdin().lock().read_line(&mut String::new()).unwrap();
        let mut latency = Vec::with_capacity(1 << 20);
        let mut operations = 0;
        let begin = Instant::now();
        let mut paths = plain.iter().cycle();
        while begin.elapsed() < time {
            match workload {
                "open" => read(&File::open(paths.next().unwrap()).unwrap()),
                "open latency" => latency.push(open(paths.next().unwrap())),
                "create" => create(&made(operations)),
                // What that made, until nothing is left.
                "unlink" => {
                    if std::fs::remove_file(made(operations)).is_err() {
                        break;
                    }
                }
                "create and unlink" => {
                    create(&new);
                    std::fs::remove_file(&new).unwrap();
                }
                // A change first: the kernel does not have the listing any more.
                "list" => {
                    let new = self.dir.join("list-a").join(new.file_name().unwrap());
                    create(&new);
                    std::fs::remove_file(&new).unwrap();
                    list(&self.dir.join("list-a"), true);
                }
                other => panic!("nothing is done for a while by the name of {other}"),
            }
            operations += 1;
        }
        told(begin.elapsed(), operations, latency)
    }
}

fn create(path: &Path) {
    File::options().write(true).create_new(true).mode(0o666).open(path).unwrap();
}

/// Goes through a directory; how many entries there are.
fn list(dir: &Path, attributes: bool) -> usize {
    let mut entries = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        entries += 1;
        if attributes {
            entry.metadata().unwrap();
        }
    }
    entries
}

/// Microseconds of open(2); what is read and closed after it does not count.
fn open(path: &Path) -> f64 {
    let begin = Instant::now();
    let file = File::open(path).unwrap();
    let took = begin.elapsed().as_secs_f64() * 1e6;
    read(&file);
    took
}

fn read(mut file: &File) {
    let mut block = BLOCK;
    assert_ne!(file.read(&mut block).unwrap(), 0);
}
