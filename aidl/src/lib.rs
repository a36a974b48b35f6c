//! The binder interface of mediagate.
//!
//! `aidl/io/mediagate/IMediagate.aidl` is the contract: what each method does, who may call it and what it fails
//! with. This crate is the code generated from it, and nothing else; the service's `binder` module is its one user.

#![deny(missing_docs)]

/// What the AIDL compiler made; it has one module for each file, as AIDL has one type for each file.
#[allow(
    missing_debug_implementations,
    missing_docs,
    rust_2018_idioms,
    unreachable_pub,
    reason = "generated: documented in the AIDL files, written in the style of its generator"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/mediagate_aidl.rs"));
}

pub use generated::io::mediagate::{
    AppOp::AppOp,
    AppOpMode::AppOpMode,
    ChangeBatch::ChangeBatch,
    ChangeKind::ChangeKind,
    ChangeNotice::ChangeNotice,
    ErrorCode::ErrorCode,
    ExplainRequest::ExplainRequest,
    Explanation::Explanation,
    Fact::Fact,
    GrantKind::GrantKind,
    GrantSpec::GrantSpec,
    GrantStatus::GrantStatus,
    IMediaObserver::{BnMediaObserver, IMediaObserver},
    IMediaStore::{BnMediaStore, IMediaStore},
    IMediagate::{BnMediagate, IMediagate},
    InsertSpec::InsertSpec,
    Inserted::Inserted,
    MaintenancePhase::MaintenancePhase,
    MaintenanceStatus::MaintenanceStatus,
    MaintenanceStep::MaintenanceStep,
    MediaChanges::MediaChanges,
    MediaDetails::MediaDetails,
    MediaGroup::MediaGroup,
    MediaGrouping::MediaGrouping,
    MediaHistory::MediaHistory,
    MediaItem::MediaItem,
    MediaLocation::MediaLocation,
    MediaMatch::MediaMatch,
    MediaPage::MediaPage,
    MediaQuery::MediaQuery,
    MediaRange::MediaRange,
    MediaResult::MediaResult,
    MediaSort::MediaSort,
    MediaType::MediaType,
    MediaVersion::MediaVersion,
    Operation::Operation,
    PackageSpec::PackageSpec,
    PackageStatus::PackageStatus,
    ScanPhase::ScanPhase,
    ScanStatus::ScanStatus,
    Stat::Stat,
    TriState::TriState,
    VolumeKind::VolumeKind,
    VolumeSpec::VolumeSpec,
    VolumeStatus::VolumeStatus,
};
