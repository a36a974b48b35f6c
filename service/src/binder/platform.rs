//! The binder library: rsbinder everywhere, and in an AOSP tree (`cfg(libbinder)`) the platform's own, `libbinder_rs`.
//!
//! This file is all that differs between the two. What is served on Unix sockets (`rpc`, `socket`, `bounded`), `admission` and `inflight` are rsbinder's alone
//! and left out of the platform's build: a device has kernel binder. The generated types have the same names and fields in both
//! (`aidl/src/lib.rs`).

#[cfg(libbinder)]
pub(super) use libbinder::*;
#[cfg(not(libbinder))]
pub(super) use rsbinder_is::*;

/// How a call failed, for its caller.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// EX_SECURITY.
    Denied,
    /// A service-specific error of this code.
    Ours(i32),
    /// The other process is gone.
    Dead,
    /// The call did not get there, or its answer not back.
    Broken,
    /// Another exception.
    Other,
}

#[cfg(not(libbinder))]
mod rsbinder_is {
    use std::io::Write;
    use std::sync::{Arc, Weak};

    use mediagate_aidl as aidl;
    use parking_lot::Mutex;
    use rsbinder::rpc::PeerIdentity;
    pub(in super::super) use rsbinder::{
        BinderResult, Interface, ParcelFileDescriptor, SIBinder, Status, Strong,
    };
    use rsbinder::{Caller, DeathRecipient, ExceptionCode, Stability, StatusCode, WIBinder};

    use super::Failure;
    use crate::binder::admission::Admitting;
    pub(in super::super) use crate::binder::inflight::{begin as note_calls, calls};
    pub(in super::super) use crate::binder::listen::{Listening, listen};
    use crate::binder::service::Binder;
    pub(in super::super) use crate::binder::socket::connect_unix;

    /// The uid that the kernel says the call being handled comes from.
    pub(in super::super) fn calling_uid() -> Option<u32> {
        uid_of(rsbinder::calling_caller())
    }

    pub(super) fn uid_of(caller: Option<Caller>) -> Option<u32> {
        match caller? {
            Caller::Kernel { uid, .. } => Some(uid),
            Caller::Rpc(PeerIdentity::Local { uid, .. }) => Some(uid),
            // Remote and anonymous peers, and whatever a later rsbinder adds.
            _ => None,
        }
    }

    /// Whether the caller can be called: there is no connection for that on a socket.
    pub(in super::super) fn can_be_called() -> bool {
        matches!(rsbinder::calling_caller(), Some(Caller::Kernel { .. }))
    }

    pub(in super::super) fn denied(message: &str) -> Status {
        (ExceptionCode::Security, message).into()
    }

    pub(in super::super) fn failed(code: i32, message: &str) -> Status {
        Status::new_service_specific_error(code, Some(message.to_owned()))
    }

    /// How a call failed, and what was said of it.
    pub(in super::super) fn failure(status: &Status) -> (Failure, String) {
        let message = status.message().unwrap_or_default().to_owned();
        match status.exception_code() {
            ExceptionCode::Security => (Failure::Denied, message),
            ExceptionCode::ServiceSpecific => (Failure::Ours(status.service_specific_error()), message),
            ExceptionCode::TransactionFailed => match status.transaction_error() {
                StatusCode::DeadObject => (Failure::Dead, message),
                other => (Failure::Broken, other.to_string()),
            },
            _ => (Failure::Other, status.to_string()),
        }
    }

    pub(in super::super) fn new_mediagate(object: Binder) -> SIBinder {
        aidl::BnMediagate::new_binder(object).as_binder()
    }

    /// A store, whose calls are let in by [`Admitting`].
    pub(in super::super) fn new_store<T>(object: T) -> SIBinder
    where
        T: aidl::IMediaStore + Send + Sync + 'static,
    {
        let served = aidl::BnMediaStore::new_binder(object).as_binder();
        let Ok(store) = rsbinder::Binder::try_from(served.clone()) else { return served };
        let caller = || if can_be_called() { calling_uid() } else { None };
        rsbinder::Binder::new_with_stability(Admitting::new(store, caller), Stability::Vintf).as_binder()
    }

    pub(in super::super) fn new_observer<T>(object: T) -> Strong<dyn aidl::IMediaObserver>
    where
        T: aidl::IMediaObserver + Send + Sync + 'static,
    {
        aidl::BnMediaObserver::new_binder(object)
    }

    impl Interface for Binder {
        /// What `dumpsys` asks for.
        fn dump(&self, writer: &mut dyn Write, _arguments: &[String]) -> Result<(), StatusCode> {
            let text = self.dump_text().map_err(|_| StatusCode::PermissionDenied)?;
            writer.write_all(text.as_bytes()).map_err(|_| StatusCode::FailedTransaction)
        }
    }

    /// What is to be done when a process ends; nothing is once this is dropped.
    pub(in super::super) struct Obituary {
        _recipient: Option<Arc<Recipient>>,
    }

    struct Recipient(Mutex<Option<Box<dyn FnOnce() + Send>>>);

    impl DeathRecipient for Recipient {
        fn binder_died(&self, _who: &WIBinder) {
            let then = self.0.lock().take();
            if let Some(then) = then {
                then();
            }
        }
    }

    /// Does `then` once the process of `binder` has ended. Where there are no obituaries (an object of this process) nobody
    /// needs one.
    pub(in super::super) fn when_dead(binder: &SIBinder, then: impl FnOnce() + Send + 'static) -> Obituary {
        let recipient = Arc::new(Recipient(Mutex::new(Some(Box::new(then)))));
        let weak: Weak<Recipient> = Arc::downgrade(&recipient);
        let linked = binder.link_to_death(weak).is_ok();
        Obituary { _recipient: linked.then_some(recipient) }
    }

    /// A name at the service manager; it goes with the process.
    #[derive(Debug)]
    pub(in super::super) struct Registered {
        _server: rsbinder::ServerGuard,
    }

    /// Registers a name at the service manager and serves its calls.
    pub(in super::super) fn register(name: &str, root: SIBinder) -> Result<Registered, String> {
        rsbinder::serve(rsbinder::Uri::kernel())
            .and_then(|server| server.add(name, root))
            .and_then(rsbinder::Server::spawn)
            .map(|server| Registered { _server: server })
            .map_err(|status| status.to_string())
    }

    /// What has a name at the service manager. Not the waiting form: a name that nobody registered is an answer.
    pub(in super::super) fn find(name: &str) -> Result<Option<Strong<dyn aidl::IMediagate>>, String> {
        rsbinder::Client::open(rsbinder::Endpoint::kernel())
            .and_then(|client| client.try_get::<dyn aidl::IMediagate>(name))
            .map_err(|status| status.to_string())
    }
}

#[cfg(libbinder)]
mod libbinder {
    use std::ffi::CStr;
    use std::io::Write;
    use std::path::Path;
    use std::sync::Arc;

    use binder::{
        BinderFeatures, DeathRecipient, ExceptionCode, IBinder, ProcessState, StatusCode, ThreadState,
    };
    pub(in super::super) use binder::{
        Interface, ParcelFileDescriptor, Result as BinderResult, SpIBinder as SIBinder, Status, Strong,
    };
    use mediagate_aidl as aidl;

    use super::Failure;
    use crate::binder::server::BinderError;
    use crate::binder::service::Binder;
    use crate::control::Control;

    /// An address on a Unix socket: there is none.
    #[derive(Debug)]
    pub(in super::super) enum Listening {}

    impl Listening {
        pub(in super::super) fn paths(&self) -> std::iter::Empty<&Path> {
            std::iter::empty()
        }
    }

    pub(in super::super) fn listen(
        path: &Path,
        _root: &SIBinder,
        _control: &Arc<dyn Control>,
    ) -> Result<Listening, BinderError> {
        Err(BinderError::NoSockets(path.to_owned()))
    }

    /// The platform counts calls itself (`dumpsys binder_calls_stats`, /dev/binderfs/binder_logs).
    pub(in super::super) fn note_calls() {}

    /// A call that is being handled: none is known.
    #[derive(Debug)]
    pub(in super::super) struct Call {
        pub(in super::super) what: String,
        pub(in super::super) uid: u32,
        pub(in super::super) since: std::time::Instant,
    }

    pub(in super::super) fn calls() -> Vec<Call> {
        Vec::new()
    }

    pub(in super::super) fn connect_unix(_path: &Path) -> Result<Strong<dyn aidl::IMediagate>, String> {
        Err("this build speaks kernel binder only; give it binder://NAME".to_owned())
    }

    /// The uid that the kernel says the call being handled comes from.
    pub(in super::super) fn calling_uid() -> Option<u32> {
        Some(ThreadState::get_calling_uid())
    }

    /// Whether the caller can be called.
    pub(in super::super) fn can_be_called() -> bool {
        true
    }

    pub(in super::super) fn denied(message: &str) -> Status {
        Status::new_exception_str(ExceptionCode::SECURITY, Some(message))
    }

    pub(in super::super) fn failed(code: i32, message: &str) -> Status {
        Status::new_service_specific_error_str(code, Some(message))
    }

    /// How a call failed, and what was said of it.
    pub(in super::super) fn failure(status: &Status) -> (Failure, String) {
        let failure = match status.exception_code() {
            ExceptionCode::SECURITY => Failure::Denied,
            ExceptionCode::SERVICE_SPECIFIC => Failure::Ours(status.service_specific_error()),
            ExceptionCode::TRANSACTION_FAILED if status.transaction_error() == StatusCode::DEAD_OBJECT => {
                Failure::Dead
            }
            ExceptionCode::TRANSACTION_FAILED => Failure::Broken,
            _ => Failure::Other,
        };
        (failure, status.get_description())
    }

    pub(in super::super) fn new_mediagate(object: Binder) -> SIBinder {
        aidl::BnMediagate::new_binder(object, BinderFeatures::default()).as_binder()
    }

    /// A store. Nothing is done before the compiler's code reads a call: docs/ANDROID.md says what that means.
    pub(in super::super) fn new_store<T>(object: T) -> SIBinder
    where
        T: aidl::IMediaStore + Send + Sync + 'static,
    {
        aidl::BnMediaStore::new_binder(object, BinderFeatures::default()).as_binder()
    }

    pub(in super::super) fn new_observer<T>(object: T) -> Strong<dyn aidl::IMediaObserver>
    where
        T: aidl::IMediaObserver + Send + Sync + 'static,
    {
        aidl::BnMediaObserver::new_binder(object, BinderFeatures::default())
    }

    impl Interface for Binder {
        /// What `dumpsys` asks for.
        fn dump(&self, writer: &mut dyn Write, _arguments: &[&CStr]) -> Result<(), StatusCode> {
            let text = self.dump_text().map_err(|_| StatusCode::PERMISSION_DENIED)?;
            writer.write_all(text.as_bytes()).map_err(|_| StatusCode::FAILED_TRANSACTION)
        }
    }

    /// What is to be done when a process ends; nothing is once this is dropped.
    pub(in super::super) struct Obituary {
        _recipient: Option<DeathRecipient>,
    }

    /// Does `then` once the process of `binder` has ended. Where there are no obituaries (an object of this process) nobody
    /// needs one.
    pub(in super::super) fn when_dead(binder: &SIBinder, then: impl FnOnce() + Send + 'static) -> Obituary {
        let then = parking_lot::Mutex::new(Some(then));
        let mut recipient = DeathRecipient::new(move || {
            let then = then.lock().take();
            if let Some(then) = then {
                then();
            }
        });
        let linked = binder.clone().link_to_death(&mut recipient).is_ok();
        Obituary { _recipient: linked.then_some(recipient) }
    }

    /// A name at the service manager; it goes with the process.
    #[derive(Debug)]
    pub(in super::super) struct Registered;

    /// Registers a name at the service manager and serves its calls.
    pub(in super::super) fn register(name: &str, root: SIBinder) -> Result<Registered, String> {
        ProcessState::start_thread_pool();
        binder::add_service(name, root).map(|()| Registered).map_err(|status| format!("{status:?}"))
    }

    /// What has a name at the service manager. Not the waiting form: a name that nobody registered is an answer.
    pub(in super::super) fn find(name: &str) -> Result<Option<Strong<dyn aidl::IMediagate>>, String> {
        ProcessState::start_thread_pool();
        match binder::check_interface::<dyn aidl::IMediagate>(name) {
            Ok(found) => Ok(Some(found)),
            Err(StatusCode::NAME_NOT_FOUND) => Ok(None),
            Err(status) => Err(format!("{status:?}")),
        }
    }
}

#[cfg(all(test, not(libbinder)))]
mod tests {
    use rsbinder::Caller;
    use rsbinder::rpc::PeerIdentity;

    use super::rsbinder_is::uid_of;
    use super::*;

    #[test]
    fn only_the_kernel_is_believed() {
        let local = PeerIdentity::Local { uid: 7, pid: 1 };
        assert_eq!(uid_of(Some(Caller::Rpc(local))), Some(7));
        assert_eq!(uid_of(Some(Caller::Kernel { uid: 8, pid: 1, sid: None })), Some(8));
        assert_eq!(uid_of(Some(Caller::Rpc(PeerIdentity::Anonymous))), None);
        assert_eq!(uid_of(None), None);
    }

    #[test]
    fn what_is_made_is_read_back() {
        assert_eq!(failure(&denied("no")), (Failure::Denied, "no".to_owned()));
        assert_eq!(failure(&failed(3, "three")), (Failure::Ours(3), "three".to_owned()));
    }
}
