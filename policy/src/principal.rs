//! The caller: what its uid, its packages and their permissions add up to.

use std::sync::Arc;

use crate::permission::{AppOps, PermissionSet};
use crate::profile::{Profiles, UserRelation};

/// Number of uids that each Android user owns (`AID_USER_OFFSET`).
const USER_OFFSET: u32 = 100_000;

/// A Linux uid as the FUSE request header carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid(pub u32);

/// An Android user (`uid / 100000`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(pub u32);

/// What is left of a uid without its user (`uid % 100000`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppId(pub u32);

impl Uid {
    /// `root`.
    pub const ROOT: Uid = Uid(0);
    /// `AID_SYSTEM`.
    pub const SYSTEM: Uid = Uid(1000);
    /// `AID_SHELL`.
    pub const SHELL: Uid = Uid(2000);

    /// The uid of `app` in `user`; the largest uid, which nobody has, where there is no such uid.
    pub const fn of(user: UserId, app: AppId) -> Uid {
        Uid(user.0.saturating_mul(USER_OFFSET).saturating_add(app.0))
    }

    /// The user this uid belongs to.
    pub const fn user(self) -> UserId {
        UserId(self.0 / USER_OFFSET)
    }

    /// A daemon's or the system's own, as those of user 0 (§1.5): below all apps. The app id alone makes none of another
    /// user's.
    pub const fn is_core(self) -> bool {
        self.0 < AppId::FIRST_APP.0
    }

    /// The app id of this uid.
    pub const fn app_id(self) -> AppId {
        AppId(self.0 % USER_OFFSET)
    }
}

impl AppId {
    /// First app id given to installed apps (`AID_APP_START`).
    pub const FIRST_APP: AppId = AppId(10_000);
    /// First app id of isolated processes (`AID_ISOLATED_START`; app zygotes start at 90000).
    pub const FIRST_ISOLATED: AppId = AppId(90_000);

    /// An app zygote's or an isolated process's id: such a process has no package and no storage.
    pub const fn is_isolated(self) -> bool {
        self.0 >= Self::FIRST_ISOLATED.0
    }
}

/// What the package manager knows about one package: the input from which [`Principal`] is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageFacts {
    /// Package name, e.g. `com.example.camera`.
    pub name: Arc<str>,
    /// Target SDK level from the manifest.
    pub target_sdk: u32,
    /// Granted permissions (declared but denied ones are absent).
    pub permissions: PermissionSet,
    /// App-op modes; what is not set is [`crate::OpMode::Default`].
    pub app_ops: AppOps,
    /// `requestLegacyExternalStorage` in the manifest.
    pub requests_legacy_storage: bool,
    /// `requestRawExternalStorageAccess` in the manifest, if it is there.
    pub requests_raw_access: Option<bool>,
    /// The compat changes `DEFAULT_SCOPED_STORAGE` and `FORCE_ENABLE_SCOPED_STORAGE` where somebody has set both alike for
    /// the package: both on, it is never a legacy app; both off, it always is one. `None` as Android ships them, the
    /// first on and the second off: target SDK and app ops decide.
    pub scoped_storage: Option<bool>,
    /// An instant app: it runs without being installed, and has no shared storage.
    pub instant: bool,
}

/// The broad kinds of callers, told apart before any permission is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// uid 0: the daemon lets it do everything (mediaprovider.md §1.7).
    Root,
    /// `AID_SHELL` (2000).
    Shell,
    /// A uid below 10000 that has no package: lookups pass, opens do not (§1.5, §2.1).
    System,
    /// A uid with at least one package.
    App,
    /// An isolated process or an app zygote (§2.11).
    Isolated,
    /// An instant app: Android mounts no storage for it (§2.11).
    Instant,
    /// Any other uid that no installed package has (§2.1).
    NoPackage,
}

/// How the storage manager mounts storage for this caller (mediaprovider.md §2.2, "mount mode").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MountMode {
    /// An ordinary app.
    #[default]
    Default,
    /// A package installer: may also use `Android/obb` of other packages.
    Installer,
    /// Download and documents providers, MTP: every check is bypassed.
    AndroidWritable,
    /// The lower file system itself.
    PassThrough,
}

impl MountMode {
    /// What it is called, in words.
    pub const fn name(self) -> &'static str {
        match self {
            MountMode::Default => "default",
            MountMode::Installer => "installer",
            MountMode::AndroidWritable => "android writable",
            MountMode::PassThrough => "pass through",
        }
    }
}

/// The caller classes of mediaprovider.md §2.2 as a set of bits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Traits(u32);

impl Traits {
    /// No class at all.
    pub const NONE: Traits = Traits(0);
    /// `MANAGE_EXTERNAL_STORAGE` allowed.
    pub const MANAGER: Traits = Traits(1);
    /// Asks for the legacy storage model ("LEGACY_GRANTED").
    pub const LEGACY: Traits = Traits(1 << 1);
    /// Legacy, and holds `READ_EXTERNAL_STORAGE`.
    pub const LEGACY_READ: Traits = Traits(1 << 2);
    /// Legacy, and holds `WRITE_EXTERNAL_STORAGE`.
    pub const LEGACY_WRITE: Traits = Traits(1 << 3);
    /// May read others' audio.
    pub const READ_AUDIO: Traits = Traits(1 << 4);
    /// May read others' video.
    pub const READ_VIDEO: Traits = Traits(1 << 5);
    /// May read others' images.
    pub const READ_IMAGES: Traits = Traits(1 << 6);
    /// Sees the photos and videos that the user selected for it.
    pub const USER_SELECTED: Traits = Traits(1 << 7);
    /// May write others' audio.
    pub const WRITE_AUDIO: Traits = Traits(1 << 8);
    /// May write others' video.
    pub const WRITE_VIDEO: Traits = Traits(1 << 9);
    /// May write others' images.
    pub const WRITE_IMAGES: Traits = Traits(1 << 10);
    /// The system gallery.
    pub const GALLERY: Traits = Traits(1 << 11);
    /// Does not hold `ACCESS_MEDIA_LOCATION`: sees redacted bytes of files that hold a location.
    pub const REDACTION_NEEDED: Traits = Traits(1 << 12);
    /// Raw access: for a manager or a gallery, file operations leave the database alone.
    pub const RAW_ACCESS: Traits = Traits(1 << 13);

    /// True when every bit of `other` is set here.
    pub const fn has(self, other: Traits) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Traits) -> Traits {
        Traits(self.0 | other.0)
    }

    /// What each class is called, in words.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const NAMES: [(Traits, &str); 14] = [
            (Traits::MANAGER, "manager"),
            (Traits::LEGACY, "legacy"),
            (Traits::LEGACY_READ, "legacy reader"),
            (Traits::LEGACY_WRITE, "legacy writer"),
            (Traits::READ_AUDIO, "reads audio"),
            (Traits::READ_VIDEO, "reads video"),
            (Traits::READ_IMAGES, "reads images"),
            (Traits::USER_SELECTED, "is shown selected media"),
            (Traits::WRITE_AUDIO, "writes audio"),
            (Traits::WRITE_VIDEO, "writes video"),
            (Traits::WRITE_IMAGES, "writes images"),
            (Traits::GALLERY, "gallery"),
            (Traits::REDACTION_NEEDED, "sees no locations"),
            (Traits::RAW_ACCESS, "raw access"),
        ];
        NAMES.into_iter().filter(move |(class, _)| self.has(*class)).map(|(_, name)| name)
    }
}

impl std::fmt::Debug for Traits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Traits({:#x})", self.0)
    }
}

/// A caller, ready to be decided about. Built once per uid and change of its packages, then shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The uid it calls with.
    pub uid: Uid,
    /// Its kind.
    pub kind: PrincipalKind,
    /// Names of all packages of the uid; the first is "the caller's package" (§2.1).
    pub packages: Vec<Arc<str>>,
    /// Its classes.
    pub traits: Traits,
    /// Its mount mode.
    pub mount_mode: MountMode,
    /// The other users that its user belongs together with: see [`Principal::in_profiles`].
    pub relatives: Vec<(UserId, UserRelation)>,
    /// The users whose files may not be moved over USB; asked of the shell only.
    pub closed_to_usb: Vec<UserId>,
}

impl Principal {
    /// The user it runs as.
    pub const fn user(&self) -> UserId {
        self.uid.user()
    }

    /// The same caller on a system with these profiles. Without them every user is a person's own.
    #[must_use]
    pub fn in_profiles(self, profiles: &Profiles) -> Principal {
        let user = self.user();
        Principal { relatives: profiles.relatives(user), closed_to_usb: profiles.closed_to_usb(), ..self }
    }

    /// How its user and another one belong together.
    pub fn relation_to(&self, user: UserId) -> UserRelation {
        if user == self.user() {
            return UserRelation::Own;
        }
        let known = self.relatives.iter().find(|(it, _)| *it == user);
        known.map_or(UserRelation::Other, |(_, relation)| *relation)
    }

    /// "The caller's package": who owns what this caller creates.
    pub fn first_package(&self) -> Option<&Arc<str>> {
        self.packages.first()
    }

    /// True when one of its packages has this name (compared exactly, as owners are stored).
    pub fn is_owner(&self, package: &str) -> bool {
        self.packages.iter().any(|own| &**own == package)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_a_set() {
        let both = Traits::MANAGER.with(Traits::GALLERY);
        assert_eq!(both.with(Traits::MANAGER), both);
        assert!(both.has(Traits::MANAGER) && both.has(Traits::GALLERY) && both.has(both));
        assert!(!Traits::MANAGER.has(both) && !both.has(Traits::LEGACY));
        assert_eq!(format!("{:?}", Traits::MANAGER.with(Traits::LEGACY)), "Traits(0x3)");
        assert!(both.names().eq(["manager", "gallery"]) && Traits::NONE.names().next().is_none());
        let modes =
            [MountMode::Default, MountMode::Installer, MountMode::AndroidWritable, MountMode::PassThrough];
        assert_eq!(modes.map(MountMode::name), ["default", "installer", "android writable", "pass through"]);
    }

    #[test]
    fn relations_are_those_of_the_profiles() {
        use crate::profile::UserKind;
        let parent = UserId(0);
        let profiles: Profiles =
            [(UserId(11), UserKind::Clone { parent }), (UserId(12), UserKind::Work { parent })]
                .into_iter()
                .collect();
        let plain = Principal::new(Uid(10_101), &[]);
        assert_eq!(plain.relation_to(UserId(11)), UserRelation::Other);
        let who = plain.in_profiles(&profiles);
        for (user, relation) in [
            (0, UserRelation::Own),
            (10, UserRelation::Other),
            (11, UserRelation::SharesMedia),
            (12, UserRelation::AcrossWork),
        ] {
            assert_eq!(who.relation_to(UserId(user)), relation, "{user}");
        }
    }
}
