//! A small world: a temporary directory with a lower tree, a configuration, a running service, apps.

use std::path::{Path, PathBuf};

use mediagate::config::{Config, PackageConfig, ServiceConfig, VolumeConfig, VolumeKindConfig, WatchConfig};

use crate::actor::Actor;
use crate::daemon::Daemon;

/// A package of the world.
#[derive(Clone, Debug)]
pub struct Package(pub PackageConfig);

impl Package {
    /// A package that targets SDK 34 and holds nothing.
    pub fn new(name: &str, app_id: u32) -> Package {
        let mut package = PackageConfig::new(name, app_id);
        package.users = vec![0];
        package.target_sdk = 34;
        Package(package)
    }

    /// With these permissions.
    #[must_use]
    pub fn permissions(mut self, permissions: &[&str]) -> Package {
        self.0.permissions = permissions.iter().map(|it| (*it).to_owned()).collect();
        self
    }

    /// With an app op's mode.
    #[must_use]
    pub fn app_op(mut self, op: &str, mode: &str) -> Package {
        self.0.app_ops.insert(op.to_owned(), mode.to_owned());
        self
    }

    /// Targeting this SDK level.
    #[must_use]
    pub fn target_sdk(mut self, level: u32) -> Package {
        self.0.target_sdk = level;
        self
    }

    /// Installed for these users.
    #[must_use]
    pub fn users(mut self, users: &[u32]) -> Package {
        self.0.users = users.to_vec();
        self
    }
}

/// A temporary world. The service is started by [`World::start`].
#[derive(Debug)]
pub struct World {
    // Dropped first: it unmounts before the directory is removed.
    daemon: Option<Daemon>,
    /// The configuration, to be changed before the start.
    pub config: Config,
    dir: tempfile::TempDir,
}

impl World {
    /// A world with one emulated volume, `external_primary`, user 0, and these packages.
    pub fn new(packages: &[Package]) -> World {
        let dir = tempfile::tempdir().expect("a temporary directory");
        // Apps of any uid must be able to walk to the mount.
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .expect("chmod");
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("lower")).expect("mkdir");
        let volume = volume("external_primary", VolumeKindConfig::Emulated, &at("lower"), &at("mnt"));
        let service = ServiceConfig {
            state_dir: at("state"),
            listen: vec![format!("unix://{}", at("socket").display())],
            ..toml::from_str(&format!("state_dir = {:?}", at("state"))).expect("defaults")
        };
        let config = Config {
            service,
            users: Vec::new(),
            volumes: vec![volume],
            packages: packages.iter().map(|package| package.0.clone()).collect(),
        };
        World { daemon: None, config, dir }
    }

    /// Adds a volume; its lower directory is made.
    pub fn add_volume(&mut self, name: &str, kind: VolumeKindConfig) -> PathBuf {
        let (lower, mount) = (self.path(&format!("lower-{name}")), self.path(&format!("mnt-{name}")));
        std::fs::create_dir(&lower).expect("mkdir");
        self.config.volumes.push(volume(name, kind, &lower, &mount));
        mount
    }

    /// Starts the service, or starts it again.
    pub fn start(&mut self) {
        self.daemon = None;
        self.start_over();
    }

    /// Like [`World::start`], but an earlier service that was killed keeps its mounts as the kill left them.
    pub fn start_over(&mut self) {
        if let Some(earlier) = self.daemon.take() {
            earlier.leave_mounts();
        }
        let file = self.path("mediagate.toml");
        std::fs::write(&file, self.config.to_toml().expect("encode the configuration")).expect("write it");
        let mounts = self.config.volumes.iter().map(|volume| volume.mount.clone()).collect();
        self.daemon = Some(Daemon::start(&file, &self.path("socket"), mounts));
    }

    /// A started world.
    pub fn started(packages: &[Package]) -> World {
        let mut world = World::new(packages);
        world.start();
        world
    }

    /// The running service.
    pub fn daemon(&mut self) -> &mut Daemon {
        self.daemon.as_mut().expect("the world was not started")
    }

    /// A path in the world's directory.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    /// A path in user 0's tree of the first volume, through the mount.
    pub fn shared(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.config.volumes[0].mount.join("0").join(relative)
    }

    /// The same place on the lower file system.
    pub fn lower(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.config.volumes[0].lower.join("0").join(relative)
    }

    /// A process of a package, in user 0.
    pub fn app(&self, package: &str) -> Actor {
        let known = self.config.packages.iter().find(|it| it.name == package);
        Actor::start(known.unwrap_or_else(|| panic!("no package {package}")).app_id)
    }
}

fn volume(name: &str, kind: VolumeKindConfig, lower: &Path, mount: &Path) -> VolumeConfig {
    VolumeConfig {
        name: name.to_owned(),
        kind,
        lower: lower.to_owned(),
        mount: mount.to_owned(),
        users: if kind == VolumeKindConfig::Emulated { vec![0] } else { Vec::new() },
        owner: None,
        passthrough: true,
        cache_seconds: None,
        watch: WatchConfig::Auto,
    }
}
