//! Configuration: TOML to checked types.
//!
//! [`load`] either returns a [`Config`] of which everything that can be checked without acting on it has been
//! checked, or says all that is wrong: file, line, and what to write instead. It needs no privileges and changes
//! nothing. `docs/CONFIGURATION.md` describes every setting.

mod check;
mod error;
mod file;
mod overlap;
mod reader;
mod suggest;
mod tables;
mod types;
mod users;

#[cfg(test)]
mod tests;

pub(crate) use check::{
    app_op as check_app_op, is_package_app_id, op_mode as check_op_mode, package as check_package,
    package_name as check_package_name, permission as check_permission, watch as check_watch,
};
pub use check::{resolve_owner, session as check_session, volume as check_volume};
pub use error::{ConfigError, Mistake, Mistakes};
pub use file::{load, parse};
pub use types::{
    BackingFilesConfig, Config, PackageConfig, PolicyProfile, ServiceConfig, UserConfig, UserKindConfig,
    VolumeConfig, VolumeKindConfig, WatchConfig,
};

impl Config {
    /// The configuration as TOML that [`parse`] reads back to the same value.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }
}
