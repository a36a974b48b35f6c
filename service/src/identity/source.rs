//! Where packages come from.

use mediagate_policy::{Profiles, UserId, UserKind};

use crate::config::{Config, PackageConfig, UserConfig, UserKindConfig};

use super::error::IdentityError;
use super::packages_list::PackagesListSource;
use super::record::PackageRecord;
use super::watch::WatchGuard;

/// A list of installed packages that may change.
pub trait PackageSource: Send + Sync {
    /// What `package list` calls it.
    fn name(&self) -> &'static str;

    /// Every package there is now. The order is kept: of several packages with one uid the first is "the caller's
    /// package".
    fn load(&self) -> Result<Vec<PackageRecord>, IdentityError>;

    /// Calls `changed`, from any thread, whenever [`PackageSource::load`] may have something new to say, until the
    /// guard is dropped. `None` when it never will.
    fn watch(&self, changed: Box<dyn Fn() + Send + Sync>) -> Result<Option<WatchGuard>, IdentityError>;
}

/// The source that `config` asks for: Android's `packages.list`, or its own `[[package]]` tables.
pub fn sources(config: &Config) -> Vec<Box<dyn PackageSource>> {
    match &config.service.packages_list {
        Some(file) => vec![Box::new(PackagesListSource::new(file, &config.packages))],
        None => vec![Box::new(ConfigSource::new(&config.packages))],
    }
}

/// The `[[user]]` tables, for the policy. A profile without a parent, which no checked configuration has, is alone.
pub fn profiles(users: &[UserConfig]) -> Profiles {
    let kind = |user: &UserConfig| match (user.kind, user.parent.map(UserId)) {
        (UserKindConfig::Clone, Some(parent)) => UserKind::Clone { parent },
        (UserKindConfig::Work, Some(parent)) => UserKind::Work { parent },
        (UserKindConfig::Full | UserKindConfig::Clone | UserKindConfig::Work, _) => UserKind::Full,
    };
    let known: Profiles = users.iter().map(|user| (UserId(user.id), kind(user))).collect();
    let restricted = users.iter().filter(|user| !user.usb_file_transfer);
    restricted.fold(known, |all, user| all.without_usb_file_transfer(UserId(user.id)))
}

/// The `[[package]]` tables of the configuration; they never change.
#[derive(Debug)]
pub struct ConfigSource {
    packages: Vec<PackageRecord>,
}

impl ConfigSource {
    /// The packages of a checked configuration.
    pub fn new(packages: &[PackageConfig]) -> ConfigSource {
        ConfigSource { packages: packages.iter().map(|it| PackageRecord::of(it, "config")).collect() }
    }
}

impl PackageSource for ConfigSource {
    fn name(&self) -> &'static str {
        "config"
    }

    fn load(&self) -> Result<Vec<PackageRecord>, IdentityError> {
        Ok(self.packages.clone())
    }

    fn watch(&self, _changed: Box<dyn Fn() + Send + Sync>) -> Result<Option<WatchGuard>, IdentityError> {
        Ok(None)
    }
}
