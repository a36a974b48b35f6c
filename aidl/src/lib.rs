//! The binder interface of mediagate.
//!
//! `aidl/io/mediagate/IMediagate.aidl` is the contract: what each method does, who may call it and what it fails
//! with. This crate is the code generated from it, and nothing else; the service's `binder` module is its one user.

#![deny(missing_docs)]

// In an AOSP tree the platform's compiler makes it, as a crate of its own with the same modules.
#[cfg(libbinder)]
use io_mediagate::aidl as generated;

/// What the AIDL compiler made; it has one module for each file, as AIDL has one type for each file.
#[cfg(not(libbinder))]
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
    VolumeState::VolumeState,
    VolumeStatus::VolumeStatus,
};

/// The methods of the store that an observer comes with.
#[cfg(not(libbinder))]
pub const WITH_OBSERVER: [rsbinder::TransactionCode; 3] = {
    use generated::io::mediagate::IMediaStore::transactions::{
        awaitChanges, registerObserver, unregisterObserver,
    };
    [registerObserver, unregisterObserver, awaitChanges]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_that_an_observer_comes_with_is_known() {
        let text = include_str!("../aidl/io/mediagate/IMediaStore.aidl");
        let said = |it: &&str| !["/*", "*"].iter().any(|sign| it.trim_start().starts_with(sign));
        let text: String = text.lines().filter(said).collect();
        let methods: Vec<&str> = text.split(';').filter(|it| it.contains('(')).collect();
        let code = |at: usize| rsbinder::FIRST_CALL_TRANSACTION + u32::try_from(at).unwrap();
        let with = |it: &&str| it.contains("IMediaObserver observer") || it.contains("IBinder");
        let found: Vec<_> = (0..methods.len()).filter(|at| with(&methods[*at])).map(code).collect();
        assert_eq!(found, WITH_OBSERVER);
    }

    #[test]
    fn numbers_that_clients_keep_are_these() {
        let errors = [ErrorCode::NOT_FOUND, ErrorCode::ALREADY_EXISTS, ErrorCode::INVALID, ErrorCode::FAILED];
        assert_eq!(errors.map(|it| it.0), [1, 2, 3, 4]);
        // android.os.storage.VolumeInfo.
        let states =
            [VolumeState::UNMOUNTED, VolumeState::MOUNTED, VolumeState::EJECTING, VolumeState::BAD_REMOVAL];
        assert_eq!(states.map(|it| it.0), [0, 2, 5, 8]);
    }

    #[test]
    fn what_is_left_out_has_the_default_of_the_interface() {
        let volume = VolumeSpec::default();
        assert_eq!((volume.passthrough, volume.cacheSeconds, volume.watch.as_str()), (true, -2, "auto"));
        assert_eq!(PackageSpec::default().targetSdk, 34);
        assert_eq!(MediaQuery::default().user, -1);
    }
}
