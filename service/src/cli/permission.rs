//! `permission grant|revoke` and `appop set`.

use clap::{Subcommand, ValueEnum};
use mediagate_policy::{AppOp as Op, Permission as Right};

use super::connection::Connection;
use super::failure::Failure;
use super::output;

/// What a command does, and the names that it takes.
fn about(text: &str, what: &str, names: &[&str]) -> String {
    format!("{text} Administrators only.\n\n{what}, with or without the prefix: {}.", names.join(", "))
}

fn about_permission(text: &str) -> String {
    let names: Vec<_> = Right::ALL.iter().map(|it| it.name()).collect();
    about(text, "The permissions that shared storage looks at", &names)
}

fn about_app_op() -> String {
    let names: Vec<_> = Op::ALL.iter().map(|it| it.name()).collect();
    let text = "Sets the mode of an app op for a package. Takes effect as `permission grant` does.";
    about(text, "The app ops that shared storage looks at", &names)
}

#[derive(Debug, Subcommand)]
pub(super) enum Permission {
    /// Grant a permission.
    #[command(
        long_about = about_permission("Grants a permission to a package, for all its users. Every open that starts after this \
            command returned is decided by the new state; files that are open stay open."),
        after_long_help = "Examples:\n  mediagate permission grant com.example.gallery READ_MEDIA_IMAGES"
    )]
    Grant {
        /// Name of the package.
        package: String,
        /// Permission, with or without "android.permission.".
        permission: String,
    },
    /// Revoke a permission.
    #[command(
        long_about = about_permission("Revokes a permission from a package, for all its users. Every open that starts after \
            this command returned is decided by the new state; files that are open stay open."),
        after_long_help = "Examples:\n  mediagate permission revoke com.example.gallery READ_MEDIA_IMAGES"
    )]
    Revoke {
        /// Name of the package.
        package: String,
        /// Permission, with or without "android.permission.".
        permission: String,
    },
}

impl Permission {
    pub(super) fn run(self, connection: &Connection, json: bool) -> Result<String, Failure> {
        let (package, permission, granted) = match self {
            Permission::Grant { package, permission } => (package, permission, true),
            Permission::Revoke { package, permission } => (package, permission, false),
        };
        connection.open()?.set_permission(&package, &permission, granted)?;
        let has = if granted { "has" } else { "does not have" };
        output::done(format!("{package} {has} {permission}"), json)
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum AppOp {
    /// Set the mode of an app op.
    #[command(
        long_about = about_app_op(),
        after_long_help = "Examples:\n  mediagate appop set com.example.files MANAGE_EXTERNAL_STORAGE allow"
    )]
    Set {
        /// Name of the package.
        package: String,
        /// Name of the app op, with or without "android:".
        op: String,
        /// Its mode.
        #[arg(value_enum)]
        mode: Mode,
    },
}

/// Mode of an app op.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Mode {
    /// The permission that goes with the op decides.
    Default,
    /// Allowed.
    Allow,
    /// Refused without an error.
    Ignore,
    /// Refused with an error.
    Deny,
}

impl Mode {
    pub(super) fn word(self) -> &'static str {
        match self {
            Mode::Default => "default",
            Mode::Allow => "allow",
            Mode::Ignore => "ignore",
            Mode::Deny => "deny",
        }
    }
}

impl AppOp {
    pub(super) fn run(self, connection: &Connection, json: bool) -> Result<String, Failure> {
        let AppOp::Set { package, op, mode } = self;
        connection.open()?.set_app_op(&package, &op, mode.word())?;
        output::done(format!("{op} of {package} is {}", mode.word()), json)
    }
}
