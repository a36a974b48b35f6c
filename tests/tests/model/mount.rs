//! The steps on a real mount, by processes with the callers' uids.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mediagate::binder::{Client, ClientError};
use mediagate::control::GrantSpec;
use mediagate_policy::DefaultDir;
use mediagate_tests::actor::Ask;
use mediagate_tests::{Actor, Errno, World};

use crate::op::{Op, SLOTS, STANDING, Who};
use crate::reference::Seen;
use crate::{Driver, LONGEST};

/// How long files may be taken away from a package that left.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Mount {
    world: World,
    client: Client,
    actors: BTreeMap<Who, Actor>,
    held: [Option<(Who, u64)>; SLOTS],
}

impl Mount {
    pub(crate) fn new(passthrough: bool, cache_seconds: Option<i32>) -> Mount {
        let mut world = World::new(&Who::APPS.map(Who::installed));
        world.config.volumes[0].passthrough = passthrough;
        world.config.volumes[0].cache_seconds = cache_seconds;
        world.start();
        let client = Client::connect(&world.config.service.listen[0]).unwrap();
        let actors = Who::ALL.map(|who| (who, Actor::start(who.uid()))).into();
        let mut mount = Mount { world, client, actors, held: [None; SLOTS] };
        mount.reset();
        mount
    }

    fn at(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.world.shared(".") } else { self.world.shared(path) }
    }

    fn bytes_at(&self, path: &str) -> Vec<u8> {
        self.at(path).as_os_str().as_bytes().to_vec()
    }

    fn app(&mut self, who: Who) -> &mut Actor {
        self.actors.get_mut(&who).unwrap()
    }

    /// Opens, works and closes.
    fn with<T>(
        &mut self,
        who: Who,
        path: &str,
        flags: i32,
        work: impl FnOnce(&mut Actor, u64) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let path = self.at(path);
        let app = self.app(who);
        let file = app.open(path, flags)?;
        let done = work(app, file);
        app.close(file);
        done
    }

    fn let_go(&mut self, slot: usize) {
        if let Some((who, file)) = self.held[slot].take() {
            self.app(who).close(file);
        }
    }

    fn try_act(&mut self, op: &Op) -> Result<Seen, Errno> {
        let done = Ok(Seen::Done);
        match *op {
            Op::Create(who, path, content) => {
                let flags = libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY;
                self.with(who, path, flags, |app, file| app.write(file, None, &content.bytes()))?;
            }
            Op::Overwrite(who, path, content) => {
                let flags = libc::O_CREAT | libc::O_TRUNC | libc::O_WRONLY;
                self.with(who, path, flags, |app, file| app.write(file, None, &content.bytes()))?;
            }
            Op::Mknod(who, path) => {
                let ask = Ask::Mknod { path: self.bytes_at(path), mode: libc::S_IFREG | 0o600 };
                self.app(who).act(&ask)?;
            }
            Op::Write(who, path, at, letter, length) => {
                let data = vec![b'a' + letter % 26; length];
                self.with(who, path, libc::O_RDWR, |app, file| app.write(file, Some(at), &data))?;
            }
            Op::Read(who, path) => {
                let path = self.at(path);
                return self.app(who).read_all(path).map(Seen::Bytes);
            }
            Op::Stat(who, path) => {
                let path = self.at(path);
                let stat = self.app(who).stat(path)?;
                let is_file = stat.mode & libc::S_IFMT == libc::S_IFREG;
                return Ok(Seen::Stat(is_file.then_some(stat.size), is_file.then_some(stat.mtime.0)));
            }
            Op::Access(who, path, mask) => {
                let path = self.at(path);
                self.app(who).access(path, mask)?;
            }
            Op::List(who, path) => {
                let path = self.at(path);
                return self.app(who).list(path).map(Seen::Names);
            }
            Op::Rename(who, from, to, no_replace) => {
                let (from, to) = (self.at(from), self.at(to));
                let flags = if no_replace { libc::RENAME_NOREPLACE } else { 0 };
                self.app(who).rename_with(from, to, flags)?;
            }
            Op::Unlink(who, path) => {
                let path = self.at(path);
                self.app(who).unlink(path)?;
            }
            Op::Mkdir(who, path) => {
                let path = self.at(path);
                self.app(who).mkdir(path)?;
            }
            Op::Rmdir(who, path) => {
                let path = self.at(path);
                self.app(who).rmdir(path)?;
            }
            Op::Truncate(who, path, size) => {
                let ask = Ask::Truncate { path: self.bytes_at(path), size };
                self.app(who).act(&ask)?;
            }
            Op::Times(who, path, seconds) => {
                let ask = Ask::Utimes { path: self.bytes_at(path), seconds };
                self.app(who).act(&ask)?;
            }
            Op::Hold(slot, who, path, write) => {
                let path = self.at(path);
                let file = self.app(who).open(path, if write { libc::O_RDWR } else { libc::O_RDONLY })?;
                self.let_go(slot);
                self.held[slot] = Some((who, file));
            }
            Op::ReadHeld(slot) => {
                let (who, file) = self.held[slot].ok_or(Errno(libc::EBADF))?;
                return self.app(who).read(file, 0, LONGEST).map(Seen::Bytes);
            }
            Op::WriteHeld(slot, at, letter, length) => {
                let (who, file) = self.held[slot].ok_or(Errno(libc::EBADF))?;
                self.app(who).write(file, Some(at), &vec![b'a' + letter % 26; length])?;
            }
            Op::LetGo(slot) => self.let_go(slot),
            _ => return Ok(self.administer(op)),
        }
        done
    }

    fn administer(&mut self, op: &Op) -> Seen {
        let answer: Result<(), ClientError> = match *op {
            Op::Give(who, path, kind) => self.client.add_grant(&GrantSpec {
                package: who.package().to_owned(),
                user: 0,
                path: self.bytes_at(path),
                kind: kind.word().to_owned(),
                expires: None,
            }),
            Op::Take(who, path) => {
                self.client.remove_grants(who.package(), 0, Some(&self.bytes_at(path))).map(drop)
            }
            Op::Permission(who, permission, holds) => {
                self.client.set_permission(who.package(), permission, holds)
            }
            Op::Allow(who, op, allowed) => {
                self.client.set_app_op(who.package(), op, if allowed { "allow" } else { "default" })
            }
            Op::Remove(who) => self.client.remove_package(who.package()),
            Op::Clear(who) => self.client.clear_package(who.package()),
            Op::Install(who) => self.client.install_package(&who.installed().0),
            _ => unreachable!("{op:?}"),
        };
        if matches!(op, Op::Remove(_) | Op::Clear(_)) {
            self.settle();
        }
        match answer {
            Ok(()) => Seen::Done,
            Err(ClientError::Failed(_) | ClientError::Denied(_)) => Seen::Refused,
            Err(error) => panic!("{op:?}: {error}"),
        }
    }

    /// What a package leaves behind is nobody's at once, but says so itself only after a while.
    fn settle(&mut self) {
        let begin = Instant::now();
        let open =
            |client: &Client| client.stats().unwrap().into_iter().find(|it| it.name == "upkeep.departing");
        while open(&self.client).is_none_or(|stat| stat.value != 0) {
            assert!(begin.elapsed() < PATIENCE, "files of a package that left are not its own for ever");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Driver for Mount {
    fn act(&mut self, op: &Op) -> Seen {
        self.try_act(op).unwrap_or_else(|errno| Seen::Errno(errno.0))
    }

    fn reset(&mut self) {
        (0..SLOTS).for_each(|slot| self.let_go(slot));
        let root = self.world.shared("");
        for entry in std::fs::read_dir(&root).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                std::fs::remove_dir_all(path).unwrap();
            } else {
                std::fs::remove_file(path).unwrap();
            }
        }
        let defaults = DefaultDir::ALL.map(DefaultDir::name);
        for dir in defaults.into_iter().chain(STANDING) {
            std::fs::create_dir(root.join(dir)).unwrap();
        }
        for who in Who::APPS {
            self.client.install_package(&who.installed().0).unwrap();
        }
    }

    fn lower(&self) -> PathBuf {
        self.world.config.volumes[0].lower.join("0")
    }
}
