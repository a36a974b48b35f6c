//! Who calls is the uid that the kernel says: of each transaction by binder, of the connection by a socket.

use mediagate_tests::{Actor, Call, Failure};

use crate::{BINDER, CAMERA, CAMERA_UID, SOCKET, cli};

fn is_denied(result: Result<impl Sized, Failure>) -> bool {
    matches!(result, Err(Failure::Denied(_)))
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn binder_asks_at_each_call_and_a_socket_when_it_is_connected() {
    for (address, per_call) in [(BINDER, true), (SOCKET, false)] {
        let mut caller = Actor::start(0);
        caller.connect(address).unwrap();
        caller.call(Call::Stats).unwrap();
        let all = caller.packages().unwrap();
        assert!(all.len() > 1 || all == [CAMERA], "{all:?}");
        caller.change_uid(CAMERA_UID);
        assert_eq!(is_denied(caller.call(Call::Stats)), per_call, "{address}");
        assert_eq!(caller.packages().unwrap().iter().filter(|it| *it == CAMERA).count(), 1);
        let revoke = Call::SetPermission {
            package: CAMERA.to_owned(),
            permission: "READ_MEDIA_VIDEO".to_owned(),
            granted: false,
        };
        assert_eq!(is_denied(caller.call(revoke)), per_call, "{address}");
        // What it opens from now on is the app's on both.
        caller.connect(address).unwrap();
        assert!(is_denied(caller.call(Call::Stats)), "{address}");
    }
}

#[test]
#[ignore = "needs kernel binder: tests/emulator/run"]
fn an_app_sees_itself_and_nobody_else() {
    cli(BINDER, &["package", "install", "com.example.other", "--app-id", "10110", "--user", "0"]);
    for address in [BINDER, SOCKET] {
        let mut camera = Actor::start(CAMERA_UID);
        camera.connect(address).unwrap();
        assert_eq!(camera.packages().unwrap(), [CAMERA], "{address}");
        let path = b"/storage/emulated/0/DCIM/x.jpg".to_vec();
        camera.call(Call::MayRead { uid: CAMERA_UID, path: path.clone() }).unwrap();
        assert!(is_denied(camera.call(Call::MayRead { uid: 10_110, path })), "{address}");
        let mut system = Actor::start(1000);
        system.connect(address).unwrap();
        system.call(Call::Stats).unwrap();
    }
    cli(BINDER, &["package", "remove", "com.example.other"]);
}
