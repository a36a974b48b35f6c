//! Where packages come from.

use crate::config::{Config, PackageConfig};

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
