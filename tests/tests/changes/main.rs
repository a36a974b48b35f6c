//! What may be done changes while it is being done: permissions, grants, names and packages, and who there is at all.
//!
//! The service runs inside the test, so that changes are as fast as they can be. So the test's own process never touches
//! the mount: only its children do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fresh;
mod newcomers;
mod toggles;

use std::sync::Arc;

use mediagate::control::{Control, GrantSpec};
use mediagate::serve::Service;
use mediagate_tests::{Actor, Errno, Package, World};

const CAMERA: &str = "com.example.camera";
const APP: &str = "com.example.app";
const OTHER: &str = "com.example.other";
const IMAGES: &str = "READ_MEDIA_IMAGES";

struct Running {
    // Stopped before the world's directory goes.
    service: Service,
    world: World,
}

impl Running {
    /// A service whose kernel keeps everything for ever.
    fn start(mut world: World) -> Running {
        world.config.volumes[0].cache_seconds = Some(-1);
        let service = Service::start(world.config.clone()).unwrap();
        Running { service, world }
    }

    fn control(&self) -> Arc<dyn Control> {
        self.service.control()
    }

    fn grant(&self, package: &str, file: &str, kind: &str) -> GrantSpec {
        let path = self.world.shared(file).into_os_string().into_encoded_bytes();
        GrantSpec { package: package.to_owned(), user: 0, path, kind: kind.to_owned(), expires: None }
    }
}

fn packages() -> [Package; 3] {
    [Package::new(CAMERA, 10_101), Package::new(APP, 10_102), Package::new(OTHER, 10_103)]
}

/// What an app gets: 0, or the errno.
fn code<T>(result: Result<T, Errno>) -> i32 {
    result.err().map_or(0, |errno| errno.0)
}

fn app(uid: u32) -> Actor {
    Actor::start(uid)
}
