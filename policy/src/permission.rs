//! Permissions and app ops, by their Android names.

use std::fmt;
use std::str::FromStr;

/// A name that is not a permission or app op mediagate knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName(pub String);

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown name {:?}", self.0)
    }
}

impl std::error::Error for UnknownName {}

macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each is the Android name in upper case")]
        pub enum $type { $($variant),+ }

        impl $type {
            /// Every one of them.
            pub const ALL: &'static [$type] = &[$($type::$variant),+];

            /// The Android name, without the `android.permission.` or `android:` prefix.
            pub const fn name(self) -> &'static str {
                match self { $($type::$variant => $name),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

named! {
    /// The permissions that shared storage looks at.
    Permission {
        ReadExternalStorage = "READ_EXTERNAL_STORAGE",
        WriteExternalStorage = "WRITE_EXTERNAL_STORAGE",
        ReadMediaImages = "READ_MEDIA_IMAGES",
        ReadMediaVideo = "READ_MEDIA_VIDEO",
        ReadMediaAudio = "READ_MEDIA_AUDIO",
        ReadMediaVisualUserSelected = "READ_MEDIA_VISUAL_USER_SELECTED",
        AccessMediaLocation = "ACCESS_MEDIA_LOCATION",
        ManageExternalStorage = "MANAGE_EXTERNAL_STORAGE",
        ManageMedia = "MANAGE_MEDIA",
        WriteMediaStorage = "WRITE_MEDIA_STORAGE",
        InstallPackages = "INSTALL_PACKAGES",
        RequestInstallPackages = "REQUEST_INSTALL_PACKAGES",
        AccessMtp = "ACCESS_MTP",
        Backup = "BACKUP",
        UpdateDeviceStats = "UPDATE_DEVICE_STATS",
        QueryAllPackages = "QUERY_ALL_PACKAGES",
        Dump = "DUMP",
    }
}

named! {
    /// The app ops that shared storage looks at.
    AppOp {
        ReadExternalStorage = "READ_EXTERNAL_STORAGE",
        WriteExternalStorage = "WRITE_EXTERNAL_STORAGE",
        ReadMediaImages = "READ_MEDIA_IMAGES",
        ReadMediaVideo = "READ_MEDIA_VIDEO",
        ReadMediaAudio = "READ_MEDIA_AUDIO",
        ReadMediaVisualUserSelected = "READ_MEDIA_VISUAL_USER_SELECTED",
        WriteMediaImages = "WRITE_MEDIA_IMAGES",
        WriteMediaVideo = "WRITE_MEDIA_VIDEO",
        WriteMediaAudio = "WRITE_MEDIA_AUDIO",
        AccessMediaLocation = "ACCESS_MEDIA_LOCATION",
        LegacyStorage = "LEGACY_STORAGE",
        NoIsolatedStorage = "NO_ISOLATED_STORAGE",
        ManageExternalStorage = "MANAGE_EXTERNAL_STORAGE",
        RequestInstallPackages = "REQUEST_INSTALL_PACKAGES",
    }
}

impl FromStr for Permission {
    type Err = UnknownName;

    /// Takes the bare name or the full one (`android.permission.…`).
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let bare = text.strip_prefix("android.permission.").unwrap_or(text);
        Self::ALL.iter().copied().find(|it| it.name() == bare).ok_or_else(|| UnknownName(text.into()))
    }
}

impl FromStr for AppOp {
    type Err = UnknownName;

    /// Takes the bare name or the full one (`android:…`, in any case).
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let bare = text.strip_prefix("android:").unwrap_or(text);
        Self::ALL
            .iter()
            .copied()
            .find(|it| it.name().eq_ignore_ascii_case(bare))
            .ok_or_else(|| UnknownName(text.into()))
    }
}

/// Mode of an app op (`AppOpsManager.MODE_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OpMode {
    /// Not set: the permission decides.
    #[default]
    Default,
    /// Allowed.
    Allow,
    /// Refused silently.
    Ignore,
    /// Refused with an error.
    Deny,
}

impl OpMode {
    /// The lower-case name used in configuration and by the CLI.
    pub const fn name(self) -> &'static str {
        match self {
            OpMode::Default => "default",
            OpMode::Allow => "allow",
            OpMode::Ignore => "ignore",
            OpMode::Deny => "deny",
        }
    }
}

impl FromStr for OpMode {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        [OpMode::Default, OpMode::Allow, OpMode::Ignore, OpMode::Deny]
            .into_iter()
            .find(|mode| mode.name() == text)
            .ok_or_else(|| UnknownName(text.into()))
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PermissionSet(u32);

impl PermissionSet {
    /// The empty set.
    pub const EMPTY: PermissionSet = PermissionSet(0);

    /// True when `permission` is in the set.
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// Adds a permission.
    pub const fn insert(&mut self, permission: Permission) {
        self.0 |= 1 << permission as u32;
    }

    /// Takes a permission away.
    pub const fn remove(&mut self, permission: Permission) {
        self.0 &= !(1 << permission as u32);
    }

    /// The permissions in the set, in declaration order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |it| self.has(*it))
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<T: IntoIterator<Item = Permission>>(iter: T) -> Self {
        let mut set = PermissionSet::EMPTY;
        iter.into_iter().for_each(|it| set.insert(it));
        set
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The app-op modes of a package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AppOps([OpMode; AppOp::ALL.len()]);

impl AppOps {
    /// The mode of `op`.
    pub const fn mode(&self, op: AppOp) -> OpMode {
        self.0[op as usize]
    }

    /// Sets the mode of `op`.
    pub const fn set(&mut self, op: AppOp, mode: OpMode) {
        self.0[op as usize] = mode;
    }

    /// True when `op` is [`OpMode::Allow`].
    pub const fn is_allowed(&self, op: AppOp) -> bool {
        matches!(self.mode(op), OpMode::Allow)
    }

    /// The ops that are not at [`OpMode::Default`], in declaration order.
    pub fn iter(&self) -> impl Iterator<Item = (AppOp, OpMode)> {
        AppOp::ALL.iter().map(|op| (*op, self.mode(*op))).filter(|(_, mode)| *mode != OpMode::Default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_not_taken_out() {
        for permission in Permission::ALL.iter().copied() {
            let mut set: PermissionSet = Permission::ALL.iter().copied().collect();
            set.remove(permission);
            set.remove(permission);
            assert!(set.iter().eq(Permission::ALL.iter().copied().filter(|it| *it != permission)));
            set.insert(permission);
            set.insert(permission);
            assert!(set.iter().eq(Permission::ALL.iter().copied()));
        }
        let few: PermissionSet = [Permission::ReadMediaAudio, Permission::Dump].into_iter().collect();
        assert_eq!(format!("{few:?}"), "{ReadMediaAudio, Dump}");
    }

    #[test]
    fn ops_are_listed_where_they_are_set() {
        let mut ops = AppOps::default();
        assert_eq!(ops.iter().next(), None);
        ops.set(AppOp::LegacyStorage, OpMode::Deny);
        ops.set(AppOp::ReadMediaAudio, OpMode::Allow);
        assert!(
            ops.iter().eq([(AppOp::ReadMediaAudio, OpMode::Allow), (AppOp::LegacyStorage, OpMode::Deny)])
        );
        ops.set(AppOp::LegacyStorage, OpMode::Default);
        assert!(ops.iter().eq([(AppOp::ReadMediaAudio, OpMode::Allow)]));
    }

    #[test]
    fn an_unknown_name_is_said() {
        assert_eq!(
            "READ_MINDS".parse::<Permission>().unwrap_err().to_string(),
            "unknown name \"READ_MINDS\""
        );
    }
}
