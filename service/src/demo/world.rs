//! The demo's little world: a directory, its apps, and the files that they own.

use std::fs::{self, DirBuilder, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::DemoError;
use super::print::{Printer, size};
use super::samples::{Sample, largest_video};
use crate::config::{
    BackingFilesConfig, Config, PackageConfig, PolicyProfile, ServiceConfig, VolumeConfig, VolumeKindConfig,
    WatchConfig,
};

/// Largest size of the large video.
pub(super) const LARGEST_VIDEO_MIB: u64 = largest_video() >> 20;

/// What a file is, as far as permissions tell files apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Video,
    Audio,
    Other,
}

/// An app of the demo.
#[derive(Debug)]
pub(super) struct App {
    /// What the tour calls it.
    pub(super) label: &'static str,
    pub(super) package: &'static str,
    /// Its app id, and as it runs in user 0, its uid.
    pub(super) uid: u32,
    pub(super) permissions: &'static [&'static str],
    /// Kinds of others' files that it should see, given its permissions.
    pub(super) sees: &'static [Kind],
}

pub(super) const CAMERA: App =
    App { label: "camera", package: "com.example.camera", uid: 10101, permissions: &[], sees: &[] };
pub(super) const GALLERY: App = App {
    label: "gallery",
    package: "com.example.gallery",
    uid: 10102,
    permissions: &["READ_MEDIA_IMAGES", "READ_MEDIA_VIDEO"],
    sees: &[Kind::Image, Kind::Video],
};
pub(super) const MESSENGER: App =
    App { label: "messenger", package: "com.example.messenger", uid: 10103, permissions: &[], sees: &[] };
pub(super) const MUSIC: App = App {
    label: "music",
    package: "com.example.music",
    uid: 10104,
    permissions: &["READ_MEDIA_AUDIO"],
    sees: &[Kind::Audio],
};
pub(super) const FILES: App = App {
    label: "files",
    package: "com.example.files",
    uid: 10105,
    permissions: &["MANAGE_EXTERNAL_STORAGE"],
    sees: &[Kind::Image, Kind::Video, Kind::Audio, Kind::Other],
};
pub(super) const APPS: [&App; 5] = [&CAMERA, &GALLERY, &MESSENGER, &MUSIC, &FILES];

/// A file of the demo.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) owner: &'static App,
    /// Below the user's root.
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    pub(super) sample: Sample,
}

impl Item {
    /// Whether `app` should see it.
    pub(super) fn is_seen_by(&self, app: &App) -> bool {
        self.owner.uid == app.uid || app.sees.contains(&self.kind)
    }

    /// The directory it is in, and its name there.
    pub(super) fn place(&self) -> (&'static str, &'static str) {
        self.path.rsplit_once('/').unwrap_or(("", self.path))
    }
}

const fn item(owner: &'static App, path: &'static str, kind: Kind, sample: Sample) -> Item {
    Item { owner, path, kind, sample }
}

/// The picture that the tour opens; it says where it was taken.
pub(super) const PICTURE: &str = "DCIM/Camera/IMG_0001.jpg";
/// A picture that others try to delete.
pub(super) const SECOND_PICTURE: &str = "DCIM/Camera/IMG_0002.jpg";
/// A document, for which there is no media permission.
pub(super) const INVOICE: &str = "Download/invoice.pdf";
/// The large video and its copy.
pub(super) const RECORDING: &str = "DCIM/Camera/VID_0002.mp4";
/// Made by copying [`RECORDING`].
pub(super) const RECORDING_COPY: &str = "Movies/Summit.mp4";

/// All files, made before the tour.
pub(super) const ITEMS: [Item; 10] = [
    item(&CAMERA, PICTURE, Kind::Image, Sample::Photo { seed: 1, located: true }),
    item(&CAMERA, SECOND_PICTURE, Kind::Image, Sample::Photo { seed: 2, located: false }),
    item(&CAMERA, "DCIM/Camera/VID_0001.mp4", Kind::Video, Sample::Video { bytes: 2 << 20 }),
    item(&MESSENGER, "DCIM/Camera/RECEIVED_01.jpg", Kind::Image, Sample::Photo { seed: 3, located: false }),
    item(&MESSENGER, "Pictures/Screenshots/Chat.png", Kind::Image, Sample::Screenshot),
    item(&MESSENGER, INVOICE, Kind::Other, Sample::Document),
    item(&GALLERY, "Pictures/Edited/Sunset.jpg", Kind::Image, Sample::Photo { seed: 5, located: false }),
    item(&MUSIC, "Music/Five Tones.flac", Kind::Audio, Sample::Song),
    item(&MUSIC, "Recordings/Memo.wav", Kind::Audio, Sample::Memo),
    item(&FILES, "Documents/Packing.txt", Kind::Other, Sample::Note),
];

/// What this machine lacks for mounting and acting as apps, each with the remedy.
pub(super) fn missing() -> Vec<String> {
    let mut missing = Vec::new();
    if !nix::unistd::geteuid().is_root() {
        missing.push(
            "This is not root. Mounting a volume for all users and running processes as other apps need root: \
             run the demo with sudo."
                .to_owned(),
        );
    }
    if !Path::new("/dev/fuse").exists() {
        missing.push(
            "There is no /dev/fuse. Load the kernel module (modprobe fuse); for a container, pass the device in \
             (--device /dev/fuse --cap-add SYS_ADMIN)."
                .to_owned(),
        );
    }
    missing
}

/// The table of apps.
pub(super) fn show_apps(out: &mut Printer) {
    let rows: Vec<_> = APPS
        .iter()
        .map(|app| {
            let permissions =
                if app.permissions.is_empty() { "none".into() } else { app.permissions.join(", ") };
            vec![app.label.into(), app.package.into(), app.uid.to_string(), permissions]
        })
        .collect();
    out.table(&["app", "package", "uid", "permissions"], &rows);
}

/// The directory in which everything happens.
pub(super) struct World {
    path: PathBuf,
    /// Removes the directory, unless the user has named it.
    temporary: Option<TempDir>,
}

impl World {
    /// Makes the directory, or takes the one given.
    pub(super) fn create(given: Option<&Path>) -> Result<World, DemoError> {
        let (path, temporary) = match given {
            Some(path) => {
                fs::create_dir_all(path).map_err(|source| failed(path, source))?;
                if fs::read_dir(path).map_err(|source| failed(path, source))?.next().is_some() {
                    return Err(DemoError::NotEmpty(path.display().to_string()));
                }
                (path.to_path_buf(), None)
            }
            None => {
                let made = tempfile::Builder::new().prefix("mediagate-demo-").tempdir();
                let made = made.map_err(|source| failed(&std::env::temp_dir(), source))?;
                (made.path().to_path_buf(), Some(made))
            }
        };
        // The configuration and the actors need an absolute path without links.
        let path = fs::canonicalize(&path).map_err(|source| failed(&path, source))?;
        if path.to_str().is_none() {
            return Err(DemoError::Name(path));
        }
        let world = World { path, temporary };
        // Apps may walk to the mount, and nowhere else.
        fs::set_permissions(&world.path, Permissions::from_mode(0o755))
            .and_then(|()| DirBuilder::new().mode(0o700).create(world.lower()))
            .and_then(|()| DirBuilder::new().mode(0o775).create(world.lower().join("0")))
            .and_then(|()| DirBuilder::new().mode(0o700).create(world.path.join("state")))
            .and_then(|()| DirBuilder::new().mode(0o755).create(world.mount()))
            .map_err(|source| failed(&world.path, source))?;
        Ok(world)
    }

    /// Makes sure that apps can walk to the mount.
    pub(super) fn check_reachable(&self) -> Result<(), DemoError> {
        for above in self.path.ancestors() {
            let mode = fs::metadata(above).map_err(|source| failed(above, source))?.mode();
            if mode & 0o001 == 0 {
                let why = format!("{} has mode {:03o}", above.display(), mode & 0o777);
                return Err(DemoError::Unreachable { path: self.path.display().to_string(), why });
            }
        }
        Ok(())
    }

    /// The lower tree.
    pub(super) fn lower(&self) -> PathBuf {
        self.path.join("lower")
    }

    /// Where it is mounted.
    pub(super) fn mount(&self) -> PathBuf {
        self.path.join("storage")
    }

    /// A path of user 0, as the apps name it.
    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.mount().join("0").join(below)
    }

    /// Where the service listens.
    pub(super) fn address(&self) -> String {
        format!("unix://{}", self.path.join("mediagate.sock").display())
    }

    /// The service's configuration.
    pub(super) fn config(&self) -> Config {
        Config {
            users: Vec::new(),
            service: ServiceConfig {
                state_dir: self.path.join("state"),
                listen: vec![self.address()],
                policy_profile: PolicyProfile::Android,
                packages_list: None,
                admin_uids: vec![0, 1000],
                threads: None,
                busy_poll_us: 50,
                maintenance_hours: 24,
                quota_projects: false,
                backing_files: BackingFilesConfig::default(),
            },
            volumes: vec![VolumeConfig {
                name: "external_primary".to_owned(),
                kind: VolumeKindConfig::Emulated,
                lower: self.lower(),
                mount: self.mount(),
                users: vec![0],
                owner: None,
                passthrough: true,
                cache_seconds: None,
                watch: WatchConfig::Auto,
            }],
            packages: APPS.iter().map(|app| package(app)).collect(),
        }
    }

    /// True while something is mounted at the mount point.
    pub(super) fn is_mounted(&self) -> bool {
        match (fs::metadata(self.mount()), fs::metadata(&self.path)) {
            (Ok(mount), Ok(dir)) => mount.dev() != dir.dev(),
            // A mount whose service is gone answers ENOTCONN.
            (mount, _) => mount.is_err_and(|why| why.raw_os_error() == Some(libc::ENOTCONN)),
        }
    }

    /// Makes the files without a mount, as whoever runs the demo.
    pub(super) fn make_files_directly(&self, out: &mut Printer) -> Result<(), DemoError> {
        let mut rows = Vec::new();
        for item in &ITEMS {
            let mut bytes = Vec::new();
            let path = self.lower().join("0").join(item.path);
            let made = item.sample.write(&mut bytes).and_then(|()| {
                fs::create_dir_all(path.parent().unwrap_or(&path))?;
                fs::File::create(&path)?.write_all(&bytes)
            });
            made.map_err(|source| DemoError::Sample { path: path.display().to_string(), source })?;
            let what = item.sample.describe();
            rows.push(vec![item.path.into(), item.owner.label.into(), what.into(), size(bytes.len() as u64)]);
        }
        out.table(&["file", "app", "what it is", "size"], &rows);
        Ok(())
    }

    /// Removes a temporary directory, unless the volume is still mounted in it.
    pub(super) fn close(mut self, out: &mut Printer) {
        let mounted = self.is_mounted();
        let Some(temporary) = self.temporary.take() else {
            out.paragraph(&format!("The files stay in {}.", self.path.display()));
            return;
        };
        if mounted {
            let kept = temporary.keep();
            out.error(&format!(
                "still mounted; end it with: umount -l {0}/storage; rm -r {0}",
                kept.display()
            ));
        } else if let Err(why) = temporary.close() {
            out.error(&format!("cannot remove {}: {why}", self.path.display()));
        }
    }
}

fn failed(place: &Path, source: std::io::Error) -> DemoError {
    DemoError::Directory { place: place.display().to_string(), source }
}

fn package(app: &App) -> PackageConfig {
    PackageConfig {
        target_sdk: 34,
        permissions: app.permissions.iter().map(|name| (*name).to_owned()).collect(),
        ..PackageConfig::new(app.package, app.uid)
    }
}
