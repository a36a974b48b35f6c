#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod classes;
mod decision;
mod filter;
mod hidden;
mod mime;
mod name;
mod needs;
mod object;
mod operation;
mod path;
mod permission;
mod principal;
mod profile;
mod reason;
mod rules;

pub use decision::{Decision, Errno, Grant, ListScope, Outcome};
pub use filter::{Columns, Filter, Value, listing_filter};
pub use hidden::{is_hidden_by_name, is_never_indexed, media_type_at, media_type_of, nomedia_counts_in};
pub use mime::{MediaType, MediaTypes, extension_of, mime_of};
pub use name::{ExpiringName, NameState, is_valid_fat_name, name_state};
pub use needs::{Need, Question};
pub use object::{FileGrants, Kind, Object, Row, VolumeKind};
pub use operation::{AccessMask, Operation};
pub use path::{AndroidDir, DefaultDir, Place, name_depends_on_caller};
pub use permission::{AppOp, AppOps, OpMode, Permission, PermissionSet, UnknownName};
pub use principal::{AppId, MountMode, PackageFacts, Principal, PrincipalKind, Traits, Uid, UserId};
pub use profile::{Profiles, UserKind, UserRelation};
pub use reason::Reason;
pub use rules::decide;
