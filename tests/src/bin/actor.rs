//! An app: becomes the uid it is told and does what it is asked, one JSON line after the other.
//! See `mediagate_tests::actor`.

fn main() {
    let uid = std::env::args().nth(1).and_then(|uid| uid.parse().ok()).expect("usage: mediagate-actor UID");
    mediagate_tests::actor::serve(uid);
}
