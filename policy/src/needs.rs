//! What would turn a refusal into a yes. Nothing is said from a list of phrases: each thing that a caller or a file could
//! have is given to it, and the policy is asked again; only what turns the answer is a [`Need`].
//!
//! One thing at a time: where only two together would do, nothing is said.

use std::fmt;

use crate::decision::Decision;
use crate::hidden::media_type_at;
use crate::name::{ExpiringName, is_valid_fat_name};
use crate::object::{FileGrants, Kind, Object, Row};
use crate::operation::Operation;
use crate::path::{Place, last_component};
use crate::permission::{AppOp, AppOps, OpMode, Permission, PermissionSet};
use crate::principal::{PackageFacts, Principal, Uid, UserId};
use crate::profile::Profiles;
use crate::rules::decide;

/// A question to the policy, with the caller as what it is made of, so that it can be given more.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The caller's uid.
    pub uid: Uid,
    /// Its packages, as [`Principal::new`] takes them.
    pub packages: &'a [PackageFacts],
    /// The system's users.
    pub profiles: &'a Profiles,
    /// What is touched.
    pub what: Object<'a>,
    /// What is asked for.
    pub op: Operation<'a>,
}

/// One thing that is enough to be allowed. It prints as what completes "needs …".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// That this permission is granted.
    Permission(Permission),
    /// That this app op is allowed for the first package.
    AppOp(AppOp),
    /// A grant on the file.
    Grant(FileGrants),
    /// A write grant on the file that a rename would replace.
    GrantOnReplaced,
    /// That the file belongs to the caller's first package.
    Ownership,
    /// That the file that a rename would replace belongs to it.
    OwnershipOfReplaced,
    /// To run as this user.
    OfUser(UserId),
    /// That the caller's first package has this name.
    PackageNamed(String),
    /// That the instant app is installed.
    Installed,
    /// That any package is installed that has the caller's uid.
    AnyPackage,
    /// That the restriction `DISALLOW_USB_FILE_TRANSFER` is lifted.
    UsbFileTransfer,
    /// That the file is indexed.
    Indexed,
    /// That its owner publishes the file, or takes it out of the trash.
    Published,
    /// That the index forgets what it has of the new name.
    RowGone,
    /// To take this path for what is made or for the new name.
    Path(Vec<u8>),
    /// To copy the file and delete the old one, instead of renaming it.
    Copy,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Permission(permission) => write!(f, "{permission}"),
            Need::AppOp(op) => write!(f, "app op {op}"),
            Need::Grant(FileGrants::SELECTED) => f.write_str("the user to select the file"),
            Need::Grant(FileGrants::READ) => f.write_str("a read grant on the file"),
            Need::Grant(_) => f.write_str("a write grant on the file"),
            Need::GrantOnReplaced => f.write_str("a write grant on the file that is replaced"),
            Need::Ownership => f.write_str("being the owner"),
            Need::OwnershipOfReplaced => f.write_str("being the owner of the file that is replaced"),
            Need::OfUser(user) => write!(f, "a caller of user {}", user.0),
            Need::PackageNamed(name) => write!(f, "being the package {name}"),
            Need::Installed => f.write_str("installing the instant app"),
            Need::AnyPackage => f.write_str("an installed package with this uid"),
            Need::UsbFileTransfer => f.write_str("lifting DISALLOW_USB_FILE_TRANSFER of the user"),
            Need::Indexed => f.write_str("a scan of the file"),
            Need::Published => f.write_str("the owner to publish the file, or to take it out of the trash"),
            Need::RowGone => f.write_str("the index to forget the name, under which there is no file"),
            Need::Path(path) => write!(f, "the path {} instead", String::from_utf8_lossy(path)),
            Need::Copy => f.write_str("copying the file and deleting the old one"),
        }
    }
}

/// The grants that there are, least first.
const GRANTS: [FileGrants; 3] = [FileGrants::SELECTED, FileGrants::READ, FileGrants::WRITE];

impl Question<'_> {
    /// The answer.
    pub fn answer(&self) -> Decision {
        self.ask(self.packages, self.what, self.op)
    }

    /// What would turn a refusal into a yes, each by itself; nothing if it is a yes.
    pub fn needs(&self) -> Vec<Need> {
        if self.answer().is_allowed() {
            return Vec::new();
        }
        let mut needs = self.candidates();
        needs.retain(|need| self.with(need).is_some_and(|decision| decision.is_allowed()));
        // An op that stands for a permission of the same name says nothing new.
        let permissions: Vec<_> = needs
            .iter()
            .filter_map(|need| if let Need::Permission(it) = need { Some(it.name()) } else { None })
            .collect();
        needs.retain(|need| !matches!(need, Need::AppOp(op) if permissions.contains(&op.name())));
        needs
    }

    /// The answer if the need is met; `None` where it means nothing for this question.
    pub fn with(&self, need: &Need) -> Option<Decision> {
        let (what, op) = (self.what, self.op);
        Some(match need {
            Need::Permission(permission) => self.with_first(|first| first.permissions.insert(*permission))?,
            Need::AppOp(app_op) => self.with_first(|first| first.app_ops.set(*app_op, OpMode::Allow))?,
            Need::PackageNamed(name) => self.with_first(|first| first.name = name.as_str().into())?,
            Need::Installed => {
                let installed = |it: &PackageFacts| PackageFacts { instant: false, ..it.clone() };
                self.ask(&self.packages.iter().map(installed).collect::<Vec<_>>(), what, op)
            }
            Need::AnyPackage => self.ask(&[self.any_package()], what, op),
            Need::Grant(grants) => self.with_row(|row| row.grants = row.grants.with(*grants))?,
            Need::Ownership => {
                let owner = &*self.packages.first()?.name;
                self.with_row(|row| row.owner = Some(owner))?
            }
            Need::GrantOnReplaced => self.with_replaced(|row| row.grants = FileGrants::WRITE)?,
            Need::OwnershipOfReplaced => {
                let owner = &*self.packages.first()?.name;
                self.with_replaced(|row| row.owner = Some(owner))?
            }
            Need::OfUser(user) => Question { uid: Uid::of(*user, self.uid.app_id()), ..*self }.answer(),
            Need::UsbFileTransfer => {
                let who = Principal { closed_to_usb: Vec::new(), ..self.principal(self.packages) };
                decide(&who, &what, op)
            }
            Need::Indexed => {
                let media_type = media_type_at(what.path, false);
                let grants = FileGrants::NONE;
                let row = Row { owner: None, media_type, pending: false, trashed: false, grants };
                self.ask(self.packages, Object { row: Some(row), ..what }, op)
            }
            Need::RowGone => self.ask(self.packages, Object { row: None, ..what }, op),
            Need::Published => {
                let name = last_component(what.path);
                let plain = ExpiringName::parse(name).map_or(name, |it| it.plain);
                let path = [&what.path[..what.path.len() - name.len()], plain].concat();
                let row = what.row.map(|row| Row { pending: false, trashed: false, ..row });
                self.ask(self.packages, Object { path: &path, row, ..what }, op)
            }
            Need::Path(path) => match op {
                Operation::Rename { to, .. } => {
                    let to = Object { path, ..to };
                    self.ask(self.packages, what, Operation::Rename { to, replaced: None })
                }
                Operation::Create | Operation::MakeDir => {
                    self.ask(self.packages, Object { path, row: None, ..what }, op)
                }
                _ => return None,
            },
            Need::Copy => {
                let Operation::Rename { to, .. } = op else { return None };
                let read = self.ask(self.packages, what, Operation::OpenRead);
                let create = self.ask(self.packages, Object { row: None, ..to }, Operation::Create);
                let steps = [read, create, self.ask(self.packages, what, Operation::Unlink)];
                *steps.iter().find(|step| !step.is_allowed()).unwrap_or(&read)
            }
        })
    }

    fn candidates(&self) -> Vec<Need> {
        let mut all: Vec<Need> = Vec::new();
        if let Some(first) = self.packages.first() {
            let held: PermissionSet = self.packages.iter().flat_map(|it| it.permissions.iter()).collect();
            all.extend(Permission::ALL.iter().filter(|it| !held.has(**it)).map(|it| Need::Permission(*it)));
            all.extend(
                AppOp::ALL.iter().filter(|it| !first.app_ops.is_allowed(**it)).map(|it| Need::AppOp(*it)),
            );
            if self.packages.iter().any(|it| it.instant) {
                all.push(Need::Installed);
            }
            if let Place::AndroidPackage { package, .. } = Place::of(self.target_path())
                && let Ok(package) = std::str::from_utf8(package)
            {
                all.push(Need::PackageNamed(package.to_owned()));
            }
        } else {
            all.push(Need::AnyPackage);
        }
        if let Some(row) = self.what.row {
            if self.op == Operation::Create {
                all.push(Need::RowGone);
            } else {
                all.extend(GRANTS.iter().filter(|it| !row.grants.has(**it)).map(|it| Need::Grant(*it)));
                all.extend([Need::Ownership, Need::Published]);
            }
        } else if self.what.kind == Kind::File && self.op != Operation::Create {
            all.push(Need::Indexed);
        }
        if let Operation::Rename { replaced, .. } = self.op {
            if replaced.is_some_and(|it| it.row.is_some()) {
                all.extend([Need::GrantOnReplaced, Need::OwnershipOfReplaced]);
            }
            if self.what.kind == Kind::File {
                all.push(Need::Copy);
            }
        }
        all.extend(self.what.user.filter(|user| *user != self.uid.user()).map(Need::OfUser));
        all.push(Need::UsbFileTransfer);
        all.extend(self.other_paths().into_iter().map(Need::Path));
        all
    }

    /// Where what is made could be instead: the same path in portable names, else in the directory that takes anything.
    fn other_paths(&self) -> Vec<Vec<u8>> {
        if !matches!(self.op, Operation::Create | Operation::MakeDir | Operation::Rename { .. }) {
            return Vec::new();
        }
        let asked = self.target_path();
        let components = asked.split(|byte| *byte == b'/');
        let portable = components.map(portable).collect::<Vec<_>>().join(&b'/');
        let name = portable.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let mut paths = vec![[b"Download/", name].concat()];
        if self.with(&Need::Path(portable.clone())).is_some_and(|it| it.is_allowed()) {
            paths = vec![portable];
        }
        paths.retain(|path| path != asked);
        paths
    }

    /// The path of what is made, else of what is touched.
    fn target_path(&self) -> &[u8] {
        match &self.op {
            Operation::Rename { to, .. } => to.path,
            _ => self.what.path,
        }
    }

    fn principal(&self, packages: &[PackageFacts]) -> Principal {
        Principal::new(self.uid, packages).in_profiles(self.profiles)
    }

    fn ask(&self, packages: &[PackageFacts], what: Object<'_>, op: Operation<'_>) -> Decision {
        decide(&self.principal(packages), &what, op)
    }

    fn with_first(&self, change: impl FnOnce(&mut PackageFacts)) -> Option<Decision> {
        let mut packages = self.packages.to_vec();
        change(packages.first_mut()?);
        Some(self.ask(&packages, self.what, self.op))
    }

    fn with_row<'a>(&'a self, change: impl FnOnce(&mut Row<'a>)) -> Option<Decision> {
        let mut row = self.what.row?;
        change(&mut row);
        Some(self.ask(self.packages, Object { row: Some(row), ..self.what }, self.op))
    }

    fn with_replaced<'a>(&'a self, change: impl FnOnce(&mut Row<'a>)) -> Option<Decision> {
        let Operation::Rename { to, replaced: Some(replaced) } = self.op else { return None };
        let mut row = replaced.row?;
        change(&mut row);
        let replaced = Some(Object { row: Some(row), ..replaced });
        Some(self.ask(self.packages, self.what, Operation::Rename { to, replaced }))
    }

    fn any_package(&self) -> PackageFacts {
        PackageFacts {
            name: "any".into(),
            target_sdk: 34,
            permissions: PermissionSet::EMPTY,
            app_ops: AppOps::default(),
            requests_legacy_storage: false,
            requests_raw_access: None,
            scoped_storage: None,
            instant: false,
        }
    }
}

/// The name with an underscore for everything that FAT cannot hold.
fn portable(name: &[u8]) -> Vec<u8> {
    if is_valid_fat_name(name) {
        return name.to_vec();
    }
    let fits = |it: char| is_valid_fat_name(it.encode_utf8(&mut [0; 4]).as_bytes()) || it == '.';
    String::from_utf8_lossy(name).chars().map(|it| if fits(it) { it } else { '_' }).collect::<String>().into()
}

#[cfg(test)]
mod tests;
