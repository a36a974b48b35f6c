//! What the service answers to a client that is not built from its AIDL.

use crate::driver::{Driver, FIRST, INTERFACE, Outcome, PING, Parcel};
use crate::methods::code;

pub(crate) const NAME: &str = "io.mediagate.IMediagate";
pub(crate) const STORE: &str = "io.mediagate.IMediaStore";
const ROOM: usize = 1 << 20;

/// The handle of the store.
pub(crate) fn store(driver: &Driver, root: u32) -> u32 {
    driver.object(root, code("IMediagate", "mediaStore"), &Parcel::to(NAME))
}

/// `status_t` values (system/core/libutils/include/utils/Errors.h).
const BAD_TYPE: i32 = i32::MIN + 1;
const UNKNOWN_TRANSACTION: i32 = -libc::EBADMSG;
const NOT_ENOUGH_DATA: i32 = -libc::ENODATA;

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn it_answers_a_ping_and_says_its_name() {
    let driver = Driver::open(ROOM);
    let service = driver.service("mediagate");
    assert_eq!(driver.transact(service, PING, 0, &Parcel::default()), Outcome::Reply(Vec::new()));
    let mut name = Parcel::default();
    name.string(NAME);
    assert_eq!(driver.transact(service, INTERFACE, 0, &Parcel::default()), Outcome::Reply(name.data));
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn it_answers_a_call_that_is_well_formed() {
    let driver = Driver::open(ROOM);
    let service = driver.service("mediagate");
    // listVolumes(): no exception, then one volume.
    let Outcome::Reply(data) = driver.transact(service, FIRST, 0, &Parcel::to(NAME)) else { panic!() };
    assert_eq!(data[..8], [0, 0, 0, 0, 1, 0, 0, 0]);
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn what_is_not_its_interface_is_refused() {
    let driver = Driver::open(ROOM);
    let service = driver.service("mediagate");
    let other = Parcel::to("io.example.IOther");
    assert_eq!(driver.transact(service, FIRST, 0, &other), Outcome::Status(BAD_TYPE));
    let unknown = FIRST + 0x00ff_fffe;
    assert_eq!(driver.transact(service, unknown, 0, &Parcel::to(NAME)), Outcome::Status(UNKNOWN_TRANSACTION));
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn garbage_is_an_error_of_its_sender() {
    let driver = Driver::open(ROOM);
    let service = driver.service("mediagate");
    // detachVolume(String name) without the name.
    let empty = Parcel::to(NAME);
    assert_eq!(driver.transact(service, FIRST + 2, 0, &empty), Outcome::Status(NOT_ENOUGH_DATA));
    // And with names whose lengths cannot be.
    for length in [i32::MAX, i32::MAX / 2, 1 << 20, -2, i32::MIN] {
        let mut parcel = Parcel::to(NAME);
        parcel.number(length);
        parcel.number(0x5a5a_5a5a);
        match driver.transact(service, FIRST + 2, 0, &parcel) {
            Outcome::Status(status) => assert!(status < 0, "{length}"),
            // An exception, which is a negative number first.
            Outcome::Reply(data) => assert!(data[3] & 0x80 != 0, "{length}: {data:?}"),
            other => panic!("{length}: {other:?}"),
        }
    }
    // No token at all, and half of one.
    for data in [Vec::new(), vec![0x5a; 3], Parcel::to(NAME).data[..20].to_vec()] {
        let half = Parcel { data, offsets: Vec::new() };
        let outcome = driver.transact(service, FIRST, 0, &half);
        assert!(matches!(outcome, Outcome::Status(status) if status < 0), "{half:?}: {outcome:?}");
    }
    assert_eq!(driver.transact(service, PING, 0, &Parcel::default()), Outcome::Reply(Vec::new()));
}
